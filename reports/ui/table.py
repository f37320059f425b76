"""Incidence rows as a page shows them: ordered, in words, with denominators. Draws nothing."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports.rows import ANY_EVENT, ExposureRow, RateRow

METHODS: Final = {
    "default": "as fits the count",
    "wilson": "Wilson",
    "clopper-pearson": "Clopper-Pearson",
    "jeffreys": "Jeffreys",
}
CALLED: Final = METHODS | {
    "wilson-clustered": "Wilson, over patients",
    "clopper-pearson by patients": "Clopper-Pearson, by patients",
    "one patient": "none: one patient tells nothing of others",
}
"""What each method that a row can carry is called in a sentence."""

_NONE: Final = "no data"
UNITS: Final = {"session": "sessions", "patient": "patients"}
SUBSETS: Final = {"all": "All events", "serious": "Serious only", "related": "Related only"}


def percent(fraction: float | None) -> str:
    """``4.2 %``; ``no data`` when there is nothing to divide."""
    return _NONE if fraction is None else f"{100 * fraction:.1f} %"


def interval(row: RateRow) -> str:
    """``2.1 to 8.0 %``."""
    if row.low is None or row.high is None:
        return _NONE
    return f"{100 * row.low:.1f} to {100 * row.high:.1f} %"


def of_all(row: RateRow) -> str:
    """``9 / 213``."""
    return f"{row.with_event} / {row.exposed:g}"


@dataclass(frozen=True, slots=True)
class TermRows:
    """One term and its rows by protocol."""

    term: str
    name: str
    rows: tuple[RateRow, ...]

    @property
    def apart(self) -> float:
        """How far the intervals of two protocols lie apart at most; below zero, they overlap.

        Higher less lower proportion would put the smallest protocols first, whose proportions
        differ most by chance alone.
        """
        lows = [row.low for row in self.rows if row.low is not None]
        highs = [row.high for row in self.rows if row.high is not None]
        return max(lows) - min(highs) if lows and highs else -1.0

    @property
    def highest(self) -> float:
        """The highest proportion."""
        return max((row.estimate or 0.0 for row in self.rows), default=0.0)

    @property
    def occurred(self) -> bool:
        """Whether anybody reported it in the period."""
        return any(row.with_event for row in self.rows)


def by_term(rows: Iterable[RateRow]) -> list[TermRows]:
    """Rows gathered by term: any event first, then what differs most between protocols."""
    gathered: dict[str, list[RateRow]] = {}
    for row in rows:
        gathered.setdefault(row.term, []).append(row)
    terms = [TermRows(term, found[0].term_name, tuple(found)) for term, found in gathered.items()]
    return sorted(terms, key=lambda t: (t.term != ANY_EVENT, -t.apart, -t.highest, t.name))


def lines(terms: Sequence[TermRows], group: str = "Protocol") -> list[dict[str, Any]]:
    """One line a term and protocol (or other ``group``), as the table shows them."""
    return [
        {
            "Effect": term.name,
            group: row.protocol_name,
            "Share": percent(row.estimate),
            "n / N": of_all(row),
            "95 % interval": interval(row),
            "Events": row.events,
            "Design effect": row.design_effect,
        }
        for term in terms
        for row in term.rows
    ]


def silent(exposure: Iterable[ExposureRow]) -> tuple[int, int]:
    """Sessions that said neither event nor "nothing happened", and all sessions."""
    rows = tuple(exposure)
    return sum(row.sessions_nothing_said for row in rows), sum(row.sessions for row in rows)
