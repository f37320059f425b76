"""Rows changed, moved, removed or added with SQL are found; wrong data is never returned."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from datetime import timedelta
from typing import Any
from uuid import UUID, uuid4

import pytest

from safety import (
    completeness,
    drafts,
    emergency,
    planning,
    rems,
    reviewing,
    service,
    settings,
)
from safety.errors import (
    AfterdoseError,
    IntegrityFailure,
    NewerFormat,
    Tampered,
    Truncated,
    WrongKey,
)
from safety.model import Criterion
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.builders import (
    COMPLIANCE,
    DIRECTOR,
    NURSE,
    OTHER_NURSE,
    PROTOCOL,
    STARTED,
    a_full_report,
    a_patient,
    a_report,
    an_event,
)
from tests.support.clock import FakeClock
from tests.support.stores import Raw, Template, tampering


@pytest.fixture
def filed(store: Store) -> Store:
    """Two patients; three reports, the first of them amended."""
    return filled(store)


def filled(store: Store) -> Store:
    first = service.file_report(store, NURSE, a_full_report(), report_id=UUID(int=1))
    after = a_full_report(dose_mg=42.0, events=(an_event("nausea", 3),))
    service.amend_report(store, NURSE, first.report_id, after, base_version=1, reason="misread")
    report = a_report(session_ref="V-2", events=(an_event("dizziness", 1),))
    service.file_report(store, NURSE, report, report_id=UUID(int=2))
    other = a_report(patient=a_patient(mrn="M-2", name="Otto Other"), events=(an_event(),))
    service.file_report(store, NURSE, other, report_id=UUID(int=3))
    assert verify(store).findings == []
    return store


def worked_with(store: Store) -> Store:
    """Also a plan, a form that was sent, a review, a notice, emergency access and a setting."""
    nasal = a_report(
        patient=a_patient(mrn="M-2", name="Otto Other"),
        protocol="esketamine_nasal_induction",
        started_at=STARTED - timedelta(days=1),
        events=(
            an_event(
                "syncope", 3, serious=frozenset({Criterion.HOSPITALISATION}), narrative="Kept."
            ),
        ),
    )
    service.file_report(store, NURSE, nasal, report_id=UUID(int=4))
    rems.mark_sent(store, NURSE, UUID(int=4))
    reviewing.review_report(store, DIRECTOR, UUID(int=4), version=1, note="Thank you.")
    planning.plan_session(
        store, NURSE, mrn="M-2", protocol=PROTOCOL, planned_at=STARTED + timedelta(days=1)
    )
    emergency.begin_emergency(
        store, COMPLIANCE, mrn="M-2", reason="The hospital asks for the last dose."
    )
    settings.set_completeness_rules(store, DIRECTOR, completeness.default_text())
    assert verify(store).findings == []
    return store


def read_all(store: Store) -> list[Any]:
    return [service.report_history(store, NURSE, UUID(int=number)) for number in (1, 2, 3)]


def blob(raw: Raw, sql: str) -> bytes:
    return bytes(raw.one(sql)[0])


# Sealed record: format (1), key id (32), nonce (12), text, tag (16).
REGIONS: dict[str, tuple[Callable[[bytes], bytes], type[AfterdoseError]]] = {
    "format to a later one": (lambda b: b"\x02" + b[1:], NewerFormat),
    "format to nothing": (lambda b: b"\x00" + b[1:], Tampered),
    "first byte of the key id": (lambda b: flipped(b, 1), WrongKey),
    "last byte of the key id": (lambda b: flipped(b, 32), WrongKey),
    "first byte of the nonce": (lambda b: flipped(b, 33), Tampered),
    "last byte of the nonce": (lambda b: flipped(b, 44), Tampered),
    "first byte of the text": (lambda b: flipped(b, 45), Tampered),
    "middle of the text": (lambda b: flipped(b, len(b) // 2), Tampered),
    "last byte of the text": (lambda b: flipped(b, len(b) - 17), Tampered),
    "first byte of the tag": (lambda b: flipped(b, len(b) - 16), Tampered),
    "last byte of the tag": (lambda b: flipped(b, len(b) - 1), Tampered),
    "cut by one": (lambda b: b[:-1], Tampered),
    "cut to the fixed part": (lambda b: b[:61], Tampered),
    "cut below the fixed part": (lambda b: b[:60], Truncated),
    "emptied": (lambda _: b"", Truncated),
    "one byte more": (lambda b: b + b"\x00", Tampered),
    "written twice": (lambda b: b + b, Tampered),
}


def flipped(record: bytes, place: int) -> bytes:
    changed = bytearray(record)
    changed[place] ^= 0x01
    return bytes(changed)


COLUMNS = {
    "document": ("reports", "session_no = 1 AND version = 2"),
    "identity": ("patients", "no = 1"),
    "wrapped_key": ("patients", "no = 1"),
}


@pytest.mark.parametrize("column", COLUMNS)
def test_a_changed_sealed_record_is_refused(filed: Store, column: str) -> None:
    """Promise 5: every region of a sealed record; refused on reading, named by verification."""
    table, where = COLUMNS[column]
    sql = f"UPDATE {table} SET {column} = ? WHERE {where}"
    finding = f"{table}: row {'1.2' if table == 'reports' else '1'} was changed outside Afterdose."
    with tampering(filed) as raw:
        record = blob(raw, f"SELECT {column} FROM {table} WHERE {where}")
        for region, (change, kind) in REGIONS.items():
            raw.execute(sql, change(record))
            with pytest.raises(AfterdoseError) as caught:
                service.read_report(filed, NURSE, UUID(int=1))
            assert type(caught.value) is kind, region
            assert finding in verify(filed).findings, region
        raw.execute(sql, record)
    assert verify(filed).findings == []
    assert service.read_report(filed, NURSE, UUID(int=1)).report.dose_mg == 42


def test_every_single_bit_of_a_sealed_document_counts(embedded_store: Store) -> None:
    """Promise 5, in full for the fixed parts: each bit of format, key id, nonce and tag."""
    filled(embedded_store)
    from safety.store import patients, recording

    with tampering(embedded_store) as raw:
        record = blob(raw, "SELECT document FROM reports WHERE session_no = 2")
    with embedded_store.read() as connection:
        patient = patients.by_number(connection, embedded_store.ring, 1)
    place = recording.document_place(embedded_store.ring.clinic, UUID(int=2), 1, patient.id)
    patient.key.open(record, place)
    for position in [*range(61), *range(len(record) - 16, len(record))]:
        for bit in range(8):
            changed = bytearray(record)
            changed[position] ^= 1 << bit
            with pytest.raises((IntegrityFailure, NewerFormat)):
                patient.key.open(bytes(changed), place)


SWAPS = {
    "two documents of one patient": (
        "reports",
        "document",
        ("session_no = 1 AND version = 2", "session_no = 2"),
        Tampered,
    ),
    "two versions of one report": (
        "reports",
        "document",
        ("session_no = 1 AND version = 1", "session_no = 1 AND version = 2"),
        Tampered,
    ),
    "documents of two patients": (
        "reports",
        "document",
        ("session_no = 2", "session_no = 3"),
        WrongKey,
    ),
    "identities of two patients": ("patients", "identity", ("no = 1", "no = 2"), WrongKey),
    "wrapped keys of two patients": ("patients", "wrapped_key", ("no = 1", "no = 2"), Tampered),
}


@pytest.mark.parametrize(("table", "column", "rows", "kind"), SWAPS.values(), ids=SWAPS)
def test_a_swap_is_refused(
    filed: Store, table: str, column: str, rows: tuple[str, str], kind: type[AfterdoseError]
) -> None:
    """Promise 8: row, version, patient and key; a record opens in its own place alone."""
    with tampering(filed) as raw:
        one, other = (blob(raw, f"SELECT {column} FROM {table} WHERE {row}") for row in rows)
        raw.execute(f"UPDATE {table} SET {column} = ? WHERE {rows[0]}", other)
        raw.execute(f"UPDATE {table} SET {column} = ? WHERE {rows[1]}", one)
    with pytest.raises(kind):
        read_all(filed)
    assert len([f for f in verify(filed).findings if "was changed outside" in f]) == 2


def test_a_swap_of_columns_is_refused(filed: Store) -> None:
    """Promise 8: identity and document are sealed under one key, and still do not change places."""
    with tampering(filed) as raw:
        identity = blob(raw, "SELECT identity FROM patients WHERE no = 1")
        raw.execute("UPDATE reports SET document = ? WHERE session_no = 2", identity)
    with pytest.raises(Tampered, match=r"reports\.document"):
        service.read_report(filed, NURSE, UUID(int=2))


def test_a_report_given_to_another_patient_is_refused(filed: Store) -> None:
    with tampering(filed) as raw:
        raw.execute("UPDATE reports SET patient_no = 2 WHERE session_no = 2")
    with pytest.raises(WrongKey):
        service.read_report(filed, NURSE, UUID(int=2))
    assert verify(filed).findings


def test_an_old_version_passed_off_as_the_new_one_is_refused(filed: Store) -> None:
    """Promise 8 and 10: version 1's sealed document in the row of version 2."""
    with tampering(filed) as raw:
        old = blob(raw, "SELECT document FROM reports WHERE session_no = 1 AND version = 1")
        raw.execute("UPDATE reports SET document = ? WHERE session_no = 1 AND version = 2", old)
    with pytest.raises(Tampered):
        service.read_report(filed, NURSE, UUID(int=1))


