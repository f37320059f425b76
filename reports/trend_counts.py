"""Counting in SQL by calendar period: sessions, patients and events of one protocol.

A row a period leaves the database, whatever the size of the store. For charts of rare events it is
a row an event: how many sessions lie between it and the one before.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, distinct, func, select

from reports import counting
from reports.counting import Selection
from reports.rows import ANY_EVENT
from reports.trend_periods import WEEK, Span
from safety import protocols
from safety.clock import day_number, day_of
from safety.errors import UnknownName
from safety.store import seeding, tables
from safety.vocabulary import parse_protocols, vocabulary
from safety.vocabulary.names import fold

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c
_SITES: Final = tables.sites.c


@dataclass(frozen=True, slots=True)
class Asked:
    """A term, a group or any event: its id, its name, and its terms (None: all of them)."""

    id: str
    name: str
    members: tuple[str, ...] | None


def asked(text: str) -> Asked:
    """What ``text`` names, by id, name or synonym. Raises UnknownName."""
    if fold(text) == ANY_EVENT:
        return Asked(ANY_EVENT, ANY_EVENT.capitalize(), None)
    words = vocabulary()
    try:
        group = words.group(text)
    except UnknownName:
        term = words.find(text)
        return Asked(term.id, term.name, (term.id,))
    return Asked(group.id, group.name, group.members)


@dataclass(frozen=True, slots=True)
class Treatment:
    """A protocol as it is counted: its number, and its planned days between sessions."""

    no: int
    id: str
    name: str
    interval_days: int


def treatment(connection: Connection, text: str) -> Treatment:
    """The protocol of this id, name or synonym, also one that is retired. Raises UnknownName."""
    known = {row.id: row for row in counting.every_protocol(connection)}
    found = known.get(text) or known[protocols.index_of(connection).find(text).id]
    protocol = parse_protocols(found.content.encode())[0]
    return Treatment(found.no, found.id, protocol.name, protocol.planned_interval_days)


@dataclass(frozen=True, slots=True)
class Slice:
    """Which sessions and events are counted. ``site`` is a number; None takes all sites.

    ``terms`` are numbers of terms; None takes every event.
    """

    period: Selection
    protocol: int
    terms: tuple[int, ...] | None
    site: int | None

    def sessions(self) -> ColumnElement[bool]:
        """The sessions that count."""
        return and_(self.period.sessions(), self.of_protocol(_SESSIONS))

    def events(self) -> ColumnElement[bool]:
        """The events that count."""
        wanted = [self.period.events(), self.of_protocol(_EVENTS)]
        if self.terms is not None:
            wanted.append(_EVENTS.term_no.in_(self.terms))
        return and_(*wanted)

    def of_protocol(self, columns: Any) -> ColumnElement[bool]:
        """Protocol and site, on any day."""
        wanted = [columns.protocol_no == self.protocol]
        if self.site is not None:
            wanted.append(columns.site_no == self.site)
        return and_(*wanted)


@dataclass(frozen=True, slots=True)
class Events:
    """Which events count: a term or group by any name, the mildest grade, and when they began."""

    term: str
    min_grade: int = 1
    emergent: bool = False
    site: str | None = None


def slice_of(
    connection: Connection, events: Events, protocol: int, period: tuple[date, date]
) -> Slice:
    """Turn names into numbers. Raises UnknownName for a term or site that does not exist."""
    first, last = map(day_number, period)
    long = counting.is_long(connection, first, last)
    selected = Selection(first, last, events.min_grade, events.emergent, long)
    return Slice(selected, protocol, _terms(connection, events.term), _site(connection, events))


def _terms(connection: Connection, text: str) -> tuple[int, ...] | None:
    members = asked(text).members
    if members is None:
        return None
    numbers = seeding.term_numbers(connection)
    # A term that this store has never seen has no number and no events.
    return tuple(sorted(numbers[term] for term in members if term in numbers))


def _site(connection: Connection, events: Events) -> int | None:
    if events.site is None:
        return None
    query = select(_SITES.no).where(_SITES.folded == fold(events.site))
    number: int | None = connection.execute(query).scalar()
    if number is None:
        raise UnknownName("There is no site of this name. Sites stand on the page of a new report.")
    return number


@dataclass(frozen=True, slots=True)
class Count:
    """What was counted in one period: all, and with the event."""

    sessions: int = 0
    patients: int = 0
    sessions_with_event: int = 0
    patients_with_event: int = 0
    events: int = 0


def by_period(
    connection: Connection, wanted: Slice, spans: Sequence[Span], every: str
) -> list[Count]:
    """One count a span, in their order; a span without a session counts zeros."""
    at = _place(_SESSIONS.day, spans, every).label("place")
    exposed = select(at, func.count(), func.count(distinct(_SESSIONS.patient_no)))
    done = {
        place: (sessions, patients)
        for place, sessions, patients in connection.execute(
            exposed.where(wanted.sessions()).group_by(at)
        )
    }
    at = _place(_EVENTS.day, spans, every).label("place")
    hits = select(
        at,
        func.count(distinct(_EVENTS.session_no)),
        func.count(distinct(_EVENTS.patient_no)),
        func.count(),
    )
    found = {
        place: tuple(map(int, numbers))
        for place, *numbers in connection.execute(hits.where(wanted.events()).group_by(at))
    }
    return [
        Count(*done.get(place, (0, 0)), *found.get(place, (0, 0, 0))) for place in range(len(spans))
    ]


def whole(connection: Connection, wanted: Slice, first: date, last: date) -> Count:
    """All of the period as one count."""
    span = Span(first, last, partial=False)
    return by_period(connection, wanted, [span], "whole")[0]


def _place(day: ColumnElement[int], spans: Sequence[Span], every: str) -> ColumnElement[int]:
    """Which span a day lies in, counted from 0."""
    begin = day_number(spans[0].first)
    if every == WEEK:
        return (day - begin) // 7
    ends = [(day <= day_number(span.last), place) for place, span in enumerate(spans)]
    return case(*ends, else_=len(spans))


@dataclass(frozen=True, slots=True)
class Occurrence:
    """A session with the event: its day, and which session of the period it was (from 1)."""

    day: date
    number: int


def occurrences(connection: Connection, wanted: Slice, most: int) -> tuple[list[Occurrence], int]:
    """The sessions with the event, in their order, and how many sessions there were in all.

    At most ``most`` + 1 sessions are read: more than ``most`` are too many.
    """
    order = func.row_number().over(order_by=(_SESSIONS.day, _SESSIONS.no))
    numbered = (
        select(_SESSIONS.no, _SESSIONS.day, order.label("number"))
        .where(wanted.sessions())
        .subquery()
    )
    hit = select(_EVENTS.session_no).where(wanted.events())
    query = (
        select(numbered.c.day, numbered.c.number)
        .where(numbered.c.no.in_(hit))
        .order_by(numbered.c.number)
        .limit(most + 1)
    )
    found = [Occurrence(day_of(day), number) for day, number in connection.execute(query)]
    total = select(func.count()).select_from(tables.sessions).where(wanted.sessions())
    return found, int(connection.execute(total).scalar_one())
