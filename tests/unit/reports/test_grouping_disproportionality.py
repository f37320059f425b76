"""Disproportionality against other implementations, a published table, and wrong formulas."""

from __future__ import annotations

import math

import pytest

from reports.grouping.disproportionality import (
    WARNING,
    Disproportionality,
    Table,
    disproportionality,
)

# Noren et al., Statistics in Medicine 2006;25:3740-3757, table III: 25 reports of drug and
# reaction, 1126 of the drug, 87 of the reaction, 572573 in all.
PUBLISHED = Table(25, 1101, 62, 571385)
TABLES = [PUBLISHED, Table(3, 40, 9, 700), Table(1, 1, 1, 1), Table(142, 204, 21, 201),
          Table(5, 10**6, 7, 10**7)]  # fmt: skip
EMPTY_CELLS = [(0, 5, 5, 90), (5, 0, 5, 90), (5, 5, 0, 90), (5, 5, 5, 0), (0, 0, 5, 90),
               (0, 5, 0, 90), (5, 0, 5, 0), (0, 0, 0, 0)]  # fmt: skip


def measured(table: Table, level: float = 0.95) -> Disproportionality:
    return disproportionality(table, acknowledged=WARNING, level=level)


def test_published_expected_count_and_information_component() -> None:
    """E comes out as the R package pharmsignal prints it, IC to the fifth decimal."""
    ours = measured(PUBLISHED)
    assert ours.expected == pytest.approx(0.1710908, abs=5e-8)
    # It takes the mode of another posterior with the same shrinkage (5.247846, limits by simulation
    # 4.65 to 5.73): near, not equal.
    assert ours.ic.value == pytest.approx(5.247846, abs=1e-5)
    assert ours.ic.low == pytest.approx(4.65, abs=0.05)
    assert ours.ic.high == pytest.approx(5.73, abs=0.1)
    assert ours.met == ("ror", "prr", "ic")


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_ror_agrees_with_statsmodels(table: Table, level: float) -> None:
    """Odds ratio and log normal limits equal those of statsmodels."""
    from statsmodels.stats.contingency_tables import Table2x2

    a, b, c, d = table.counts()
    theirs = Table2x2([[a, b], [c, d]], shift_zeros=False)
    low, high = theirs.oddsratio_confint(1 - level)
    ours = measured(table, level).ror
    assert (ours.value, ours.low, ours.high) == pytest.approx(
        (theirs.oddsratio, low, high), rel=1e-9
    )


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_prr_agrees_with_statsmodels_and_scipy(table: Table, level: float) -> None:
    """PRR and its limits are the relative risk of two other implementations."""
    from scipy.stats.contingency import relative_risk
    from statsmodels.stats.contingency_tables import Table2x2

    a, b, c, d = table.counts()
    theirs = Table2x2([[a, b], [c, d]], shift_zeros=False)
    low, high = theirs.riskratio_confint(1 - level)
    ours = measured(table, level).prr
    assert (ours.value, ours.low, ours.high) == pytest.approx(
        (theirs.riskratio, low, high), rel=1e-9
    )
    interval = relative_risk(a, a + b, c, c + d).confidence_interval(level)
    assert (ours.low, ours.high) == pytest.approx((interval.low, interval.high), rel=1e-9)


@pytest.mark.parametrize("level", [0.5, 0.95, 0.999])
@pytest.mark.parametrize("table", TABLES, ids=str)
def test_ic_agrees_with_the_gamma_quantiles(table: Table, level: float) -> None:
    """Limits of IC are log2 of the quantiles of the gamma posterior."""
    from scipy.stats import gamma

    a, b, c, d = table.counts()
    expected = (a + b) * (a + c) / (a + b + c + d)
    posterior = gamma(a + 0.5, scale=1 / (expected + 0.5))
    ours = measured(table, level).ic
    assert ours.low == pytest.approx(math.log2(posterior.ppf((1 - level) / 2)), rel=1e-9)
    assert ours.high == pytest.approx(math.log2(posterior.isf((1 - level) / 2)), rel=1e-9)
    assert ours.value == pytest.approx(math.log2(posterior.mean()), abs=1e-12)


@pytest.mark.parametrize("table", [*TABLES, Table(0, 5, 5, 90), Table(5, 5, 5, 6)], ids=str)
def test_chi_squared_agrees_with_scipy(table: Table) -> None:
    """Yates' correction never takes more away than there is."""
    from scipy.stats import chi2_contingency

    a, b, c, d = table.counts()
    theirs = chi2_contingency([[a, b], [c, d]], correction=True).statistic
    assert measured(table).chi_squared == pytest.approx(theirs, rel=1e-9, abs=1e-9)


def test_the_wrong_prr_of_some_papers_is_not_ours() -> None:
    """[a/(c+d)]/[c/(a+b)] mixes the two margins up."""
    a, b, c, d = PUBLISHED.counts()
    wrong = (a / (c + d)) / (c / (a + b))
    ours = measured(PUBLISHED).prr.value
    assert ours == pytest.approx((25 / 1126) / (62 / 571447), rel=1e-12)
    assert ours is not None
    assert ours / wrong > 1_000


