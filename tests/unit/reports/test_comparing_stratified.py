"""Stratified comparisons against published analyses, statsmodels and the plain ones."""

from __future__ import annotations

import math
from typing import Any

import pytest

from reports.comparing import differences
from reports.comparing.arms import Arm
from reports.comparing.homogeneity import breslow_day, cochran_mantel_haenszel
from reports.comparing.stratified import (
    METHODS,
    Stratum,
    miettinen_nurminen,
    odds_ratio,
    risk_difference,
    risk_ratio,
)

# Colditz et al., JAMA 1994;271:698-702: tuberculosis with and without BCG vaccine in 13 trials;
# cases and the others of the vaccinated, cases and the others of the controls.
BCG = """
      4    119   11   128      6    300   29   274      3    228   11   209
     62  13536  248 12619     33   5036   47  5761    180   1361  372  1079
      8   2537   10   619    505  87886  499 87892     29   7470   45  7232
     17   1699   65  1600    186  50448  141 27197      5   2493    3  2338
     27  16886   29 17825
"""


def bcg() -> list[Stratum]:
    cells = [int(cell) for cell in BCG.split()]
    rows = [cells[start : start + 4] for start in range(0, len(cells), 4)]
    return [(Arm(a, a + b), Arm(c, c + d)) for a, b, c, d in rows]


SMALL: list[Stratum] = [
    (Arm(8, 106), Arm(5, 120)),
    (Arm(22, 98), Arm(16, 85)),
    (Arm(0, 7), Arm(2, 9)),
    (Arm(3, 3), Arm(1, 4)),
]


# The same trials by rma.mh of the R package metafor, as its own tests have them, where they are
# compared with Stata's metan: estimates, limits and z to four decimals.
@pytest.mark.parametrize(
    ("method", "expected", "z"),
    [
        (risk_ratio, (-0.4537, -0.5308, -0.3766), -11.5338),
        (odds_ratio, (-0.4734, -0.5538, -0.3930), -11.5444),
    ],
)
def test_reproduces_mantel_haenszel_ratios(
    method: object, expected: tuple[float, float, float], z: float
) -> None:
    """Greenland-Robins and Robins-Breslow-Greenland variances, on the logarithm."""
    ours = METHODS["mantel-haenszel rr" if method is risk_ratio else "mantel-haenszel or"](bcg())
    assert ours.value is not None
    assert ours.high is not None
    logs = [math.log(number) for number in (ours.value, ours.low, ours.high)]
    assert logs == pytest.approx(expected, abs=0.51e-4)
    error = (logs[2] - logs[1]) / 2 / 1.959963984540054
    assert logs[0] / error == pytest.approx(z, abs=0.51e-4)


def test_reproduces_the_mantel_haenszel_difference() -> None:
    """Sato's variance, which metafor has and Stata's metan has not."""
    ours = risk_difference(bcg())
    assert ours.value is not None
    assert ours.high is not None
    assert (ours.value, ours.low, ours.high) == pytest.approx((-0.0033, -0.0039, -0.0027), abs=5e-5)
    error = (ours.high - ours.low) / 2 / 1.959963984540054
    assert ours.value / error == pytest.approx(-11.4708, abs=0.51e-4)


def test_reproduces_stratified_score_limits() -> None:
    """Three strata by a SAS macro, from the tests of the R package metalite.ae."""
    strata = [
        (Arm(24, 39), Arm(16, 40)),
        (Arm(23, 39), Arm(16, 39)),
        (Arm(23, 38), Arm(17, 40)),
    ]
    ours = miettinen_nurminen(strata)
    expected = 0.19181238694, 0.063398653094, 0.31395972269
    assert (ours.value, ours.low, ours.high) == pytest.approx(expected, abs=2e-6)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("strata", [bcg(), SMALL, SMALL[:1]])
def test_agrees_with_statsmodels(strata: list[Stratum], level: float) -> None:
    """Pooled odds ratio with limits, pooled risk ratio, and the tests."""
    theirs = stratified_table(strata)
    odds, risk = odds_ratio(strata, level), risk_ratio(strata, level)
    assert odds.value == pytest.approx(theirs.oddsratio_pooled, rel=1e-12)
    interval = theirs.oddsratio_pooled_confint(alpha=1 - level)
    assert (odds.low, odds.high) == pytest.approx(interval, rel=1e-9)
    assert risk.value == pytest.approx(theirs.riskratio_pooled, rel=1e-12)


def stratified_table(strata: list[Stratum]) -> Any:
    import numpy as np
    from statsmodels.stats.contingency_tables import StratifiedTable

    tables = [[[m.x, m.without], [r.x, r.without]] for m, r in strata]
    return StratifiedTable([np.array(table, dtype=float) for table in tables])


