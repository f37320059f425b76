"""Promise 21: nothing that tells who a patient is comes out anywhere but where it was asked for.

Marker words go in as name, MRN, birth date, narratives, action, lot, reason of an amendment and
draft, through every way in and every way out, good and failing. Then everything that lies about
afterwards is searched, in every spelling and encoding: each file of the data folder, the temporary
folder, the journal of a transaction, every row of every table, logs at their most talkative, what
commands print, exceptions with all that they were raised from, and how objects show themselves.

Commands in processes of their own are in ``test_marker_commands.py``. The pages have their part in
``tests/ui``: the source of a page that another user sees, its address, and what its server logs.
All take the markers and the hunt from ``tests.support.markers``.
"""

from __future__ import annotations

import logging
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import closing
from dataclasses import replace
from datetime import date, timedelta
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from reports import rates
from reports.periods import Quarter
from reports.quarterly.assemble import export_quarter
from safety import (
    changes,
    drafts,
    duplicates,
    emergency,
    foreknown,
    notices,
    patient_view,
    planning,
    rems,
    reviewing,
    service,
    upkeep,
    worklist,
)
from safety.errors import (
    AccessDenied,
    AfterdoseError,
    Conflict,
    InvalidReport,
    NotFound,
    StoreUnavailable,
    Tampered,
    UnknownName,
)
from safety.importing import import_files
from safety.model import Criterion, Discharge
from safety.store import patients, reading, recording, tables
from safety.store.handle import Store
from safety.store.opening import open_store
from tests.support.builders import (
    CHARGE,
    COMPLIANCE,
    DIRECTOR,
    NURSE,
    OTHER_NURSE,
    a_full_report,
)
from tests.support.csv_pairs import write_pair
from tests.support.marked import (
    DRAFT_FIELDS,
    HALF,
    a_marked_event,
    a_marked_patient,
    a_marked_report,
    marked_events,
    marked_pairs,
    marked_rows,
)
from tests.support.markers import (
    ACTION,
    BIRTH_DATE,
    DRAFT,
    LOT,
    MARKERS,
    MRN,
    NAME,
    NARRATIVE,
    REASON,
    Hunt,
    forms,
    markers_in,
)
from tests.support.stores import key_of, raw_connection, tampering

NAMES: Final = {
    "as typed": NAME,
    "decomposed": unicodedata.normalize("NFD", NAME),
    "upper case": NAME.upper(),
}


@pytest.fixture
def hunt(
    store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
    capfd: pytest.CaptureFixture[str],
) -> Iterator[Hunt]:
    """A hunt that ends with a search of all that is left behind; the test adds what it was told."""
    temporary = tmp_path / "temporary"
    temporary.mkdir()
    for variable in ("TMPDIR", "SQLITE_TMPDIR"):
        monkeypatch.setenv(variable, str(temporary))
    monkeypatch.setattr(tempfile, "tempdir", str(temporary))
    caplog.set_level(logging.DEBUG)
    caplog.set_level(logging.DEBUG, "sqlalchemy")  # which keeps to warnings of its own accord
    made = Hunt()
    yield made
    made.folder(store.config.home, tmp_path / "keys", temporary)
    made.rows(store)
    made.text("the log", caplog.text)
    for record in caplog.records:
        made.value("a log record", record.__dict__)
    made.text("standard output or error", *capfd.readouterr())
    made.assert_nothing()


# --- the hunt itself -----------------------------------------------------------------------------


@pytest.mark.parametrize("marker", MARKERS)
def test_the_hunt_finds_every_marker_in_every_form(marker: str) -> None:
    """A test that cannot fail proves nothing."""
    assert len(forms(marker)) >= 8
    for form in forms(marker):
        assert markers_in(b"before " + form + b" after")
    for encoding in ("utf-8", "utf-16", "utf-32"):
        assert markers_in(f"before {marker} after".encode(encoding))


