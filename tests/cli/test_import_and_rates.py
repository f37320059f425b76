"""``afterdose import`` and ``rates``: from a pair of files to incidence."""

from __future__ import annotations

import csv
import io
import json
from pathlib import Path

import pytest

from tests.support.accounts import audit_of
from tests.support.command_line import Desk

SESSIONS = """\
session_ref,site,patient_mrn,patient_name,protocol,started_at,no_adverse_event
s1,Main Street,A-1,Wilma Testcase,IV induction,2026-01-05T10:00,
s2,Main Street,A-1,Wilma Testcase,iv_ketamine_depression_induction,2026-01-08T10:00,1
s3,Main Street,B-2,,IM ketamine,2026-02-09T10:00,
"""
EVENTS = """\
session_ref,term,grade
s1,Nausea,2
s1,dizziness,1
s3,feeling sick,1
"""
PERIOD = ("--from", "2026-01-01", "--to", "2026-12-31")
FIELDS = [
    "protocol", "term", "unit", "with_event", "exposed", "events", "estimate", "low", "high",
    "method",
]  # fmt: skip


@pytest.fixture
def pair(clinic: Desk) -> tuple[Path, Path]:
    return clinic.file("SESSIONS.csv", SESSIONS), clinic.file("EVENTS.csv", EVENTS)


@pytest.fixture
def filled(clinic: Desk, pair: tuple[Path, Path]) -> Desk:
    assert clinic.run("import", *pair).status == 0
    return clinic


def test_the_json_result_of_an_import_is_the_promised_object(
    clinic: Desk, pair: tuple[Path, Path]
) -> None:
    done = clinic.run("import", *pair, "--format", "json")
    assert done.status == 0
    assert done.json() == {"sessions": 3, "events": 3, "unchanged": 0, "errors": []}


def test_importing_the_same_files_twice_changes_nothing(
    filled: Desk, pair: tuple[Path, Path]
) -> None:
    again = filled.run("import", *pair, "--format", "json").json()
    assert again == {"sessions": 0, "events": 0, "unchanged": 3, "errors": []}
    assert filled.run("unlock", "--format", "json").json()["sessions"] == 3


def test_events_may_be_left_out(clinic: Desk, pair: tuple[Path, Path]) -> None:
    assert clinic.run("import", pair[0], "--format", "json").json()["events"] == 0


def test_every_error_is_listed_and_nothing_is_written(
    clinic: Desk, pair: tuple[Path, Path]
) -> None:
    events = clinic.file("EVENTS.csv", f"{EVENTS}s1,Wilma Testcase,1\ns9,nausea,7\n")
    done = clinic.run("import", pair[0], events, "--format", "json")
    result = done.json()
    assert done.status == 1
    assert (result["sessions"], result["events"], result["unchanged"]) == (0, 0, 0)
    assert all(list(error) == ["file", "row", "column", "message"] for error in result["errors"])
    assert [(e["file"], e["row"], e["column"]) for e in result["errors"]][:2] == [
        ("EVENTS.csv", 5, "term"),
        ("EVENTS.csv", 6, "grade"),
    ]
    assert "Wilma" not in done.out + done.err
    assert clinic.run("unlock", "--format", "json").json()["sessions"] == 0


def test_errors_stand_in_the_table_and_in_the_csv_too(
    clinic: Desk, pair: tuple[Path, Path]
) -> None:
    events = clinic.file("EVENTS.csv", f"{EVENTS}s1,nausea,9\n")
    table = clinic.run("import", pair[0], events)
    assert table.status == 1
    assert "EVENTS.csv" in table.out
    assert "Nothing was imported" in table.err
    rows = list(
        csv.DictReader(io.StringIO(clinic.run("import", *(pair[0], events), "--format", "csv").out))
    )
    assert (rows[0]["row"], rows[0]["column"]) == ("5", "grade")


def test_the_other_formats_count_what_was_imported(clinic: Desk, pair: tuple[Path, Path]) -> None:
    assert (
        clinic.run("import", *pair, "--format", "csv").out == "sessions,events,unchanged\n3,3,0\n"
    )
    assert "3 sessions were there already" in clinic.run("import", *pair).out


def test_a_dry_run_writes_nothing(clinic: Desk, pair: tuple[Path, Path]) -> None:
    done = clinic.run("import", *pair, "--dry-run", "--format", "json")
    assert done.json() == {"sessions": 3, "events": 3, "unchanged": 0, "errors": []}
    assert "nothing was written" in done.err
    assert clinic.run("unlock", "--format", "json").json()["sessions"] == 0


def test_what_is_unusual_is_told_beside_the_result(clinic: Desk) -> None:
    sessions = clinic.file(
        "SESSIONS.csv",
        "session_ref,site,patient_mrn,protocol,started_at,weight_kg,no_adverse_event\n"
        "s1,Harbour Annex,A-1,IM ketamine,2026-01-05T10:00,20,1\n",
    )
    done = clinic.run("import", sessions, "--format", "json")
    assert done.json()["sessions"] == 1
    assert "New site: Harbour Annex" in done.err
    assert "SESSIONS.csv, row 2, weight_kg: 20 kg is unusual" in done.err


