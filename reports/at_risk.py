"""Patient-time: how long patients were at risk of a first event under a protocol.

Time at risk begins on the day of the patient's first session in the period. It ends on the day of
the first event or, without one, at the end of follow-up: the day of the last session in the period
plus the planned interval of its protocol (the newest version), but not after the period and not
after today. Both end days count, so an event on the first day took one day. A month has 30.4375
days. Split by something else than the protocol, the first and last session are those in the group.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Any, Final

from sqlalchemy import Connection, Select, case, func, select

from reports.gathering import Key, Wanted
from reports.intervals import Estimate, exact_poisson
from reports.recurrent import rate_of_all
from safety.store import tables

DAYS_A_MONTH: Final = 30.4375
PER_MONTHS: Final = 100
METHOD: Final = "exact-poisson (followed to last session + planned interval)"

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c
ByPatient = Mapping[int, int]


@dataclass(frozen=True, slots=True)
class Risk:
    """Patients with the event, and the time that all patients together were at risk of it."""

    patients_with_event: int
    months: float

    def rate(self, level: float) -> Estimate:
        """Patients with the event per 100 patient-months, with exact Poisson limits."""
        found = exact_poisson(self.patients_with_event, self.months, level, per=PER_MONTHS)
        return replace(found, method=METHOD)


class TimeAtRisk:
    """The follow-up of every patient in every group of one period.

    ``intervals`` are the planned days between sessions by protocol number; ``today`` is a day
    number.
    """

    def __init__(
        self, connection: Connection, wanted: Wanted, intervals: Mapping[int, int], today: int
    ) -> None:
        self._connection = connection
        self._wanted = wanted
        latest = min(wanted.period.last, today)
        self._begun: dict[Key, dict[int, int]] = {}
        self._ends: dict[Key, dict[int, int]] = {}
        for *key, patient, first, last, planned in connection.execute(_followed(wanted, intervals)):
            ends = end_of_follow_up(last, planned, latest)
            self._begun.setdefault(tuple(key), {})[patient] = first
            self._ends.setdefault(tuple(key), {})[patient] = ends
        self._whole = {
            key: sum(ends[patient] - first + 1 for patient, first in self._begun[key].items())
            for key, ends in self._ends.items()
        }
        self._any = self._first_with_any()
        self._terms = self._first_with_term()

    def of(self, key: Key, terms: Iterable[int] | None) -> Risk:
        """The risk of the first of ``terms`` (numbers), or of any event for None."""
        first_events = self._first_events(key, terms)
        ends = self._ends[key]
        spared = sum(ends[patient] - day for patient, day in first_events.items())
        return Risk(len(first_events), (self._whole[key] - spared) / DAYS_A_MONTH)

    def all_events(self, key: Key, terms: Iterable[int] | None, level: float) -> Estimate:
        """Events, each time anew, per 100 patient-months of the whole follow-up."""
        counts = self._counts(key, terms)
        begun, ends = self._begun[key], self._ends[key]
        months = {p: (ends[p] - first + 1) / DAYS_A_MONTH for p, first in begun.items()}
        return rate_of_all(
            [(counts.get(p, 0), time) for p, time in months.items()], level, per=PER_MONTHS
        )

    def months(self, key: Key) -> float:
        """The whole follow-up of all patients of a group, in months."""
        return self._whole[key] / DAYS_A_MONTH

    def _first_events(self, key: Key, terms: Iterable[int] | None) -> ByPatient:
        if terms is None:
            return self._any.get(key, {})
        earliest: dict[int, int] = {}
        for number in terms:
            for patient, day in self._terms.get((key, number), {}).items():
                earliest[patient] = min(day, earliest.get(patient, day))
        return earliest

    def _counts(self, key: Key, terms: Iterable[int] | None) -> dict[int, int]:
        """Events by patient; asked for when needed, for it is a query a row."""
        split = self._wanted.of_events()
        query = self._wanted.select_events([*split, _EVENTS.patient_no, func.count()])
        query = query.where(
            *(
                column == value
                for column, value in zip(self._wanted.event_columns(), key, strict=True)
            )
        )
        if terms is not None:
            query = query.where(_EVENTS.term_no.in_(sorted(terms)))
        rows = self._connection.execute(query.group_by(*split, _EVENTS.patient_no))
        return {row[-2]: int(row[-1]) for row in rows}

    def _first_with_any(self) -> dict[Key, dict[int, int]]:
        """Day of the first session with any event, by group and patient."""
        wanted = self._wanted
        found: dict[Key, dict[int, int]] = {}
        if wanted.sessions_tell:
            groups = wanted.of_sessions()
            query = select(*groups, _SESSIONS.patient_no, func.min(_SESSIONS.day)).where(
                wanted.sessions(), wanted.period.with_event()
            )
            patient = _SESSIONS.patient_no
        else:
            groups, patient = wanted.of_events(), _EVENTS.patient_no
            query = wanted.select_events([*groups, patient, func.min(_EVENTS.day)])
        for *key, number, day in self._connection.execute(query.group_by(*groups, patient)):
            found.setdefault(tuple(key), {})[number] = day
        return found

    def _first_with_term(self) -> dict[tuple[Key, int], dict[int, int]]:
        """Day of the first event, by (group, term) and patient."""
        split = [*self._wanted.of_events(), _EVENTS.term_no, _EVENTS.patient_no]
        query = self._wanted.select_events([*split, func.min(_EVENTS.day)]).group_by(*split)
        found: dict[tuple[Key, int], dict[int, int]] = {}
        for *key, term, patient, day in self._connection.execute(query):
            found.setdefault((tuple(key), term), {})[patient] = day
        return found


def end_of_follow_up(last_session: int, planned: int, latest: int) -> int:
    """Day on which follow-up ends: the ``planned`` next session, at most ``latest``.

    A session that is dated later than ``latest`` (a wrong clock) still counts.
    """
    return max(last_session, min(planned, latest))


def _followed(wanted: Wanted, intervals: Mapping[int, int]) -> Select[Any]:
    """First, last and planned next session day of every patient, by group and patient."""
    groups = wanted.of_sessions()
    by_protocol = [(_SESSIONS.protocol_no == no, days) for no, days in intervals.items()]
    interval = case(*by_protocol, else_=0) if by_protocol else 0
    return (
        select(
            *groups,
            _SESSIONS.patient_no,
            func.min(_SESSIONS.day),
            func.max(_SESSIONS.day),
            func.max(_SESSIONS.day + interval),
        )
        .where(wanted.sessions())
        .group_by(*groups, _SESSIONS.patient_no)
    )