@pytest.mark.parametrize("corrected", [False, True])
@pytest.mark.parametrize("strata", [bcg(), SMALL, SMALL[:1]])
def test_the_test_of_association_agrees_with_statsmodels(
    strata: list[Stratum], corrected: bool
) -> None:
    """Cochran-Mantel-Haenszel, with and without the correction."""
    theirs = stratified_table(strata).test_null_odds(correction=corrected)
    ours = cochran_mantel_haenszel(strata, corrected=corrected)
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)


def test_the_test_of_one_odds_ratio_agrees_with_statsmodels() -> None:
    """Breslow-Day with Tarone's correction."""
    theirs = stratified_table(bcg()).test_equal_odds(adjust=True)
    ours = breslow_day(bcg())
    assert (ours.statistic, ours.p) == pytest.approx((theirs.statistic, theirs.pvalue), rel=1e-9)
    assert ours.degrees == 12
    # rma.mh prints 171.7567 for these trials.
    assert ours.statistic == pytest.approx(171.7567, abs=0.51e-4)


def test_of_one_stratum_the_score_limits_are_the_plain_ones() -> None:
    """Nothing is added where nothing is stratified."""
    for stratum in SMALL:
        ours, plain = miettinen_nurminen([stratum]), differences.miettinen_nurminen(*stratum)
        assert (ours.low, ours.high) == pytest.approx((plain.low, plain.high), abs=1e-12)


@pytest.mark.parametrize("name", METHODS)
def test_a_stratum_with_an_empty_arm_changes_nothing_and_is_counted(name: str) -> None:
    """Value, limits and totals stay; the sentence says what was left out."""
    whole = METHODS[name](SMALL)
    more = METHODS[name]([*SMALL, (Arm(3, 9), Arm(0, 0)), (Arm(0, 0), Arm(7, 9))])
    assert (more.value, more.low, more.high) == (whole.value, whole.low, whole.high)
    assert (more.arm, more.reference) == (Arm(33, 214), Arm(24, 218))
    assert (whole.strata, whole.left_out, more.strata, more.left_out) == (4, 0, 4, 2)
    assert whole.said == "4 of 4 strata contribute."
    assert more.said == (
        "4 of 6 strata contribute; 2 strata have nobody in one arm and cannot contribute."
    )


@pytest.mark.parametrize("name", METHODS)
@pytest.mark.parametrize("strata", [[], [(Arm(1, 2), Arm(0, 0))]])
def test_no_stratum_that_compares_is_no_information(name: str, strata: list[Stratum]) -> None:
    """No value; the limits are all that can be."""
    ours = METHODS[name](strata)
    assert ours.value is None
    is_difference = name in {"mantel-haenszel rd", "miettinen-nurminen stratified"}
    assert (ours.low, ours.high) == ((-1.0, 1.0) if is_difference else (0.0, None))
    assert (ours.strata, ours.left_out) == (0, len(strata))


@pytest.mark.parametrize("method", [risk_ratio, odds_ratio])
def test_a_ratio_without_events_in_one_arm_has_no_limits(method: object) -> None:
    """0 over something is 0; something over 0, and 0 over 0, have no value."""
    name = "mantel-haenszel rr" if method is risk_ratio else "mantel-haenszel or"
    events, none = Arm(2, 9), Arm(0, 9)
    found = [METHODS[name]([pair]) for pair in ((none, events), (events, none), (none, none))]
    assert [(each.value, each.low, each.high) for each in found] == [
        (0.0, 0.0, None),
        (None, 0.0, None),
        (None, 0.0, None),
    ]


def test_strata_without_events_test_nothing() -> None:
    """Statistic and p are None, not 0 and 1."""
    silent: list[Stratum] = [(Arm(0, 5), Arm(0, 6)), (Arm(4, 4), Arm(3, 3))]
    for test in (cochran_mantel_haenszel(silent), breslow_day(silent)):
        assert (test.statistic, test.p) == (None, None)
        assert test.said == "2 of 2 strata contribute."
    mixed = breslow_day([*SMALL, *silent])
    assert mixed.degrees == 3
    assert mixed.statistic == pytest.approx(breslow_day(SMALL).statistic)


@pytest.mark.parametrize("name", METHODS)
def test_a_level_that_is_none_is_refused(name: str) -> None:
    """Also without strata."""
    for strata in ([], SMALL):
        with pytest.raises(ValueError, match="level must lie between"):
            METHODS[name](strata, 1.0)
