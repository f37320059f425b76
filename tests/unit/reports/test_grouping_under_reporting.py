"""Under-reporting: expectation, tails, intervals, sentences, and how often nobody is named."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import product

import pytest

from reports.grouping.expectation import Cell, against_the_others, lower_tail
from reports.grouping.findings import Answer, Finding, Rule
from reports.grouping.under_reporting import (
    CAVEAT,
    few_effects,
    late_entry,
    median_lag,
    silent_reports,
)
from reports.intervals import Estimate

# unit, protocol, sessions with any effect, sessions
CLINIC = [
    Cell("north", "infusion", 2, 30), Cell("north", "nasal", 1, 18),
    Cell("south", "infusion", 14, 60), Cell("south", "nasal", 10, 40),
    Cell("east", "infusion", 16, 60), Cell("east", "nasal", 12, 40),
    Cell("new", "nasal", 0, 19),
]  # fmt: skip


def of(answer: Answer, unit: str) -> Finding:
    return {finding.unit: finding for finding in answer.findings}[unit]


def test_expected_is_the_sum_over_protocols_of_sessions_times_the_rate_of_the_others() -> None:
    """By hand: 30 infusions at 30 of 120, 18 sprays at 22 of 99 (the new nurse counts too)."""
    found = of(few_effects(CLINIC), "north")
    assert (found.x, found.n, found.left_out) == (3, 48, 0)
    assert found.expected == pytest.approx(30 * 30 / 120 + 18 * 22 / 99, rel=1e-12)
    assert found.ratio.value == pytest.approx(3 / 11.5, rel=1e-12)
    assert found.sentence == (
        "fewer effects were recorded than the same protocols bring elsewhere: "
        "3 of 48 sessions, 11.5 expected"
    )
    assert found.signal
    assert found.method == "beta-binomial mid-p, over-dispersion not estimated"


def test_the_tail_is_that_of_two_beta_binomials() -> None:
    """P of the unit above, from scipy's beta-binomials, over every pair of counts."""
    from scipy.stats import betabinom

    infusion, nasal = betabinom(30, 30, 90), betabinom(18, 22, 77)
    weights = {0: 1.0, 1: 1.0, 2: 1.0, 3: 0.5}
    pairs = [(i, j) for i, j in product(range(4), range(4)) if i + j <= 3]
    expected = sum(weights[i + j] * infusion.pmf(i) * nasal.pmf(j) for i, j in pairs)
    assert of(few_effects(CLINIC), "north").p == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize("x", [0, 1, 5, 11, 30])
def test_with_known_rates_the_tail_is_poisson_binomial(x: int) -> None:
    """Rates without uncertainty: the convolution of binomials, from scipy one by one."""
    import numpy as np
    from scipy.stats import binom

    parts = [(10, 0.1), (15, 0.3), (5, 0.8)]
    chances = np.ones(1)
    for n, rate in parts:
        chances = np.convolve(chances, binom.pmf(range(n + 1), n, rate))
    expected = chances[:x].sum() + chances[x] / 2
    known = [(n, rate, math.inf) for n, rate in parts]
    assert lower_tail(x, known) == pytest.approx(expected, rel=1e-9)


@pytest.mark.parametrize(("x", "n"), [(0, 1), (3, 48), (48, 48), (4_000, 10_000)])
def test_one_protocol_agrees_with_the_beta_binomial(x: int, n: int) -> None:
    from scipy.stats import betabinom

    theirs = betabinom(n, 0.4 * 5000, 0.6 * 5000)
    expected = theirs.cdf(x) - theirs.pmf(x) / 2
    assert lower_tail(x, [(n, 0.4, 5000)]) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_a_rate_that_is_certain_has_one_count() -> None:
    assert lower_tail(0, [(10, 0.0, 50)]) == 0.5
    assert lower_tail(1, [(10, 0.0, 50)]) == 1.0
    assert lower_tail(9, [(10, 1.0, 50)]) == 0.0
    assert lower_tail(0, []) == 0.5


