"""False discovery rates against scipy, a published data set and by hand."""

from __future__ import annotations

import math

import pytest

from reports.comparing.multiplicity import (
    Representative,
    TermTest,
    benjamini_hochberg,
    double_fdr,
)

# Example 4.1 of Mehrotra and Adewale, Stat Med 2012;31:1918-1930, as the R package MHTmult prints
# it: p values of adverse experiences in six body systems.
SYSTEMS = (
    (0.031, 0.023, 0.029, 0.005, 0.031, 0.000, 0.874, 0.399, 0.293, 0.077),
    (0.216, 0.843, 0.864),
    (1.0, 0.878, 0.766, 0.598, 0.011, 0.864),
    (0.889, 0.557, 0.767, 0.009, 0.644),
    (1.0, 0.583, 0.147, 0.789, 0.217, 1.0, 0.020, 0.784, 0.579, 0.439),
    (0.898, 0.619, 0.193, 0.806, 0.611, 0.526, 0.702, 0.196),
)
TESTS = [
    TermTest(f"term {place}", f"system {number}", p)
    for number, system in enumerate(SYSTEMS)
    for place, p in enumerate(system)
]


@pytest.mark.parametrize("p_values", [*SYSTEMS, (0.04,), (0.02, 0.02, 0.02), (1.0, 0.0)])
def test_adjusted_values_agree_with_scipy(p_values: tuple[float, ...]) -> None:
    """Benjamini and Hochberg, ties and single values too."""
    from scipy.stats import false_discovery_control

    assert benjamini_hochberg(p_values) == pytest.approx(false_discovery_control(p_values))


def test_adjusted_values_by_hand() -> None:
    """Of 0.01, 0.02, 0.03 and 0.5 the first three share 0.04 (0.03 * 4 / 3)."""
    assert benjamini_hochberg([0.5, 0.01, 0.03, 0.02]) == pytest.approx((0.5, 0.04, 0.04, 0.04))


def test_what_was_not_tested_passes_through() -> None:
    """None stays None and does not count among the tests."""
    assert benjamini_hochberg([None, 0.01, None, 0.5]) == (None, 0.02, None, 0.5)
    assert benjamini_hochberg([None]) == (None,)
    assert benjamini_hochberg([]) == ()


@pytest.mark.parametrize("representative", Representative)
def test_both_levels_are_those_of_scipy(representative: Representative) -> None:
    """Within a class, and over what stands for the classes."""
    from scipy.stats import false_discovery_control

    within = [false_discovery_control(system) for system in SYSTEMS]
    stands = within if representative is Representative.ADJUSTED else SYSTEMS
    over = false_discovery_control([min(each) for each in stands])
    ours = double_fdr(TESTS, 0.1, 0.1, representative)
    assert [each.q_term for each in ours.terms] == pytest.approx(
        [q for system in within for q in system]
    )
    assert [each.q_soc for each in ours.terms] == pytest.approx(
        [q for q, system in zip(over, SYSTEMS, strict=True) for _ in system]
    )
    assert (ours.tested, ours.classes) == (42, 6)


def test_what_stands_for_a_class_decides_what_is_flagged() -> None:
    """Six terms of the first system by either rule; two others only by the rule of 2004.

    0.009 and 0.011, single small values in systems 2 and 3, are within 10 % of their classes by
    themselves (0.066 and 0.045) but not once their classes are corrected for their size.
    """
    first = {("system 0", f"term {place}") for place in (0, 1, 2, 3, 4, 5)}
    rule_2004 = double_fdr(TESTS, 0.05, 0.1, Representative.SMALLEST)
    rule_2012 = double_fdr(TESTS, 0.05, 0.1)
    assert {(each.soc, each.term) for each in rule_2012.flagged} == first
    assert {(each.soc, each.term) for each in rule_2004.flagged} == first | {
        ("system 2", "term 4"),
        ("system 3", "term 3"),
    }
    assert rule_2012.method == "double-fdr adjusted"
    assert rule_2004.method == "double-fdr smallest"


def test_a_term_needs_both_levels() -> None:
    """A class that stands out does not carry its other terms; nor a term its class."""
    tests = [
        TermTest("a", "one", 0.001),
        TermTest("b", "one", 0.6),
        TermTest("c", "two", 0.04),
        TermTest("d", "two", None),
        TermTest("e", "three", None),
        TermTest("f", "four", 0.9),
    ]
    ours = double_fdr(tests, alpha_soc=0.05, alpha_term=0.05)
    assert [each.flagged for each in ours.terms] == [True, False, False, False, False, False]
    assert [each.q_term for each in ours.terms] == pytest.approx(
        [0.002, 0.6, 0.04, None, None, 0.9]
    )
    # Three classes were tested: 0.002 * 3, 0.04 * 3 / 2, 0.9.
    assert [each.q_soc for each in ours.terms] == pytest.approx(
        [0.006, 0.006, 0.06, 0.06, None, 0.9]
    )
    assert (ours.tested, ours.classes) == (4, 3)
    assert (ours.alpha_soc, ours.alpha_term) == (0.05, 0.05)


def test_terms_keep_their_order_when_classes_alternate() -> None:
    """Each term gets its own value back."""
    tests = [TermTest(name, soc, p) for name, soc, p in
             (("a", "x", 0.2), ("b", "y", 0.01), ("c", "x", 0.1), ("d", "y", 0.5))]  # fmt: skip
    assert [each.q_term for each in double_fdr(tests).terms] == pytest.approx([0.2, 0.02, 0.2, 0.5])


def test_nothing_to_test_flags_nothing() -> None:
    """An empty table is no error."""
    assert double_fdr([]).terms == ()


@pytest.mark.parametrize("p", [-0.01, 1.01, math.nan, math.inf, True])
def test_what_is_no_p_value_is_refused(p: float) -> None:
    """Rather than sorted somewhere."""
    with pytest.raises(ValueError, match="a p value must lie between 0 and 1"):
        benjamini_hochberg([0.5, p])


@pytest.mark.parametrize(("soc", "term"), [(0.0, 0.1), (0.1, 1.0), (math.nan, 0.1)])
def test_a_level_that_is_none_is_refused(soc: float, term: float) -> None:
    """The message names which of the two."""
    name = "alpha_term" if soc == 0.1 else "alpha_soc"
    with pytest.raises(ValueError, match=f"{name} must lie between 0 and 1"):
        double_fdr(TESTS, soc, term)


def test_a_term_given_twice_is_refused() -> None:
    """It would count as two tests."""
    with pytest.raises(ValueError, match="given twice"):
        double_fdr([TESTS[0], TESTS[1], TESTS[0]])