def test_records_of_another_clinic_do_not_open(
    filed: Store, clock: FakeClock, tmp_path: Any
) -> None:
    """Promise 8: a row of another store, put here whole."""
    from tests.support.stores import made_store

    other = filled(made_store(tmp_path / "other", clock))
    with tampering(other) as raw:
        record = blob(raw, "SELECT document FROM reports WHERE session_no = 2")
    other.close()
    with tampering(filed) as raw:
        raw.execute("UPDATE reports SET document = ? WHERE session_no = 2", record)
    with pytest.raises(WrongKey):
        service.read_report(filed, NURSE, UUID(int=2))


PROTECTED = sorted(name for name, table in tables.metadata.tables.items() if "mac" in table.c)


@pytest.mark.parametrize("name", [n for n in PROTECTED if n not in ("accounts", "audit")])
def test_every_changed_column_of_every_row_is_named(filed: Store, name: str) -> None:
    """Promise 13: UPDATE by SQL of any column of any protected table, one after the other."""
    worked_with(filed)
    table = tables.metadata.tables[name]
    keys = [column.name for column in table.primary_key.columns]
    with tampering(filed) as raw:
        for column in table.c:
            if column.name in keys:
                continue
            names = ", ".join([*keys, column.name])
            *key, before = raw.execute(f"SELECT {names} FROM {name} ORDER BY {names}").fetchall()[0]
            where = " AND ".join(f"{k} = ?" for k in keys)
            sql = f"UPDATE {name} SET {column.name} = ? WHERE {where}"
            if refused(raw, sql, another(before, column.name), *key):
                continue  # a check constraint that forbids it is as good
            number = ".".join(k.hex() if isinstance(k, bytes) else str(k) for k in key)
            found = verify(filed).findings
            assert f"{name}: row {number} was changed outside Afterdose." in found, column.name
            raw.execute(sql, before, *key)
    assert verify(filed).findings == []


