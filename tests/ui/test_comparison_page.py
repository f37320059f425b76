"""The comparison page: what it says, what it draws, and what stands in its address."""

from __future__ import annotations

from dataclasses import replace
from datetime import date, timedelta

import pytest
from streamlit.testing.v1 import AppTest

from reports.compare import CompareQuery, compare
from reports.compare_rows import CompareRow
from reports.compare_words import FLAGGED, NOT_FLAGGED, points, sentence
from reports.ui import forest
from safety.access import CONSOLE, Role
from safety.store.recording import Recorder
from safety.ui.patient_timeline import DARK, LIGHT
from tests.support.builders import STARTED, a_report, an_event
from tests.ui.conftest import _PAGE, Clinic, Texts

PAGE = "reports.ui.comparison_page"
REFERENCE = "iv_ketamine_depression_induction"
AGAINST = "im_ketamine_depression"
PERIOD = (STARTED.date() - timedelta(days=200), STARTED.date())


def _file_some(clinic: Clinic) -> None:
    """24 patients under each protocol; 20 with nausea under one, 2 under the other."""
    with clinic.store.write() as writer:
        recorder = Recorder(clinic.store, writer, CONSOLE)
        for number in range(48):
            protocol, sick = (REFERENCE, 2) if number < 24 else (AGAINST, 20)
            terms = ["nausea"] * (number % 24 < sick) + ["headache"] * (number % 8 == 0)
            at = STARTED - timedelta(days=number)
            events = tuple(an_event(term) for term in terms)
            recorder.add(
                a_report(mrn=f"M-{number}", protocol=protocol, started_at=at, events=events)
            )
        recorder.add(a_report(mrn="M-0", protocol=REFERENCE, started_at=STARTED))
        recorder.flush()
        writer.commit()


