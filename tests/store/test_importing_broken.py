"""Broken CSV pairs: what each is told, with file, row and column, and that nothing is written.

A row number is the one that a spreadsheet shows: the heading is row 1. Row 0 is the file as a
whole.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import pytest

from safety import service
from safety.importing import ImportResult, columns, import_files
from safety.importing import loading as loading_module
from safety.store.handle import Store
from tests.support.builders import DIRECTOR, NURSE, SITE, a_full_report
from tests.support.clock import FakeClock
from tests.support.csv_pairs import (
    Content,
    Row,
    a_bare_session,
    a_session,
    an_event_row,
    csv_text,
    write_pair,
)
from tests.support.footprint import footprint
from tests.support.stores import Template

S, E = "SESSIONS.csv", "EVENTS.csv"
HEADING: Final = "session_ref,site,patient_mrn,protocol,started_at\n"
LINE: Final = f"V-1,{SITE},MRN-0001,iv induction,2026-03-02T09:00\n"
TWICE: Final = (
    "is used by an earlier row of this file with other content. Amend that report, or mend the row."
)
NO_CSV: Final = "a quotation mark is missing or misplaced"


@dataclass(frozen=True)
class Broken:
    """A pair that cannot be right, and every error that it must be told: no more and no fewer."""

    name: str
    errors: tuple[tuple[str, int, str, str], ...]
    sessions: Content = (a_session(),)
    events: Content = None


def of_file(name: str, sessions: Content, row: int, message: str) -> Broken:
    return Broken(f"file: {name}", ((S, row, "", message),), sessions)


def of_heading(name: str, heading: str, column: str, message: str) -> Broken:
    return Broken(f"heading: {name}", ((S, 1, column, message),), f"{heading}\n{LINE}")


def of_session(column: str, cell: object, message: str) -> Broken:
    """The second session of the file is broken in one cell."""
    changes = {"session_ref": "V-2", column: cell}
    rows: list[Row] = [a_session(), a_session(**changes)]
    return Broken(f"session: {column}={str(cell)[:20]}", ((S, 3, column, message),), rows)


def of_event(column: str, cell: object, message: str, **more: object) -> Broken:
    """The second event of the file is broken in one cell."""
    rows: list[Row] = [an_event_row(), an_event_row(**{"term": "headache", column: cell} | more)]
    name = f"event: {column}={str(cell)[:20]}"
    return Broken(name, ((E, 3, column, message),), (a_session(),), rows)


WITHOUT_EVENTS: Final = Broken(
    "event: the file is not there",
    ((E, 0, "", "The file does not exist. Check the path."),),
    (a_session(),),
    "",
)

FILES: Final = (
    of_file("is not there", None, 0, "The file does not exist. Check the path."),
    of_file(
        "Latin-1",
        f"{HEADING}{LINE}".encode() + "V-2,Zoë".encode("latin-1"),
        0,
        "The file is not UTF-8 text. Save it as CSV UTF-8.",
    ),
    of_file(
        "UTF-16, which spreadsheets call Unicode text",
        f"{HEADING}{LINE}".encode("utf-16"),
        0,
        "The file is not UTF-8 text. Save it as CSV UTF-8.",
    ),
    of_file(
        "half a character (a lone surrogate, encoded all the same)",
        f"{HEADING}{LINE}".encode().replace(b"MRN", "\ud83d".encode(errors="surrogatepass")),
        0,
        "The file is not UTF-8 text. Save it as CSV UTF-8.",
    ),
    of_file("empty", "", 1, "The file is empty: its first row must name the columns."),
    of_file(
        "an empty heading",
        f",,,,\n{LINE}",
        1,
        "The file is empty: its first row must name the columns.",
    ),
    of_file(
        "semicolons",
        f"{HEADING}{LINE}".replace(",", ";"),
        1,
        "The columns are separated by semicolons. Save the file with commas.",
    ),
    of_file(
        "tabs",
        f"{HEADING}{LINE}".replace(",", "\t"),
        1,
        "The columns are separated by tabs. Save the file with commas.",
    ),
    of_file(
        "no heading",
        LINE * 2,
        1,
        "The first row names no column that Afterdose knows. It must be the heading, with at least "
        "session_ref, site, patient_mrn, protocol, started_at.",
    ),
    of_file(
        "a cell too few",
        f"{HEADING}{LINE}V-2,{SITE},MRN-2,iv induction\n",
        3,
        "The row has 4 cells, the heading has 5. Is a comma missing, or one too many outside "
        "quotes?",
    ),
    of_file(
        "a cell too many",
        f"{HEADING}{LINE}V-2,Main Street, upper floor,MRN-2,iv induction,2026-03-02T09:00\n",
        3,
        "The row has 6 cells, the heading has 5. Is a comma missing, or one too many outside "
        "quotes?",
    ),
    of_file(
        "a quotation mark that nobody closes",
        f'{HEADING}{LINE}V-2,"Main Street,MRN-2,iv induction,2026-03-02T09:00\n',
        3,
        f"The row is not CSV ({NO_CSV}).",
    ),
    of_file(
        "text after a closing quotation mark",
        f'{HEADING}{LINE}V-2,"Main" Street,MRN-2,iv induction,2026-03-02T09:00\n',
        3,
        f"The row is not CSV ({NO_CSV}).",
    ),
    of_file(
        "a NUL byte",
        f"{HEADING}{LINE}V-2,\0,MRN-2,iv induction,2026-03-02T09:00\n",
        3,
        "The row is not CSV (it holds a NUL byte; is this really a CSV file?).",
    ),
    of_file(
        "a NUL byte in the heading",
        f"\0{HEADING}{LINE}",
        1,
        "The row is not CSV (it holds a NUL byte; is this really a CSV file?).",
    ),
    of_file(
        "a cell without an end",
        f'{HEADING}V-2,"{"x" * 200_000}',
        2,
        "The row is not CSV (a cell is longer than 128 kB; is a quotation mark missing?).",
    ),
)

HEADINGS: Final = (
    of_heading(
        "a column that is not known",
        "session_ref,site,patient_mrn,protocol,started_at,shoe_size",
        "shoe_size",
        "The column is not known. Correct its name or take it out.",
    ),
    of_heading(
        "a column twice",
        "session_ref,site,patient_mrn,protocol,started_at,dose_mg,dose_mg",
        "dose_mg",
        "The column is there twice. Take one out.",
    ),
    of_heading(
        "a required column is missing",
        "session_ref,site,patient_mrn,protocol",
        "started_at",
        "The column is missing. It is required.",
    ),
    of_heading(
        "a column without a name",
        "session_ref,site,patient_mrn,,protocol,started_at",
        "column 4",
        "The column is not known. Correct its name or take it out.",
    ),
)

SESSIONS: Final = (
    of_session("session_ref", "", "is missing."),
    of_session("site", " ", "is missing."),
    of_session("patient_mrn", "", "is missing."),
    of_session("patient_mrn", "--/.", "has separators only. Write it in full."),
    of_session("patient_mrn", "M" * 101, "is longer than 100 characters. Shorten it."),
    of_session("patient_name", "Wil\x07ma", "holds control characters. Type it again."),
    of_session("patient_name", "x" * 201, "is longer than 200 characters. Shorten it."),
    of_session("birth_date", "17.05.1980", "is not a date. Write it as YYYY-MM-DD."),
    of_session("birth_date", "1980-02-30", "is not a date. Write it as YYYY-MM-DD."),
    of_session("birth_date", "1880-05-17", "lies before 1900. Check the year."),
    of_session("birth_date", "2026-03-03", "lies after the session. Check the date."),
    of_session(
        "birth_date",
        "1980-05-18",
        "differs from the one on record for this MRN. Is the MRN right?",
    ),
    of_session("sex", "woman", "must be one of: female, male, other."),
    of_session(
        "protocol",
        "homoeopathy",
        "The protocol in this row is not known. List them with: afterdose protocols",
    ),
    of_session(
        "started_at",
        "yesterday",
        "is not a time. Write it as YYYY-MM-DDTHH:MM, with an offset or without.",
    ),
    of_session(
        "started_at",
        "02/03/2026 09:00",
        "is not a time. Write it as YYYY-MM-DDTHH:MM, with an offset or without.",
    ),
    of_session("ended_at", "2026-03-02T08:59", "lies before started_at. Check both times."),
    of_session("discharged_at", "2026-03-02T08:59", "lies before started_at. Check both times."),
    of_session("reported_at", "2026-03-02T08:59", "lies before started_at. Check both times."),
    of_session(
        "ended_at", "2026-04-30T09:00", "is more than 30 days after started_at. Check both dates."
    ),
    of_session("dose_mg", "0,5", "is not a number. Use a point for decimals."),
    of_session("dose_mg", "forty", "is not a number."),
    of_session("dose_mg", "NaN", "is not a number."),
    of_session("dose_mg", "inf", "is not a number."),
    of_session("dose_mg", "4_0", "is not a number."),
    of_session(
        "dose_mg",
        "-1",
        "-1 mg cannot be right: it must lie between 0 and 20000. Check the entry.",
    ),
    of_session(
        "weight_kg",
        "1",
        "1 kg cannot be right: it must lie between 5 and 500. Check the entry.",
    ),
    of_session(
        "route",
        "rectal",
        "must be one of: intravenous, intramuscular, subcutaneous, intranasal, oral, sublingual.",
    ),
    of_session("setting", "car park", "must be one of: clinic, hospital, home, mobile."),
    of_session("lot", "\x1b[31m", "holds control characters. Type it again."),
    of_session(
        "bp_systolic_peak",
        "400",
        "400 mmHg cannot be right: it must lie between 30 and 350. Check the entry.",
    ),
    of_session(
        "bp_diastolic_pre",
        "119",
        "Diastolic 119 is not lower than systolic 118. Were they swapped?",
    ),
    of_session("heart_rate_peak", "96.5", "must be a whole number."),
    of_session(
        "heart_rate_peak",
        "9" * 400,
        "is not a number.",
    ),
    of_session(
        "spo2_min",
        "101",
        "101 % cannot be right: it must lie between 1 and 100. Check the entry.",
    ),
    of_session("no_adverse_event", "yes", "must be 1 (yes), 0 (no) or empty (not asked)."),
    of_session("concealment", "2", "must be 1 (yes), 0 (no) or empty (not asked)."),
    of_session(
        "craving",
        "101",
        "101 of 100 cannot be right: it must lie between 0 and 100. Check the entry.",
    ),
    of_session("waste_witness", "x" * 201, "is longer than 200 characters. Shorten it."),
    Broken(
        "session: starts more than a year ahead",
        ((S, 2, "started_at", "lies more than a year ahead. Check the date."),),
        [a_bare_session(started_at="2062-03-02T09:00")],
    ),
    Broken(
        "session: starts before ketamine",
        ((S, 2, "started_at", "lies before 1970. Check the year."),),
        [a_bare_session(started_at="1926-03-02T09:00")],
    ),
    Broken(
        "session: a reference twice with other content",
        (
            (
                S,
                3,
                "session_ref",
                TWICE,
            ),
        ),
        [a_session(), a_session(dose_mg=41)],
    ),
    Broken(
        "session: a reference twice, written with other code points",
        (
            (
                S,
                3,
                "session_ref",
                TWICE,
            ),
        ),
        [a_session(), a_session(session_ref="Ｖ－１")],  # noqa: RUF001 - full-width forms
    ),
    Broken(
        'session: says "no adverse event" and has one',
        (
            (
                S,
                2,
                "no_adverse_event",
                'says "no adverse event", but events are listed. Remove one or the other.',
            ),
        ),
        [a_session(no_adverse_event=1)],
        [an_event_row()],
    ),
)

EVENTS: Final = (
    of_event("term", "", "is missing."),
    of_event("grade", "", "is missing."),
    of_event(
        "term",
        "hiccups of doom",
        "The term in this row is not known. List them with: afterdose vocabulary",
    ),
    of_event("term", "hedache", '"hedache" is not a known term. Did you mean Headache?'),
    of_event("grade", "4", "Headache has only grades 1, 2, 3."),
    of_event("grade", "3", "Presyncope has only grade 2.", term="presyncope"),
    of_event("grade", "severe", "is not a number."),
    of_event("grade", "1.5", "must be a whole number."),
    of_event("onset_minutes", "ten", "is not a number."),
    of_event(
        "onset_minutes",
        "-20000",
        "-20000 minutes after the start cannot be right: it must lie between -10080 and 86400. "
        "Check the entry.",
    ),
    of_event(
        "duration_minutes",
        "-5",
        "-5 minutes cannot be right: it must lie between 0 and 527040. Check the entry.",
    ),
    of_event(
        "outcome",
        "fine",
        "must be one of: recovered, recovering, not_recovered, recovered_with_sequelae, fatal, "
        "unknown.",
    ),
    of_event(
        "outcome", "fatal", "Grade 5 and a fatal outcome belong together. Correct one of them."
    ),
    of_event(
        "relatedness",
        "maybe",
        "must be one of: certain, probable, possible, unlikely, conditional, unassessable.",
    ),
    of_event(
        "serious",
        "death; inconvenience",
        "must be empty or a semicolon list of: death; life_threatening; hospitalisation; "
        "disability; congenital_anomaly; important_medical_event.",
    ),
    of_event(
        "elicitation",
        "guessed",
        "must be one of: solicited, spontaneous, observed, scale.",
    ),
    of_event("narrative", "x" * 10_001, "is longer than 10000 characters. Shorten it."),
    of_event("action", "\x01", "holds control characters. Type it again."),
    of_event("term", "NAUSEA", "stands twice in this session. Keep one row with the worst grade."),
    Broken(
        "event: no such session",
        ((E, 3, "session_ref", f"is not in {S}. Every event needs its session there."),),
        (a_session(),),
        [an_event_row(), an_event_row(session_ref="V-9")],
    ),
    Broken(
        "event: no session named",
        ((E, 3, "session_ref", "is missing."),),
        (a_session(),),
        [an_event_row(), an_event_row(session_ref="", term="headache")],
    ),
    WITHOUT_EVENTS,
)

ALL: Final = (*FILES, *HEADINGS, *SESSIONS, *EVENTS)


def as_tuples(result: ImportResult) -> tuple[tuple[str, int, str, str], ...]:
    return tuple((e.file, e.row, e.column, e.message) for e in result.errors)


def run(store: Store, folder: Path, broken: Broken) -> ImportResult:
    sessions, events = write_pair(folder, broken.sessions, broken.events)
    if broken is WITHOUT_EVENTS and events is not None:
        events.unlink()
    return import_files(store, DIRECTOR, sessions, events)


@pytest.fixture(scope="module")
def one_store(
    embedded_template: Template, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Store]:
    """One store for the whole table: no case may leave anything in it."""
    with embedded_template.copy(tmp_path_factory.mktemp("table"), FakeClock()) as store:
        yield store


def test_the_table_is_long_and_has_no_case_twice() -> None:
    assert len({case.name for case in ALL}) == len(ALL) >= 80


@pytest.mark.parametrize("broken", ALL, ids=lambda broken: broken.name)
def test_a_broken_pair_is_told_what_is_wrong_and_writes_nothing(
    one_store: Store, tmp_path: Path, broken: Broken
) -> None:
    before = footprint(one_store)
    result = run(one_store, tmp_path / "in", broken)
    assert as_tuples(result) == broken.errors
    assert (result.sessions, result.events, result.unchanged) == (0, 0, 0)
    assert footprint(one_store) == before


def test_a_folder_is_not_a_file(one_store: Store, tmp_path: Path) -> None:
    (tmp_path / S).mkdir()
    result = import_files(one_store, DIRECTOR, tmp_path / S)
    assert as_tuples(result) == ((S, 0, "", "This is a folder, not a file."),)


def test_a_file_without_the_right_to_read_says_so(
    one_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The tests may run as root, who may read everything: the refusal is a fake."""
    sessions, _ = write_pair(tmp_path)

    def refuse(*_: object, **__: object) -> None:
        raise PermissionError(13, "Permission denied")

    monkeypatch.setattr(Path, "open", refuse)
    result = import_files(one_store, DIRECTOR, sessions)
    assert as_tuples(result) == ((S, 0, "", "The file cannot be read (Permission denied)."),)


