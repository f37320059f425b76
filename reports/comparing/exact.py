"""Fisher's exact test of two proportions, two-sided, and its mid-p version.

A table is as extreme as the observed one when it is no more likely (Fisher 1935, as in R and
scipy). The mid-p version counts half of the observed table (Lancaster 1961), which takes away most
of the conservatism; the two-sided mid-p here is p less half of the observed probability
(Fagerland, Lydersen and Laake, Statistical Analysis of Contingency Tables, 2017, chapter 4).
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

from reports.comparing.arms import Arm
from reports.comparing.hypergeometric import support, under_no_difference

# Tables that are equally likely differ in the last digits; R takes the same allowance.
_SAME: Final = 1 + 1e-7


@dataclass(frozen=True, slots=True)
class ExactTest:
    """Two-sided p values of no difference; None when an arm is empty."""

    arm: Arm
    reference: Arm
    p: float | None
    mid_p: float | None
    method: str = "fisher"


def fisher(arm: Arm, reference: Arm) -> ExactTest:
    """Fisher's test. Where only one table is possible (no event at all) both p values are 1."""
    import numpy as np

    if not (arm.n and reference.n):
        return ExactTest(arm, reference, None, None)
    least, most = support(arm, reference)
    if least == most:
        return ExactTest(arm, reference, 1.0, 1.0)
    weights = under_no_difference(arm, reference)
    place = arm.x - weights.first
    if not 0 <= place < len(weights.logs):
        return ExactTest(arm, reference, 0.0, 0.0)  # below the smallest double
    chances = np.exp(weights.logs - weights.logs.max())
    total = chances.sum()
    observed = float(chances[place] / total)
    # Small before large: the sum of a far tail keeps its digits.
    tail = np.sort(chances[chances <= chances[place] * _SAME])
    p = min(1.0, float(tail.sum() / total))
    return ExactTest(arm, reference, p, p - observed / 2)
