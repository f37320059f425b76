"""What holds for units beside each other at every count."""

from __future__ import annotations

import math

import pytest
from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.grouping.dispersion import dispersion, winsorised
from reports.grouping.disproportionality import WARNING, Table, disproportionality
from reports.grouping.expectation import Cell, against_the_others, lower_tail, turned
from reports.grouping.funnel import Funnel, funnel
from reports.grouping.limits import exact_limits, stretched
from reports.grouping.under_reporting import few_effects, median_lag
from reports.grouping.units import Settings, Unit

sizes = st.integers(0, 300)
pairs = sizes.flatmap(lambda n: st.tuples(st.integers(0, n), st.just(n)))
counts = st.lists(pairs, min_size=1, max_size=12)
variants = st.builds(
    Settings,
    scale=st.sampled_from(["score", "arcsine"]),
    variant=st.sampled_from(["multiplicative", "additive", "none"]),
)
scores = st.lists(st.floats(-50, 50), min_size=5, max_size=40)
cells = st.lists(
    st.builds(
        lambda unit, protocol, pair: Cell(unit, protocol, *pair),
        st.sampled_from("abcdefgh"),
        st.sampled_from("pqr"),
        pairs,
    ),
    max_size=20,
)
modest = settings(max_examples=25, deadline=None)


def placed(rows: list[tuple[int, int]], how: Settings) -> Funnel:
    return funnel([Unit(str(i), x, n) for i, (x, n) in enumerate(rows)], how, grid=[])


@modest
@given(rows=counts, how=variants)
def test_with_and_without_the_event_mirror_each_other(
    rows: list[tuple[int, int]], how: Settings
) -> None:
    """Counting the sessions without turns every score around and swaps high and low."""
    opposite = {"high": "low", "low": "high", None: None}
    ours, mirrored = placed(rows, how), placed([(n - x, n) for x, n in rows], how)
    # On the border of significance rounding may decide; a hair either way is no claim.
    assume(ours.dispersion.p is None or abs(ours.dispersion.p - 0.05) > 1e-6)
    for point, turned_point in zip(ours.points, mirrored.points, strict=True):
        assert (point.z is None) == (turned_point.z is None)
        if point.z is None or turned_point.z is None or point.p is None:
            continue
        assert point.z == pytest.approx(-turned_point.z, rel=1e-6, abs=1e-6)
        assert point.p == pytest.approx(turned_point.p, rel=1e-5, abs=1e-9)
        if abs(point.p - 0.002) > 1e-6:
            assert turned_point.flag == opposite[point.flag]


@modest
@given(rows=counts, how=variants)
def test_a_stretch_never_raises_a_flag(rows: list[tuple[int, int]], how: Settings) -> None:
    """Limits widened for over-dispersion flag nobody whom chance alone would not."""
    plain = placed(rows, Settings(how.scale, "none"))
    for narrow, wide in zip(plain.points, placed(rows, how).points, strict=True):
        assert wide.flag in {None, narrow.flag}
        if wide.adjusted is not None and wide.z is not None:
            assert abs(wide.adjusted) <= abs(wide.z)


@modest
@given(n=st.integers(1, 2000), centre=st.floats(0.001, 0.999), stretch=st.floats(1, 5),
       scale=st.sampled_from(["score", "arcsine"]))  # fmt: skip
def test_limits_are_in_order_and_stretch_outwards(
    n: int, centre: float, stretch: float, scale: str
) -> None:
    """99.8 % encloses 95 %, all within 0 to 1, and a stretch encloses both."""
    exact = exact_limits(n, centre)
    wide = stretched(exact, centre, stretch, scale)  # type: ignore[arg-type]
    for limit in (exact, wide):
        assert 0 <= limit.low_998 <= limit.low_95 <= limit.high_95 <= limit.high_998 <= 1
    assert wide.high_998 >= min(exact.high_998, 1) - 1e-12
    assert wide.low_998 <= exact.low_998 + 1e-12


@modest
@given(values=scores, factor=st.floats(0.1, 10))
def test_phi_grows_with_the_square_of_the_scores(values: list[float], factor: float) -> None:
    """Scores twice as wide give four times the phi; the sign and order do not matter."""
    one = dispersion(values)
    other = dispersion([-factor * value for value in reversed(values)])
    assert one.phi is not None
    assert other.phi == pytest.approx(one.phi * factor**2, rel=1e-9, abs=1e-12)


