"""The first half of an import: read, check and prepare, with no key and no store.

It yields batches, in this process for a small file and from a process of its own for a large one,
so that one core reads and checks while the other seals and writes.
"""

from __future__ import annotations

import gc
import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import IO, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from safety.errors import Problem, StoreUnavailable
from safety.importing import columns
from safety.importing.building import Complaints, Names, build_event, build_session
from safety.importing.sheets import Row, RowError, Sheet
from safety.model import AdverseEvent, SessionReport
from safety.store.preparing import Prepared, fold, prepare
from safety.vocabulary import Protocol, vocabulary
from safety.vocabulary.protocols import protocol_index

T = TypeVar("T")
BATCH: Final = 500
LARGE_BYTES: Final = 3_000_000
_MOST_WARNINGS: Final = 20


@dataclass(frozen=True, slots=True)
class Order:
    """What to read, and everything that is needed to check it."""

    sessions: Path
    events: Path | None
    protocols: tuple[Protocol, ...]
    zones: dict[str, ZoneInfo]
    default_zone: ZoneInfo
    latest: datetime

    def zone_of(self, site: str) -> ZoneInfo:
        """The zone of a site; that of the clinic when the site is new."""
        return self.zones.get(fold(site), self.default_zone)


class Ready(NamedTuple):
    """A session that nothing is wrong with, and its row number.

    ``comparable`` is false when its events could not all be read: beside what the store has it
    would look changed.
    """

    number: int
    prepared: Prepared
    comparable: bool


class Batch(NamedTuple):
    """Sessions that were read, and what was found while reading them."""

    rows: list[Ready]
    errors: list[RowError]
    unusual: int
    warnings: list[RowError]


def batches(order: Order) -> Generator[Batch]:
    """Read and check the files of ``order``; large ones in a process of their own."""
    files = [path for path in (order.sessions, order.events) if path is not None]
    size = sum(path.stat().st_size for path in files if path.is_file())
    if size >= LARGE_BYTES and (os.cpu_count() or 1) > 1:
        return from_worker(order)
    return read(order)


def read(order: Order) -> Generator[Batch]:
    """Read and check the files of ``order`` here."""
    reading = _Reading(order)
    with without_cycle_collection():
        if order.events is not None:
            reading.read_events(order.events)
        for chunk in _chunks(reading.sessions(), BATCH):
            yield reading.batch(chunk)
        reading.finish()
        yield reading.batch([])


@contextmanager
def without_cycle_collection() -> Iterator[None]:
    """Keep the cycle collector from walking hundreds of thousands of rows that hold no cycle."""
    on = gc.isenabled()
    gc.disable()
    try:
        yield
    finally:
        if on:
            gc.enable()


