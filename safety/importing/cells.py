"""From the text of one cell to a value, or the reason why not.

Messages never repeat what stands in the cell: a shifted column can put a name anywhere.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from datetime import date, datetime, timedelta, timezone
from enum import StrEnum
from functools import lru_cache
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from safety.model import Criterion, Elicitation, Outcome, Relatedness, Route, Setting, Sex

E = TypeVar("E", bound=StrEnum)
Parser = Callable[[str], Any]


class BadCell(ValueError):
    """A cell that cannot be read; the message says why, without the cell's text."""


def text(cell: str) -> str:
    """The cell as it is."""
    return cell


@lru_cache(maxsize=4_096)  # the same few numbers come again and again
def number(cell: str) -> float:
    """A finite number, with a point for decimals."""
    try:
        value = float(cell)
    except ValueError:
        hint = " Use a point for decimals." if "," in cell else ""
        raise BadCell(f"is not a number.{hint}") from None
    if not math.isfinite(value) or "_" in cell:  # Python reads 1_000 as a thousand
        raise BadCell("is not a number.")
    return value + 0.0  # no negative zero


@lru_cache(maxsize=4_096)
def whole(cell: str) -> int:
    """A whole number; ``120.0`` is one, since spreadsheets and data frames write it so."""
    if cell.isdecimal() and len(cell) <= _MOST_DIGITS:
        return int(cell)
    value = number(cell)
    if not value.is_integer():
        raise BadCell("must be a whole number.")
    return int(value)


_MOST_DIGITS: Final = 15  # as many as a float holds; more are no measurement


_FLAGS: Final = {"1": True, "0": False, "1.0": True, "0.0": False}


def flag(cell: str) -> bool:
    """Yes or no as 1 or 0."""
    try:
        return _FLAGS[cell]
    except KeyError:
        raise BadCell("must be 1 (yes), 0 (no) or empty (not asked).") from None


def day(cell: str) -> date:
    """A calendar date."""
    try:
        return date.fromisoformat(cell)
    except ValueError:
        raise BadCell("is not a date. Write it as YYYY-MM-DD.") from None


def moment(cell: str, zone: ZoneInfo) -> datetime:
    """A time with an offset, or local time of the site."""
    try:
        found = datetime.fromisoformat(cell)
    except ValueError:
        text = "is not a time. Write it as YYYY-MM-DDTHH:MM, with an offset or without."
        raise BadCell(text) from None
    if found.tzinfo is not None:
        return found
    # A fixed offset, as the signed form keeps it: between two times of one zone Python counts by
    # the hands of the clock, which is wrong across the change to summer time.
    return found.replace(tzinfo=_fixed(zone.utcoffset(found)))


@lru_cache(maxsize=256)
def _fixed(offset: timedelta | None) -> timezone:
    return timezone(offset or timedelta())


def one_of(kind: type[E], also: Mapping[str, E]) -> Parser:
    """A parser for an enumeration: its values, and other words for them, any letter case."""
    words = {member.value: member for member in kind} | dict(also)

    def parse(cell: str) -> E:
        found = words.get(cell)  # mostly it is written as we write it
        if found is None:
            found = words.get("_".join(cell.casefold().replace("-", " ").split()))
        if found is None:
            raise BadCell(f"must be one of: {', '.join(member.value for member in kind)}.")
        return found

    return parse


sex: Final = one_of(Sex, {"f": Sex.FEMALE, "m": Sex.MALE, "x": Sex.OTHER, "o": Sex.OTHER})
route: Final = one_of(
    Route,
    {
        "iv": Route.INTRAVENOUS,
        "im": Route.INTRAMUSCULAR,
        "sc": Route.SUBCUTANEOUS,
        "nasal": Route.INTRANASAL,
        "in": Route.INTRANASAL,
        "po": Route.ORAL,
        "sl": Route.SUBLINGUAL,
    },
)
setting: Final = one_of(
    Setting, {"office": Setting.CLINIC, "outpatient": Setting.CLINIC, "inpatient": Setting.HOSPITAL}
)
outcome: Final = one_of(
    Outcome,
    {
        "resolved": Outcome.RECOVERED,
        "resolving": Outcome.RECOVERING,
        "not_resolved": Outcome.NOT_RECOVERED,
        "ongoing": Outcome.NOT_RECOVERED,
        "resolved_with_sequelae": Outcome.RECOVERED_WITH_SEQUELAE,
    },
)
relatedness: Final = one_of(
    Relatedness,
    {
        "likely": Relatedness.PROBABLE,
        "probable/likely": Relatedness.PROBABLE,
        "conditional/unclassified": Relatedness.CONDITIONAL,
        "unclassified": Relatedness.CONDITIONAL,
        "unclassifiable": Relatedness.UNASSESSABLE,
        "unassessable/unclassifiable": Relatedness.UNASSESSABLE,
    },
)
elicitation: Final = one_of(Elicitation, {})
_criterion: Final = one_of(Criterion, {"hospitalization": Criterion.HOSPITALISATION})


def criteria(cell: str) -> frozenset[Criterion]:
    """A semicolon list of seriousness criteria."""
    try:
        return frozenset(_criterion(part) for part in cell.split(";") if part.strip())
    except BadCell:
        names = "; ".join(criterion.value for criterion in Criterion)
        raise BadCell(f"must be empty or a semicolon list of: {names}.") from None
