"""Good CSV pairs: what is filed, what stays as it was, and large files through a second process."""

from __future__ import annotations

import os
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, date, datetime
from pathlib import Path
from typing import Any, Final
from zoneinfo import ZoneInfo

import pytest
from sqlalchemy import select

from benchmarks.clinic import Size, write_clinic
from safety import protocols, service
from safety.errors import AccessDenied, StoreUnavailable
from safety.importing import ImportResult, import_files, loading, worker
from safety.importing.columns import EVENTS_COLUMNS, SESSIONS_COLUMNS
from safety.importing.preparing import Order
from safety.model import Concomitant
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from safety.vocabulary import seed_protocols
from tests.support.builders import DIRECTOR, NURSE, TIMEZONE, a_full_report, a_report
from tests.support.clock import FakeClock
from tests.support.csv_pairs import (
    EVENT,
    SESSION,
    Row,
    a_bare_session,
    a_session,
    an_event_row,
    csv_text,
    write_pair,
)
from tests.support.footprint import footprint, grown, index_rows_of, reports_of
from tests.support.stores import Template

PAIR: Final = (
    [a_session(), a_session(session_ref="V-2", no_adverse_event=1)],
    [an_event_row(), an_event_row(term="dissociation", grade=2)],
)


def imported(store: Store, folder: Path, *content: Any, dry_run: bool = False) -> ImportResult:
    sessions, events = write_pair(folder, *content)
    return import_files(store, DIRECTOR, sessions, events, dry_run=dry_run)


def test_the_rows_of_these_tests_fill_every_column() -> None:
    assert set(SESSION) == SESSIONS_COLUMNS
    assert set(EVENT) == EVENTS_COLUMNS


def test_a_pair_is_filed_whole(store: Store, tmp_path: Path) -> None:
    before = footprint(store)
    result = imported(store, tmp_path / "in", *PAIR)
    assert (result.sessions, result.events, result.unchanged) == (2, 2, 0)
    assert (result.errors, result.unusual, result.new_sites) == ([], 0, [])
    assert grown(before, footprint(store)) == {
        "patients": 1,
        "reports": 2,
        "sessions": 2,
        "events": 2,
        "audit": 4,  # the patient, two reports, the import itself
    }
    assert verify(store).findings == []


def test_what_stands_in_the_cells_is_what_is_filed(store: Store, tmp_path: Path) -> None:
    """The report of the pair is the one that the builder of the same session makes."""
    imported(store, tmp_path / "in", *PAIR)
    first = reports_of(store)[0]
    expected = a_full_report(
        session_ref="V-1",
        no_adverse_event=False,
        narrative=None,
        concomitant=Concomitant(benzodiazepine=False, opioid=True, stimulant=False, maoi=False),
    )
    assert [(e.term, e.grade) for e in first.events] == [("dissociation", 2), ("nausea", 1)]
    assert first.events[1].action == "Offered water."
    assert first.events[1].scale == "CTCAE"
    left = replace(expected.discharge, **dict.fromkeys(_OF_THE_PAGE_ALONE))
    assert replace(
        first,
        events=expected.events,
        protocol_version=None,
    ) == replace(expected, discharge=left, reported_at=first.reported_at, misuse=first.misuse)
    assert (first.misuse.drug_liking, first.misuse.concealment) == (35.5, False)
    assert first.misuse.urine_drug_screen is None
    assert first.reported_at == datetime(2026, 3, 2, 16, 20, tzinfo=UTC)


_OF_THE_PAGE_ALONE: Final = (
    "ready_minutes",
    "orientated",
    "gait_steady",
    "nausea_controlled",
    "escort_present",
    "told_not_to_drive",
    "released_by",
)


def test_the_required_columns_are_enough(store: Store, tmp_path: Path) -> None:
    bare_event = {"session_ref": "V-1", "term": "Feeling drunk", "grade": "1"}
    result = imported(store, tmp_path, [a_bare_session()], [bare_event])
    assert (result.sessions, result.events, result.errors) == (1, 1, [])
    (report,) = reports_of(store)
    assert [event.term for event in report.events] == ["feeling_drunk"]
    assert (report.dose_mg, report.no_adverse_event) == (None, None)


