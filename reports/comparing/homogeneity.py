"""Tests over strata: is there any association, and is the odds ratio the same in all of them.

Cochran (1954) and Mantel and Haenszel (1959): chi-square with one degree of freedom, without the
continuity correction unless asked for. Breslow and Day (1980) with Tarone's correction (1985):
chi-square with one degree of freedom less than strata; it needs strata that are not small.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass

from reports.comparing.arms import Arm
from reports.comparing.stratified import Stratum, comparing, odds_ratio, said


@dataclass(frozen=True, slots=True)
class StrataTest:
    """A chi-square test over ``strata``; statistic and p are None when there is nothing to test."""

    statistic: float | None
    degrees: int
    p: float | None
    method: str
    strata: int
    left_out: int

    @property
    def said(self) -> str:
        """What contributed, in a sentence."""
        return said(self.strata, self.left_out)


def cochran_mantel_haenszel(strata: Iterable[Stratum], *, corrected: bool = False) -> StrataTest:
    """Test that the arms do not differ in any stratum; ``corrected`` for continuity, by 1/2."""
    kept, left_out = comparing(strata)
    excess = spread = 0.0
    for arm, reference in kept:
        both, events = arm.n + reference.n, arm.x + reference.x
        excess += (arm.x * reference.n - reference.x * arm.n) / both
        spread += arm.n * reference.n * events * (both - events) / (both**2 * (both - 1))
    method = "cmh, corrected" if corrected else "cmh"
    if not spread:
        return StrataTest(None, 1, None, method, len(kept), left_out)
    distance = max(0.0, abs(excess) - 0.5) if corrected else abs(excess)
    statistic = distance * distance / spread
    p = math.erfc(math.sqrt(statistic / 2))
    return StrataTest(statistic, 1, p, method, len(kept), left_out)


def breslow_day(strata: Iterable[Stratum]) -> StrataTest:
    """Test that all strata have one odds ratio, with Tarone's correction.

    Strata without events, or with nothing else, say nothing of it: no degree of freedom.
    """
    from scipy.special import chdtrc

    kept, left_out = comparing(strata)
    telling = [pair for pair in kept if 0 < pair[0].x + pair[1].x < pair[0].n + pair[1].n]
    common = odds_ratio(telling).value
    degrees = max(0, len(telling) - 1)
    if not (common and degrees):
        return StrataTest(None, degrees, None, "breslow-day tarone", len(kept), left_out)
    statistic = total_excess = total_variance = 0.0
    for arm, reference in telling:
        expected = _expected(arm, reference, common)
        variance = _variance(arm, reference, expected)
        excess = arm.x - expected
        statistic += excess * excess / variance
        total_excess, total_variance = total_excess + excess, total_variance + variance
    statistic = max(0.0, statistic - total_excess**2 / total_variance)
    p = float(chdtrc(degrees, statistic))
    return StrataTest(statistic, degrees, p, "breslow-day tarone", len(kept), left_out)


def _expected(arm: Arm, reference: Arm, odds: float) -> float:
    """Events in the arm at which the stratum has the odds ratio ``odds``, totals as they are."""
    events = arm.x + reference.x
    a = odds - 1
    b = reference.n - events + odds * (arm.n + events)
    c = odds * arm.n * events
    # The smaller root of a e^2 - b e + c, in the form that also holds at an odds ratio of 1.
    return 2 * c / (b + math.sqrt(max(0.0, b * b - 4 * a * c)))


def _variance(arm: Arm, reference: Arm, expected: float) -> float:
    events = arm.x + reference.x
    cells = (
        expected,
        arm.n - expected,
        events - expected,
        reference.n - events + expected,
    )
    return 1 / sum(1 / cell for cell in cells)
