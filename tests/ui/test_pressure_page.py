"""The page of blood pressure, run in process."""

from __future__ import annotations

from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from reports.blood_pressure import PressureQuery, PressureReport, blood_pressure
from reports.ui import pressure_plots
from safety.access import CONSOLE, Role
from safety.model import BloodPressure, SessionReport, VitalSigns
from safety.store.recording import Recorder
from safety.ui.patient_timeline import LIGHT
from tests.support.builders import DIRECTOR, PROTOCOL, STARTED, a_report
from tests.ui.conftest import Clinic, Texts

PRESSURE = "reports.ui.pressure_page"
NASAL = "esketamine_nasal_induction"


def _session(mrn: str, day: int, high: int, **changes: Any) -> SessionReport:
    vitals = VitalSigns(before=BloodPressure(120, 80), at_40_min=BloodPressure(high, 90))
    at = STARTED - timedelta(days=day)
    return a_report(mrn=mrn, started_at=at, **({"vitals": vitals} | changes))


def _file_some(clinic: Clinic) -> None:
    """Six sessions of two patients, two with a spike by both definitions; one without readings."""
    reports = [_session(f"A{day % 2}", day, 185 if day < 2 else 150 + day) for day in range(6)]
    reports.append(_session("B", 0, 140, protocol=NASAL, vitals=VitalSigns()))
    with clinic.store.write() as writer:
        recorder = Recorder(clinic.store, writer, CONSOLE)
        for report in reports:
            recorder.add(report)
        recorder.flush()
        writer.commit()


def _lines(app: AppTest, table: int) -> list[dict[str, Any]]:
    rows = app.dataframe[table].value.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _found(clinic: Clinic) -> PressureReport:
    query = PressureQuery(STARTED.date() - timedelta(days=99), STARTED.date())
    return blood_pressure(clinic.store, DIRECTOR, query)


def test_without_a_session_the_page_says_what_will_be_here(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(PRESSURE, Role.DIRECTOR)
    assert not app.exception
    assert "No session was reported in the last 12 months" in texts(app)


def test_spikes_and_missing_readings_are_said_with_their_numbers(
    clinic: Clinic, texts: Texts
) -> None:
    _file_some(clinic)
    app = clinic.page(PRESSURE, Role.DIRECTOR)
    assert not app.exception
    said = texts(app)
    assert "**Spike, 180/110 mmHg or more** in the last 12 months: 2 of 6 sessions (33 %;" in said
    assert "1 of 7 cannot be told" in said
    assert "Small numbers" in said
    assert "No reading before 1, at 40 min 1, peak 7, before leaving 7, of 7 sessions" in said
    assert len(app.get("vega_lite_chart")) == 3  # one course, spikes, doses


def test_the_tables_carry_denominators_intervals_and_methods(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = clinic.page(PRESSURE, Role.DIRECTOR)
    spikes = [line for line in _lines(app, 0) if line["Spike"].startswith("180/110")]
    assert (spikes[0]["n / N"], spikes[0]["Cannot be told"]) == ("2 / 6", 0)
    assert "wilson-clustered" in texts(app)
    readings = [line for line in _lines(app, 1) if line["Limb"] == "systolic"]
    [at_40] = [r for r in readings if r["When"] == "At 40 min" and r["n / N"] != "0 / 1"]
    assert (at_40["Median"], at_40["Quartiles"]) == ("154.5", "153.25 to 177.5")
    assert (at_40["n / N"], at_40["Missing"]) == ("6 / 6", 0)
    assert sorted(line["Missing"] for line in readings if line["When"] == "Peak") == [1, 6]


def test_a_clinic_without_any_reading_is_told_so(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = clinic.page(PRESSURE, Role.DIRECTOR)
    next(box for box in app.selectbox if box.label == "Protocol").set_value(NASAL).run()
    assert not app.exception
    assert "No report here has a blood pressure" in texts(app)
    assert "No session has the readings from which a spike can be told" in texts(app)
    assert app.query_params == {"protocol": NASAL}
    assert len(app.get("vega_lite_chart")) == 0


@pytest.mark.parametrize("role", [Role.NURSE, Role.ADMINISTRATOR])
def test_a_role_without_counts_gets_none(clinic: Clinic, role: Role) -> None:
    _file_some(clinic)
    app = clinic.page(PRESSURE, role)
    assert app.exception
    assert not app.dataframe


def test_every_moment_says_how_many_were_read(clinic: Clinic) -> None:
    _file_some(clinic)
    own = [each for each in _found(clinic).readings if each.protocol == PROTOCOL]
    assert pressure_plots.moment_labels(own) == {
        "before": "Before|n = 6",
        "40": "At 40 min|n = 6",
        "peak": "Peak|n = 0",
        "discharge": "Before leaving|n = 0",
    }
    points = pressure_plots.course_points(own)
    assert {point["counts"] for point in points} == {"6 of 6 sessions"}
    assert len(points) == 4
    assert pressure_plots.mmhg_range(own) == (80, 180)


def test_the_40_minutes_are_marked_and_a_protocol_keeps_its_colour(clinic: Clinic) -> None:
    _file_some(clinic)
    own = [each for each in _found(clinic).readings if each.protocol == PROTOCOL]
    names = ["Another protocol", own[0].protocol_name]
    drawn = pressure_plots.course(own, names, (80, 190), LIGHT).to_dict()
    marked, band, *_ = drawn["layer"]
    assert drawn["datasets"][marked["data"]["name"]] == [{"when": "At 40 min|n = 6"}]
    assert marked["mark"]["type"] == "rule"
    assert band["encoding"]["color"]["scale"]["domain"] == names
    assert band["encoding"]["y"]["scale"]["domain"] == [80, 190]


def test_spikes_are_told_apart_by_shape_and_carry_n(clinic: Clinic) -> None:
    _file_some(clinic)
    rows = [row for row in _found(clinic).by_protocol if row.estimate.sessions]
    labels = pressure_plots.group_labels(rows)
    assert labels[PROTOCOL].endswith("(n = 6)")
    points = pressure_plots.spike_points(rows, labels)
    assert [point["counts"][:14] for point in points] == ["2 of 6 session"] * 2
    shape = pressure_plots.spikes(rows, LIGHT).to_dict()["layer"][1]["encoding"]["shape"]
    assert shape["scale"]["range"] == ["circle", "diamond"]