def test_the_same_file_twice_changes_nothing(store: Store, tmp_path: Path) -> None:
    """Only the audit trail grows, by the line that says somebody imported."""
    imported(store, tmp_path, *PAIR)
    before, reports = footprint(store), reports_of(store)
    result = imported(store, tmp_path, *PAIR)
    assert (result.sessions, result.events, result.unchanged) == (0, 0, 2)
    assert result.errors == []
    assert grown(before, footprint(store)) == {"audit": 1}
    assert reports_of(store) == reports


def test_a_row_twice_in_one_file_counts_once(store: Store, tmp_path: Path) -> None:
    result = imported(store, tmp_path, [a_session(), a_session()], [an_event_row()])
    assert (result.sessions, result.events, result.unchanged) == (1, 1, 1)


def reversed_columns(rows: list[Row]) -> str:
    return csv_text(rows, reversed(rows[0]))


@pytest.mark.parametrize(
    "again",
    [
        pytest.param((PAIR[0][::-1], PAIR[1][::-1]), id="rows in another order"),
        pytest.param(tuple(map(reversed_columns, PAIR)), id="columns in another order"),
        pytest.param(tuple(b"\xef\xbb\xbf" + csv_text(r).encode() for r in PAIR), id="with a BOM"),
        pytest.param(tuple(csv_text(r).replace("\n", "\r\n") for r in PAIR), id="CRLF"),
        pytest.param(tuple(csv_text(r).replace("\n", "\r") for r in PAIR), id="CR"),
        pytest.param(tuple(csv_text(r) + "\n,,\n\n" for r in PAIR), id="blank rows"),
        pytest.param(tuple(csv_text(r).rstrip() for r in PAIR), id="no last line break"),
        pytest.param(tuple(csv_text(r).replace(",", " , ") for r in PAIR), id="spaces"),
    ],
)
def test_the_same_content_in_another_shape_is_unchanged(
    embedded_store: Store, tmp_path: Path, again: tuple[Any, Any]
) -> None:
    imported(embedded_store, tmp_path, *PAIR)
    result = imported(embedded_store, tmp_path, *again)
    assert (result.sessions, result.unchanged, result.errors) == (0, 2, [])


def test_whole_numbers_may_be_written_as_a_data_frame_writes_them(
    store: Store, tmp_path: Path
) -> None:
    """A column with one empty cell comes out of a data frame as 120.0, flags as 1.0."""
    imported(store, tmp_path, *PAIR)
    asked = {n: f"{c:.1f}" for n, c in SESSION.items() if isinstance(c, int)}
    rows = [row | asked | {"no_adverse_event": f"{row['no_adverse_event']}.0"} for row in PAIR[0]]
    events = [row | {"grade": f"{row['grade']}.0", "onset_minutes": "30.0"} for row in PAIR[1]]
    result = imported(store, tmp_path, rows, events)
    assert (result.sessions, result.unchanged, result.errors) == (0, 2, [])


@pytest.mark.parametrize(
    ("term", "outcome", "route"),
    [("NAUSEA", "Recovered", "IV"), ("Nausea", "resolved", "Intravenous")],
)
def test_names_may_be_written_in_any_letter_case(
    embedded_store: Store, tmp_path: Path, term: str, outcome: str, route: str
) -> None:
    imported(embedded_store, tmp_path, [a_session()], [an_event_row()])
    event = an_event_row(term=term, outcome=outcome, relatedness="Probable/Likely")
    again = a_session(route=route, sex="F", protocol="IV Induction")
    result = imported(embedded_store, tmp_path, [again], [event])
    assert (result.unchanged, result.errors) == (1, [])


@pytest.mark.parametrize(
    ("written", "instant"),
    [
        ("2026-03-02T09:00", "2026-03-02T14:00Z"),
        ("2026-03-02 09:00:30", "2026-03-02T14:00:30Z"),
        ("2026-03-02T09:00+01:00", "2026-03-02T08:00Z"),
        ("2026-03-02T09:00Z", "2026-03-02T09:00Z"),
        ("2026-07-01T09:00", "2026-07-01T13:00Z"),
    ],
)
def test_a_time_is_local_to_the_site_unless_it_has_an_offset(
    embedded_store: Store, tmp_path: Path, written: str, instant: str
) -> None:
    """The site of these tests is in New York: five hours behind in winter, four in summer."""
    result = imported(embedded_store, tmp_path, [a_bare_session(started_at=written)])
    assert result.errors == []
    assert reports_of(embedded_store)[0].started_at == datetime.fromisoformat(instant)


