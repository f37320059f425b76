"""g and t charts: for events so rare that most periods have none.

They plot what lies **between** two events, so a **low point is bad**: events follow each other
quickly. The count that runs since the last event can only grow. It is shown, it may pass the upper
limit (good news), and it is never flagged low nor part of a run.

g chart: sessions between events (Benneyan 2001, Health Care Management Science 4:305-318). With the
mean gap g of the baseline the event has the chance p = 1 / (g + 1) a session and a gap of x or more
the chance (1 - p)^x. The centre is the median: 63 % of gaps are shorter than their mean, and a run
of eight below a mean comes by chance alone. Limits are probability limits; mean +- 3 sigma has
nearly never a lower one.

t chart: time between events. y = x^0.2777 makes exponential times nearly normal (Nelson 1994,
Journal of Quality Technology 26:265-268); individuals chart on y with limits mean +- 2.66 mean
moving range, and back.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final, TypeAlias

from reports.charts.families import TAIL, agreeing, normal_score, probability_limits
from reports.charts.points import (
    Baseline,
    Chart,
    Point,
    Settings,
    check_count,
    choose_baseline,
    standing,
)
from reports.charts.rules import BEYOND, broken_rules
from reports.charts.shewhart import MOVING_RANGE, mean_moving_range

NELSON: Final = 0.2777
"""Exponent of the t chart: 1 / 3.6, to the digits that Nelson uses."""

_DEFAULT: Final = Settings()


@dataclass(frozen=True, slots=True)
class Gap:
    """What lies between an event and the one before it: sessions without it, or time.

    Raises ValueError for anything negative or endless.
    """

    label: str
    between: float

    def __post_init__(self) -> None:
        if not (math.isfinite(self.between) and self.between >= 0):
            raise ValueError(f"the gap before {self.label} must be 0 or more: {self.between!r}")


@dataclass(frozen=True, slots=True)
class Running(Gap):
    """What has passed since the last event without another."""


def gaps_between(cases: Sequence[tuple[str, bool]]) -> tuple[list[Gap], Running | None]:
    """Count the sessions between events in a sequence of sessions, each with its label.

    What lies before the first event is no gap between events. The running count is None until
    there was an event.
    """
    gaps: list[Gap] = []
    since: int | None = None
    for label, event in cases:
        if event and since is not None:
            gaps.append(Gap(label, since))
        if event:
            since = 0
        elif since is not None:
            since += 1
    return gaps, None if since is None else Running("running", since)


def g_chart(
    gaps: Sequence[Gap],
    running: Running | None = None,
    settings: Settings = _DEFAULT,
    *,
    tail: float = TAIL,
) -> Chart:
    """Chart of the sessions between events. Gaps are sessions without the event.

    ``tail`` is the chance of a point beyond each limit in control. Numerator and denominator of a
    point are its one event and the sessions that led to it. Raises ValueError for gaps that are no
    whole numbers and a tail outside 0 to 0.5.
    """
    for gap in [*gaps, *([running] if running else [])]:
        check_count(gap.between, f"the gap before {gap.label}")
    if not 0 < tail < 0.5:
        raise ValueError(f"tail must lie between 0 and 0.5, not {tail!r}")
    baseline = choose_baseline(settings.baseline, [True] * len(gaps))
    mean = fmean(gaps[at].between for at in baseline.positions) if baseline.positions else 0.0
    scale = _geometric(mean, tail) if mean else None
    shape = _Shape("g", "g, probability limits", f"{100 * tail:.3g} % in each tail", 1)
    return _drawn(shape, scale, (gaps, running), baseline, settings)


def t_chart(
    gaps: Sequence[Gap], running: Running | None = None, settings: Settings = _DEFAULT
) -> Chart:
    """Chart of the time between events, in the unit of the gaps.

    Numerator and denominator of a point are its one event and the time that led to it.
    """
    baseline = choose_baseline(settings.baseline, [True] * len(gaps))
    turned = [gaps[at].between ** NELSON for at in baseline.positions]
    moving = mean_moving_range(turned)
    scale = _transformed(fmean(turned), moving / MOVING_RANGE) if moving else None
    shape = _Shape("t", "t, x^0.2777", "mean moving range of x^0.2777 / 1.128", 0)
    return _drawn(shape, scale, (gaps, running), baseline, settings)


@dataclass(frozen=True, slots=True)
class _Shape:
    """Words of a chart, and the sessions that an event itself adds to its gap."""

    kind: str
    method: str
    sigma: str
    own: int


@dataclass(frozen=True, slots=True)
class _Scale:
    """Centre, limits and how many sigmas out a gap lies."""

    centre: float
    lower: float
    upper: float
    z: Callable[[float], float]


_Lines: TypeAlias = tuple[float | None, float | None, float | None]


def _geometric(mean: float, tail: float) -> _Scale:
    stay = -math.log1p(1 / mean)  # ln(1 - p) with p = 1 / (mean + 1), right also for huge means

    def at_most(x: int) -> float:
        return -math.expm1((x + 1) * stay)

    def at_least(x: int) -> float:
        return math.exp(x * stay)

    low, high = probability_limits(at_most, at_least, tail)
    median, _ = probability_limits(at_most, at_least, 0.5)
    # Sigmas are stretched so that 3 of them are the limits, whatever tail was asked for.
    stretch = 3 / normal_score(1, 1.0, tail)

    def z(gap: float) -> float:
        score = normal_score(gap - median, at_most(int(gap)), at_least(int(gap)))
        return agreeing(stretch * score, outside=not low <= gap <= high)

    return _Scale(median, low, high, z)


def _transformed(mean: float, sigma: float) -> _Scale:
    def back(turned: float) -> float:
        return float(max(0.0, turned) ** (1 / NELSON))

    lower, upper = back(mean - 3 * sigma), back(mean + 3 * sigma)
    return _Scale(back(mean), lower, upper, lambda gap: (gap**NELSON - mean) / sigma)


def _drawn(
    shape: _Shape,
    scale: _Scale | None,
    gaps: tuple[Sequence[Gap], Running | None],
    baseline: Baseline,
    settings: Settings,
) -> Chart:
    ended, running = gaps
    lines: _Lines = (scale.centre, scale.lower, scale.upper) if scale else (None, None, None)
    broken = broken_rules(
        [scale.z(gap.between) if scale else None for gap in ended], settings.rules
    )
    points = [
        Point(gap.label, gap.between, *lines, 1, gap.between + shape.own, rules)
        for gap, rules in zip(ended, broken, strict=True)
    ]
    if running:
        points.append(_still_running(running, lines))
    return Chart(
        shape.kind,
        shape.method,
        tuple(points),
        lines[0],
        shape.sigma if scale else "none",
        baseline,
        bad="below",
        warnings=(*standing(baseline, points), *_doubts(scale)),
        annotations=settings.annotations,
    )


def _still_running(running: Running, lines: _Lines) -> Point:
    upper = lines[2]
    rules = (BEYOND.name,) if upper is not None and running.between > upper else ()
    return Point(running.label, running.between, *lines, 0, running.between, rules, running=True)


def _doubts(scale: _Scale | None) -> list[str]:
    if scale is None:
        return ["No limits: the baseline does not vary."]
    if scale.lower <= 0:
        return ["No gap is short enough to lie below the lower limit: read the runs."]
    return []
