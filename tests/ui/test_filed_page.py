"""The page of a filed report, and the director's notices: history, reviews, what waits."""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any
from uuid import UUID
from zoneinfo import ZoneInfo

import pytest
from streamlit.testing.v1 import AppTest

from safety import emergency, mail, notices, reviewing, service, signing_in
from safety.access import Actor, Role
from safety.errors import Tampered
from safety.model import AdverseEvent, Criterion, Route, SessionReport, Sex
from safety.store.verifying import verify
from safety.ui import places, words
from safety.ui.report.changed import Wording, duration, label, lines
from safety.vocabulary import vocabulary
from tests.support.accounts import PASSWORD, audit_of
from tests.support.builders import PROTOCOL, STARTED, a_full_report, a_report, an_event
from tests.support.clock import FakeClock
from tests.ui.conftest import Clinic, Texts

PAGE = "safety.ui.report.view"
NOTICES = "safety.ui.notices_page"
SERIOUS = an_event(
    "nausea",
    3,
    serious=frozenset({Criterion.HOSPITALISATION}),
    narrative="Vomited for two hours and was taken into hospital.",
)


def actor(clinic: Clinic, role: Role = Role.NURSE) -> Actor:
    return signing_in.sign_in(clinic.store, role, PASSWORD).actor


def filed(clinic: Clinic, report: SessionReport | None = None) -> UUID:
    return service.file_report(clinic.store, actor(clinic), report or a_report()).report_id


def amended(clinic: Clinic, report_id: UUID, reason: str, **changes: Any) -> None:
    who = actor(clinic, Role.CHARGE)
    before = service.read_report(clinic.store, who, report_id)
    service.amend_report(
        clinic.store,
        who,
        report_id,
        replace(before.report, **changes),
        base_version=before.version,
        reason=reason,
    )


def opened(clinic: Clinic, report_id: UUID, role: Role = Role.NURSE) -> AppTest:
    app = clinic.page(PAGE, role, shown_report=report_id)
    assert not app.exception
    return app


def press(app: AppTest, words_on_it: str) -> AppTest:
    next(button for button in app.button if button.label == words_on_it).click()
    return app.run()


# History


def test_a_version_says_who_when_why_and_what_changed(
    clinic: Clinic, clock: FakeClock, texts: Texts
) -> None:
    report_id = filed(clinic)
    clock.advance(days=1)
    amended(clinic, report_id, "Read from the wrong chart.", weight_kg=82.0)
    shown = texts(opened(clinic, report_id))
    assert "Version 1 · 2 March 2026, 10:00 · reported by Made-up nurse" in shown
    assert "Version 2 · 3 March 2026, 10:00 · amended by Made-up charge" in shown
    assert "Reason: Read from the wrong chart." in shown
    assert "Weight: 80 kg → 82 kg" in shown


def test_a_report_by_somebody_else_says_who_filed_it(clinic: Clinic, texts: Texts) -> None:
    report_id = filed(clinic, a_report(reported_by="Nora Quill"))
    assert "reported by Nora Quill, filed by Made-up nurse" in texts(opened(clinic, report_id))


def test_a_late_entry_says_how_late(clinic: Clinic, texts: Texts) -> None:
    late = a_report(started_at=STARTED - timedelta(days=3))
    shown = texts(opened(clinic, filed(clinic, late)))
    assert (
        "Late entry. Session 27 February 2026, 09:00, entered 2 March 2026, 10:00: reported 3 days "
        "after the session"
    ) in shown


def test_an_entry_of_the_same_day_is_not_called_late(clinic: Clinic, texts: Texts) -> None:
    shown = texts(opened(clinic, filed(clinic)))
    assert "reported 1 hour after the session" in shown
    assert "Late" not in shown


def test_an_old_report_taken_over_says_both_times(clinic: Clinic, texts: Texts) -> None:
    began = STARTED - timedelta(days=400)
    old = a_report(started_at=began, reported_at=began + timedelta(hours=2))
    shown = texts(opened(clinic, filed(clinic, old)))
    assert "reported 2 hours after the session. Taken over into Afterdose 2 March 2026" in shown
    assert "Late" not in shown


