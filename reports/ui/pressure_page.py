"""The director's page of blood pressure: its course, spikes by protocol, dose against spike."""

from __future__ import annotations

from typing import Any, Final

import streamlit as st

from reports.blood_pressure import (
    MEANING,
    PressureQuery,
    PressureReport,
    Readings,
    Spikes,
    blood_pressure,
)
from reports.plain_words import likeness, percent, several
from reports.pressure_counts import MOMENTS
from reports.ui import group_filters as filters
from reports.ui import group_tables, pressure_plots
from safety.ui import patient_timeline, say
from safety.ui.patient_timeline import Palette
from safety.ui.session import Visit

_PAGE: Final = "pressure"
_NARROWEST: Final = 360
_FEW: Final = 5  # readings below which quartiles say little


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Blood pressure", "How pressure runs around a session, and how often it spikes.")
    with st.container(horizontal=True, vertical_alignment="bottom"):
        protocol = filters.protocol(visit, _PAGE)
        period = filters.period(visit, _PAGE)
    query = PressureQuery(period.first, period.last, protocols=protocol)
    found = blood_pressure(visit.store, visit.actor, query)
    if not found.sessions:
        st.info(
            f"No session was reported {period.words} under this choice. Blood pressure stands here "
            "as soon as reports with readings are filed. Choose another period or all protocols.",
            icon=":material/blood_pressure:",
        )
        return
    _sentences(found, period.words)
    dark = st.context.theme.type == "dark"
    palette = patient_timeline.DARK if dark else patient_timeline.LIGHT
    _courses(found, list(filters.names(visit).values()), palette)
    halves = st.grid(2, min_column_width=520, gap="large")
    with halves.cell():
        _spikes("Spikes by protocol", found.by_protocol, palette)
    with halves.cell():
        _spikes("Dose against spike", found.by_dose, palette)
        st.caption(
            "Bands of dose hold different patients, protocols and sessions: a difference between "
            "them is not an effect of the dose alone."
        )
    _tables(found)


def _sentences(found: PressureReport, words: str) -> None:
    for row in found.overall:
        st.markdown(f"**Spike, {MEANING[row.definition]}** {words}: {row.sentence}")
    missing = _missing(found.readings)
    if missing:
        total = several(found.sessions, "session")
        st.markdown(f":orange[:material/info: No reading {missing}, of {total}.]")
    st.caption(f"A trial definition; either limb is enough. {likeness(found.overall[0].estimate)}")


def _missing(readings: tuple[Readings, ...]) -> str:
    """``before 3, at 40 min 12``: sessions without a systolic reading, by moment."""
    counts = {
        name: sum(r.missing for r in readings if r.moment == moment and r.limb == "systolic")
        for moment, name in MOMENTS.items()
    }
    return ", ".join(f"{name.lower()} {count:,}" for name, count in counts.items() if count)


def _courses(found: PressureReport, names: list[str], palette: Palette) -> None:
    say.section("Course of a session")
    taken = [each for each in found.readings if each.n]
    if not taken:
        st.markdown("No report here has a blood pressure. Readings are entered with the report.")
        return
    between = pressure_plots.mmhg_range(taken)
    protocols = {each.protocol: each.protocol_name for each in taken}
    known = list(dict.fromkeys([*names, *protocols.values()]))
    grid = st.grid(min(3, len(protocols)), min_column_width=_NARROWEST, gap="large")
    for protocol, name in protocols.items():
        own = [each for each in found.readings if each.protocol == protocol]
        with grid.cell():
            st.text(f"{name} (n = {several(own[0].sessions, 'session')})")
            st.altair_chart(
                pressure_plots.course(own, known, between, palette),
                width="stretch",
                alt="Median and quartiles of systolic and diastolic pressure by moment; the same "
                "numbers stand in the table of readings",
            )
    few = sorted({each.protocol_name for each in taken if each.n < _FEW})
    if few:
        st.text(f"Fewer than {_FEW} readings at some moment: {', '.join(few)}.")
    st.caption(
        "Line: median. Band: from the lower to the upper quartile, where half of the sessions lie; "
        "it is no confidence interval. Dotted: 40 min. The peak has no fixed time."
    )


def _spikes(title: str, rows: tuple[Spikes, ...], palette: Palette) -> None:
    say.section(title)
    if not any(row.estimate.sessions for row in rows):
        st.markdown("No session has the readings from which a spike can be told.")
        return
    st.altair_chart(
        pressure_plots.spikes(rows, palette),
        width="stretch",
        alt=f"{title}: dot plot of the table of spikes, one dot a definition, with intervals",
    )


def _tables(found: PressureReport) -> None:
    with st.expander("The same as tables"):
        group_tables.frame([_spike(row) for row in (*found.by_protocol, *found.by_dose)], "Spikes")
        methods = sorted({row.estimate.method for row in (*found.by_protocol, *found.by_dose)})
        st.caption(
            f"n of N sessions whose readings can tell; 95 % interval by {', '.join(methods)}. It "
            "allows for sessions of one patient being alike."
        )
        group_tables.frame([_reading(each) for each in found.readings], "Readings")
        st.caption("mmHg; quartiles of the sessions with the reading.")


def _spike(row: Spikes) -> dict[str, Any]:
    estimate = row.estimate
    return {
        "Group": row.group_name,
        "Spike": MEANING[row.definition],
        "Share": percent(estimate.value),
        "n / N": f"{estimate.affected:,} / {estimate.sessions:,}",
        "95 % interval": group_tables.interval(estimate),
        "Patients": estimate.patients,
        "Cannot be told": row.missing,
    }


def _reading(each: Readings) -> dict[str, Any]:
    return {
        "Protocol": each.protocol_name,
        "When": MOMENTS[each.moment],
        "Limb": each.limb,
        "Median": None if each.median is None else f"{each.median:g}",
        "Quartiles": None if each.low is None else f"{each.low:g} to {each.high:g}",
        "n / N": f"{each.n:,} / {each.sessions:,}",
        "Missing": each.missing,
    }
