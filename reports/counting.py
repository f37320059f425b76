"""Counting in SQL: numbers of sessions, patients and events by protocol and term.

Every query but one reads a covering index of one table and nothing else: no join, no row of a table
fetched. Sub-selects gather by patient first, because that is the order of the index and makes
"distinct patients" a plain count. The exceptions are the union of a group's terms by session (two
terms of one session must count once, and the index does not hold the session) and the table of
exposure, which asks for more than the index has.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, distinct, func, or_, select

from safety.store import tables

LONG_PART: Final = 8
_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c


@dataclass(frozen=True, slots=True)
class Selection:
    """What is counted: days ``first`` to ``last`` (numbers, ends included) and which events.

    ``long`` says that the period is a good part of the store (:func:`is_long`).
    """

    first: int
    last: int
    min_grade: int = 1
    emergent: bool = False
    long: bool = False

    def sessions(self) -> ColumnElement[bool]:
        """The sessions of the period."""
        return self._in_period(_SESSIONS.day)

    def with_event(self) -> ColumnElement[bool]:
        """Whether a session had an event that counts."""
        worst = _SESSIONS.worst_emergent_grade if self.emergent else _SESSIONS.worst_grade
        return worst >= self.min_grade

    def events(self) -> ColumnElement[bool]:
        """The events of the period that count."""
        wanted = [self._in_period(_EVENTS.day), _EVENTS.grade >= self.min_grade]
        if self.emergent:
            wanted.append(_EVENTS.emergent == 1)
        return and_(*wanted)

    def _in_period(self, day: ColumnElement[int]) -> ColumnElement[bool]:
        # An expression is no use to the index by day. Over a long period the index by protocol is
        # then walked instead, in the order of the groups, and nothing has to be sorted.
        return (day + 0 if self.long else day).between(self.first, self.last)


def is_long(connection: Connection, first: int, last: int) -> bool:
    """Whether the period covers more than an eighth of the days that the store covers.

    Measured on 100,000 sessions: from there on walking the whole index by protocol is faster than
    sorting what the index by day finds (twice as fast over everything).
    """
    day = _SESSIONS.day
    ends = select(select(func.min(day)).scalar_subquery(), select(func.max(day)).scalar_subquery())
    earliest, latest = connection.execute(ends).one()
    if earliest is None:
        return False
    covered = min(last, latest) - max(first, earliest) + 1
    return bool(covered * LONG_PART > latest - earliest + 1)


@dataclass(frozen=True, slots=True)
class Exposed:
    """Sessions and patients under one protocol, and how many of them had any event."""

    sessions: int
    patients: int
    sessions_with_event: int
    patients_with_event: int


@dataclass(frozen=True, slots=True)
class Tally:
    """Sessions, patients and events of one term, or of one group, under one protocol."""

    sessions: int = 0
    patients: int = 0
    events: int = 0


def exposed(connection: Connection, wanted: Selection) -> dict[int, Exposed]:
    """Sessions and patients of the period by protocol number."""
    one = case((wanted.with_event(), 1), else_=0)
    by_patient = (
        select(
            _SESSIONS.protocol_no,
            func.count().label("sessions"),
            func.sum(one).label("hits"),
        )
        .where(wanted.sessions())
        .group_by(_SESSIONS.protocol_no, _SESSIONS.patient_no)
        .subquery()
    )
    found = by_patient.c
    query = select(
        found.protocol_no,
        func.sum(found.sessions),
        func.count(),
        func.sum(found.hits),
        func.sum(case((found.hits > 0, 1), else_=0)),
    ).group_by(found.protocol_no)
    return {no: Exposed(*map(int, counts)) for no, *counts in connection.execute(query)}


def terms(connection: Connection, wanted: Selection) -> dict[tuple[int, int], Tally]:
    """Sessions, patients and events by protocol number and term number.

    A session holds a term once, so its sessions are its events.
    """
    by_patient = (
        select(_EVENTS.protocol_no, _EVENTS.term_no, func.count().label("events"))
        .where(wanted.events())
        .group_by(_EVENTS.protocol_no, _EVENTS.term_no, _EVENTS.patient_no)
        .subquery()
    )
    found = by_patient.c
    query = select(found.protocol_no, found.term_no, func.count(), func.sum(found.events)).group_by(
        found.protocol_no, found.term_no
    )
    return {
        (protocol, term): Tally(int(events), patients, int(events))
        for protocol, term, patients, events in connection.execute(query)
    }


def union(connection: Connection, wanted: Selection, members: Iterable[int]) -> dict[int, Tally]:
    """Sessions and patients with any of the terms ``members``, and their events, by protocol."""
    query = (
        select(
            _EVENTS.protocol_no,
            func.count(distinct(_EVENTS.session_no)),
            func.count(distinct(_EVENTS.patient_no)),
            func.count(),
        )
        .where(wanted.events(), _EVENTS.term_no.in_(sorted(members)))
        .group_by(_EVENTS.protocol_no)
    )
    return {no: Tally(*counts) for no, *counts in connection.execute(query)}


@dataclass(frozen=True, slots=True)
class Done:
    """What was done under one protocol in the period."""

    sessions: int
    patients: int
    reports_amended: int
    sessions_nothing_said: int


def done(connection: Connection, wanted: Selection) -> dict[int, Done]:
    """Exposure by protocol number, with amended and silent reports."""
    silent = and_(
        _SESSIONS.event_count == 0,
        or_(_SESSIONS.nothing_happened.is_(None), _SESSIONS.nothing_happened == 0),
    )
    query = (
        select(
            _SESSIONS.protocol_no,
            func.count(),
            func.count(distinct(_SESSIONS.patient_no)),
            func.sum(case((_SESSIONS.version > 1, 1), else_=0)),
            func.sum(case((silent, 1), else_=0)),
        )
        .where(wanted.sessions())
        .group_by(_SESSIONS.protocol_no)
    )
    return {no: Done(*map(int, counts)) for no, *counts in connection.execute(query)}


def patients(connection: Connection, wanted: Selection) -> int:
    """Patients with a session in the period, whatever the protocol, each once."""
    query = select(func.count(distinct(_SESSIONS.patient_no))).where(wanted.sessions())
    return int(connection.execute(query).scalar_one())


def every_protocol(connection: Connection) -> list[Any]:
    """Number, id and content of the newest version of each protocol, in the order they came."""
    columns = tables.protocols.c
    query = select(columns.no, columns.id, columns.content).order_by(columns.no, columns.version)
    newest = {row.no: row for row in connection.execute(query)}
    return list(newest.values())
