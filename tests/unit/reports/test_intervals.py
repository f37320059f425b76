"""Intervals against published counts, other implementations and the edges of their domain."""

from __future__ import annotations

import math

import pytest

from reports.intervals import (
    METHODS,
    RATE_METHODS,
    Estimate,
    clopper_pearson,
    exact_poisson,
    jeffreys,
    mid_p_poisson,
    upper_for_none,
    upper_rate_for_none,
    wilson,
)

# US prescribing information of esketamine nasal spray, adverse reactions in the pooled short-term
# trials in treatment-resistant depression: esketamine n of 346 and its printed percentage, placebo
# n of 222 and its printed percentage. The 95 % limits of the esketamine column (per cent, Clopper
# and Pearson, then Wilson) were worked out from the counts with another implementation.
LABEL = """
    reaction                    n     %   CP            Wilson           n     %
    Dissociation                142  41.0   35.81  46.43   35.98  46.29    21   9.5
    Dizziness                   101  29.2   24.45  34.29   24.65  34.19    17   7.7
    Nausea                       98  28.3   23.64  33.39   23.83  33.29    19   8.6
    Sedation                     79  22.8   18.51  27.62   18.72  27.54    21   9.5
    Vertigo                      78  22.5   18.25  27.32   18.46  27.23     6   2.7
    Headache                     70  20.2   16.12  24.86   16.34  24.78    38  17.1
    Dysgeusia                    66  19.1   15.07  23.62   15.28  23.55    30  13.5
    Hypoesthesia                 63  18.2   14.28  22.69   14.50  22.62     5   2.3
    Anxiety                      45  13.0    9.65  17.01    9.86  16.96    14   6.3
    Lethargy                     37  10.7    7.64  14.44    7.86  14.39    12   5.4
    Blood pressure increased     36  10.4    7.39  14.11    7.61  14.07     6   2.7
    Vomiting                     32   9.2    6.41  12.81    6.63  12.76     4   1.8
    Insomnia                     29   8.4    5.68  11.82    5.90  11.78    16   7.2
    Diarrhea                     23   6.6    4.26   9.81    4.47   9.78    13   5.9
    Nasal discomfort             23   6.6    4.26   9.81    4.47   9.78    11   5.0
    Throat irritation            23   6.6    4.26   9.81    4.47   9.78     9   4.1
    Feeling drunk                19   5.5    3.34   8.44    3.54   8.42     1   0.5
    Dry mouth                    19   5.5    3.34   8.44    3.54   8.42     7   3.2
    Hyperhidrosis                14   4.0    2.23   6.70    2.43   6.68     5   2.3
    Euphoric mood                15   4.3    2.45   7.05    2.64   7.03     2   0.9
    Dysarthria                   15   4.3    2.45   7.05    2.64   7.03     0   0.0
    Tremor                       12   3.5    1.80   5.98    1.99   5.96     2   0.9
    Oropharyngeal pain            9   2.6    1.20   4.88    1.37   4.87     5   2.3
    Mental impairment            11   3.2    1.60   5.62    1.78   5.60     2   0.9
    Constipation                 11   3.2    1.60   5.62    1.78   5.60     3   1.4
    Pollakiuria                  11   3.2    1.60   5.62    1.78   5.60     1   0.5
    Feeling abnormal             12   3.5    1.80   5.98    1.99   5.96     0   0.0
    Tachycardia                   6   1.7    0.64   3.74    0.80   3.73     1   0.5
"""


def label_rows() -> list[list[str]]:
    return [line.rsplit(maxsplit=8)[1:] for line in LABEL.strip().splitlines()[1:]]


@pytest.mark.parametrize("row", label_rows(), ids=lambda row: "-".join(row[:1]))
def test_reproduces_the_label_to_the_printed_digit(row: list[str]) -> None:
    """Percentages and both kinds of limits come out as printed."""
    n, percent, cp_low, cp_high, w_low, w_high, placebo, placebo_percent = row
    exact, score = clopper_pearson(int(n), 346), wilson(int(n), 346)
    assert in_percent(score.value, 1) == percent
    assert (in_percent(exact.low, 2), in_percent(exact.high, 2)) == (cp_low, cp_high)
    assert (in_percent(score.low, 2), in_percent(score.high, 2)) == (w_low, w_high)
    assert in_percent(wilson(int(placebo), 222).value, 1) == placebo_percent


