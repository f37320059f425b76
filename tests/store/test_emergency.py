"""Emergency access: for whom, for how long, with what on record, and the director told."""

from __future__ import annotations

from dataclasses import replace
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from safety import service
from safety.access import CONSOLE, Action, Actor, Role
from safety.emergency import (
    LASTS,
    LONGEST_REASON,
    Emergency,
    begin_emergency,
    emergency_log,
    emergency_record,
    minutes_left,
    running_emergencies,
)
from safety.errors import AccessDenied, AfterdoseError, InvalidReport, NotFound, Tampered
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.accounts import actor_of, an_account, audit_of
from tests.support.builders import ADMINISTRATOR, COMPLIANCE, DIRECTOR, NURSE, a_report, an_event
from tests.support.clock import FakeClock
from tests.support.markers import REASON as MARKER
from tests.support.markers import markers_in
from tests.support.stores import raw_connection, tampering

REASON = f"{MARKER}: the emergency room asks for the last dose."


@pytest.fixture
def clinic(store: Store) -> Store:
    """A store with two patients: number 1 has MRN-0001, number 2 has MRN-0002."""
    for mrn in ("MRN-0001", "MRN-0002"):
        report = a_report(mrn=mrn, events=(an_event("nausea", 2),))
        service.file_report(store, CONSOLE, report, report_id=uuid4())
    return store


def _begin(store: Store, actor: Actor = COMPLIANCE, mrn: str = "mrn 0001") -> Emergency:
    return begin_emergency(store, actor, mrn=mrn, reason=REASON)


@pytest.mark.parametrize("actor", [COMPLIANCE, ADMINISTRATOR], ids=lambda a: a.role)
def test_a_record_opens_for_half_an_hour(clinic: Store, clock: FakeClock, actor: Actor) -> None:
    begun = _begin(clinic, actor)
    assert (begun.patient_no, begun.ends_at - begun.began_at) == (1, LASTS)
    assert minutes_left(clinic, actor, begun.id) == 30
    clock.advance(minutes=29, seconds=59)
    assert minutes_left(clinic, actor, begun.id) == 1
    record = emergency_record(clinic, actor, begun.id)
    assert record.patient_no == 1
    assert [event.term for event in record.sessions[0].events] == ["nausea"]


def test_it_ends(clinic: Store, clock: FakeClock) -> None:
    begun = _begin(clinic)
    clock.advance(minutes=30)
    assert minutes_left(clinic, COMPLIANCE, begun.id) == 0
    assert running_emergencies(clinic, COMPLIANCE) == ()
    with pytest.raises(AccessDenied, match="The 30 minutes of this emergency access are over"):
        emergency_record(clinic, COMPLIANCE, begun.id)
    assert audit_of(clinic, "patient.view") == []
    assert [entry[3:5] for entry in audit_of(clinic, "access.denied")] == [
        ("emergency-access", begun.id.hex)
    ]


@pytest.mark.parametrize("function", [emergency_record, minutes_left])
def test_nobody_else_can_use_it(clinic: Store, function: object) -> None:
    begun = _begin(clinic)
    other = replace(ADMINISTRATOR, id="administrator-2")
    assert callable(function)
    for actor in (ADMINISTRATOR, other):
        with pytest.raises(NotFound, match="no such emergency access of yours"):
            function(clinic, actor, begun.id)
    with pytest.raises(NotFound):
        function(clinic, COMPLIANCE, uuid4())
    assert running_emergencies(clinic, ADMINISTRATOR) == ()
    assert audit_of(clinic, "patient.view") == []
    assert len(audit_of(clinic, "access.denied")) == 3


@pytest.mark.parametrize("actor", [NURSE, DIRECTOR, CONSOLE], ids=lambda a: a.id)
def test_who_may_see_patients_anyway_has_no_use_for_it(clinic: Store, actor: Actor) -> None:
    begun = _begin(clinic)
    with pytest.raises(AccessDenied):
        _begin(clinic, actor)
    with pytest.raises(AccessDenied):
        emergency_record(clinic, actor, begun.id)
    with pytest.raises(AccessDenied):
        running_emergencies(clinic, actor)


