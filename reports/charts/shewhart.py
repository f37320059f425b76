"""p and u charts: each period against a frozen baseline, on its own exposure.

With ``n`` exposed and the baseline share ``p`` (all its events over all its exposure):

- ``sigma``: p +- 3 sqrt(p (1 - p) / n), and u +- 3 sqrt(u / n), cut at what is possible;
- ``exact``: the counts beyond which the binomial or Poisson law puts 0.135 % at most. With rare
  events 3 sigma limits are wrong: at 0.2 events expected a period, a single period with two passes
  the upper one in 1.8 % of periods, not in 0.135 %;
- ``laney``: sigma times sigma-z, the mean moving range of the standardised baseline / 1.128
  (Laney 2002, Quality Engineering 14:531-537). Sessions of one patient are alike, so plain limits
  are too narrow; where periods are more alike than chance, sigma-z is below 1 and they narrow.

A period in which nothing was exposed has no value. It breaks runs and changes no limit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import pairwise
from statistics import fmean
from typing import Final

from reports.charts.families import (
    BINOMIAL,
    POISSON,
    Family,
    agreeing,
    check_sessions,
    normal_score,
    probability_limits,
)
from reports.charts.points import (
    Baseline,
    Chart,
    Period,
    Point,
    Settings,
    choose_baseline,
    standing,
)
from reports.charts.rules import ROUNDING, broken_rules

LIMITS: Final = ("sigma", "exact", "laney")
"""Kinds of limits of a p or u chart, by the name that is asked for."""

MOVING_RANGE: Final = 1.128
"""Expected range of two normal values in sigmas (2 / sqrt(pi)), to the digits that Laney uses."""

FEW_EVENTS: Final = 5.0
"""Events expected a period below which 3 sigma limits mislead: the usual rule of thumb."""

_DEFAULT: Final = Settings()


def p_chart(
    periods: Sequence[Period], limits: str = "sigma", settings: Settings = _DEFAULT
) -> Chart:
    """Chart of the share of sessions with the event. Values are shares from 0 to 1.

    Raises ValueError for more events than sessions, part of a session, and names not known.
    """
    check_sessions(periods)
    return _drawn(_Frame("p", BINOMIAL, limits, 1.0), periods, settings)


def u_chart(
    periods: Sequence[Period],
    limits: str = "sigma",
    settings: Settings = _DEFAULT,
    *,
    per: float = 1.0,
) -> Chart:
    """Chart of events by exposure. Values are events per ``per`` units of exposure.

    Raises ValueError for names not known, and a ``per`` that is not above 0.
    """
    if not (math.isfinite(per) and per > 0):
        raise ValueError(f"per must be above 0, not {per!r}")
    return _drawn(_Frame("u", POISSON, limits, per), periods, settings)


def mean_moving_range(values: Sequence[float]) -> float | None:
    """Mean distance of neighbours, None with fewer than two values."""
    ranges = [abs(b - a) for a, b in pairwise(values)]
    return fmean(ranges) if ranges else None


def pooled(periods: Sequence[Period], baseline: Baseline) -> float | None:
    """All events of the baseline over all its exposure, None without any."""
    chosen = [periods[position] for position in baseline.positions]
    exposed = math.fsum(period.exposed for period in chosen)
    return sum(period.count for period in chosen) / exposed if exposed else None


@dataclass(frozen=True, slots=True)
class _Frame:
    """What kind of chart is drawn."""

    letter: str
    family: Family
    limits: str
    per: float

    def __post_init__(self) -> None:
        if self.limits not in LIMITS:
            raise ValueError(f"limits must be one of {', '.join(LIMITS)}, not {self.limits!r}")

    @property
    def kind(self) -> str:
        return f"{self.letter}'" if self.limits == "laney" else self.letter

    @property
    def method(self) -> str:
        words = {"sigma": "3 sigma", "exact": f"exact {self.family.name}", "laney": "laney"}
        return f"{self.kind}, {words[self.limits]}"


@dataclass(frozen=True, slots=True)
class _Placed:
    """A period against its limits, in counts by exposure; ``z`` in sigmas."""

    lower: float | None = None
    upper: float | None = None
    z: float | None = None


def _drawn(frame: _Frame, periods: Sequence[Period], settings: Settings) -> Chart:
    baseline = choose_baseline(settings.baseline, [period.exposed > 0 for period in periods])
    centre = pooled(periods, baseline)
    stretch = _stretch(frame, periods, baseline, centre)
    placed = [_place(frame, period, centre, stretch) for period in periods]
    broken = broken_rules([place.z for place in placed], settings.rules)
    points = tuple(
        _point(frame, *each, centre) for each in zip(periods, placed, broken, strict=True)
    )
    warnings = [*standing(baseline, points), *_doubts(frame, periods, baseline, centre, stretch)]
    return Chart(
        frame.kind,
        frame.method,
        points,
        _scaled(centre, frame.per),
        _sigma_words(frame, stretch),
        baseline,
        warnings=tuple(warnings),
        annotations=settings.annotations,
    )


def _scaled(value: float | None, per: float) -> float | None:
    return None if value is None else value * per


def _point(
    frame: _Frame, period: Period, place: _Placed, broken: tuple[str, ...], centre: float | None
) -> Point:
    value = period.count / period.exposed if period.exposed else None
    return Point(
        period.label,
        _scaled(value, frame.per),
        _scaled(centre, frame.per),
        _scaled(place.lower, frame.per),
        _scaled(place.upper, frame.per),
        period.count,
        period.exposed,
        broken,
    )


def _stretch(
    frame: _Frame, periods: Sequence[Period], baseline: Baseline, centre: float | None
) -> float | None:
    """Give the factor on sigma: 1, or Laney's sigma-z. None where no sigma can be had."""
    if centre is None or frame.family.variance(centre, 1.0) <= 0:
        return None
    if frame.limits != "laney":
        return 1.0
    chosen = [periods[position] for position in baseline.positions]
    mean = mean_moving_range([_standardised(frame, period, centre) for period in chosen])
    # Equal shares differ by rounding alone, which is no spread to draw limits from.
    return mean / MOVING_RANGE if mean and mean > ROUNDING else None


