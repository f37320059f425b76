"""What the other units' rates let one expect of a unit, and how surprising its count is.

**Leave one out.** Expected is the sum over protocols of the unit's sessions times the rate of all
other units under that protocol, so a unit is never compared to itself. Sessions under a protocol
that no other unit uses have no counterpart and are left out.

**Distribution.** The rate of the others comes from a limited number ``m`` of sessions. Under each
protocol the unit's count is beta-binomial with the others' ``x`` and ``m - x`` as parameters (a
binomial when ``m`` is large), and the counts of its protocols add up by convolution. A rate of
100 % among the others is taken as (m + 1/2) / (m + 1): nothing is certain.

**Over-dispersion.** Units differ more than chance makes them, and sessions of one patient are
alike. ``phi`` is estimated among the other units, compared among themselves, so that the unit in
question neither widens nor narrows its own limits. The mid-p of the lower tail, as a normal score,
is divided by its square root and held against Student's t with the degrees of freedom of ``phi``,
because a ``phi`` from a few units is itself uncertain. A ``phi`` below 1 counts as 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any, Final, SupportsIndex

from reports.grouping.checks import whole, x_of_n
from reports.grouping.dispersion import Dispersion, dispersion
from reports.intervals import LEVEL

Array = Any

DIRECT: Final = 4096
"""Counts beyond which sums are worked out by Fourier transform: the direct way takes minutes."""


@dataclass(frozen=True, slots=True)
class Cell:
    """Sessions of one unit under one protocol: ``x`` of ``n``. ValueError for impossible counts."""

    unit: str
    protocol: str
    x: SupportsIndex
    n: SupportsIndex

    def __post_init__(self) -> None:
        x_of_n(self.x, self.n)


@dataclass(frozen=True, slots=True)
class Compared:
    """A unit against the others.

    ``x`` of ``n`` sessions that have counterparts, ``left_out`` that have none; ``low`` and
    ``high`` bound the unit's own proportion; ``p`` is the chance of so few. ``phi`` is the factor
    on the variance that was applied, ``estimated`` whether it comes from the other units.
    """

    unit: str
    x: int
    n: int
    left_out: int
    expected: float
    low: float
    high: float
    p: float
    phi: float
    estimated: bool


def against_the_others(
    cells: Sequence[Cell], *, minimum: int, design_effect: float = 1.0
) -> tuple[Compared, ...]:
    """Compare each unit to all others; the p value is that of so few.

    ``phi`` is estimated among units with at least ``minimum`` sessions and is never below
    ``design_effect``. Counts of the same unit and protocol are added up. A unit without any
    counterpart has ``n = 0``.
    """
    names, x, n = _matrices(cells)
    held = _Held(x, n)
    return tuple(
        _compared(name, row, held, _among_the_others(x, n, row, minimum), design_effect)
        for row, name in enumerate(names)
    )


def turned(cells: Sequence[Cell]) -> list[Cell]:
    """Sessions without in place of sessions with: so few of these is so many of those."""
    return [
        Cell(cell.unit, cell.protocol, whole(cell.n, "n") - whole(cell.x, "x"), cell.n)
        for cell in cells
    ]


def lower_tail(x: int, parts: Sequence[tuple[int, float, float]]) -> float:
    """Mid-p of ``x`` or fewer: P(X < x) + P(X = x)/2, X a sum of independent counts.

    Each part is sessions ``n``, rate of the others, and their sessions ``m`` (infinite: a rate
    known for certain).
    """
    import numpy as np

    total: Array = np.ones(1)
    for n, rate, m in parts:
        total = _sum_of(total, _chances(min(n, x), n, rate, m))[: x + 1]
    below = float(total[:x].sum())
    at = float(total[x]) if len(total) > x else 0.0
    return min(1.0, max(0.0, below + at / 2))


def _sum_of(one: Array, other: Array) -> Array:
    """Chances of the sum of two counts."""
    import numpy as np

    if min(len(one), len(other)) <= DIRECT:
        return np.convolve(one, other)
    # Right to 1e-15 of the whole, not of each chance; enough where counts are this large.
    size = len(one) + len(other) - 1
    return np.fft.irfft(np.fft.rfft(one, size) * np.fft.rfft(other, size), size)


def _chances(upto: int, n: int, rate: float, m: float) -> Array:
    """Chances of 0 to ``upto`` of ``n``, beta-binomial with mean ``rate``."""
    import numpy as np
    from scipy.special import betaln, xlog1py, xlogy

    counts = np.arange(upto + 1)
    if rate in {0.0, 1.0}:
        return (counts == n * rate).astype(float)
    ways = -betaln(n - counts + 1, counts + 1) - math.log(n + 1)
    if math.isinf(m):
        return np.exp(ways + xlogy(counts, rate) + xlog1py(n - counts, -rate))
    a, b = rate * m, (1 - rate) * m
    return np.exp(ways + betaln(counts + a, n - counts + b) - betaln(a, b))


class _Held:
    """Each unit (row) under each protocol (column) against the sum of the other rows."""

    def __init__(self, x: Array, n: Array) -> None:
        import numpy as np

        self.m = n.sum(axis=0) - n
        met = (self.m > 0) & (n > 0)
        self.x, self.n = np.where(met, x, 0), np.where(met, n, 0)
        self.left_out = (n - self.n).sum(axis=1)
        beside = np.maximum(self.m, 1)
        self.raw = np.where(met, (x.sum(axis=0) - x) / beside, 0.0)
        # Never certain that all have it, so that one session without it is not impossible.
        self.rate = np.where(self.raw == 1, (self.m + 0.5) / (self.m + 1), self.raw)
        self.expected = (self.n * self.raw).sum(axis=1)
        grown = 1 + np.maximum(self.n - 1, 0) / (self.m + 1)
        self.variance = (self.n * self.rate * (1 - self.rate) * grown).sum(axis=1)

    def scores(self, wanted: Array) -> Array:
        """Z scores of the units ``wanted`` that can have one."""
        import numpy as np

        can = wanted & (self.variance > 0)
        return (self.x.sum(axis=1) - self.expected)[can] / np.sqrt(self.variance[can])


def _among_the_others(x: Array, n: Array, row: int, minimum: int) -> Dispersion:
    """Over-dispersion of all units but ``row``, compared among themselves."""
    import numpy as np

    held = _Held(np.delete(x, row, axis=0), np.delete(n, row, axis=0))
    enough = held.n.sum(axis=1) >= minimum
    return dispersion([float(score) for score in held.scores(enough)])


def _compared(
    name: str, row: int, held: _Held, others: Dispersion, design_effect: float
) -> Compared:
    x, n = int(held.x[row].sum()), int(held.n[row].sum())
    parts = [
        (int(size), float(rate), float(m))
        for size, rate, m in zip(held.n[row], held.rate[row], held.m[row], strict=True)
        if size
    ]
    given = max(1.0, design_effect)
    phi = max(given, others.phi or 0.0)
    expected = float(held.expected[row])
    low, high = _bounds(x, n, expected, phi * float(held.variance[row]))
    freedom = others.freedom if phi > given else None
    p = _deflated(lower_tail(x, parts), phi, freedom) if n else 1.0
    left_out, estimated = int(held.left_out[row]), others.phi is not None
    return Compared(name, x, n, left_out, expected, low, high, p, phi, estimated)


def _deflated(tail: float, phi: float, freedom: float | None) -> float:
    """``tail`` after its normal score is divided by the root of ``phi``."""
    from scipy.special import ndtr, ndtri, stdtr

    if phi == 1:
        return tail
    score = float(ndtri(tail)) / math.sqrt(phi)
    if not math.isfinite(score):
        return tail
    return float(ndtr(score) if freedom is None else stdtr(freedom, score))


def _bounds(x: int, n: int, expected: float, variance: float) -> tuple[float, float]:
    """Clopper-Pearson limits of ``x`` of ``n`` at as many sessions as ``variance`` is worth.

    The effective number is that of a binomial with the expected rate and the same variance
    (Korn and Graubard 1998, who do so for surveys).
    """
    from scipy.special import betainccinv, betaincinv

    if not n:
        return 0.0, 1.0
    rate = expected / n
    plain = n * rate * (1 - rate)
    worth = min(1.0, plain / variance) if plain > 0 and variance > 0 else 1.0
    size, count, tail = n * worth, x * worth, (1 - LEVEL) / 2
    low = 0.0 if x == 0 else float(betaincinv(count, size - count + 1, tail))
    high = 1.0 if x == n else float(betainccinv(count + 1, size - count, tail))
    return min(low, x / n), max(high, x / n)


def _matrices(cells: Sequence[Cell]) -> tuple[list[str], Array, Array]:
    import numpy as np

    names = list(dict.fromkeys(cell.unit for cell in cells))
    protocols = list(dict.fromkeys(cell.protocol for cell in cells))
    rows = {name: row for row, name in enumerate(names)}
    columns = {name: column for column, name in enumerate(protocols)}
    x = np.zeros((len(names), len(protocols)), dtype=np.int64)
    n = np.zeros_like(x)
    for cell in cells:
        place = rows[cell.unit], columns[cell.protocol]
        x[place] += whole(cell.x, "x")
        n[place] += whole(cell.n, "n")
    return names, x, n