def test_every_error_is_listed_at_once(store: Store, tmp_path: Path) -> None:
    """Cells, rows, sessions, events, in the order of rows and columns; each cell once.

    Row 6 repeats V-1 with another dose: as the events of V-1 are broken, it is not compared yet.
    """
    rows = [
        a_session(),
        a_session(session_ref="V-2", dose_mg="0,5", ended_at="2026-03-01T09:00", sex="?"),
        a_session(session_ref="V-3", site="", patient_mrn="", route="?", lot="\x07"),
        a_session(session_ref="V-4", birth_date="1981-05-17"),
        a_session(dose_mg=41),
        a_session(session_ref="V-6", no_adverse_event=1, heart_rate_peak="9.5", started_at="?"),
    ]
    events = [
        an_event_row(grade=9, outcome="?", action="\x07"),
        an_event_row(term="?", grade="?"),
        an_event_row(session_ref="V-9"),
        an_event_row(session_ref="V-6"),
    ]
    before = footprint(store)
    sessions, other = write_pair(tmp_path / "in", rows, events)
    result = import_files(store, DIRECTOR, sessions, other)
    assert [(e.file, e.row, e.column) for e in result.errors] == [
        (E, 2, "grade"),
        (E, 2, "outcome"),
        (E, 2, "action"),
        (E, 3, "term"),
        (E, 3, "grade"),
        (E, 4, "session_ref"),
        (S, 3, "sex"),
        (S, 3, "ended_at"),
        (S, 3, "dose_mg"),
        (S, 4, "site"),
        (S, 4, "patient_mrn"),
        (S, 4, "route"),
        (S, 4, "lot"),
        (S, 5, "birth_date"),
        (S, 7, "started_at"),
        (S, 7, "heart_rate_peak"),
        (S, 7, "no_adverse_event"),
    ]
    assert footprint(store) == before