def _standardised(frame: _Frame, period: Period, centre: float) -> float:
    sigma = math.sqrt(frame.family.variance(centre, period.exposed))
    return (period.count / period.exposed - centre) / sigma


def _place(frame: _Frame, period: Period, centre: float | None, stretch: float | None) -> _Placed:
    if not period.exposed or centre is None or stretch is None:
        return _Placed()
    if frame.limits == "exact":
        return _place_exactly(frame.family, period, centre)
    reach = 3 * stretch * math.sqrt(frame.family.variance(centre, period.exposed))
    lower, upper = max(0.0, centre - reach), min(frame.family.ceiling, centre + reach)
    return _Placed(lower, upper, _standardised(frame, period, centre) / stretch)


def _place_exactly(family: Family, period: Period, centre: float) -> _Placed:
    count, exposed = period.count, period.exposed
    low, high = probability_limits(
        lambda x: family.at_most(x, centre, exposed), lambda x: family.at_least(x, centre, exposed)
    )
    tails = family.at_most(count, centre, exposed), family.at_least(count, centre, exposed)
    value = count / exposed
    side = 0.0 if math.isclose(value, centre, rel_tol=1e-12) else value - centre
    z = agreeing(normal_score(side, *tails), outside=not low <= count <= high)
    return _Placed(low / exposed, high / exposed, z)


def _sigma_words(frame: _Frame, stretch: float | None) -> str:
    if stretch is None:
        return "none"
    if frame.limits == "laney":
        return f"{frame.family.name} sigma times {stretch:.4g}"
    return f"{frame.family.name} sigma" if frame.limits == "sigma" else "0.135 % in each tail"


def _doubts(
    frame: _Frame,
    periods: Sequence[Period],
    baseline: Baseline,
    centre: float | None,
    stretch: float | None,
) -> list[str]:
    if centre is None:
        return ["No limits: nothing was exposed in the baseline."]
    if stretch is None:
        return ["No limits: the baseline does not vary."]
    mean = fmean(periods[position].exposed for position in baseline.positions)
    expected = mean * min(centre, 1 - centre if frame.family is BINOMIAL else centre)
    if frame.limits == "exact" or expected >= FEW_EVENTS:
        return []
    told = f"About {expected:.2g} events are expected a period: 3 sigma limits mislead."
    return [f"{told} Use exact limits or a chart for rare events."]
