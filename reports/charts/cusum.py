"""CUSUM charts: watch for one stated worsening, session by session or period by period.

S = max(0, S + w) with w the log-likelihood ratio of the worse rate against the rate in control; it
signals when S reaches the threshold h of :mod:`reports.charts.runlength`. It finds a small lasting
shift sooner than any chart that looks at one period at a time, and it needs no periods at all.

By default the sum starts anew at 0 after a signal; without that it goes on, and every point at or
above the threshold is flagged.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import fmean
from typing import Final

from reports.charts.points import Annotation, Baseline, Chart, Period, Point
from reports.charts.rules import ROUNDING, THRESHOLD
from reports.charts.runlength import Threshold

_UNEVEN: Final = 0.25


@dataclass(frozen=True, slots=True)
class Case:
    """One session, in order of time. ``event`` is None where it is not known."""

    label: str
    event: bool | None


def bernoulli_cusum(
    cases: Sequence[Case],
    threshold: Threshold,
    *,
    reset: bool = True,
    annotations: tuple[Annotation, ...] = (),
) -> Chart:
    """CUSUM over sessions, each with or without the event. Values are log-likelihood ratios.

    A session of which it is not known has no value and leaves the sum where it was. Raises
    ValueError for a threshold that was made for periods.
    """
    _check(threshold, "bernoulli")
    moves = [
        None if case.event is None else threshold.event if case.event else -threshold.quiet
        for case in cases
    ]
    counted = [(case.label, int(case.event or 0), int(case.event is not None)) for case in cases]
    points = _points(counted, moves, threshold, reset=reset)
    return _drawn("bernoulli cusum", points, threshold, [], annotations)


def poisson_cusum(
    periods: Sequence[Period],
    threshold: Threshold,
    *,
    usual: float | None = None,
    reset: bool = True,
    annotations: tuple[Annotation, ...] = (),
) -> Chart:
    """CUSUM over periods with counts of events. Values are log-likelihood ratios.

    The threshold was made for periods of the ``usual`` exposure; without it the mean exposure of
    these periods is taken. What is expected of a period grows with its exposure; the run lengths
    are those of periods of the usual size, and the chart warns where sizes differ by more than a
    quarter. A period without exposure has no value. Raises ValueError for a threshold that was made
    for sessions and for a usual exposure that is not above 0.
    """
    _check(threshold, "poisson")
    sizes = [period.exposed for period in periods if period.exposed]
    typical = usual if usual is not None else fmean(sizes) if sizes else 1.0
    if not typical > 0:
        raise ValueError(f"the usual exposure must be above 0, not {typical!r}")
    moves = [
        threshold.event * period.count - threshold.quiet * period.exposed / typical
        if period.exposed
        else None
        for period in periods
    ]
    counted = [(period.label, period.count, period.exposed) for period in periods]
    points = _points(counted, moves, threshold, reset=reset)
    uneven = any(abs(size / typical - 1) > _UNEVEN for size in sizes)
    said = ["Periods differ in size: the average run length is an approximation."] if uneven else []
    return _drawn("poisson cusum", points, threshold, said, annotations)


def _check(threshold: Threshold, kind: str) -> None:
    if threshold.kind != kind:
        raise ValueError(f"the threshold must be a {kind} one, not {threshold.kind}")


def _points(
    counted: Sequence[tuple[str, int, float]],
    moves: Sequence[float | None],
    threshold: Threshold,
    *,
    reset: bool,
) -> tuple[Point, ...]:
    points = []
    total = 0.0
    for (label, count, exposed), move in zip(counted, moves, strict=True):
        if move is None:
            points.append(Point(label, None, 0.0, 0.0, threshold.h, count, exposed))
            continue
        total = max(0.0, total + move)
        signal = total >= threshold.height - ROUNDING
        value, rules = total * threshold.step, (THRESHOLD,) if signal else ()
        points.append(Point(label, value, 0.0, 0.0, threshold.h, count, exposed, rules))
        total = 0.0 if signal and reset else total
    return tuple(points)


def _drawn(
    kind: str,
    points: tuple[Point, ...],
    threshold: Threshold,
    warnings: list[str],
    annotations: tuple[Annotation, ...],
) -> Chart:
    # The rate in control was fixed before: no point of the chart is its baseline.
    return Chart(
        kind,
        f"{kind}, h = {threshold.h:.3f}, {threshold.method}",
        points,
        0.0,
        f"{threshold.p0:g} against {threshold.p1:g}, "
        f"run lengths {threshold.arl0:,.0f} and {threshold.arl1:,.0f}",
        Baseline((), 0),
        warnings=tuple(warnings),
        annotations=annotations,
    )