class _Reading:
    """One pass over the two files; what is found gathers until ``batch`` takes it."""

    def __init__(self, order: Order) -> None:
        self._zone_of = order.zone_of
        protocols = protocol_index(order.protocols)
        self._names = Names(vocabulary(), protocols, order.zone_of, order.latest)
        self._sheet = Sheet(order.sessions, columns.SESSIONS_COLUMNS, columns.SESSIONS_REQUIRED)
        self._events_name = ""
        self._events: dict[str, list[tuple[int, AdverseEvent]]] = {}
        self._unclaimed: dict[str, list[int]] = {}
        self._spoilt: set[str] = set()
        self._all_spoilt = False
        self._errors: list[RowError] = []
        self._warnings: list[RowError] = []
        self._unusual = 0
        self._warned = 0

    def read_events(self, path: Path) -> None:
        """Read the events and keep them by the reference of their session."""
        sheet = Sheet(path, columns.EVENTS_COLUMNS, columns.EVENTS_REQUIRED)
        self._events_name = sheet.name
        for number, row in sheet.rows():
            self._event(number, row)
        self._errors += sheet.errors
        self._spoilt |= sheet.lost
        self._all_spoilt = self._all_spoilt or not sheet.whole

    def _event(self, number: int, row: Row) -> None:
        event, wrong = build_event(row, self._names)
        reference = row.get("session_ref")
        if reference is None:
            self._all_spoilt = True
        else:
            kept = self._events.setdefault(reference, [])
            self._unclaimed.setdefault(reference, []).append(number)
            if event is None:
                self._spoilt.add(reference)
            elif any(other.term == event.term for _, other in kept):
                self._spoilt.add(reference)
                text = "stands twice in this session. Keep one row with the worst grade."
                wrong.append(("term", text))
            else:
                kept.append((number, event))
        self._complain(self._events_name, number, wrong)

    def sessions(self) -> Iterator[Ready]:
        """Every session that nothing is wrong with."""
        for number, row in self._sheet.rows():
            reference = row.get("session_ref", "")
            self._unclaimed.pop(reference, None)
            kept = self._events.get(reference, [])
            kept.sort(key=_term)  # the order of rows in a file says nothing
            report, wrong = build_session(row, tuple(event for _, event in kept), self._names)
            if report is None:
                self._complain(self._sheet.name, number, wrong)
                continue
            self._warn(number, report, kept)
            prepared = prepare(report, self._zone_of(report.site))
            comparable = not self._all_spoilt and reference not in self._spoilt
            yield Ready(number, prepared, comparable)

    def finish(self) -> None:
        """Complain about what only the end shows."""
        self._errors += self._sheet.errors
        if not self._sheet.whole:
            return
        text = f"is not in {self._sheet.name}. Every event needs its session there."
        for reference, numbers in self._unclaimed.items():
            if reference not in self._sheet.lost:
                for number in numbers:
                    self._complain(self._events_name, number, [("session_ref", text)])

    def batch(self, rows: list[Ready]) -> Batch:
        """The rows read last, with the findings since the batch before."""
        found = Batch(rows, self._errors, self._unusual, self._warnings)
        self._errors, self._unusual, self._warnings = [], 0, []
        return found

    def _complain(self, name: str, row: int, wrong: Complaints) -> None:
        if wrong:
            self._errors += [RowError(name, row, column, text) for column, text in wrong]

    def _warn(
        self, number: int, report: SessionReport, events: list[tuple[int, AdverseEvent]]
    ) -> None:
        for problem in report.warnings():
            self._unusual += 1
            if self._warned < _MOST_WARNINGS:
                self._warned += 1
                self._warnings.append(self._located(problem, number, events))

    def _located(
        self, problem: Problem, number: int, events: list[tuple[int, AdverseEvent]]
    ) -> RowError:
        """The warning with its cell: that of the session, or of the event it is about."""
        part, _, rest = problem.field.partition(".")
        if part != "events":
            column = columns.column_of(problem.field)
            return RowError(self._sheet.name, number, column, problem.message)
        term, _, column = rest.partition(".")
        rows = {event.term: row for row, event in events}
        return RowError(self._events_name, rows[term], column, problem.message)


def _term(kept: tuple[int, AdverseEvent]) -> str:
    return kept[1].term


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(items, size)):
        yield chunk


_WORKER: Final = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from safety.importing.preparing import work; work()"
)


def from_worker(order: Order) -> Generator[Batch]:
    """Batches from a process that reads ahead as far as the pipe lets it.

    It is given our path before it imports anything of ours, so that the current folder has no say.
    Its standard error goes nowhere: a traceback could show a cell.
    """
    command = [sys.executable, "-P", "-c", _WORKER]
    with subprocess.Popen(  # noqa: S603 - our own interpreter, nothing in it from outside
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
    ) as worker:
        if worker.stdin is None or worker.stdout is None:
            raise RuntimeError("the worker has no pipes")
        try:
            _send(worker.stdin, order)
            yield from _received(worker.stdout)
        except (EOFError, OSError, pickle.UnpicklingError):
            raise _stopped("Is there enough memory?") from None
        finally:
            worker.kill()


def _send(pipe: IO[bytes], order: Order) -> None:
    with pipe:
        pickle.dump(sys.path, pipe)
        pickle.dump(order, pipe)


def _received(pipe: IO[bytes]) -> Iterator[Batch]:
    """What :func:`work` sent; it comes from our own process and from nowhere else."""
    while (found := pickle.load(pipe)) is not None:  # noqa: S301
        if isinstance(found, str):
            raise _stopped(f"It met a {found}, which it should not have.")
        yield found


def _stopped(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The process that reads the files stopped before the end. Nothing was written. {why}"
    )


def work() -> None:
    """Serve one order from standard input; the other end of :func:`from_worker`."""
    order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    try:
        for batch in read(order):
            _put(batch)
        _put(None)
    except Exception as failure:  # noqa: BLE001 - its name goes back; its text could show a cell
        _put(type(failure).__name__)


def _put(item: Batch | str | None) -> None:
    pickle.dump(item, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()