def test_what_people_typed_is_never_markdown(clinic: Clinic) -> None:
    trap = "**bold** :red[x] <b>y</b>"
    report_id = filed(clinic)
    amended(clinic, report_id, f"Why {trap}", narrative=trap)
    director = actor(clinic, Role.DIRECTOR)
    reviewing.review_report(clinic.store, director, report_id, note=f"Word {trap}", version=2)
    app = opened(clinic, report_id, Role.DIRECTOR)
    for shown in (f"Why {trap}", f"Narrative: not recorded → {trap}", f"Word {trap}"):
        assert any(shown in part.value for part in app.text)
    drawn = [*app.markdown, *app.caption, *app.subheader, *app.title, *app.warning]
    assert not any(trap in part.value for part in drawn)


# Changes in words

WORDING = Wording(vocabulary(), {PROTOCOL: "IV induction"}, ZoneInfo("America/New_York"))


def test_changes_are_told_in_the_words_of_the_form() -> None:
    before = a_full_report()
    nausea, dissociation = before.events
    after = replace(
        before,
        patient=replace(before.patient, sex=Sex.OTHER),
        protocol="another",
        started_at=STARTED - timedelta(minutes=5),
        route=Route.ORAL,
        vitals=replace(before.vitals, peak=None, spo2_min_percent=91),
        misuse=replace(before.misuse, early_session_request=True),
        events=(
            replace(nausea, grade=3, outcome=None, serious=SERIOUS.serious),
            AdverseEvent("headache", 1),
        ),
        narrative="A line.\nAnother line.",
    )
    assert list(lines(before, after, WORDING)) == [
        "Sex: female → other",
        "Protocol: IV induction → another",
        "Start: 2 March 2026, 09:00 → 2 March 2026, 08:55",
        "Route: intravenous → by mouth",
        "Systolic pressure, highest: 162 mmHg → not recorded",
        "Diastolic pressure, highest: 101 mmHg → not recorded",
        "SpO2: 95 % → 91 %",
        "Asked for an earlier session: no → yes",
        "Nausea, grade: 2 → 3",
        "Nausea, outcome: recovered → not recorded",
        "Nausea, serious: no → taken into hospital, or kept there longer",
        "Removed: Dissociation, grade 2",
        "Added: Headache, grade 1",
        f"Narrative, before: {before.narrative}\nNarrative, now: {after.narrative}",
    ]
    assert dissociation.term == "dissociation"


def test_an_amendment_without_a_change_says_so() -> None:
    assert list(lines(a_report(), a_report(), WORDING)) == [
        "Nothing in the report itself was changed."
    ]


def test_no_two_choices_share_a_word_with_another_meaning() -> None:
    choices = (
        words.SEX,
        words.ROUTE,
        words.SETTING,
        words.OUTCOME,
        words.RELATEDNESS,
        words.ELICITATION,
        words.CRITERION,
    )
    assert len({key for each in choices for key in each}) == sum(map(len, choices))


@pytest.mark.parametrize(
    ("field", "expected"),
    [
        ("weight_kg", "Weight"),
        ("vitals.before_discharge.systolic_mmhg", "Systolic pressure, before leaving"),
        ("events.nausea.onset_minutes", "Nausea, onset"),
        ("concomitant.opioid", "Opioid"),
        ("discharge.gait_steady", "Walks steadily"),
    ],
)
def test_a_field_is_called_as_on_the_form(field: str, expected: str) -> None:
    assert label(field, vocabulary()) == expected


@pytest.mark.parametrize(
    ("lag", "expected"),
    [
        (timedelta(seconds=20), "0 minutes"),
        (timedelta(minutes=59), "59 minutes"),
        (timedelta(hours=1), "1 hour"),
        (timedelta(hours=47), "1 day"),
        (timedelta(days=3, hours=5), "3 days"),
    ],
)
def test_a_length_of_time_is_rounded_down(lag: timedelta, expected: str) -> None:
    assert duration(lag) == expected