def test_the_hunt_looks_into_rows_files_archives_and_exceptions(
    store: Store, tmp_path: Path
) -> None:
    with raw_connection(store) as raw:
        raw.execute("INSERT INTO drafts VALUES (?, ?, 1, ?, 'now')", b"i" * 16, "a", MRN.encode())
    (tmp_path / "left.txt").write_text(LOT)
    archive = tmp_path / "left.zip"
    import zipfile

    with zipfile.ZipFile(archive, "w", zipfile.ZIP_DEFLATED) as file:
        file.writestr("inside", NARRATIVE * 10)
    hidden = RuntimeError("nothing")
    hidden.__context__ = KeyError(ACTION)
    hunt = Hunt()
    hunt.rows(store)
    hunt.folder(tmp_path)
    hunt.error("an error", hidden)
    for marker, place in (
        (MRN, "a cell of drafts"),
        (LOT, "left.txt"),
        (NARRATIVE, "left.zip/inside"),
        (ACTION, "an error, KeyError"),
    ):
        assert any(each.startswith(f"{place}: {marker}") for each in hunt.found), marker
    assert not Hunt().found


# --- flows that succeed --------------------------------------------------------------------------


@pytest.mark.parametrize("name", NAMES.values(), ids=NAMES)
def test_filing_amending_reading_and_searching_show_nothing(
    store: Store, hunt: Hunt, name: str
) -> None:
    report = a_marked_report(patient=a_marked_patient(name=name))
    filed = service.file_report(store, NURSE, report)
    after = replace(report, dose_mg=42.0, events=(a_marked_event(grade=2),))
    amended = service.amend_report(
        store, DIRECTOR, filed.report_id, after, base_version=1, reason=f"{REASON}: misread"
    )
    shown = {
        "Filed": [filed, amended],
        "Stored": service.report_history(store, NURSE, filed.report_id),
        "Line": service.recent_reports(store, NURSE),
        "Match by name": service.find_patient(store, NURSE, name.split(maxsplit=1)[0]),
        "Match by MRN": service.find_patient(store, NURSE, MRN.casefold()),
        "SessionReport": [report, report.patient, *report.events],
    }
    assert all(shown.values()), "every flow found something"
    for where, values in shown.items():
        hunt.value(where, values)


def test_the_inner_objects_show_nothing(store: Store, hunt: Hunt) -> None:
    service.file_report(store, NURSE, a_marked_report())
    with store.write() as writer:
        recorder = recording.Recorder(store, writer, NURSE)
        prepared = recorder._prepared(a_marked_report(session_ref="V-9"))
        recorder.look_up_patients([MRN])
        recorded = recorder.add_prepared(prepared)
        inner = (recorder, recorder._patients, prepared, recorded, writer, writer.connection)
        for value in (*inner, *recorder.known(["V-1001"]).values()):
            hunt.value(type(value).__name__, value)
    with store.read() as connection:
        hunt.value("Patient", list(patients.every(connection, store.ring)))
        hunt.value("Stored", list(reading.every_current(connection, store.ring)))
    hunt.value("Store", [store, store.ring, store.clinic, store.config])


def test_drafts_show_nothing(store: Store, hunt: Hunt) -> None:
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, DRAFT_FIELDS)
    drafts.save_draft(store, NURSE, draft_id, DRAFT_FIELDS | {"more": MRN}, base_version=1)
    hunt.value("drafts", drafts.list_drafts(store, NURSE))
    hunt.value("draft", drafts.read_draft(store, NURSE, draft_id))
    other = uuid4()
    drafts.save_draft(store, NURSE, other, DRAFT_FIELDS)
    drafts.discard_draft(store, NURSE, other)
    service.file_report(store, NURSE, a_marked_report(), report_id=draft_id)
    assert drafts.list_drafts(store, NURSE) == ()


