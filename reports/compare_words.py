"""A comparison in sentences, for a reader who decides and does not calculate."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reports.asking import DEFAULT
from reports.compare import CompareQuery
from reports.compare_rows import CompareRow
from reports.comparing import stratified
from reports.intervals import LEVEL
from reports.plain_words import counted, percent, several
from reports.rows import ANY_EVENT, PATIENT, SESSION

NOT_RANDOMISED: Final = (
    "The protocols were not randomised: patients got one or the other for reasons that can "
    "themselves make an event more or less likely. A difference is a reason to look, not proof "
    "that the protocol caused it."
)
FLAGGED: Final = "stands out among all effects"
NOT_FLAGGED: Final = "within what many looks can bring"
_SAID: Final = 5


def sentence(row: CompareRow) -> str:
    """Say it: ``Nausea: 12 of 61 sessions (20 %) against 4 of 80 (5 %), 5 to 25 points more.``.

    The limits are those of the difference in percentage points. It says when there is nothing to
    compare and when the limits allow for no difference.
    """
    if not row.exposed or not row.exposed_ref:
        return f"{row.term_name}: one protocol has no {row.unit}s, so nothing is known."
    counts = (
        f"{counted(row.with_event, row.exposed, row.unit)} "
        f"({percent(row.with_event / row.exposed)}) against "
        f"{row.with_event_ref:,} of {row.exposed_ref:,} "
        f"({percent(row.with_event_ref / row.exposed_ref)})"
    )
    return f"{row.term_name}: {counts}, {points(row)}{_disagreement(row)}."


def notable(rows: Sequence[CompareRow]) -> list[CompareRow]:
    """Any event, then at most five effects to say first: flagged ones, then by p value."""
    terms = [row for row in rows if row.term != ANY_EVENT and row.occurred and row.p is not None]
    terms.sort(key=lambda row: (not row.flagged, row.p, row.term_name))
    return [*(row for row in rows if row.term == ANY_EVENT), *terms[:_SAID]]


def points(row: CompareRow) -> str:
    """``5 to 25 points more``; ``anywhere from 3 points fewer to 12 points more``."""
    low, high = row.rd_low, row.rd_high
    if high is None or row.risk_difference is None:
        return "with nothing known of the difference"
    if low > 0:
        return f"{_span(low, high)} points more"
    if high < 0:
        return f"{_span(-high, -low)} points fewer"
    fewer, more = _point(-low), _point(high)
    return f"anywhere from {fewer} points fewer to {more} points more, which includes no difference"


def _disagreement(row: CompareRow) -> str:
    """What to make of a test that finds a difference where the limits still allow for none."""
    high = 1.0 if row.rd_high is None else row.rd_high
    if row.p is None or row.p >= 1 - LEVEL or not row.rd_low <= 0 <= high:
        return ""
    found = "p < 0.001" if row.p < 0.001 else f"p = {row.p:.2g}"
    if row.unit == SESSION:
        return (
            f"; a test alone finds one ({found}), but the limits allow for patients being more "
            "alike than these can show"
        )
    return f"; a test alone finds one ({found}): it is at the border"


def warnings(rows: Sequence[CompareRow], query: CompareQuery) -> tuple[str, ...]:
    """What must be said beside every comparison like this one, in sentences."""
    if not rows:
        return ()
    said = [NOT_RANDOMISED]
    shared = several(rows[0].patients_shared, "patient")
    if rows[0].patients_shared and query.unit == PATIENT:
        said.append(
            f"{shared} had sessions under both protocols, which are then not independent: by "
            "patient the limits and p values do not allow for that. By session they do."
        )
    elif rows[0].patients_shared and query.difference != DEFAULT:
        said.append(
            f"{shared} had sessions under both protocols, and sessions of one patient are alike: "
            f"{query.difference} allows for neither, so its limits may be too narrow."
        )
    if query.stratify is not None:
        strata = stratified.said(rows[0].strata, rows[0].strata_left_out)
        said.append(f"{strata} A patient with sessions in two strata counts in both.")
    return tuple(said)


def verdict(row: CompareRow) -> str:
    """Whether it is flagged, in words that stand beside the shape of its mark."""
    return FLAGGED if row.flagged else NOT_FLAGGED


def _span(low: float, high: float) -> str:
    return f"{_point(low)} to {_point(high)}"


def _point(fraction: float) -> str:
    """Percentage points without a sign: whole from one on, else one decimal, never a false 0."""
    value = 100 * fraction
    if value == 0:
        return "0"
    if value < 0.05:
        return "<0.1"
    return f"{value:.0f}" if value >= 0.95 else f"{value:.1f}"
