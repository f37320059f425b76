"""Lines of the tables on the pages of groups and of blood pressure, and how a table is drawn."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from reports.group_profiles import Profile
from reports.group_reporting import UnitFinding
from reports.group_signals import UnitRow
from reports.intervals import Estimate
from reports.plain_words import percent
from reports.ui import funnel_plot

_QUESTIONS: Final = {
    "few effects": "Sessions with an effect",
    "silent reports": "Reports that say nothing happened",
    "late entry": "Reports filed late",
}
_LEFT: Final = frozenset(
    {"Unit", "Question", "Limits", "Protocol", "Criteria met", "Group", "Spike", "When", "Limb"}
)
"""Columns of words; numbers stand to the right."""


def unit(row: UnitRow) -> dict[str, Any]:
    """A unit of the funnel."""
    return {
        "Unit": row.unit.name,
        "Share": percent(row.estimate.value),
        "n / N": f"{row.x:,} / {row.n:,}",
        "95 % interval": interval(row.estimate),
        "Patients": row.patients,
        "Counts as": round(row.effective),
        "p": chance(row.p),
        "Limits": funnel_plot.WORDS[row.flag],
    }


def finding(each: UnitFinding) -> dict[str, Any]:
    """A question about a unit's reporting."""
    found = each.finding
    ratio = found.ratio
    return {
        "Unit": each.unit.name,
        "Question": _QUESTIONS[found.kind],
        "n / N": f"{found.x:,} / {found.n:,}",
        "Expected": f"{found.expected:.1f}",
        "Ratio": _number(ratio.value, "none"),
        "95 % interval": f"{_number(ratio.low)} to {_number(ratio.high)}",
        "p": chance(found.p),
        "q": chance(found.adjusted),
    }


def profile(row: Profile) -> dict[str, Any]:
    """A protocol's share of an event among events."""
    found = row.found
    a, b, *_ = found.table.counts()
    return {
        "Protocol": row.protocol_name,
        "n / N events": f"{a:,} / {a + b:,}",
        "Expected": _number(found.expected, "none"),
        "ROR": _with_limits(found.ror),
        "PRR": _with_limits(found.prr),
        "IC": _with_limits(found.ic),
        "Criteria met": ", ".join(found.met) or "none",
    }


def frame(lines: list[dict[str, Any]], alt: str) -> None:
    """Draw a table of at least one line."""
    st.dataframe(
        lines,
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.Column(alignment="right") for name in lines[0].keys() - _LEFT
        },
        alt=alt,
    )


def interval(estimate: Estimate) -> str:
    """``4.2 % to 18 %``."""
    return f"{percent(estimate.low)} to {percent(estimate.high)}"


def _with_limits(estimate: Estimate) -> str:
    low, high = _number(estimate.low), _number(estimate.high)
    return f"{_number(estimate.value, 'none')} ({low} to {high})"


def _number(value: float | None, none: str = "no limit") -> str:
    return none if value is None else f"{value:.2f}"


def chance(value: float | None) -> str:
    """A p value: ``0.012``, ``<0.001``; ``none`` where there is nothing to compare."""
    if value is None:
        return "none"
    return "<0.001" if value < 0.001 else f"{value:.3f}"
