"""A report in words, as it is read before signing and afterwards."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

import streamlit as st

from safety import protocols, service
from safety.duplicates import Likely
from safety.errors import Problem
from safety.model import SessionReport
from safety.ui import say, words
from safety.ui.report import foregoing, summary
from safety.ui.report.clock import zone_of_site
from safety.ui.session import Visit


def draw(visit: Visit, report: SessionReport) -> None:
    """Show the report, warnings first."""
    warnings(report.warnings())
    body(visit, report)


def body(visit: Visit, report: SessionReport, version: int = 0) -> None:
    """Show the report as lines under headings. What people typed is shown as text."""
    names = {p.id: p.name for p in protocols.list_protocols(visit.store, visit.actor)}
    vocabulary = protocols.clinic_vocabulary(visit.store, visit.actor)
    zone = zone_of_site(visit, report.site)
    with st.container(key=f"subject-{version}"):
        st.text(summary.heading(report))
    for part in summary.parts(report, names.get(report.protocol), vocabulary, zone):
        st.markdown(f"**{part.title}**")
        st.text("\n".join(part.lines))


def likely(visit: Visit, found: Iterable[Likely]) -> None:
    """Reports that may be of the same session, before a second one is signed."""
    zone = visit.store.clinic.timezone
    for other in found:
        apart = f"{other.minutes_apart} min apart" if other.minutes_apart else "at the same time"
        with st.container(key=f"likely-{other.report_id.hex}"):
            say.look(
                f"This patient has a report of this day already: it began "
                f"{say.moment(other.started_at, zone)}, {apart}. If it is the same session, go "
                "back and put this form aside; if there were two sessions, sign."
            )


def filled_in(fields: Mapping[str, Any]) -> None:
    """Name what nobody typed, so that a dose is not signed because it stood there."""
    found = foregoing.carried(fields, {})
    if fields.get("planned_time", "") == fields.get("start_time", "-"):
        found.append(f"start {fields['planned_time']}, as planned")
    if found:
        say.look(f"Filled in for you, unchanged: {', '.join(found)}. Is it right?")


def warnings(found: Iterable[Problem]) -> None:
    """What is possible but unusual, to be looked at once more."""
    for problem in found:
        say.look(words.sentence(problem))


def reason() -> str:
    """Ask why a filed report is amended."""
    return st.text_area(
        "Why is it amended?",
        key="amendment-reason",
        max_chars=service.REASON_LENGTH,
        placeholder="For example: the weight was read from the wrong chart.",
    )