def test_a_session_across_the_change_to_summer_time_has_its_true_length(
    embedded_store: Store, tmp_path: Path
) -> None:
    """On 9 March 2025 clocks in New York went from 02:00 to 03:00; a long infusion went on."""
    row = a_bare_session(started_at="2025-03-09T00:30", ended_at="2025-03-09T04:30")
    imported(embedded_store, tmp_path, [row])
    (report,) = reports_of(embedded_store)
    assert report.minutes() == 180
    assert index_rows_of(embedded_store)[0]["minutes"] == 180


def test_the_day_of_a_session_is_the_day_at_its_site(embedded_store: Store, tmp_path: Path) -> None:
    imported(embedded_store, tmp_path, [a_bare_session(started_at="2026-03-03T02:00Z")])
    assert index_rows_of(embedded_store)[0]["day"] == (date(2026, 3, 2) - date(1970, 1, 1)).days


def test_a_new_site_is_added_and_named(store: Store, tmp_path: Path) -> None:
    rows = [
        a_session(),
        a_session(session_ref="V-2", site="  Harbour   House "),
        a_session(session_ref="V-3", site="harbour house"),
        a_session(session_ref="V-4", site="MAIN  street"),
    ]
    result = imported(store, tmp_path, rows)
    assert (result.sessions, result.new_sites) == (4, ["Harbour House"])
    sites = protocols.list_sites(store, DIRECTOR)
    assert [(site.name, site.timezone) for site in sites][1:] == [("Harbour House", TIMEZONE)]
    assert [row["site_no"] for row in index_rows_of(store)[:4]] == [1, 2, 2, 1]


def test_an_mrn_in_another_spelling_is_the_same_patient(store: Store, tmp_path: Path) -> None:
    rows = [a_session(), a_session(session_ref="V-2", patient_mrn="mrn 0001")]
    result = imported(store, tmp_path, rows)
    assert (result.sessions, result.errors) == (2, [])
    assert footprint(store)["patients"] == 1


def test_what_one_row_knows_of_a_patient_completes_the_others(store: Store, tmp_path: Path) -> None:
    rows = [
        a_bare_session(),
        a_bare_session(session_ref="V-2", birth_date="1980-05-17"),
        a_bare_session(session_ref="V-3", patient_name="Wilma Testcase", sex="female"),
        a_bare_session(session_ref="V-4"),
    ]
    assert imported(store, tmp_path, rows).errors == []
    known = [(r.patient.name, r.patient.birth_date) for r in reports_of(store)]
    born = date(1980, 5, 17)
    name = "Wilma Testcase"
    assert known == [(None, None), (None, born), (name, born), (name, born)]
    assert imported(store, tmp_path, rows).unchanged == 4
    assert verify(store).findings == []


def test_a_dry_run_checks_everything_and_writes_nothing(store: Store, tmp_path: Path) -> None:
    before = footprint(store)
    unusual = a_session(session_ref="V-3", site="Harbour", no_adverse_event=1, weight_kg=30)
    rows = [*PAIR[0], unusual]
    result = imported(store, tmp_path, rows, PAIR[1], dry_run=True)
    assert (result.sessions, result.events, result.new_sites) == (3, 2, ["Harbour"])
    assert [(w.file, w.row, w.column) for w in result.warnings] == [
        ("SESSIONS.csv", 4, "weight_kg")
    ]
    assert footprint(store) == before
    again = imported(store, tmp_path, rows, PAIR[1])
    assert (again.sessions, again.unusual) == (3, 1)


def test_a_warning_about_an_event_names_its_row(embedded_store: Store, tmp_path: Path) -> None:
    events = [an_event_row(), an_event_row(term="vomiting", grade=4)]
    result = imported(embedded_store, tmp_path, [a_session()], events)
    assert [(w.file, w.row, w.column) for w in result.warnings] == [("EVENTS.csv", 3, "serious")]


