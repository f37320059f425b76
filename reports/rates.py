"""Incidence: how often an adverse event was reported, with its denominator and interval.

Three units, each with its trap. *session*: sessions with the event of all sessions; sessions of one
patient are alike, so the interval is taken over patients (:mod:`reports.clustered`). *patient*:
patients with the event at least once of all patients; it rises with the number of sessions, so
protocols of different length do not compare. *patient-month*: patients per 100 patient-months at
risk, or with ``all_events`` the events, each time anew; it takes the risk as constant over time,
which acute effects are not.

A grade is never missing: a report without the grade of an event cannot be filed or imported. Of
several grades of one term a session has one, and a patient counts once at the worst.

For time at risk see :mod:`reports.at_risk`.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from functools import partial

from sqlalchemy import Connection

from reports import counting
from reports.asking import (
    ANYTHING,
    DEFAULT,
    Asked,
    RateQuery,
    asked_terms,
    selection,
    wanted_of,
)
from reports.at_risk import TimeAtRisk
from reports.clustered import CLUSTERED, ClusteredEstimate, wilson_clustered
from reports.dimensions import DIMENSIONS, Group, groups
from reports.gathering import NO_HITS, Exposed, Hits, Key, gathered
from reports.intervals import METHODS, Estimate
from reports.rows import PATIENT, PATIENT_MONTH, ExposureRow, RateRow
from safety.access import Action, Actor, guarded
from safety.clock import day_number
from safety.store import seeding
from safety.store.handle import Store
from safety.vocabulary import parse_protocols

__all__ = ["RateQuery", "exposure", "incidence", "today"]


@guarded(Action.READ_RATES)
def incidence(store: Store, actor: Actor, query: RateQuery) -> tuple[RateRow, ...]:
    """Incidence by protocol and term: ``any adverse event`` first, then the terms, zeros too.

    Every protocol (or group of ``query.by``) with a session in the period has its rows, protocols
    in the order in which they were added; terms stand in the order of the vocabulary. A group of
    terms counts the union of its members: a session or patient once. Raises UnknownName for a term,
    protocol or site that does not exist.
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
    found = counting.done(connection, selection(connection, period))
    return tuple(
        ExposureRow(
            group.id,
            group.name,
            done.sessions,
            done.patients,
            done.reports_amended,
            done.sessions_nothing_said,
        )
        for group in groups(connection, DIMENSIONS["protocol"], ((no,) for no in found))
        for done in (found[group.key[0]],)
    )


def patients_in_all(connection: Connection, period: RateQuery) -> int:
    """Patients with a session in the period, each once, whatever the protocols."""
    return counting.patients(connection, selection(connection, period))


def incidence_rows(connection: Connection, query: RateQuery, now: date) -> tuple[RateRow, ...]:
    """:func:`incidence` inside a transaction, for a caller that has asked for the role."""
    asked = asked_terms(query.term)
    counts = _Counts(connection, query, asked)
    if query.unit == PATIENT_MONTH:
        at_risk = TimeAtRisk(connection, counts.wanted, _intervals(connection), day_number(now))
        count: _Count = partial(_over_time, query, counts, at_risk)
    else:
        count = partial(_of_all, query, counts)
    return tuple(
        _row(group, each, query.unit, counts.exposed(group.key).patients, count(group.key, each))
        for group in counts.groups(connection)
        for each in (ANYTHING, *asked)
    )


@dataclass(frozen=True, slots=True)
class _Counted:
    """The numbers of one row."""

    with_event: int
    exposed: float
    events: int
    estimate: Estimate


_Count = Callable[[Key, Asked], _Counted]


def _intervals(connection: Connection) -> dict[int, int]:
    """Planned days between sessions by protocol number, of the newest version."""
    return {
        row.no: parse_protocols(row.content.encode())[0].planned_interval_days
        for row in counting.every_protocol(connection)
    }


class _Counts:
    """Sessions, patients and events of any event and of each term or group that was asked for."""

    def __init__(self, connection: Connection, query: RateQuery, asked: Iterable[Asked]) -> None:
        self.wanted = wanted_of(connection, query)
        self._numbers = seeding.term_numbers(connection)
        unions = {each.id: self.members(each) for each in asked if len(each.members) > 1}
        self._unions = {name: -at for at, name in enumerate(unions, start=1)}
        by_number = {self._unions[name]: members for name, members in unions.items()}
        self._found = gathered(connection, self.wanted, by_number)

    def groups(self, connection: Connection) -> list[Group]:
        """The groups that have rows."""
        by = self.wanted.by
        return groups(connection, by, self._found.anything if by.of_event else self._found.exposed)

    def members(self, asked: Asked) -> list[int]:
        """Numbers of the terms; one that this store has never seen has no number and no events."""
        return [self._numbers[term] for term in asked.members if term in self._numbers]

    def exposed(self, key: Key) -> Exposed:
        """The exposure of one group; splitting events leaves all sessions in each."""
        return self._found.exposed[() if self.wanted.by.of_event else key]

    def of(self, key: Key, asked: Asked) -> Hits:
        """The counts of one row."""
        if asked is ANYTHING:
            return self._found.anything.get(key, NO_HITS)
        terms = self._found.terms.get(key, {})
        if asked.id in self._unions:
            return terms.get(self._unions[asked.id], NO_HITS)
        found = (terms.get(number) for number in self.members(asked))
        return next(filter(None, found), NO_HITS)


def _of_all(query: RateQuery, counts: _Counts, key: Key, asked: Asked) -> _Counted:
    """Sessions, or patients, with the event, of all."""
    hits, exposed = counts.of(key, asked), counts.exposed(key)
    if query.unit == PATIENT:
        x, n = hits.patients, exposed.patients
        method = "wilson" if query.method == DEFAULT else query.method
        return _Counted(x, n, hits.events, METHODS[method](x, n, query.level))
    x, n = hits.sessions, exposed.sessions
    if query.method in {DEFAULT, CLUSTERED}:
        estimate: Estimate = wilson_clustered(exposed.sums(hits), query.level)
    else:
        estimate = METHODS[query.method](x, n, query.level)
    return _Counted(x, n, hits.events, estimate)


def _over_time(
    query: RateQuery, counts: _Counts, at_risk: TimeAtRisk, key: Key, asked: Asked
) -> _Counted:
    """Patients with the event, or all events, in the months of follow-up."""
    terms = None if asked is ANYTHING else counts.members(asked)
    events = counts.of(key, asked).events
    if query.all_events:
        estimate = at_risk.all_events(key, terms, query.level)
        return _Counted(events, at_risk.months(key), events, estimate)
    found = at_risk.of(key, terms)
    return _Counted(found.patients_with_event, found.months, events, found.rate(query.level))


def _row(group: Group, asked: Asked, unit: str, patients: int, counted: _Counted) -> RateRow:
    estimate = counted.estimate
    return RateRow(
        group.id,
        group.name,
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
        patients,
        estimate.design_effect if isinstance(estimate, ClusteredEstimate) else None,
    )