def test_the_desk_shows_nothing(store: Store, hunt: Hunt, tmp_path: Path) -> None:
    """Plans, forms, reviews, notices, a patient's page, emergency access, a draft taken over."""
    serious = frozenset({Criterion.HOSPITALISATION})
    event = a_marked_event(serious=serious, verbatim=f"{ACTION} said")
    nasal = a_marked_report(protocol="esketamine_nasal_induction", events=(event,))
    filed = service.file_report(store, NURSE, nasal)
    reviewing.review_report(store, DIRECTOR, filed.report_id, version=1, note=REASON)
    rems.mark_sent(store, NURSE, filed.report_id)
    at = store.clock() + timedelta(hours=1)
    planning.plan_session(store, NURSE, mrn=MRN, protocol="im_ketamine_depression", planned_at=at)
    plan = tmp_path / "in" / "plan.csv"
    plan.parent.mkdir(exist_ok=True)
    plan.write_text(
        f"patient_mrn,protocol,planned_at\n{MRN},{NAME},2026-03-03T09:00\n{LOT},?,?\n",
        encoding="utf-8",
    )
    began = emergency.begin_emergency(store, COMPLIANCE, mrn=MRN, reason=f"{REASON} of the night")
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, DRAFT_FIELDS)
    shown = {
        "PlanResult": planning.import_plan(store, NURSE, plan),
        "Worklist": worklist.worklist(store, NURSE),
        "RemsForm": rems.rems_due(store, NURSE),
        "Heard": reviewing.heard_back(store, NURSE),
        "Review": reviewing.reviews_of(store, NURSE, filed.report_id),
        "Notice": notices.open_notices(store, DIRECTOR),
        "PatientRecord": patient_view.patient_record(store, NURSE, 1),
        "Emergency": [began, emergency.emergency_record(store, COMPLIANCE, began.id)],
        "LoggedEmergency": emergency.emergency_log(store, DIRECTOR),
        "Last": foreknown.last_session(store, NURSE, 1),
        "Likely": duplicates.likely_duplicates(
            store, NURSE, mrn=MRN, started_at=nasal.started_at + timedelta(minutes=5)
        ),
        "OwnedDraft": drafts.list_all_drafts(store, CHARGE),
        "Draft taken over": drafts.take_over_draft(store, CHARGE, draft_id),
        "Change": changes.changes(nasal, replace(nasal, narrative=None, events=())),
    }
    assert all(value or where == "RemsForm" for where, value in shown.items())
    for where, value in shown.items():
        hunt.value(where, value)
    for refused in (
        lambda: planning.plan_session(store, NURSE, mrn=NAME, protocol=LOT, planned_at=at),
        lambda: emergency.begin_emergency(store, COMPLIANCE, mrn=NAME, reason=REASON * 2),
        lambda: emergency.begin_emergency(store, COMPLIANCE, mrn=MRN, reason=REASON * 200),
        lambda: reviewing.review_report(
            store, DIRECTOR, filed.report_id, version=1, note=REASON * 200
        ),
    ):
        with pytest.raises(AfterdoseError) as error:
            refused()
        hunt.error("a refusal of the desk", error.value)


