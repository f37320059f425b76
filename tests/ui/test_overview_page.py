"""The director's first page, and the dialog with the sessions behind a number."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

import pytest
from streamlit.testing.v1 import AppTest

from reports.ui import sessions_behind
from safety import signing_in
from safety.access import CONSOLE, Role
from safety.model import Criterion, SessionReport
from safety.store.recording import Recorder
from tests.support.accounts import PASSWORD, audit_of
from tests.support.builders import STARTED, a_report, an_event
from tests.ui.conftest import SECONDS, Clinic, Texts

OVERVIEW: Final = "reports.ui.overview_page"
NAME: Final = "IV ketamine, depression, induction"
HARM: Final = frozenset({Criterion.HOSPITALISATION})


def file(clinic: Clinic, reports: Iterable[SessionReport]) -> None:
    with clinic.store.write() as writer:
        recorder = Recorder(clinic.store, writer, CONSOLE)
        for report in reports:
            recorder.add(report)
        recorder.flush()
        writer.commit()


def vomiting_rises(*, serious: bool = False) -> Iterable[SessionReport]:
    """Ten patients: 20 of 40 sessions with vomiting this quarter, 2 of 60 before."""
    for number in range(100):
        now = number < 40
        day = date(2026, 1, 5) + timedelta(days=number) if now else date(2025, 2, 1)
        started = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
        vomited = number % 2 == 0 if now else number in {50, 71}
        harm = HARM if serious and number == 0 else frozenset()
        events = (an_event("vomiting", 2, serious=harm),) if vomited else ()
        if not now:
            started += timedelta(days=5 * (number - 40))
        else:
            started -= timedelta(days=number // 2)
        yield a_report(mrn=f"P-{number % 10}", started_at=started, events=events)


def test_a_new_clinic_is_told_what_will_be_here(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(OVERVIEW, Role.DIRECTOR)
    assert not app.exception
    assert "No session has been reported yet" in texts(app)
    assert not app.dataframe


def test_what_stands_out_is_a_sentence_with_its_numbers(clinic: Clinic, texts: Texts) -> None:
    file(clinic, vomiting_rises())
    app = clinic.page(OVERVIEW, Role.DIRECTOR)
    assert not app.exception
    said = [text.value for text in app.text if text.value.startswith("Vomiting on")]
    assert len(said) == 1
    assert said[0].startswith(
        f"Vomiting on {NAME}: 20 of 40 sessions this quarter (50 %), 2 of 60 sessions in the four "
        "quarters before (3.3 %). More than chance explains: "
    )
    assert "Benjamini-Hochberg" in texts(app)
    (table,) = app.dataframe
    assert table.value.to_dict("records")[0]["Sessions"] == 40


def test_when_nothing_stands_out_the_page_says_so(clinic: Clinic, texts: Texts) -> None:
    file(clinic, [a_report(mrn="M-1")])
    app = clinic.page(OVERVIEW, Role.DIRECTOR)
    assert "The four quarters before have no session" in texts(app)
    assert "This is your first visit" in texts(app)
    assert not [button for button in app.button if button.label.startswith("See")]


def test_the_button_beside_a_sentence_opens_its_sessions_on_record(
    clinic: Clinic, texts: Texts
) -> None:
    file(clinic, vomiting_rises())
    app = clinic.page(OVERVIEW, Role.DIRECTOR)
    button = next(b for b in app.button if b.label == "See the 20 sessions")
    assert audit_of(clinic.store, "session.list") == []
    button.click().run()
    assert not app.exception
    (entry,) = audit_of(clinic.store, "session.list")
    assert "sessions 20, listed 20" in str(entry[5])
    assert "20 sessions of 5 patients, newest first" in texts(app)
    assert len([b for b in app.button if b.label == "View"]) == 20


def test_nobody_is_named_on_the_page_or_in_its_dialog(clinic: Clinic, texts: Texts) -> None:
    file(clinic, [a_report(events=(an_event("nausea", 3, serious=HARM),))])
    file(clinic, vomiting_rises(serious=True))
    app = clinic.page(OVERVIEW, Role.DIRECTOR)
    next(b for b in app.button if b.label.startswith("See the")).click().run()
    shown = texts(app) + "".join(str(table.value) for table in app.dataframe)
    assert "Serious in 1 session of this quarter." in shown
    assert "Wilma" not in shown
    assert "MRN-0001" not in shown
    assert "P-1" not in shown


def test_the_compliance_officer_has_the_page_without_what_is_not_hers(
    clinic: Clinic, texts: Texts
) -> None:
    file(clinic, vomiting_rises())
    app = clinic.page(OVERVIEW, Role.COMPLIANCE)
    assert not app.exception
    next(b for b in app.button if b.label == "See the 20 sessions").click().run()
    assert not [b for b in app.button if b.label == "View"]
    assert "Your role does not open reports" in texts(app)
    assert "grade 2" not in texts(app)


@pytest.mark.parametrize("role", [Role.NURSE, Role.CHARGE, Role.ADMINISTRATOR])
def test_a_role_without_counts_gets_none(clinic: Clinic, role: Role) -> None:
    file(clinic, [a_report()])
    app = clinic.page(OVERVIEW, role)
    assert app.exception
    assert not app.text


_BODY: Final = """
from datetime import date
from reports.asking import RateQuery
from reports.drill_down import sessions_behind
from reports.ui import sessions_behind as dialog
from safety.ui import session

visit = session.visit(session.store())
query = RateQuery(date(2026, 1, 1), date(2026, 3, 31))
dialog.body(visit, sessions_behind(visit.store, visit.actor, query))
"""


def body(clinic: Clinic, **state: Any) -> AppTest:
    """The dialog by itself: in a browser it runs alone, in a test only the whole script can."""
    app = AppTest.from_string(_BODY, default_timeout=SECONDS)
    app.session_state["token"] = signing_in.sign_in(clinic.store, Role.DIRECTOR, PASSWORD).token
    for name, value in state.items():
        app.session_state[name.replace("_", "-")] = value
    return app.run()


def test_the_dialog_lists_some_at_a_time(clinic: Clinic, texts: Texts) -> None:
    events = (an_event(),)
    file(
        clinic,
        (
            a_report(mrn=f"M-{at}", started_at=STARTED - timedelta(days=at), events=events)
            for at in range(45)
        ),
    )
    app = body(clinic)
    assert len([b for b in app.button if b.label == "View"]) == sessions_behind._AT_ONCE
    assert "Show 20 more" in {b.label for b in app.button}
    last = body(clinic, sessions_behind_shown=40)
    assert "Show 5 more" in {b.label for b in last.button}
    every = body(clinic, sessions_behind_shown=60)
    assert len([b for b in every.button if b.label == "View"]) == 45


def test_view_opens_the_filed_report(clinic: Clinic, monkeypatch: pytest.MonkeyPatch) -> None:
    gone: list[str] = []
    monkeypatch.setattr("safety.ui.places.go", gone.append)
    file(clinic, [a_report(events=(an_event("nausea", 2, serious=HARM),))])
    app = body(clinic)
    (row,) = [text.value for text in app.text if "reference" in text.value]
    assert row.startswith("2 March 2026 · grade 2, serious · reference ")
    assert row.endswith(f"\n{NAME} · Main Street")
    next(b for b in app.button if b.label == "View").click().run()
    assert gone == ["filed"]
    assert app.session_state["shown-report"].hex.endswith(row.split("reference ")[1][:8])
