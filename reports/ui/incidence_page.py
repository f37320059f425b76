"""The director's page: incidence by protocol and term in one quarter."""

from __future__ import annotations

import streamlit as st
from streamlit.delta_generator import DeltaGenerator

from reports.periods import Quarter
from reports.rates import RateQuery, exposure, incidence
from reports.rows import ANY_EVENT, ExposureRow, RateRow
from reports.ui import dot_plot, quarters, table
from safety import protocols
from safety.ui import say
from safety.ui.session import Visit


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
    left, right = st.columns([5, 6], gap="large")
    with left:
        _plot(visit, rows, terms)
    with right:
        _table(terms, query)


def _filters(visit: Visit) -> RateQuery:
    cells = st.columns([3.4, 1.8, 2, 2.2, 2.6], vertical_alignment="bottom")
    with cells[0]:
        quarter: Quarter = quarters.pick(visit, "incidence.quarter")
    unit = _one_of(cells[1], "Count", table.UNITS)
    grade: int = cells[2].selectbox("Grades", [1, 2, 3, 4, 5], format_func=_from_grade)
    method = _one_of(cells[3], "Interval", table.METHODS)
    emergent = cells[4].toggle(
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


def _one_of(cell: DeltaGenerator, label: str, names: dict[str, str]) -> str:
    return cell.selectbox(label, list(names.keys()), format_func=names.__getitem__)


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
        dot_plot.draw(terms, labels),
        width="stretch",
        alt="Dot plot of the table beside it: one row an effect, one dot a protocol",
    )
    st.caption("Sorted by what differs most between protocols. Colours stay with the protocol.")


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
