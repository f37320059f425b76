"""Odds ratio of two independent proportions, arm over reference, with limits.

Woolf's logarithmic limits (1955) are the textbook method. The exact limits are Cornfield's (1956):
they take the totals as given and cut off half of the error at each end; the mid-p version counts
half of the observed table, and is closer to the level on average. Their value is the most likely
odds ratio given the totals, which differs a little from the ratio of the odds.

**Rules for zeros.** No event in either arm, or nothing but events, is no information: value None,
limits 0 and None. With a zero that makes the odds ratio infinite, value and upper limit are None;
with one that makes it 0, value and lower limit are 0.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from typing import Any, Final

from reports.comparing.arms import Arm, Contrast, normal_quantile, ratio_without_information
from reports.comparing.hypergeometric import Weights, around_observed, support
from reports.comparing.scores import boundary
from reports.intervals import LEVEL, check_level


def woolf(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """Log-normal interval with variance 1/a + 1/b + 1/c + 1/d of the four cells.

    With a zero, one half is added to all four cells for the limits (Haldane and Anscombe), and the
    method is called ``woolf-haldane``. The value is that of the counts all the same.
    """
    z = normal_quantile(level)
    if not _informative(arm, reference):
        return ratio_without_information(arm, reference, "woolf")
    cells = (arm.x, arm.without, reference.x, reference.without)
    extra, method = (0.0, "woolf") if all(cells) else (0.5, "woolf-haldane")
    a, b, c, d = (cell + extra for cell in cells)
    half = z * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d)
    centre = (a * d) / (b * c)
    value = _of_counts(arm, reference)
    return _bounded(arm, reference, value, (centre * math.exp(-half), centre * math.exp(half)),
                    method)  # fmt: skip


def conditional(arm: Arm, reference: Arm, level: float = LEVEL, *, mid_p: bool = False) -> Contrast:
    """Exact conditional limits (Cornfield 1956), or with half of the observed table (mid-p)."""
    check_level(level)
    method = "mid-p" if mid_p else "exact-conditional"
    if not _informative(arm, reference):
        return ratio_without_information(arm, reference, method)
    weights = around_observed(arm, reference)
    place = arm.x - weights.first
    tail, counted = (1 - level) / 2, 0.5 if mid_p else 1.0
    low = _solve(weights, lambda chances: _upper_tail(chances, place, counted) - tail)
    high = _solve(weights, lambda chances: tail - _upper_tail(chances[::-1], -1 - place, counted))
    value = _most_likely(arm, reference, weights)
    return _bounded(arm, reference, value, (low, high), method)


def conditional_mid_p(arm: Arm, reference: Arm, level: float = LEVEL) -> Contrast:
    """The mid-p version of :func:`conditional`."""
    return conditional(arm, reference, level, mid_p=True)


METHODS: Final[Mapping[str, Callable[..., Contrast]]] = {
    "mid-p": conditional_mid_p,
    "exact-conditional": conditional,
    "woolf": woolf,
}
"""Methods by the name that is printed; each takes ``(arm, reference, level)``. First is default."""


def _informative(arm: Arm, reference: Arm) -> bool:
    least, most = support(arm, reference)
    return bool(arm.n and reference.n) and least < most


def _of_counts(arm: Arm, reference: Arm) -> float | None:
    below = arm.without * reference.x
    return arm.x * reference.without / below if below else None


def _bounded(
    arm: Arm,
    reference: Arm,
    value: float | None,
    limits: tuple[float, float],
    method: str,
) -> Contrast:
    low, high = limits
    if value is None:
        return Contrast(arm, reference, None, low, None, method)
    return Contrast(
        arm, reference, value, 0.0 if value == 0 else min(low, value), max(high, value), method
    )


def _upper_tail(chances: Any, place: int, counted: float) -> float:
    """Probability of more events than observed, and ``counted`` of the observed count."""
    return float(chances[place:].sum() - (1 - counted) * chances[place])


def _most_likely(arm: Arm, reference: Arm, weights: Weights) -> float | None:
    """Odds ratio at which the observed count is the expected one."""
    import numpy as np

    least, most = support(arm, reference)
    if arm.x == least:
        return 0.0
    if arm.x == most:
        return None
    counts = np.arange(len(weights.logs)) - float(arm.x - weights.first)
    return _solve(weights, lambda chances: float((chances * counts).sum()))


def _solve(weights: Weights, rising: Callable[[Any], float]) -> float:
    """Odds ratio at which ``rising`` crosses 0; it is given the probabilities at an odds ratio."""
    import numpy as np

    steps = np.arange(len(weights.logs))

    def above(log_ratio: float) -> bool:
        logs = weights.logs + steps * log_ratio
        chances = np.exp(logs - logs.max())
        return rising(chances / chances.sum()) > 0

    # No log odds ratio of real counts is anywhere near 700, the end of the doubles.
    return math.exp(boundary(-700.0, 700.0, above))
