"""The first half of an import: read, check and prepare, with no key and no store.

It yields batches; :mod:`safety.importing.worker` says in which process.
"""

from __future__ import annotations

import gc
from collections.abc import Generator, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import datetime
from functools import lru_cache
from itertools import islice
from pathlib import Path
from typing import Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from safety.document import document_of
from safety.errors import Problem
from safety.importing import columns
from safety.importing.building import Complaints, EventRows, GivenEvent, Names, SessionRows
from safety.importing.sheets import Cells, RowError, Sheet
from safety.model import SessionReport
from safety.store.preparing import Prepared, fold, prepare
from safety.vocabulary import Protocol, vocabulary
from safety.vocabulary.protocols import protocol_index

T = TypeVar("T")
BATCH: Final = 250
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


def read(order: Order) -> Generator[Batch]:
    """Read and check the files of ``order`` here."""
    yield from Reading(order).batches()


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


class Reading:
    """One pass over the two files; what is found gathers until ``_batch`` takes it."""

    def __init__(self, order: Order) -> None:
        self._order = order
        self._zone_of = lru_cache(order.zone_of)
        protocols = protocol_index(order.protocols)
        self._names = Names(vocabulary(), protocols, self._zone_of, order.latest)
        self._sheet = Sheet(order.sessions, columns.SESSIONS_COLUMNS, columns.SESSIONS_REQUIRED)
        self._events_name = ""
        self._event_rows: EventRows | None = None
        self._events: dict[str, list[tuple[int, Cells]]] = {}
        self._claimed: set[str] = set()
        self._spoilt: set[str] = set()
        self._all_spoilt = False
        self._errors: list[RowError] = []
        self._warnings: list[RowError] = []
        self._unusual = 0
        self._warned = 0

    def batches(self) -> Generator[Batch]:
        """Read and check the files from their beginnings to their ends."""
        with without_cycle_collection():
            if self._order.events is not None:
                self._read_events(self._order.events)
            for chunk in _chunks(self._sessions(), BATCH):
                yield self._batch(chunk)
            self._finish()
            yield self._batch([])

    def _read_events(self, path: Path) -> None:
        """Keep the rows of events by the reference of their session, which builds them later.

        Building them here would keep the other process waiting for its first session.
        """
        sheet = Sheet(path, columns.EVENTS_COLUMNS, columns.EVENTS_REQUIRED)
        self._events_name = sheet.name
        place = 0
        for number, cells in sheet.rows():
            if self._event_rows is None:
                self._event_rows = EventRows(sheet.heading, self._names)
                place = sheet.heading.index("session_ref")
            reference = cells[place].strip()
            if reference:
                self._events.setdefault(reference, []).append((number, cells))
                continue
            self._all_spoilt = True
            self._complain(self._events_name, number, self._event_rows.build(number, cells)[1])
        self._errors += sheet.errors
        self._spoilt |= sheet.lost
        self._all_spoilt = self._all_spoilt or not sheet.whole

    def _events_of(self, reference: str) -> Events:
        """The events of a session by term (the order of rows in a file says nothing)."""
        rows = self._events.get(reference)
        if rows is None:
            return []
        told = reference in self._claimed  # the reference stands in two rows
        self._claimed.add(reference)
        return self._built(reference, rows, told=told)

    def _built(
        self, reference: str, rows: list[tuple[int, Cells]], *, told: bool = False
    ) -> Events:
        kept: Events = []
        if self._event_rows is None:
            return kept
        for number, cells in rows:
            event, wrong = self._event_rows.build(number, cells)
            if event is not None and any(other.event.term == event.event.term for other in kept):
                text = "stands twice in this session. Keep one row with the worst grade."
                wrong.append(("term", text))
            elif event is not None:
                kept.append(event)
            if wrong and not told:
                self._spoilt.add(reference)
                self._complain(self._events_name, number, wrong)
        kept.sort(key=_term)
        return kept

    def _sessions(self) -> Iterator[Ready]:
        """Every session that nothing is wrong with."""
        rows: SessionRows | None = None
        place = 0
        for number, cells in self._sheet.rows():
            if rows is None:
                rows = SessionRows(self._sheet.heading, self._names)
                place = self._sheet.heading.index("session_ref")
            reference = cells[place].strip()
            events = self._events_of(reference)
            report, wrong, given = rows.build(cells, events)
            if report is None:
                self._complain(self._sheet.name, number, wrong)
                continue
            self._warn(number, report, events)
            prepared = prepare(report, self._zone_of(report.site), document=document_of(given))
            comparable = not self._all_spoilt and reference not in self._spoilt
            yield Ready(number, prepared, comparable)

    def _finish(self) -> None:
        """Complain about what only the end shows."""
        self._errors += self._sheet.errors
        text = f"is not in {self._sheet.name}. Every event needs its session there."
        for reference, rows in self._events.items():
            if reference in self._claimed:
                continue
            self._built(reference, rows)  # for what is wrong with the events themselves
            if self._sheet.whole and reference not in self._sheet.lost:
                for number, _ in rows:
                    self._complain(self._events_name, number, [("session_ref", text)])

    def _batch(self, rows: list[Ready]) -> Batch:
        """The rows read last, with the findings since the batch before."""
        found = Batch(rows, self._errors, self._unusual, self._warnings)
        self._errors, self._unusual, self._warnings = [], 0, []
        return found

    def _complain(self, name: str, row: int, wrong: Complaints) -> None:
        if wrong:
            self._errors += [RowError(name, row, column, text) for column, text in wrong]

    def _warn(self, number: int, report: SessionReport, events: Events) -> None:
        for problem in report.warnings():
            self._unusual += 1
            if self._warned < _MOST_WARNINGS:
                self._warned += 1
                self._warnings.append(self._located(problem, number, events))

    def _located(self, problem: Problem, number: int, events: Events) -> RowError:
        """The warning with its cell: that of the session, or of the event it is about."""
        part, _, rest = problem.field.partition(".")
        if part != "events":
            column = columns.column_of(problem.field)
            return RowError(self._sheet.name, number, column, problem.message)
        term, _, column = rest.partition(".")
        rows = {each.event.term: each.row for each in events}
        return RowError(self._events_name, rows[term], column, problem.message)


Events = list[GivenEvent]
"""Events of one session."""


def _term(kept: GivenEvent) -> str:
    return kept.event.term


def _chunks(items: Iterator[T], size: int) -> Iterator[list[T]]:
    while chunk := list(islice(items, size)):
        yield chunk