def test_a_broken_row_does_not_hide_or_invent_errors_of_other_rows(
    one_store: Store, tmp_path: Path
) -> None:
    """V-2 has a comma too many: its event is not an orphan; that of V-9 still is one."""
    text = f"{HEADING}{LINE}V-2,a,b,c,d,e\n"
    events = [an_event_row(session_ref="V-2"), an_event_row(session_ref="V-9")]
    result = run(one_store, tmp_path, Broken("", (), text, events))
    assert [(e.file, e.row, e.column) for e in result.errors] == [
        (E, 3, "session_ref"),
        (S, 3, ""),
    ]


def test_a_broken_event_does_not_make_its_known_session_look_changed(
    store: Store, tmp_path: Path
) -> None:
    """What is wrong is told; that the session now has fewer events than before is no error."""
    events = [an_event_row(), an_event_row(term="headache")]
    sessions, other = write_pair(tmp_path, [a_session()], events)
    assert not import_files(store, DIRECTOR, sessions, other).errors
    broken = [an_event_row(), an_event_row(term="headache", grade=4)]
    write_pair(tmp_path, [a_session()], broken)
    result = import_files(store, DIRECTOR, sessions, other)
    assert as_tuples(result) == ((E, 3, "grade", "Headache has only grades 1, 2, 3."),)
    write_pair(tmp_path, [a_session()], f"{csv_text(events)},,\n".replace("headache", "he,dache"))
    result = import_files(store, DIRECTOR, sessions, other)
    assert [(e.file, e.row, e.column) for e in result.errors] == [(E, 3, "")]


