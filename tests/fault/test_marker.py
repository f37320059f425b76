"""Promise 21: nothing that tells who a patient is comes out anywhere but where it was asked for.

Marker words go in as name, MRN, birth date, narratives, action, lot, reason of an amendment and
draft, through every way in and every way out, good and failing. Then everything that lies about
afterwards is searched, in every spelling and encoding: each file of the data folder, the temporary
folder, the journal of a transaction, every row of every table, logs at their most talkative, what
commands print, exceptions with all that they were raised from, and how objects show themselves.

The pages have their part in ``tests/ui``: the source of a page that another user sees, its address,
and what the server logs. They take the markers and the hunt from ``tests.support.markers``.
"""

from __future__ import annotations

import logging
import subprocess
import sys
import tempfile
import unicodedata
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from datetime import date
from pathlib import Path
from typing import Any, Final
from uuid import UUID, uuid4

import pytest
from sqlalchemy import select

from reports import rates
from reports.commands import main
from reports.periods import Quarter
from reports.quarterly.assemble import export_quarter
from safety import drafts, service, upkeep
from safety.errors import AfterdoseError
from safety.importing import import_files
from safety.importing.columns import EVENTS_COLUMNS, SESSIONS_COLUMNS
from safety.model import AdverseEvent, PatientIdentity, SessionReport
from safety.store import patients, reading, recording, tables
from safety.store.handle import Store
from safety.store.opening import open_store
from tests.support.builders import (
    COMPLIANCE,
    DIRECTOR,
    NURSE,
    OTHER_NURSE,
    a_full_report,
    an_event,
)
from tests.support.csv_pairs import a_session, an_event_row, write_pair
from tests.support.markers import (
    ACTION,
    BIRTH_DATE,
    DRAFT,
    EVENT_NARRATIVE,
    FIRST_NAME,
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


def a_marked_patient(**changes: Any) -> PatientIdentity:
    given = {"mrn": MRN, "name": NAME, "birth_date": date.fromisoformat(BIRTH_DATE)}
    return PatientIdentity(**given | changes)


def a_marked_event(**changes: Any) -> AdverseEvent:
    told = {"action": f"{ACTION} twice", "narrative": f"Said {EVENT_NARRATIVE} again."}
    return an_event(**told | changes)


def a_marked_report(**changes: Any) -> SessionReport:
    """A report with a marker in every place where somebody types about a patient."""
    given = {
        "patient": a_marked_patient(),
        "lot": LOT,
        "narrative": f"A quiet {NARRATIVE} session.",
        "events": (a_marked_event(),),
    }
    return a_full_report(**given | changes)


DRAFT_FIELDS: Final = {"narrative": f"half a {DRAFT}", DRAFT: {"name": NAME}}


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


def marked_rows(**changes: Any) -> list[dict[str, Any]]:
    row = a_session(
        patient_mrn=MRN, patient_name=NAME, birth_date=BIRTH_DATE, lot=LOT, session_ref="V-9"
    )
    return [row | changes]


def marked_events(**changes: Any) -> list[dict[str, Any]]:
    told = {"action": ACTION, "narrative": EVENT_NARRATIVE, "session_ref": "V-9"}
    return [an_event_row(**told | changes)]


@pytest.mark.parametrize("large", [False, True], ids=["here", "through the worker"])
def test_an_import_shows_nothing(
    store: Store, hunt: Hunt, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, large: bool
) -> None:
    if large:
        monkeypatch.setattr("safety.importing.preparing.LARGE_BYTES", 0)
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
HALF: Final = f"{NAME}\ud83d"


def file_with(store: Store, **changes: Any) -> None:
    """As a page does: the values are made, then filed."""
    service.file_report(store, NURSE, a_marked_report(**changes))


def patient_with(store: Store, **changes: Any) -> None:
    file_with(store, patient=a_marked_patient(**changes))


def event_with(store: Store, **changes: Any) -> None:
    file_with(store, events=(a_marked_event(**changes),))


FIRST_REPORT: Final = UUID(int=1)


def amend(store: Store, **changes: Any) -> None:
    given = {"base_version": 1, "reason": REASON} | {
        name: changes.pop(name) for name in ("base_version", "reason") if name in changes
    }
    service.amend_report(store, NURSE, FIRST_REPORT, a_marked_report(**changes), **given)


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
        recorder._rows["sessions"][0]["day"] = None
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


FAILURES: Final[dict[str, Callable[[Store], object]]] = {
    "a name too long": lambda s: patient_with(s, name=LONG),
    "a name with a control character": lambda s: patient_with(s, name=BELL),
    "a name with half a character": lambda s: patient_with(s, name=HALF),
    "an MRN too long": lambda s: patient_with(s, mrn=MRN * 20),
    "an MRN with half a character": lambda s: patient_with(s, mrn=HALF),
    "another birth date": lambda s: patient_with(s, birth_date=date(1932, 1, 1)),
    "a narrative too long": lambda s: file_with(s, narrative=LONG),
    "a narrative with half a character": lambda s: file_with(s, narrative=HALF),
    "a lot too long": lambda s: file_with(s, lot=LOT * 20),
    "an action too long": lambda s: event_with(s, action=LONG),
    "an event narrative with a bell": lambda s: event_with(s, narrative=BELL),
    "a name as protocol": lambda s: file_with(s, protocol=NAME),
    "a narrative as term": lambda s: event_with(s, term=f"{NARRATIVE} {NAME}"),
    "a grade that is not there": lambda s: event_with(s, term="presyncope", grade=3),
    "the future": lambda s: file_with(s, started_at=a_full_report().started_at.replace(year=2030)),
    "a reference that is taken": lambda s: file_with(s, dose_mg=44.0),
    "a form filed before": lambda s: service.file_report(
        s, NURSE, a_marked_report(lot=LOT + "2"), report_id=FIRST_REPORT
    ),
    "bytes as a name": lambda s: patient_with(s, name=NAME.encode()),
    "a number as a narrative": lambda s: file_with(s, narrative=7731),
    "a list as an MRN": lambda s: patient_with(s, mrn=[MRN]),
    "a name as a dose": lambda s: file_with(s, dose_mg=NAME),
    "a name as a grade": lambda s: event_with(s, grade=NAME),
    "a name as a day": lambda s: patient_with(s, birth_date=NAME),
    "a name as a start": lambda s: file_with(s, started_at=NAME),
    "an amendment of nothing": lambda s: service.amend_report(
        s, NURSE, uuid4(), a_marked_report(), base_version=1, reason=REASON
    ),
    "a stale amendment": lambda s: amend(s, base_version=7),
    "an amendment without a reason": lambda s: amend(s, reason="  "),
    "an amendment with a long reason": lambda s: amend(s, reason=REASON * 100),
    "a reason with half a character": lambda s: amend(s, reason=f"{REASON}\ud83d"),
    "an amendment to another patient": lambda s: amend(s, patient=a_marked_patient(mrn=MRN + "2")),
    "a search by the wrong role": lambda s: service.find_patient(s, COMPLIANCE, NAME),
    "a search for half a character": lambda s: service.find_patient(s, NURSE, HALF),
    "a search for separators": lambda s: service.find_patient(s, NURSE, "- - -"),
    "a draft by the wrong role": lambda s: drafts.save_draft(s, COMPLIANCE, uuid4(), DRAFT_FIELDS),
    "a draft from two tabs": clash,
    "a draft with half a character": lambda s: drafts.save_draft(
        s, NURSE, uuid4(), {"narrative": HALF + DRAFT}
    ),
    "a draft that is not JSON": unwritable,
    "a sealed report that was changed": read_tampered,
    "a sealed report of another layout": read_other_layout,
    "a sealed report cut short": read_no_json,
    "a sealed report with an unknown word": read_no_enumeration,
    "a sealed report with no date": read_no_date,
    "no table of sessions": without_table("sessions", lambda s: file_with(s, session_ref="V-2")),
    "no table of patients": without_table(
        "patients", lambda s: service.find_patient(s, NURSE, MRN)
    ),
    "no table of drafts": without_table("drafts", clash),
    "a row that the database refuses": refused_row,
    "a row twice": double,
    "rates by the wrong term": lambda s: rates.incidence(
        s, DIRECTOR, rates.RateQuery(date(2026, 1, 1), date(2026, 3, 1), term=NAME)
    ),
}
SUCCEED: Final = {"a search for half a character", "a search for separators"}


@pytest.mark.parametrize("name", FAILURES)
def test_what_fails_shows_nothing(store: Store, hunt: Hunt, name: str) -> None:
    """Neither in the error that reaches the caller, nor in anything it was raised from."""
    service.file_report(store, NURSE, a_marked_report(), report_id=FIRST_REPORT)
    try:
        FAILURES[name](store)
    except Exception as error:  # noqa: BLE001 - whatever comes is looked at
        hunt.error(name, error)
        hunt.value(name, getattr(error, "problems", None))
    else:
        assert name in SUCCEED


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
    whole = path.read_bytes()
    for place in range(0, len(whole), len(whole) // 12):
        path.write_bytes(whole[:place] + bytes([whole[place] ^ 255]) + whole[place + 1 :])
        try:
            with open_store(embedded_store.config, key_of(embedded_store)) as store:
                hunt.value("findings", upkeep.verify_store(store, DIRECTOR).findings)
                hunt.value("found", service.find_patient(store, NURSE, NAME))
        except Exception as error:  # noqa: BLE001 - whatever comes is looked at
            hunt.error(f"byte {place}", error)
    hunt.assert_nothing()


# --- imports that fail ---------------------------------------------------------------------------

HEADING: Final = "session_ref,site,patient_mrn,protocol,started_at"
LINE: Final = f"V-9,{NAME},{MRN},{NARRATIVE},{LOT}"


def marked_pairs() -> dict[str, tuple[Any, Any]]:
    """Broken pairs, each with markers where they belong and where they do not."""
    good, events = marked_rows(), marked_events()
    pairs: dict[str, tuple[Any, Any]] = {
        "no heading": (f"{LINE}\n{LINE}\n", None),
        "semicolons": (f"{HEADING}\n{LINE}\n".replace(",", ";"), None),
        "the heading runs into the first row": (f"{HEADING}{LINE}\n{LINE}\n", None),
        "a name as a column": (f"{HEADING},{NAME}\n{LINE},\n", None),
        "a row too short": (f"{HEADING}\n{MRN},{NAME}\n", None),
        "a quotation mark": (f'{HEADING}\n"{LINE}\n{LINE}\n', None),
        "Latin-1": (f"{HEADING}\n{FIRST_NAME}".encode("latin-1"), None),
        "UTF-16": (f"{HEADING}\n{LINE}".encode("utf-16"), None),
        "NUL": (f"{HEADING}\n{LINE}\0\n", None),
        "an event without its session": (good, [*events, *marked_events(session_ref=MRN)]),
        "a reference twice": ([*good, *marked_rows(dose_mg=41)], events),
        "another birth date": (
            [*good, *marked_rows(birth_date="1932-07-19", session_ref="V-8")],
            events,
        ),
        "a site by that name, and an error": (marked_rows(site=NAME, sex="?"), None),
    }
    for column in sorted(SESSIONS_COLUMNS):
        pairs[f"a name as {column}"] = (marked_rows(**{column: NAME}), marked_events(grade=9))
    for column in sorted(EVENTS_COLUMNS):
        pairs[f"an event with a name as {column}"] = (good, marked_events(**{column: NAME}))
    return pairs


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


# --- the command line ----------------------------------------------------------------------------


@contextmanager
def closed(store: Store) -> Iterator[list[str]]:
    """The store given up for a command in a process of its own: ``afterdose --home HOME``."""
    store.close()
    yield [sys.executable, "-m", "reports.commands", "--home", str(store.config.home)]


def files_for_commands(folder: Path) -> dict[str, Path]:
    """Input files full of markers, for every command that reads one."""
    folder.mkdir()
    given = {
        "toml": f'[{NARRATIVE}]\nname = "{NAME}"\n'.encode(),
        "protocol": f'[protocol.x]\nname = "{NAME}"\ndrug = "{NAME}"\n'.encode(),
        "not toml": f"{NAME} = = {MRN}".encode(),
        "no workbook": f"{NAME}\n{MRN}".encode(),
        "no key": f"{NAME}{MRN}".encode(),
        "anchor": f"{NAME}\n{MRN}\n{LOT}\n".encode(),
        "json anchor": f'{{"audit_head": {{"seq": "{NAME}", "mac": "{MRN}"}}}}'.encode(),
    }
    for name, content in given.items():
        (folder / name.replace(" ", "-")).write_bytes(content)
    (folder / "package").mkdir()
    (folder / "package" / "manifest.json").write_bytes(f'{{"{NAME}": "{MRN}"}}'.encode())
    (folder / "no-key").chmod(0o600)
    return {name: folder / name.replace(" ", "-") for name in (*given, "package")}


def commands(files: dict[str, Path], pairs: list[list[Path]], out: Path) -> list[list[str | Path]]:
    period: list[str | Path] = ["--from", "2026-01-01", "--to", "2026-03-31"]
    return [
        *(["import", *pair, "--format", form] for pair in pairs for form in ("table", "json")),
        ["rates", *period, "--format", "json"],
        ["rates", *period, "--unit", "patient-month", "--term", NAME],
        ["export", "2026Q1", "--out", out],
        ["export", NAME, "--out", out],
        ["verify", out],
        ["verify", files["package"]],
        ["verify", "--store", "--format", "json"],
        ["verify", "--store", "--anchor", files["anchor"]],
        ["verify", "--store", "--anchor", files["json anchor"]],
        ["rebuild", "--write", "--format", "json"],
        ["protocols", "load", files["toml"]],
        ["protocols", "load", files["protocol"]],
        ["protocols", "load", files["not toml"]],
        ["protocols", "list"],
        ["vocabulary", "load", files["no workbook"]],
        ["vocabulary", "list"],
        ["users", "list"],
        ["--key-file", files["no key"], "verify", "--store"],
    ]


@pytest.mark.slow
def test_commands_in_processes_of_their_own_say_nothing(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Also when the database refuses and when the store was tampered with."""
    service.file_report(store, NURSE, a_marked_report())
    files = files_for_commands(tmp_path / "files")
    pairs = [
        [path for path in write_pair(tmp_path / f"in-{number}", *pair) if path]
        for number, pair in enumerate(_some(marked_pairs()))
    ]
    hunt = Hunt()
    with closed(store) as afterdose:
        for command in commands(files, pairs, tmp_path / "out"):
            _run(hunt, [*afterdose, *command], tmp_path)
        with tampering(store) as raw:
            raw.execute("UPDATE sessions SET dose_mg = 1")
            raw.execute("UPDATE reports SET document = ?", b"\x01" + NAME.encode() * 20)
        for command in (["verify", "--store"], ["rebuild"], ["import", *pairs[0]]):
            _run(hunt, [*afterdose, *command], tmp_path)
    hunt.folder(tmp_path / "out", tmp_path / "home")
    hunt.assert_nothing()


def _some(pairs: dict[str, tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """A good pair, and a few broken ones: each command takes a second."""
    chosen = (
        "no heading",
        "Latin-1",
        "another birth date",
        "a name as dose_mg",
        "a reference twice",
    )
    return [(marked_rows(), marked_events()), *(pairs[name] for name in chosen)]


def _run(hunt: Hunt, command: list[str | Path], folder: Path) -> None:
    done = subprocess.run(command, check=False, capture_output=True, cwd=folder, timeout=120)
    words = command[command.index("--home") + 2 :]
    name = " ".join(Path(word).name for word in map(str, words))
    typed = NAME in map(str, words)
    assert done.stderr or done.stdout, name
    for stream, said in (("output", done.stdout), ("error", done.stderr)):
        # What somebody typed on the command line stands on their screen already.
        hunt.data(f"{name}: standard {stream}", b"" if typed and b"usage:" in said else said)
    assert b"Traceback" not in done.stderr, done.stderr


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"could not convert string to float: {NAME!r}"),
        KeyError(MRN),
        UnicodeEncodeError("utf-8", HALF, 3, 4, "surrogates not allowed"),
        OSError(5, NAME, NARRATIVE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_nobody_expected_is_told_without_its_text(
    embedded_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """A library raises with the value in its message; the command line names type and place."""
    caplog.set_level(logging.DEBUG)
    sessions, events = write_pair(tmp_path / "in", marked_rows(), marked_events())

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(recording, "reference_index", fail)
    embedded_store.close()
    home = str(embedded_store.config.home)
    assert main(["--home", home, "import", str(sessions), str(events)]) == 1
    said = capfd.readouterr()
    assert type(error).__name__ in said.err
    hunt = Hunt()
    hunt.text("standard output and error", *said)
    hunt.text("the log", caplog.text)
    hunt.assert_nothing()


# --- PostgreSQL: what the server keeps beside its tables -----------------------------------------


@pytest.mark.postgresql
def test_the_log_of_the_server_shows_nothing(server_store: Store, postgresql: Any) -> None:
    """The server writes statements that failed, and rows that it refused, into its log."""
    service.file_report(server_store, NURSE, a_marked_report(), report_id=FIRST_REPORT)
    for fail in (refused_row, double, FAILURES["no table of sessions"]):
        with pytest.raises(AfterdoseError):
            fail(server_store)
    logs = [path for path in postgresql._folder.rglob("*") if path.suffix == ".log"]
    logs += [path for path in postgresql._folder.rglob("log") if path.is_file()]
    hunt = Hunt()
    for path in logs:
        hunt.data(path.name, path.read_bytes())
    hunt.assert_nothing()
    assert any(b"ERROR" in path.read_bytes() for path in logs), "the failures are in the log"
