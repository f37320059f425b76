"""Calendar weeks and months as bounds of periods. Weeks begin on Monday."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from datetime import date, timedelta
from typing import Final

from safety.errors import UserError

WEEK: Final = "week"
MONTH: Final = "month"
EVERY: Final = (WEEK, MONTH)
MOST_PERIODS: Final = 1000
"""Default: more points than this no chart shows and no reader reads."""


@dataclass(frozen=True, slots=True)
class Span:
    """One calendar period, both end days included. ``partial``: not all of its days are counted."""

    first: date
    last: date
    partial: bool


def spans(first: date, last: date, every: str, today: date) -> tuple[Span, ...]:
    """The calendar periods that ``first`` to ``last`` touches, in order.

    The first and the last are partial where the dates cut them, and so is what is not over
    ``today``. Raises UserError for more than :data:`MOST_PERIODS`.
    """
    found: list[Span] = []
    for begin, end in _calendar(first, every):
        if begin > last:
            return tuple(found)
        if len(found) == MOST_PERIODS:
            raise UserError(
                f"The period has more than {MOST_PERIODS} {every}s. Choose a shorter one."
            )
        found.append(Span(begin, end, begin < first or end > min(last, today)))
    return tuple(found)


def _calendar(first: date, every: str) -> Iterator[tuple[date, date]]:
    begin = _BEGIN[every](first)
    while True:
        following = _NEXT[every](begin)
        yield begin, following - timedelta(days=1)
        begin = following


def monday(day: date) -> date:
    """The Monday of the week of ``day``."""
    return day - timedelta(days=day.weekday())


def _next_month(begin: date) -> date:
    return (begin + timedelta(days=31)).replace(day=1)


_BEGIN: Final[Mapping[str, Callable[[date], date]]] = {
    WEEK: monday,
    MONTH: lambda day: day.replace(day=1),
}
_NEXT: Final[Mapping[str, Callable[[date], date]]] = {
    WEEK: lambda begin: begin + timedelta(days=7),
    MONTH: _next_month,
}
