"""Showing text: what comes from people is never read as Markdown, and errors are shown as they are.

Widgets, headings and alerts of Streamlit read Markdown. Text that somebody typed goes through
``st.text``; where only a Markdown element will do, :func:`plain` takes its power away first.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from datetime import date, datetime
from typing import Final
from zoneinfo import ZoneInfo

import streamlit as st

from safety.errors import AfterdoseError, IntegrityFailure, InvalidReport, Problem
from safety.ui import words

_SPECIAL: Final = re.compile(r"([\\`*_{}\[\]()#+\-.!|~:$<>&^=@/])")


def plain(text: str) -> str:
    """``text`` so that a Markdown element shows it letter by letter."""
    return _SPECIAL.sub(r"\\\1", text)


def title(text: str, purpose: str) -> None:
    """The one heading of a page, and the one sentence that says what it is for (both ours)."""
    st.title(text, anchor=False)
    st.caption(purpose)


def section(text: str) -> None:
    """The heading of a part of a page (ours)."""
    st.subheader(text, anchor=False)


def failure(error: AfterdoseError) -> None:
    """Show an error in its own words: red when the store cannot be trusted, amber otherwise."""
    if isinstance(error, IntegrityFailure):
        st.error(plain(str(error)), icon=":material/gpp_bad:")
    elif isinstance(error, InvalidReport):
        problems(error.problems)
    else:
        look(str(error))


def look(text: str) -> None:
    """Amber: look at this."""
    st.warning(plain(text), icon=":material/info:")


def problems(found: Iterable[Problem]) -> None:
    """Each problem in a line of its own."""
    for problem in found:
        look(words.sentence(problem))


def day(at: date) -> str:
    """``3 May 2026``."""
    return f"{at.day} {at:%B %Y}"


def moment(at: datetime, zone: ZoneInfo) -> str:
    """``3 May 2026, 14:05`` on the clock of ``zone``."""
    local = at.astimezone(zone)
    return f"{day(local.date())}, {local:%H:%M}"
