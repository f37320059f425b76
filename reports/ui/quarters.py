"""Choosing a quarter. Pure, except for the widget itself."""

from __future__ import annotations

from datetime import date
from typing import Final

import streamlit as st

from reports.periods import Quarter
from reports.rates import today
from safety.ui.session import Visit

_BACK: Final = 12


def offered(today: date, count: int = _BACK) -> list[Quarter]:
    """The running quarter and those before it, newest first."""
    found = [Quarter.containing(today)]
    while len(found) < count:
        found.append(found[-1].previous())
    return found


def in_words(quarter: Quarter, today: date) -> str:
    """``2026 Q2, April to June``, and whether it still runs."""
    running = "" if quarter.has_ended(today) else ", running"
    return f"{quarter.year} Q{quarter.number}, {quarter.first:%B} to {quarter.last:%B}{running}"


def pick(visit: Visit, key: str, *, closed: bool = False) -> Quarter:
    """A list of quarters; with ``closed`` it begins with the last one that has ended."""
    now = today(visit.store)
    quarters = offered(now)
    return st.selectbox(
        "Quarter",
        quarters,
        index=1 if closed else 0,
        format_func=lambda quarter: in_words(quarter, now),
        key=key,
        bind="query-params",
        width=340,
    )
