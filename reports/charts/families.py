"""The two laws of counts: binomial for sessions with an event, Poisson for events.

And the exact probability limits that follow from a law of counts.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from reports.charts.points import Period

TAIL: Final = NormalDist().cdf(-3)
"""Chance of a point beyond one limit in control, as of 3 sigma of a normal value: 0.135 %."""

_NORMAL: Final = NormalDist()
_NUDGE: Final = 1e-6


@dataclass(frozen=True, slots=True)
class Family:
    """A law of counts, given the centre (share or rate) and how much was exposed.

    ``variance`` is that of the plotted value. ``at_most`` is P(X <= x) and ``at_least`` P(X >= x).
    ``ceiling`` is the largest value there can be.
    """

    name: str
    ceiling: float
    variance: Callable[[float, float], float]
    at_most: Callable[[int, float, float], float]
    at_least: Callable[[int, float, float], float]


def _binomial_at_most(x: int, centre: float, exposed: float) -> float:
    from scipy.special import bdtr

    if x < 0:
        return 0.0
    # scipy has no answer for more than all of them.
    return float(bdtr(x, int(exposed), centre)) if x < exposed else 1.0


def _binomial_at_least(x: int, centre: float, exposed: float) -> float:
    from scipy.special import bdtrc

    if x <= 0:
        return 1.0
    return float(bdtrc(x - 1, int(exposed), centre)) if x <= exposed else 0.0


def _poisson_at_most(x: int, centre: float, exposed: float) -> float:
    from scipy.special import pdtr

    return float(pdtr(x, centre * exposed)) if x >= 0 else 0.0


def _poisson_at_least(x: int, centre: float, exposed: float) -> float:
    from scipy.special import pdtrc

    return float(pdtrc(x - 1, centre * exposed)) if x > 0 else 1.0


BINOMIAL: Final = Family(
    "binomial",
    1.0,
    lambda centre, exposed: centre * (1 - centre) / exposed,
    _binomial_at_most,
    _binomial_at_least,
)
POISSON: Final = Family(
    "poisson",
    math.inf,
    lambda centre, exposed: centre / exposed,
    _poisson_at_most,
    _poisson_at_least,
)


def check_sessions(periods: Sequence[Period]) -> None:
    """Raise ValueError where a share cannot be: part of a session, or more than were exposed."""
    for period in periods:
        if period.exposed != int(period.exposed):
            raise ValueError(f"{period.label} must have whole sessions, not {period.exposed!r}")
        if period.count > period.exposed:
            raise ValueError(
                f"{period.label} has {period.count} sessions with the event of {period.exposed}"
            )


def probability_limits(
    at_most: Callable[[int], float], at_least: Callable[[int], float], tail: float = TAIL
) -> tuple[int, int]:
    """Give the smallest and largest count within the limits.

    A count below the first, and one above the second, have each a chance of ``tail`` or less.
    """
    low = _first(lambda count: at_most(count) > tail)
    return low, _first(lambda count: at_least(count + 1) <= tail)


def _first(holds: Callable[[int], bool]) -> int:
    """Smallest count for which something holds that, once true, stays true."""
    high = 1
    while not holds(high):
        high *= 2
    low = -1
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if holds(middle) else (middle, high)
    return high


def normal_score(side: float, at_most: float, at_least: float) -> float:
    """How many sigmas out a normal value with the same tail would lie.

    ``side`` is positive above the centre, negative below it, and 0 on it. A point above the centre
    stays above it even where, the law being skewed, more than half of all points would be higher.
    """
    if not side:
        return 0.0
    tail = min(max(at_least if side > 0 else at_most, 1e-300), 1.0)
    score = -_NORMAL.inv_cdf(tail) if tail < 1 else 0.0
    return math.copysign(max(score, _NUDGE), side)


def agreeing(score: float, *, outside: bool) -> float:
    """Put a score beyond 3 sigma exactly where the count is outside the limits that are drawn.

    The two can differ by rounding where a tail is just as heavy as the limit allows.
    """
    size = max(abs(score), 3 + _NUDGE) if outside else min(abs(score), 3.0)
    return math.copysign(size, score)
