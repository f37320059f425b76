"""The trend page: chart, sentences, looks, curves, remarks, and what the address holds."""

from __future__ import annotations

from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from reports.rows import ANY_EVENT
from reports.trends import TrendQuery, trend
from reports.ui import control_chart
from safety.access import CONSOLE, Role
from safety.annotations import Remark, add_remark, remarks
from safety.store.recording import Recorder
from safety.ui.patient_timeline import DARK, LIGHT
from tests.support.builders import PROTOCOL, STARTED, a_report, an_event
from tests.ui.conftest import _PAGE, SECONDS, Clinic, Texts

TREND = "reports.ui.trend_page"
TODAY = STARTED.date()
FIRST = date(2025, 3, 10)


def _fill(clinic: Clinic, weeks: int = 30, worse: int = 4) -> None:
    """Four sessions a week, one with nausea in every second; in the last weeks all of them."""
    with clinic.store.write() as writer:
        recorder = Recorder(clinic.store, writer, CONSOLE)
        for week in range(weeks):
            for at in range(4):
                bad = week < worse or (at == 0 and week % 2 == 0)
                started = STARTED - timedelta(days=7 * week + 7)
                events = (an_event("nausea", 2),) if bad else ()
                recorder.add(a_report(mrn=f"T-{at}-{week}", started_at=started, events=events))
        recorder.flush()
        writer.commit()


def _query(**changes: Any) -> TrendQuery:
    given: dict[str, Any] = {"term": "nausea", "protocol": PROTOCOL, "first": FIRST, "last": TODAY}
    return TrendQuery(**(given | changes))


def _charts(app: AppTest) -> int:
    return len(app.get("vega_lite_chart"))


