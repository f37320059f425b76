"""The patient page and the page of emergency access, run in process."""

from __future__ import annotations

import json
from datetime import date, timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from safety import emergency, patient_view
from safety.access import CONSOLE, Role
from safety.model import BloodPressure, Criterion, VitalSigns
from safety.patient_view import PatientRecord
from safety.store.recording import Recorder
from safety.ui import patient_points, patient_timeline
from safety.vocabulary import vocabulary
from tests.support.accounts import audit_of
from tests.support.builders import COMPLIANCE, DIRECTOR, STARTED, a_patient, a_report, an_event
from tests.support.clock import FakeClock
from tests.ui.conftest import Clinic, Texts

PATIENT = "safety.ui.patient_page"
EMERGENCY = "safety.ui.emergency_page"
NAME = "Wilma Testcase"
PAGE_THAT_SHOWS = """
from {0} import page, show
from safety.ui import session

show(1)
store = session.store()
page(session.visit(store))
"""
REASON = "The emergency room asks for the last dose."
TERMS = {term.id: term.name for term in vocabulary().terms}
PROTOCOLS = {"other": "Other", "iv_ketamine_depression_induction": "IV induction"}


def _file(clinic: Clinic, days_ago: int, **changes: Any) -> None:
    """Record a session as an import does, which takes what a form would ask to complete."""
    report = a_report(**({"started_at": STARTED - timedelta(days=days_ago)} | changes))
    with clinic.store.write() as writer:
        recorder = Recorder(clinic.store, writer, CONSOLE)
        recorder.add(report)
        recorder.flush()
        writer.commit()


@pytest.fixture
def course(clinic: Clinic) -> Clinic:
    """One patient with three sessions: a spike, a silent one, and one with a serious event."""
    spike = VitalSigns(before=BloodPressure(128, 80), peak=BloodPressure(176, 98))
    serious = an_event("syncope", 3, serious=frozenset({Criterion.HOSPITALISATION}))
    _file(clinic, 20, events=(an_event("nausea", 2),), vitals=spike)
    _file(clinic, 10, no_adverse_event=None)
    _file(clinic, 0, events=(an_event("nausea", 1), serious))
    return clinic


def _press(app: AppTest, label: str) -> AppTest:
    next(button for button in app.button if button.label == label).click()
    return app.run()


def _found(clinic: Clinic, text: str = NAME) -> AppTest:
    app = clinic.page(PATIENT, Role.NURSE)
    app.text_input(key="patient-sought").set_value(text)
    return _press(app, "Find")


def _charts(app: AppTest) -> list[dict[str, Any]]:
    return [json.loads(part.proto.spec) for part in app.get("vega_lite_chart")]


def _drawn(app: AppTest) -> bytes:
    """Everything that goes to the browser for the charts: what is drawn, and its values."""
    return b"".join(part.proto.SerializeToString() for part in app.get("vega_lite_chart"))