# Reviews


def test_the_director_reviews_with_a_word_and_the_nurse_reads_it(
    clinic: Clinic, texts: Texts
) -> None:
    report_id = filed(clinic)
    app = opened(clinic, report_id, Role.DIRECTOR)
    app.text_area(key=f"review-{report_id.hex}-0-note").set_value("Dose kept.")
    app = press(app, "Mark as reviewed")
    assert not app.exception
    assert "Reviewed by Made-up director · 2 March 2026, 10:00\nDose kept." in texts(app)
    assert app.text_area(key=f"review-{report_id.hex}-1-note").value == ""
    assert "Review again" in {button.label for button in app.button}
    (heard,) = reviewing.heard_back(clinic.store, actor(clinic))
    assert heard.text == "Dose kept."
    assert "Dose kept." in texts(opened(clinic, report_id))
    assert verify(clinic.store).findings == []


def test_a_review_needs_no_word(clinic: Clinic, texts: Texts) -> None:
    report_id = filed(clinic)
    app = press(opened(clinic, report_id, Role.DIRECTOR), "Mark as reviewed")
    assert "Reviewed by Made-up director" in texts(app)


def test_an_amendment_waits_for_a_review_of_its_own(clinic: Clinic) -> None:
    report_id = filed(clinic)
    press(opened(clinic, report_id, Role.DIRECTOR), "Mark as reviewed")
    amended(clinic, report_id, "The lot.", lot="L 2")
    app = press(opened(clinic, report_id, Role.DIRECTOR), "Mark as reviewed")
    found = reviewing.reviews_of(clinic.store, actor(clinic), report_id)
    assert [review.version for review in found] == [1, 2]
    assert not app.exception


def test_a_word_that_could_not_be_kept_stays_in_its_field(clinic: Clinic, texts: Texts) -> None:
    report_id = filed(clinic)
    app = opened(clinic, report_id, Role.DIRECTOR)
    name = f"review-{report_id.hex}-0-note"
    app.text_area(key=name).set_value("Dose \x00 kept.")
    app = press(app, "Mark as reviewed")
    assert "holds control characters" in texts(app)
    assert app.text_area(key=name).value == "Dose \x00 kept."


@pytest.mark.parametrize("role", [Role.NURSE, Role.CHARGE])
def test_nurses_read_reviews_and_make_none(clinic: Clinic, role: Role) -> None:
    labels = {button.label for button in opened(clinic, filed(clinic), role).button}
    assert "Amend" in labels
    assert "Mark as reviewed" not in labels


# Notices


def test_opening_a_serious_report_sees_its_notice_and_only_the_director_does(
    clinic: Clinic,
) -> None:
    report_id = filed(clinic, a_report(events=(SERIOUS,)))
    director = actor(clinic, Role.DIRECTOR)
    opened(clinic, report_id)
    assert notices.count_open(clinic.store, director) == 1
    app = opened(clinic, report_id, Role.DIRECTOR)
    assert app.title[0].value == "Filed report"
    assert notices.count_open(clinic.store, director) == 0
    assert len(audit_of(clinic.store, "notice.seen")) == 1


def test_a_notice_that_was_changed_hides_no_report(
    clinic: Clinic, texts: Texts, monkeypatch: pytest.MonkeyPatch
) -> None:
    def changed(*_: object) -> int:
        raise Tampered("The notice x was changed outside Afterdose.")

    monkeypatch.setattr(notices, "mark_report_seen", changed)
    report_id = filed(clinic, a_report(events=(SERIOUS,)))
    shown = texts(opened(clinic, report_id, Role.DIRECTOR))
    assert "was changed outside Afterdose" in shown.replace("\\", "")
    assert "Version 1" in shown


