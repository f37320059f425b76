"""The page by session number: the line, both ends in words, and what the line cannot say."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import date, timedelta
from typing import Any, Final

import pytest
from streamlit.testing.v1 import AppTest

from reports.rates import RateQuery, incidence
from reports.ui import number_plot
from safety import signing_in
from safety.access import CONSOLE, Role
from safety.model import SessionReport
from safety.store.recording import Recorder
from tests.support.accounts import PASSWORD, audit_of
from tests.support.builders import PROTOCOL, STARTED, a_report, an_event
from tests.ui.conftest import SECONDS, Clinic, Texts

PAGE: Final = "reports.ui.habituation_page"
MAINTENANCE: Final = "iv_ketamine_depression_maintenance"
SCRIPT: Final = f"""
from {PAGE} import page
from safety.ui import session

page(session.visit(session.store()))
"""


def fewer_each_time() -> Iterable[SessionReport]:
    """24 patients: nausea in 18 first sessions and 2 fourth ones; one patient has fourteen."""
    for patient in range(24):
        for session in range(14 if patient == 0 else 4):
            sick = patient % 4 < 3 if session == 0 else patient % (8 * session) == 1
            yield a_report(
                mrn=f"M-{patient}",
                started_at=STARTED - timedelta(days=60 - 3 * session, minutes=patient),
                events=(an_event("nausea"),) if sick else (),
            )


@pytest.fixture
def busy(clinic: Clinic) -> Clinic:
    with clinic.store.write() as writer:
        recorder = Recorder(clinic.store, writer, CONSOLE)
        for report in fewer_each_time():
            recorder.add(report)
        recorder.flush()
        writer.commit()
    return clinic


def opened(clinic: Clinic, role: Role = Role.DIRECTOR, **address: str) -> AppTest:
    """The page at an address."""
    app = AppTest.from_string(SCRIPT, default_timeout=SECONDS)
    app.session_state["token"] = signing_in.sign_in(clinic.store, role, PASSWORD).token
    for name, value in address.items():
        app.query_params[name] = value
    return app.run()


def lines(app: AppTest) -> dict[str, dict[str, Any]]:
    rows = app.dataframe[0].value.to_dict("records")
    return {str(row["Session"]): {str(key): row[key] for key in row} for row in rows}


def test_without_a_session_the_page_says_what_to_do(clinic: Clinic, texts: Texts) -> None:
    app = opened(clinic)
    assert not app.exception
    assert "No session of this protocol was reported in this period" in texts(app)


def test_each_session_number_has_its_share_and_both_ends_are_told(
    busy: Clinic, texts: Texts
) -> None:
    app = opened(busy, term="nausea")
    assert not app.exception
    found = lines(app)
    assert list(found) == [*map(str, range(1, 13)), "13+"]
    assert (found["1"]["n / N"], found["4"]["n / N"]) == ("18 / 24", "1 / 24")
    assert found["13+"]["n / N"] == "0 / 2"
    assert "Nausea. Session 1: 18 of 24 sessions (75 %" in texts(app)
    assert "Session 4: 1 of 24 sessions (4.2 %" in texts(app)
    assert "It falls: " in texts(app)
    assert "Those who had a later session are the ones who stayed" in texts(app)


def test_n_stands_on_every_axis_label_and_the_interval_around_every_dot(busy: Clinic) -> None:
    query = RateQuery(
        STARTED.date() - timedelta(days=90),
        STARTED.date(),
        by="session-number",
        term="nausea",
        protocols=(PROTOCOL,),
    )
    rows = [row for row in incidence(busy.store, CONSOLE, query) if row.term == "nausea"]
    points = number_plot.points(rows)
    assert [point["number"] for point in points][:2] == ["1 (n = 24)", "2 (n = 24)"]
    assert all(p["low"] <= p["estimate"] <= p["high"] for p in points)
    drawn = number_plot.draw(rows).to_dict()
    assert len(drawn["layer"]) == 2
    assert "18 / 24 of 24 patients" in str(drawn)


def test_the_filters_are_in_the_address_and_name_nobody(busy: Clinic) -> None:
    app = opened(busy)
    app.selectbox(key="numbers.term").set_value("nausea").run()
    said = {name: app.query_params[name] for name in ("protocol", "term", "grade", "from", "to")}
    assert {
        name: value[0] if isinstance(value, list) else value for name, value in said.items()
    } == {
        "protocol": PROTOCOL,
        "term": "nausea",
        "grade": "1",
        "from": "2024-03-02",
        "to": "2026-03-02",
    }
    assert app.selectbox(key="numbers.protocol").value == PROTOCOL


def test_an_address_is_taken_over_where_it_names_what_exists(busy: Clinic, texts: Texts) -> None:
    there = opened(busy, protocol=MAINTENANCE, term="vomiting", to="2026-01-31")
    assert there.selectbox(key="numbers.protocol").value == MAINTENANCE
    assert there.date_input(key="numbers.to").value == date(2026, 1, 31)
    odd = opened(busy, protocol="no such", term="' OR 1=1", grade="9", to="yesterday")
    assert not odd.exception
    assert odd.selectbox(key="numbers.protocol").value == PROTOCOL
    assert odd.selectbox(key="numbers.term").value == "any adverse event"
    assert "no such" not in texts(odd)


def test_a_period_that_ends_before_it_begins_is_said(busy: Clinic, texts: Texts) -> None:
    app = opened(busy, to="2020-01-01")
    assert not app.exception
    assert "Swap the dates" in texts(app)


def test_the_sessions_of_one_number_can_be_seen(busy: Clinic, texts: Texts) -> None:
    app = opened(busy, term="nausea")
    next(b for b in app.button if b.label == "See the 18 sessions").click().run()
    assert not app.exception
    (entry,) = audit_of(busy.store, "session.list")
    assert "session-number 1: sessions 18, listed 18" in str(entry[5])
    assert "18 sessions of 18 patients" in texts(app)


def test_a_role_without_counts_gets_none(busy: Clinic, texts: Texts) -> None:
    app = opened(busy, Role.NURSE)
    assert "The role nurse may not do this" in texts(app)
    assert not app.dataframe
    assert not app.selectbox