def test_without_a_session_the_page_says_what_to_do(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(PAGE, Role.DIRECTOR)
    assert not app.exception
    assert "There is nothing to compare yet" in texts(app)


def test_the_two_most_used_protocols_are_compared_in_sentences(
    clinic: Clinic, texts: Texts
) -> None:
    _file_some(clinic)
    app = clinic.page(PAGE, Role.DIRECTOR)
    assert not app.exception
    said = texts(app).replace("\\", "")
    assert "Nausea: 20 of 24 sessions (83 %) against 2 of 25 (8.0 %)" in said
    assert "points more" in said
    assert "The protocols were not randomised" in said
    assert "IM ketamine, depression: 24 sessions of 24 patients" in said
    assert "IV ketamine, depression, induction: 25 sessions of 24 patients" in said


def test_the_table_has_counts_limits_and_the_flag_in_words(clinic: Clinic) -> None:
    _file_some(clinic)
    app = clinic.page(PAGE, Role.DIRECTOR)
    lines = {line["Effect"]: line for line in app.dataframe[0].value.to_dict("records")}
    assert set(lines) == {"Any adverse event", "Nausea", "Headache"}
    assert lines["Nausea"]["Protocol n / N"] == "20 / 24"
    assert lines["Nausea"]["Reference n / N"] == "2 / 25"
    assert lines["Nausea"]["Difference, points"] == "+75.3"
    assert lines["Nausea"]["Among all effects"] == FLAGGED
    assert lines["Headache"]["Among all effects"] == NOT_FLAGGED
    assert lines["Any adverse event"]["Among all effects"] == ""
    app.toggle(key="comparison.all").set_value(True).run()
    assert "Syncope" in set(app.dataframe[0].value["Effect"])


def test_the_choices_stand_in_the_address_and_nothing_else(clinic: Clinic) -> None:
    _file_some(clinic)
    app = clinic.page(PAGE, Role.DIRECTOR)
    app.selectbox(key="comparison.unit").set_value("patient").run()
    assert dict(app.query_params.items()) == {
        "reference": REFERENCE,
        "against": AGAINST,
        "from": "2025-03-03",
        "to": "2026-03-02",
        "unit": "patient",
    }


def test_an_address_is_taken_over_where_it_names_what_exists(clinic: Clinic) -> None:
    _file_some(clinic)
    # An address is there before the first run, which clinic.page does at once.
    app = clinic._signed(AppTest.from_string(_PAGE.format(PAGE)), Role.DIRECTOR)
    app.query_params["reference"] = AGAINST
    app.query_params["against"] = REFERENCE
    app.query_params["from"] = "yesterday"
    app.query_params["to"] = "2026-02-01"
    app.query_params["unit"] = "Wilma Testcase"
    app.run()
    assert not app.exception
    assert app.selectbox(key="comparison.reference").value == AGAINST
    assert app.selectbox(key="comparison.against").value == REFERENCE
    assert app.date_input(key="comparison.from").value == date(2025, 3, 3)
    assert app.date_input(key="comparison.to").value == date(2026, 2, 1)
    assert app.selectbox(key="comparison.unit").value == "session"
    assert app.query_params["unit"] == "session"


@pytest.mark.parametrize("first", ["1969-12-31", "9999-12-31", "2026-02-01x", ""])
def test_an_address_with_a_day_that_cannot_be_begins_as_usual(clinic: Clinic, first: str) -> None:
    app = clinic._signed(AppTest.from_string(_PAGE.format(PAGE)), Role.DIRECTOR)
    app.query_params["from"] = first
    app.run()
    assert not app.exception
    assert app.date_input(key="comparison.from").value == date(2025, 3, 3)


def test_a_period_that_ends_before_it_begins_is_said(clinic: Clinic, texts: Texts) -> None:
    app = clinic._signed(AppTest.from_string(_PAGE.format(PAGE)), Role.DIRECTOR)
    app.query_params["from"] = "2026-02-01"
    app.query_params["to"] = "1990-01-01"
    app.run()
    assert not app.exception
    assert "Swap the dates" in texts(app)


def test_a_protocol_with_itself_is_refused_in_words(clinic: Clinic, texts: Texts) -> None:
    _file_some(clinic)
    app = clinic.page(PAGE, Role.DIRECTOR)
    app.selectbox(key="comparison.against").set_value(REFERENCE).run()
    assert not app.exception
    assert "cannot be compared with itself" in texts(app)
    assert not app.dataframe


def test_published_rates_stand_beside_ours_with_what_they_cannot_tell(
    clinic: Clinic, texts: Texts
) -> None:
    _file_some(clinic)
    app = clinic.page(PAGE, Role.DIRECTOR)
    lines = app.dataframe[1].value.to_dict("records")
    nausea = next(line for line in lines if line["Effect"] == "Nausea")
    assert nausea["Ours n / N"] == "20 / 24 patients"
    assert nausea["Published n / N"] == "98 / 346"
    assert "No test is made against them" in texts(app).replace("\\", "")


@pytest.mark.parametrize("role", [Role.NURSE, Role.ADMINISTRATOR])
def test_a_role_without_counts_gets_none(clinic: Clinic, role: Role) -> None:
    _file_some(clinic)
    app = clinic.page(PAGE, role)
    assert not app.dataframe


def _rows(clinic: Clinic) -> tuple[CompareRow, ...]:
    _file_some(clinic)
    return compare(clinic.store, CONSOLE, CompareQuery(REFERENCE, AGAINST, *PERIOD))


def test_the_forest_is_sorted_and_carries_its_denominators(clinic: Clinic) -> None:
    shown = forest.plotted(_rows(clinic))
    assert [forest.label(row) for row in shown] == [
        "Any adverse event (20 / 24 : 4 / 25)",
        "Nausea (20 / 24 : 2 / 25)",
        "Headache (3 / 24 : 3 / 25)",
    ]
    spec = forest.forest(shown, ("IM", "IV"), LIGHT).to_dict()
    title = spec["layer"][1]["encoding"]["x"]["title"]
    assert "IM (n = 24 sessions)" in title[0]
    assert "IV (n = 25 sessions)" in title[1]


def test_the_flag_is_a_shape_and_words_not_colour_alone(clinic: Clinic) -> None:
    rows = _rows(clinic)
    spec = forest.volcano(rows, ("IM", "IV"), DARK, forest.RATIO).to_dict()
    shape = spec["layer"][1]["encoding"]["shape"]
    assert shape["scale"] == {"domain": [FLAGGED, NOT_FLAGGED], "range": ["diamond", "circle"]}
    values = forest.volcano_points(rows, forest.DIFFERENCE)
    assert {value["term"]: value["flag"] for value in values} == {
        "Nausea": FLAGGED,
        "Headache": NOT_FLAGGED,
    }
    assert "(n = 2 effects)" in spec["layer"][1]["encoding"]["y"]["title"]


def test_a_ratio_of_nothing_is_left_out_of_the_volcano_of_ratios(clinic: Clinic) -> None:
    rows = _rows(clinic)
    nausea = next(row for row in rows if row.term == "nausea")
    odd = [replace(nausea, risk_ratio=0.0), replace(nausea, risk_ratio=None)]
    assert forest.volcano_points(odd, forest.RATIO) == []
    assert len(forest.volcano_points(odd, forest.DIFFERENCE)) == 2


def test_points_never_show_a_false_nothing(clinic: Clinic) -> None:
    nausea = next(row for row in _rows(clinic) if row.term == "nausea")
    assert points(replace(nausea, rd_low=0.05, rd_high=0.25)) == "5 to 25 points more"
    assert points(replace(nausea, rd_low=0.0002, rd_high=0.004)) == "<0.1 to 0.4 points more"
    assert points(replace(nausea, rd_low=-0.25, rd_high=-0.05)) == "5 to 25 points fewer"
    assert points(replace(nausea, rd_low=-0.03, rd_high=0.12)).startswith(
        "anywhere from 3 points fewer to 12 points more"
    )
    assert sentence(replace(nausea, exposed=0)).endswith("so nothing is known.")


def test_a_test_that_disagrees_with_the_limits_is_explained(clinic: Clinic) -> None:
    nausea = next(row for row in _rows(clinic) if row.term == "nausea")
    crossing = replace(nausea, rd_low=-0.02, rd_high=0.1, p=0.021)
    assert "a test alone finds one (p = 0.021), but the limits allow" in sentence(crossing)
    assert "a test alone" not in sentence(replace(crossing, p=0.2))
    assert "a test alone" not in sentence(nausea)
