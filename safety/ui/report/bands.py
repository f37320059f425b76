"""The bands of the form that are drawn again alone, so that an answer comes at once.

The whole page is some two hundred elements, and the browser takes as long to draw them as a person
notices. A change in one of these bands therefore draws that band and the state in the bar at the
bottom; the whole page only when the change shows in another band too. A run of a band alone does
not pass through the router, so the band asks by itself whether the session still stands.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import StrEnum
from typing import Final

import streamlit as st

from safety.ui import incidents, session
from safety.ui.report import pressure
from safety.ui.report.clock import zone_of_site
from safety.ui.report.fields import Attempt, attempt
from safety.ui.report.form import Form
from safety.ui.session import Visit

_SEEN_ELSEWHERE: Final = ("site", "protocol", "start_date", "start_time", "end_date")
"""Fields of the session that decide what other bands offer or say."""


class Band(StrEnum):
    """The bands that are drawn again alone."""

    GIVEN = "given"
    MEASURED = "measured"
    HAPPENED = "happened"
    LEAVING = "leaving"


def made_of(visit: Visit, opened: Form) -> Attempt:
    """What the fields make now; made once for the same fields, as several bands ask for it."""
    now = dict(opened.fields), opened.asked
    if opened.made is None or opened.made[0] != now:
        site = opened.fields.get("site")
        zone = opened.once(f"zone of {site}", lambda: zone_of_site(visit, site))
        opened.made = now, attempt(opened.fields, zone, asked=opened.asked)
    made: Attempt = opened.made[1]
    return made


@contextmanager
def drawn(visit: Visit, opened: Form, band: Band, state: Callable[[], None]) -> Iterator[Attempt]:
    """Draw a band in here, given what the fields make; then keep the draft and draw ``state``."""
    with incidents.caught():
        if not opened.whole:
            _begin_alone(visit, opened)
        opened.drawing = band
        yield made_of(visit, opened)
        opened.runs[band] += 1
        opened.keep(visit)
        state()


def across(visit: Visit, opened: Form) -> object:
    """What a change in one band can change in another; while it stays, one band is enough."""
    made = made_of(visit, opened)
    when_and_where = tuple(opened.fields.get(name) for name in _SEEN_ELSEWHERE)
    return made.problems, pressure.spike(made.vitals), when_and_where


def _begin_alone(visit: Visit, opened: Form) -> None:
    """Begin a run of one band: go to the start if signed out, to the whole page if it is needed."""
    if session.visit(visit.store) is None:
        st.rerun()
    opened.collect()
    if across(visit, opened) != opened.across:
        st.rerun()