def test_rows_are_numbered_as_a_spreadsheet_numbers_them(one_store: Store, tmp_path: Path) -> None:
    """A blank row counts; a cell with line breaks makes one row, not three."""
    bad = an_event_row(grade=4, term="headache")
    text = csv_text([an_event_row(narrative="one\ntwo\nthree"), bad])
    head, _, rest = text.partition("\n")
    sessions, events = write_pair(tmp_path, [a_session()], f"{head}\n\n,,,,,,,,,,\n{rest}")
    result = import_files(one_store, DIRECTOR, sessions, events)
    assert [(e.row, e.column) for e in result.errors] == [(5, "grade")]


def test_a_reference_with_other_content_than_in_the_store_is_refused(
    store: Store, tmp_path: Path
) -> None:
    """Filed by hand or by an import before; the earlier report stays as it was."""
    service.file_report(store, NURSE, a_full_report(session_ref="V-1"))
    before = footprint(store)
    sessions, events = write_pair(tmp_path, [a_session(dose_mg=41)])
    text = "is used by the store with other content. Amend that report, or mend the row."
    result = import_files(store, DIRECTOR, sessions, events)
    assert as_tuples(result) == ((S, 2, "session_ref", text),)
    assert footprint(store) == before


def test_a_birth_date_is_compared_with_the_store(store: Store, tmp_path: Path) -> None:
    service.file_report(store, NURSE, a_full_report(session_ref="V-0"))
    row = a_session(birth_date="1980-05-18", patient_mrn="mrn 0001")
    sessions, events = write_pair(tmp_path, [row])
    result = import_files(store, DIRECTOR, sessions, events)
    assert [(e.row, e.column) for e in result.errors] == [(2, "birth_date")]


