"""What a number in a session report can be: impossible outside one range, unlikely outside another.

The ranges are defaults of Afterdose, chosen wide enough that no living adult is refused; they are
not published thresholds. An impossible value is an error, an unlikely one a warning that the caller
shows.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import timedelta
from typing import Final

from safety.errors import Problem

Number = int | float


@dataclass(frozen=True, slots=True)
class Bounds:
    """``low..high`` is possible; ``likely_low..likely_high`` raises no question. Ends included."""

    low: float
    high: float
    likely_low: float
    likely_high: float
    unit: str
    whole: bool = True

    def problem(self, field: str, value: object) -> Problem | None:
        """Say why ``value`` cannot be right, or None when it can."""
        if isinstance(value, bool) or not isinstance(value, int if self.whole else int | float):
            kind = "a whole number" if self.whole else "a number"
            return Problem(field, f"must be {kind} in {self.unit}.")
        if not self.low <= value <= self.high:
            return Problem(
                field,
                f"{value:g} {self.unit} cannot be right: it must lie between {self.low:g} and "
                f"{self.high:g}. Check the entry.",
            )
        return None

    def warning(self, field: str, value: Number) -> Problem | None:
        """Say that ``value`` is unlikely, or None when it is ordinary."""
        if self.likely_low <= value <= self.likely_high:
            return None
        return Problem(
            field,
            f"{value:g} {self.unit} is unusual (expected {self.likely_low:g} to "
            f"{self.likely_high:g}). Is it right?",
        )


SYSTOLIC: Final = Bounds(30, 350, 70, 260, "mmHg")
DIASTOLIC: Final = Bounds(10, 250, 35, 150, "mmHg")
HEART_RATE: Final = Bounds(10, 350, 35, 200, "beats per minute")
SPO2: Final = Bounds(1, 100, 80, 100, "%")
MOAAS: Final = Bounds(0, 5, 0, 5, "on MOAA/S (5 is alert, 0 does not respond)")
CADSS6: Final = Bounds(0, 24, 0, 24, "points of CADSS-6")
VISUAL_ANALOGUE: Final = Bounds(0, 100, 0, 100, "of 100", whole=False)
WEIGHT: Final = Bounds(5, 500, 35, 250, "kg", whole=False)
DOSE: Final = Bounds(0, 20_000, 1, 600, "mg", whole=False)
DOSE_PER_KG: Final = Bounds(0, 500, 0.05, 5, "mg/kg", whole=False)
AMOUNT: Final = Bounds(0, 20_000, 0, 1_000, "mg", whole=False)
SESSION_MINUTES: Final = Bounds(0, 30 * 24 * 60, 1, 24 * 60, "minutes")
ONSET: Final = Bounds(-7 * 24 * 60, 60 * 24 * 60, -60, 24 * 60, "minutes after the start")
DURATION: Final = Bounds(0, 366 * 24 * 60, 1, 7 * 24 * 60, "minutes")
READY: Final = Bounds(0, 30 * 24 * 60, 5, 24 * 60, "minutes after the start")
GRADE: Final = Bounds(1, 5, 1, 5, "(a grade from 1 to 5)")

REFERENCE_LENGTH: Final = 100
NAME_LENGTH: Final = 200
NARRATIVE_LENGTH: Final = 10_000
VERBATIM_LENGTH: Final = 500
EARLIEST_YEAR: Final = 1970
LONGEST_SESSION: Final = timedelta(days=30)

Check = tuple[str, object, Bounds]


def impossible(checks: Iterable[Check]) -> list[Problem]:
    """Problems of every ``(field, value, bounds)`` whose value is given and cannot be right."""
    found = []
    for field, value, bounds in checks:
        if value is None:
            continue
        kind = type(value)
        if (kind is int or (kind is float and not bounds.whole)) and (
            bounds.low <= value <= bounds.high  # type: ignore[operator]
        ):
            continue  # the ordinary case, without a call
        if (problem := bounds.problem(field, value)) is not None:
            found.append(problem)
    return found


def unlikely(checks: Iterable[tuple[str, Number | None, Bounds]]) -> list[Problem]:
    """Warnings for every ``(field, value, bounds)`` whose value is given and unusual."""
    found = []
    for field, value, bounds in checks:
        if value is None or bounds.likely_low <= value <= bounds.likely_high:
            continue
        if (problem := bounds.warning(field, value)) is not None:
            found.append(problem)
    return found


def text_problem(field: str, value: str | None, longest: int) -> Problem | None:
    """Refuse text that is blank, too long, or holds control characters other than line breaks."""
    if value is None or (value.isprintable() and len(value) <= longest and value.strip()):
        return None
    if not value.strip():
        return Problem(field, "is blank. Leave it out or fill it in.")
    if len(value) > longest:
        return Problem(field, f"is longer than {longest} characters. Shorten it.")
    if any(ord(c) < 32 and c not in "\n\r\t" for c in value):
        return Problem(field, "holds control characters. Type it again.")
    if any("\ud800" <= c <= "\udfff" for c in value):
        return Problem(field, "holds half a character, which cannot be stored. Type it again.")
    return None