def test_a_file_that_is_not_there_is_an_error_of_the_import(clinic: Desk) -> None:
    done = clinic.run("import", clinic.folder / "none.csv", "--format", "json")
    assert done.status == 1
    assert done.json()["errors"][0]["message"] == "The file does not exist. Check the path."


def test_the_console_is_named_in_the_audit_trail(filled: Desk) -> None:
    with filled.store() as store:
        [(actor, role, *_)] = audit_of(store, "import")
    assert (actor, role) == ("console", "director")


def test_rates_have_exactly_the_promised_fields_and_ids(filled: Desk) -> None:
    rows = filled.run("rates", *PERIOD, "--format", "json").json()
    assert all(list(row) == FIELDS for row in rows)
    first = rows[0]
    assert (first["protocol"], first["term"]) == (
        "iv_ketamine_depression_induction",
        "any adverse event",
    )
    assert (first["with_event"], first["exposed"], first["events"]) == (1, 2, 2)
    assert first["estimate"] == 0.5
    assert (first["unit"], first["method"]) == ("session", "one patient")
    zero = [row for row in rows if row["with_event"] == 0]
    assert len(zero) > 100
    assert {row["low"] for row in zero} == {0.0}


def test_the_formats_say_the_same(filled: Desk) -> None:
    options = ("rates", *PERIOD, "--term", "nausea")
    rows = filled.run(*options, "--format", "json").json()
    listed = list(csv.DictReader(io.StringIO(filled.run(*options, "--format", "csv").out)))
    assert [{name: str(row[name]) for name in FIELDS} for row in rows] == listed
    table = filled.run(*options).out.splitlines()
    assert table[0].split() == FIELDS
    assert len(table) == 2 + len(rows)


def test_every_option_of_rates_reaches_the_count(filled: Desk) -> None:
    def nausea(*options: str) -> list[tuple[object, ...]]:
        wilson = () if "patient-month" in options else ("--method", "wilson")
        asked = ("rates", *PERIOD, "--term", "nausea", "--format", "json", *wilson, *options)
        done = filled.run(*asked)
        rows = [row for row in json.loads(done.out) if row["term"] == "nausea"]
        return [(row["with_event"], row["exposed"], row["method"]) for row in rows]

    assert nausea("--by", "protocol") == [(1, 2, "wilson"), (1, 1, "wilson")]
    assert nausea("--unit", "patient") == [(1, 1, "wilson"), (1, 1, "wilson")]
    assert nausea("--min-grade", "2") == [(1, 2, "wilson"), (0, 1, "wilson")]
    assert nausea("--method", "clopper-pearson")[0][2] == "clopper-pearson"
    assert nausea("--method", "default")[0][2] == "one patient"
    assert nausea("--serious") == [(0, 2, "wilson"), (0, 1, "wilson")]
    assert nausea("--related") == [(0, 2, "wilson"), (0, 1, "wilson")]
    assert nausea("--protocol", "im_ketamine_depression") == [(1, 1, "wilson")]
    assert nausea("--treatment-emergent") == [(1, 2, "wilson"), (1, 1, "wilson")]
    assert nausea("--to", "2026-01-31") == [(1, 2, "wilson")]
    [(patients, months, method), _] = nausea("--unit", "patient-month")
    assert (patients, months) == (1, 1 / 30.4375)
    assert "followed to last session + planned interval" in str(method)


def test_the_first_column_is_called_what_its_values_are(filled: Desk) -> None:
    rows = filled.run("rates", *PERIOD, "--by", "dose-band", "--format", "json").json()
    assert list(rows[0]) == ["dose_band", *FIELDS[1:]]
    assert sum(row["exposed"] for row in rows if row["term"] == "any adverse event") == 3


def test_a_period_without_sessions_gives_an_empty_list(filled: Desk) -> None:
    done = filled.run("rates", "--from", "2020-01-01", "--to", "2020-12-31", "--format", "json")
    assert (done.status, done.json()) == (0, [])


@pytest.mark.parametrize(
    ("options", "status", "message"),
    [
        (("--from", "2026-02-01", "--to", "2026-01-01"), 1, "ends (2026-01-01) before it begins"),
        (("--from", "1.2.2026", "--to", "2026-01-01"), 2, "Write it as YYYY-MM-DD."),
        (("--from", "2026-02-01"), 2, "--to"),
        ((*PERIOD, "--unit", "week"), 2, "patient-month"),
        ((*PERIOD, "--min-grade", "6"), 2, "--min-grade"),
        ((*PERIOD, "--term", "nausia"), 1, "Did you mean Nausea"),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(
    filled: Desk, options: tuple[str, ...], status: int, message: str
) -> None:
    done = filled.run("rates", *options, "--format", "json")
    assert (done.status, done.out) == (status, "")
    assert message in done.err
