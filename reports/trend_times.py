"""When it happens: the first event, events so far, and how long they last, under one protocol.

**Who is counted.** Patients whose first known session under the protocol lies in the period, so
that everybody is followed from the beginning. Those who began before are left out, and counted. A
treatment that began before anything was recorded cannot be seen.

**Time** is the number of the session under the protocol, or days: the day of the first session is
day 1.

**The end of follow-up** is that of patient-time rates (:mod:`reports.at_risk`): the last session in
the period plus the planned interval of the protocol, not after the period and not after today. By
session number it is the last session. Whoever stopped the treatment is taken as leaving then
(censored): the curve says what would be if those who left had gone on like those who stayed. A
patient who leaves *because* of the event is not like those.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection, func, select

from reports import trend_counts
from reports.at_risk import end_of_follow_up
from reports.rates import today
from reports.times import Curve, Resolution, cumulative_incidence, time_to_resolution
from reports.times_repeated import FollowUp, mean_cumulative
from reports.trend_counts import Events, Slice
from safety.access import Action, Actor, guarded
from safety.clock import day_number
from safety.errors import UserError
from safety.model import Outcome
from safety.store import tables
from safety.store.handle import Store

BY_SESSION: Final = "session"
BY_DAY: Final = "day"
SCALES: Final = (BY_SESSION, BY_DAY)
OVER: Final = (Outcome.RECOVERED, Outcome.RECOVERED_WITH_SEQUELAE)
"""Outcomes after which a duration is whole. One without an outcome is taken as whole too."""

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c


@dataclass(frozen=True, slots=True)
class TimesQuery:
    """What is asked: one term or group under one protocol. ``scale`` is session or day.

    Raises UserError.
    """

    term: str
    protocol: str
    first: date
    last: date
    scale: str = BY_SESSION
    min_grade: int = 1
    treatment_emergent: bool = False
    site: str | None = None

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UserError(
                f"The period ends ({self.last}) before it begins ({self.first}). Swap the dates."
            )
        if self.scale not in SCALES:
            raise UserError(f"scale must be one of: {', '.join(SCALES)}.")

    @property
    def events(self) -> Events:
        """Which events count."""
        return Events(self.term, self.min_grade, self.treatment_emergent, self.site)


@dataclass(frozen=True, slots=True)
class Times:
    """Curves over sessions or days.

    ``first_event`` is the share of patients who have had it so far, ``repeated`` the mean number of
    sessions with it a patient so far. ``patients`` were followed; ``began_before`` were left out.
    ``resolution`` is in minutes; ``without_duration`` events say nothing about how long they took.
    """

    query: TimesQuery
    term_name: str
    protocol_name: str
    first_event: Curve
    repeated: Curve
    patients: int
    began_before: int
    resolution: Resolution
    without_duration: int


@guarded(Action.READ_RATES)
def times(store: Store, actor: Actor, query: TimesQuery) -> Times:  # noqa: ARG001 - guarded
    """Count and estimate. Raises UnknownName."""
    now = today(store)
    with store.read() as connection:
        what = trend_counts.asked(query.term)
        how = trend_counts.treatment(connection, query.protocol)
        period = query.first, query.last
        wanted = trend_counts.slice_of(connection, query.events, how.no, period)
        latest = min(wanted.period.last, day_number(now))
        followed, before = _followed(connection, wanted)
        hits = _hits(connection, wanted)
        lasting = _durations(connection, wanted)
    ends = {
        patient: _end(query, each, how.interval_days, latest) for patient, each in followed.items()
    }
    moments = [
        (patient, _time(query, followed[patient], number, day))
        for patient, number, day in hits
        if patient in followed
    ]
    resolution, without = _resolution(lasting)
    return Times(
        query,
        what.name,
        how.name,
        _first_event(ends, moments),
        _repeated(ends, moments),
        len(followed),
        before,
        resolution,
        without,
    )


@dataclass(frozen=True, slots=True)
class _Followed:
    """Day numbers of the first and last session, and how many sessions there were."""

    first: int
    last: int
    sessions: int


def _followed(connection: Connection, wanted: Slice) -> tuple[dict[int, _Followed], int]:
    """Who began in the period, and how many had begun before and had a session in it."""
    query = (
        select(_SESSIONS.patient_no, func.min(_SESSIONS.day), func.max(_SESSIONS.day), func.count())
        .where(wanted.of_protocol(_SESSIONS), _SESSIONS.day <= wanted.period.last)
        .group_by(_SESSIONS.patient_no)
        .having(func.max(_SESSIONS.day) >= wanted.period.first)
    )
    everybody = {no: _Followed(*spans) for no, *spans in connection.execute(query)}
    begun = {no: each for no, each in everybody.items() if each.first >= wanted.period.first}
    return begun, len(everybody) - len(begun)


def _hits(connection: Connection, wanted: Slice) -> list[tuple[int, int, int]]:
    """Patient, number of the session under the protocol, and day, of each session with the event.

    In the order of each patient's sessions.
    """
    order = func.row_number().over(
        partition_by=_SESSIONS.patient_no, order_by=(_SESSIONS.day, _SESSIONS.no)
    )
    numbered = (
        select(_SESSIONS.no, _SESSIONS.patient_no, _SESSIONS.day, order.label("number"))
        .where(wanted.of_protocol(_SESSIONS), _SESSIONS.day <= wanted.period.last)
        .subquery()
    )
    found = numbered.c
    query = (
        select(found.patient_no, found.number, found.day)
        .where(found.no.in_(select(_EVENTS.session_no).where(wanted.events())))
        .order_by(found.patient_no, found.number)
    )
    return [(patient, number, day) for patient, number, day in connection.execute(query)]


def _end(query: TimesQuery, followed: _Followed, interval: int, latest: int) -> int:
    if query.scale == BY_SESSION:
        return followed.sessions
    return end_of_follow_up(followed.last, followed.last + interval, latest) - followed.first + 1


def _time(query: TimesQuery, followed: _Followed, number: int, day: int) -> int:
    return number if query.scale == BY_SESSION else day - followed.first + 1


def _first_event(ends: dict[int, int], moments: list[tuple[int, int]]) -> Curve:
    earliest: dict[int, int] = {}
    for patient, time in moments:
        earliest.setdefault(patient, time)
    ended = [earliest.get(patient, end) for patient, end in ends.items()]
    return cumulative_incidence(ended, [int(patient in earliest) for patient in ends])


def _repeated(ends: dict[int, int], moments: list[tuple[int, int]]) -> Curve:
    people, at = [patient for patient, _ in moments], [time for _, time in moments]
    return mean_cumulative(FollowUp(list(ends), list(ends.values())), people, at)


def _durations(connection: Connection, wanted: Slice) -> list[tuple[int | None, bool, int]]:
    """Minutes, whether the event was over then, and how many events are like that."""
    query = (
        select(_EVENTS.duration_minutes, _EVENTS.outcome, func.count())
        .where(wanted.events())
        .group_by(_EVENTS.duration_minutes, _EVENTS.outcome)
    )
    over = {None, *(outcome.value for outcome in OVER)}
    return [(minutes, said in over, count) for minutes, said, count in connection.execute(query)]


def _resolution(lasting: list[tuple[int | None, bool, int]]) -> tuple[Resolution, int]:
    known = [
        (minutes, over) for minutes, over, count in lasting if minutes is not None
        for _ in range(count)
    ]  # fmt: skip
    without = sum(count for minutes, _, count in lasting if minutes is None)
    resolved = [over for _, over in known]
    return time_to_resolution([minutes for minutes, _ in known], resolved), without