@modest
@given(values=scores, far=st.floats(100, 1e6))
def test_how_far_out_the_farthest_is_hardly_matters(values: list[float], far: float) -> None:
    """With 21 units the largest score may lie anywhere beyond the next two: phi stays."""
    base = sorted(value % 3 for value in [*values, *range(20)])[:20]
    assert winsorised([*base, far], 0.1)[:-1] == winsorised([*base, 10 * far], 0.1)[:-1]
    assert dispersion([*base, far]).phi == dispersion([*base, 10 * far]).phi


@modest
@given(rows=cells)
def test_comparisons_are_numbers_within_their_bounds(rows: list[Cell]) -> None:
    """Whatever the counts: p within 0 to 1, limits around the proportion, phi of 1 or more."""
    for row in against_the_others(rows, minimum=20):
        assert 0 <= row.p <= 1
        assert 0 <= row.expected <= row.n
        assert row.phi >= 1
        assert math.isfinite(row.phi)
        assert 0 <= row.low <= row.high <= 1
        assert row.n == 0 or row.low <= row.x / row.n <= row.high


@modest
@given(rows=cells)
def test_expected_of_with_and_without_add_up(rows: list[Cell]) -> None:
    """What is expected with and without an effect is all sessions that have a counterpart."""
    pairs = zip(
        against_the_others(rows, minimum=20),
        against_the_others(turned(rows), minimum=20),
        strict=True,
    )
    for with_it, without in pairs:
        assert with_it.n == without.n
        assert with_it.expected + without.expected == pytest.approx(with_it.n, abs=1e-9)


@modest
@given(rows=cells, data=st.data())
def test_the_order_and_names_of_units_do_not_matter(rows: list[Cell], data: st.DataObject) -> None:
    """Shuffled rows give the same findings."""
    shuffled = data.draw(st.permutations(rows))
    ours = {finding.unit: finding for finding in few_effects(rows).findings}
    theirs = {finding.unit: finding for finding in few_effects(shuffled).findings}
    assert set(ours) == set(theirs)
    for unit, finding in ours.items():
        assert theirs[unit].p == pytest.approx(finding.p, rel=1e-6, abs=1e-12)
        assert (theirs[unit].x, theirs[unit].n) == (finding.x, finding.n)


@modest
@given(n=st.integers(1, 200), m=st.integers(1, 10_000) | st.just(math.inf),
       rate=st.floats(0.01, 0.99), data=st.data())  # fmt: skip
def test_one_more_is_less_surprising(n: int, m: float, rate: float, data: st.DataObject) -> None:
    """The chance of so few grows with the count and ends near 1."""
    x = data.draw(st.integers(0, n - 1))
    parts = [(n, rate, m), (n, rate / 2, m)]
    assert 0 <= lower_tail(x, parts) <= lower_tail(x + 1, parts) <= 1
    assert lower_tail(2 * n, parts) == pytest.approx(1, abs=0.5)


@modest
@given(hours=st.lists(st.floats(-10, 1e4), min_size=1, max_size=60))
def test_the_median_lies_between_its_limits(hours: list[float]) -> None:
    median = median_lag(hours)
    assert median.value is not None
    assert (median.low is None) == (median.high is None) == (len(hours) < 6)
    if median.low is not None and median.high is not None:
        assert median.low <= median.value <= median.high


@settings(max_examples=100, deadline=None)
@given(table=st.builds(Table, *[st.integers(0, 500)] * 4))
def test_measures_of_any_table(table: Table) -> None:
    """Values lie between limits, nothing is NaN, and IC is no signal below three reports."""
    ours = disproportionality(table, acknowledged=WARNING)
    for estimate in (ours.ror, ours.prr, ours.ic):
        present = [v for v in (estimate.low, estimate.value, estimate.high) if v is not None]
        assert all(map(math.isfinite, present))
        assert present == sorted(present)
    a, b, c, d = table.counts()
    if ours.ic.low is not None and ours.ic.low > 0:
        assert a >= 3
    if a and b and c and d:
        turned_table = disproportionality(Table(b, a, d, c), acknowledged=WARNING)
        assert ours.ror.value == pytest.approx(1 / (turned_table.ror.value or 0), rel=1e-9)
        assert ours.ror.low == pytest.approx(1 / (turned_table.ror.high or 0), rel=1e-9)