def test_at_first_the_page_says_what_will_be_here(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(PATIENT, Role.NURSE)
    assert not app.exception
    assert "The sessions of one patient will stand here" in texts(app)


def test_nobody_found(course: Clinic, texts: Texts) -> None:
    app = _found(course, "Nobody Here")
    assert "Nobody has this MRN or name" in texts(app)
    assert audit_of(course.store, "patient.view") == []


@pytest.mark.parametrize("sought", [NAME, "testcase", "mrn 0001"])
def test_a_patient_is_found_and_opened_on_record_once(
    course: Clinic, texts: Texts, sought: str
) -> None:
    app = _found(course, sought)
    assert f"{NAME} · MRN MRN-0001 · born 17 May 1980 · female" in texts(app)
    assert audit_of(course.store, "patient.view") == []
    _press(app, "Open")
    app.run()
    app.run()
    assert not app.exception
    assert [entry[2:5] for entry in audit_of(course.store, "patient.view")] == [
        ("patient.view", "patient", "1")
    ]


def test_the_summary_has_every_count_with_its_denominator(course: Clinic, texts: Texts) -> None:
    said = texts(course.page(PATIENT, Role.NURSE, patient_shown=1))
    assert "**3 sessions**" in said
    assert "last 2 March 2026 (today)" in said
    assert ":red[**Syncope 1 / 3, highest grade 3, serious 1**] · Nausea 2 / 3" in said
    assert "spike by a trial definition: 1 / 1 sessions with readings" in said
    assert "1 / 3 sessions said neither an event nor" in said


def test_who_it_is_stands_as_text_and_never_in_markdown(course: Clinic) -> None:
    app = course.page(PATIENT, Role.NURSE, patient_shown=1)
    assert any(NAME in part.value for part in app.text)
    for kind in ("title", "subheader", "markdown", "caption"):
        assert not any(NAME in part.value for part in getattr(app, kind))


def test_three_panels_share_one_axis_of_days(course: Clinic) -> None:
    app = course.page(PATIENT, Role.NURSE, patient_shown=1)
    charts = _charts(app)
    assert len(charts) == 3
    shown = [str(chart) for chart in charts]
    assert all("Day of the session" in text for text in shown)
    assert "Dose, mg per kg" in shown[0]
    assert "(n = 3 sessions)" in shown[0]
    assert "Blood pressure, mmHg" in shown[1]
    assert "(n = 1 session)" in shown[1]
    domains = {json.dumps(_domain(chart)) for chart in charts}
    assert len(domains) == 1


def _domain(chart: dict[str, Any]) -> Any:
    scales = [
        layer["encoding"]["x"]["scale"]["domain"]
        for layer in chart["layer"]
        if "x" in layer["encoding"]
    ]
    assert all(scale == scales[0] for scale in scales)
    return scales[0]


def test_nothing_of_the_identity_goes_into_a_chart_or_the_table(course: Clinic) -> None:
    app = course.page(PATIENT, Role.NURSE, patient_shown=1)
    drawn = _drawn(app)
    table = app.dataframe[0].value.to_csv()
    assert b"Syncope" in drawn
    assert b"0.50 mg/kg, 40 mg" in drawn
    assert "Syncope" in table
    for part in ("Wilma", "Testcase", "MRN-0001", "1980"):
        assert part.encode() not in drawn
        assert part not in table


def test_the_table_says_the_same(course: Clinic) -> None:
    table = course.page(PATIENT, Role.NURSE, patient_shown=1).dataframe[0].value
    assert list(table["Day"]) == ["2026-02-10", "2026-02-20", "2026-03-02"]
    assert list(table["mg/kg"]) == ["0.50", "0.50", "0.50"]
    assert list(table["Spike"]) == ["yes", "cannot be told", "cannot be told"]
    assert list(table["Days since"].dropna()) == [10, 10]
    assert (table["Before"][0], table["Highest"][0]) == ("128/80", "176/98")
    assert list(table["Events"]) == [
        "Nausea grade 2",
        "nothing said about events",
        "Nausea grade 1, Syncope grade 3 serious",
    ]


def test_another_patient_takes_the_place_of_the_first(course: Clinic, texts: Texts) -> None:
    other = a_patient(mrn="MRN-0002", name="Odo Sample")
    _file(course, 3, patient=other)
    app = course.page(PATIENT, Role.NURSE, patient_shown=1)
    app.text_input(key="patient-sought").set_value("Odo")
    _press(app, "Find")
    _press(app, "Open")
    said = texts(app)
    assert "Odo Sample" in said
    assert NAME not in said
    assert [entry[4] for entry in audit_of(course.store, "patient.view")] == ["1", "2"]


def test_reading_again_is_a_view_of_its_own(course: Clinic, texts: Texts) -> None:
    app = course.page(PATIENT, Role.NURSE, patient_shown=1)
    _file(course, 1)
    app.run()
    assert "**3 sessions**" in texts(app)
    _press(app, "Read again")
    assert "**4 sessions**" in texts(app)
    assert len(audit_of(course.store, "patient.view")) == 2


def test_a_long_course_shows_the_newest_sessions_first(clinic: Clinic, texts: Texts) -> None:
    for days_ago in range(12):
        _file(clinic, days_ago)
    app = clinic.page(PATIENT, Role.NURSE, patient_shown=1)
    views = [button for button in app.button if button.label == "View"]
    assert len(views) == 10
    listed = [part.value for part in app.text if "mg/kg" in part.value]
    assert listed[0].startswith("2 March 2026, 09:00 · ")
    assert listed[0].endswith(" · 0.50 mg/kg · 1 day after the last\nnothing happened")
    app.toggle(key="patient-1-all").set_value(True).run()
    assert len([button for button in app.button if button.label == "View"]) == 12


def test_a_session_leads_to_its_report(course: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr("safety.ui.places.go", gone.append)
    app = _press(course.page(PATIENT, Role.NURSE, patient_shown=1), "View")
    newest = patient_view.patient_record(course.store, DIRECTOR, 1).sessions[-1]
    assert gone == ["filed"]
    assert app.session_state["shown-report"] == newest.report_id


def test_other_pages_lead_to_a_patient_and_that_is_a_new_view(
    course: Clinic, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safety.ui.places.go", lambda path: None)
    script = PAGE_THAT_SHOWS.format(PATIENT)
    app = course.page(PATIENT, Role.NURSE, patient_shown=1)
    token = app.session_state["token"]
    again = AppTest.from_string(script, default_timeout=30)
    again.session_state["token"] = token
    again.run()
    assert NAME in texts(again)
    again.run()
    assert len(audit_of(course.store, "patient.view")) == 3  # show() reads anew at each run


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.ADMINISTRATOR])
def test_roles_outside_care_see_nobody(course: Clinic, texts: Texts, role: Role) -> None:
    app = course.page(PATIENT, role, patient_shown=1)
    assert app.exception
    assert NAME not in texts(app)
    assert audit_of(course.store, "patient.view") == []


def _record(clinic: Clinic) -> PatientRecord:
    return patient_view.patient_record(clinic.store, DIRECTOR, 1)


def test_a_bar_runs_from_before_the_dose_to_the_highest_after_it(clinic: Clinic) -> None:
    vitals = VitalSigns(
        before=BloodPressure(120, 70),
        at_40_min=BloodPressure(150, 95),
        peak=BloodPressure(155, 90),
    )
    _file(clinic, 1, vitals=vitals)
    _file(clinic, 0, vitals=VitalSigns(before=BloodPressure(118, None)))
    high, low, alone = patient_points.pressure_points(_record(clinic).sessions)
    assert (high["limb"], high["before"], high["highest"]) == ("Systolic", 120, 155)
    assert (low["limb"], low["before"], low["highest"]) == ("Diastolic", 70, 95)
    assert high["said"] == "Spike by a trial definition"  # 25 diastolic or more above before
    assert (alone["before"], alone["highest"]) == (118, 118)
    assert alone["readings"] == "118 mmHg before, not taken at its highest"
    assert alone["said"] == "Cannot be told"


def test_a_protocol_keeps_the_colour_of_its_place(course: Clinic) -> None:
    panel = patient_timeline.panels(_record(course), PROTOCOLS, TERMS, patient_timeline.LIGHT)[0]
    colour = panel.chart.to_dict()["layer"][0]["encoding"]["color"]
    assert colour["scale"]["domain"] == ["Other", "IV induction"]
    assert colour["legend"]["values"] == ["IV induction"]


def test_serious_is_red_and_a_shape_of_its_own(course: Clinic) -> None:
    panel = patient_timeline.panels(_record(course), PROTOCOLS, TERMS, patient_timeline.LIGHT)[2]
    encoding = panel.chart.to_dict()["layer"][0]["encoding"]
    assert encoding["color"]["scale"]["domain"][0] == "Serious"
    assert encoding["color"]["scale"]["range"][0] == "#B42318"
    assert encoding["shape"]["scale"]["range"] == ["diamond", "circle"]
    assert encoding["y"]["sort"] == ["Syncope (1 / 3)", "Nausea (2 / 3)"]
    assert panel.words == "3 events in 2 of 3 sessions, by day and term"


def test_what_was_not_measured_has_no_panel(clinic: Clinic) -> None:
    _file(clinic, 0, dose_mg=None)
    record = _record(clinic)
    assert patient_timeline.panels(record, PROTOCOLS, TERMS, patient_timeline.LIGHT) == []


# --- emergency access -----------------------------------------------------------------------


def _broken(clinic: Clinic, mrn: str = "MRN-0001", reason: str = REASON) -> AppTest:
    app = clinic.page(EMERGENCY, Role.COMPLIANCE)
    app.text_input(key="emergency-mrn").set_value(mrn)
    app.text_area(key="emergency-reason").set_value(reason)
    return _press(app, "Open the record")


def test_the_page_says_what_emergency_access_means(course: Clinic, texts: Texts) -> None:
    said = texts(course.page(EMERGENCY, Role.ADMINISTRATOR))
    assert "**For emergencies only.** The medical director is told at once" in said
    assert "for 30 minutes, and every view of it is on record" in said
    assert NAME not in said


def test_it_shows_the_record_without_links_and_the_minutes_left(
    course: Clinic, texts: Texts, clock: FakeClock
) -> None:
    app = _broken(course)
    assert not app.exception
    said = texts(app)
    assert f"{NAME} · MRN MRN-0001" in said
    assert "**3 sessions**" in said
    assert "**30 minutes left**, until 10:30" in said
    assert len(_charts(app)) == 3
    assert not any(button.label == "View" for button in app.button)
    for _ in range(3):
        clock.advance(minutes=9.5)
        app.run()
    assert "**2 minutes left**" in texts(app)
    assert len(audit_of(course.store, "patient.view")) == 1


def test_the_record_leaves_the_screen_when_the_time_is_over(
    course: Clinic, texts: Texts, clock: FakeClock
) -> None:
    app = _broken(course)
    for _ in range(4):  # somebody who is idle for ten minutes is signed out
        clock.advance(minutes=7.5)
        app.run()
    said = texts(app)
    assert "The 30 minutes are over" in said
    assert NAME not in said
    assert "emergency-record" not in app.session_state
    app.run()
    assert "minutes are over" not in texts(app)


def test_closing_it_early_and_opening_it_again(course: Clinic, texts: Texts) -> None:
    app = _broken(course)
    _press(app, "Close the record")
    assert NAME not in texts(app)
    _press(app, "Open again")
    assert NAME in texts(app)
    assert len(audit_of(course.store, "patient.view")) == 2
    assert len(audit_of(course.store, "patient.break-glass")) == 1


@pytest.mark.parametrize(
    ("mrn", "reason", "message"),
    [
        ("MRN-7777", REASON, "No patient of this clinic has this MRN"),
        ("", REASON, "is empty"),
        ("MRN-0001", "urgent", "Say why in 10 characters or more"),
    ],
)
def test_what_is_missing_is_said_and_nothing_opens(
    course: Clinic, texts: Texts, mrn: str, reason: str, message: str
) -> None:
    app = _broken(course, mrn, reason)
    said = texts(app).replace("\\", "")
    assert message in said
    assert NAME not in said
    assert "MRN-7777" not in said
    assert audit_of(course.store, "patient.view") == []


@pytest.mark.parametrize("role", [Role.NURSE, Role.CHARGE, Role.DIRECTOR])
def test_care_has_no_emergency_page(course: Clinic, role: Role) -> None:
    assert course.page(EMERGENCY, role).exception


def test_an_access_kept_from_another_account_shows_nothing(course: Clinic, texts: Texts) -> None:
    """Were the browser session handed on, the service would still refuse."""
    begun = emergency.begin_emergency(course.store, COMPLIANCE, mrn="MRN-0001", reason=REASON)
    app = course.page(EMERGENCY, Role.ADMINISTRATOR, emergency_access=begun)
    assert app.exception
    assert NAME not in texts(app)


@pytest.mark.parametrize(
    ("role", "shown", "hidden"),
    [
        (Role.NURSE, "Patients", "Emergency access"),
        (Role.ADMINISTRATOR, "Emergency access", "Patients"),
    ],
)
def test_the_navigation_offers_what_the_role_may_do(
    clinic: Clinic, role: Role, shown: str, hidden: str
) -> None:
    pages = clinic.router(role).session_state["pages"]
    titles = {page.title for page in pages.values()}
    assert shown in titles
    assert hidden not in titles


def test_a_clinic_day_is_the_day_of_the_site(clinic: Clinic) -> None:
    """Late in the evening in New York it is the next day in UTC already."""
    _file(clinic, 0, started_at=STARTED.replace(day=1, hour=3))
    (session,) = _record(clinic).sessions
    assert session.day == date(2026, 2, 28)
    (point,) = patient_points.dose_points([session], PROTOCOLS)
    assert (point["at"], point["day"]) == ("2026-02-28T22:00:00", "28 February 2026")
