"""What a director reads beside the numbers, word for word."""

from __future__ import annotations

import math

import pytest

from reports.clustered import ClusteredEstimate, PatientSums, wilson_clustered
from reports.intervals import Estimate, upper_for_none, wilson
from reports.plain_words import likeness, none_seen, percent, proportion, several, small_numbers


@pytest.mark.parametrize(
    ("fraction", "words"),
    [
        (0, "0 %"), (1e-9, "<0.1 %"), (0.000_49, "<0.1 %"), (0.000_51, "0.1 %"), (0.042, "4.2 %"),
        (0.0994, "9.9 %"), (0.0995, "10 %"), (9 / 61, "15 %"), (0.5, "50 %"), (0.9, "90 %"),
        (0.951, "95.1 %"), (0.9996, ">99.9 %"), (1 - 1e-12, ">99.9 %"), (1, "100 %"),
        (None, "no data"),
    ],
)  # fmt: skip
def test_percentages_are_rounded_but_never_to_none_or_all(
    fraction: float | None, words: str
) -> None:
    assert percent(fraction) == words


def test_decimals_can_be_given() -> None:
    assert percent(9 / 61, 2) == "14.75 %"
    assert percent(0.004, 0) == "<1 %"
    assert percent(0.996, 0) == ">99 %"
    assert percent(0.0, 2) == "0 %"


@pytest.mark.parametrize("fraction", [-0.01, 1.01, math.nan, math.inf])
def test_what_is_no_fraction_is_refused(fraction: float) -> None:
    with pytest.raises(ValueError, match="between 0 and 1"):
        percent(fraction)


@pytest.mark.parametrize(
    ("x", "n", "words"),
    [
        (9, 61, "9 of 61 sessions (15 %; 95 % interval 8 to 26 %)"),
        (1, 1, "1 of 1 session (100 %; 95 % interval 21 to 100 %)"),
        (60, 60, "60 of 60 sessions (100 %; 95 % interval 94.0 to 100 %)"),
        (0, 14, "0 of 14 sessions (0 %; 95 % interval 0 to 22 %)"),
        (0, 1_000, "0 of 1,000 sessions (0 %; 95 % interval 0 to 0.4 %)"),
        (4, 96, "4 of 96 sessions (4.2 %; 95 % interval 1.6 to 10.2 %)"),
        (1, 90_310, "1 of 90,310 sessions (<0.01 %; 95 % interval <0.01 to 0.01 %)"),
        (5_012, 10_000, "5,012 of 10,000 sessions (50.1 %; 95 % interval 49.1 to 51.1 %)"),
        (0, 0, "no sessions, so nothing is known"),
    ],
)
def test_a_proportion_stands_with_its_counts_and_interval(x: int, n: int, words: str) -> None:
    assert proportion(x, n, wilson(x, n)) == words


def test_a_lower_limit_that_rounds_to_nothing_is_not_none() -> None:
    """A limit above 0 is shown as such even at whole percentages."""
    words = proportion(1, 7, Estimate(1 / 7, 0.004, 0.58, "clopper-pearson"))
    assert words == "1 of 7 sessions (14 %; 95 % interval <1 to 58 %)"


def test_the_level_and_the_unit_are_named() -> None:
    words = proportion(9, 61, wilson(9, 61, 0.9), "patient", 0.9)
    assert words == "9 of 61 patients (15 %; 90 % interval 9 to 24 %)"


def test_none_seen_is_not_none_possible() -> None:
    assert none_seen(14, upper_for_none(14)) == ("0 of 14 sessions: up to 19 % is still compatible")
    assert none_seen(1, upper_for_none(1), "patient") == (
        "0 of 1 patient: up to 95.0 % is still compatible"
    )
    assert none_seen(0, upper_for_none(0)) == "no sessions, so nothing is known"


@pytest.mark.parametrize(
    ("numbers", "words"),
    [
        ((1, 14, 4), "1 of 14 sessions of 4 patients; one more would make it 14 % instead of 7.1"),
        ((3, 3, None), "3 of 3 sessions; one fewer would make it 67 % instead of 100"),
        ((4, 9, 9), "4 of 9 sessions of 9 patients; one more would make it 56 % instead of 44"),
        ((40, 99, 9), "40 of 99 sessions of 9 patients; one more would make it 41 % instead of 40"),
    ],
)  # fmt: skip
def test_small_numbers_say_what_one_more_would_change(
    numbers: tuple[int, int, int | None], words: str
) -> None:
    assert small_numbers(*numbers) == (
        f"Small numbers: {words} %. Read the interval, not the percentage."
    )


def test_small_numbers_do_not_say_that_nothing_would_change() -> None:
    assert small_numbers(2, 90_000) == (
        "Small numbers: 2 of 90,000 sessions. Read the interval, not the percentage."
    )


@pytest.mark.parametrize("numbers", [(0, 0, 0), (5, 20, 10), (0, 20, None), (500, 1_000, 100)])
def test_numbers_that_are_not_small_get_no_warning(numbers: tuple[int, int, int | None]) -> None:
    assert small_numbers(*numbers) is None


def test_counts_are_written_for_people() -> None:
    assert [several(n, "session") for n in (0, 1, 2, 12_345)] == [
        "no sessions", "1 session", "2 sessions", "12,345 sessions",
    ]  # fmt: skip


def alike(effect: float, independent: float, *, recurring: bool = True, patients: int = 12) -> str:
    return likeness(
        ClusteredEstimate(
            0.15, 0.1, 0.3, "any", 9, 61, patients, effect, independent, recurring=recurring
        )
    )


def test_a_design_effect_is_said_in_sessions() -> None:
    assert alike(1.8, 34.2) == (
        "The same patients have it again and again: these 61 sessions tell as much as "
        "34 independent ones."
    )


def test_a_design_effect_without_recurrence_does_not_say_again() -> None:
    """Many sessions of one patient, all without it, are alike too."""
    assert alike(1.8, 34.2, recurring=False) == (
        "Sessions of one patient are alike: these 61 sessions tell as much as 34 independent ones."
    )


def test_no_design_effect_is_said_too() -> None:
    assert alike(1.1, 60.4) == "These 61 sessions of 12 patients tell as much as independent ones."


def test_a_design_effect_that_is_only_allowed_for_is_not_said_to_be_found() -> None:
    assert alike(1.0, 30.0) == (
        "Nothing shows that the same patients have it again and again, but it cannot be ruled out: "
        "these 61 sessions tell as much as 30 independent ones."
    )


def test_one_session_each_is_independent() -> None:
    """The factor k / (k - 1) of few patients is no likeness."""
    assert likeness(wilson_clustered(PatientSums.of([1, 1, 1], [1, 0, 0]))) == (
        "Each of the 3 sessions is of another patient: they are independent."
    )


@pytest.mark.parametrize(("affected", "share"), [([0, 0], "None"), ([5, 3], "All")])
def test_likeness_is_not_made_up_when_all_sessions_are_the_same(
    affected: list[int], share: str
) -> None:
    assert likeness(wilson_clustered(PatientSums.of([5, 3], affected))) == (
        f"{share} of 8 sessions had it, which does not show how alike the sessions of one patient "
        "are: the interval counts the 2 patients instead."
    )


def test_likeness_is_not_made_up_for_one_patient_or_none() -> None:
    assert likeness(wilson_clustered(PatientSums.of([5], [2]))) == (
        "Only one patient (5 sessions): what others would have cannot be said."
    )
    assert likeness(wilson_clustered(PatientSums.of([], []))) == "No sessions, so nothing is known."
