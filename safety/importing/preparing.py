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
from datetime import date, datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import IO, Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from safety.document import document_of
from safety.errors import Problem, StoreUnavailable
from safety.importing import columns
from safety.importing.building import Complaints, Names, build_event, build_session
from safety.importing.sheets import Row, RowError, Sheet
from safety.model import AdverseEvent, PatientIdentity, SessionReport, Sex
from safety.store.preparing import Prepared, fold, prepare
from safety.vocabulary import Protocol, vocabulary
from safety.vocabulary.protocols import protocol_index

T = TypeVar("T")
BATCH: Final = 250
LARGE_BYTES: Final = 3_000_000
_MOST_WARNINGS: Final = 20
_AHEAD_BYTES: Final = 1 << 20  # about two batches; where the system cannot, it stays smaller


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
        self._zone_of = lru_cache(order.zone_of)
        protocols = protocol_index(order.protocols)
        self._names = Names(vocabulary(), protocols, self._zone_of, order.latest)
        self._sheet = Sheet(order.sessions, columns.SESSIONS_COLUMNS, columns.SESSIONS_REQUIRED)
        self._events_name = ""
        self._events: dict[str, Events] = {}
        self._unclaimed: dict[str, list[tuple[int, Row]]] = {}
        self._spoilt: set[str] = set()
        self._all_spoilt = False
        self._errors: list[RowError] = []
        self._warnings: list[RowError] = []
        self._unusual = 0
        self._warned = 0

    def read_events(self, path: Path) -> None:
        """Keep the rows of events by the reference of their session, which builds them later.

        Building them here would keep the other process waiting for its first session.
        """
        sheet = Sheet(path, columns.EVENTS_COLUMNS, columns.EVENTS_REQUIRED)
        self._events_name = sheet.name
        for number, row in sheet.rows():
            reference = row.get("session_ref")
            if reference is not None:
                self._unclaimed.setdefault(reference, []).append((number, row))
                continue
            self._all_spoilt = True
            self._complain(self._events_name, number, build_event(row, self._names)[1])
        self._errors += sheet.errors
        self._spoilt |= sheet.lost
        self._all_spoilt = self._all_spoilt or not sheet.whole

    def _events_of(self, reference: str) -> Events:
        """The events of a session by term (the order of rows in a file says nothing)."""
        rows = self._unclaimed.pop(reference, None)
        if rows is None:
            return self._events.get(reference, [])  # the reference stands in two rows
        found = self._events[reference] = self._built(reference, rows)
        return found

    def _built(self, reference: str, rows: list[tuple[int, Row]]) -> Events:
        kept: Events = []
        for number, row in rows:
            event, wrong = build_event(row, self._names)
            if event is not None and any(other.term == event.term for _, other in kept):
                text = "stands twice in this session. Keep one row with the worst grade."
                wrong.append(("term", text))
            elif event is not None:
                kept.append((number, event))
            if wrong:
                self._spoilt.add(reference)
                self._complain(self._events_name, number, wrong)
        kept.sort(key=_term)
        return kept

    def sessions(self) -> Iterator[Ready]:
        """Every session that nothing is wrong with."""
        for number, row in self._sheet.rows():
            reference = row.get("session_ref", "")
            kept = self._events_of(reference)
            events = tuple([event for _, event in kept])
            report, wrong, given = build_session(row, events, self._names)
            if report is None:
                self._complain(self._sheet.name, number, wrong)
                continue
            self._warn(number, report, kept)
            prepared = prepare(report, self._zone_of(report.site), document=document_of(given))
            comparable = not self._all_spoilt and reference not in self._spoilt
            yield Ready(number, prepared, comparable)

    def finish(self) -> None:
        """Complain about what only the end shows."""
        self._errors += self._sheet.errors
        text = f"is not in {self._sheet.name}. Every event needs its session there."
        for reference, rows in self._unclaimed.items():
            self._built(reference, rows)  # for what is wrong with the events themselves
            if self._sheet.whole and reference not in self._sheet.lost:
                for number, _ in rows:
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


Events = list[tuple[int, AdverseEvent]]
"""Events of one session with their row numbers."""


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
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=_AHEAD_BYTES,
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
    identities: Identities = {}
    while (found := pickle.load(pipe)) is not None:  # noqa: S301
        if isinstance(found, str):
            raise _stopped(f"It met a {found}, which it should not have.")
        yield unpacked(found, identities)


def _stopped(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The process that reads the files stopped before the end. Nothing was written. {why}"
    )


def work() -> None:
    """Serve one order from standard input; the other end of :func:`from_worker`."""
    order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    try:
        for batch in read(order):
            _put(packed(batch))
        _put(None)
    except Exception as failure:  # noqa: BLE001 - its name goes back; its text could show a cell
        _put(type(failure).__name__)


Packed = tuple[list[tuple[Any, ...]], list[RowError], int, list[RowError]]


def packed(batch: Batch) -> Packed:
    """A batch as bare tuples, which cross from process to process in a quarter of the time."""
    return ([_packed_row(row) for row in batch.rows], batch.errors, batch.unusual, batch.warnings)


def _packed_row(row: Ready) -> tuple[Any, ...]:
    patient, *others, session, events = row.prepared
    return (
        row.number,
        row.comparable,
        (
            patient.mrn,
            patient.name,
            patient.birth_date and patient.birth_date.isoformat(),
            patient.sex and patient.sex.value,
        ),
        others,
        tuple(session),
        [(term, tuple(facts)) for term, facts in events],
    )


Identities = dict[tuple[Any, ...], PatientIdentity]
"""Who came already. It lasts as long as the import: no name stays in memory after it."""


def unpacked(found: Packed, identities: Identities) -> Batch:
    """What was packed."""
    rows, errors, unusual, warnings = found
    return Batch([_unpacked_row(row, identities) for row in rows], errors, unusual, warnings)


def _unpacked_row(row: tuple[Any, ...], identities: Identities) -> Ready:
    number, comparable, patient, others, session, events = row
    identity = identities.get(patient)
    if identity is None:
        identity = identities[patient] = _identity(*patient)
    return Ready(number, Prepared._make((identity, *others, session, events)), comparable)


def _identity(mrn: str, name: str | None, born: str | None, sex: str | None) -> PatientIdentity:
    return PatientIdentity(
        mrn, name, date.fromisoformat(born) if born else None, Sex(sex) if sex else None
    )


def _put(item: object) -> None:
    pickle.dump(item, sys.stdout.buffer, protocol=pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.flush()