def test_without_a_session_the_page_says_what_will_be_here(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(TREND, Role.DIRECTOR)
    assert not app.exception
    assert "No session with this protocol was reported in the period." in texts(app)


def test_a_worsening_is_said_with_its_counts_and_its_first_look(
    clinic: Clinic, texts: Texts
) -> None:
    _fill(clinic)
    app = clinic.page(TREND, Role.DIRECTOR)
    assert not app.exception
    said = texts(app).replace("\\", "")
    assert "of 120 sessions" in said
    assert "A point lies beyond the limits" in said
    assert "The run crosses its sequential limit on" in said
    assert "looks like a change in safety" in said
    assert "Half of the events were over after 45 minutes" in said
    assert "Aalen-Johansen" in said


def test_the_address_holds_the_choice_and_no_more(clinic: Clinic) -> None:
    _fill(clinic, 3)
    app = clinic.page(TREND, Role.DIRECTOR)
    app.selectbox(key="trend.term").set_value("nausea").run()
    app.selectbox(key="trend.every").set_value("month").run()
    assert dict(app.query_params.items()) == {
        "term": "nausea",
        "protocol": PROTOCOL,
        "from": FIRST.isoformat(),
        "to": TODAY.isoformat(),
        "every": "month",
        "chart": "p-exact",
        "rules": "sparing",
        "grade": "1",
        "emergent": "0",
    }


def test_the_page_begins_with_what_the_address_says(clinic: Clinic) -> None:
    _fill(clinic, 3)
    app = AppTest.from_string(_PAGE.format(TREND), default_timeout=SECONDS)
    given = {"term": "nausea", "chart": "ewma", "rules": "nobody", "from": "x", "emergent": "1"}
    for name, value in given.items():
        app.query_params[name] = value
    clinic._signed(app, Role.DIRECTOR).run()
    assert not app.exception
    assert app.selectbox(key="trend.term").value == "nausea"
    assert app.selectbox(key="trend.chart").value == "ewma"
    assert app.selectbox(key="trend.rules").value == "sparing"
    assert app.date_input(key="trend.from").value == FIRST
    assert app.toggle(key="trend.emergent").value is True


@pytest.mark.parametrize("day", ["0001-01-01", "9999-12-31"])
def test_a_day_out_of_reach_in_the_address_does_no_harm(clinic: Clinic, day: str) -> None:
    app = AppTest.from_string(_PAGE.format(TREND), default_timeout=SECONDS)
    app.query_params["from"] = app.query_params["to"] = day
    clinic._signed(app, Role.DIRECTOR).run()
    assert not app.exception


@pytest.mark.parametrize("chart", ["g", "t", "cusum", "u", "laney"])
def test_every_chart_draws(clinic: Clinic, texts: Texts, chart: str) -> None:
    _fill(clinic, 8, 1)
    app = clinic.page(TREND, Role.DIRECTOR)
    app.selectbox(key="trend.chart").set_value(chart).run()
    assert not app.exception
    assert _charts(app) == 3


def test_dates_the_wrong_way_round_are_said(clinic: Clinic, texts: Texts) -> None:
    _fill(clinic, 3)
    app = clinic.page(TREND, Role.DIRECTOR)
    app.date_input(key="trend.from").set_value(TODAY + timedelta(days=9)).run()
    assert not app.exception
    assert "Swap the dates" in texts(app)


def test_the_director_writes_a_remark_and_takes_it_away(clinic: Clinic, texts: Texts) -> None:
    _fill(clinic, 3)
    app = clinic.page(TREND, Role.DIRECTOR)
    app.text_input(key="trend-remark-text").set_value("*new* form")
    app.date_input(key="trend-remark-day").set_value(date(2026, 2, 10))
    next(button for button in app.button if button.label == "Add remark").click().run()
    assert not app.exception
    assert remarks(clinic.store, CONSOLE) == (Remark(date(2026, 2, 10), "*new* form"),)
    assert "10 February 2026 · *new* form" in [text.value for text in app.text]
    next(button for button in app.button if button.label == "Take away").click().run()
    assert remarks(clinic.store, CONSOLE) == ()
    assert "No remark in this period" in texts(app)


def test_an_empty_remark_is_refused_in_words(clinic: Clinic, texts: Texts) -> None:
    _fill(clinic, 3)
    app = clinic.page(TREND, Role.DIRECTOR)
    next(button for button in app.button if button.label == "Add remark").click().run()
    assert "one line of 1 to 60 characters" in texts(app).replace("\\", "")


def test_the_compliance_officer_reads_remarks_and_writes_none(clinic: Clinic) -> None:
    _fill(clinic, 3)
    add_remark(clinic.store, CONSOLE, Remark(date(2026, 2, 10), "new form"))
    app = clinic.page(TREND, Role.COMPLIANCE)
    assert not app.exception
    assert "10 February 2026 · new form" in [text.value for text in app.text]
    assert not [b for b in app.button if b.label in {"Add remark", "Take away"}]


@pytest.mark.parametrize("role", [Role.NURSE, Role.ADMINISTRATOR])
def test_a_role_without_rates_gets_none(clinic: Clinic, role: Role) -> None:
    app = clinic.page(TREND, role)
    assert app.exception
    assert not _charts(app)


def test_the_chart_says_n_marks_points_by_shape_and_text_and_shades_the_baseline(
    clinic: Clinic,
) -> None:
    _fill(clinic)
    add_remark(clinic.store, CONSOLE, Remark(date(2026, 1, 10), "new form"))
    found = trend(clinic.store, CONSOLE, _query())
    assert control_chart.CROSSED not in str(control_chart.draw(found, LIGHT).to_dict())
    for palette in (LIGHT, DARK):
        spec = str(control_chart.draw(found, palette, TODAY).to_dict())
        assert control_chart.CROSSED in spec
        assert "n = 120 sessions, 4 to 4 a week" in spec
        assert "'breaks a rule'" in spec
        assert "'diamond'" in spec
        assert "'baseline'" in spec
        assert "'new form'" in spec
    marked = [point for point in control_chart.points(found) if point["mark"]]
    assert {point["kind"] for point in marked} == {control_chart.MARKED}
    assert "beyond" in marked[-1]["mark"]
    assert [point["label"] for point in marked[-4:]] == ["beyond", "", "", ""]


def test_points_carry_their_counts_and_an_empty_week_has_no_value(clinic: Clinic) -> None:
    _fill(clinic, 2, 1)
    found = trend(clinic.store, CONSOLE, _query(term=ANY_EVENT, first=date(2026, 2, 9)))
    points = control_chart.points(found)
    assert [(point["value"], point["told"], point["shown"]) for point in points] == [
        (None, "0 / 0", "no data"),
        (0.0, "0 / 4", "0.0 %"),
        (100.0, "4 / 4", "100.0 %"),
        (None, "0 / 0", "no data"),
    ]