def refused(raw: Raw, sql: str, *values: Any) -> bool:
    try:
        raw.execute(sql, *values)
    except Exception as error:
        if "check" not in str(error).lower():
            raise
        return True
    return False


def another(value: Any, column: str) -> Any:
    """Some other value of the same kind."""
    match value:
        case bytes():
            return flipped(value, 0)
        case str():
            return value + "x"
        case None:
            texts = ("route", "setting", "sex", "outcome", "relatedness", "elicitation")
            times = ("seen_at", "seen_by", "mailed_at")
            if column in ("reporter", "note"):
                return b"x"
            return "x" if column in (*texts, *times) else 1
        case 0 | 1:
            return 1 - value
        case _:
            return value + 1


def test_the_tables_without_a_digest_are_those_that_need_none() -> None:
    """A new table must be protected or stand here with its reason."""
    unprotected = set(tables.metadata.tables) - set(PROTECTED)
    assert unprotected == {
        "drafts",  # sealed, promised to nobody
        "official_wording",  # shown beside our own, never counted
        "sign_ins",  # lives for hours
        "sign_in_failures",  # lives for minutes
    }


LOSSES = {
    "an event": ("DELETE FROM events WHERE session_no = 2", "report {2}: its rows are not those"),
    "a session": ("DELETE FROM sessions WHERE no = 3", "report {3}: its rows are not those"),
    "the newest version": (
        "DELETE FROM reports WHERE session_no = 1 AND version = 2",
        "report {1}: its rows are not those",
    ),
    "an earlier version": (
        "DELETE FROM reports WHERE session_no = 1 AND version = 1",
        "report {1}: a version before version 2 is gone",
    ),
    "a patient": ("DELETE FROM patients WHERE no = 2", "patient 2 is in the audit trail, but"),
    "a site": ("DELETE FROM sites WHERE no = 1", "site 1 is in the audit trail, but"),
    "a protocol": ("DELETE FROM protocols WHERE no = 3", "protocol 3.1 is in the audit trail, but"),
    "the clinic": ("DELETE FROM clinic", "clinic"),
}


@pytest.mark.parametrize(("sql", "finding"), LOSSES.values(), ids=LOSSES)
def test_a_removed_row_is_named(filed: Store, sql: str, finding: str) -> None:
    with tampering(filed) as raw:
        raw.execute(sql)
    finding = finding.format(*(UUID(int=n).hex for n in range(4)))
    assert any(f.startswith(finding) for f in verify(filed).findings)


