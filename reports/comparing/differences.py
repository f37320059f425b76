"""Risk difference of two independent proportions, arm minus reference, with limits.

Newcombe's hybrid score interval (1998, method 10) is the default: made of the two Wilson intervals
that stand beside it in a table, so the three agree to the eye. Miettinen and Nurminen (1985) is the
other score method, common in trial reports. Wald is only for those who must reproduce it: it has no
width when neither arm has an event, and covers badly with few.

Both score methods give the same limits with the sign changed when the arms are swapped.

Formulas: Newcombe, Stat Med 1998;17:873-890; Miettinen and Nurminen, Stat Med 1985;4:213-226.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from reports.comparing.arms import (
    Arm,
    Contrast,
    difference,
    difference_without_information,
    normal_quantile,
)
from reports.comparing.mover import Part, difference_limits
from reports.comparing.scores import boundary, difference_variance
from reports.intervals import LEVEL, wilson


def newcombe(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """Hybrid score interval: the distances to the Wilson limits of both arms, added in squares."""
    one, zero = (
        Part.of(wilson(arm.x, arm.n, level)),
        Part.of(wilson(reference.x, reference.n, level)),
    )
    if one is None or zero is None:
        return difference_without_information(arm, reference, "newcombe")
    return _within(arm, reference, difference_limits(one, zero), "newcombe")


def miettinen_nurminen(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """Score interval with the factor N / (N - 1)."""
    z = normal_quantile(level)
    if not (arm.n and reference.n):
        return difference_without_information(arm, reference, "miettinen-nurminen")
    # The upper limit is the lower one seen from the other arm, so that swapping is exact.
    limits = _lower_score(arm, reference, z), -_lower_score(reference, arm, z)
    return _within(arm, reference, limits, "miettinen-nurminen")


def wald(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """Normal interval with the variance of the observed proportions, cut at -1 and 1."""
    z = normal_quantile(level)
    if not (arm.n and reference.n):
        return difference_without_information(arm, reference, "wald")
    delta = difference(arm, reference)
    spread = sum(each.x * each.without / each.n**3 for each in (arm, reference))
    half = z * math.sqrt(spread)
    return _within(arm, reference, (delta - half, delta + half), "wald")


METHODS: Final[Mapping[str, Callable[..., Contrast]]] = {
    "newcombe": newcombe,
    "miettinen-nurminen": miettinen_nurminen,
    "wald": wald,
}
"""Methods by the name that is printed; each takes ``(arm, reference, level)``. First is default."""


def _lower_score(arm: Arm, reference: Arm, z: float) -> float:
    delta = difference(arm, reference)
    square = z * z

    def excluded(assumed: float) -> bool:
        distance = delta - assumed
        return distance * distance > square * difference_variance(arm, reference, assumed)

    return boundary(delta, -1.0, excluded)


def _within(arm: Arm, reference: Arm, limits: tuple[float, float], method: str) -> Contrast:
    delta = difference(arm, reference)
    # Rounding in the last digit must not put the estimate outside its own interval.
    low, high = max(-1.0, min(limits[0], delta)), min(1.0, max(limits[1], delta))
    return Contrast(arm, reference, delta, low, high, method)
