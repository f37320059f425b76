"""Which methods compare two arms: by session, by patient, and by patient over strata.

Sessions of one patient are alike, and the same patient may have sessions under both protocols, so
sessions are compared by clustered methods. A difference or ratio that is asked for by name takes
its counts as independent; the test stays that of the unit.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Final

from reports.asking import DEFAULT
from reports.clustered import PatientSums, wilson_clustered
from reports.comparing import clustered, differences, odds, ratios, stratified
from reports.comparing.arms import Arm, Contrast
from reports.comparing.exact import fisher
from reports.comparing.homogeneity import cochran_mantel_haenszel
from reports.comparing.patients import SharedSums, TwoArms
from reports.comparing.sandwich import arm_of, spread_of
from reports.comparing.stratified import Stratified, Stratum

STRATIFIED: Final = (DEFAULT, "miettinen-nurminen")
"""Differences that there are over strata: Mantel-Haenszel, and the stratified score limits."""


@dataclass(frozen=True, slots=True)
class Choice:
    """Names of the methods, or ``default``, and the level of all limits."""

    difference: str
    ratio: str
    level: float


@dataclass(frozen=True, slots=True)
class Measures:
    """What came of comparing: three measures with limits, and the p value of no difference."""

    difference: Contrast | Stratified
    ratio: Contrast | Stratified
    odds: Contrast | Stratified
    p: float | None
    test: str
    strata: int = 0
    left_out: int = 0

    @property
    def method(self) -> str:
        """The methods of difference, ratio and test."""
        return f"{self.difference.method}; {self.ratio.method}; {self.test}"


def by_session(arm: PatientSums, reference: PatientSums, shared: SharedSums, choice: Choice) -> (
    Measures
):  # fmt: skip
    """Clustered limits and test, allowing for the patients in both arms."""
    arms = TwoArms(arm, reference, shared)
    limits = wilson_clustered(arm, choice.level), wilson_clustered(reference, choice.level)
    found = clustered.compare(arms, limits)
    one, zero = arm_of(arm), arm_of(reference)
    difference, ratio = found.difference, found.ratio
    if choice.difference != DEFAULT:
        difference = differences.METHODS[choice.difference](one, zero, choice.level)
    if choice.ratio != DEFAULT:
        ratio = ratios.METHODS[choice.ratio](one, zero, choice.level)
    odds_ratio = _clustered_odds(arms, one, zero, choice.level)
    return Measures(difference, ratio, odds_ratio, found.test.p, found.test.method)


def by_patient(arm: Arm, reference: Arm, choice: Choice) -> Measures:
    """Newcombe, Miettinen-Nurminen and Fisher's mid-p, unless others were asked for."""
    difference = "newcombe" if choice.difference == DEFAULT else choice.difference
    ratio = "miettinen-nurminen" if choice.ratio == DEFAULT else choice.ratio
    return Measures(
        differences.METHODS[difference](arm, reference, choice.level),
        ratios.METHODS[ratio](arm, reference, choice.level),
        odds.conditional_mid_p(arm, reference, choice.level),
        fisher(arm, reference).mid_p if _telling(arm, reference) else None,
        "fisher mid-p",
    )


def by_strata(strata: Sequence[Stratum], choice: Choice) -> Measures:
    """Mantel-Haenszel over strata, or the stratified score limits of the difference."""
    if choice.difference == DEFAULT:
        difference = stratified.risk_difference(strata, choice.level)
    else:
        difference = stratified.miettinen_nurminen(strata, choice.level)
    test = cochran_mantel_haenszel(strata)
    return Measures(
        difference,
        stratified.risk_ratio(strata, choice.level),
        stratified.odds_ratio(strata, choice.level),
        test.p,
        test.method,
        difference.strata,
        difference.left_out,
    )


def _telling(arm: Arm, reference: Arm) -> bool:
    """Whether somebody, but not everybody, had it: else there is nothing to test."""
    return 0 < arm.x + reference.x < arm.n + reference.n


def _clustered_odds(arms: TwoArms, one: Arm, zero: Arm, level: float) -> Contrast:
    """Odds ratio of the counts; limits by the sandwich on the scale of the logit, with t.

    The variance of a logit is that of the share over (p (1 - p))^2 (the delta method, as of a
    logistic GEE with independence as working correlation). Limits 0 and None where the sandwich
    has no variance.
    """
    from scipy.special import stdtrit

    method = "sandwich-logit-t"
    value = odds.woolf(one, zero, level).value
    spread = spread_of(arms)
    if spread is None or not value:
        return Contrast(one, zero, value, 0.0, None, method)
    slope_1, slope_0 = (each.n**2 / (each.x * each.without) for each in (one, zero))
    variance = (
        spread.arm * slope_1**2
        + spread.reference * slope_0**2
        - 2 * spread.covariance * slope_1 * slope_0
    )
    half = float(stdtrit(spread.degrees, (1 + level) / 2)) * math.sqrt(max(0.0, variance))
    # Few degrees of freedom can make a limit that no double holds.
    high = value * math.exp(half) if half < math.log(1e300) else None
    return Contrast(one, zero, value, value * math.exp(-half), high, method)
