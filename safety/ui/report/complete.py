"""How complete the record is, live in the bar and once more before it is signed."""

from __future__ import annotations

from collections.abc import Iterable

import streamlit as st

from safety import completeness, protocols, settings
from safety.completeness import Completeness, Missing
from safety.model import SessionReport
from safety.ui import say
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form
from safety.ui.session import Visit
from safety.vocabulary import Protocol


def meter(visit: Visit, form: Form, made: Attempt, protocol: Protocol | None) -> None:
    """The score, and on a press what is missing. Empty while there is no record to weigh."""
    if made.partial is None:
        st.empty()
        return
    found = _score(visit, form, made.partial, protocol)
    missing = [*(problem.message for problem in made.lacking), *_sentences(found)]
    lines = "\n".join(f"- {say.plain(text)}" for text in missing)
    with st.popover(f"Complete {found.percent} %", width="content"):
        st.markdown(lines or "Nothing is missing.")


def before_signing(visit: Visit, form: Form, report: SessionReport) -> bool:
    """Point out what is missing; say whether the record would be unusable without it."""
    known = {p.id: p for p in protocols.list_protocols(visit.store, visit.actor)}
    found = _score(visit, form, report, known.get(report.protocol))
    for missing in found.required:
        say.look(missing.add)
    if found.required:
        st.caption("Go back to the form and add this: without it the record cannot be used.")
    elif found.recommended:
        with st.expander(f"Complete {found.percent} %: what could be added"):
            for text in _said(found.recommended):
                st.markdown(f"- {say.plain(text)}")
    return bool(found.required)


def _score(
    visit: Visit, form: Form, report: SessionReport, protocol: Protocol | None
) -> Completeness:
    rules = form.once("rules", lambda: settings.completeness_rules(visit.store, visit.actor))
    return completeness.score(report, rules, protocol)


def _sentences(found: Completeness) -> list[str]:
    return _said((*found.required, *found.recommended))


def _said(missing: Iterable[Missing]) -> list[str]:
    return list(dict.fromkeys(each.add for each in missing))