def in_percent(fraction: float | None, decimals: int) -> str:
    assert fraction is not None
    return f"{100 * fraction:.{decimals}f}"


COUNTS = [(1, 1), (0, 1), (1, 2), (3, 7), (0, 14), (14, 14), (9, 346), (142, 346), (9_999, 10_000)]
LARGE = [(1, 10**9), (5 * 10**8, 10**9), (10**9 - 1, 10**9), (0, 10**9), (10**9, 10**9)]
LEVELS = [0.5, 0.9, 0.95, 0.999]


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("x", "n"), COUNTS + LARGE)
@pytest.mark.parametrize(("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "beta")])
def test_agrees_with_statsmodels(x: int, n: int, level: float, method: str, theirs: str) -> None:
    """Limits equal those of statsmodels to 1e-9."""
    from statsmodels.stats.proportion import proportion_confint

    low, high = proportion_confint(x, n, alpha=1 - level, method=theirs)
    ours = METHODS[method](x, n, level)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9, abs=1e-9)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize(("x", "n"), COUNTS + LARGE[:3])
@pytest.mark.parametrize(("method", "theirs"), [("wilson", "wilson"), ("clopper-pearson", "exact")])
def test_agrees_with_scipy(x: int, n: int, level: float, method: str, theirs: str) -> None:
    """Limits equal those of scipy's binomial test to 1e-9."""
    from scipy.stats import binomtest

    interval = binomtest(x, n).proportion_ci(level, method=theirs)
    ours = METHODS[method](x, n, level)
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), abs=1e-9)


@pytest.mark.parametrize(("x", "n"), COUNTS + LARGE)
def test_jeffreys_agrees_with_the_beta_quantiles_inside_the_edges(x: int, n: int) -> None:
    """Jeffreys limits are quantiles of the posterior, but 0 at none and 1 at all."""
    from scipy.stats import beta

    posterior = beta(x + 0.5, n - x + 0.5)
    ours = jeffreys(x, n)
    assert ours.low == (0.0 if x == 0 else pytest.approx(posterior.ppf(0.025), abs=1e-9))
    assert ours.high == (1.0 if x == n else pytest.approx(posterior.isf(0.025), abs=1e-9))


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("x", [0, 1, 5, 17, 1_000, 10**9])
def test_exact_poisson_agrees_with_the_chi_square_quantiles(x: int, level: float) -> None:
    """Limits of a rate equal the chi-square form of Garwood's interval."""
    from scipy.stats import chi2

    tail, months = (1 - level) / 2, 37.5
    ours = exact_poisson(x, months, level, per=100)
    low = 0.0 if x == 0 else chi2.ppf(tail, 2 * x) / 2 / months * 100
    high = chi2.isf(tail, 2 * x + 2) / 2 / months * 100
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-9)
    assert ours.value == pytest.approx(100 * x / months, rel=1e-15)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("n", [1, 14, 10**9])
def test_edges_are_exact(method: str, n: int) -> None:
    """None of n has the lower limit 0 and all of n the upper limit 1, to the last bit."""
    none, everybody = METHODS[method](0, n), METHODS[method](n, n)
    assert (none.value, none.low) == (0.0, 0.0)
    assert (everybody.value, everybody.high) == (1.0, 1.0)
    assert none.high is not None
    assert everybody.low is not None
    assert 0 < none.high < 1
    assert 0 < everybody.low < 1


def test_zero_of_fourteen_has_the_known_exact_limit() -> None:
    """The one-sided exact upper limit of 0 of 14 solves (1 - p)^14 = 0.05."""
    assert clopper_pearson(0, 14, 0.90).high == pytest.approx(1 - 0.05 ** (1 / 14), rel=1e-12)


