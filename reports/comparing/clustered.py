"""Two arms compared by session, when sessions cluster in patients who may have had both arms.

The clustered limits that each arm has by itself are combined (MOVER), with the correlation of the
two shares from the patients in both arms (:mod:`reports.comparing.sandwich`); 0 where an arm has no
variance. They are handed in, so that the comparison agrees with the rates printed beside it. Single
limits are defined with no event and with nothing else, and so is the comparison: no rule for zeros
of its own. The p value is that of the sandwich.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Final

from reports.comparing.arms import (
    Arm,
    Contrast,
    difference,
    difference_without_information,
    ratio_without_information,
)
from reports.comparing.mover import Part, difference_limits, ratio_limits
from reports.comparing.patients import TwoArms
from reports.comparing.ratios import bounded
from reports.comparing.sandwich import SandwichTest, arm_of, log_error, sandwich_test, spread_of
from reports.intervals import Estimate

DIFFERENCE: Final = "newcombe-clustered"
RATIO: Final = "mover-clustered"

Parts = tuple[Part | None, Part | None]


@dataclass(frozen=True, slots=True)
class ClusteredComparison:
    """Difference and ratio by session; ``patients`` had either arm, ``shared`` of them both.

    ``standard_error`` is that of the difference and ``log_standard_error`` that of the logarithm of
    the ratio, both by the sandwich; None where it has none.
    """

    difference: Contrast
    ratio: Contrast
    test: SandwichTest
    patients: int
    shared: int
    correlation: float
    standard_error: float | None
    log_standard_error: float | None


def compare(arms: TwoArms, limits: tuple[Estimate, Estimate]) -> ClusteredComparison:
    """Compare two arms by session, given the clustered interval of each by itself.

    Raises ValueError when ``limits`` are not those of the arms.
    """
    one, zero = arm_of(arms.arm), arm_of(arms.reference)
    parts = _part(limits[0], one), _part(limits[1], zero)
    spread = spread_of(arms)
    correlation = 0.0 if spread is None else spread.correlation
    error = None if spread is None else math.sqrt(spread.of_difference)
    return ClusteredComparison(
        _difference(one, zero, parts, correlation),
        _ratio(one, zero, parts, correlation),
        sandwich_test(arms),
        arms.patients,
        arms.shared.patients,
        correlation,
        error,
        log_error(one, zero, spread),
    )


def _part(estimate: Estimate, arm: Arm) -> Part | None:
    part = Part.of(estimate)
    if (part is None) != (arm.n == 0) or (part and not math.isclose(part.value, arm.x / arm.n)):
        raise ValueError(f"limits of {estimate.value} are not those of {arm.x} of {arm.n}")
    return part


def _difference(one: Arm, zero: Arm, parts: Parts, correlation: float) -> Contrast:
    if parts[0] is None or parts[1] is None:
        return difference_without_information(one, zero, DIFFERENCE)
    value = difference(one, zero)
    low, high = difference_limits(parts[0], parts[1], correlation)
    # Rounding in the last digit must not put the estimate outside its own interval.
    low, high = max(-1.0, min(low, value)), min(1.0, max(high, value))
    return Contrast(one, zero, value, low, high, DIFFERENCE)


def _ratio(one: Arm, zero: Arm, parts: Parts, correlation: float) -> Contrast:
    if parts[0] is None or parts[1] is None or not (one.x or zero.x):
        return ratio_without_information(one, zero, RATIO)
    return bounded(one, zero, *ratio_limits(parts[0], parts[1], correlation), RATIO)
