"""Risk ratio of two independent proportions, arm over reference, with limits.

The score limits of Miettinen and Nurminen (1985) are the default: they are defined with any zero.
Katz's log-normal limits (1978) are the textbook method; without events they need a rule.

**Rules for zeros.** No event in either arm is no information: value None, limits 0 and None. No
event in the reference alone: the ratio has no finite value and no upper bound, so both are None,
and the lower limit says what is known. No event in the arm alone: value and lower limit are 0.

Formulas: Miettinen and Nurminen, Stat Med 1985;4:213-226; Katz et al., Biometrics 1978;34:469-474.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Final

from reports.comparing.arms import (
    Arm,
    Contrast,
    normal_quantile,
    ratio,
    ratio_without_information,
)
from reports.comparing.scores import boundary, ratio_variance
from reports.intervals import LEVEL


def miettinen_nurminen(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """Score interval of the ratio with the factor N / (N - 1)."""
    z = normal_quantile(level)
    if not (arm.n and reference.n and arm.x + reference.x):
        return ratio_without_information(arm, reference, "miettinen-nurminen")
    low, turned = _lower_score(arm, reference, z), _lower_score(reference, arm, z)
    return bounded(arm, reference, low, 1 / turned if turned else None, "miettinen-nurminen")


def katz(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """Log-normal interval with variance 1/x1 - 1/n1 + 1/x0 - 1/n0.

    When an arm has no event, or both have nothing but events, one half is added to all four cells
    for the limits (Haldane and Anscombe), and the method is called ``katz-haldane``. The value is
    that of the counts all the same.
    """
    z = normal_quantile(level)
    if not (arm.n and reference.n and arm.x + reference.x):
        return ratio_without_information(arm, reference, "katz")
    adjust = not (arm.x and reference.x) or not (arm.without or reference.without)
    extra, method = (0.5, "katz-haldane") if adjust else (0.0, "katz")
    x1, n1, x0, n0 = (arm.x + extra, arm.n + 2 * extra,
                      reference.x + extra, reference.n + 2 * extra)  # fmt: skip
    half = z * math.sqrt(1 / x1 - 1 / n1 + 1 / x0 - 1 / n0)
    centre = x1 * n0 / (n1 * x0)
    return bounded(arm, reference, centre * math.exp(-half), centre * math.exp(half), method)


METHODS: Final[Mapping[str, Callable[..., Contrast]]] = {
    "miettinen-nurminen": miettinen_nurminen,
    "katz": katz,
}
"""Methods by the name that is printed; each takes ``(arm, reference, level)``. First is default."""


def bounded(arm: Arm, reference: Arm, low: float, high: float | None, method: str) -> Contrast:
    """A risk ratio with its limits, by the rules for zeros of this module."""
    value = ratio(arm, reference)
    if value is None:
        return Contrast(arm, reference, None, low, None, method)
    low = 0.0 if value == 0 else min(low, value)
    # Rounding in the last digit must not put the estimate outside its own interval.
    return Contrast(arm, reference, value, low, None if high is None else max(high, value), method)


def _lower_score(arm: Arm, reference: Arm, z: float) -> float:
    """Lower score limit of arm over reference, which together have at least one event."""
    if not arm.x:
        return 0.0
    p1, p0, square = arm.x / arm.n, reference.x / reference.n, z * z

    def excluded(assumed: float) -> bool:
        distance = p1 - assumed * p0
        return distance * distance > square * ratio_variance(arm, reference, assumed)

    inside = ratio(arm, reference) or 1.0
    while reference.x == 0 and excluded(inside):
        inside *= 2
    outside = inside / 2
    while not excluded(outside):
        inside, outside = outside, outside / 2
    return boundary(inside, outside, excluded)
