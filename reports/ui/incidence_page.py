"""The director's page: incidence by protocol and term in one quarter."""

from __future__ import annotations

from typing import Final

import streamlit as st

from reports.periods import Quarter
from reports.rates import RateQuery, exposure, incidence
from reports.rows import ANY_EVENT, ExposureRow, RateRow
from reports.ui import dot_plot, quarters, table
from safety import protocols
from safety.ui import say
from safety.ui.session import Visit

_NARROWEST: Final = 520  # pixels that plot and table need beside one another


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Incidence", "How often each effect was reported, by protocol, in one quarter.")
    query = _filters(visit)
    done = exposure(visit.store, visit.actor, query.first, query.last)
    if not any(row.sessions for row in done):
        _empty()
        return
    rows = [row for row in incidence(visit.store, visit.actor, query) if row.exposed]
    _sentence(rows, done, query)
    terms = table.by_term(rows)
    halves = st.grid(2, min_column_width=_NARROWEST, gap="large")
    with halves.cell():
        _plot(visit, rows, terms)
    with halves.cell():
        _table(terms, query)


def _filters(visit: Visit) -> RateQuery:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        quarter: Quarter = quarters.pick(visit, "incidence.quarter")
        unit = _one_of("Count", table.UNITS, 150)
        grade: int = st.selectbox("Grades", [1, 2, 3, 4, 5], format_func=_from_grade, width=150)
        method = _one_of("Interval", table.METHODS, 190)
        emergent = st.toggle(
            "Treatment-emergent only",
            help="Only what began or got worse with the dose; not what was there before.",
        )
    return RateQuery(
        first=quarter.first,
        last=quarter.last,
        unit=unit,
        min_grade=grade,
        treatment_emergent=emergent,
        method=method,
    )


def _one_of(label: str, names: dict[str, str], width: int) -> str:
    return st.selectbox(label, list(names.keys()), format_func=names.__getitem__, width=width)


def _from_grade(grade: int) -> str:
    return "All" if grade == 1 else f"{grade} and above"


def _empty() -> None:
    st.info(
        "No session was reported in this quarter. Rates appear here as soon as the nurses file "
        "their first reports, also those in which nothing happened. Choose another quarter, or "
        "file a report.",
        icon=":material/scatter_plot:",
    )


def _sentence(rows: list[RateRow], done: tuple[ExposureRow, ...], query: RateQuery) -> None:
    """What happened, how many of how many; and how many sessions said nothing."""
    overall = [row for row in rows if row.term == ANY_EVENT]
    affected = sum(row.with_event for row in overall)
    quiet, sessions = table.silent(done)
    if query.unit == "session":
        st.markdown(
            f"**{affected} of {sessions} sessions** had at least one such event "
            f"({table.percent(affected / sessions)})."
        )
    if quiet:
        st.markdown(
            f":orange[:material/info: {quiet} of {sessions} sessions said neither an event nor "
            '"nothing happened". They count as sessions without an event, so the true rates can '
            "be higher.]"
        )


def _plot(visit: Visit, rows: list[RateRow], terms: list[table.TermRows]) -> None:
    order = [p.id for p in protocols.list_protocols(visit.store, visit.actor)]
    known = [*order, *sorted({row.protocol for row in rows} - set(order))]
    labels = dot_plot.labels_of(rows, known)
    if not dot_plot.plotted(terms):
        st.markdown("No such event was reported in this quarter.")
        return
    st.altair_chart(
        dot_plot.draw(terms, labels, known),
        width="stretch",
        alt="Dot plot of the table beside it: one row an effect, one dot a protocol",
    )
    st.caption(
        "Sorted by how far the intervals of two protocols lie apart, so that what differs beyond "
        "chance stands first. Colours stay with the protocol."
    )


def _table(terms: list[table.TermRows], query: RateQuery) -> None:
    every = st.toggle("Show also what nobody reported", key="incidence.all")
    shown = [term for term in terms if every or term.occurred or term.term == ANY_EVENT]
    st.dataframe(
        table.lines(shown),
        hide_index=True,
        width="stretch",
        height=640,
        column_config={
            name: st.column_config.Column(alignment="right")
            for name in ("Share", "n / N", "95 % interval", "Events")
        },
        alt="Incidence by effect and protocol",
    )
    st.caption(
        f"n of N {table.UNITS[query.unit]} with the effect at least once; 95 % interval by the "
        f"method of {table.METHODS[query.method]}. No correction for looking at many effects."
    )