@pytest.mark.parametrize("large", [False, True], ids=["here", "through the worker"])
def test_an_import_shows_nothing(
    store: Store, hunt: Hunt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr("safety.importing.worker.LARGE_BYTES", 0)
    sessions, events = write_pair(tmp_path / "in", marked_rows(), marked_events())
    for dry_run in (True, False, False):
        result = import_files(store, DIRECTOR, sessions, events, dry_run=dry_run)
        assert result.sessions + result.unchanged == 1
        hunt.value("ImportResult", result)


def test_counting_checking_rebuilding_and_exporting_show_nothing(
    store: Store, hunt: Hunt, tmp_path: Path
) -> None:
    service.file_report(store, NURSE, a_marked_report())
    query = rates.RateQuery(date(2026, 1, 1), date(2026, 3, 31))
    hunt.value("rates", rates.incidence(store, DIRECTOR, query))
    hunt.value("exposure", rates.exposure(store, DIRECTOR, query.first, query.last))
    hunt.value("Verification", upkeep.verify_store(store, COMPLIANCE))
    hunt.data("checkpoint", upkeep.signed_checkpoint(store, COMPLIANCE))
    with tampering(store) as raw:
        raw.execute("UPDATE sessions SET dose_mg = 1")
    hunt.value("Verification with findings", upkeep.verify_store(store, COMPLIANCE).findings)
    hunt.value("Rebuilt", upkeep.rebuild_index(store, DIRECTOR, write=True))
    folder = export_quarter(store, COMPLIANCE, Quarter(2026, 1), tmp_path / "package")
    hunt.folder(folder)


def test_a_transaction_in_progress_shows_nothing_on_the_disk(
    embedded_store: Store, tmp_path: Path
) -> None:
    """With a page cache of a few pages, so that pages and journal are written before the end."""
    service.file_report(embedded_store, NURSE, a_marked_report())
    hunt = Hunt()
    with embedded_store.write() as writer:
        writer.connection.exec_driver_sql("PRAGMA cache_size = 5")
        writer.connection.exec_driver_sql("PRAGMA cache_spill = ON")
        recorder = recording.Recorder(embedded_store, writer, NURSE)
        for number in range(60):
            recorder.add(a_marked_report(session_ref=f"V-{number}"))
            recorder.flush()
        names = {path.name for path in embedded_store.config.home.iterdir()}
        assert "store.db-journal" in names
        assert (embedded_store.config.home / "store.db-journal").stat().st_size > 4096
        hunt.folder(embedded_store.config.home)
    hunt.assert_nothing()


# --- flows that fail -----------------------------------------------------------------------------

LONG: Final = NAME + "x" * 10_001
BELL: Final = f"{NAME}\x07"


def file_with(store: Store, **changes: Any) -> None:
    """As a page does: the values are made, then filed."""
    service.file_report(store, NURSE, a_marked_report(**changes))


def patient_with(store: Store, **changes: Any) -> None:
    file_with(store, patient=a_marked_patient(**changes))


def event_with(store: Store, **changes: Any) -> None:
    file_with(store, events=(a_marked_event(**changes),))


FIRST_REPORT: Final = UUID(int=1)


def amend(store: Store, *, version: int = 1, reason: str = REASON, **changes: Any) -> None:
    report = a_marked_report(**changes)
    service.amend_report(store, NURSE, FIRST_REPORT, report, base_version=version, reason=reason)


def clash(store: Store) -> None:
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, DRAFT_FIELDS)
    drafts.save_draft(store, NURSE, draft_id, DRAFT_FIELDS)


def read_tampered(store: Store) -> None:
    with tampering(store) as raw:
        document = bytes(raw.one("SELECT document FROM reports")[0])
        raw.execute("UPDATE reports SET document = ?", document[:-1] + bytes([document[-1] ^ 1]))
    service.read_report(store, NURSE, FIRST_REPORT)


def read_other_layout(store: Store) -> None:
    """The document opens, and is not a report: the text that cannot be read is a patient's."""
    reseal(store, lambda text: text.replace(b'"mrn"', b'"mrm"'))


