"""Calendar quarters: the period of a quality and safety report."""

from __future__ import annotations

import re
from dataclasses import dataclass
from datetime import MAXYEAR, MINYEAR, date, timedelta
from typing import Final, Self

from safety.errors import UserError

_YEAR_FIRST: Final = re.compile(r"(?P<year>[0-9]{4})\s*-?\s*Q(?P<number>[1-4])", re.IGNORECASE)
_QUARTER_FIRST: Final = re.compile(r"Q(?P<number>[1-4])[\s-]*(?P<year>[0-9]{4})", re.IGNORECASE)


@dataclass(frozen=True, slots=True, order=True)
class Quarter:
    """A quarter of the calendar year. Both end days belong to it. Ordered by time."""

    year: int
    number: int

    def __post_init__(self) -> None:
        if not (MINYEAR <= self.year <= MAXYEAR and 1 <= self.number <= 4):
            raise UserError(f"There is no quarter {self.number} of the year {self.year}.")

    @classmethod
    def parse(cls, text: str) -> Self:
        """Read ``2026Q2``, ``2026-Q2`` or ``Q2 2026``, in any letter case.

        Raises UserError for anything else.
        """
        stripped = text.strip()
        found = _YEAR_FIRST.fullmatch(stripped) or _QUARTER_FIRST.fullmatch(stripped)
        if found is None:
            raise UserError(f"{text!r} is not a quarter. Write it as 2026Q2, 2026-Q2 or Q2 2026.")
        return cls(int(found["year"]), int(found["number"]))

    @classmethod
    def containing(cls, day: date) -> Self:
        """The quarter in which ``day`` lies."""
        return cls(day.year, (day.month - 1) // 3 + 1)

    @property
    def first(self) -> date:
        """The first day."""
        return date(self.year, 3 * self.number - 2, 1)

    @property
    def last(self) -> date:
        """The last day."""
        if self.number == 4:
            return date(self.year, 12, 31)
        return date(self.year, 3 * self.number + 1, 1) - timedelta(days=1)

    @property
    def label(self) -> str:
        """``2026Q2``, the form that :meth:`parse` reads and that names folders."""
        return f"{self.year:04}Q{self.number}"

    def __str__(self) -> str:
        return self.label

    def previous(self) -> Self:
        """The quarter before this one."""
        return self._shifted(-1)

    def next(self) -> Self:
        """The quarter after this one."""
        return self._shifted(1)

    def _shifted(self, quarters: int) -> Self:
        year, number = divmod(self.year * 4 + self.number - 1 + quarters, 4)
        return type(self)(year, number + 1)

    def has_ended(self, today: date) -> bool:
        """Whether the last day of the quarter is over on the site's day ``today``."""
        return today > self.last
