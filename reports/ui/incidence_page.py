"""The explorer of incidence: by protocol or what else tells sessions apart, in one quarter."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, Final

import streamlit as st

from reports import plain_words
from reports.dimensions import DIMENSIONS
from reports.intervals import upper_for_none
from reports.periods import Quarter
from reports.rates import RateQuery, exposure, incidence
from reports.rows import ANY_EVENT, ExposureRow, RateRow
from reports.ui import dot_plot, quarters, sessions_behind, table
from safety import protocols
from safety.ui import say
from safety.ui.session import Visit

_DESIGN_EFFECT: Final = (
    "How many times wider the variance is than of sessions that have nothing to do with one "
    "another: above 1 the same patients have the effect again and again."
)
_NARROWEST: Final = 520  # pixels that plot and table need beside one another


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Incidence", "How often each effect was reported, in one quarter.")
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
        _plot(visit, rows, terms, query)
    with halves.cell():
        _table(visit, terms, query)


def _filters(visit: Visit) -> RateQuery:
    """The question, kept in the address: a link to it names periods and terms, never a patient."""
    with st.container(horizontal=True, vertical_alignment="bottom"):
        quarter: Quarter = quarters.pick(visit, "quarter")
        by = _one_of("By", {name: each.title for name, each in DIMENSIONS.items()}, "by", 210)
        unit = _one_of("Count", table.UNITS, "count", 150)
        subset = _one_of("Events", table.SUBSETS, "events", 160)
        grades = {str(grade): _from_grade(grade) for grade in range(1, 6)}
        grade = _one_of("Grades", grades, "grades", 150)
        method = _one_of("Interval", table.METHODS, "interval", 190)
        emergent = st.toggle(
            "Treatment-emergent only",
            key="emergent",
            bind="query-params",
            help="Only what began or got worse with the dose; not what was there before.",
        )
    return RateQuery(
        first=quarter.first,
        last=quarter.last,
        unit=unit,
        by=by,
        min_grade=int(grade),
        treatment_emergent=emergent,
        method=method,
        serious=subset == "serious",
        related=subset == "related",
    )


def _one_of(label: str, names: dict[str, str], key: str, width: int) -> str:
    chosen: str = st.selectbox(
        label,
        list(names),
        format_func=names.__getitem__,
        key=key,
        bind="query-params",
        width=width,
    )
    return chosen


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
    if query.unit == "session" and not DIMENSIONS[query.by].of_event:
        st.markdown(
            f"**{affected} of {sessions} sessions** had at least one such event "
            f"({table.percent(affected / sessions)})."
        )
        if not affected and len(overall) == 1:
            limit = upper_for_none(overall[0].patients)
            st.markdown(plain_words.none_seen(sessions, limit, "session"))
    if quiet:
        st.markdown(
            f":orange[:material/info: {quiet} of {sessions} sessions said neither an event nor "
            '"nothing happened". They count as sessions without an event, so the true rates can '
            "be higher.]"
        )


def _plot(visit: Visit, rows: list[RateRow], terms: list[table.TermRows], query: RateQuery) -> None:
    known = list(dict.fromkeys(row.protocol for row in rows))
    if query.by == "protocol":
        order = [p.id for p in protocols.list_protocols(visit.store, visit.actor)]
        known = [*order, *sorted(set(known) - set(order))]
    labels = dot_plot.labels_of(rows, known)
    if not dot_plot.plotted(terms):
        st.markdown("No such event was reported in this quarter.")
        return
    st.altair_chart(
        dot_plot.draw(terms, labels, known),
        width="stretch",
        alt="Dot plot of the table beside it: one row an effect, one dot a group",
    )
    st.caption(
        "Sorted by how far the intervals of two groups lie apart, so that what differs beyond "
        "chance stands first. A protocol keeps its colour."
    )


def _table(visit: Visit, terms: list[table.TermRows], query: RateQuery) -> None:
    every = st.toggle("Show also what nobody reported", key="incidence.all")
    shown = [term for term in terms if every or term.occurred or term.term == ANY_EVENT]
    chosen = st.dataframe(
        table.lines(shown, DIMENSIONS[query.by].title),
        hide_index=True,
        width="stretch",
        height=640,
        column_config={
            name: st.column_config.Column(alignment="right")
            for name in ("Share", "n / N", "95 % interval", "Events")
        }
        | {"Design effect": st.column_config.NumberColumn(format="%.1f", help=_DESIGN_EFFECT)},
        alt="Incidence by effect and group",
        on_select="rerun",
        selection_mode="single-row",
        key="incidence.table",
    )
    _behind(visit, [row for term in shown for row in term.rows], chosen, query)
    methods = dict.fromkeys(row.method for term in shown for row in term.rows)
    called = "; ".join(table.CALLED.get(method, method) for method in methods)
    st.caption(
        f"n of N {table.UNITS[query.unit]} with the effect at least once; 95 % interval: {called}. "
        "No correction for looking at many effects."
    )
    if query.by == "session-number":
        st.caption("Those who come often differ from those who left early.")


def _behind(visit: Visit, rows: list[RateRow], chosen: Any, query: RateQuery) -> None:
    """The way from a row to its sessions, once one was chosen."""
    places = [at for at in chosen.selection.rows if at < len(rows)]
    if not places:
        st.caption("Choose a row to see the sessions behind it.")
        return
    row = rows[places[0]]
    about = f"{row.term_name}, {row.protocol_name}: {table.of_all(row)}"
    if st.button("Show the sessions", icon=":material/manage_search:", key="incidence.behind"):
        sessions_behind.show(visit, about, replace(query, term=row.term), row.protocol)
