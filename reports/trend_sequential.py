"""Weekly looks at one event under one protocol, without crying wolf.

Looks are taken when a week (Monday to Sunday) is over, at all sessions since the first day
together. The limit belongs to all looks (:mod:`reports.sequential`): under an unchanged share the
chance that *any* of them signals is at most ``alpha``. It holds for the share of the baseline as if
that were known; a short baseline leaves it uncertain, and so do sessions of one patient.

The **horizon**, the sessions at which watching was planned to end, comes from the baseline alone: a
year of sessions at its pace, unless the query says otherwise. Write it down before the first look.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from itertools import accumulate
from typing import Final

from sqlalchemy import Connection

from reports import trend_counts
from reports.intervals import Estimate, wilson
from reports.rates import today
from reports.sequential import Step, binomial_spending, walk
from reports.trend_counts import Count, Events
from reports.trend_periods import WEEK, spans
from safety.access import Action, Actor, guarded
from safety.errors import UserError
from safety.store.handle import Store

ALPHA: Final = 0.05
"""Default chance that watching an unchanged share ever signals."""

LOOKS: Final = 52
"""Default: watching is planned for a year of weeks."""

MINIMUM: Final = 4
"""Default: fewer events never signal, the rule of thumb of MaxSPRT users."""


@dataclass(frozen=True, slots=True)
class SequentialQuery:
    """Watch from ``first`` to ``last`` against the share of a baseline that ended before.

    ``baseline`` is its first and last day. ``horizon`` is in sessions. Raises UserError.
    """

    term: str
    protocol: str
    first: date
    last: date
    baseline: tuple[date, date]
    alpha: float = ALPHA
    horizon: int | None = None
    minimum: int = MINIMUM
    min_grade: int = 1
    treatment_emergent: bool = False
    site: str | None = None

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UserError("The watch ends before it begins. Swap the dates.")
        if not self.baseline[0] <= self.baseline[1] < self.first:
            raise UserError("The baseline must end before the watch begins.")
        if not 0 < self.alpha < 1:
            raise UserError("The chance of a false alarm must lie between 0 and 1, such as 0.05.")
        if self.minimum < 1 or (self.horizon is not None and self.horizon < 1):
            raise UserError("Minimum and horizon must be 1 or more.")

    @property
    def events(self) -> Events:
        """Which events count."""
        return Events(self.term, self.min_grade, self.treatment_emergent, self.site)


@dataclass(frozen=True, slots=True)
class Look:
    """One look at the end of ``day``: all sessions since the first day, and those with the event.

    ``signal_at`` is the count that signals, None where none could.
    """

    number: int
    day: date
    with_event: int
    sessions: int
    expected: float
    signal_at: int | None
    crossed: bool


@dataclass(frozen=True, slots=True)
class Sequential:
    """All looks so far. ``signal`` is the first that crossed its limit, or None.

    ``baseline_with_event`` of ``baseline_sessions`` gave ``baseline``. ``spent`` is the exact
    chance of a false alarm over the looks so far, at most ``query.alpha``.
    """

    query: SequentialQuery
    term_name: str
    protocol_name: str
    looks: tuple[Look, ...]
    signal: Look | None
    baseline: Estimate
    baseline_with_event: int
    baseline_sessions: int
    share: float
    horizon: int
    spent: float
    method: str


@guarded(Action.READ_RATES)
def sequential(store: Store, actor: Actor, query: SequentialQuery) -> Sequential:  # noqa: ARG001 - guarded
    """Look week by week. Raises UnknownName, and UserError for a baseline without sessions."""
    now = today(store)
    with store.read() as connection:
        what = trend_counts.asked(query.term)
        how = trend_counts.treatment(connection, query.protocol)
        before = _in_all(connection, query, how.no)
        days, counts = _weeks(connection, query, how.no, now)
    if not before.sessions:
        raise UserError("Nobody was treated in the baseline. Choose a longer one.")
    x, n = before.sessions_with_event, before.sessions
    share, horizon = _share(x, n), query.horizon or _horizon(query, n)
    looks, spent = _looks(query, days, counts, share, horizon)
    return Sequential(
        query,
        what.name,
        how.name,
        looks,
        next((look for look in looks if look.crossed), None),
        wilson(x, n),
        x,
        n,
        share,
        horizon,
        spent,
        "binomial-spending",
    )


def _share(x: int, n: int) -> float:
    """The share of the baseline. None and all are no shares to compare with: half a session more.

    That is the mean of the Jeffreys posterior.
    """
    return x / n if 0 < x < n else (x + 0.5) / (n + 1)


def _horizon(query: SequentialQuery, sessions: int) -> int:
    days = (query.baseline[1] - query.baseline[0]).days + 1
    return max(1, round(sessions / days * 7 * LOOKS))


def _in_all(connection: Connection, query: SequentialQuery, protocol: int) -> Count:
    begin, end = query.baseline
    wanted = trend_counts.slice_of(connection, query.events, protocol, query.baseline)
    return trend_counts.whole(connection, wanted, begin, end)


def _weeks(
    connection: Connection, query: SequentialQuery, protocol: int, now: date
) -> tuple[list[date], list[Count]]:
    """The Sundays that are over, and what was counted in each week; sessions of today are not."""
    wanted = trend_counts.slice_of(connection, query.events, protocol, (query.first, query.last))
    weeks = spans(query.first, query.last, WEEK, now)
    counts = trend_counts.by_period(connection, wanted, weeks, WEEK)
    over = [at for at, week in enumerate(weeks) if week.last <= query.last and week.last < now]
    return [weeks[at].last for at in over], [counts[at] for at in over]


def _looks(
    query: SequentialQuery, days: list[date], counts: list[Count], share: float, horizon: int
) -> tuple[tuple[Look, ...], float]:
    if not days:
        return (), 0.0
    sessions = list(accumulate(count.sessions for count in counts))
    events = list(accumulate(count.sessions_with_event for count in counts))
    limit = binomial_spending(sessions, share, horizon, query.alpha, minimum=query.minimum)
    steps = walk(limit, events, sessions).steps
    looks = tuple(_look(day, step) for day, step in zip(days, steps, strict=True))
    return looks, limit.exact_false_alarm


def _look(day: date, step: Step) -> Look:
    return Look(
        step.number,
        day,
        step.events,
        int(step.information),
        step.expected,
        step.signal_at,
        step.crossed,
    )
