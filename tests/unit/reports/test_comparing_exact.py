"""Fisher's test against scipy, by hand, and with counts that overflow naive formulas."""

from __future__ import annotations

import math

import pytest

from reports.comparing.arms import Arm
from reports.comparing.exact import ExactTest, fisher

TABLES = [
    (9, 10, 3, 10), (56, 70, 48, 80), (5, 56, 0, 29), (142, 346, 21, 222), (10, 10, 0, 20),
    (1, 1, 0, 1), (3, 7, 3, 7), (70, 346, 38, 222), (0, 40, 6, 60), (500, 20_000, 400, 30_000),
]  # fmt: skip


@pytest.mark.parametrize("table", TABLES)
def test_agrees_with_scipy(table: tuple[int, int, int, int]) -> None:
    """Two-sided p, and mid-p as p less half of the observed probability."""
    from scipy.stats import fisher_exact, hypergeom

    x1, n1, x0, n0 = table
    ours = fisher(Arm(x1, n1), Arm(x0, n0))
    p = fisher_exact([[x1, n1 - x1], [x0, n0 - x0]]).pvalue
    observed = hypergeom(n1 + n0, x1 + x0, n1).pmf(x1)
    assert ours.p == pytest.approx(p, rel=1e-9)
    assert ours.mid_p == pytest.approx(p - observed / 2, rel=1e-9)


def test_the_lady_tasting_tea() -> None:
    """Fisher's own table, 3 of 4 against 1 of 4: 34 of 70 tables are no more likely, 16 as likely.

    Fisher, The Design of Experiments, 1935.
    """
    ours = fisher(Arm(3, 4), Arm(1, 4))
    assert ours.p == pytest.approx(34 / 70, rel=1e-14)
    assert ours.mid_p == pytest.approx(26 / 70, rel=1e-14)


# US prescribing information of esketamine nasal spray, 346 against 222 patients; p worked out from
# the published counts with another implementation.
@pytest.mark.parametrize(
    ("x", "y", "printed"),
    [(142, 21, "2.53e-17"), (70, 38, "3.82e-01"), (15, 0, "7.00e-04"), (9, 5, "1.00e+00")],
)
def test_reproduces_the_tests_of_the_label(x: int, y: int, printed: str) -> None:
    """To the printed digit."""
    assert f"{fisher(Arm(x, 346), Arm(y, 222)).p:.2e}" == printed


def test_very_many_patients_neither_overflow_nor_lose_digits() -> None:
    """With a hundred million an arm the p value is that of the normal test, as it must be."""
    big, half = 10**8, 5 * 10**7
    ours = fisher(Arm(half, big), Arm(half + 10_000, big))
    z = (10_000 - 1) / math.sqrt(big / 2)  # with the correction for continuity
    assert ours.p == pytest.approx(math.erfc(z / math.sqrt(2)), rel=1e-4)
    assert fisher(Arm(half, big), Arm(half + 10**7, big)).p == 0.0


def test_few_events_among_very_many_are_a_fair_coin() -> None:
    """3 of 16 events in one of two equal arms without end: the binomial test with one half."""
    from scipy.stats import binomtest

    ours = fisher(Arm(3, 10**9), Arm(13, 10**9))
    assert ours.p == pytest.approx(binomtest(3, 16).pvalue, rel=1e-6)


def test_nobody_in_an_arm_is_no_information() -> None:
    """No p value, rather than 1."""
    arms = Arm(0, 0), Arm(2, 5)
    assert fisher(*arms) == ExactTest(*arms, None, None, "fisher")


@pytest.mark.parametrize(("x", "y"), [(0, 0), (8, 5)])
def test_where_only_one_table_is_possible_p_is_one(x: int, y: int) -> None:
    """No event at all, or nothing but events: mid-p would be one half of nothing."""
    ours = fisher(Arm(x, 8), Arm(y, 5))
    assert (ours.p, ours.mid_p) == (1.0, 1.0)