def test_an_amended_report_stays_amended_when_its_file_comes_again(
    store: Store, tmp_path: Path
) -> None:
    imported(store, tmp_path, *PAIR)
    stored = service.recent_reports(store, NURSE)
    line = next(each for each in stored if each.report.session_ref == "V-1")
    amended = replace(line.report, dose_mg=42.0)
    service.amend_report(
        store, DIRECTOR, line.report_id, amended, base_version=1, reason="dose misread"
    )
    result = imported(store, tmp_path, *PAIR)
    assert (result.sessions, result.unchanged, result.errors) == (0, 2, [])
    assert reports_of(store)[0].dose_mg == 42.0
    result = imported(store, tmp_path, [a_session(dose_mg=42), PAIR[0][1]], PAIR[1])
    assert (result.unchanged, result.errors) == (2, [])


def test_what_a_nurse_filed_counts_as_unchanged_when_the_file_says_the_same(
    store: Store, tmp_path: Path
) -> None:
    report = a_report(session_ref="V-7", reported_by="Nora Quill", no_adverse_event=True)
    service.file_report(store, NURSE, replace(report, reported_at=report.started_at))
    row = {
        **a_bare_session(session_ref="V-7", started_at="2026-03-02T14:00+00:00"),
        "patient_name": "Wilma Testcase",
        "birth_date": "1980-05-17",
        "sex": "female",
        "dose_mg": 40,
        "weight_kg": 80,
        "reported_by": "Nora Quill",
        "reported_at": "2026-03-02T14:00+00:00",
        "no_adverse_event": 1,
    }
    result = imported(store, tmp_path, [row])
    assert (result.sessions, result.unchanged, result.errors) == (0, 1, [])


def test_an_import_is_on_record_with_the_hash_of_its_file(store: Store, tmp_path: Path) -> None:
    imported(store, tmp_path, *PAIR)
    with store.read() as connection:
        query = select(tables.audit).where(tables.audit.c.action == "import")
        (row,) = connection.execute(query)
    assert row.object == loading.file_digest(tmp_path / "SESSIONS.csv")
    assert (row.actor, row.note) == (DIRECTOR.id, "sessions 2, events 2")


def test_importing_is_for_the_director(store: Store, tmp_path: Path) -> None:
    sessions, _ = write_pair(tmp_path)
    before = footprint(store)
    with pytest.raises(AccessDenied):
        import_files(store, NURSE, sessions)
    assert grown(before, footprint(store)) == {"audit": 1}


# --- large files: a process of their own ---------------------------------------------------------


@pytest.fixture(scope="session")
def clinic_files(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, Path]:
    """More than three batches of made-up sessions."""
    return write_clinic(
        tmp_path_factory.mktemp("clinic"), Size(sessions=1_800, events=2_600, patients=150)
    )


@pytest.fixture
def through_worker(monkeypatch: pytest.MonkeyPatch) -> None:
    """Send files of any size through the second process."""
    monkeypatch.setattr(worker, "LARGE_BYTES", 0)


class Watched(subprocess.Popen[bytes]):
    """The processes that were started."""

    started: Final[list[Watched]] = []

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        self.started.append(self)


@pytest.fixture
def workers(monkeypatch: pytest.MonkeyPatch) -> Iterator[list[Watched]]:
    monkeypatch.setattr(subprocess, "Popen", Watched)
    Watched.started.clear()
    yield Watched.started
    assert all(worker.returncode is not None for worker in Watched.started), "one is left over"


