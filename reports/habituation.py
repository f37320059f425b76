"""Whether an effect gets rarer from session to session: what can be said of it, and what cannot.

One comparison, fixed beforehand: the first session against the highest session number (not the open
end) that enough patients had. Looking for the pair that differs most would find one by chance.
Patients who are in both ends are taken as different ones, which makes the interval too wide rather
than too narrow. Pure: rows of :func:`reports.rates.incidence` in, sentences out.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Final

from reports.comparing.arms import Arm, Contrast
from reports.comparing.differences import newcombe
from reports.dimensions import MOST_SESSION_NUMBERS
from reports.intervals import Estimate
from reports.plain_words import FEW_EXPOSED, proportion
from reports.rows import RateRow

BY: Final = "session-number"
FEWEST: Final = FEW_EXPOSED
"""Default: sessions that a number must have to stand as an end of the line."""
STAYED: Final = (
    "Those who had a later session are the ones who stayed. Whoever fared badly may have left, so "
    "a falling line need not mean that patients get used to it."
)
UNSEEN: Final = (
    "Numbers count the sessions in this record, under any protocol. What a patient had elsewhere, "
    "or before the record began, is not counted, so some numbers are too low."
)


def ends(rows: Sequence[RateRow]) -> tuple[RateRow, RateRow] | None:
    """The first session and the highest single number with at least 20 sessions, if both are."""
    by_number = {int(row.protocol): row for row in rows if row.protocol.isdigit()}
    enough = {number: row for number, row in by_number.items() if row.exposed >= FEWEST}
    last = max(enough, default=0)
    if 1 not in enough or not 1 < last <= MOST_SESSION_NUMBERS:
        return None
    return enough[1], enough[last]


def trend(rows: Sequence[RateRow]) -> str:
    """Both ends with their numbers, and whether they differ by more than chance explains."""
    found = ends(rows)
    if found is None:
        return (
            f"Too few sessions to say whether it falls: the first session and a later number must "
            f"each have {FEWEST}. Choose a longer period."
        )
    first, last = found
    change = newcombe(_arm(last), _arm(first))
    return (
        f"Session 1: {_share(first)}. Session {last.protocol}: {_share(last)}. {_verdict(change)}"
    )


def _arm(row: RateRow) -> Arm:
    return Arm(row.with_event, int(row.exposed))


def _share(row: RateRow) -> str:
    estimate = Estimate(row.estimate, row.low, row.high, row.method)
    return proportion(row.with_event, int(row.exposed), estimate)


def _verdict(change: Contrast) -> str:
    low, high = change.low, change.high or 0.0
    if high < 0:
        span, what = f"{_points(high)} to {_points(low)} fewer", "It falls"
    elif low > 0:
        span, what = f"{_points(low)} to {_points(high)} more", "It rises"
    else:
        span = f"from {_points(low)} fewer to {_points(high)} more"
        what = "Neither a fall nor a rise is beyond chance"
    return f"{what}: {span} in a hundred sessions (95 % interval, {change.method})."


def _points(difference: float) -> str:
    number = 100 * abs(difference)
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def label(row: RateRow) -> str:
    """``4 (n = 61)``, as it stands on the axis."""
    return f"{row.protocol} (n = {row.exposed:,g})"
