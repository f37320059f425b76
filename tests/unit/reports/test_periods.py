"""Calendar quarters."""

from __future__ import annotations

from datetime import date, timedelta

import pytest

from reports.periods import Quarter
from safety.errors import UserError


@pytest.mark.parametrize(
    "text",
    ["2026Q2", "2026-Q2", "Q2 2026", "2026q2", "q2 2026", " 2026Q2 ", "2026 Q2", "Q2-2026"],
)
def test_reads_every_way_people_write_a_quarter(text: str) -> None:
    """All accepted spellings mean the same quarter."""
    assert Quarter.parse(text) == Quarter(2026, 2)


@pytest.mark.parametrize(
    "text",
    ["", "2026", "2026Q5", "2026Q0", "26Q2", "Q2", "2026-2", "2026Q2x", "second quarter",
     "2026Q22", "2026Q", "\u0662\u0660\u0662\u0666Q2"],
)  # fmt: skip
def test_anything_else_is_refused_with_an_example(text: str) -> None:
    """The message shows what was written and how to write it."""
    with pytest.raises(UserError, match="Write it as 2026Q2, 2026-Q2 or Q2 2026"):
        Quarter.parse(text)


@pytest.mark.parametrize(
    ("label", "first", "last"),
    [
        ("2024Q1", date(2024, 1, 1), date(2024, 3, 31)),
        ("2026Q2", date(2026, 4, 1), date(2026, 6, 30)),
        ("2026Q3", date(2026, 7, 1), date(2026, 9, 30)),
        ("9999Q4", date(9999, 10, 1), date(9999, 12, 31)),
    ],
)
def test_knows_its_first_and_last_day(label: str, first: date, last: date) -> None:
    """Both end days belong to the quarter."""
    quarter = Quarter.parse(label)
    assert (quarter.first, quarter.last, quarter.label, str(quarter)) == (first, last, label, label)


def test_every_day_lies_in_exactly_its_quarter() -> None:
    """Over eight years each day is between the ends of the quarter that contains it."""
    day = date(2020, 1, 1)
    while day < date(2028, 1, 1):
        quarter = Quarter.containing(day)
        assert quarter.first <= day <= quarter.last
        day += timedelta(days=1)


def test_quarters_follow_each_other_without_a_gap() -> None:
    """The next quarter begins on the day after the last, over the turn of the year too."""
    quarter = Quarter(2025, 3)
    for _ in range(6):
        following = quarter.next()
        assert following.first == quarter.last + timedelta(days=1)
        assert following.previous() == quarter
        assert quarter < following
        quarter = following


def test_has_ended_only_on_the_day_after() -> None:
    """The last day still belongs to the quarter, so it is not over on that day."""
    quarter = Quarter(2026, 2)
    assert not quarter.has_ended(date(2026, 6, 30))
    assert quarter.has_ended(date(2026, 7, 1))


@pytest.mark.parametrize(("year", "number"), [(2026, 0), (2026, 5), (0, 1), (10_000, 1)])
def test_there_are_four_quarters_in_a_year(year: int, number: int) -> None:
    """Quarters that do not exist cannot be made."""
    with pytest.raises(UserError, match="There is no quarter"):
        Quarter(year, number)


def test_time_ends_with_the_calendar() -> None:
    """Before the first and after the last quarter there is a clear refusal."""
    with pytest.raises(UserError, match="There is no quarter"):
        Quarter(1, 1).previous()
    with pytest.raises(UserError, match="There is no quarter"):
        Quarter(9999, 4).next()
