"""The nurse's home: the day's list, what can be pressed on it, and what it says when empty."""

from __future__ import annotations

from datetime import date, time, timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest
from streamlit.testing.v1 import AppTest

from safety import drafts, planning, rems, reviewing, service, signing_in
from safety.access import CONSOLE, Actor, Role
from safety.store import seeding
from safety.store.handle import Store
from safety.ui import today_forms
from safety.ui.report import form
from tests.support.accounts import PASSWORD, audit_of
from tests.support.builders import DIRECTOR, PROTOCOL, SITE, STARTED, a_full_report, a_report
from tests.support.clock import START, FakeClock
from tests.ui.conftest import SECONDS, Clinic, Texts

TODAY = "safety.ui.today"
NAME = "IV ketamine, depression, induction"
SPRAVATO = "esketamine_nasal_induction"


def actor(clinic: Clinic, role: Role = Role.NURSE) -> Actor:
    return signing_in.sign_in(clinic.store, role, PASSWORD).actor


def file(clinic: Clinic, mrn: str = "M-1", *, days_ago: int = 0, **changes: Any) -> UUID:
    given = {"mrn": mrn, "started_at": STARTED - timedelta(days=days_ago)}
    report = a_report(**(given | changes))
    return service.file_report(clinic.store, CONSOLE, report).report_id


def plan(clinic: Clinic, mrn: str = "M-1", *, hours: float = 1.0, **changes: Any) -> UUID:
    given: dict[str, Any] = {
        "protocol": PROTOCOL,
        "site": SITE,
        "planned_at": START + timedelta(hours=hours),
    }
    return planning.plan_session(clinic.store, CONSOLE, mrn=mrn, **(given | changes)).id


def add_site(store: Store, name: str) -> None:
    with store.write() as writer:
        seeding.add_site(writer, CONSOLE, name, "America/Chicago")
        writer.commit()


def dialog(clinic: Clinic, call: str, **state: Any) -> AppTest:
    """A dialog by itself: in a browser it runs alone, in a test only the whole script can."""
    app = AppTest.from_string(_DIALOG.format(call), default_timeout=SECONDS)
    app.session_state["token"] = signing_in.sign_in(clinic.store, Role.NURSE, PASSWORD).token
    for name, value in state.items():
        app.session_state[name] = value
    return app.run()


_DIALOG = """
import streamlit as st
from safety import drafts
from safety.ui import planning_dialog, session, today_lists

store = session.store()
visit = session.visit(store)
if "today-changed" not in st.session_state:
    {}
"""


def after(clinic: Clinic, page: AppTest, changed: str) -> AppTest:
    """The page once a dialog was done: it holds the list from before."""
    held = page.session_state["today-list"]
    return clinic.page(TODAY, Role.NURSE, today_list=held, today_changed=changed)


def headings(app: AppTest) -> list[str]:
    return [part.value for part in app.subheader]


def keys(app: AppTest) -> set[str]:
    return {button.key for button in app.button if button.key}


def listings(store: Store) -> int:
    return len(audit_of(store, "report.list"))


