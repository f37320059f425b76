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
from collections.abc import Iterable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import datetime
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from safety.errors import Problem, StoreUnavailable
from safety.importing import columns
from safety.importing.building import Complaints, Names, build_event, build_session
from safety.importing.sheets import Row, RowError, Sheet
from safety.model import AdverseEvent
from safety.store import seeding
from safety.store.preparing import Prepared, prepare
from safety.vocabulary import Protocol, vocabulary
from safety.vocabulary.protocols import protocol_index

T = TypeVar("T")
BATCH: Final = 500
_LARGE_BYTES: Final = 3_000_000
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


class Batch(NamedTuple):
    """Prepared rows with their row numbers, and what was found while reading them."""

    rows: list[tuple[int, Prepared]]
    errors: list[RowError]
    unusual: int
    warnings: list[RowError]


def batches(order: Order) -> Iterator[Batch]:
    """Read and check the files of ``order``; large ones in a process of their own."""
    files = [path for path in (order.sessions, order.events) if path is not None]
    size = sum(path.stat().st_size for path in files if path.is_file())
    if size >= _LARGE_BYTES and (os.cpu_count() or 1) > 1:
        return _from_worker(order)
    return read(order)


def read(order: Order) -> Iterator[Batch]:
    """Read and check the files of ``order`` here."""
    reading = _Reading(order)
    with without_cycle_collection():
        reading.read_events()
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


@dataclass(slots=True)
class _Reading:
    """One pass over the two files."""

    order: Order
    names: Names = field(init=False)
    sheet: Sheet = field(init=False)
    events_name: str = ""
    events: dict[str, list[AdverseEvent]] = field(default_factory=dict)
    unclaimed: dict[str, int] = field(default_factory=dict)
    errors: list[RowError] = field(default_factory=list)
    warnings: list[RowError] = field(default_factory=list)
    unusual: int = 0
    warned: int = 0

    def __post_init__(self) -> None:
        self.names = Names(vocabulary(), protocol_index(self.order.protocols), self.zone_of)
        self.sheet = Sheet(self.order.sessions, columns.SESSIONS_COLUMNS, columns.SESSIONS_REQUIRED)

    def zone_of(self, site: str) -> ZoneInfo:
        return self.order.zones.get(seeding.fold(site), self.order.default_zone)

    def read_events(self) -> None:
        if self.order.events is None:
            return
        sheet = Sheet(self.order.events, columns.EVENTS_COLUMNS, columns.EVENTS_REQUIRED)
        self.events_name = sheet.name
        for number, row in sheet.rows():
            self._event(sheet.name, number, row)
        self.errors += sheet.errors

    def _event(self, name: str, number: int, row: Row) -> None:
        event, wrong = build_event(row, self.names)
        self._complain(name, number, wrong)
        reference = row.get("session_ref")
        if reference is None:
            return
        self.unclaimed.setdefault(reference, number)
        if event is None:
            return
        kept = self.events.setdefault(reference, [])
        if any(other.term == event.term for other in kept):
            text = "stands twice in this session. Keep one row with the worst grade."
            self._complain(name, number, [("term", text)])
            return
        kept.append(event)
        self._warn(name, number, event.warnings())

    def sessions(self) -> Iterator[tuple[int, Prepared]]:
        for number, row in self.sheet.rows():
            reference = row.get("session_ref", "")
            self.unclaimed.pop(reference, None)
            events = tuple(self.events.get(reference, ()))
            report, wrong = build_session(row, events, self.names)
            if report is not None and report.started_at > self.order.latest:
                wrong.append(("started_at", "lies more than a year ahead. Check the date."))
            self._complain(self.sheet.name, number, wrong)
            if report is None or wrong:
                continue
            warnings = [w for w in report.warnings() if not w.field.startswith("events.")]
            self._warn(self.sheet.name, number, warnings)
            yield number, prepare(report, self.zone_of(report.site))

    def finish(self) -> None:
        """Complain about what only the end shows."""
        if not self.sheet.errors:
            for number in self.unclaimed.values():
                text = f"is not in {self.sheet.name}. Every event needs its session there."
                self._complain(self.events_name, number, [("session_ref", text)])
        self.errors += self.sheet.errors

    def batch(self, rows: list[tuple[int, Prepared]]) -> Batch:
        """The rows read last, with the findings since the batch before."""
        found = Batch(rows, self.errors, self.unusual, self.warnings)
        self.errors, self.unusual, self.warnings = [], 0, []
        return found

    def _complain(self, name: str, row: int, wrong: Complaints) -> None:
        if wrong:
            self.errors += [RowError(name, row, column, text) for column, text in wrong]

    def _warn(self, name: str, row: int, problems: Iterable[Problem]) -> None:
        for problem in problems:
            self.unusual += 1
            if self.warned < _MOST_WARNINGS:
                self.warned += 1
                column = columns.column_of(problem.field)
                self.warnings.append(RowError(name, row, column, problem.message))


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(items, size)):
        yield chunk


def _from_worker(order: Order) -> Iterator[Batch]:
    """Batches from a process that reads ahead as far as the pipe lets it."""
    command = [sys.executable, "-c", "from safety.importing.preparing import work; work()"]
    # Our own interpreter and our own module: nothing of it comes from outside.
    with subprocess.Popen(  # noqa: S603
        command, stdin=subprocess.PIPE, stdout=subprocess.PIPE
    ) as worker:
        if worker.stdin is None or worker.stdout is None:
            raise RuntimeError("the worker has no pipes")
        try:
            pickle.dump((sys.path, order), worker.stdin)
            worker.stdin.close()
            while True:
                # The pipe comes from our own process and from nowhere else.
                batch: Batch | None = pickle.load(worker.stdout)  # noqa: S301
                if batch is None:
                    return
                yield batch
        except (EOFError, pickle.UnpicklingError, BrokenPipeError):
            raise StoreUnavailable(
                "The process that reads the files stopped before the end. Nothing was written. "
                "Is there enough memory?"
            ) from None
        finally:
            worker.kill()


def work() -> None:
    """Serve one order from standard input; the other end of :func:`_from_worker`."""
    path, order = pickle.load(sys.stdin.buffer)  # noqa: S301
    sys.path[:] = path
    for batch in read(order):
        pickle.dump(batch, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
        sys.stdout.buffer.flush()
    pickle.dump(None, sys.stdout.buffer)
    sys.stdout.buffer.flush()
