"""The lines of the comparison's tables: numbers with their denominators. Draws nothing."""

from __future__ import annotations

from typing import Any, Final

from reports.compare_label import LabelBeside
from reports.compare_rows import CompareRow
from reports.compare_words import verdict
from reports.plain_words import percent

NUMBERS: Final = (
    "Protocol n / N", "Reference n / N", "Difference, points", "95 % of difference", "Ratio",
    "95 % of ratio", "p", "q",
)  # fmt: skip
BESIDE: Final = (
    "Ours", "Ours n / N", "Ours, 95 %", "Published", "Published n / N", "Published, 95 %",
)  # fmt: skip


def line(row: CompareRow) -> dict[str, Any]:
    """One effect under both protocols."""
    return {
        "Effect": row.term_name,
        "Protocol n / N": f"{row.with_event} / {row.exposed}",
        "Reference n / N": f"{row.with_event_ref} / {row.exposed_ref}",
        "Difference, points": _number(row.risk_difference, 100, "+.1f"),
        "95 % of difference": _between(row.rd_low, row.rd_high, 100, "+.1f"),
        "Ratio": _number(row.risk_ratio, 1, ".2f"),
        "95 % of ratio": _between(row.rr_low, row.rr_high, 1, ".2f"),
        "p": "not tested" if row.p is None else f"{row.p:.3g}",
        "q": "" if row.q is None else f"{row.q:.3g}",
        "Among all effects": "" if row.q is None else verdict(row),
    }


def _number(value: float | None, times: float, form: str) -> str:
    return "not known" if value is None else format(times * value, form)


def _between(low: float, high: float | None, times: float, form: str) -> str:
    least = format(times * low, form)
    return f"{least} or more" if high is None else f"{least} to {format(times * high, form)}"


def beside(row: LabelBeside) -> dict[str, Any]:
    """One published rate and ours."""
    rate, ours = row.rate, row.estimate
    theirs = rate.estimate()
    counted = "" if rate.x is None else f"{rate.x} / {rate.n}"
    return {
        "Effect": row.name,
        "Ours": percent(ours.value),
        "Ours n / N": f"{row.with_event} / {row.exposed} {row.unit}s",
        "Ours, 95 %": _range(ours.low, ours.high),
        "Published": percent(theirs.value),
        "Published n / N": counted or f"not printed ({rate.published})",
        "Published, 95 %": _range(theirs.low, theirs.high),
        "Given": rate.treatment,
        "Printed as": rate.printed,
        "Source": f"{rate.source.document}; {rate.source.study}; {rate.source.phase}",
        "Note": rate.note,
    }


def _range(low: float | None, high: float | None) -> str:
    return "none" if low is None or high is None else f"{100 * low:.1f} to {100 * high:.1f} %"