def test_an_empty_day_says_what_will_be_here_and_what_to_do(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(TODAY, Role.NURSE)
    assert not app.exception
    assert headings(app) == ["Planned", "Filed"]
    assert "Nobody is planned for the rest of today" in texts(app)
    assert "start with **New report**" in texts(app)
    assert "earlier" not in keys(app)


def test_who_waits_stands_before_who_is_expected_with_name_number_and_time(
    clinic: Clinic, texts: Texts
) -> None:
    file(clinic, days_ago=1, patient=a_report().patient)
    file(clinic, "M-2", days_ago=1)
    waits, comes = plan(clinic, "MRN-0001", hours=-0.5), plan(clinic, "M-2", hours=1)
    app = clinic.page(TODAY, Role.NURSE)
    assert headings(app) == ["Waiting for a report", "Expected", "Filed"]
    assert f"09:30 · Wilma Testcase · MRN MRN-0001\n{NAME}" in texts(app)
    assert f"11:00 · Wilma Testcase · MRN M-2\n{NAME}" in texts(app)
    assert {f"report-{waits.hex}", f"report-{comes.hex}"} <= keys(app)
    assert "2 March 2026 · Main Street · 2 sessions · 0 filed for today · 1 waiting" in texts(app)


def test_what_the_clock_passes_begins_to_wait(clinic: Clinic, clock: FakeClock) -> None:
    file(clinic, days_ago=1)
    plan(clinic, hours=0.05)
    app = clinic.page(TODAY, Role.NURSE)
    assert headings(app) == ["Expected", "Filed"]
    clock.advance(minutes=4)
    assert headings(app.run()) == ["Waiting for a report", "Filed"]


def test_whoever_is_due_by_the_protocol_can_be_reported_or_planned(
    clinic: Clinic, texts: Texts
) -> None:
    file(clinic, days_ago=3)
    app = clinic.page(TODAY, Role.NURSE)
    assert headings(app) == ["Due", "Filed"]
    assert "due 2 March 2026, last on 27 February 2026" in texts(app)
    assert {"due-1", "plan-1"} <= keys(app)


@pytest.mark.parametrize("planned", [True, False])
def test_report_opens_a_form_on_the_patient(clinic: Clinic, planned: bool) -> None:
    file(clinic, days_ago=3)
    key = f"report-{plan(clinic).hex}" if planned else "due-1"
    app = clinic.router(Role.NURSE)
    app.button(key=key).click().run()
    assert not app.exception
    fields = app.session_state["form"].fields
    assert (fields["patient.mrn"], fields["protocol"], fields["site"]) == ("M-1", PROTOCOL, SITE)
    if planned:
        assert (fields["start_date"], fields["start_time"]) == ("2026-03-02", "11:00")


def test_a_begun_draft_is_gone_on_with_and_not_begun_twice(clinic: Clinic) -> None:
    file(clinic, days_ago=1)
    made, draft = plan(clinic), uuid4()
    fields = {"patient.mrn": "M-1", "start_date": "2026-03-02", "lot": "LOT 7"}
    drafts.save_draft(clinic.store, actor(clinic), draft, fields)
    app = clinic.router(Role.NURSE)
    assert app.button(key=f"report-{made.hex}").label == "Continue"
    app.button(key=f"report-{made.hex}").click().run()
    assert app.session_state["form"].id == draft


def test_a_discarded_draft_leaves_the_list_at_once(clinic: Clinic) -> None:
    draft = uuid4()
    drafts.save_draft(clinic.store, actor(clinic), draft, {"lot": "LOT 7"})
    app = clinic.page(TODAY, Role.NURSE)
    assert "Drafts" in headings(app)
    app.button(key=f"discard-{draft.hex}").click().run()
    assert "discard-now" in keys(app)
    asked = dialog(clinic, "today_lists.discard(visit, drafts.list_drafts(store, visit.actor)[0])")
    asked.button(key="discard-now").click().run()
    assert drafts.list_drafts(clinic.store, actor(clinic)) == ()
    assert "Drafts" not in headings(after(clinic, app, ""))


def test_a_session_is_planned_in_the_dialog(clinic: Clinic, texts: Texts) -> None:
    file(clinic, days_ago=1, patient=a_report().patient)
    page = clinic.page(TODAY, Role.NURSE)
    assert "plan.sought" in {
        box.key for box in page.button(key="plan-session").click().run().text_input
    }
    app = dialog(clinic, "planning_dialog.ask(visit, None)")
    app.text_input(key="plan.sought").set_value("wilma")
    next(button for button in app.button if button.label == "Find").click().run()
    assert app.button(key="plan.now").disabled
    app.selectbox(key="plan.protocol").set_value("im_ketamine_depression")
    app.date_input(key="plan.day").set_value(date(2026, 3, 2))
    app.time_input(key="plan.time").set_value(time(15, 40)).run()
    app.button(key="plan.now").click().run()
    assert not app.exception
    (made,) = planning.appointments_on(clinic.store, CONSOLE, date(2026, 3, 2))
    assert (made.patient_no, made.protocol) == (1, "im_ketamine_depression")
    shown = after(clinic, page, app.session_state["today-changed"])
    assert "15:40 · Wilma Testcase" in texts(shown)
    assert shown.success[0].value.replace("\\", "") == "Planned for 2 March 2026, 15:40."


def test_a_plan_for_somebody_unknown_is_refused_in_words(clinic: Clinic, texts: Texts) -> None:
    app = dialog(clinic, "planning_dialog.ask(visit, None)")
    app.text_input(key="plan.sought").set_value("nobody")
    next(button for button in app.button if button.label == "Find").click().run()
    assert "a new patient is added with a first report" in texts(app).replace("\\", "")
    assert "plan.now" not in keys(app)


def test_whoever_is_due_is_planned_without_a_search_and_a_taken_time_is_told(
    clinic: Clinic, texts: Texts
) -> None:
    file(clinic, days_ago=3)
    page = clinic.page(TODAY, Role.NURSE)
    page.button(key="plan-1").click().run()
    assert page.selectbox(key="plan.protocol").value == PROTOCOL
    due = page.session_state["today-list"].found.due[0]
    plan(clinic, hours=1, protocol="im_ketamine_depression")
    app = dialog(clinic, "planning_dialog.plan(visit, st.session_state['due'])", due=due)
    app.time_input(key="plan.time").set_value(time(11, 0)).run()
    app.button(key="plan.now").click().run()
    assert "Cancel that one first" in texts(app).replace("\\", "")


def test_a_cancelled_session_leaves_the_list_at_once(clinic: Clinic) -> None:
    file(clinic, days_ago=1)
    made = plan(clinic)
    page = clinic.page(TODAY, Role.NURSE)
    page.button(key=f"cancel-{made.hex}").click().run()
    assert "cancel-now" in keys(page)
    row = page.session_state["today-list"].found.expected[0]
    app = dialog(clinic, "planning_dialog.cancel(visit, st.session_state['row'], '')", row=row)
    app.button(key="cancel-now").click().run()
    shown = after(clinic, page, app.session_state["today-changed"])
    assert headings(shown) == ["Planned", "Filed"]
    assert f"report-{made.hex}" not in keys(shown)


def test_todays_reports_are_listed_and_others_when_asked(clinic: Clinic, texts: Texts) -> None:
    today = service.file_report(clinic.store, CONSOLE, a_full_report()).report_id
    before = file(clinic, "M-2", days_ago=1)
    app = clinic.page(TODAY, Role.NURSE)
    assert f"view-{today.hex}" in keys(app)
    assert f"view-{before.hex}" not in keys(app)
    assert "2 March 2026, 09:00" in texts(app)
    app.button(key="earlier").click().run()
    assert f"view-{before.hex}" in keys(app)
    assert "1 March 2026, 09:00" in texts(app)


def test_forms_are_listed_with_the_days_that_are_left(clinic: Clinic, texts: Texts) -> None:
    for mrn, days in (("M-1", 9), ("M-2", 7), ("M-3", 6)):
        file(clinic, mrn, days_ago=days, protocol=SPRAVATO)
    said = texts(clinic.page(TODAY, Role.NURSE))
    assert "3 monitoring forms to send, 1 of them late" in said
    for left in ("21 February 2026 · 2 days late", "due today", "due in 1 day\n"):
        assert left in f"{said}\n"


def test_an_imported_past_hides_no_form_of_this_week(clinic: Clinic, texts: Texts) -> None:
    for number in range(42):
        file(clinic, f"M-{number}", days_ago=15 + number, protocol=SPRAVATO)
    late = file(clinic, "M-50", days_ago=8, protocol=SPRAVATO)
    app = clinic.page(TODAY, Role.NURSE)
    shown = [button.key for button in app.button if (button.key or "").startswith("rems-")]
    assert shown[0] == f"rems-{late.hex}"
    assert len(shown) == 40
    assert "3 older ones follow" in texts(app)
    assert "43 monitoring forms to send, 43 of them late" in texts(app)


def test_a_form_is_noted_as_sent_and_that_can_be_taken_back(clinic: Clinic) -> None:
    report_id = file(clinic, protocol=SPRAVATO)
    app = clinic.page(TODAY, Role.NURSE)
    app.button(key=f"rems-{report_id.hex}").click().run()
    assert rems.rems_due(clinic.store, CONSOLE) == []
    assert f"rems-{report_id.hex}" not in keys(app)
    app.button(key="rems-undo").click().run()
    assert [each.report_id for each in rems.rems_due(clinic.store, CONSOLE)] == [report_id]
    assert "rems-undo" not in keys(app)
    assert f"rems-{report_id.hex}" in keys(app)


def test_the_offer_to_undo_goes_with_the_next_reading(clinic: Clinic, clock: FakeClock) -> None:
    report_id = file(clinic, protocol=SPRAVATO)
    app = clinic.page(TODAY, Role.NURSE)
    app.button(key=f"rems-{report_id.hex}").click().run()
    clock.advance(seconds=11)
    assert "REMS" not in headings(app.run())
    assert today_forms.SENT not in app.session_state


def test_a_word_of_the_director_comes_back_as_it_was_typed(clinic: Clinic, texts: Texts) -> None:
    nurse = actor(clinic)
    filed = service.file_report(clinic.store, nurse, a_report())
    reviewing.review_report(
        clinic.store, DIRECTOR, filed.report_id, note="Dose kept, *ondansetron* first", version=1
    )
    app = clinic.page(TODAY, Role.NURSE)
    assert "Heard back" in headings(app)
    said = [part.value for part in app.text if "reviewed" in part.value]
    assert said == [
        f"The director reviewed your report of 2 March 2026, {NAME}: Dose kept, *ondansetron* first"
    ]
    assert {f"heard-{filed.report_id.hex}", f"view-{filed.report_id.hex}"} <= keys(app)


def test_the_list_is_read_once_for_the_runs_of_ten_seconds(
    clinic: Clinic, clock: FakeClock
) -> None:
    app = clinic.page(TODAY, Role.NURSE)
    app.run().run()
    assert listings(clinic.store) == 1  # nothing was done, so nothing was read again
    clock.advance(seconds=11)
    app.run()
    assert listings(clinic.store) == 2


def test_a_report_filed_from_the_form_shows_at_once(clinic: Clinic) -> None:
    file(clinic, days_ago=1)
    made = plan(clinic)
    app = clinic.router(Role.NURSE)
    app.button(key=f"report-{made.hex}").click().run()
    opened = app.session_state["form"]
    service.file_report(clinic.store, CONSOLE, a_report(mrn="M-1"), report_id=opened.id)
    opened.step = form.Step.FILED
    page = clinic.page(TODAY, Role.NURSE, form=opened, today_list=app.session_state["today-list"])
    assert f"report-{made.hex}" not in keys(page)


def test_a_site_is_chosen_where_there_are_two_and_stays_chosen(
    clinic: Clinic, texts: Texts
) -> None:
    assert not clinic.page(TODAY, Role.NURSE).selectbox
    add_site(clinic.store, "Harbour")
    file(clinic, "M-1", days_ago=1)
    file(clinic, "M-2", days_ago=1)
    plan(clinic, "M-1")
    plan(clinic, "M-2", site="Harbour")
    app = clinic.page(TODAY, Role.NURSE)
    # One moment, on the clocks of New York and Chicago.
    assert f"11:00 · Wilma Testcase · MRN M-1\n{NAME} · Main Street" in texts(app)
    assert f"10:00 · Wilma Testcase · MRN M-2\n{NAME} · Harbour" in texts(app)
    app.selectbox(key="today.site").set_value("Harbour").run()
    assert f"10:00 · Wilma Testcase · MRN M-2\n{NAME}" in texts(app)
    assert "M-1" not in texts(app)
    assert app.session_state["today-site"] == "Harbour"


@pytest.mark.parametrize("role", [Role.NURSE, Role.CHARGE, Role.DIRECTOR])
def test_everybody_in_care_sees_the_list(clinic: Clinic, role: Role) -> None:
    file(clinic, days_ago=1)
    made = plan(clinic)
    assert f"report-{made.hex}" in keys(clinic.page(TODAY, role))


@pytest.mark.parametrize("role", [Role.COMPLIANCE, Role.ADMINISTRATOR])
def test_nobody_else_does(clinic: Clinic, role: Role, texts: Texts) -> None:
    file(clinic, days_ago=1)
    plan(clinic)
    app = clinic.page(TODAY, role)
    assert app.exception
    assert "M-1" not in texts(app)


def test_the_nurse_in_charge_goes_on_with_a_colleagues_draft(clinic: Clinic, texts: Texts) -> None:
    nurse = signing_in.sign_in(clinic.store, Role.NURSE, PASSWORD).actor
    draft_id = uuid4()
    drafts.save_draft(clinic.store, nurse, draft_id, {"patient.name": "Wilma Testcase"})
    app = clinic.page("safety.ui.today", Role.CHARGE)
    assert "Drafts of colleagues" in texts(app)
    assert "by Made-up nurse" in texts(app)
    app.button(key=f"take-{draft_id.hex}").click().run()
    assert "becomes yours, on record" in texts(app)


def test_a_nurse_sees_no_drafts_of_colleagues(clinic: Clinic, texts: Texts) -> None:
    charge = signing_in.sign_in(clinic.store, Role.CHARGE, PASSWORD).actor
    drafts.save_draft(clinic.store, charge, uuid4(), {"patient.name": "Wilma Testcase"})
    app = clinic.page("safety.ui.today", Role.NURSE)
    assert "Wilma" not in texts(app)
    assert "colleagues" not in texts(app)