def test_a_report_removed_with_all_its_rows_is_named(filed: Store) -> None:
    with tampering(filed) as raw:
        for sql in (
            "DELETE FROM events WHERE session_no = 2",
            "DELETE FROM sessions WHERE no = 2",
            "DELETE FROM reports WHERE session_no = 2",
        ):
            raw.execute(sql)
    name = f"report {UUID(int=2).hex}"
    assert f"{name} is in the audit trail, but its rows are gone." in verify(filed).findings


def test_an_inserted_event_is_named(filed: Store) -> None:
    """The copied row carries a mac that is right for another place."""
    with tampering(filed) as raw:
        names = ", ".join(column.name for column in tables.events.c)
        values = names.replace("session_no", "3").replace("patient_no", "2")
        values = values.replace("term_no", "term_no + 1")
        raw.execute(
            f"INSERT INTO events ({names}) SELECT {values} FROM events WHERE session_no = 1"
        )
    findings = verify(filed).findings
    assert any(f.startswith("events: row 3.") for f in findings)
    assert any(f.startswith(f"report {UUID(int=3).hex}: its rows are not") for f in findings)


def test_a_slipped_in_report_is_named(filed: Store) -> None:
    """A whole copy of a report's rows under a new number: nobody ever filed it."""
    with tampering(filed) as raw:
        names = ", ".join(column.name for column in tables.reports.c)
        values = names.replace("session_no", "9").replace("report_id", "?")
        raw.execute(
            f"INSERT INTO reports ({names}) SELECT {values} FROM reports WHERE session_no = 2",
            uuid4().bytes,
        )
    findings = verify(filed).findings
    assert "reports: row 9.1 was changed outside Afterdose." in findings
    assert any("is not in the audit trail: it was slipped in" in f for f in findings)


def test_old_rows_put_back_with_their_own_digests_are_named(store: Store) -> None:
    """Promise 10: each row is genuine, but not the one that was last filed."""
    filed = service.file_report(store, NURSE, a_full_report())
    with tampering(store) as raw:
        session = raw.one("SELECT * FROM sessions")
        listed = raw.execute("SELECT * FROM events").fetchall()
    after = a_full_report(dose_mg=42.0, events=())
    service.amend_report(store, NURSE, filed.report_id, after, base_version=1, reason="misread")
    with tampering(store) as raw:
        raw.execute("DELETE FROM sessions")
        for table, row in [("sessions", session), *(("events", row) for row in listed)]:
            raw.execute(f"INSERT INTO {table} VALUES ({', '.join('?' * len(row))})", *row)
    (finding,) = verify(store).findings
    assert finding == (
        f"report {filed.report_id.hex}: its rows are not those that were last filed. One was put "
        "back, taken away or added."
    )


def test_an_old_identity_put_back_is_named(store: Store) -> None:
    """Promise 10: the identity opens, being genuine for its version; the audit knows the newer."""
    service.file_report(store, NURSE, a_report(patient=a_patient(name=None)))
    with tampering(store) as raw:
        row = raw.one("SELECT * FROM patients")
    service.file_report(store, NURSE, a_report())
    with tampering(store) as raw:
        raw.execute("DELETE FROM patients")
        raw.execute(f"INSERT INTO patients VALUES ({', '.join('?' * len(row))})", *row)
    assert any(f.startswith("patient 1: its rows are not those") for f in verify(store).findings)


def test_a_draft_given_to_another_nurse_does_not_open(store: Store) -> None:
    """Promise 8: a database user who signs in as a nurse reads no other nurse's draft."""
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, {"narrative": "half a sentence"})
    with tampering(store) as raw:
        raw.execute("UPDATE drafts SET author = ?", OTHER_NURSE.id)
    with pytest.raises(Tampered):
        drafts.list_drafts(store, OTHER_NURSE)


@pytest.fixture
def two_stores(
    embedded_template: Template, tmp_path: Any, clock: FakeClock
) -> Iterator[tuple[Store, Store]]:
    with (
        embedded_template.copy(tmp_path / "a", clock) as one,
        embedded_template.copy(tmp_path / "b", clock) as other,
    ):
        yield one, other


def test_rows_of_a_copy_that_went_another_way_do_not_fit(
    two_stores: tuple[Store, Store],
) -> None:
    """Two stores with the same keys: a row of one is genuine in the other, but not filed there."""
    one, other = two_stores
    for store, dose in ((one, 30.0), (other, 31.0)):
        report = a_report(dose_mg=dose, session_ref="V-1")
        service.file_report(store, NURSE, report, report_id=UUID(int=1))
    with tampering(one) as raw:
        row = raw.one("SELECT * FROM sessions")
    with tampering(other) as raw:
        raw.execute("DELETE FROM sessions")
        raw.execute(f"INSERT INTO sessions VALUES ({', '.join('?' * len(row))})", *row)
    (finding,) = verify(other).findings
    assert finding.startswith(f"report {UUID(int=1).hex}: its rows are not those")
