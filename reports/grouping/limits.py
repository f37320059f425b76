"""Limits of a funnel: exact binomial, interpolated, and stretched for over-dispersion."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final, Literal

Scale = Literal["score", "arcsine"]

TAILS: Final = (0.001, 0.025, 0.975, 0.999)
"""Where the limits of 99.8 and 95 % lie."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of a proportion among ``n`` sessions, from the outermost below to that above."""

    n: int
    low_998: float
    low_95: float
    high_95: float
    high_998: float


def exact_limits(n: int, centre: float) -> Limits:
    """Interpolated exact limits (Spiegelhalter 2005, appendix), held within 0 to 1."""
    return Limits(n, *(min(1.0, max(0.0, interpolated(n, centre, tail))) for tail in TAILS))


def interpolated(n: int, centre: float, tail: float) -> float:
    """Proportion where the binomial distribution function passes ``tail``; may be below 0.

    The smallest count ``r`` with P(X <= r) >= tail, less the part of its own probability that lies
    beyond, over ``n``.
    """
    from scipy.special import bdtr, bdtrik

    # Where the tail is that of a whole count the ceiling may be one above: the line meets there.
    r = min(n, max(0, math.ceil(float(bdtrik(tail, n, centre)))))
    upto = float(bdtr(r, n, centre))
    below = float(bdtr(r - 1, n, centre)) if r else 0.0
    return (r - (upto - tail) / (upto - below)) / n


def stretched(limits: Limits, centre: float, stretch: float, scale: Scale) -> Limits:
    """Limits moved away from ``centre`` by the factor ``stretch`` on the scale of the scores."""
    if stretch == 1:
        return limits
    moved = [
        _move(limit, centre, stretch, scale)
        for limit in (limits.low_998, limits.low_95, limits.high_95, limits.high_998)
    ]
    return Limits(limits.n, *moved)


def deviation(centre: float, n: float, scale: Scale) -> float:
    """Standard deviation of a proportion among ``n`` sessions on the scale of the scores."""
    if scale == "score":
        return math.sqrt(centre * (1 - centre) / n)
    return 1 / (2 * math.sqrt(n))


def _move(limit: float, centre: float, stretch: float, scale: Scale) -> float:
    if scale == "score":
        return min(1.0, max(0.0, centre + (limit - centre) * stretch))
    middle = math.asin(math.sqrt(centre))
    angle = middle + (math.asin(math.sqrt(limit)) - middle) * stretch
    return math.sin(min(math.pi / 2, max(0.0, angle))) ** 2