def read_no_json(store: Store) -> None:
    reseal(store, lambda text: text[: len(text) // 2])


def read_no_enumeration(store: Store) -> None:
    reseal(store, lambda text: text.replace(b'"intravenous"', f'"{NARRATIVE}"'.encode()))


def read_no_date(store: Store) -> None:
    reseal(store, lambda text: text.replace(BIRTH_DATE.encode(), NAME.encode()))


def reseal(store: Store, change: Callable[[bytes], bytes]) -> None:
    """Seal a changed document under the right key and place, as a bug of ours might."""
    from safety.keys.sealing import padded, unpadded

    with store.read() as connection:
        row = connection.execute(select(tables.reports)).one()
        patient = patients.by_number(connection, store.ring, row.patient_no)
    place = recording.document_place(store.ring.clinic, FIRST_REPORT, row.version, patient.id)
    text = unpadded(patient.key.open(bytes(row.document), place))
    changed = change(text)
    assert changed != text
    with tampering(store) as raw:
        raw.execute("UPDATE reports SET document = ?", patient.key.seal(padded(changed), place))
    service.read_report(store, NURSE, FIRST_REPORT)


def without_table(name: str, call: Callable[[Store], object]) -> Callable[[Store], None]:
    """Run ``call`` while the database refuses: a table is gone."""

    def run(store: Store) -> None:
        with raw_connection(store) as raw:
            raw.execute(f"ALTER TABLE {name} RENAME TO gone")
        try:
            call(store)
        finally:
            with raw_connection(store) as raw:
                raw.execute(f"ALTER TABLE gone RENAME TO {name}")

    return run


def refused_row(store: Store) -> None:
    """The database refuses one row for what stands in it, and says so in its own words."""
    with store.write() as writer:
        recorder = recording.Recorder(store, writer, NURSE)
        recorder.add(a_marked_report(session_ref="V-2"))
        rows = recorder._rows["sessions"]
        place = tables.sessions.c.keys().index("day")
        rows[0] = (*rows[0][:place], None, *rows[0][place + 1 :])
        recorder.flush()


def double(store: Store) -> None:
    with store.write() as writer:
        recorder = recording.Recorder(store, writer, NURSE)
        recorder.add(a_marked_report(session_ref="V-2"))
        recorder._rows["reports"] *= 2
        recorder.flush()


def unwritable(store: Store) -> None:
    """A value that no JSON holds: whatever is raised carries no text."""
    drafts.save_draft(store, NURSE, uuid4(), DRAFT_FIELDS | {"odd": {NAME}})


FAILURES: Final[dict[str, tuple[type[Exception], Callable[[Store], object]]]] = {
    "a name too long": (InvalidReport, lambda s: patient_with(s, name=LONG)),
    "a name with a control character": (InvalidReport, lambda s: patient_with(s, name=BELL)),
    "a name with half a character": (InvalidReport, lambda s: patient_with(s, name=HALF)),
    "an MRN too long": (InvalidReport, lambda s: patient_with(s, mrn=MRN * 20)),
    "an MRN with half a character": (InvalidReport, lambda s: patient_with(s, mrn=HALF)),
    "another birth date": (
        InvalidReport,
        lambda s: file_with(
            s, session_ref="V-2", patient=a_marked_patient(birth_date=date(1932, 1, 1))
        ),
    ),
    "a narrative too long": (InvalidReport, lambda s: file_with(s, narrative=LONG)),
    "a narrative with half a character": (InvalidReport, lambda s: file_with(s, narrative=HALF)),
    "a lot too long": (InvalidReport, lambda s: file_with(s, lot=LOT * 20)),
    "an action too long": (InvalidReport, lambda s: event_with(s, action=LONG)),
    "an event narrative with a bell": (InvalidReport, lambda s: event_with(s, narrative=BELL)),
    "a name as protocol": (UnknownName, lambda s: file_with(s, protocol=NAME)),
    "a narrative as term": (UnknownName, lambda s: event_with(s, term=f"{NARRATIVE} {NAME}")),
    "a grade that is not there": (
        InvalidReport,
        lambda s: event_with(s, term="presyncope", grade=3),
    ),
    "the future": (
        InvalidReport,
        lambda s: file_with(
            s,
            session_ref="V-2",
            started_at=a_full_report().started_at.replace(year=2030),
            ended_at=None,
            discharge=Discharge(),
            reported_at=None,
        ),
    ),
    "a reference that is taken": (Conflict, lambda s: file_with(s, dose_mg=44.0)),
    "a form filed before": (
        Conflict,
        lambda s: service.file_report(
            s, NURSE, a_marked_report(lot=LOT + "2"), report_id=FIRST_REPORT
        ),
    ),
    "bytes as a name": (AttributeError, lambda s: patient_with(s, name=NAME.encode())),
    "a number as a narrative": (AttributeError, lambda s: file_with(s, narrative=7731)),
    "a list as an MRN": (AttributeError, lambda s: patient_with(s, mrn=[MRN])),
    "a name as a dose": (InvalidReport, lambda s: file_with(s, dose_mg=NAME)),
    "a name as a grade": (InvalidReport, lambda s: event_with(s, grade=NAME)),
    "a name as a day": (AttributeError, lambda s: patient_with(s, birth_date=NAME)),
    "a name as a start": (AttributeError, lambda s: file_with(s, started_at=NAME)),
    "an amendment of nothing": (
        NotFound,
        lambda s: service.amend_report(
            s, NURSE, uuid4(), a_marked_report(), base_version=1, reason=REASON
        ),
    ),
    "a stale amendment": (Conflict, lambda s: amend(s, version=7)),
    "an amendment without a reason": (InvalidReport, lambda s: amend(s, reason="  ")),
    "an amendment with a long reason": (InvalidReport, lambda s: amend(s, reason=REASON * 100)),
    "a reason with half a character": (InvalidReport, lambda s: amend(s, reason=f"{REASON}\ud83d")),
    "an amendment to another patient": (
        Conflict,
        lambda s: amend(s, patient=a_marked_patient(mrn=MRN + "2")),
    ),
    "a search by the wrong role": (
        AccessDenied,
        lambda s: service.find_patient(s, COMPLIANCE, NAME),
    ),
    "a draft by the wrong role": (
        AccessDenied,
        lambda s: drafts.save_draft(s, COMPLIANCE, uuid4(), DRAFT_FIELDS),
    ),
    "a draft from two tabs": (Conflict, clash),
    "a draft that is not JSON": (TypeError, unwritable),
    "a sealed report that was changed": (Tampered, read_tampered),
    "a sealed report of another layout": (Tampered, read_other_layout),
    "a sealed report cut short": (Tampered, read_no_json),
    "a sealed report with an unknown word": (Tampered, read_no_enumeration),
    "a sealed report with no date": (Tampered, read_no_date),
    "no table of sessions": (
        StoreUnavailable,
        without_table("sessions", lambda s: file_with(s, session_ref="V-2")),
    ),
    "no table of patients": (
        StoreUnavailable,
        without_table("patients", lambda s: service.find_patient(s, NURSE, MRN)),
    ),
    "no table of drafts": (StoreUnavailable, without_table("drafts", clash)),
    "a row that the database refuses": (StoreUnavailable, refused_row),
    "a row twice": (StoreUnavailable, double),
    "rates by the wrong term": (
        UnknownName,
        lambda s: rates.incidence(
            s, DIRECTOR, rates.RateQuery(date(2026, 1, 1), date(2026, 3, 1), term=NAME)
        ),
    ),
}
SUCCESSES: Final[dict[str, Callable[[Store], object]]] = {
    "a search for half a character": lambda s: service.find_patient(s, NURSE, HALF),
    "a search for separators": lambda s: service.find_patient(s, NURSE, "- - -"),
    "a draft with half a character": lambda s: drafts.save_draft(
        s, NURSE, uuid4(), {"narrative": HALF + DRAFT}
    ),
}
ON_BOTH_ENGINES: Final = (
    "another birth date",
    "a reference that is taken",
    "a stale amendment",
    "a sealed report that was changed",
    *(name for name in FAILURES if name.startswith(("no table", "a row"))),
)


@pytest.mark.parametrize(
    ("name", "engine_name"),
    [
        *((name, "embedded") for name in FAILURES),
        *(
            pytest.param(name, "postgresql", marks=pytest.mark.postgresql)
            for name in ON_BOTH_ENGINES
        ),
    ],
)
def test_what_fails_shows_nothing(store: Store, hunt: Hunt, name: str) -> None:
    """Neither in the error that reaches the caller, nor in anything it was raised from."""
    expected, fail = FAILURES[name]
    service.file_report(store, NURSE, a_marked_report(), report_id=FIRST_REPORT)
    with pytest.raises(expected) as caught:
        fail(store)
    hunt.error(name, caught.value)
    hunt.value(name, getattr(caught.value, "problems", None))


@pytest.mark.parametrize("name", SUCCESSES)
def test_odd_text_that_is_taken_shows_nothing(store: Store, hunt: Hunt, name: str) -> None:
    service.file_report(store, NURSE, a_marked_report())
    SUCCESSES[name](store)


def test_half_a_character_in_a_draft_is_not_lost(store: Store, hunt: Hunt) -> None:
    """Nothing that was typed is lost, also when a browser sends half of a pair."""
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, {"narrative": HALF})
    assert drafts.read_draft(store, NURSE, draft_id).fields == {"narrative": HALF}


def test_a_second_nurse_who_is_refused_learns_nothing(store: Store, hunt: Hunt) -> None:
    draft_id = uuid4()
    drafts.save_draft(store, NURSE, draft_id, DRAFT_FIELDS)
    assert drafts.list_drafts(store, OTHER_NURSE) == ()
    with pytest.raises(AfterdoseError) as caught:
        drafts.save_draft(store, OTHER_NURSE, draft_id, {}, base_version=1)
    hunt.error("somebody else's draft", caught.value)


def test_a_store_that_does_not_open_shows_nothing(embedded_store: Store, tmp_path: Path) -> None:
    service.file_report(embedded_store, NURSE, a_marked_report())
    embedded_store.close()
    hunt = Hunt()
    path = embedded_store.config.database_path
    whole, opened = path.read_bytes(), 0
    for place in range(0, len(whole), len(whole) // 12):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            with closing(open_store(embedded_store.config, key_of(embedded_store))) as store:
                opened += 1
                hunt.value("findings", upkeep.verify_store(store, DIRECTOR).findings)
                hunt.value("found", service.find_patient(store, NURSE, NAME))
        except Exception as error:  # noqa: BLE001 - whatever comes is looked at
            hunt.error(f"byte {place}", error)
    hunt.assert_nothing()
    assert opened, "some damage shows only where it is read"


# --- imports that fail ---------------------------------------------------------------------------


def test_imports_that_fail_show_nothing(store: Store, hunt: Hunt, tmp_path: Path) -> None:
    tried = marked_pairs()
    for number, (name, pair) in enumerate(tried.items()):
        sessions, events = write_pair(tmp_path / f"in-{number}", *pair)
        result = import_files(store, DIRECTOR, sessions, events, dry_run=True)
        hunt.value(name, result)
        hunt.value(name, result.errors)
        if "event with a name as" not in name:
            assert result.errors, name
    assert len(tried) > 70


# --- PostgreSQL: what the server keeps beside its tables -----------------------------------------


@pytest.mark.postgresql
def test_the_log_of_the_server_shows_nothing(server_store: Store, postgresql: Any) -> None:
    """The server writes statements that failed, and rows that it refused, into its log."""
    service.file_report(server_store, NURSE, a_marked_report(), report_id=FIRST_REPORT)
    for fail in (refused_row, double, FAILURES["no table of sessions"][1]):
        with pytest.raises(AfterdoseError):
            fail(server_store)
    logs = [path for path in postgresql._folder.rglob("*") if path.suffix == ".log"]
    logs += [path for path in postgresql._folder.rglob("log") if path.is_file()]
    hunt = Hunt()
    for path in logs:
        hunt.data(path.name, path.read_bytes())
    hunt.assert_nothing()
    assert any(b"ERROR" in path.read_bytes() for path in logs), "the failures are in the log"