def test_a_large_file_gives_the_same_through_a_process_of_its_own(
    embedded_template: Template,
    tmp_path: Path,
    clinic_files: tuple[Path, Path],
    workers: list[Watched],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    made: list[Any] = []
    for name, limit in (("here", 10**12), ("worker", 0)):
        monkeypatch.setattr(worker, "LARGE_BYTES", limit)
        (tmp_path / name).mkdir()
        with embedded_template.copy(tmp_path / name, FakeClock()) as store:
            result = import_files(store, DIRECTOR, *clinic_files)
            made.append((result, reports_of(store), index_rows_of(store)))
            assert verify(store).findings == []
    assert made[0] == made[1]
    assert (made[0][0].sessions, made[0][0].events) == (1_800, 2_600)
    assert len(workers) == 1


@pytest.mark.usefixtures("through_worker")
def test_errors_come_back_from_the_worker_as_they_are(
    store: Store, tmp_path: Path, workers: list[Watched]
) -> None:
    before = footprint(store)
    rows = [a_session(), a_session(session_ref="V-2", dose_mg="0,5")]
    result = imported(store, tmp_path, rows, [an_event_row(grade=4)])
    assert [(e.file, e.row, e.column) for e in result.errors] == [
        ("EVENTS.csv", 2, "grade"),
        ("SESSIONS.csv", 3, "dose_mg"),
    ]
    assert footprint(store) == before
    assert len(workers) == 1


@pytest.mark.usefixtures("through_worker")
def test_a_worker_that_is_killed_midway_leaves_nothing_written(
    store: Store,
    clinic_files: tuple[Path, Path],
    workers: list[Watched],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """The first batch has been recorded by then; it goes with the transaction."""
    before = footprint(store)
    take = loading._Loading.take

    def kill_after(self: Any, batch: Any) -> None:
        take(self, batch)
        workers[0].send_signal(signal.SIGKILL)

    monkeypatch.setattr(loading._Loading, "take", kill_after)
    with pytest.raises(StoreUnavailable, match="Is there enough memory"):
        import_files(store, DIRECTOR, *clinic_files)
    assert footprint(store) == before
    monkeypatch.undo()
    assert import_files(store, DIRECTOR, *clinic_files).sessions == 1_800


@pytest.mark.usefixtures("through_worker")
def test_a_worker_that_never_starts_leaves_nothing_written(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sys, "executable", shutil.which("false"))
    before = footprint(store)
    with pytest.raises(StoreUnavailable, match="Nothing was written"):
        imported(store, tmp_path, *PAIR)
    assert footprint(store) == before


def test_a_worker_with_a_bug_says_its_kind_and_shows_no_cell(
    tmp_path: Path, workers: list[Watched], capfd: pytest.CaptureFixture[str]
) -> None:
    """An order without the latest day cannot be served: that stands for any bug."""
    sessions, _ = write_pair(tmp_path)
    zone = ZoneInfo("UTC")
    order = Order(sessions, None, seed_protocols(), {}, zone, None)  # type: ignore[arg-type]
    with pytest.raises(StoreUnavailable, match="It met a TypeError") as caught:
        list(worker.from_worker(order))
    assert caught.value.__cause__ is None
    assert capfd.readouterr() == ("", "")
    assert len(workers) == 1


@pytest.mark.usefixtures("through_worker")
def test_the_current_folder_has_no_say_in_what_the_worker_runs(
    embedded_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Somebody else's folder may hold a package of our name."""
    trap = tmp_path / "trap" / "safety"
    trap.mkdir(parents=True)
    (trap / "__init__.py").write_text("raise SystemExit('ran')")
    (trap.parent / "pickle.py").write_text("raise SystemExit('ran')")
    monkeypatch.chdir(trap.parent)
    assert imported(embedded_store, tmp_path / "in", *PAIR).sessions == 2


@pytest.mark.usefixtures("through_worker")
def test_a_failing_store_stops_the_worker(
    embedded_store: Store,
    clinic_files: tuple[Path, Path],
    workers: list[Watched],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    monkeypatch.setattr(loading._Loading, "take", fail)
    with pytest.raises(ZeroDivisionError):
        import_files(embedded_store, DIRECTOR, *clinic_files)
    assert workers[0].poll() is not None
    with pytest.raises(ProcessLookupError):
        os.kill(workers[0].pid, 0)


def test_one_processor_reads_large_files_itself(
    embedded_store: Store, tmp_path: Path, workers: list[Watched], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(worker, "LARGE_BYTES", 0)
    monkeypatch.setattr(os, "cpu_count", lambda: 1)
    assert imported(embedded_store, tmp_path, *PAIR).sessions == 2
    assert workers == []


def test_the_process_that_reads_has_neither_keys_nor_the_database_library() -> None:
    """It starts in a moment, and what it could leak is the file that somebody gave us."""
    program = (
        "import sys, safety.importing.worker\n"
        "print(sorted({'sqlalchemy', 'sqlcipher3', 'safety.keys.ring'} & set(sys.modules)))"
    )
    done = subprocess.run(
        [sys.executable, "-c", program], check=True, capture_output=True, text=True
    )
    assert done.stdout == "[]\n"
