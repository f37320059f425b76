"""The director's and the compliance officer's pages, run in process."""

from __future__ import annotations

import io
import zipfile
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from streamlit.testing.v1 import AppTest

from reports.intervals import wilson
from reports.periods import Quarter
from reports.quarterly.verify import verify_package
from reports.rows import ANY_EVENT, ExposureRow, RateRow
from reports.ui import dot_plot, quarter_page, quarters, table
from safety import signing_in
from safety.access import Role
from safety.ui.session import Visit
from tests.support.accounts import PASSWORD
from tests.support.builders import STARTED, a_report, an_event
from tests.support.recorded import record
from tests.ui.conftest import Clinic, Texts

INCIDENCE = "reports.ui.incidence_page"
QUARTER = "reports.ui.quarter_page"
MAINTENANCE = "iv_ketamine_depression_maintenance"


def _file_some(clinic: Clinic) -> None:
    """Ten sessions of one protocol with three of nausea, four of another with none, one silent."""
    for at in range(10):
        events = (an_event("nausea", 1 + at % 2),) if at < 3 else ()
        _file(clinic, at, events=events)
    for at in range(4):
        _file(clinic, 20 + at, protocol=MAINTENANCE)
    _file(clinic, 30, no_adverse_event=None)


def _file(clinic: Clinic, number: int, **changes: object) -> None:
    report = a_report(mrn=f"M-{number}", started_at=STARTED - timedelta(days=number), **changes)
    record(clinic.store, report)


