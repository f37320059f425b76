"""Funnel plot of proportions: units of different size around what all have in common.

Spiegelhalter, Statistics in Medicine 2005;24:1185-1202. Limits at 95 and 99.8 % are those of the
exact binomial, interpolated between the two counts where the tail crosses the level (appendix of
the same paper). Where units differ more than chance makes them differ, the limits are stretched
away from the centre, on the scale of the z scores:

- ``multiplicative``: by the square root of ``phi``, and only when ``phi`` is significantly above 1;
- ``additive``: by what a variance between units adds to that of a unit (DerSimonian and Laird).

A unit is flagged by its exact binomial tail beyond the 99.8 % level after the same stretch, not by
its place against the drawn line: an interpolated line runs between two counts, and at 1 of 1 it
lies below 100 %, so that every unit of one session with the event would stand outside.

Scores are ``score`` z by default. ``arcsine`` z (arcsine of the square root) suit large units, but
where a unit expects fewer than about five events they spread more than 1 by themselves: with 2 %
of 20 to 200 sessions they find over-dispersion in half of all funnels that have none.

Sessions of one patient are not independent: give a design effect with a unit, and it counts as
that many sessions fewer.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, Literal

from reports.grouping.checks import unique, whole, within
from reports.grouping.dispersion import Dispersion, between_units, dispersion
from reports.grouping.limits import Limits, Scale, deviation, exact_limits, stretched
from reports.grouping.units import Settings, Unit
from reports.intervals import LEVEL, Estimate, wilson

Flag = Literal["high", "low"]

OUTSIDE: Final = 0.998
"""Level of the limits beyond which a unit is flagged (Spiegelhalter 2005)."""

SIGNIFICANT: Final = 0.05
"""Chance of ``phi`` below which multiplicative limits are stretched (default)."""

CURVE_POINTS: Final = 200


@dataclass(frozen=True, slots=True)
class Point:
    """A unit in the funnel.

    ``effective`` is its place on the horizontal axis. ``z``, ``adjusted`` (``z`` after the stretch)
    and the two-sided ``p`` are None where there is nothing to compare: no sessions, or a centre of
    0 or 1. ``flag`` is None within the limits.
    """

    name: str
    x: int
    n: int
    effective: float
    estimate: Estimate
    z: float | None
    adjusted: float | None
    p: float | None
    flag: Flag | None


@dataclass(frozen=True, slots=True)
class Funnel:
    """Units around ``centre`` with the limits to draw.

    ``phi`` is the factor on the variance that was applied (1 = none), ``between`` the variance
    between units on the stated scale (0 = none). ``note`` says in words what was done.
    """

    centre: Estimate
    x: int
    n: int
    dispersion: Dispersion
    phi: float
    between: float
    points: tuple[Point, ...]
    limits: tuple[Limits, ...]
    method: str
    note: str


@dataclass(frozen=True, slots=True)
class _Frame:
    """Centre and stretch against which each unit is held."""

    centre: float
    scale: Scale
    phi: float = 1.0
    between: float = 0.0

    def stretch(self, effective: float) -> float:
        sampling = deviation(self.centre, effective, self.scale) ** 2
        return math.sqrt(self.phi * (1 + self.between / sampling))

    def score(self, value: float, effective: float) -> float:
        spread = deviation(self.centre, effective, self.scale)
        if self.scale == "score":
            return (value - self.centre) / spread
        return (math.asin(math.sqrt(value)) - math.asin(math.sqrt(self.centre))) / spread


def funnel(
    units: Sequence[Unit],
    settings: Settings | None = None,
    *,
    centre: float | None = None,
    grid: Sequence[int] | None = None,
) -> Funnel:
    """Place units around their overall proportion, or around a ``centre`` given from outside.

    ``grid`` holds the (effective) numbers of sessions at which limits are drawn. Raises ValueError
    for counts, settings, centres or grids that cannot be, and for a name that comes twice.
    """
    settings = settings or Settings()
    unique([unit.name for unit in units], "unit")
    x = sum(whole(unit.x, "x") for unit in units)
    n = sum(whole(unit.n, "n") for unit in units)
    if centre is not None:
        within(centre, 0, 1, "centre")
    middle = _centre(units, x, n, centre)
    sizes = _grid(units, grid)
    if middle.value is None or not 0 < middle.value < 1:
        points = tuple(_point(unit, None) for unit in units)
        nothing = dispersion([], settings.share)
        note = "no limits: all sessions are alike, or there are none"
        return Funnel(middle, x, n, nothing, 1.0, 0.0, points, (), _method(settings), note)
    frame, found, note = _frame(units, settings, middle.value, lost=int(centre is None))
    points = tuple(_point(unit, frame) for unit in units)
    limits = tuple(
        stretched(exact_limits(size, frame.centre), frame.centre, frame.stretch(size), frame.scale)
        for size in sizes
    )
    method = _method(settings)
    return Funnel(middle, x, n, found, frame.phi, frame.between, points, limits, method, note)


def _centre(units: Sequence[Unit], x: int, n: int, given: float | None) -> Estimate:
    if given is not None:
        return Estimate(given, None, None, "given")
    if all(unit.design_effect <= 1 for unit in units):
        return wilson(x, n)
    return _wilson(x / n if n else None, math.fsum(unit.effective for unit in units))


def _frame(
    units: Sequence[Unit], settings: Settings, centre: float, *, lost: int
) -> tuple[_Frame, Dispersion, str]:
    plain = _Frame(centre, settings.scale)
    seen = [unit for unit in units if unit.effective]
    scores = [plain.score(_value(unit), unit.effective) for unit in seen]
    found = dispersion(scores, settings.share, lost=lost)
    if found.phi is None or found.p is None:
        return plain, found, f"over-dispersion not estimated: {found.units} units are too few"
    if settings.variant == "none":
        return plain, found, "limits of chance alone"
    if settings.variant == "multiplicative":
        if found.phi <= 1 or found.p >= SIGNIFICANT:
            return plain, found, "units do not differ significantly more than by chance"
        wide = _Frame(centre, settings.scale, phi=found.phi)
        return wide, found, f"limits widened by the square root of phi = {found.phi:.2f}"
    weights = [deviation(centre, unit.effective, settings.scale) ** -2 for unit in seen]
    between = between_units(found.phi, weights, lost=lost)
    if not between:
        return plain, found, "units do not differ more than by chance"
    note = f"limits widened by a standard deviation between units of {math.sqrt(between):.3g}"
    return _Frame(centre, settings.scale, between=between), found, note


def _point(unit: Unit, frame: _Frame | None) -> Point:
    x, n, effective = whole(unit.x, "x"), whole(unit.n, "n"), unit.effective
    estimate = wilson(x, n) if effective == n else _wilson(x / n if n else None, effective)
    if frame is None or not n:
        return Point(unit.name, x, n, effective, estimate, None, None, None, None)
    z, stretch = frame.score(x / n, effective), frame.stretch(effective)
    p, above = _tail(x / n, effective, frame.centre, stretch)
    flag: Flag | None = None
    if p < 1 - OUTSIDE:
        flag = "high" if above else "low"
    return Point(unit.name, x, n, effective, estimate, z, z / stretch, p, flag)


def _tail(value: float, size: float, centre: float, stretch: float) -> tuple[float, bool]:
    """Two-sided p of the exact binomial tail as a normal score over ``stretch``, and the side.

    With a design effect the counts are not whole; the tails are then beta integrals.
    """
    from scipy.special import betainc, ndtr, ndtri

    above = value >= centre
    share, chance = (value, centre) if above else (1 - value, 1 - centre)
    count = share * size
    tail = 1.0 if count == 0 else float(betainc(count, size - count + 1, chance))
    return min(1.0, 2 * float(ndtr(ndtri(tail) / stretch))), above


def _value(unit: Unit) -> float:
    return whole(unit.x, "x") / whole(unit.n, "n")


def _wilson(value: float | None, size: float) -> Estimate:
    """Score interval of a proportion from ``size`` effective sessions."""
    method = "wilson, effective n"
    if value is None:
        return Estimate(None, 0.0, 1.0, method)
    z = NormalDist().inv_cdf((1 + LEVEL) / 2)
    middle = (value + z * z / (2 * size)) / (1 + z * z / size)
    root = math.sqrt(value * (1 - value) / size + z * z / (4 * size * size))
    half = z * root / (1 + z * z / size)
    low = 0.0 if value == 0 else min(middle - half, value)
    high = 1.0 if value == 1 else max(middle + half, value)
    return Estimate(value, low, high, method)


def _grid(units: Sequence[Unit], grid: Sequence[int] | None) -> list[int]:
    if grid is not None:
        sizes = [whole(size, "grid") for size in grid]
        if 0 in sizes:
            raise ValueError("grid must hold numbers of sessions of 1 or more")
        return sizes
    largest = math.ceil(max((unit.effective for unit in units), default=0))
    if largest == 0:
        return []
    step = math.log(largest) / (CURVE_POINTS - 1)
    return sorted({round(math.exp(step * number)) for number in range(CURVE_POINTS)})


def _method(settings: Settings) -> str:
    return f"exact binomial, {settings.scale} z, {settings.variant}"
