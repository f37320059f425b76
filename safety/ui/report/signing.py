"""The two last steps of a report: review and sign, filed."""

from __future__ import annotations

import streamlit as st

from safety import service
from safety.access import Action
from safety.errors import AfterdoseError, Conflict, InvalidReport
from safety.model import SessionReport
from safety.ui import places, say
from safety.ui.report import bands, complete, form, review, unfolding
from safety.ui.report.form import Form, Step
from safety.ui.session import Visit


def review_step(visit: Visit, opened: Form) -> None:
    """What will be signed, and the button that signs it."""
    report = bands.made_of(visit, opened).report
    if report is None:
        opened.step = Step.WRITE
        st.rerun()
    say.title("Review and sign", "Read it once more. What is filed is never edited, only amended.")
    review.likely(visit, opened.likely)
    if opened.amends is None:
        review.filled_in(opened.fields)
    review.draw(visit, report)
    unusable = complete.before_signing(visit, opened, report)
    reason = review.reason() if opened.amends is not None else None
    closed = visit.store.distrust is not None or not visit.actor.may(Action.FILE_REPORT)
    with st.bottom, st.container(horizontal=True, horizontal_alignment="right"):
        st.button("Back to the form", key="back", on_click=_back, args=(opened,))
        name = "Sign and file" if opened.amends is None else "Sign and amend"
        closed = closed or unusable
        if st.button(name, type="primary", icon=":material/draw:", disabled=closed, key="file"):
            _file(visit, opened, report, reason)


def _back(opened: Form) -> None:
    opened.step = Step.WRITE


def _file(visit: Visit, opened: Form, report: SessionReport, reason: str | None) -> None:
    try:
        opened.filed = _sent(visit, opened, report, reason)
    except InvalidReport as refused:
        say.problems(refused.problems)
    except Conflict as conflict:
        say.look(str(conflict))
    except AfterdoseError as error:
        say.failure(error)
    else:
        opened.drop_copy(visit)
        opened.step = Step.FILED
        st.rerun()


def _sent(visit: Visit, opened: Form, report: SessionReport, reason: str | None) -> service.Filed:
    if opened.amends is None:
        return service.file_report(visit.store, visit.actor, report, report_id=opened.id)
    return service.amend_report(
        visit.store,
        visit.actor,
        opened.amends.report_id,
        unfolding.as_filed(report, opened.amends.report),
        base_version=opened.amends.version,
        reason=reason or "",
    )


def filed(visit: Visit, opened: Form) -> None:
    """What was filed, and where to go from here."""
    done = opened.filed
    say.title("Filed", "The report is signed and on record.")
    if done is not None:
        version = f", version {done.version}" if done.version > 1 else ""
        st.text(f"Session {done.session_ref}{version}, filed by {visit.actor.name}.")
        review.warnings(done.warnings)
    with st.container(horizontal=True):
        if st.button("Next report", type="primary", icon=":material/add:", key="next"):
            form.close()
            st.rerun()
        if st.button("Back to Today", key="to-today"):
            form.close()
            places.go("today")