@pytest.mark.parametrize("cells", [(3, 40, 9, 300), (1, 9, 9, 200), (20, 180, 90, 1000)])
def test_the_wrong_limit_of_ic_is_not_ours(cells: tuple[int, int, int, int]) -> None:
    """exp(ln IC - 1.96 SE) is above 0 whatever the table, so its criterion would always be met."""
    table = Table(*cells)
    ours = measured(table).ic
    assert ours.value is not None
    assert ours.low is not None
    assert table.expected is not None
    for ic in (ours.value, math.log2(cells[0] / table.expected)):
        wrong = math.exp(math.log(ic) - 1.96 * math.sqrt(sum(1 / cell for cell in cells)))
        assert wrong > 0 > ours.low
        assert measured(table).met == ()


def test_the_raw_ratio_called_ebgm_is_not_what_we_give() -> None:
    """aN/((a+b)(a+c)) has no shrinkage: three of 0.1 expected make 30, and we say far less."""
    table = Table(3, 97, 0, 2900)
    raw = 3 * 3000 / (100 * 3)
    ours = measured(table)
    assert raw == 30
    assert ours.ic.value == pytest.approx(math.log2(3.5 / 0.6), rel=1e-12)
    assert ours.ic.value is not None
    assert 2**ours.ic.value < raw / 5
    # "EBGM05 = exp(ln EBGM - 1.64 SE)" of the same paper is no limit of ours either.
    a, b, c, d = PUBLISHED.counts()
    ratio = 25 / 0.17109081
    wrong = math.exp(math.log(ratio) - 1.64 * math.sqrt(1 / a + 1 / b + 1 / c + 1 / d))
    low = measured(PUBLISHED, 0.90).ic.low
    assert low is not None
    assert 2**low < 0.5 * wrong


def test_ic_is_in_bits() -> None:
    """The base is 2, not e."""
    ic = measured(Table(7, 0, 0, 7)).ic
    assert ic.value == pytest.approx(math.log2(7.5 / 4), rel=1e-12)
    assert ic.value != pytest.approx(math.log(7.5 / 4), rel=0.1)


@pytest.mark.parametrize("cells", EMPTY_CELLS)
def test_empty_cells_never_make_a_number_that_is_none(cells: tuple[int, int, int, int]) -> None:
    """Empty cells give limits of 0 and none, never NaN or an error."""
    ours = measured(Table(*cells))
    for estimate in (ours.ror, ours.prr, ours.ic):
        for number in (estimate.value, estimate.low, estimate.high):
            assert number is None or math.isfinite(number)
    if 0 in cells:
        assert (ours.ror.low, ours.ror.high) == (0.0, None)


def test_values_at_the_edge() -> None:
    """Without the reaction the ratio is 0; without a background it has no value."""
    none, no_background = measured(Table(0, 5, 5, 90)), measured(Table(5, 5, 0, 90))
    assert (none.ror.value, none.prr.value, none.prr.low, none.prr.high) == (0.0, 0.0, 0.0, None)
    assert (no_background.ror.value, no_background.prr.value) == (None, None)
    assert no_background.ic.value is not None
    everybody = measured(Table(5, 0, 5, 0))
    assert (everybody.prr.value, everybody.prr.low, everybody.prr.high) == (1.0, 0.0, None)
    empty = measured(Table(0, 0, 0, 0))
    assert (empty.expected, empty.chi_squared, empty.ic.value, empty.met) == (None, None, None, ())


@pytest.mark.parametrize(
    ("table", "met"),
    [
        (Table(2, 1, 2, 10_000), ()),
        (Table(3, 1, 2, 10_000), ("ror", "prr", "ic")),
        (Table(30, 70, 20, 80), ()),
        (Table(300, 700, 200, 800), ("ror", "ic")),
        (Table(0, 10, 10, 1_000), ()),
    ],
)
def test_criteria_need_three_reports(table: Table, met: tuple[str, ...]) -> None:
    """Below three reports no criterion is met, and a ratio of 1.5 is no PRR signal."""
    assert measured(table).met == met


@pytest.mark.parametrize("acknowledged", ["", "yes", WARNING[:-1], True, None])
def test_nothing_is_worked_out_without_the_warning(acknowledged: str) -> None:
    """Whoever asks hands the warning back, word for word, and gets it with the result."""
    with pytest.raises(ValueError, match="pooled reports of many clinics"):
        disproportionality(PUBLISHED, acknowledged=acknowledged)
    assert measured(PUBLISHED).warning == WARNING


@pytest.mark.parametrize("number", [-1, 1.0, "3", True, None, math.nan])
def test_impossible_counts_are_refused(number: object) -> None:
    with pytest.raises(ValueError, match="b must be a"):
        Table(1, number, 3, 4)  # type: ignore[arg-type]


@pytest.mark.parametrize("level", [0.0, 1.0, math.nan])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level must lie"):
        measured(PUBLISHED, level)