def test_nothing_is_said_below_twenty_sessions() -> None:
    """19 sessions without any effect are no finding; the reason is given."""
    answer = few_effects(CLINIC)
    assert dict(answer.unsaid) == {"new": "fewer than 20 sessions"}
    assert "new" not in {finding.unit for finding in answer.findings}
    assert "new" in {finding.unit for finding in few_effects(CLINIC, Rule(minimum=19)).findings}


def test_protocols_that_nobody_else_uses_have_no_counterpart() -> None:
    """They are left out and counted, and a unit with nothing else is not judged."""
    alone = [*CLINIC, Cell("east", "trial", 0, 50), Cell("trialist", "own", 0, 50)]
    answer = few_effects(alone)
    assert (of(answer, "east").n, of(answer, "east").left_out) == (100, 50)
    assert of(answer, "east").p == of(few_effects(CLINIC), "east").p
    assert answer.unsaid["trialist"] == "fewer than 20 sessions under protocols that others use too"


@pytest.mark.parametrize("cells", [[], [Cell("a", "", 0, 0)], [Cell("a", "", 3, 90)]])
def test_without_others_nothing_is_said(cells: list[Cell]) -> None:
    """No unit, no sessions, one unit: no findings and no error."""
    assert few_effects(cells).findings == ()
    assert silent_reports(cells).findings == ()


def test_the_same_unit_and_protocol_twice_is_added_up() -> None:
    split = [Cell("a", "p", 1, 20), Cell("a", "p", 2, 28), Cell("b", "p", 20, 90)]
    joined = [Cell("a", "p", 3, 48), Cell("b", "p", 20, 90)]
    assert few_effects(split) == few_effects(joined)


def test_when_the_others_always_have_effects_one_without_is_not_impossible() -> None:
    """A rate of 100 % among 30 sessions leaves room; p is small only when many are without."""
    one = of(few_effects([Cell("a", "", 29, 30), Cell("b", "", 30, 30)]), "a")
    many = of(few_effects([Cell("a", "", 15, 30), Cell("b", "", 30, 30)]), "a")
    assert one.p > 0.1
    assert many.p < 1e-4
    assert (one.expected, one.signal, many.signal) == (30.0, False, True)


def test_when_the_others_never_have_effects_nothing_can_be_too_few() -> None:
    found = of(few_effects([Cell("a", "", 0, 30), Cell("b", "", 0, 300)]), "a")
    assert (found.expected, found.signal, found.p) == (0.0, False, 0.5)
    assert found.ratio == Estimate(None, 0.0, None, "clopper-pearson, effective n")
    assert found.sentence == (
        "effects recorded: no difference beyond chance, 0 of 30 sessions, 0.0 expected"
    )


def test_the_interval_of_the_ratio_is_clopper_pearson_when_the_others_are_many() -> None:
    """Against a million sessions the limits are those of the unit's own proportion."""
    from reports.intervals import clopper_pearson

    found = of(few_effects([Cell("a", "", 3, 48), Cell("b", "", 250_000, 1_000_000)]), "a")
    exact = clopper_pearson(3, 48)
    assert exact.low is not None
    assert exact.high is not None
    assert found.ratio.low == pytest.approx(exact.low / 0.25, rel=1e-3)
    assert found.ratio.high == pytest.approx(exact.high / 0.25, rel=1e-3)


def test_unlike_protocols_never_make_the_interval_narrower_than_clopper_pearson() -> None:
    """Rates of 2 and 98 % vary less than one of 50 %, but the unit's own sessions are 40."""
    from reports.intervals import clopper_pearson

    rare, usual = Cell("b", "p", 400, 20_000), Cell("b", "q", 19_600, 20_000)
    found = of(few_effects([Cell("a", "p", 1, 20), Cell("a", "q", 15, 20), rare, usual]), "a")
    exact = clopper_pearson(16, 40)
    assert exact.low is not None
    assert found.expected == pytest.approx(20, rel=1e-12)
    assert found.ratio.low == pytest.approx(exact.low * 2, rel=1e-9)


