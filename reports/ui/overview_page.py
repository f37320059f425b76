"""The director's first page: what changed since the last visit, and how this quarter looks."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

import streamlit as st

from reports import overview_sentences as sentences
from reports.asking import RateQuery
from reports.overview import Overview, overview
from reports.overview_changes import Change
from reports.overview_sentences import Sentence, Weight
from reports.plain_words import several
from reports.rows import ANY_EVENT
from reports.ui import sessions_behind
from safety.ui import places, say
from safety.ui.session import Visit

_MARKS: Final = {
    Weight.SERIOUS: ":red[:material/emergency_home:]",
    Weight.LOOK: ":orange[:material/info:]",
    Weight.PLAIN: ":gray[:material/chevron_right:]",
}
_ROW: Final = (0.35, 8, 2)
"""Widths of a sentence's mark, its words and its button."""


def page(visit: Visit) -> None:
    """Draw the page: sentences first, then figures."""
    say.title("Overview", "What changed since your last visit, and what stands out this quarter.")
    found = overview(visit.store, visit.actor)
    if not found.ever:
        _empty()
        return
    _news(found)
    _changes(visit, found)
    left, right = st.columns(2, gap="large")
    with left:
        _exposure(found)
    with right:
        _quality(found)


def _empty() -> None:
    st.info(
        "No session has been reported yet. Once the nurses file their first reports, this page "
        "says each time what is new, what stands out, and what waits for you. Load the sessions "
        "of the past with `afterdose import`, or file a report.",
        icon=":material/insights:",
    )


def _news(found: Overview) -> None:
    say.section("Since your last visit")
    for each in sentences.since_last_visit(found.news):
        _sentence(each)
    for each in sentences.waiting(found.notices, found.rems_late):
        _sentence(each)
    if found.notices and st.button("Look at the notices", key="overview-notices"):
        places.go("notices")


def _changes(visit: Visit, found: Overview) -> None:
    say.section(f"What stands out in {found.quarter.year} Q{found.quarter.number}")
    for at, each in enumerate(sentences.changes(found.changes)):
        if each.change is None:
            _sentence(each)
        else:
            _standing_out(visit, found, at, each)
    if found.changes.compared:
        st.caption(sentences.how(found.changes))


def _sentence(each: Sentence) -> None:
    mark, text, _ = st.columns(_ROW, vertical_alignment="top")
    mark.markdown(_MARKS[each.weight])
    text.text(each.text)


def _standing_out(visit: Visit, found: Overview, at: int, each: Sentence) -> None:
    mark, text, action = st.columns(_ROW, vertical_alignment="top")
    mark.markdown(_MARKS[each.weight])
    text.text(each.text)
    change = each.change
    if change is None or not change.now.affected:
        return
    label = f"See the {several(change.now.affected, 'session')}"
    if action.button(label, key=f"overview-see-{at}", width="stretch"):
        about = f"{change.term_name} on {change.protocol_name}, this quarter"
        sessions_behind.show(visit, about, _query(found, change), change.protocol)


def _query(found: Overview, change: Change) -> RateQuery:
    term = None if change.term == ANY_EVENT else change.term
    return RateQuery(found.quarter.first, found.quarter.last, term=term)


def _exposure(found: Overview) -> None:
    say.section("Sessions")
    st.text(sentences.exposure(found))
    if not found.exposure:
        return
    st.dataframe(
        _lines(found),
        hide_index=True,
        width="stretch",
        column_config={
            name: st.column_config.Column(alignment="right")
            for name in ("Sessions", "Patients", "Sessions before", "Patients before")
        },
        alt="Sessions and patients by protocol, this quarter and the one before",
    )
    st.caption(
        'This quarter so far; "before" is the whole quarter before. A patient of two protocols '
        "counts in both rows."
    )


def _lines(found: Overview) -> list[dict[str, Any]]:
    return [
        {
            "Protocol": row.protocol_name,
            "Sessions": row.sessions,
            "Patients": row.patients,
            "Sessions before": row.sessions_before,
            "Patients before": row.patients_before,
        }
        for row in found.exposure
    ]


def _quality(found: Overview) -> None:
    say.section("How whole the reports are")
    said = sentences.quality(found.quality)
    if not said:
        st.markdown("No session was reported in this quarter yet.")
    _all(said)


def _all(said: Iterable[Sentence]) -> None:
    for each in said:
        mark, text = st.columns([0.6, 8], vertical_alignment="top")
        mark.markdown(_MARKS[each.weight])
        text.text(each.text)
