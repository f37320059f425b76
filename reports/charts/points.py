"""What every control chart is made of: periods in, points out, and the frozen baseline."""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from operator import index
from typing import Final, Literal, TypeAlias

BASELINE: Final = 20
"""Default number of baseline periods: with fewer the chart says that it is provisional."""

Side: TypeAlias = Literal["above", "below"]


@dataclass(frozen=True, slots=True)
class Period:
    """One period: ``count`` sessions or events among ``exposed`` sessions (or any other measure).

    ``exposed`` of 0 is a period in which nobody was exposed. Raises ValueError for a count that is
    no count, exposure that is negative or endless, and events without exposure.
    """

    label: str
    count: int
    exposed: float

    def __post_init__(self) -> None:
        check_count(self.count, f"the count of {self.label}")
        if not (math.isfinite(self.exposed) and self.exposed >= 0):
            raise ValueError(f"the exposure of {self.label} must be 0 or more: {self.exposed!r}")
        if self.count and not self.exposed:
            raise ValueError(f"{self.label} counts {self.count} without exposure")


@dataclass(frozen=True, slots=True)
class Annotation:
    """A remark at a point, such as a new form or training: passed through as it is."""

    label: str
    text: str


@dataclass(frozen=True, slots=True)
class Point:
    """One plotted point.

    ``value`` is None where nothing was exposed or nothing is known. ``centre``, ``lower`` and
    ``upper`` are None where no limits can be drawn. ``numerator`` and ``denominator`` are those of
    this point alone. ``rules`` names the rules that flag it. ``running`` marks a count that has not
    ended: it can only grow.
    """

    label: str
    value: float | None
    centre: float | None
    lower: float | None
    upper: float | None
    numerator: float
    denominator: float
    rules: tuple[str, ...] = ()
    running: bool = False

    @property
    def flag(self) -> bool:
        """Whether any rule flags this point."""
        return bool(self.rules)

    @property
    def side(self) -> Side | None:
        """The side of the centre on which the point lies, None on it or without a value."""
        if self.value is None or self.centre is None or self.value == self.centre:
            return None
        return "above" if self.value > self.centre else "below"


@dataclass(frozen=True, slots=True)
class Baseline:
    """The points that the centre and the limits come from, by position, and how many were wanted.

    It is frozen: later points never move it, so a signal cannot hide in its own limits.
    """

    positions: tuple[int, ...]
    wanted: int

    @property
    def provisional(self) -> bool:
        """Whether fewer points than wanted were there."""
        return len(self.positions) < self.wanted

    @property
    def words(self) -> str:
        """Say how many points the baseline has."""
        told = f"{len(self.positions)} points"
        return f"{told}, provisional: {self.wanted} are wanted" if self.provisional else told


@dataclass(frozen=True, slots=True)
class Chart:
    """A control chart.

    ``bad`` is the side on which a signal is bad news. ``sigma`` and ``method`` are words for the
    legend, ``warnings`` sentences that must stand beside the chart.
    """

    kind: str
    method: str
    points: tuple[Point, ...]
    centre: float | None
    sigma: str
    baseline: Baseline
    bad: Side = "above"
    warnings: tuple[str, ...] = ()
    annotations: tuple[Annotation, ...] = ()

    @property
    def provisional(self) -> bool:
        """Whether the baseline is shorter than wanted."""
        return self.baseline.provisional

    @property
    def flagged(self) -> tuple[Point, ...]:
        """The flagged points."""
        return tuple(point for point in self.points if point.flag)


@dataclass(frozen=True, slots=True)
class Settings:
    """What the reader chooses.

    ``baseline`` is how many exposed points make it, from the first on, or the positions of them
    (a range, or a list that leaves out points with a known cause). ``rules`` names a set of
    :data:`reports.charts.rules.RULE_SETS`.
    """

    baseline: int | Sequence[int] = BASELINE
    rules: str = "sparing"
    annotations: tuple[Annotation, ...] = ()


def choose_baseline(wanted: int | Sequence[int], exposed: Sequence[bool]) -> Baseline:
    """Pick the baseline among the points; those without exposure hold nothing and are passed by.

    Raises ValueError for a number below 1 and for positions that are not there or come twice.
    """
    if isinstance(wanted, int):
        if wanted < 1:
            raise ValueError(f"a baseline needs 1 point or more, not {wanted}")
        usable = [position for position, there in enumerate(exposed) if there]
        return Baseline(tuple(usable[:wanted]), wanted)
    positions = sorted(wanted)
    if not positions or len(set(positions)) < len(positions):
        raise ValueError("the positions of a baseline must be there, each once")
    if positions[0] < 0 or positions[-1] >= len(exposed):
        raise ValueError(f"a baseline must lie within the {len(exposed)} points")
    return Baseline(tuple(position for position in positions if exposed[position]), BASELINE)


def standing(baseline: Baseline, points: Sequence[Point]) -> list[str]:
    """Say what is weak about a baseline: too short, or with a signal of its own."""
    said = []
    if baseline.provisional:
        said.append(
            f"Provisional: the baseline has {len(baseline.positions)} of {baseline.wanted} points."
        )
    inside = [points[at].label for at in baseline.positions if points[at].flag]
    if inside:
        said.append(f"The baseline holds signals of its own: {', '.join(inside)}.")
    return said


def check_count(number: object, name: str) -> None:
    """Raise ValueError unless ``number`` is a whole number of 0 or more."""
    try:
        count = index(number)  # type: ignore[arg-type]
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {number!r}") from None
    if count < 0 or isinstance(number, bool):
        raise ValueError(f"{name} must be a count of 0 or more, not {number!r}")