def test_few_others_make_the_interval_wider() -> None:
    few = of(few_effects([Cell("a", "", 5, 48), Cell("b", "", 10, 40)]), "a")
    many = of(few_effects([Cell("a", "", 5, 48), Cell("b", "", 1000, 4000)]), "a")
    assert few.expected == many.expected
    assert few.p > many.p
    assert few.ratio.high is not None
    assert many.ratio.high is not None
    assert few.ratio.high > many.ratio.high


def unlike(extra: Sequence[Cell]) -> list[Cell]:
    """Eight units that differ far more than by chance, and more."""
    return [Cell(f"u{x}", "", x, 100) for x in (5, 12, 20, 28, 35, 42, 50, 58)] + list(extra)


def test_over_dispersion_comes_from_the_others_and_takes_the_edge_off() -> None:
    """Where units differ anyway a low one is no signal; where they agree it is."""
    low = Cell("low", "", 8, 100)
    among_unlike = of(few_effects(unlike([low])), "low")
    among_alike = of(few_effects([*(Cell(f"u{x}", "", x, 100) for x in range(27, 35)), low]), "low")
    assert among_unlike.phi > 10
    assert (among_alike.phi, among_alike.signal) == (1.0, True)
    assert not among_unlike.signal
    assert among_unlike.method == "beta-binomial mid-p, over-dispersion of the others"


def test_phi_and_the_t_tail_by_hand() -> None:
    """The factor of a unit, from the z scores of the others among themselves."""
    import numpy as np
    from scipy.stats import betabinom, norm
    from scipy.stats import t as student

    x = np.array([5, 12, 20, 28, 35, 42, 50, 58], dtype=float)
    rate, m = (x.sum() - x) / 700, 700
    variance = 100 * rate * (1 - rate) * (1 + 99 / (m + 1))
    z = (x - 100 * rate) / np.sqrt(variance)
    raw = np.mean(np.clip(z, *np.quantile(z, [0.1, 0.9])) ** 2)
    mean, spread = 0.6786545588904, 1.2949428485
    phi = raw / mean
    others = betabinom(100, 250, 550)
    tail = others.cdf(8) - others.pmf(8) / 2
    p = student.cdf(norm.ppf(tail) / np.sqrt(phi), 8 * 2 * mean**2 / spread)
    found = of(few_effects(unlike([Cell("low", "", 8, 100)])), "low")
    assert found.phi == pytest.approx(phi, rel=1e-8)
    assert found.p == pytest.approx(p, rel=1e-6)


def test_a_known_design_effect_is_never_undercut() -> None:
    """Sessions that come in fours count as a quarter, with few units too."""
    from scipy.stats import norm

    plain, clustered = (
        of(few_effects(CLINIC, Rule(design_effect=effect)), "north") for effect in (1.0, 4.0)
    )
    assert clustered.phi == 4.0
    assert clustered.p == pytest.approx(norm.cdf(norm.ppf(plain.p) / 2), rel=1e-9)
    assert not clustered.signal


def test_silent_reports_count_the_other_way() -> None:
    """Too many reports of nothing is too few of something: same p, turned numbers."""
    silent = [Cell(cell.unit, cell.protocol, int(cell.n) - int(cell.x), cell.n) for cell in CLINIC]
    ours, mirrored = of(silent_reports(silent), "north"), of(few_effects(CLINIC), "north")
    assert ours.p == mirrored.p
    assert (ours.x, ours.n) == (45, 48)
    assert ours.expected == pytest.approx(48 - mirrored.expected, rel=1e-12)
    assert ours.sentence == (
        "more reports say that there was no effect than the same protocols bring elsewhere: "
        "45 of 48 reports, 36.5 expected"
    )
    assert ours.ratio.low is not None
    assert ours.ratio.low > 1
    assert not of(silent_reports(silent), "east").signal


