"""Incidence: how often an adverse event was reported, with its denominator and interval.

Three units, each with its trap. *session*: sessions with the event of all sessions; sessions of one
patient are alike, so the interval is too narrow. *patient*: patients with the event at least once
of all patients; it rises with the number of sessions, so protocols of different length do not
compare. *patient-month*: patients per 100 patient-months at risk; it takes the risk as constant
over time, which acute effects are not.

**Time at risk** of a patient under a protocol begins on the day of the first session in the period,
both end days counted. It ends on the day of the first event or, without one, at the end of
follow-up: the day of the last session in the period plus the planned interval of the protocol (its
newest version), but not after the period and not after today. A month has 30.4375 days.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterable, Mapping
from dataclasses import dataclass
from datetime import date
from functools import partial
from typing import Final

from sqlalchemy import Connection

from reports import counting
from reports.at_risk import TimeAtRisk
from reports.counting import Selection, Tally
from reports.intervals import LEVEL, METHODS, Estimate
from reports.rows import ANY_EVENT, PATIENT, PATIENT_MONTH, SESSION, UNITS, ExposureRow, RateRow
from safety.access import Action, Actor, guarded
from safety.clock import day_number
from safety.errors import UnknownName, UserError
from safety.limits import GRADE
from safety.store import seeding
from safety.store.handle import Store
from safety.vocabulary import parse_protocols, vocabulary
from safety.vocabulary.names import fold


@dataclass(frozen=True, slots=True)
class RateQuery:
    """What is asked: sessions from ``first`` to ``last``, both days included.

    ``term`` is a term or a group by any of its names (None: every term); ``min_grade`` leaves out
    milder events; ``treatment_emergent`` leaves out what was there before the dose. ``method`` is
    that of proportions: rates over time are always exact Poisson. Raises UserError.
    """

    first: date
    last: date
    unit: str = SESSION
    by: str = "protocol"
    term: str | None = None
    min_grade: int = 1
    treatment_emergent: bool = False
    method: str = "wilson"
    level: float = LEVEL

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UserError(
                f"The period ends ({self.last}) before it begins ({self.first}). Swap the dates."
            )
        _one_of("unit", self.unit, UNITS)
        _one_of("by", self.by, ("protocol",))
        _one_of("method", self.method, tuple(METHODS))
        if not GRADE.low <= self.min_grade <= GRADE.high:
            raise UserError(f"There is no grade {self.min_grade}: grades go from 1 to 5.")
        if not 0 < self.level < 1:
            raise UserError(f"The level {self.level:g} must lie between 0 and 1, such as 0.95.")


def _one_of(name: str, given: str, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise UserError(f"{name} must be one of: {', '.join(choices)}.")


@guarded(Action.READ_RATES)
def incidence(store: Store, actor: Actor, query: RateQuery) -> tuple[RateRow, ...]:
    """Incidence by protocol and term: ``any adverse event`` first, then the terms, zeros too.

    Every protocol with a session in the period has its rows, in the order in which protocols were
    added; terms stand in the order of the vocabulary. A group counts the union of its members: a
    session or patient once. Raises UnknownName for a term that does not exist.
    """
    with store.read() as connection:
        return incidence_rows(connection, query, today(store))


@guarded(Action.READ_RATES)
def exposure(store: Store, actor: Actor, first: date, last: date) -> tuple[ExposureRow, ...]:
    """What was done under each protocol with a session from ``first`` to ``last``."""
    period = RateQuery(first, last)
    with store.read() as connection:
        return exposure_rows(connection, period)


def today(store: Store) -> date:
    """The calendar day at the clinic."""
    return store.clock().astimezone(store.clinic.timezone).date()


def exposure_rows(connection: Connection, period: RateQuery) -> tuple[ExposureRow, ...]:
    """:func:`exposure` inside a transaction, for a caller that has asked for the role."""
    found = counting.done(connection, _selection(connection, period))
    return tuple(
        ExposureRow(
            protocol.id,
            protocol.name,
            done.sessions,
            done.patients,
            done.reports_amended,
            done.sessions_nothing_said,
        )
        for protocol in _protocols(connection, found)
        for done in (found[protocol.no],)
    )


def patients_in_all(connection: Connection, period: RateQuery) -> int:
    """Patients with a session in the period, each once, whatever the protocols."""
    return counting.patients(connection, _selection(connection, period))


def incidence_rows(connection: Connection, query: RateQuery, now: date) -> tuple[RateRow, ...]:
    """:func:`incidence` inside a transaction, for a caller that has asked for the role."""
    asked = _asked(query.term)
    wanted = _selection(connection, query)
    tallies = _Tallies(connection, wanted, asked)
    protocols = _protocols(connection, tallies.exposed)
    if query.unit == PATIENT_MONTH:
        at_risk = TimeAtRisk(connection, wanted, _intervals(protocols), day_number(now))
        count: _Count = partial(_over_time, query, tallies, at_risk)
    else:
        count = partial(_of_all, query, tallies)
    return tuple(
        _row(protocol, each, query.unit, count(protocol.no, each))
        for protocol in protocols
        for each in (_ANYTHING, *asked)
    )


@dataclass(frozen=True, slots=True)
class _Asked:
    """What gets a row: its id, its name, and the terms it stands for."""

    id: str
    name: str
    members: tuple[str, ...]


_ANYTHING: Final = _Asked(ANY_EVENT, ANY_EVENT.capitalize(), ())


@dataclass(frozen=True, slots=True)
class _Counted:
    """The numbers of one row."""

    with_event: int
    exposed: float
    events: int
    estimate: Estimate


_Count = Callable[[int, _Asked], _Counted]


def _asked(text: str | None) -> list[_Asked]:
    words = vocabulary()
    if text is None:
        return [_Asked(term.id, term.name, (term.id,)) for term in words.terms]
    if fold(text) == ANY_EVENT:
        return []
    try:
        group = words.group(text)
    except UnknownName:
        term = words.find(text)
        return [_Asked(term.id, term.name, (term.id,))]
    return [_Asked(group.id, group.name, group.members)]


def _selection(connection: Connection, query: RateQuery) -> Selection:
    first, last = day_number(query.first), day_number(query.last)
    long = counting.is_long(connection, first, last)
    return Selection(first, last, query.min_grade, query.treatment_emergent, long)


@dataclass(frozen=True, slots=True)
class _Protocol:
    no: int
    id: str
    name: str
    interval_days: int


def _protocols(connection: Connection, seen: Mapping[int, object]) -> list[_Protocol]:
    """The protocols that were in use in the period, also those retired since."""
    found = []
    for row in counting.every_protocol(connection):
        if row.no in seen:
            protocol = parse_protocols(row.content.encode())[0]
            days = protocol.planned_interval_days
            found.append(_Protocol(row.no, row.id, protocol.name, days))
    return found


def _intervals(protocols: Iterable[_Protocol]) -> dict[int, int]:
    return {protocol.no: protocol.interval_days for protocol in protocols}


class _Tallies:
    """Sessions, patients and events of any event and of each term or group that was asked for."""

    def __init__(self, connection: Connection, wanted: Selection, asked: Iterable[_Asked]) -> None:
        self.exposed = counting.exposed(connection, wanted)
        self.numbers = seeding.term_numbers(connection)
        self._terms = counting.terms(connection, wanted)
        self._unions = {
            each.id: counting.union(connection, wanted, self.members(each))
            for each in asked
            if len(each.members) > 1
        }
        self._events: Counter[int] = Counter()
        for (protocol_no, _), tally in self._terms.items():
            self._events[protocol_no] += tally.events

    def members(self, asked: _Asked) -> list[int]:
        """Numbers of the terms; one that this store has never seen has no number and no events."""
        return [self.numbers[term] for term in asked.members if term in self.numbers]

    def of(self, protocol_no: int, asked: _Asked) -> Tally:
        """The counts of one row."""
        if asked is _ANYTHING:
            seen = self.exposed[protocol_no]
            events = self._events[protocol_no]
            return Tally(seen.sessions_with_event, seen.patients_with_event, events)
        if asked.id in self._unions:
            return self._unions[asked.id].get(protocol_no, Tally())
        found = (self._terms.get((protocol_no, number)) for number in self.members(asked))
        return next(filter(None, found), Tally())


def _of_all(query: RateQuery, tallies: _Tallies, protocol_no: int, asked: _Asked) -> _Counted:
    """Sessions, or patients, with the event, of all."""
    tally, exposed = tallies.of(protocol_no, asked), tallies.exposed[protocol_no]
    if query.unit == PATIENT:
        x, n = tally.patients, exposed.patients
    else:
        x, n = tally.sessions, exposed.sessions
    return _Counted(x, n, tally.events, METHODS[query.method](x, n, query.level))


def _over_time(
    query: RateQuery, tallies: _Tallies, at_risk: TimeAtRisk, protocol_no: int, asked: _Asked
) -> _Counted:
    """Patients with the event in the months that all patients were at risk of it."""
    terms = None if asked is _ANYTHING else tallies.members(asked)
    found = at_risk.of(protocol_no, terms)
    events = tallies.of(protocol_no, asked).events
    return _Counted(found.patients_with_event, found.months, events, found.rate(query.level))


def _row(protocol: _Protocol, asked: _Asked, unit: str, counted: _Counted) -> RateRow:
    estimate = counted.estimate
    return RateRow(
        protocol.id,
        protocol.name,
        asked.id,
        asked.name,
        unit,
        counted.with_event,
        counted.exposed,
        counted.events,
        estimate.value,
        estimate.low,
        estimate.high,
        estimate.method,
    )
