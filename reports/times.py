"""Time to the first event, with people leaving before it: estimates that are steps over time.

Three questions, three functions. :func:`kaplan_meier`: what proportion has had no event so far, if
nobody had left. :func:`cumulative_incidence` (Aalen and Johansen): what proportion has had the
event so far, when discontinuation or death can come first; use this one for a first adverse event.
:func:`time_to_resolution`: how long events last, some of them not over yet.

Time is whatever grows: the session number for acute effects, days for chronic ones.

**Delayed entry.** A patient whose treatment began before the log did is at risk only from there:
``entries`` holds the time after which each was watched, and 0 means from the very beginning. Few
people are then at risk early on: if all of those few have the event, the estimate is used up (0 or
1) for good, so look at ``at_risk`` before believing an early step.

Limits are on the log(-log) scale with the variance of Greenwood (1926), or for incidence with that
of the delta method (Marubini and Valsecchi 1995). That scale has no limits at exactly
0 or 1: they are None there. Without an event use an exact interval for 0 of n.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from itertools import takewhile
from statistics import NormalDist
from typing import Final

import numpy as np
from numpy.typing import ArrayLike

from reports.intervals import LEVEL, Estimate
from reports.times_at_risk import Floats, Table, at_risk_table, check_level, watched

Band = tuple[float | None, float | None, float | None]
"""Low, high and standard error."""

NO_BAND: Final[Band] = (None, None, None)
# Half of the people left is half, also after rounding in the last digits.
ROUNDING: Final = 1e-12


@dataclass(frozen=True, slots=True)
class Step:
    """The estimate from ``time`` on. ``events`` of the ``at_risk`` happened at that time.

    ``error`` is the standard error. It and the limits are None where the method has none.
    """

    time: float
    value: float
    low: float | None
    high: float | None
    error: float | None
    at_risk: int
    events: int


@dataclass(frozen=True, slots=True)
class Curve:
    """An estimate over time: ``start`` before the first step, then a step at each event.

    ``events`` of ``subjects`` is the numerator and the denominator of the whole curve; ``last`` is
    the end of the longest follow-up, None without anybody. After it nothing is known.
    """

    steps: tuple[Step, ...]
    start: float
    subjects: int
    events: int
    last: float | None
    level: float
    method: str

    def at(self, time: float) -> Estimate:
        """The estimate at ``time``; without limits before the first step.

        The value is None after the last follow-up, and for nobody: no information.
        """
        if self.last is None or time > self.last:
            return Estimate(None, None, None, self.method)
        past = list(takewhile(lambda step: step.time <= time, self.steps))
        if not past:
            return Estimate(self.start, None, None, self.method)
        return Estimate(past[-1].value, past[-1].low, past[-1].high, self.method)


@dataclass(frozen=True, slots=True)
class Resolution:
    """How long events last: ``resolved`` of ``total`` are over; ``median`` with its limits."""

    median: Estimate
    resolved: int
    total: int
    curve: Curve


def kaplan_meier(
    times: ArrayLike, happened: ArrayLike, entries: ArrayLike | None = None, level: float = LEVEL
) -> Curve:
    """Proportion without the event so far (Kaplan and Meier 1958), one entry a person.

    ``times`` are the ends of follow-up, ``happened`` is true or 1 where that end is the event and
    false or 0 where the person left without it. Raises ValueError for times that cannot be.
    """
    people = watched(times, happened, entries)
    check_level(level)
    if np.any(people.codes > 1):
        raise ValueError("happened must be true or false; for several codes there is incidence")
    table = at_risk_table(people, 1)
    gone = table.at_risk == table.any_event
    survival = np.cumprod(1 - table.any_event / table.at_risk)
    left = np.where(gone, 1, table.at_risk - table.any_event)
    relative = np.cumsum(np.where(gone, 0, table.any_event / (table.at_risk * left)))
    errors = survival * np.sqrt(relative)
    steps = tuple(
        _step(table, place, value, _limits(value, error, level))
        for place, (value, error) in enumerate(zip(survival.tolist(), errors.tolist(), strict=True))
    )
    return _curve(steps, 1.0, people.exits, level, "kaplan-meier")


def cumulative_incidence(
    times: ArrayLike,
    codes: ArrayLike,
    entries: ArrayLike | None = None,
    *,
    code: int = 1,
    level: float = LEVEL,
) -> Curve:
    """Proportion that has had event ``code`` so far (Aalen and Johansen 1978), an entry a person.

    ``codes`` says how each follow-up ended: 0 neither, 1 and up what happened first, such as 1 the
    adverse event and 2 discontinuation. With no competing event it is one minus Kaplan-Meier, with
    the same limits. Raises ValueError for times and codes that cannot be.
    """
    people = watched(times, codes, entries)
    check_level(level)
    if code < 1:
        raise ValueError(f"code must be 1 or more, not {code!r}")
    table = at_risk_table(people, code)
    survival = np.cumprod(1 - table.any_event / table.at_risk)
    before = np.concatenate([np.ones(1), survival])[:-1]
    incidence = np.cumsum(before * table.event / table.at_risk)
    incidence = np.where(incidence > 1 - ROUNDING, 1.0, incidence)
    errors = _incidence_errors(table, before, incidence)
    steps = tuple(
        _step(
            table,
            place,
            float(incidence[place]),
            _mirrored(_limits(float(1 - incidence[place]), float(errors[place]), level)),
        )
        for place in np.flatnonzero(table.event).tolist()
    )
    return _curve(steps, 0.0, people.exits, level, "aalen-johansen")


def median_time(curve: Curve) -> Estimate:
    """The first time at which half or fewer are without the event, of a Kaplan-Meier curve.

    The limits are the times at which the limits of the curve reach one half (Brookmeyer and Crowley
    1982). What is not reached is None: no median, or no upper limit. Raises ValueError for another
    curve.
    """
    if curve.method != "kaplan-meier":
        raise ValueError(f"a median needs a kaplan-meier curve, not {curve.method}")
    # At 0 the curve has no limits. Its lower one is below one half all the same.
    return Estimate(
        _first([(step.time, step.value) for step in curve.steps]),
        _first([(step.time, step.low if step.value else 0.0) for step in curve.steps]),
        _first([(step.time, step.high) for step in curve.steps]),
        "kaplan-meier median",
    )


def time_to_resolution(
    durations: ArrayLike, resolved: ArrayLike, level: float = LEVEL
) -> Resolution:
    """How long events last; ``resolved`` is false where an event was not over when last seen.

    Raises ValueError for durations that cannot be.
    """
    curve = kaplan_meier(durations, resolved, level=level)
    return Resolution(median_time(curve), curve.events, curve.subjects, curve)


def _first(points: list[tuple[float, float | None]]) -> float | None:
    reached = (time for time, value in points if value is not None and value <= 0.5 + ROUNDING)
    return next(reached, None)


def _incidence_errors(table: Table, before: Floats, incidence: Floats) -> Floats:
    """Standard errors of the incidence by the delta method, each sum running over past times."""
    n, d, other = table.at_risk, table.event, table.any_event
    # When everybody at risk has an event the incidence changes no more, and the term is nothing.
    left = np.where(n == other, 1, n - other)
    greenwood = np.where(n == other, 0, other / (n * left))
    own = before**2 * d * (n - d) / n**3
    shared = before * d / n**2
    variance = (
        incidence**2 * np.cumsum(greenwood)
        - 2 * incidence * np.cumsum(incidence * greenwood)
        + np.cumsum(incidence**2 * greenwood)
        + np.cumsum(own)
        - 2 * (incidence * np.cumsum(shared) - np.cumsum(incidence * shared))
    )
    errors: Floats = np.sqrt(np.maximum(variance, 0))
    return errors


def _limits(free: float, error: float, level: float) -> Band:
    """Limits on the log(-log) scale for the proportion without the event, and its error."""
    if not ROUNDING < free < 1:
        return NO_BAND
    z = NormalDist().inv_cdf((1 + level) / 2)
    width = z * error / (free * -math.log(free))
    # Beyond 700 the exponential overflows, and the limits have long been 0 and 1.
    bend = math.exp(min(width, 700.0))
    return free**bend, free ** (1 / bend), error


def _mirrored(band: Band) -> Band:
    low, high, error = band
    return NO_BAND if low is None or high is None else (1 - high, 1 - low, error)


def _step(table: Table, place: int, value: float, band: Band) -> Step:
    low, high, error = band
    if low is not None and high is not None:
        # Rounding in the last digit must not put the estimate outside its own limits.
        low, high = min(low, value), max(high, value)
    time, at_risk = float(table.times[place]), int(table.at_risk[place])
    return Step(time, value, low, high, error, at_risk, int(table.event[place]))


def _curve(
    steps: tuple[Step, ...], start: float, exits: Floats, level: float, method: str
) -> Curve:
    events = sum(step.events for step in steps)
    last = float(exits.max()) if exits.size else None
    return Curve(steps, start, exits.size, events, last, level, method)