def test_late_entry_compares_the_share_over_a_day_and_the_medians() -> None:
    """20 of 40 late against 4 of 80; exactly 24 hours is not late, before the end neither."""
    late = [1.0] * 20 + [30.0] * 20
    others = [2.0] * 75 + [-1.0] + [24.0] + [48.0] * 3
    found = late_entry({"night": late, "day": others, "rare": [100.0]})
    night = of(found.answer, "night")
    assert (night.x, night.n) == (20, 40)
    assert night.expected == pytest.approx(40 * 4 / 81, rel=1e-12)
    assert night.signal
    assert night.sentence == (
        "more reports than elsewhere were filed over 24 hours after the session: "
        "20 of 40 reports, 2.0 expected; median 15.5 hours, elsewhere 2.0"
    )
    day = of(found.answer, "day")
    assert not day.signal
    assert day.sentence.startswith("reports filed over 24 hours after the session: no difference")
    assert dict(found.answer.unsaid) == {"rare": "fewer than 20 sessions"}
    delay = found.delays["rare"]
    assert (delay.reports, delay.others, delay.median.value) == (1, 120, 100.0)


def test_late_entry_of_nobody() -> None:
    found = late_entry({"a": [], "b": [1.0] * 30})
    assert (found.answer.findings, set(found.delays)) == ((), {"b"})
    assert late_entry({}).answer.findings == ()


@pytest.mark.parametrize("n", [1, 5, 6, 20, 101])
def test_median_limits_are_order_statistics(n: int) -> None:
    """The ranks are the tightest whose binomial chance is at least 95 %; none below six."""
    from scipy.stats import binom

    ours = median_lag([float(hour) for hour in range(n, 0, -1)])
    assert ours.value == (n + 1) / 2
    if n < 6:
        assert (ours.low, ours.high) == (None, None)
        return
    assert ours.low is not None
    assert ours.high == n + 1 - ours.low
    assert binom.cdf(ours.low - 1, n, 0.5) <= 0.025 < binom.cdf(ours.low, n, 0.5)


def test_median_of_nothing_is_no_information() -> None:
    assert median_lag([]) == Estimate(None, None, None, "order statistics")


def test_p_values_are_adjusted_over_the_units() -> None:
    """By default Benjamini and Hochberg's, or whatever function is handed in."""
    from scipy.stats import false_discovery_control

    answer = few_effects(CLINIC)
    theirs = false_discovery_control([finding.p for finding in answer.findings])
    assert [finding.adjusted for finding in answer.findings] == pytest.approx(list(theirs))
    never = few_effects(CLINIC, Rule(adjust=lambda chances: [1.0] * len(chances)))
    assert {finding.signal for finding in never.findings} == {False}


@pytest.mark.parametrize("word", ["fail", "fault", "careless", "suspicious", "hide", "should"])
def test_no_sentence_accuses(word: str) -> None:
    """The words state numbers; the caveat stands beside them."""
    silent = silent_reports([Cell(c.unit, c.protocol, int(c.n) - int(c.x), c.n) for c in CLINIC])
    late = late_entry({"a": [40.0] * 30, "b": [1.0] * 90}).answer
    answers = [few_effects(CLINIC), silent, late]
    sentences = [finding.sentence for answer in answers for finding in answer.findings]
    assert len(sentences) == 8
    assert not [sentence for sentence in sentences if word in sentence]
    assert "not a finding about a person" in CAVEAT


