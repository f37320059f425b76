"""EWMA chart: the exponentially weighted moving average of shares or rates.

E = w x + (1 - w) E before, started at the centre of the frozen baseline. Its variance in control is
exact for periods of unequal size: V = w^2 var(x) + (1 - w)^2 V before, with var(x) from the
binomial or Poisson law on the period's own exposure. Limits are centre +- L sqrt(V), cut at what is
possible. With equal periods this is the usual w / (2 - w) (1 - (1 - w)^(2 t)) var(x).

Default w = 0.2 and L = 2.86: one false signal in about 370 points of normal values, as with 3 sigma
limits (Lucas and Saccucci 1990, Technometrics 32:1-12). Neighbouring points share their history, so
run rules say nothing here: only a point beyond the limits counts.

A period in which nothing was exposed has no value and leaves the average where it was.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.charts.families import BINOMIAL, POISSON, Family, check_sessions
from reports.charts.points import Chart, Period, Point, Settings, choose_baseline, standing
from reports.charts.rules import broken_rules
from reports.charts.shewhart import pooled

_DEFAULT: Final = Settings()


@dataclass(frozen=True, slots=True)
class Smoothing:
    """The weight of the newest period and the reach of the limits in sigmas.

    Raises ValueError unless 0 < weight <= 1 and reach > 0.
    """

    weight: float = 0.2
    reach: float = 2.86

    def __post_init__(self) -> None:
        if not 0 < self.weight <= 1:
            raise ValueError(f"weight must lie above 0 and up to 1, not {self.weight!r}")
        if not (math.isfinite(self.reach) and self.reach > 0):
            raise ValueError(f"reach must be above 0, not {self.reach!r}")

    def follow(self, level: float, value: float) -> float:
        """Give the average after one more value."""
        return self.weight * value + (1 - self.weight) * level

    def spread(self, variance: float, added: float) -> float:
        """Give the variance of the average after one more value, which has variance ``added``."""
        return self.weight**2 * added + (1 - self.weight) ** 2 * variance


_USUAL: Final = Smoothing()


def ewma_p(
    periods: Sequence[Period], smoothing: Smoothing = _USUAL, settings: Settings = _DEFAULT
) -> Chart:
    """EWMA chart of the share of sessions with the event; ``settings.rules`` is not used.

    Raises ValueError for more events than sessions and for part of a session.
    """
    check_sessions(periods)
    return _drawn("ewma p", BINOMIAL, periods, smoothing, settings)


def ewma_u(
    periods: Sequence[Period], smoothing: Smoothing = _USUAL, settings: Settings = _DEFAULT
) -> Chart:
    """EWMA chart of events per unit of exposure; ``settings.rules`` is not used."""
    return _drawn("ewma u", POISSON, periods, smoothing, settings)


def _drawn(
    kind: str,
    family: Family,
    periods: Sequence[Period],
    smoothing: Smoothing,
    settings: Settings,
) -> Chart:
    baseline = choose_baseline(settings.baseline, [period.exposed > 0 for period in periods])
    centre = pooled(periods, baseline)
    points = _points(family, periods, smoothing, centre)
    return Chart(
        kind,
        f"{kind}, weight {smoothing.weight:g}, {smoothing.reach:g} sigma",
        points,
        centre,
        f"{family.name} sigma of the average",
        baseline,
        warnings=(*standing(baseline, points), *_doubts(family, centre)),
        annotations=settings.annotations,
    )


def _points(
    family: Family, periods: Sequence[Period], smoothing: Smoothing, centre: float | None
) -> tuple[Point, ...]:
    if centre is None:
        return tuple(_empty(period, None) for period in periods)
    level, variance = centre, 0.0
    points = []
    for period in periods:
        if not period.exposed:
            points.append(_empty(period, centre))
            continue
        level = smoothing.follow(level, period.count / period.exposed)
        variance = smoothing.spread(variance, family.variance(centre, period.exposed))
        reach = smoothing.reach * math.sqrt(variance)
        points.append(_point(period, level, centre, reach, family.ceiling))
    return tuple(points)


def _point(period: Period, level: float, centre: float, reach: float, ceiling: float) -> Point:
    if not reach:
        return Point(period.label, level, centre, None, None, period.count, period.exposed)
    lower, upper = max(0.0, centre - reach), min(ceiling, centre + reach)
    rules = broken_rules([3 * (level - centre) / reach], "limits")[0]
    return Point(period.label, level, centre, lower, upper, period.count, period.exposed, rules)


def _empty(period: Period, centre: float | None) -> Point:
    return Point(period.label, None, centre, None, None, period.count, period.exposed)


def _doubts(family: Family, centre: float | None) -> list[str]:
    if centre is None:
        return ["No limits: nothing was exposed in the baseline."]
    if family.variance(centre, 1.0) <= 0:
        return ["No limits: the baseline does not vary."]
    return []
