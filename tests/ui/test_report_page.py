"""The nurse's pages, run in process: filing, drafts, amending, and what is refused."""

from __future__ import annotations

from dataclasses import astuple
from datetime import UTC, datetime
from typing import Any, Final
from uuid import uuid4

import pytest
from streamlit.testing.v1 import AppTest

from safety import drafts, service, signing_in
from safety.access import Actor, Role
from safety.drafts import Draft
from safety.errors import Tampered
from safety.model import SessionReport
from safety.ui.report.form import Form, Step
from tests.support.accounts import PASSWORD
from tests.support.builders import PROTOCOL, SITE, a_full_report, a_report
from tests.ui.conftest import Clinic, Texts

PAGE = "safety.ui.report.page"


def _actor(clinic: Clinic, role: Role = Role.NURSE) -> Actor:
    return signing_in.sign_in(clinic.store, role, PASSWORD).actor


def _reports(clinic: Clinic) -> list[SessionReport]:
    lines = service.recent_reports(clinic.store, _actor(clinic))
    return [line.report for line in lines]


def _form(app: AppTest) -> Form:
    opened: Form = app.session_state["form"]
    return opened


ORDINARY: Final = {
    "patient.from": "new",
    "patient.mrn": "MRN-0001",
    "patient.name": "Wilma Testcase",
    "site": SITE,
    "protocol": PROTOCOL,
    "start_date": "2026-03-02",
    "start_time": "09:00",
    "dose_mg": 40.0,
    "weight_kg": 80.0,
}


def _open(clinic: Clinic, **fields: Any) -> AppTest:
    """The report page with a form that only lacks what happened, and with ``fields``."""
    opened = Form(uuid4(), ORDINARY | fields)
    opened.kept = {}
    return clinic.page(PAGE, Role.NURSE, form=opened)


def _type(app: AppTest, name: str, text: str) -> AppTest:
    app.text_input(key=_form(app).key(name)).set_value(text)
    return app.run()


def _restored(draft: Draft) -> Form:
    return Form(draft.id, dict(draft.fields), draft.version)


def _review(app: AppTest) -> AppTest:
    return app.button(key="review").click().run()


def test_a_session_in_which_nothing_happened_is_filed(clinic: Clinic, texts: Texts) -> None:
    app = _review(_open(clinic, nothing=True))
    assert not app.exception
    assert "Nothing happened." in texts(app)
    app.button(key="file").click().run()
    assert app.title[0].value == "Filed"
    (report,) = _reports(clinic)
    assert report.no_adverse_event is True
    assert report.reported_by == "Made-up nurse"


def test_two_graded_events_are_filed_with_their_scale(clinic: Clinic) -> None:
    fields = {"events": ["nausea", "dissociation"], "events.nausea.grade": 2}
    app = _open(clinic, **fields)
    key = _form(app).key("events.dissociation.grade")
    app.radio(key=key).set_value(1).run()
    _review(app).button(key="file").click().run()
    (report,) = _reports(clinic)
    assert {(e.term, e.grade, e.scale) for e in report.events} == {
        ("nausea", 2, "CTCAE"),
        ("dissociation", 1, "Afterdose"),
    }


def test_only_the_grades_that_a_term_has_are_offered(clinic: Clinic) -> None:
    app = _open(clinic, events=["nausea", "syncope"])
    options = {
        term: len(app.radio(key=_form(app).key(f"events.{term}.grade")).options)
        for term in ("nausea", "syncope")
    }
    assert options == {"nausea": 3, "syncope": 1}


def test_choosing_an_event_takes_nothing_happened_back(clinic: Clinic) -> None:
    app = _open(clinic, nothing=True)
    app.session_state[_form(app).key("events")] = ["headache"]
    app.run()
    assert "nothing" not in _form(app).fields


def test_an_effect_is_found_by_an_everyday_word_and_added(clinic: Clinic) -> None:
    app = clinic.page(PAGE, Role.NURSE)
    name = _form(app).id.hex
    app.text_input(key=f"{name}-find-term").set_value("spaced out").run()
    app.button(key=f"{name}-add-dissociation").click().run()
    assert _form(app).fields["events"] == ["dissociation"]
    assert app.text_input(key=f"{name}-find-term").value == ""


def test_a_rise_of_48_is_told_and_offered_as_an_event(clinic: Clinic, texts: Texts) -> None:
    app = _open(
        clinic,
        **{
            "vitals.before.systolic_mmhg": 128,
            "vitals.before.diastolic_mmhg": 80,
            "vitals.peak.systolic_mmhg": 176,
            "vitals.peak.diastolic_mmhg": 98,
        },
    )
    assert "Rise of 48 mmHg systolic: meets the trial definition of a spike" in texts(app)
    app.button(key=f"{_form(app).id.hex}-suggested").click().run()
    assert _form(app).fields["events"] == ["blood_pressure_increased"]