def simulated(
    repeats: int, units: int, *, alike: float | None = None, part: float | None = None
) -> tuple[float, float]:
    """Share of clinics with a signal about somebody usual, and about a unit that records ``part``.

    40 sessions under each of three protocols; ``alike`` is how much sessions of a unit are alike.
    """
    import numpy as np

    rng, wrong, right = np.random.default_rng(17), 0, 0
    for _ in range(repeats):
        tendency = np.ones(units)
        if alike is not None:
            scale = (1 - alike) / alike
            tendency = rng.beta(0.3 * scale, 0.7 * scale, units) / 0.3
        if part is not None:
            tendency[0] *= part
        cells = []
        for protocol, rate in (("a", 0.15), ("b", 0.3), ("c", 0.5)):
            n = rng.integers(20, 61, units)
            x = rng.binomial(n, np.minimum(0.98, rate * tendency))
            cells += [Cell(str(i), protocol, int(x[i]), int(n[i])) for i in range(units)]
        named = {finding.unit for finding in few_effects(cells).findings if finding.signal}
        right += "0" in named
        wrong += bool(named - ({"0"} if part is not None else set()))
    return wrong / repeats, right / repeats


def test_few_clinics_without_under_reporting_name_somebody() -> None:
    """At 5 % false discovery about 5 % of clinics name somebody, also when units differ."""
    assert simulated(80, 8)[0] <= 0.10
    assert simulated(80, 8, alike=0.02)[0] <= 0.12


def test_a_nurse_who_records_a_third_is_found() -> None:
    """Among eight nurses with 120 sessions each, nearly always; hardly anybody else is named."""
    wrong, right = simulated(40, 8, part=0.3)
    assert right > 0.8
    assert wrong < 0.05


@pytest.mark.slow
@pytest.mark.parametrize("units", [2, 4, 6, 8, 15])
def test_false_signals_at_length(units: int) -> None:
    """1500 clinics without any difference: somebody is named in 7 % at most."""
    assert simulated(1500, units)[0] < 0.07


@pytest.mark.slow
@pytest.mark.parametrize("units", [6, 8, 15])
def test_false_signals_at_length_when_units_differ(units: int) -> None:
    """1500 clinics where units differ by nature: 9 % at most, from six units on."""
    assert simulated(1500, units, alike=0.02)[0] < 0.09


@pytest.mark.parametrize(
    ("x", "n", "words"),
    [(4, 3, "more than"), (-1, 3, "count of 0"), (1.0, 3, "whole number"), (True, 3, "count of 0")],
)
def test_impossible_cells_are_refused(x: int, n: int, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        Cell("a", "p", x, n)


def test_impossible_rules_and_lags_are_refused() -> None:
    with pytest.raises(ValueError, match="minimum must be 1"):
        Rule(minimum=0)
    with pytest.raises(ValueError, match="false_discovery must lie"):
        Rule(false_discovery=0.0)
    with pytest.raises(ValueError, match="design_effect"):
        Rule(design_effect=-1.0)
    for lag in (math.nan, math.inf):
        with pytest.raises(ValueError, match="every lag"):
            late_entry({"a": [lag]})
    with pytest.raises(ValueError, match="after_hours"):
        late_entry({"a": [1.0]}, after_hours=-1.0)


def test_sums_of_large_counts_agree_with_the_direct_way() -> None:
    """Past the switch to the Fourier transform the tail is the same to 1e-9."""
    import numpy as np
    from scipy.stats import binom

    parts = [(6_000, 0.8, math.inf), (7_000, 0.7, math.inf)]
    chances = np.convolve(binom.pmf(range(6_001), 6_000, 0.8), binom.pmf(range(7_001), 7_000, 0.7))
    for x in (9_500, 9_700, 9_800):
        expected = chances[:x].sum() + chances[x] / 2
        assert lower_tail(x, parts) == pytest.approx(expected, rel=1e-9, abs=1e-12)


def test_large_counts_keep_their_tail() -> None:
    """A hundred thousand sessions in each of two units: alike is alike."""
    rows = against_the_others(
        [Cell("a", "", 30_000, 100_000), Cell("b", "", 30_000, 100_000)], minimum=20
    )
    assert [row.p for row in rows] == pytest.approx([0.5, 0.5], abs=1e-3)