def test_notices_are_listed_and_marked_as_seen(clinic: Clinic, texts: Texts) -> None:
    filed(clinic, a_report(events=(SERIOUS,)))
    app = clinic.page(NOTICES, Role.DIRECTOR)
    assert "Serious event reported\n2 March 2026, 10:00 · Made-up nurse" in texts(app)
    assert "Wilma" not in texts(app)
    app = press(app, "Seen")
    assert not app.exception
    assert "No notice waits for you." in texts(app)
    assert "no mail is sent" in texts(app)


def test_a_notice_opens_its_report(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    report_id = filed(clinic, a_report(events=(SERIOUS,)))
    opened_pages: list[str] = []
    monkeypatch.setattr(places, "go", opened_pages.append)
    app = press(clinic.page(NOTICES, Role.DIRECTOR), "Open the report")
    assert opened_pages == ["filed"]
    assert app.session_state["shown-report"] == report_id


def test_emergency_access_tells_who_and_why_when_asked(clinic: Clinic, texts: Texts) -> None:
    filed(clinic)
    emergency.begin_emergency(
        clinic.store,
        actor(clinic, Role.ADMINISTRATOR),
        mrn="MRN-0001",
        reason="The emergency room asks for the last dose.",
    )
    app = clinic.page(NOTICES, Role.DIRECTOR)
    assert "Emergency access to a patient's record" in texts(app)
    assert "Made-up administrator" in texts(app)
    assert audit_of(clinic.store, "emergency.list") == []
    app = press(app, "Who and why")
    assert "Reason: The emergency room asks for the last dose." in texts(app)
    assert len(audit_of(clinic.store, "emergency.list")) == 1
    app = press(app, "Seen")
    assert "emergency room" not in texts(app)


def test_mail_that_could_not_be_sent_is_told(clinic: Clinic, texts: Texts) -> None:
    given = {"host": "localhost", "security": "none", "from": "a@clinic.example", "to": []}
    clinic.store.config = replace(clinic.store.config, mail=given)
    filed(clinic, a_report(events=(SERIOUS,)))
    mail.wait(20)
    shown = texts(clinic.page(NOTICES, Role.DIRECTOR)).replace("\\", "")
    assert "to must be a list of addresses" in shown
    assert "1 open notice has not been mailed. The next notice tries again." in shown


@pytest.mark.parametrize("role", [Role.NURSE, Role.COMPLIANCE])
def test_notices_are_the_directors(clinic: Clinic, role: Role, texts: Texts) -> None:
    filed(clinic, a_report(events=(SERIOUS,)))
    app = clinic.page(NOTICES, role)
    assert app.exception
    assert "Serious event reported" not in texts(app)


BADGE = """
from safety.ui import notices_page, session

store = session.store()
notices_page.badge(session.visit(store))
"""


def badge(clinic: Clinic, role: Role) -> AppTest:
    app = AppTest.from_string(BADGE, default_timeout=30)
    app.session_state["token"] = signing_in.sign_in(clinic.store, role, PASSWORD).token
    return app.run()


def test_the_badge_counts_what_waits(clinic: Clinic) -> None:
    assert not badge(clinic, Role.DIRECTOR).error
    filed(clinic, a_report(events=(SERIOUS,)))
    assert badge(clinic, Role.DIRECTOR).error[0].value == "1 serious report waits for you."
    filed(clinic, a_report(events=(SERIOUS,)))
    assert badge(clinic, Role.DIRECTOR).error[0].value == "2 serious reports wait for you."
    nurse = badge(clinic, Role.NURSE)
    assert not nurse.error
    assert not nurse.exception


def test_emergency_access_alone_is_amber(clinic: Clinic) -> None:
    who = actor(clinic, Role.COMPLIANCE)
    with clinic.store.write() as writer:
        notices.add(writer, who, notices.EMERGENCY_ACCESS, "00" * 16)
        writer.commit()
    app = badge(clinic, Role.DIRECTOR)
    assert not app.error
    assert app.warning[0].value == "1 emergency access waits for you."
