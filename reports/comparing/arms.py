"""The counts of one arm, and what comes of comparing two."""

from __future__ import annotations

from dataclasses import dataclass

from reports.intervals import whole_number


@dataclass(frozen=True, slots=True)
class Arm:
    """``x`` with the event of ``n`` exposed, in patients or in sessions.

    Raises ValueError for counts that cannot be.
    """

    x: int
    n: int

    def __post_init__(self) -> None:
        object.__setattr__(self, "x", whole_number(self.x, "x"))
        object.__setattr__(self, "n", whole_number(self.n, "n"))
        if self.x > self.n:
            raise ValueError(f"x = {self.x} is more than n = {self.n}")

    @property
    def value(self) -> float | None:
        """Proportion with the event, None when nobody was exposed."""
        return self.x / self.n if self.n else None

    @property
    def without(self) -> int:
        """How many were exposed and did not have the event."""
        return self.n - self.x


@dataclass(frozen=True, slots=True)
class Contrast:
    """A difference or ratio, ``arm`` against ``reference``, with its limits.

    ``value`` is None when an arm is empty, and for a ratio that has no finite value. ``high`` is
    None for a ratio without an upper bound; the limits of a difference are always numbers.
    """

    arm: Arm
    reference: Arm
    value: float | None
    low: float
    high: float | None
    method: str


def difference_without_information(arm: Arm, reference: Arm, method: str) -> Contrast:
    """Nothing is known of the difference: it lies between -1 and 1."""
    return Contrast(arm, reference, None, -1.0, 1.0, method)


def ratio_without_information(arm: Arm, reference: Arm, method: str) -> Contrast:
    """Nothing is known of the ratio: it is 0 or more."""
    return Contrast(arm, reference, None, 0.0, None, method)


def difference(arm: Arm, reference: Arm) -> float:
    """``arm`` minus ``reference``, rounded once; both must have somebody exposed."""
    return (arm.x * reference.n - reference.x * arm.n) / (arm.n * reference.n)


def ratio(arm: Arm, reference: Arm) -> float | None:
    """``arm`` over ``reference``, rounded once; None without an event in the reference."""
    events = reference.x * arm.n
    return arm.x * reference.n / events if events else None


def normal_quantile(level: float) -> float:
    """Number of standard errors on each side of a two-sided interval; ValueError for no level."""
    from statistics import NormalDist

    from reports.intervals import check_level

    check_level(level)
    return NormalDist().inv_cdf((1 + level) / 2)
