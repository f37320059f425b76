"""Patient-time: how long patients were at risk of a first event under a protocol.

Time at risk begins on the day of the patient's first session in the period. It ends on the day of
the first event or, without one, at the end of follow-up: the day of the last session in the period
plus the planned interval of the protocol (its newest version), but not after the period and not
after today. Both end days count, so an event on the first day took one day. A month has 30.4375
days.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from typing import Final

from sqlalchemy import Connection, func, select

from reports.counting import Selection
from reports.intervals import Estimate, exact_poisson
from safety.store import tables

DAYS_A_MONTH: Final = 30.4375
PER_MONTHS: Final = 100
METHOD: Final = "exact-poisson (followed to last session + planned interval)"

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c


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
    """The follow-up of every patient under every protocol in one period.

    ``intervals`` are the planned days between sessions by protocol number; ``today`` is a day
    number.
    """

    def __init__(
        self, connection: Connection, wanted: Selection, intervals: Mapping[int, int], today: int
    ) -> None:
        latest = min(wanted.last, today)
        followed = _followed(connection, wanted)
        self._ends = {
            protocol: {
                patient: end_of_follow_up(last, intervals[protocol], latest)
                for patient, (_, last) in spans.items()
            }
            for protocol, spans in followed.items()
        }
        self._whole = {
            protocol: sum(
                self._ends[protocol][patient] - first + 1 for patient, (first, _) in spans.items()
            )
            for protocol, spans in followed.items()
        }
        self._any = _first_with_any(connection, wanted)
        self._terms = _first_with_term(connection, wanted)

    def of(self, protocol_no: int, terms: Iterable[int] | None) -> Risk:
        """The risk of the first of ``terms`` (numbers), or of any event for None."""
        first_events = self._first_events(protocol_no, terms)
        ends = self._ends[protocol_no]
        spared = sum(ends[patient] - day for patient, day in first_events.items())
        return Risk(len(first_events), (self._whole[protocol_no] - spared) / DAYS_A_MONTH)

    def _first_events(self, protocol_no: int, terms: Iterable[int] | None) -> Mapping[int, int]:
        if terms is None:
            return self._any.get(protocol_no, {})
        earliest: dict[int, int] = {}
        for number in terms:
            for patient, day in self._terms.get((protocol_no, number), {}).items():
                earliest[patient] = min(day, earliest.get(patient, day))
        return earliest


def end_of_follow_up(last_session: int, interval: int, latest: int) -> int:
    """Day on which follow-up ends: ``interval`` days after the last session, at most ``latest``.

    A session that is dated later than ``latest`` (a wrong clock) still counts.
    """
    return max(last_session, min(last_session + interval, latest))


def _followed(connection: Connection, wanted: Selection) -> dict[int, dict[int, tuple[int, int]]]:
    """First and last session day of every patient in the period, by protocol and patient."""
    query = (
        select(
            _SESSIONS.protocol_no,
            _SESSIONS.patient_no,
            func.min(_SESSIONS.day),
            func.max(_SESSIONS.day),
        )
        .where(wanted.sessions())
        .group_by(_SESSIONS.protocol_no, _SESSIONS.patient_no)
    )
    found: dict[int, dict[int, tuple[int, int]]] = {}
    for protocol, patient, first, last in connection.execute(query):
        found.setdefault(protocol, {})[patient] = (first, last)
    return found


def _first_with_any(connection: Connection, wanted: Selection) -> dict[int, dict[int, int]]:
    """Day of the first session with any event, by protocol and patient."""
    query = (
        select(_SESSIONS.protocol_no, _SESSIONS.patient_no, func.min(_SESSIONS.day))
        .where(wanted.sessions(), wanted.with_event())
        .group_by(_SESSIONS.protocol_no, _SESSIONS.patient_no)
    )
    found: dict[int, dict[int, int]] = {}
    for protocol, patient, day in connection.execute(query):
        found.setdefault(protocol, {})[patient] = day
    return found


def _first_with_term(
    connection: Connection, wanted: Selection
) -> dict[tuple[int, int], dict[int, int]]:
    """Day of the first event, by (protocol, term) and patient."""
    query = (
        select(_EVENTS.protocol_no, _EVENTS.term_no, _EVENTS.patient_no, func.min(_EVENTS.day))
        .where(wanted.events())
        .group_by(_EVENTS.protocol_no, _EVENTS.term_no, _EVENTS.patient_no)
    )
    found: dict[tuple[int, int], dict[int, int]] = {}
    for protocol, term, patient, day in connection.execute(query):
        found.setdefault((protocol, term), {})[patient] = day
    return found
