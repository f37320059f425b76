"""Events of the arm when the totals of a two-by-two table are fixed: Fisher's distribution.

With the number of events given, the count in the arm is hypergeometric; with an odds ratio of psi
each count k weighs psi**k times as much (Fisher 1935). Weights are kept as logarithms relative to
the observed count and built from the ratios of neighbours, so they neither overflow nor lose digits
at a thousand million patients an arm.

Only counts near the centre are looked at. For a p value, which may be tiny, that is 40 standard
deviations and 300 counts to each side: what lies beyond has a probability below e**-790 by
Bennett's inequality (the distribution is a sum of independent yes-or-no variables), less than the
smallest double. For limits, which cut off per cents, it is 15 and 100.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Any, Final

from reports.comparing.arms import Arm

_FOR_P: Final = (40, 300)
_FOR_LIMITS: Final = (15, 100)


@dataclass(frozen=True, slots=True)
class Weights:
    """Counts ``first``, ``first + 1``, ... and the logarithms of their weights at odds ratio 1.

    ``logs`` is a numpy array; the weight of the observed count may be far below those around it.
    """

    first: int
    logs: Any


def support(arm: Arm, reference: Arm) -> tuple[int, int]:
    """Least and greatest number of events that the arm can have, given all events."""
    events = arm.x + reference.x
    return max(0, events - reference.n), min(arm.n, events)


def around(arm: Arm, reference: Arm, centre: float, reach: float) -> Weights:
    """Weights of the counts up to ``reach`` from ``centre``, within the support."""
    import numpy as np

    least, most = support(arm, reference)
    first = max(least, math.floor(centre - reach))
    last = min(most, math.ceil(centre + reach))
    k = np.arange(first, last, dtype=float)
    events = arm.x + reference.x
    up = (arm.n - k) * (events - k)
    down = (k + 1) * (reference.n - events + k + 1)
    return Weights(first, np.concatenate(([0.0], np.cumsum(np.log(up / down)))))


def under_no_difference(arm: Arm, reference: Arm) -> Weights:
    """Weights around the expected count; the observed one may lie outside."""
    both, events = arm.n + reference.n, arm.x + reference.x
    mean = arm.n * events / both
    variance = mean * (reference.n / both) * ((both - events) / max(1, both - 1))
    return around(arm, reference, mean, _reach(variance, *_FOR_P))


def around_observed(arm: Arm, reference: Arm) -> Weights:
    """Weights around the observed count, wide enough for every odds ratio that limits can have."""
    cells = (arm.x, arm.without, reference.x, reference.without)
    variance = 1 / sum(1 / (cell + 1) for cell in cells)
    return around(arm, reference, arm.x, _reach(variance, *_FOR_LIMITS))


def _reach(variance: float, deviations: int, counts: int) -> float:
    return deviations * math.sqrt(variance) + counts
