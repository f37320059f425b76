"""The director's page by session number: whether an effect gets rarer as patients come back."""

from __future__ import annotations

from typing import Any

import streamlit as st

from reports import habituation
from reports.asking import RateQuery, asked_terms
from reports.plain_words import percent, several
from reports.rates import incidence
from reports.rows import ANY_EVENT, RateRow
from reports.ui import number_filters, number_plot, sessions_behind, table
from safety.errors import UserError
from safety.ui import say
from safety.ui.session import Visit


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title(
        "By session number", "Whether an effect gets rarer from a patient's first session on."
    )
    try:
        query = number_filters.choose(visit)
    except UserError as wrong:
        say.failure(wrong)
        return
    rows = _rows(visit, query)
    if not rows:
        st.info(
            "No session of this protocol was reported in this period. Choose a longer period or "
            "another protocol.",
            icon=":material/timeline:",
        )
        return
    _words(rows)
    left, right = st.columns([3, 2], gap="large")
    with left:
        _plot(rows)
    with right:
        _table(rows)
        _behind(visit, query, rows)


def _rows(visit: Visit, query: RateQuery) -> list[RateRow]:
    """One row a session number: of what was asked, or of any event."""
    wanted = next((each.id for each in asked_terms(query.term)), ANY_EVENT)
    return [row for row in incidence(visit.store, visit.actor, query) if row.term == wanted]


def _words(rows: list[RateRow]) -> None:
    st.text(f"{rows[0].term_name}. {habituation.trend(rows)}")
    say.look(habituation.STAYED)


def _plot(rows: list[RateRow]) -> None:
    st.altair_chart(
        number_plot.draw(rows),
        width="stretch",
        alt="Dot plot of the table beside it: one dot a session number, with its interval",
    )
    st.caption(habituation.UNSEEN)


def _table(rows: list[RateRow]) -> None:
    st.dataframe(
        lines(rows),
        hide_index=True,
        width="stretch",
        height="content",
        column_config={
            name: st.column_config.Column(alignment="right")
            for name in ("Share", "n / N", "95 % interval")
        },
        alt="Incidence by session number",
    )
    st.caption(
        "n of N sessions with the effect. Up to session 12 a patient has one session a number; "
        f"from 13 on, sessions of one patient count as alike. Method: {_methods(rows)}."
    )


def lines(rows: list[RateRow]) -> list[dict[str, Any]]:
    """One line a session number, as the table shows them."""
    return [
        {
            "Session": row.protocol,
            "Share": percent(row.estimate),
            "n / N": table.of_all(row),
            "95 % interval": table.interval(row),
        }
        for row in rows
    ]


def _methods(rows: list[RateRow]) -> str:
    return "; ".join(dict.fromkeys(table.CALLED.get(row.method, row.method) for row in rows))


def _behind(visit: Visit, query: RateQuery, rows: list[RateRow]) -> None:
    """Choose a number and see its sessions."""
    affected = {row.protocol: row for row in rows if row.with_event}
    if not affected:
        return
    with st.container(horizontal=True, vertical_alignment="bottom"):
        chosen: str = st.selectbox(
            "Which sessions had it?",
            list(affected),
            format_func=lambda number: f"Session {number}",
            key="numbers.behind",
            width=180,
        )
        asked = st.button(
            f"See the {several(affected[chosen].with_event, 'session')}", key="numbers-see"
        )
    if asked:
        about = f"{affected[chosen].term_name}, session {chosen} of the patient"
        sessions_behind.show(visit, about, query, chosen)
