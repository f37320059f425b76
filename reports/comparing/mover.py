"""Limits of a difference or ratio recovered from the limits of its two parts.

MOVER, the method of variance estimates recovery: the distance from a value to its own limit stands
for its standard error on that side. With two Wilson intervals the difference is Newcombe's.

``correlation`` is that of the two estimated proportions, 0 for arms that share no patient.

Formulas: Zou and Donner, Stat Med 2008;27:1693-1702 (difference); Donner and Zou, Stat Methods Med
Res 2012;21:347-359 (ratio).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from reports.intervals import Estimate


@dataclass(frozen=True, slots=True)
class Part:
    """A proportion with its limits, 0 <= low <= value <= high <= 1."""

    low: float
    value: float
    high: float

    @classmethod
    def of(cls, estimate: Estimate) -> Part | None:
        """The numbers of an estimate, None for one without a value; ValueError when disordered."""
        low, value, high = estimate.low, estimate.value, estimate.high
        if value is None:
            return None
        if low is None or high is None or not 0 <= low <= value <= high <= 1:
            raise ValueError(f"no proportion between two limits: {low}, {value}, {high}")
        return cls(low, value, high)


def difference_limits(arm: Part, reference: Part, correlation: float = 0.0) -> tuple[float, float]:
    """Limits of ``arm`` minus ``reference``."""
    _check(correlation)
    delta = arm.value - reference.value
    return (
        delta - _distance(arm.value - arm.low, reference.high - reference.value, correlation),
        delta + _distance(arm.high - arm.value, reference.value - reference.low, correlation),
    )


def ratio_limits(
    arm: Part, reference: Part, correlation: float = 0.0
) -> tuple[float, float | None]:
    """Limits of ``arm`` over ``reference``; the upper is None where there is no bound."""
    _check(correlation)
    turned = _lower_ratio(reference, arm, correlation)
    return _lower_ratio(arm, reference, correlation), 1 / turned if turned else None


def _distance(one: float, other: float, correlation: float) -> float:
    # Written so that it cannot fall below 0 by rounding.
    return math.sqrt((one - other) ** 2 + 2 * (1 - correlation) * one * other)


def _lower_ratio(arm: Part, reference: Part, correlation: float) -> float:
    """The smaller ratio at which the limits of ``arm`` - ratio * ``reference`` reach 0."""
    above = arm.low * (2 * arm.value - arm.low)
    below = reference.high * (2 * reference.value - reference.high)
    covariance = correlation * (arm.value - arm.low) * (reference.high - reference.value)
    middle = arm.value * reference.value - covariance
    divisor = middle + math.sqrt(max(0.0, middle * middle - above * below))
    return above / divisor if above and divisor else 0.0


def _check(correlation: float) -> None:
    if not -1 <= correlation <= 1:
        raise ValueError(f"a correlation must lie between -1 and 1, not {correlation!r}")
