"""What is said of a line by session number: two ends fixed beforehand, and no search for a fall."""

from __future__ import annotations

import pytest

from reports.clustered import PatientSums, wilson_clustered
from reports.habituation import ends, label, trend
from reports.rows import RateRow


def a_row(number: str, x: int, n: int) -> RateRow:
    found = wilson_clustered(PatientSums(n, n, x, n, x, x))
    return RateRow(
        number,
        f"Session {number}",
        "nausea",
        "Nausea",
        "session",
        x,
        n,
        x,
        found.value,
        found.low,
        found.high,
        found.method,
        n,
    )


def test_the_last_end_is_the_highest_number_with_enough_sessions_and_never_the_open_one() -> None:
    rows = [a_row("1", 30, 90), a_row("2", 0, 80), a_row("6", 7, 20), a_row("7", 9, 19)]
    found = ends([*rows, a_row("13+", 0, 400)])
    assert found == (rows[0], rows[2])


def test_a_fall_is_told_with_both_ends() -> None:
    text = trend([a_row("1", 30, 90), a_row("2", 30, 85), a_row("6", 4, 70)])
    assert text == (
        "Session 1: 30 of 90 sessions (33 %; 95 % interval 24 to 44 %). Session 6: 4 of 70 "
        "sessions (5.7 %; 95 % interval 2.2 to 14.1 %). It falls: 16 to 38 fewer in a hundred "
        "sessions (95 % interval, newcombe)."
    )


@pytest.mark.parametrize(
    ("last", "what"),
    [
        (27, "It rises: "),
        (13, "Neither a fall nor a rise is beyond chance: from "),
        (2, "It falls: "),
    ],
)
def test_what_chance_explains_is_no_trend(last: int, what: str) -> None:
    assert what in trend([a_row("1", 30, 90), a_row("4", last, 40)])


@pytest.mark.parametrize(
    "rows",
    [
        [],
        [a_row("1", 30, 90)],
        [a_row("1", 5, 19), a_row("2", 5, 60)],
        [a_row("1", 5, 60), a_row("2", 5, 19)],
        [a_row("2", 5, 60), a_row("3", 5, 60)],
        [a_row("1", 5, 60), a_row("13+", 5, 300)],
    ],
)
def test_without_two_ends_nothing_is_said_of_a_trend(rows: list[RateRow]) -> None:
    assert trend(rows).startswith("Too few sessions to say whether it falls")


def test_an_axis_label_carries_its_n() -> None:
    assert label(a_row("4", 3, 1204)) == "4 (n = 1,204)"
