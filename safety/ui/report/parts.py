"""The bands of the report page that record what was given, measured and asked."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Final

import streamlit as st

from safety.errors import Problem
from safety.protocols import Site
from safety.ui import say, words
from safety.ui.report import foregoing, pressure, widgets
from safety.ui.report.fields import Attempt
from safety.ui.report.form import Form
from safety.ui.report.names import READINGS
from safety.vocabulary import Protocol

_MULTI_DAY_MINUTES: Final = 12 * 60


def tell(found: Iterable[Problem]) -> None:
    """Problems in words, next to the fields they are about."""
    for problem in found:
        st.markdown(f":orange[:material/info: {say.plain(words.sentence(problem))}]")


def session_band(
    form: Form, made: Attempt, sites: tuple[Site, ...], protocols: Mapping[str, Protocol]
) -> None:
    """Where, when and what was given."""
    say.section("The session")
    left, right = st.columns([1, 2])
    with left:
        widgets.chosen(form, "site", "Site", {site.name: site.name for site in sites})
    with right:
        names = {p.id: p.name for p in protocols.values()}
        widgets.chosen(form, "protocol", "Protocol", names)
    protocol = protocols.get(form.fields.get("protocol", ""))
    _planned(form, protocol)
    _times(form, protocol)
    _dose(form, protocol)
    _other_than_last_time(form, {p.id: p.name for p in protocols.values()})
    names_here = ("site", "protocol", "start_date", "start_time", "started_at", "ended_at")
    tell(p for name in (*names_here, "dose_mg", "weight_kg", "lot") for p in made.about(name))


def _planned(form: Form, protocol: Protocol | None) -> None:
    """What the protocol plans, and its route as the route of the session."""
    if protocol is None:
        return
    if form.fields.get("route_of") != protocol.id:
        form.put("route", str(protocol.route))
        form.set("route_of", protocol.id)
    st.caption(
        f"Plan: {protocol.drug} {words.ROUTE[protocol.route].lower()}, "
        f"{protocol.dose_in_words()}, watched for {protocol.monitoring_minutes} min."
    )


def _other_than_last_time(form: Form, names: Mapping[str, str]) -> None:
    """What was taken over from the last session and then changed."""
    found = foregoing.differences(form.fields, names)
    if found:
        text = say.plain(f"Other than last time: {'; '.join(found)}.")
        st.markdown(f":orange[:material/info: {text}]")


def _times(form: Form, protocol: Protocol | None) -> None:
    cells = st.columns(4)
    with cells[0]:
        widgets.day(form, "start_date", "Day")
    with cells[1]:
        widgets.clock(form, "start_time", "Dose began")
    with cells[2]:
        widgets.clock(form, "end_time", "Dose ended")
    if form.fields.get("planned_time") and form.fields.get("start_time"):
        st.caption(f"Planned for {form.fields['planned_time']}. Mend it if the dose began later.")
    if not _other_day(form, protocol):
        form.set("end_date", None)
        return
    with cells[3]:
        widgets.day(form, "end_date", "Ended on")


def _other_day(form: Form, protocol: Protocol | None) -> bool:
    """Whether the dose can have ended on another day, so that the day has to be asked for."""
    start, end = form.fields.get("start_time"), form.fields.get("end_time")
    if form.fields.get("end_date") or (start and end and end < start):
        return True
    return bool(protocol and (protocol.infusion_minutes or 0) >= _MULTI_DAY_MINUTES)


def _dose(form: Form, protocol: Protocol | None) -> None:
    cells = st.columns(4)
    with cells[0]:
        widgets.decimal(form, "dose_mg", "Dose, mg")
    with cells[1]:
        widgets.decimal(form, "weight_kg", "Weight, kg")
    with cells[2]:
        widgets.chosen(form, "route", "Route", words.ROUTE)
    with cells[3]:
        widgets.chosen(form, "setting", "Where", words.SETTING)
    widgets.text(form, "lot", "Lot number", width=300)
    if line := _dose_in_words(form, protocol):
        st.markdown(line)


def _dose_in_words(form: Form, protocol: Protocol | None) -> str | None:
    dose, weight = form.fields.get("dose_mg"), form.fields.get("weight_kg")
    if not dose:
        return None
    said = f"**{dose / weight:.2f} mg/kg**" if weight else f"**{dose:g} mg**"
    usual = protocol.dose_is_usual(dose, weight) if protocol else None
    if usual is False and protocol is not None:
        return f"{said} :orange[:material/info: The protocol plans {protocol.dose_in_words()}.]"
    return said


def vitals_band(form: Form, made: Attempt) -> None:
    """Blood pressure at four times, and the worst of the rest."""
    say.section("Vital signs")
    for cell, name in zip(st.columns(4), READINGS, strict=True):
        with cell:
            st.markdown(f"**{words.READINGS[name]}**")
            high, low = st.columns(2, gap="xxsmall")
            with high:
                widgets.whole(form, f"vitals.{name}.systolic_mmhg", "Sys")
            with low:
                widgets.whole(form, f"vitals.{name}.diastolic_mmhg", "Dia")
    for line in pressure.remarks(made.vitals):
        st.markdown(f":orange[:material/info: {line.text}]" if line.look else line.text)
    cells = st.columns(4)
    with cells[0]:
        widgets.whole(form, "vitals.heart_rate_peak_bpm", "Highest heart rate")
    with cells[1]:
        widgets.whole(form, "vitals.spo2_min_percent", "Lowest SpO2, %")
    with cells[2]:
        widgets.whole(form, "vitals.moaas_min", "Lowest MOAA/S", help=_MOAAS)
    with cells[3]:
        widgets.whole(form, "vitals.cadss6_peak", "Highest CADSS-6", help=_CADSS6)
    st.caption("MOAA/S: 5 is alert, 0 does not respond. CADSS-6: 0 to 24, higher is more.")
    tell(made.about("vitals"))


_MOAAS: Final = "The scale runs downwards: 5 is alert, below 5 counts as sedation."
_CADSS6: Final = "Six items of 0 to 4: 0 is none, 24 the most. The authors call it unvalidated."
