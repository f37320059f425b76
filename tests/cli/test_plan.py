"""``afterdose plan``: a booking system's list becomes the worklist."""

from __future__ import annotations

from datetime import date, timedelta
from pathlib import Path

import pytest

from safety import planning
from safety.access import CONSOLE
from safety.clock import now
from tests.support.command_line import Desk

DAY = (now() + timedelta(days=2)).date()
HEADING = "patient_mrn,patient_name,protocol,planned_at\n"


@pytest.fixture
def plan(clinic: Desk) -> Path:
    rows = f"A-1,Wilma Testcase,IV induction,{DAY}T10:00\nA-1,,IM ketamine,{DAY}T15:00\n"
    return clinic.file("PLAN.csv", HEADING + rows)


def planned(clinic: Desk, day: date = DAY) -> list[str]:
    with clinic.store() as store:
        return [each.protocol for each in planning.appointments_on(store, CONSOLE, day)]


def test_a_plan_is_imported_and_again_changes_nothing(clinic: Desk, plan: Path) -> None:
    done = clinic.run("plan", plan)
    assert done.status == 0
    assert done.out == "Planned 2 sessions (new patients: 1); 0 sessions were there already.\n"
    assert planned(clinic) == ["iv_ketamine_depression_induction", "im_ketamine_depression"]
    again = clinic.run("plan", plan, "--format", "json")
    assert again.json() == {"planned": 0, "unchanged": 2, "new_patients": 0, "errors": []}
    assert clinic.run("verify", "--store").status == 0


def test_a_dry_run_writes_nothing(clinic: Desk, plan: Path) -> None:
    done = clinic.run("plan", plan, "--dry-run", "--format", "csv")
    assert done.out == "planned,unchanged,new_patients\n2,0,1\n"
    assert "nothing was written" in done.err
    assert planned(clinic) == []


@pytest.mark.parametrize("form", ["table", "csv", "json"])
def test_a_wrong_row_is_named_and_nothing_is_planned(clinic: Desk, form: str) -> None:
    row = f"A-1,Wilma Testcase,IV induction,{DAY}T10:00\nB-2,,IM ketamine,{DAY}T11:00\n"
    path = clinic.file("PLAN.csv", HEADING + row)
    done = clinic.run("plan", path, "--format", form)
    assert done.status == 1
    assert "patient_mrn" in done.out
    assert "is nobody's in this store" in done.out
    assert "B-2" not in done.out + done.err
    assert planned(clinic) == []


def test_what_was_cancelled_is_told(clinic: Desk, plan: Path) -> None:
    clinic.run("plan", plan)
    with clinic.store() as store:
        first = planning.appointments_on(store, CONSOLE, DAY)[0]
        planning.cancel_appointment(store, CONSOLE, first.id)
    assert "Cancelled in Afterdose before, and left so: 1." in clinic.run("plan", plan).err


def test_a_file_that_is_not_there_is_an_error(clinic: Desk) -> None:
    done = clinic.run("plan", clinic.folder / "NONE.csv")
    assert done.status == 1
    assert "does not exist" in done.out
