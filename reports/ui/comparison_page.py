"""The page that compares two protocols: sentences, forest plot, volcano, table, published rates."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import streamlit as st

from reports.compare import CompareQuery, compare
from reports.compare_label import compare_with_label
from reports.compare_rows import CompareRow
from reports.compare_words import notable, sentence, warnings
from reports.plain_words import several, small_numbers
from reports.ui import comparison_filters, comparison_lines, forest
from safety import protocols
from safety.errors import UserError
from safety.ui import patient_timeline, say
from safety.ui.session import Visit

_TABS: Final = ("Differences", "Volcano", "Table", "Beside published rates")
_FEW_LINES: Final = 16
_ACROSS: Final = {forest.DIFFERENCE: "Difference", forest.RATIO: "Ratio"}


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Comparison", "Which effects were reported more often under one protocol.")
    names = {each.id: each.name for each in protocols.list_protocols(visit.store, visit.actor)}
    if len(names) < 2:
        st.info("Two protocols are needed to compare. Add one with: afterdose protocols load")
        return
    try:
        query = comparison_filters.choose(visit, names)
        rows = compare(visit.store, visit.actor, query)
    except UserError as error:
        say.failure(error)
        return
    if not rows[0].exposed or not rows[0].exposed_ref:
        _empty(rows[0], query, names)
        return
    _head(rows, query, names)
    differences, volcano, table, label = st.tabs(_TABS)
    with differences:
        _differences(rows, query, names)
    with volcano:
        _volcano(rows, query, names)
    with table:
        _table(rows)
    with label:
        _label(visit, query, names)


def _empty(row: CompareRow, query: CompareQuery, names: dict[str, str]) -> None:
    missing = [
        names[protocol]
        for protocol, exposed in ((query.against, row.exposed), (query.reference, row.exposed_ref))
        if not exposed
    ]
    st.info(
        "There is nothing to compare yet: in this period no session was reported under the "
        "protocol below. Choose another period, or another protocol.",
        icon=":material/compare_arrows:",
    )
    for name in missing:
        st.text(name)


def _head(rows: Sequence[CompareRow], query: CompareQuery, names: dict[str, str]) -> None:
    any_event = rows[0]
    sides = (
        (query.against, any_event.exposed, any_event.patients),
        (query.reference, any_event.exposed_ref, any_event.patients_ref),
    )
    said = [
        f"{names[protocol]}: {several(exposed, query.unit)}"
        + ("" if query.unit == "patient" else f" of {several(patients, 'patient')}")
        for protocol, exposed, patients in sides
    ]
    st.text(f"{said[0]}\ncompared with {said[1]}")
    for text in warnings(rows, query):
        say.look(text)
    for x, n, patients in (
        (any_event.with_event, any_event.exposed, any_event.patients),
        (any_event.with_event_ref, any_event.exposed_ref, any_event.patients_ref),
    ):
        if (few := small_numbers(x, n, patients, query.unit)) is not None:
            say.look(few)


def _differences(rows: Sequence[CompareRow], query: CompareQuery, names: dict[str, str]) -> None:
    for row in notable(rows):
        st.markdown(f"- {say.plain(sentence(row))}")
    shown = forest.plotted(rows)
    if not shown:
        st.markdown("No adverse event was reported under either protocol in this period.")
        return
    chart = forest.forest(shown, _names(query, names), _palette())
    st.altair_chart(
        chart, width="stretch", alt="Forest plot of the differences; the table has every number"
    )
    left = sum(row.occurred for row in rows) - len(shown)
    st.caption(
        "Right of the dashed line: more often than under the protocol it is compared with. Beside "
        "an effect: with the effect / all, the protocol first. "
        + (f"Not drawn: {left} effects that differ least beyond chance. " if left else "")
        + _method(rows)
    )


def _volcano(rows: Sequence[CompareRow], query: CompareQuery, names: dict[str, str]) -> None:
    across = st.segmented_control(
        "Across", list(_ACROSS), format_func=_ACROSS.__getitem__, default=forest.DIFFERENCE,
        key="comparison.across", required=True,
    )  # fmt: skip
    drawn = forest.volcano_points(rows, across)
    if not drawn:
        st.markdown("Nothing could be tested: no effect was reported, or by too few patients.")
        return
    chart = forest.volcano(rows, _names(query, names), _palette(), across)
    st.altair_chart(
        chart, width="stretch", alt="Volcano plot of all effects; the table has every number"
    )
    tested = sum(row.p is not None for row in rows[1:])
    missing = tested - len(drawn)
    st.caption(
        f"One mark an effect, {tested} tested; the higher, the harder to explain by chance. "
        "A diamond stands out among all effects: its double false discovery rate, over system "
        "organ classes and within its own, is at most 10 %. "
        + (f"{missing} without a finite ratio above 0 are not drawn. " if missing else "")
        + _method(rows)
    )


def _table(rows: Sequence[CompareRow]) -> None:
    every = st.toggle("Show also what nobody reported", key="comparison.all")
    lines = [comparison_lines.line(row) for row in rows if every or row.occurred]
    st.dataframe(
        lines,
        hide_index=True,
        width="stretch",
        height="content" if len(lines) < _FEW_LINES else 600,
        column_config=_right(comparison_lines.NUMBERS),
        alt="Counts, differences and ratios by effect",
    )
    st.caption(
        "p is unadjusted; q is the double false discovery rate, the greater of the one over system "
        f"organ classes and the one within. {_method(rows)}"
    )


def _label(visit: Visit, query: CompareQuery, names: dict[str, str]) -> None:
    pair = [query.against, query.reference]
    protocol = st.selectbox(
        "Our rates under", pair, format_func=names.__getitem__, key="comparison.label", width=420
    )
    found = compare_with_label(visit.store, visit.actor, protocol, query.first, query.last)
    st.text(f"{several(found.patients, 'patient')} with {several(found.sessions, 'session')}")
    st.dataframe(
        [comparison_lines.beside(row) for row in found.rows],
        hide_index=True,
        width="stretch",
        height=520,
        column_config=_right(comparison_lines.BESIDE),
        alt="Our rates beside published ones",
    )
    say.section("What this cannot tell")
    for text in found.cannot_tell:
        st.markdown(f"- {say.plain(text)}")


def _right(names: Sequence[str]) -> dict[str, Any]:
    return {name: st.column_config.Column(alignment="right") for name in names}


def _method(rows: Sequence[CompareRow]) -> str:
    methods = dict.fromkeys(row.method for row in rows if row.occurred)
    return f"Methods (difference; ratio; test): {', or '.join(methods)}." if methods else ""


def _names(query: CompareQuery, names: dict[str, str]) -> tuple[str, str]:
    return names[query.against], names[query.reference]


def _palette() -> patient_timeline.Palette:
    dark = st.context.theme.type == "dark"
    return patient_timeline.DARK if dark else patient_timeline.LIGHT
