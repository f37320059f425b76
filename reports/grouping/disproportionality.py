"""Disproportionality: a reaction's share of the reports of one drug against that of all others.

For data pooled from many clinics and drugs only. Every function asks for :data:`WARNING`, so that
nobody comes here without having read it, and every result carries it, so that it is printed.

Of the reports in a table, ``a`` name the drug and the reaction, ``b`` the drug with others, ``c``
another drug with the reaction, ``d`` neither.

- ROR = ad/bc, log normal limits with SE = sqrt(1/a + 1/b + 1/c + 1/d);
- PRR = [a/(a+b)] / [c/(c+d)], SE = sqrt(1/a - 1/(a+b) + 1/c - 1/(c+d)): Evans, Waller and Davis,
  Pharmacoepidemiology and Drug Safety 2001;10:483-486;
- IC = log2 of (a + 1/2) / (E + 1/2), E = (a+b)(a+c)/N; its limits are log2 of the quantiles of the
  gamma distribution with shape a + 1/2 and rate E + 1/2: Noren, Hopstadius and Bate, Statistical
  Methods in Medical Research 2013;22:57-69;
- chi-squared with Yates' correction.

Papers print other formulas under these names: PRR as [a/(c+d)]/[c/(a+b)], limits of IC as
exp(ln IC -+ 1.96 SE), the plain ratio of observed to expected as EBGM. They are wrong, and tests
hold that ours are not they. There is no EBGM here.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist
from typing import Final, SupportsIndex

from reports.grouping.checks import whole, within
from reports.intervals import LEVEL, Estimate

WARNING: Final = (
    "Disproportionality compares shares among reports, not risks. It needs pooled reports of many "
    "clinics and drugs as a background. Inside one clinic there is no such background: a mix of "
    "protocols and questions that are asked at every session can hide a difference or make one. "
    "Where sessions are counted, compare rates instead."
)

FEWEST: Final = 3
"""Smallest ``a`` at which a criterion can be met (Evans 2001)."""

PRR_AT_LEAST: Final = 2.0
CHI_SQUARED_AT_LEAST: Final = 4.0


@dataclass(frozen=True, slots=True)
class Table:
    """Reports by drug and reaction. Raises ValueError for what is no count."""

    a: SupportsIndex
    b: SupportsIndex
    c: SupportsIndex
    d: SupportsIndex

    def __post_init__(self) -> None:
        for name in ("a", "b", "c", "d"):
            whole(getattr(self, name), name)

    def counts(self) -> tuple[int, int, int, int]:
        """The four counts as integers."""
        return whole(self.a, "a"), whole(self.b, "b"), whole(self.c, "c"), whole(self.d, "d")

    @property
    def expected(self) -> float | None:
        """Reports of drug and reaction together if neither had to do with the other."""
        a, b, c, d = self.counts()
        total = a + b + c + d
        return (a + b) * (a + c) / total if total else None


@dataclass(frozen=True, slots=True)
class Disproportionality:
    """The measures of one table, ``met`` with the names of the criteria that it meets."""

    table: Table
    expected: float | None
    ror: Estimate
    prr: Estimate
    ic: Estimate
    chi_squared: float | None
    met: tuple[str, ...]
    warning: str


def disproportionality(
    table: Table, *, acknowledged: str, level: float = LEVEL
) -> Disproportionality:
    """All measures of ``table``, for whoever hands back :data:`WARNING` as ``acknowledged``.

    Criteria: ``ror`` lower limit above 1 and a >= 3; ``prr`` at least 2 with chi-squared at least 4
    and a >= 3; ``ic`` lower limit above 0 and a >= 3. Raises ValueError without the warning, and
    for levels outside 0 to 1.
    """
    if acknowledged != WARNING:
        raise ValueError(f"acknowledged must be the warning itself: {WARNING}")
    within(level, 0, 1, "level")
    ror, prr, ic = _ror(table, level), _prr(table, level), _ic(table, level)
    squared = _chi_squared(table)
    met = _met(whole(table.a, "a"), ror, prr, ic, squared)
    return Disproportionality(table, table.expected, ror, prr, ic, squared, met, WARNING)


def _ror(table: Table, level: float) -> Estimate:
    a, b, c, d = table.counts()
    above, below = a * d, b * c
    if not (a and b and c and d):
        return _at_the_edge(above, below, "ror")
    return _log_normal(above / below, 1 / a + 1 / b + 1 / c + 1 / d, level, "ror")


def _prr(table: Table, level: float) -> Estimate:
    a, b, c, d = table.counts()
    above, below = a * (c + d), c * (a + b)
    if not (a and c and (b or d)):
        return _at_the_edge(above, below, "prr")
    # 1/a - 1/(a+b) without the difference of near-equal numbers.
    variance = b / (a * (a + b)) + d / (c * (c + d))
    return _log_normal(above / below, variance, level, "prr")


def _ic(table: Table, level: float) -> Estimate:
    from scipy.special import gammainccinv, gammaincinv

    a, expected = whole(table.a, "a"), table.expected
    if not expected:
        return Estimate(None, None, None, "ic")
    shape, rate = a + 0.5, expected + 0.5
    tail = (1 - level) / 2
    low, high = float(gammaincinv(shape, tail)), float(gammainccinv(shape, tail))
    return Estimate(
        math.log2(shape / rate),
        math.log2(low / rate) if low > 0 else None,
        math.log2(high / rate),
        "ic",
    )


def _chi_squared(table: Table) -> float | None:
    """Pearson's statistic with Yates' correction; None when a row or a column is empty."""
    a, b, c, d = table.counts()
    total, margins = a + b + c + d, (a + b) * (c + d) * (a + c) * (b + d)
    if not margins:
        return None
    return total * max(0.0, abs(a * d - b * c) - total / 2) ** 2 / margins


def _met(
    a: int, ror: Estimate, prr: Estimate, ic: Estimate, squared: float | None
) -> tuple[str, ...]:
    criteria = {
        "ror": ror.low is not None and ror.low > 1,
        "prr": prr.value is not None
        and squared is not None
        and prr.value >= PRR_AT_LEAST
        and squared >= CHI_SQUARED_AT_LEAST,
        "ic": ic.low is not None and ic.low > 0,
    }
    return tuple(name for name, holds in criteria.items() if holds and a >= FEWEST)


def _log_normal(ratio: float, variance: float, level: float, method: str) -> Estimate:
    width = NormalDist().inv_cdf((1 + level) / 2) * math.sqrt(variance)
    return Estimate(ratio, ratio * math.exp(-width), ratio * math.exp(width), method)


def _at_the_edge(above: int, below: int, method: str) -> Estimate:
    """A ratio with an empty cell: its value if it has one, and every ratio as limits."""
    return Estimate(above / below if below else None, 0.0, None, method)