def test_one_of_a_thousand_million_keeps_its_digits() -> None:
    """The lower Wilson limit of 1 of 10^9 is right to nine digits, not only near zero."""
    # Root of (p - 1/n)^2 = z^2 p (1 - p) / n, by the stable form of the quadratic formula.
    n, z = 10**9, 1.959963984540054
    b = 2 / n + z * z / n
    root = 2 * (1 / n**2) / (b + math.sqrt(b * b - 4 * (1 + z * z / n) / n**2))
    assert wilson(1, n).low == pytest.approx(root, rel=1e-9, abs=0)


@pytest.mark.parametrize("method", METHODS)
def test_nothing_exposed_is_no_information(method: str) -> None:
    """Zero of zero has no value and every proportion as limits."""
    assert METHODS[method](0, 0) == Estimate(None, 0.0, 1.0, method)


@pytest.mark.parametrize("method", RATE_METHODS)
def test_no_time_at_risk_is_no_information(method: str) -> None:
    """A rate without exposure has no value and no upper limit."""
    assert RATE_METHODS[method](0, 0.0) == Estimate(None, 0.0, None, method)


@pytest.mark.parametrize("method", METHODS)
def test_the_estimate_carries_the_name_of_its_method(method: str) -> None:
    """The registry's name is the one that is printed."""
    assert METHODS[method](3, 10).method == method


@pytest.mark.parametrize("method", RATE_METHODS)
def test_the_estimate_of_a_rate_carries_the_name_of_its_method(method: str) -> None:
    """The registry's name is the one that is printed."""
    assert RATE_METHODS[method](3, 10.0).method == method


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize(
    ("x", "n", "level"),
    [(4, 3, 0.95), (-1, 3, 0.95), (0, -1, 0.95), (1, 3, 0.0), (1, 3, 1.0), (1, 3, math.nan)],
)
def test_impossible_counts_are_refused(method: str, x: int, n: int, level: float) -> None:
    """More than exposed, negative counts and levels outside 0 to 1 are programming errors."""
    with pytest.raises(ValueError, match=r"must|more than"):
        METHODS[method](x, n, level)


@pytest.mark.parametrize("method", METHODS)
@pytest.mark.parametrize("x", [1.0, 0.5, "1", None, True, math.nan])
def test_anything_but_whole_numbers_is_refused(method: str, x: object) -> None:
    """A count is an integer, never a float that happens to be whole, nor a truth value."""
    with pytest.raises(ValueError, match="must be"):
        METHODS[method](x, 3)
    with pytest.raises(ValueError, match="must be"):
        METHODS[method](0, x)


def test_counts_from_numpy_are_accepted() -> None:
    """Integers of other libraries count as integers."""
    import numpy as np

    assert wilson(np.int64(3), np.int32(10)) == wilson(3, 10)


@pytest.mark.parametrize("method", RATE_METHODS)
@pytest.mark.parametrize(
    ("x", "exposure", "per"),
    [(-1, 1.0, 1.0), (1, 0.0, 1.0), (1, -2.0, 1.0), (1, math.inf, 1.0), (1, math.nan, 1.0),
     (1, 1.0, -100.0)],
)  # fmt: skip
def test_impossible_rates_are_refused(method: str, x: int, exposure: float, per: float) -> None:
    """Negative or endless exposure, and events without any, are programming errors."""
    with pytest.raises(ValueError, match=r"must be|without"):
        RATE_METHODS[method](x, exposure, per=per)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("x", [1, 2, 5, 17, 1_000, 10**6])
def test_mid_p_poisson_leaves_the_stated_tails(x: int, level: float) -> None:
    """At each limit, half of P(x) and all beyond it make up the tail."""
    from scipy.stats import poisson

    months, tail = 37.5, (1 - level) / 2
    ours = mid_p_poisson(x, months, level, per=100)
    assert ours.low is not None
    assert ours.high is not None
    low, high = ours.low * months / 100, ours.high * months / 100
    assert poisson.sf(x, low) + poisson.pmf(x, low) / 2 == pytest.approx(tail, abs=1e-9)
    assert poisson.cdf(x - 1, high) + poisson.pmf(x, high) / 2 == pytest.approx(tail, abs=1e-9)
    assert ours.value == pytest.approx(100 * x / months, rel=1e-15)