def test_what_is_put_on_record(clinic: Store) -> None:
    begun = _begin(clinic)
    emergency_record(clinic, COMPLIANCE, begun.id)
    emergency_record(clinic, COMPLIANCE, begun.id)
    view = (COMPLIANCE.id, "compliance", "patient.view", "patient", "1")
    assert audit_of(clinic, Action.BREAK_GLASS, "patient.view") == [
        (
            COMPLIANCE.id,
            "compliance",
            "patient.break-glass",
            "emergency-access",
            begun.id.hex,
            "patient 1",
        ),
        (*view, f"emergency {begun.id.hex}"),
        (*view, f"emergency {begun.id.hex}"),
    ]
    assert verify(clinic).findings == []


def test_the_director_has_a_notice_at_once(clinic: Store) -> None:
    begun = _begin(clinic)
    with clinic.read() as connection:
        row = connection.execute(select(tables.notices)).one()
    assert (row.kind, row.object, row.created_by, row.seen_at) == (
        "emergency-access",
        begun.id.hex,
        COMPLIANCE.id,
        None,
    )
    assert len(audit_of(clinic, "notice.add")) == 1


def test_without_its_notice_nothing_opens(clinic: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    """Access and notice are one transaction."""

    def failing(*_: object) -> bytes:
        raise RuntimeError

    monkeypatch.setattr("safety.notices.add", failing)
    with pytest.raises(RuntimeError):
        _begin(clinic)
    assert running_emergencies(clinic, COMPLIANCE) == ()
    assert audit_of(clinic, Action.BREAK_GLASS) == []


@pytest.mark.parametrize("mrn", ["MRN-7777", "", "Wilma Testcase"])
def test_an_unknown_mrn_is_refused_without_repeating_it(clinic: Store, mrn: str) -> None:
    with pytest.raises(AfterdoseError) as refused:
        _begin(clinic, mrn=mrn)
    assert isinstance(refused.value, NotFound if mrn else InvalidReport)
    assert not mrn or mrn not in str(refused.value)


def test_a_try_with_an_unknown_mrn_is_on_record(clinic: Store) -> None:
    with pytest.raises(NotFound):
        _begin(clinic, mrn="MRN-7777")
    assert audit_of(clinic, Action.BREAK_GLASS) == [
        (
            COMPLIANCE.id,
            "compliance",
            "patient.break-glass",
            "patients",
            "",
            "no such patient",
        )
    ]
    with clinic.read() as connection:
        assert connection.execute(select(tables.emergency_access)).all() == []
    assert verify(clinic).findings == []


@pytest.mark.parametrize(
    "reason", ["", "   ", "urgent   ", "x" * (LONGEST_REASON + 1), "bell \a rings here"]
)
def test_a_reason_is_needed(clinic: Store, reason: str) -> None:
    with pytest.raises(InvalidReport) as refused:
        begin_emergency(clinic, COMPLIANCE, mrn="MRN-0001", reason=reason)
    assert [problem.field for problem in refused.value.problems] == ["reason"]
    assert audit_of(clinic, Action.BREAK_GLASS) == []


def test_the_longest_and_the_shortest_reason_are_taken(clinic: Store) -> None:
    for reason in ("é" * LONGEST_REASON, "0123456789"):
        begin_emergency(clinic, COMPLIANCE, mrn="MRN-0001", reason=reason)
    assert {each.reason for each in emergency_log(clinic, DIRECTOR)} == {
        "é" * LONGEST_REASON,
        "0123456789",
    }


def test_the_reason_is_sealed_in_its_row(clinic: Store) -> None:
    """Also for whoever can open the database: the row holds no form of it."""
    _begin(clinic)
    with raw_connection(clinic) as raw:
        (sealed,) = raw.one("SELECT reason FROM emergency_access")
    assert len(bytes(sealed)) > 256
    assert markers_in(bytes(sealed)) == []
    assert [each.reason for each in emergency_log(clinic, DIRECTOR)] == [REASON]


def test_the_reason_stands_in_no_file_of_the_store(embedded_store: Store) -> None:
    report = a_report(mrn="MRN-0001")
    service.file_report(embedded_store, CONSOLE, report, report_id=uuid4())
    begin_emergency(embedded_store, COMPLIANCE, mrn="MRN-0001", reason=REASON)
    embedded_store.close()
    home = embedded_store.config.home
    files = [path for path in home.rglob("*") if path.is_file()]
    assert embedded_store.config.database_path in files
    assert [found for path in files for found in markers_in(path.read_bytes())] == []


def test_the_log_says_who_when_which_patient_and_why(clinic: Store, clock: FakeClock) -> None:
    officer = actor_of(an_account(clinic, Role.COMPLIANCE))
    first = _begin(clinic, officer)
    emergency_record(clinic, officer, first.id)
    clock.advance(minutes=5)
    second = _begin(clinic, ADMINISTRATOR, "MRN-0002")
    newest, older = emergency_log(clinic, DIRECTOR)
    assert (newest.emergency, older.emergency) == (second, first)
    assert (newest.by, older.by) == (None, "Made-up compliance")
    assert (newest.identity.mrn, older.identity.mrn) == ("MRN-0002", "MRN-0001")
    assert (newest.views, older.views) == (0, 1)
    assert emergency_log(clinic, DIRECTOR, most=1) == (newest,)
    assert audit_of(clinic, "emergency.list")[0][3:] == ("emergency-accesses", "", "2")
    assert MARKER not in repr(newest)
    assert verify(clinic).findings == []


@pytest.mark.parametrize("actor", [NURSE, COMPLIANCE, ADMINISTRATOR], ids=lambda a: a.role)
def test_the_log_is_the_directors(clinic: Store, actor: Actor) -> None:
    with pytest.raises(AccessDenied):
        emergency_log(clinic, actor)


def test_ones_own_running_accesses_are_found_again(clinic: Store, clock: FakeClock) -> None:
    first = _begin(clinic)
    clock.advance(minutes=20)
    second = _begin(clinic, mrn="MRN-0002")
    assert running_emergencies(clinic, COMPLIANCE) == (second, first)
    clock.advance(minutes=20)
    assert running_emergencies(clinic, COMPLIANCE) == (second,)


def _changed(store: Store, emergency_id: UUID, column: str, value: object) -> None:
    with tampering(store) as raw:
        raw.execute(
            f"UPDATE emergency_access SET {column} = ? WHERE id = ?",
            value,
            emergency_id.bytes,
        )


@pytest.mark.parametrize(
    ("column", "value"), [("ends_at", "2036-01-01T00:00:00.000000Z"), ("patient_no", 2)]
)
def test_a_row_changed_through_sql_opens_nothing(
    clinic: Store, clock: FakeClock, column: str, value: object
) -> None:
    begun = _begin(clinic)
    _changed(clinic, begun.id, column, value)
    for ask in (emergency_record, minutes_left):
        with pytest.raises(Tampered, match="was changed outside Afterdose"):
            ask(clinic, COMPLIANCE, begun.id)
    with pytest.raises(Tampered):
        emergency_log(clinic, DIRECTOR)
    assert verify(clinic).findings != []


def test_an_access_given_to_somebody_else_through_sql_opens_nothing(clinic: Store) -> None:
    begun = _begin(clinic)
    _changed(clinic, begun.id, "actor", ADMINISTRATOR.id)
    with pytest.raises(Tampered):
        emergency_record(clinic, ADMINISTRATOR, begun.id)