def test_swapped_pressures_keep_the_form_open_with_a_sentence(clinic: Clinic, texts: Texts) -> None:
    pressures = {"vitals.peak.systolic_mmhg": 120, "vitals.peak.diastolic_mmhg": 190}
    app = _review(_open(clinic, nothing=True, **pressures))
    assert _form(app).step is Step.WRITE
    assert "Were they swapped?" in texts(app)
    assert "1 thing to mend above" in texts(app)


def test_what_is_missing_is_asked_for_only_after_review(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(PAGE, Role.NURSE)
    assert "Choose the protocol." not in texts(app)
    assert "Choose the protocol" in texts(_review(app)).replace("\\", "")


def test_a_draft_is_saved_when_a_field_changes_and_not_otherwise(clinic: Clinic) -> None:
    nurse = _actor(clinic)
    app = clinic.page(PAGE, Role.NURSE)
    assert drafts.list_drafts(clinic.store, nurse) == ()
    _type(app, "lot", "LOT 7")
    (draft,) = drafts.list_drafts(clinic.store, nurse)
    assert draft.fields["lot"] == "LOT 7"
    app.run().run()
    (again,) = drafts.list_drafts(clinic.store, nurse)
    assert again.version == draft.version


def test_a_draft_is_restored_as_it_was_and_gone_once_filed(clinic: Clinic) -> None:
    _open(clinic, lot="LOT 7", nothing=True)
    today = clinic.page("safety.ui.today", Role.NURSE)
    (draft,) = drafts.list_drafts(clinic.store, _actor(clinic))
    assert today.button(key=f"draft-{draft.id.hex}").label == "Continue"
    fresh = clinic.page(PAGE, Role.NURSE, form=_restored(draft))
    assert fresh.text_input(key=_form(fresh).key("lot")).value == "LOT 7"
    _review(fresh).button(key="file").click().run()
    assert drafts.list_drafts(clinic.store, _actor(clinic)) == ()


def test_a_form_open_in_two_tabs_overwrites_nothing(clinic: Clinic, texts: Texts) -> None:
    first = _open(clinic, lot="LOT 1")
    (draft,) = drafts.list_drafts(clinic.store, _actor(clinic))
    second = clinic.page(PAGE, Role.NURSE, form=_restored(draft))
    _type(second, "lot", "LOT 2")
    _type(first, "lot", "LOT 3")
    assert "Another tab has this form too. Yours is kept as a copy" in texts(first)
    _type(first, "lot", "LOT 4")
    kept = drafts.list_drafts(clinic.store, _actor(clinic))
    assert {one.id == draft.id: one.fields["lot"] for one in kept} == {
        True: "LOT 2",
        False: "LOT 4",
    }


def test_the_second_of_two_tabs_to_file_is_refused_and_keeps_what_it_has(
    clinic: Clinic, texts: Texts
) -> None:
    first = _open(clinic, lot="LOT 1", nothing=True, **{"patient.from": "found"})
    (draft,) = drafts.list_drafts(clinic.store, _actor(clinic))
    second = clinic.page(PAGE, Role.NURSE, form=_restored(draft))
    _type(second, "lot", "LOT 2")
    _type(first, "lot", "LOT 3")
    _review(second).button(key="file").click().run()
    _review(first).button(key="file").click().run()
    assert "This form was filed already" in texts(first)
    assert [report.lot for report in _reports(clinic)] == ["LOT 2"]
    (copy,) = drafts.list_drafts(clinic.store, _actor(clinic))
    assert copy.fields["lot"] == "LOT 3"


def test_a_copy_is_gone_once_its_tab_has_filed(clinic: Clinic) -> None:
    first = _open(clinic, lot="LOT 1", nothing=True)
    (draft,) = drafts.list_drafts(clinic.store, _actor(clinic))
    _type(clinic.page(PAGE, Role.NURSE, form=_restored(draft)), "lot", "LOT 2")
    _type(first, "lot", "LOT 3")
    _review(first).button(key="file").click().run()
    assert [report.lot for report in _reports(clinic)] == ["LOT 3"]
    assert drafts.list_drafts(clinic.store, _actor(clinic)) == ()


def test_a_known_patient_brings_what_was_given_last_time(clinic: Clinic, texts: Texts) -> None:
    before = a_full_report(protocol=PROTOCOL)
    service.file_report(clinic.store, _actor(clinic), before)
    app = clinic.page(PAGE, Role.NURSE)
    app.text_input(key=f"{_form(app).id.hex}-sought").set_value("MRN-0001")
    next(button for button in app.button if button.label == "Find").click().run()
    next(button for button in app.button if button.label == "Choose").click().run()
    fields = _form(app).fields
    assert (fields["protocol"], fields["dose_mg"]) == (PROTOCOL, before.dose_mg)
    assert (fields["lot"], fields["weight_kg"]) == (before.lot, before.weight_kg)
    assert "Session 2 of this protocol. Last on 2 March 2026" in texts(app)
    assert "Other than last time" not in texts(app)
    app.number_input(key=_form(app).key("dose_mg")).set_value(55.0).run()
    assert "dose 55 mg, last time 40 mg" in texts(app).replace("\\", "")


def test_a_second_report_of_the_same_day_is_shown_the_first(clinic: Clinic, texts: Texts) -> None:
    service.file_report(clinic.store, _actor(clinic), a_full_report())
    known = {"patient.from": "found", "start_time": "09:20"}
    app = _review(_open(clinic, nothing=True, **known))
    assert "This patient has a report of this day already" in texts(app).replace("\\", "")
    app.button(key="file").click().run()
    assert len(_reports(clinic)) == 2


def test_a_serious_event_needs_words_before_it_can_be_signed(clinic: Clinic, texts: Texts) -> None:
    event = {"events": ["seizure"], "events.seizure.grade": 3, "events.seizure.begun": True}
    serious = event | {"events.seizure.serious": ["life_threatening"]}
    app = _review(_open(clinic, **serious))
    assert "without it the record cannot be used" in texts(app)
    assert app.button(key="file").disabled
    told = {"events.seizure.narrative": "Two minutes, ended by itself."}
    app = _review(_open(clinic, **serious | told | {"patient.mrn": "MRN-0002"}))
    app.button(key="file").click().run()
    (report,) = _reports(clinic)
    assert report.events[0].serious
    assert report.events[0].narrative == "Two minutes, ended by itself."


def test_the_criteria_are_asked_where_they_can_apply_and_opened_elsewhere(clinic: Clinic) -> None:
    app = _open(clinic, events=["nausea"], **{"events.nausea.grade": 1})
    key = _form(app).key("events.nausea.serious")
    assert not [box for box in app.multiselect if box.key == key]
    app.button(key=f"{_form(app).id.hex}-serious-nausea").click().run()
    assert app.multiselect(key=key).label == "Serious, because"


@pytest.mark.parametrize(
    ("also", "expected"),
    [
        (["none"], (False, False, False, False, False)),
        (["opioid"], (None, True, None, None, None)),
        (["opioid", "none"], (False, True, False, False, False)),
    ],
)
def test_other_medication_is_taken_not_taken_or_not_asked(
    clinic: Clinic, also: list[str], expected: tuple[bool | None, ...]
) -> None:
    _review(_open(clinic, nothing=True, also=also)).button(key="file").click().run()
    (report,) = _reports(clinic)
    assert astuple(report.concomitant) == expected


def test_the_patients_own_words_stand_beside_the_code(clinic: Clinic) -> None:
    app = _open(clinic, events=["dizziness"], **{"events.dizziness.grade": 1})
    _type(app, "events.dizziness.verbatim", "like on a boat")
    _review(app).button(key="file").click().run()
    (report,) = _reports(clinic)
    assert report.events[0].verbatim == "like on a boat"


def test_the_witness_is_never_the_one_who_gave_the_drug(clinic: Clinic) -> None:
    app = _open(clinic, **{"drug.staff": "Made-up nurse"})
    options = app.selectbox(key=_form(app).key("drug.waste_witness")).options
    assert "Made-up nurse" not in options
    assert "Made-up director" in options


def test_a_new_patient_with_the_mrn_of_another_is_held_back(clinic: Clinic, texts: Texts) -> None:
    service.file_report(clinic.store, _actor(clinic), a_full_report())
    app = _review(_open(clinic, nothing=True, **{"patient.name": "Somebody Else"}))
    assert _form(app).step is Step.WRITE
    assert "This MRN belongs to a known patient" in texts(app)
    next(button for button in app.button if button.label == "Choose").click()
    _review(app.run()).button(key="file").click().run()
    assert {report.patient.name for report in _reports(clinic)} == {"Wilma Testcase"}


def test_a_draft_that_cannot_be_saved_leaves_the_form_usable_and_says_why(
    clinic: Clinic, texts: Texts
) -> None:
    app = _open(clinic, nothing=True)
    clinic.store.distrust = Tampered("Audit entry 3 was changed.")
    _type(app, "lot", "LOT 9")
    assert "Not saved: Audit entry 3 was changed." in texts(app)
    assert app.text_input(key=_form(app).key("lot")).value == "LOT 9"
    assert not app.exception


def test_filing_twice_files_once(clinic: Clinic) -> None:
    app = _review(_open(clinic, nothing=True))
    app.button(key="file").click().run()
    _form(app).step = Step.REVIEW  # the second click of a double click meets the page unchanged
    app.run().button(key="file").click().run()
    assert app.title[0].value == "Filed"
    assert len(_reports(clinic)) == 1


def test_a_form_filed_elsewhere_with_other_content_says_so(clinic: Clinic, texts: Texts) -> None:
    app = _review(_open(clinic, nothing=True))
    service.file_report(
        clinic.store, _actor(clinic), a_report(dose_mg=12.0), report_id=_form(app).id
    )
    app.button(key="file").click().run()
    assert "This form was filed already" in texts(app)
    assert app.title[0].value == "Review and sign"


def test_the_review_shows_warnings_before_signing(clinic: Clinic, texts: Texts) -> None:
    app = _review(_open(clinic, nothing=True, weight_kg=20.0))
    assert "is unusual" in texts(app)
    assert "The weight" in texts(app)


def test_typed_text_is_never_drawn_as_markdown(clinic: Clinic) -> None:
    trap = "**bold** :red[x] <b>y</b> [link](http://x.example)"
    fields = {"nothing": True, "narrative": trap, "patient.name": trap, "lot": trap}
    app = _review(_open(clinic, **fields))
    assert any(trap in part.value for part in app.text)
    drawn = [*app.markdown, *app.caption, *app.subheader, *app.title, *app.warning]
    assert not any(trap in part.value for part in drawn)


def test_a_filed_report_is_amended_with_a_reason(clinic: Clinic, texts: Texts) -> None:
    filed = service.file_report(clinic.store, _actor(clinic), a_full_report())
    stored = service.read_report(clinic.store, _actor(clinic), filed.report_id)
    opened = Form(uuid4(), _unfolded(clinic, stored.report), amends=stored)
    app = clinic.page(PAGE, Role.NURSE, form=opened)
    app.number_input(key=_form(app).key("dose_mg")).set_value(42.0).run()
    _review(app).button(key="file").click().run()
    assert "Say why" in texts(app)
    app.text_area(key="amendment-reason").set_value("Read from the wrong chart.").run()
    app.button(key="file").click().run()
    history = service.report_history(clinic.store, _actor(clinic), filed.report_id)
    assert [version.report.dose_mg for version in history] == [40.0, 42.0]
    assert history[1].report.amendment_reason == "Read from the wrong chart."
    assert history[1].report.events == history[0].report.events


def _unfolded(clinic: Clinic, report: SessionReport) -> dict[str, Any]:
    from safety.ui.report.unfolding import unfold

    return unfold(report, clinic.store.clinic.timezone) | {"route_of": report.protocol}


def test_a_filed_report_shows_its_history(clinic: Clinic, texts: Texts) -> None:
    filed = service.file_report(clinic.store, _actor(clinic), a_full_report())
    report = service.read_report(clinic.store, _actor(clinic), filed.report_id).report
    service.amend_report(
        clinic.store,
        _actor(clinic),
        filed.report_id,
        report,
        base_version=1,
        reason="Lot number corrected.",
    )
    app = clinic.page("safety.ui.report.view", Role.NURSE, shown_report=filed.report_id)
    assert not app.exception
    assert "Version 2" in texts(app)
    assert "Lot number corrected." in texts(app)


def test_a_store_that_cannot_be_trusted_takes_no_report(clinic: Clinic) -> None:
    app = _review(_open(clinic, nothing=True))
    clinic.store.distrust = Tampered("Audit entry 3 was changed.")
    app.run()
    assert app.button(key="file").disabled


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.ADMINISTRATOR])
def test_a_role_without_patients_gets_none_even_on_the_nurses_page(
    clinic: Clinic, role: Role, texts: Texts
) -> None:
    service.file_report(clinic.store, _actor(clinic), a_full_report())
    app = clinic.page("safety.ui.today", role)
    assert "Wilma" not in texts(app)
    assert app.exception


def test_an_empty_clinic_says_what_to_do_first(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page("safety.ui.today", Role.NURSE)
    assert "start with **New report**" in texts(app)


def test_today_lists_the_newest_reports(clinic: Clinic, texts: Texts) -> None:
    service.file_report(clinic.store, _actor(clinic), a_full_report())
    app = clinic.page("safety.ui.today", Role.NURSE)
    assert "Wilma Testcase · MRN MRN-0001" in texts(app)
    assert "2 events" in texts(app)
    assert "1 filed for today" in texts(app)
    assert clinic.store.clock() == datetime(2026, 3, 2, 15, 0, tzinfo=UTC)
