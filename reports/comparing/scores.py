"""What the score limits of Miettinen and Nurminen (1985) share.

A score limit is where the squared distance between the observed and the assumed contrast equals
z² times the variance *under the assumed contrast*. The variance is taken at the most likely
proportions among those that have this contrast, times N / (N - 1).

Limits are found by halving between a point that is inside and one that is outside. No derivative,
no division by a variance that may be 0: it works at 0 of n and n of n as everywhere else.
"""

from __future__ import annotations

import math
from collections.abc import Callable

from reports.comparing.arms import Arm


def boundary(inside: float, outside: float, excluded: Callable[[float], bool]) -> float:
    """Last value seen from ``inside`` that is not excluded, as exact as floats allow."""
    while True:
        middle = inside + (outside - inside) / 2
        if middle in (inside, outside):
            return inside
        if excluded(middle):
            outside = middle
        else:
            inside = middle


def difference_variance(arm: Arm, reference: Arm, delta: float) -> float:
    """Variance of the difference of proportions when it truly is ``delta`` (-1 to 1)."""
    p0 = _reference_at_difference(arm, reference, delta)
    p1 = min(1.0, max(0.0, p0 + delta))
    both = arm.n + reference.n
    spread = p1 * (1 - p1) / arm.n + p0 * (1 - p0) / reference.n
    return spread * both / (both - 1)


def ratio_variance(arm: Arm, reference: Arm, ratio: float) -> float:
    """Variance of p1 - ``ratio`` * p0 when the ratio of proportions truly is ``ratio``."""
    p0 = _reference_at_ratio(arm, reference, ratio)
    p1 = min(1.0, ratio * p0)
    both = arm.n + reference.n
    spread = p1 * (1 - p1) / arm.n + ratio * ratio * p0 * (1 - p0) / reference.n
    return spread * both / (both - 1)


def _reference_at_difference(arm: Arm, reference: Arm, delta: float) -> float:
    """Most likely proportion of the reference, given the difference (Miettinen and Nurminen).

    The middle root of a cubic, by its cosine form, then two Newton steps: the arc cosine alone
    loses half of the digits near the edges.
    """
    both, events = arm.n + reference.n, arm.x + reference.x
    c2 = (arm.n + 2 * reference.n) * delta - both - events
    c1 = (reference.n * delta - both - 2 * reference.x) * delta + events
    c0 = reference.x * delta * (1 - delta)
    shift = c2 / (3 * both)
    q = shift**3 - c1 * c2 / (6 * both * both) + c0 / (2 * both)
    length = math.copysign(math.sqrt(max(0.0, shift * shift - c1 / (3 * both))), q)
    cosine = min(1.0, max(-1.0, q / length**3)) if length else 0.0
    root = 2 * length * math.cos((math.pi + math.acos(cosine)) / 3) - shift
    low, high = max(0.0, -delta), min(1.0, 1 - delta)
    root = min(high, max(low, root))
    for _ in range(2):
        root = _closer(root, (both, c2, c1, c0), low, high)
    return root


def _closer(
    root: float, cubic: tuple[float, float, float, float], low: float, high: float
) -> float:
    """One Newton step within the limits, taken only if it makes the cubic smaller."""
    c3, c2, c1, c0 = cubic
    slope = (3 * c3 * root + 2 * c2) * root + c1
    if not slope:
        return root
    value = ((c3 * root + c2) * root + c1) * root + c0
    step = min(high, max(low, root - value / slope))
    return step if abs(((c3 * step + c2) * step + c1) * step + c0) < abs(value) else root


def _reference_at_ratio(arm: Arm, reference: Arm, ratio: float) -> float:
    """Most likely proportion of the reference, given the ratio: the smaller root of a quadratic.

    Its discriminant is written as a sum of terms that are never negative.
    """
    heavy, light = ratio * (arm.n + reference.x), float(reference.n + arm.x)
    spread = (heavy - light) ** 2 + 4 * ratio * arm.without * reference.without
    return min(1.0, 2 * (arm.x + reference.x) / (heavy + light + math.sqrt(spread)))
