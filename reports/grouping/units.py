"""What goes into a funnel: the units, and how its limits are widened."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, SupportsIndex

from reports.grouping.checks import factor, whole, x_of_n
from reports.grouping.dispersion import SHARE
from reports.grouping.limits import Scale

Variant = Literal["multiplicative", "additive", "none"]


@dataclass(frozen=True, slots=True)
class Unit:
    """A site or a nurse: ``x`` of ``n`` sessions. Raises ValueError for counts that cannot be.

    A ``design_effect`` below 1 is taken as 1.
    """

    name: str
    x: SupportsIndex
    n: SupportsIndex
    design_effect: float = 1.0

    def __post_init__(self) -> None:
        x_of_n(self.x, self.n)
        factor(self.design_effect, "design_effect")

    @property
    def effective(self) -> float:
        """Independent sessions that say as much as the unit's."""
        return whole(self.n, "n") / factor(self.design_effect, "design_effect")


@dataclass(frozen=True, slots=True)
class Settings:
    """How limits are widened: scale of the z scores, variant, share winsorised at each end."""

    scale: Scale = "score"
    variant: Variant = "multiplicative"
    share: float = SHARE

    def __post_init__(self) -> None:
        if self.scale not in {"score", "arcsine"}:
            raise ValueError(f"scale must be score or arcsine, not {self.scale!r}")
        if self.variant not in {"multiplicative", "additive", "none"}:
            raise ValueError(f"variant must be multiplicative, additive or none: {self.variant!r}")
        if not 0 <= self.share < 0.5:
            raise ValueError(f"share must be at least 0 and below 0.5, not {self.share!r}")