MARKER: Final = "Quixotine Zanzibarre"


@pytest.mark.parametrize("column", sorted(columns.SESSIONS_COLUMNS))
def test_no_message_repeats_a_cell_of_a_session(
    one_store: Store, tmp_path: Path, column: str
) -> None:
    """A shifted column can put a name anywhere; the row is refused for its grade in any case."""
    row = a_session(**{column: MARKER})
    broken = Broken("", (), [row, row], [an_event_row(grade=9)])
    result = run(one_store, tmp_path, broken)
    assert result.errors
    assert "quixotine" not in repr(result).casefold()


@pytest.mark.parametrize("column", sorted(columns.EVENTS_COLUMNS))
def test_no_message_repeats_a_cell_of_an_event(
    one_store: Store, tmp_path: Path, column: str
) -> None:
    rows = [an_event_row(**{column: MARKER}), an_event_row(grade=9)]
    result = run(one_store, tmp_path, Broken("", (), (a_session(),), rows))
    assert result.errors
    assert "quixotine" not in repr(result).casefold()


@pytest.mark.parametrize(
    "text",
    [
        pytest.param(f"V-1,Main Street,{MARKER},iv induction,2026-03-02\n", id="no heading"),
        pytest.param(f"{HEADING.strip()},{MARKER}\n{LINE}", id="as a heading"),
        pytest.param(f"{HEADING.strip()}V-1,Main Street,{MARKER}\n{LINE}", id="no line break"),
        pytest.param(f"{HEADING}V-1,{MARKER}\n", id="too few cells"),
        pytest.param(f'{HEADING}V-1,"{MARKER}\n', id="not closed"),
        pytest.param(f"{HEADING}V-1,\0{MARKER}\n", id="NUL"),
    ],
)
def test_no_message_repeats_a_broken_row(one_store: Store, tmp_path: Path, text: str) -> None:
    result = run(one_store, tmp_path, Broken("", (), text))
    assert result.errors
    assert "quixotine" not in repr(result).casefold()


def test_a_warning_repeats_no_text_either(one_store: Store, tmp_path: Path) -> None:
    row = a_session(waste_witness=MARKER, staff=MARKER, patient_name=MARKER, no_adverse_event="")
    sessions, events = write_pair(tmp_path, [row])
    result = import_files(one_store, DIRECTOR, sessions, events, dry_run=True)
    assert result.unusual == len(result.warnings) == 2
    assert "quixotine" not in repr(result).casefold()


def test_a_flood_of_errors_is_cut_and_says_so(
    one_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """The wrong file entirely: nobody reads the last thousand errors, but they are counted."""
    monkeypatch.setattr(loading_module, "MOST_ERRORS", 10)
    rows = [a_session(session_ref=f"V-{number}", sex="?", route="?") for number in range(700)]
    sessions, events = write_pair(tmp_path, rows)
    result = import_files(one_store, DIRECTOR, sessions, events)
    assert [(e.row, e.column) for e in result.errors[:3]] == [(2, "sex"), (2, "route"), (3, "sex")]
    assert len(result.errors) == 11
    last = result.errors[-1]
    assert (last.file, last.row, last.column) == (S, 0, "")
    assert last.message == "1390 more errors are not listed. Mend these first."
