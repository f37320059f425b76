"""The REMS monitoring forms on the nurse's home: what is to be sent, and that it was."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Final

import streamlit as st

from safety import rems
from safety.rems import RemsForm
from safety.ui import planning_dialog, say
from safety.ui.session import Visit
from safety.ui.today_lists import ROW, who
from safety.worklist import Worklist

SENT: Final = "today-form-sent"
"""The report whose form was noted as sent last, while that can be taken back with one press."""
_AT_ONCE: Final = 8
_MOST: Final = 40
_LONG_LATE: Final = -rems.FORM_DAYS


def forms(visit: Visit, found: Worklist) -> None:
    """The REMS forms that are to be sent."""
    if not found.rems and SENT not in st.session_state:
        return
    say.section("REMS")
    late = sum(each.days_left < 0 for each in found.rems)
    st.caption(
        f"{len(found.rems)} monitoring forms to send, {late} of them late. Each is due "
        f"{rems.FORM_DAYS} days after its session; send it on the REMS site, then note it here."
    )
    _undo(visit)
    listed = _in_turn(found.rems)
    for each in listed[:_AT_ONCE]:
        _form(visit, each)
    if rest := listed[_AT_ONCE:_MOST]:
        with st.expander(f"{len(rest)} more"):
            for each in rest:
                _form(visit, each)
    if len(listed) > _MOST:
        st.markdown(f"{len(listed) - _MOST} older ones follow as these are sent.")


def _in_turn(found: Iterable[RemsForm]) -> list[RemsForm]:
    """As they are due; those of an imported past behind, so that they hide none of this week."""
    by_day = sorted(found, key=lambda each: each.due)
    recent = [each for each in by_day if each.days_left >= _LONG_LATE]
    older = [each for each in by_day if each.days_left < _LONG_LATE]
    return [*recent, *reversed(older)]


def _form(visit: Visit, each: RemsForm) -> None:
    row, button = st.columns([ROW[0] + ROW[2], ROW[1]], vertical_alignment="center")
    row.text(f"{who(each.patient)}\nSession of {say.day(each.session_day)} · {_left(each)}")
    if button.button("Sent", key=f"rems-{each.report_id.hex}", width="stretch"):
        rems.mark_sent(visit.store, visit.actor, each.report_id)
        st.session_state[SENT] = each.report_id
        st.session_state[planning_dialog.CHANGED] = ""
        st.rerun()


def _left(each: RemsForm) -> str:
    days = abs(each.days_left)
    if days == 0:
        return "due today"
    unit = "day" if days == 1 else "days"
    return f"{days} {unit} late" if each.days_left < 0 else f"due in {days} {unit}"


def _undo(visit: Visit) -> None:
    sent = st.session_state.get(SENT)
    if sent is None:
        return
    with st.container(horizontal=True, vertical_alignment="center"):
        st.markdown("Noted as sent.")
        if st.button("Undo", key="rems-undo", type="tertiary"):
            rems.unmark(visit.store, visit.actor, sent)
            st.session_state.pop(SENT)
            st.session_state[planning_dialog.CHANGED] = ""
            st.rerun()
