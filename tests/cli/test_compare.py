"""``afterdose compare``: two protocols beside one another, from files to numbers."""

from __future__ import annotations

import csv
import io

import pytest

from reports.comparing import differences, ratios
from reports.comparing.arms import Arm
from reports.comparing.exact import fisher
from tests.support.command_line import Desk

PROMISED = [
    "term", "with_event_ref", "exposed_ref", "with_event", "exposed", "risk_difference", "rd_low",
    "rd_high", "risk_ratio", "rr_low", "rr_high", "p", "q", "method",
]  # fmt: skip
ASKED = (
    *("compare", "--reference", "IV induction", "--against", "im_ketamine_depression"),
    *("--from", "2026-01-01", "--to", "2026-12-31"),
)


@pytest.fixture
def filled(clinic: Desk) -> Desk:
    """Ten patients with IV, one with nausea; eight with IM, five with nausea; one session each."""
    sessions = ["session_ref,site,patient_mrn,protocol,started_at,no_adverse_event"]
    events = ["session_ref,term,grade"]
    for number in range(18):
        protocol, sick = (
            ("IV induction", number < 1) if number < 10 else ("IM ketamine", number < 15)
        )
        at = f"2026-02-{number + 1:02}T10:00"
        sessions.append(f"s{number},Main Street,M-{number},{protocol},{at},{'' if sick else 1}")
        if sick:
            events.append(f"s{number},nausea,{2 if number < 12 else 1}")
    pair = (
        clinic.file("SESSIONS.csv", "\n".join(sessions) + "\n"),
        clinic.file("EVENTS.csv", "\n".join(events) + "\n"),
    )
    assert clinic.run("import", *pair).status == 0
    return clinic


def test_the_columns_come_first_and_in_the_promised_order(filled: Desk) -> None:
    done = filled.run(*ASKED, "--format", "csv")
    assert done.status == 0
    heading = next(csv.reader(io.StringIO(done.out)))
    assert heading[: len(PROMISED)] == PROMISED


def test_patients_come_with_the_numbers_of_the_named_methods(filled: Desk) -> None:
    rows = filled.run(*ASKED, "--unit", "patient", "--format", "json").json()
    nausea = next(row for row in rows if row["term"] == "nausea")
    arm, reference = Arm(5, 8), Arm(1, 10)
    rd, rr = differences.newcombe(arm, reference), ratios.miettinen_nurminen(arm, reference)
    assert [nausea[name] for name in PROMISED] == [
        "nausea", 1, 10, 5, 8, rd.value, rd.low, rd.high, rr.value, rr.low, rr.high,
        fisher(arm, reference).mid_p, fisher(arm, reference).mid_p,
        "newcombe; miettinen-nurminen; fisher mid-p",
    ]  # fmt: skip
    assert rows[0]["term"] == "any adverse event"
    assert rows[0]["q"] is None


def test_sessions_are_the_default_and_clustered(filled: Desk) -> None:
    rows = filled.run(*ASKED, "--term", "feeling sick", "--format", "json").json()
    assert [row["term"] for row in rows] == ["any adverse event", "nausea"]
    assert rows[1]["method"] == "newcombe-clustered; mover-clustered; sandwich-t"
    assert rows[1]["risk_difference"] == pytest.approx(0.525)
    plain = differences.newcombe(Arm(5, 8), Arm(1, 10))
    assert rows[1]["rd_low"] < plain.low < (plain.high or 0) < rows[1]["rd_high"]


def test_options_reach_the_numbers(filled: Desk) -> None:
    def nausea(*more: str) -> dict[str, object]:
        asked = (*ASKED, "--unit", "patient", "--term", "nausea", "--format", "json")
        found: dict[str, object] = filled.run(*asked, *more).json()[1]
        return found

    graded = nausea("--min-grade", "2")
    assert (graded["with_event_ref"], graded["with_event"]) == (1, 2)
    wald = nausea("--difference", "wald")
    assert wald["rd_low"] == differences.wald(Arm(5, 8), Arm(1, 10)).low
    within = nausea("--stratify", "site")
    assert str(within["method"]).startswith("mantel-haenszel rd")
    assert (within["strata"], within["strata_left_out"]) == (1, 0)
    assert nausea("--treatment-emergent")["exposed"] == 8


def test_what_must_be_said_is_said_beside_the_result(filled: Desk) -> None:
    done = filled.run(*ASKED, "--format", "json")
    assert "The protocols were not randomised" in done.err
    assert isinstance(done.json(), list)


def test_a_protocol_that_is_not_known_is_an_error_one_can_mend(filled: Desk) -> None:
    done = filled.run(*ASKED[:2], "Wilma Testcase", *ASKED[3:])
    assert done.status == 1
    assert done.out == ""
    assert "afterdose protocols" in done.err
    assert "Wilma" not in done.err


def test_strata_of_sessions_are_refused_in_words(filled: Desk) -> None:
    done = filled.run(*ASKED, "--stratify", "site")
    assert done.status == 1
    assert "Choose the unit patient" in done.err


def test_the_table_is_one_row_a_term(filled: Desk) -> None:
    done = filled.run(*ASKED, "--term", "nausea")
    heading, _, any_event, nausea = done.out.splitlines()
    assert heading.split()[:2] == ["term", "with_event_ref"]
    assert any_event.startswith("any adverse event")
    assert nausea.split()[:5] == ["nausea", "1", "10", "5", "8"]
