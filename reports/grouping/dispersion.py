"""How much more units differ than chance alone makes them differ.

The mean square ``phi`` of z scores, with a share of them at each end pulled in to the quantile
there ("winsorised"), so that the units that stand out do not widen the limits that should show
them: Spiegelhalter, Quality and Safety in Health Care 2005;14:347-351, and Statistics in Medicine
2005;24:1185-1202.

Pulling in shortens the spread of ordinary units too: at 10 % the published mean square of purely
random scores is 0.68, not 1, and limits widened by it would be too narrow. ``raw`` is the published
number; ``phi`` is divided by what random scores would give, and is what everything here uses.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final

from reports.grouping.checks import whole

FEWEST_UNITS: Final = 5
"""Below this number of units no over-dispersion is estimated (default)."""

SHARE: Final = 0.1
"""Share of the scores that is pulled in at each end (Spiegelhalter 2005)."""


@dataclass(frozen=True, slots=True)
class Dispersion:
    """Over-dispersion of the scores of ``units`` units; None where there were too few.

    ``p`` is the chance of a ``phi`` this large among units that differ by chance alone. ``freedom``
    are the degrees of freedom of ``phi``: how well it is known.
    """

    units: int
    raw: float | None
    phi: float | None
    p: float | None
    freedom: float | None
    method: str


def dispersion(scores: Sequence[float], share: float = SHARE, *, lost: int = 0) -> Dispersion:
    """Winsorised ``phi`` of z scores.

    ``lost`` is 1 when the centre was worked out of the same units, otherwise 0. ``phi`` is taken as
    chi-squared over its degrees of freedom, which are chosen so that the variance is right for many
    units (delta method; at 10 % 0.71 for each unit). Raises ValueError for scores that are no
    numbers and for shares outside 0 to 1/2.
    """
    _check(scores, share, lost)
    units = len(scores)
    if units < FEWEST_UNITS:
        return Dispersion(
            units, None, None, None, None, f"not estimated: fewer than {FEWEST_UNITS}"
        )
    raw = math.fsum(score * score for score in winsorised(scores, share)) / units
    mean, variance = expected_square(share)
    phi = raw / mean * units / (units - lost)
    freedom = 2 * mean**2 / variance * (units - lost)
    chance = _chance(phi, freedom)
    return Dispersion(units, raw, phi, chance, freedom, f"winsorised {share:.0%}")


def winsorised(scores: Sequence[float], share: float) -> list[float]:
    """Scores beyond the quantiles at ``share`` and ``1 - share`` moved to those quantiles."""
    ordered = sorted(scores)
    low, high = _quantile(ordered, share), _quantile(ordered, 1 - share)
    return [min(max(score, low), high) for score in scores]


def expected_square(share: float) -> tuple[float, float]:
    """Mean of the winsorised square of a normal score, and variance of its average times units.

    The second number counts that the two quantiles come from the scores too.
    """
    if share == 0:
        return 1.0, 2.0
    normal = NormalDist()
    cut = normal.inv_cdf(1 - share)
    density = normal.pdf(cut)
    inside = 1 - 2 * share - 2 * cut * density
    mean = inside + 2 * share * cut**2
    fourth = 3 * inside - 2 * cut**3 * density + 2 * share * cut**4
    slope = 2 * cut * share / density
    beyond = 2 * share * (1 - 2 * share)
    together = 2 * share * (cut**2 - mean)
    return mean, fourth - mean**2 + slope**2 * beyond + 2 * slope * together


def between_units(phi: float, weights: Sequence[float], *, lost: int = 0) -> float:
    """Variance between units (DerSimonian and Laird 1986) of scores with mean square ``phi``.

    ``weights`` are one over the variance of each unit's value; the result has the unit of that
    variance and is never below 0.
    """
    total = math.fsum(weights)
    if lost:
        total -= math.fsum(weight**2 for weight in weights) / total
    return max(0.0, (len(weights) - lost) * (phi - 1) / total)


def _quantile(ordered: Sequence[float], share: float) -> float:
    # Linear between neighbours (type 7 of Hyndman and Fan 1996).
    place = share * (len(ordered) - 1)
    below = min(int(place), len(ordered) - 2)
    return ordered[below] + (place - below) * (ordered[below + 1] - ordered[below])


def _chance(phi: float, freedom: float) -> float:
    from scipy.special import gammaincc

    return float(gammaincc(freedom / 2, phi * freedom / 2))


def _check(scores: Sequence[float], share: float, lost: int) -> None:
    whole(lost, "lost")
    if not 0 <= share < 0.5:
        raise ValueError(f"share must be at least 0 and below 0.5, not {share!r}")
    if not all(map(math.isfinite, scores)):
        raise ValueError("every score must be a finite number")
