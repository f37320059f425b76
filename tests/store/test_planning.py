"""Planning sessions: one by one and from a file, on both engines."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from pathlib import Path
from uuid import uuid4

import pytest
from sqlalchemy import select

from safety import planning, service
from safety.access import CONSOLE
from safety.errors import Conflict, InvalidReport, NotFound, UnknownName
from safety.planning import PlanResult, import_plan, plan_session
from safety.store import patients, seeding, tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import audit_of
from tests.support.builders import NURSE, PROTOCOL, SITE, a_patient, a_report
from tests.support.clock import START

AT = START + timedelta(days=1)
DAY = date(2026, 3, 3)
OTHER = "im_ketamine_depression"
HEADING = "patient_mrn,protocol,planned_at"


@pytest.fixture
def known(store: Store) -> Store:
    """A store with one patient, MRN-0001, number 1."""
    service.file_report(store, NURSE, a_report())
    return store


def add_site(store: Store, name: str, timezone: str) -> None:
    with store.write() as writer:
        seeding.add_site(writer, CONSOLE, name, timezone)
        writer.commit()


def plan_file(folder: Path, *rows: str, heading: str = HEADING) -> Path:
    path = folder / "PLAN.csv"
    path.write_text("\n".join([heading, *rows, ""]), encoding="utf-8")
    return path


def told(result: PlanResult) -> list[tuple[int, str, str]]:
    return [(error.row, error.column, error.message) for error in result.errors]


def test_a_planned_session_stands_on_its_day(known: Store) -> None:
    made = plan_session(
        known, NURSE, mrn="mrn 0001", protocol="IV induction", site="main  street", planned_at=AT
    )
    assert (made.patient_no, made.site, made.protocol) == (1, SITE, PROTOCOL)
    assert made.planned_at == AT
    assert planning.appointments_on(known, NURSE, DAY) == (made,)
    assert planning.appointments_on(known, NURSE, DAY - timedelta(days=1)) == ()
    assert verify(known).findings == []


def test_a_day_is_that_of_the_site_and_not_of_utc(known: Store) -> None:
    late = datetime(2026, 3, 4, 3, 0, tzinfo=UTC)  # ten in the evening before in New York
    made = plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, site=SITE, planned_at=late)
    assert planning.appointments_on(known, NURSE, DAY) == (made,)


def test_the_sites_are_told_apart(known: Store) -> None:
    add_site(known, "Harbour", "America/Chicago")
    for name in (SITE, "Harbour"):
        hour = timedelta(hours=name == SITE)
        plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, site=name, planned_at=AT + hour)
    found = planning.appointments_on(known, NURSE, DAY, "harbour")
    assert [each.site for each in found] == ["Harbour"]
    assert len(planning.appointments_on(known, NURSE, DAY)) == 2
    with pytest.raises(UnknownName, match="more than one site"):
        plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, planned_at=AT)


def test_planning_the_same_again_changes_nothing(known: Store) -> None:
    first = plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, planned_at=AT)
    seconds = AT + timedelta(seconds=20)
    assert plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, planned_at=seconds) == first
    assert len(audit_of(known, "session.plan")) == 1
    with pytest.raises(Conflict, match="Cancel that one first"):
        plan_session(known, NURSE, patient_no=1, protocol=OTHER, planned_at=AT)


def test_a_cancelled_session_is_gone_from_its_day_and_can_be_planned_again(known: Store) -> None:
    made = plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, planned_at=AT)
    planning.cancel_appointment(known, NURSE, made.id)
    planning.cancel_appointment(known, NURSE, made.id)
    assert planning.appointments_on(known, NURSE, DAY) == ()
    assert len(audit_of(known, "session.cancel")) == 1
    again = plan_session(known, NURSE, patient_no=1, protocol=OTHER, planned_at=AT)
    assert again == replace(made, protocol=OTHER)
    assert verify(known).findings == []


def test_what_is_not_there_cannot_be_planned(known: Store) -> None:
    with pytest.raises(NotFound, match="Add the patient with a first report"):
        plan_session(known, NURSE, mrn="M-2", protocol=PROTOCOL, planned_at=AT)
    with pytest.raises(NotFound):
        plan_session(known, NURSE, patient_no=2, protocol=PROTOCOL, planned_at=AT)
    with pytest.raises(UnknownName):
        plan_session(known, NURSE, patient_no=1, protocol="something else", planned_at=AT)
    with pytest.raises(UnknownName, match=f"The sites: {SITE}"):
        plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, site="Elsewhere", planned_at=AT)
    far = AT + timedelta(days=400)
    with pytest.raises(InvalidReport, match="more than a year"):
        plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, planned_at=far)
    with pytest.raises(NotFound):
        planning.cancel_appointment(known, NURSE, uuid4())


def test_a_file_plans_all_its_rows_and_once(known: Store, tmp_path: Path) -> None:
    path = plan_file(
        tmp_path,
        "MRN-0001,IV induction,2026-03-03T10:30,,",
        "M-2,IM ketamine,2026-03-03T11:00,Otto Example,1971-04-05",
        "M-2,IM ketamine,2026-03-10T11:00-05:00,,",
        heading=f"{HEADING},patient_name,birth_date",
    )
    done = import_plan(known, NURSE, path)
    assert (done.planned, done.unchanged, done.new_patients, done.errors) == (3, 0, 1, [])
    first, second = planning.appointments_on(known, NURSE, DAY)
    assert first.planned_at == datetime(2026, 3, 3, 15, 30, tzinfo=UTC)
    assert (second.patient_no, second.source) == (2, "imported")
    with known.read() as connection:
        found = patients.by_number(connection, known.ring, 2).identity
    assert (found.name, found.birth_date) == ("Otto Example", date(1971, 4, 5))
    again = import_plan(known, NURSE, path)
    assert (again.planned, again.unchanged, again.new_patients) == (0, 3, 0)
    assert verify(known).findings == []


def test_a_name_below_serves_the_rows_above(known: Store, tmp_path: Path) -> None:
    rows = ("M-2,IM ketamine,2026-03-03T11:00,", "M-2,IM ketamine,2026-03-10T11:00,Otto Example")
    path = plan_file(tmp_path, *rows, heading=f"{HEADING},patient_name")
    assert import_plan(known, NURSE, path).planned == 2


def test_a_dry_run_writes_nothing(known: Store, tmp_path: Path) -> None:
    path = plan_file(
        tmp_path, "M-2,IM ketamine,2026-03-03T11:00,Otto", heading=f"{HEADING},patient_name"
    )
    before = audit_of(known)
    done = import_plan(known, NURSE, path, dry_run=True)
    assert (done.planned, done.new_patients) == (1, 1)
    assert audit_of(known) == before
    with known.read() as connection:
        assert connection.execute(select(tables.appointments)).all() == []


@pytest.mark.parametrize(
    ("row", "column", "message"),
    [
        ("M-2,IM ketamine,2026-03-03T11:00", "patient_mrn", "is nobody's in this store."),
        ("MRN-0001,Wilma,2026-03-03T11:00", "protocol", "is not known"),
        ("MRN-0001,IM ketamine,noon", "planned_at", "is not a time."),
        ("MRN-0001,IM ketamine,2029-03-03T11:00", "planned_at", "more than a year"),
        ("MRN-0001,IM ketamine,", "planned_at", "is missing. Enter it."),
        ("--,IM ketamine,2026-03-03T11:00", "patient_mrn", ""),
    ],
)
def test_a_wrong_row_is_named_and_nothing_is_planned(
    known: Store, tmp_path: Path, row: str, column: str, message: str
) -> None:
    path = plan_file(tmp_path, "MRN-0001,IV induction,2026-03-03T10:30", row)
    done = import_plan(known, NURSE, path)
    (error,) = told(done)
    assert error[:2] == (3, column)
    assert message in error[2]
    assert "Wilma" not in error[2]
    assert done.planned == 0
    assert planning.appointments_on(known, NURSE, DAY) == ()


def test_every_error_is_told_in_the_order_of_the_rows(known: Store, tmp_path: Path) -> None:
    path = plan_file(
        tmp_path,
        "M-9,IM ketamine,2026-03-03T11:00",
        "MRN-0001,nothing,never",
        "MRN-0001,IM ketamine,2026-03-03T11:00",
        "MRN-0001,IV induction,2026-03-03T11:00",
    )
    found = told(import_plan(known, NURSE, path))
    assert [(row, column) for row, column, _ in found] == [
        (2, "patient_mrn"),
        (3, "protocol"),
        (3, "planned_at"),
        (5, "planned_at"),
    ]
    assert "an earlier row of this file" in found[-1][2]


def test_a_birth_date_of_somebody_else_is_refused(known: Store, tmp_path: Path) -> None:
    path = plan_file(
        tmp_path,
        "MRN-0001,IM ketamine,2026-03-03T11:00,1955-01-02",
        heading=f"{HEADING},birth_date",
    )
    (error,) = told(import_plan(known, NURSE, path))
    assert error[:2] == (2, "birth_date")
    assert "1955" not in error[2]


def test_what_was_cancelled_here_stays_so_when_the_file_comes_again(
    known: Store, tmp_path: Path
) -> None:
    path = plan_file(tmp_path, "MRN-0001,IM ketamine,2026-03-03T11:00")
    import_plan(known, NURSE, path)
    (made,) = planning.appointments_on(known, NURSE, DAY)
    planning.cancel_appointment(known, NURSE, made.id)
    again = import_plan(known, NURSE, path)
    assert (again.unchanged, again.cancelled) == (1, 1)
    assert planning.appointments_on(known, NURSE, DAY) == ()
    other = plan_file(tmp_path, "MRN-0001,IV induction,2026-03-03T11:00")
    assert import_plan(known, NURSE, other).planned == 1
    assert [each.protocol for each in planning.appointments_on(known, NURSE, DAY)] == [PROTOCOL]
    assert verify(known).findings == []


def test_a_file_must_name_the_site_where_there_are_two(known: Store, tmp_path: Path) -> None:
    add_site(known, "Harbour", "America/Chicago")
    path = plan_file(tmp_path, "MRN-0001,IM ketamine,2026-03-03T11:00")
    (error,) = told(import_plan(known, NURSE, path))
    assert error[:2] == (2, "site")
    path = plan_file(
        tmp_path, "MRN-0001,IM ketamine,2026-03-03T11:00,harbour", heading=f"{HEADING},site"
    )
    assert import_plan(known, NURSE, path).planned == 1
    (made,) = planning.appointments_on(known, NURSE, DAY)
    assert made.planned_at == datetime(2026, 3, 3, 17, 0, tzinfo=UTC)


def test_the_shown_form_of_an_appointment_names_nobody(known: Store) -> None:
    made = plan_session(known, NURSE, patient_no=1, protocol=PROTOCOL, planned_at=AT)
    assert repr(made) == f"Appointment({made.id})"
    texts = [str(value) for entry in audit_of(known) for value in entry]
    assert not any(a_patient().mrn in text or "Wilma" in text for text in texts)
