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
from safety.importing.building import Complaints, Names, build_event, build_session
from safety.importing.sheets import Row, RowError, Sheet
from safety.model import AdverseEvent, SessionReport
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