def _lines(app: AppTest) -> list[dict[str, object]]:
    rows = app.dataframe[0].value.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def test_without_a_session_the_page_says_what_will_be_here(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(INCIDENCE, Role.DIRECTOR)
    assert not app.exception
    assert "No session was reported in this quarter" in texts(app)


def test_rates_stand_with_their_denominators_and_intervals(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = clinic.page(INCIDENCE, Role.DIRECTOR)
    assert not app.exception
    shares = {(line["Effect"], line["n / N"]): line for line in _lines(app)}
    assert ("Nausea", "3 / 11") in shares
    assert ("Any adverse event", "0 / 4") in shares
    assert shares["Nausea", "3 / 11"]["Share"] == "27.3 %"
    assert shares["Nausea", "3 / 11"]["95 % interval"] == "8.1 to 61.5 %"
    assert "**3 of 15 sessions**" in texts(app)
    assert "95 % interval: Wilson, over patients" in texts(app)


def test_sessions_that_said_nothing_are_counted_for_all_to_see(
    clinic: Clinic, texts: Texts
) -> None:
    _file_some(clinic)
    app = clinic.page(INCIDENCE, Role.DIRECTOR)
    assert "1 of 15 sessions said neither an event nor" in texts(app)


def test_the_filters_reach_the_numbers(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = clinic.page(INCIDENCE, Role.DIRECTOR)
    grades = next(box for box in app.selectbox if box.label == "Grades")
    grades.set_value("2").run()
    assert ("Nausea", "1 / 11") in {(x["Effect"], x["n / N"]) for x in _lines(app)}
    count = next(box for box in app.selectbox if box.label == "Count")
    count.set_value("patient").run()
    assert "patients with the effect at least once" in texts(app)


def test_the_table_hides_what_nobody_reported_until_asked(clinic: Clinic) -> None:
    _file_some(clinic)
    app = clinic.page(INCIDENCE, Role.DIRECTOR)
    assert {line["Effect"] for line in _lines(app)} == {"Any adverse event", "Nausea"}
    app.toggle(key="incidence.all").set_value(True).run()
    assert "Syncope" in {line["Effect"] for line in _lines(app)}


@pytest.mark.parametrize("role", [Role.NURSE, Role.ADMINISTRATOR])
def test_a_role_without_counts_gets_none(clinic: Clinic, role: Role) -> None:
    _file_some(clinic)
    app = clinic.page(INCIDENCE, role)
    assert app.exception
    assert not app.dataframe


def _make(app: AppTest, password: str) -> AppTest:
    next(box for box in app.text_input if "password" in box.label).set_value(password)
    next(button for button in app.button if button.label == "Make package").click()
    return app.run()


def test_a_package_needs_the_password_again(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = _make(clinic.page(QUARTER, Role.COMPLIANCE), "wrong")
    assert "not your password" in texts(app)
    assert "quarter-package" not in app.session_state
    _make(app, PASSWORD)
    name, content = app.session_state["quarter-package"]
    assert name == "afterdose-2025Q4.zip"
    assert zipfile.ZipFile(io.BytesIO(content)).testzip() is None


def test_the_package_that_is_downloaded_can_be_verified(clinic: Clinic, tmp_path: Path) -> None:
    _file_some(clinic)
    actor = signing_in.sign_in(clinic.store, "compliance", PASSWORD).actor
    content = quarter_page.package(Visit(clinic.store, actor), Quarter(2026, 1))
    path = tmp_path / "package.zip"
    path.write_bytes(content)
    assert "Signed with the key" in verify_package(path).origin


def test_the_page_says_what_leaves_and_what_is_not_complete(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = clinic.page(QUARTER, Role.COMPLIANCE)
    app.selectbox(key="quarter.quarter").set_value(Quarter(2026, 1)).run()
    said = texts(app)
    assert "A count from 1 to 10 is hidden" in said
    assert "It still runs" in said
    assert "1 of 15 sessions say neither an event nor" in said


def test_quarters_are_offered_newest_first() -> None:
    now = datetime(2026, 5, 3, tzinfo=UTC).date()
    assert [q.label for q in quarters.offered(now, 3)] == ["2026Q2", "2026Q1", "2025Q4"]
    assert quarters.in_words(Quarter(2026, 2), now) == "2026 Q2, April to June, running"
    assert quarters.in_words(Quarter(2026, 1), now) == "2026 Q1, January to March"


def _row(protocol: str, term: str, with_event: int, exposed: int) -> RateRow:
    found = wilson(with_event, exposed)
    return RateRow(
        protocol,
        protocol.upper(),
        term,
        term.capitalize(),
        "session",
        with_event,
        exposed,
        with_event,
        found.value,
        found.low,
        found.high,
        found.method,
    )


def test_terms_are_sorted_by_what_differs_beyond_chance_after_any_event() -> None:
    """A difference of 50 points in six sessions stands behind one of 20 points in 400."""
    rows = [
        _row("a", "nausea", 40, 200),
        _row("b", "nausea", 80, 200),
        _row("a", "headache", 20, 200),
        _row("b", "headache", 3, 6),
        _row("a", ANY_EVENT, 50, 200),
        _row("b", ANY_EVENT, 50, 200),
    ]
    assert [t.term for t in table.by_term(rows)] == [ANY_EVENT, "nausea", "headache"]


def test_a_protocol_keeps_its_place_in_the_legend_whatever_the_numbers() -> None:
    rows = [_row("b", "nausea", 9, 10), _row("a", "nausea", 1, 20)]
    labels = dot_plot.labels_of(rows, ["a", "unused", "b"])
    assert list(labels.values()) == ["A (N = 20)", "B (N = 10)"]


def test_the_plot_carries_every_number_with_its_denominator() -> None:
    rows = [_row("a", "nausea", 9, 213)]
    terms = table.by_term(rows)
    (point,) = dot_plot.points(terms, dot_plot.labels_of(rows, ["a"]))
    assert point["share"] == "4.2 % (9 / 213)"


def test_a_protocol_keeps_its_colour_in_a_quarter_without_the_others() -> None:
    rows = [_row("b", "nausea", 9, 213)]
    labels = dot_plot.labels_of(rows, ["a", "b"])
    spec = dot_plot.draw(table.by_term(rows), labels, ["a", "b"]).to_dict()
    colour = spec["layer"][0]["encoding"]["color"]
    assert colour["scale"]["domain"] == ["a", "B (N = 213)"]
    assert colour["legend"]["values"] == ["B (N = 213)"]


def test_silent_sessions_are_added_up_over_protocols() -> None:
    rows = [ExposureRow("a", "A", 10, 4, 0, 2), ExposureRow("b", "B", 5, 5, 0, 1)]
    assert table.silent(rows) == (3, 15)