@pytest.mark.parametrize("x", [1, 3, 12, 140])
def test_mid_p_poisson_agrees_with_statsmodels(x: int) -> None:
    """Limits equal those that statsmodels finds by inverting its test, to the digits of that."""
    from statsmodels.stats.rates import confint_poisson

    low, high = confint_poisson(x, 37.5, method="midp-c", alpha=0.05)
    ours = mid_p_poisson(x, 37.5)
    assert (ours.low, ours.high) == pytest.approx((low, high), rel=1e-5)


def test_mid_p_poisson_without_events_stops_where_one_tail_does() -> None:
    """At none there is only half of P(0): the limit is the one-sided exact one."""
    assert mid_p_poisson(0, 3.0).high == pytest.approx(-math.log(0.05) / 3, rel=1e-12)
    assert mid_p_poisson(0, 3.0).low == 0.0


def test_mid_p_poisson_at_level_near_zero_still_contains_its_estimate() -> None:
    """The median-unbiased mean of one event is above 1, the lower limit is not."""
    ours = mid_p_poisson(1, 1.0, 0.01)
    assert (ours.low, ours.value) == (1.0, 1.0)


@pytest.mark.parametrize("level", LEVELS)
@pytest.mark.parametrize("n", [1, 14, 1_000, 10**9])
def test_the_upper_limit_for_none_is_the_exact_one_sided_one(n: int, level: float) -> None:
    """It is the upper limit of Clopper and Pearson with all of the error on one side."""
    from scipy.stats import binomtest

    theirs = binomtest(0, n, alternative="less").proportion_ci(level, method="exact")
    ours = upper_for_none(n, level)
    assert ours.high == pytest.approx(theirs.high, rel=1e-7 if n == 10**9 else 1e-9)
    assert (ours.value, ours.low, ours.method) == (0.0, 0.0, "clopper-pearson one-sided")


def test_none_of_fourteen_is_compatible_with_a_fifth() -> None:
    """0 of 14 leaves 19.3 % open, where the rule of three says 21 %."""
    assert in_percent(upper_for_none(14).high, 1) == "19.3"


def test_the_upper_limit_for_none_keeps_its_digits() -> None:
    """For very many it is -ln(0.05) / n, the number behind the rule of three."""
    assert upper_for_none(10**12).high == pytest.approx(-math.log(0.05) / 10**12, rel=1e-9, abs=0)


@pytest.mark.parametrize("level", LEVELS)
def test_the_upper_rate_for_none_is_the_exact_one_sided_one(level: float) -> None:
    """It is the upper limit of Garwood with all of the error on one side."""
    from scipy.stats import chi2

    ours = upper_rate_for_none(37.5, level, per=100)
    assert ours.high == pytest.approx(chi2.isf(1 - level, 2) / 2 / 37.5 * 100, rel=1e-9)
    assert (ours.value, ours.low, ours.method) == (0.0, 0.0, "exact-poisson one-sided")


def test_none_of_nobody_is_no_information() -> None:
    """The one-sided limits say nothing either when nothing was exposed."""
    assert upper_for_none(0) == Estimate(None, 0.0, 1.0, "clopper-pearson one-sided")
    assert upper_rate_for_none(0.0) == Estimate(None, 0.0, None, "exact-poisson one-sided")


def test_one_sided_limits_refuse_what_cannot_be() -> None:
    """Negative counts and exposures, and levels outside 0 to 1, are programming errors."""
    for n, level in ((-1, 0.95), (14, 1.0), (14, math.nan)):
        with pytest.raises(ValueError, match="must"):
            upper_for_none(n, level)
    for exposure, level in ((-1.0, 0.95), (math.inf, 0.95), (1.0, 0.0)):
        with pytest.raises(ValueError, match="must"):
            upper_rate_for_none(exposure, level)
