"""The formats of a package: CSV, XLSX, README and data dictionary."""

from __future__ import annotations

import csv
import io
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from reports.quarterly.package import WORKBOOK, package_files
from reports.quarterly.sheets import Column, Kind, Sheet, sheets
from reports.quarterly.write_csv import csv_bytes, escape_formula, unescape_formula
from reports.rows import PATIENT_MONTH
from tests.support.packages import FORMULA, KEY, content

FILES = package_files(content(), KEY.sign)


def table(name: str) -> list[dict[str, str]]:
    return list(csv.DictReader(io.StringIO(FILES[name].decode(), newline="")))


def workbook() -> Any:
    from openpyxl import load_workbook

    return load_workbook(io.BytesIO(FILES[WORKBOOK]))


def test_incidence_says_hidden_where_a_number_is_withheld() -> None:
    """Seven falls of 400 are hidden with all that follows from them; the denominator stays."""
    fall = next(r for r in table("incidence.csv") if (r["protocol"], r["term"]) == ("iv", "fall"))
    assert [fall[name] for name in ("with_event", "events", "estimate", "low", "high")] == (
        ["hidden"] * 5
    )
    assert (fall["exposed"], fall["method"]) == ("400", "wilson")


def test_incidence_gives_fractions_to_six_decimals() -> None:
    """101 of 400 is 0.2525; the limits are those of statsmodels, rounded."""
    row = next(r for r in table("incidence.csv") if (r["protocol"], r["term"]) == ("iv", "nausea"))
    assert (row["estimate"], row["low"], row["high"]) == ("0.2525", "0.212417", "0.297292")


def test_exposure_ends_with_the_total_and_leaves_empty_what_is_not_counted() -> None:
    """The total has sessions and patients only."""
    total = table("exposure.csv")[-1]
    assert list(total.values()) == ["all protocols", "All protocols", "520", "100", "", ""]


def test_definitions_leave_grades_empty_that_do_not_exist() -> None:
    """A fall has grade 1 here and no other; terms are in order."""
    fall, nausea = table("definitions.csv")
    assert [fall[f"grade_{grade}"] for grade in range(1, 6)] == ["'- unhurt", "", "", "", ""]
    assert nausea["grade_3"] == "Needs a drip"
    assert (nausea["expected"], fall["expected"]) == ("yes", "no")


@pytest.mark.parametrize("name", [name for name in FILES if name.endswith(".csv")])
def test_csv_is_utf8_with_crlf(name: str) -> None:
    """Every line ends with CR and LF, the last one too, and there is no byte order mark."""
    text = FILES[name].decode()
    assert text.endswith("\r\n")
    assert text.count("\n") == text.count("\r\n")
    assert not text.startswith("\ufeff")


def test_a_formula_in_a_name_is_defused_in_csv() -> None:
    """A protocol named like a formula does not run, and its name can be had back."""
    name = table("exposure.csv")[0]["protocol_name"]
    assert name == "'" + FORMULA
    assert unescape_formula(name) == FORMULA


@pytest.mark.parametrize(
    "text",
    ["=1+1", "+1", "-1", "@SUM(A1)", "\t=1", "\rx", "\nx", "\0x", "|cmd", "%x", "  =1", "'quoted",
     "\uff1d1", "\uff0b1", "\uff0d1", "\uff201", "\u00a0=1"],
)  # fmt: skip
def test_text_that_could_run_gets_an_apostrophe(text: str) -> None:
    """All beginnings that a spreadsheet takes for a formula or command."""
    assert escape_formula(text) == "'" + text


@pytest.mark.parametrize("text", ["", "Nausea", "a=b", "0.5 mg/kg", "(x)", "Ångström", " x"])
def test_other_text_is_left_alone(text: str) -> None:
    """Signs inside a text are harmless."""
    assert escape_formula(text) == text


@given(st.text())
def test_taking_off_one_apostrophe_always_gives_the_text_back(text: str) -> None:
    """The rule in the data dictionary is enough to undo the escaping."""
    assert unescape_formula(escape_formula(text)) == text


def test_escaping_goes_by_column_so_negative_numbers_stay_numbers() -> None:
    """A number column keeps -5.2; a text column defuses it; header names count as text."""
    columns = (Column("=name", Kind.TEXT, ""), Column("change", Kind.ESTIMATE, ""))
    written = csv_bytes(Sheet("Try", columns, (("-5.2", -5.2), ("b", 1e-6), ("c", 0.0))))
    assert written == b"'=name,change\r\n'-5.2,-5.2\r\nb,0.000001\r\nc,0\r\n"


def test_the_data_dictionary_names_every_column_of_every_file() -> None:
    """Each column of each table is explained, and the apostrophe too."""
    listed = {(row["file"], row["column"]) for row in table("data_dictionary.csv")}
    for name in ("exposure.csv", "incidence.csv", "definitions.csv"):
        assert {(name, column) for column in table(name)[0]} <= listed
    assert any("apostrophe" in row["meaning"] for row in table("data_dictionary.csv"))


def test_the_workbook_holds_the_same_tables_as_the_csv_files() -> None:
    """Every cell of every sheet, with numbers as numbers and text as text."""
    book = workbook()
    assert book.sheetnames == ["About", "Exposure", "Incidence", "Definitions"]
    for sheet in sheets(content()):
        header, *rows = book[sheet.name].iter_rows(values_only=True)
        assert header == tuple(column.name for column in sheet.columns)
        assert rows == [tuple(cell if cell != "" else None for cell in row) for row in sheet.rows]


def test_the_workbook_has_no_formula() -> None:
    """Text that looks like a formula is stored as text."""
    book = workbook()
    cells = [cell for page in book for row in page.iter_rows() for cell in row]
    assert all(cell.data_type != "f" for cell in cells)
    assert FORMULA in [cell.value for cell in cells]


def test_the_workbook_is_readable() -> None:
    """Headers stay in sight and shares look like percentages."""
    page = workbook()["Incidence"]
    assert page.freeze_panes == "A2"
    column = [cell.value for cell in page[1]].index("estimate") + 1
    shown = [page.cell(line, column) for line in range(2, page.max_row + 1)]
    assert {cell.number_format for cell in shown if isinstance(cell.value, float)} == {"0.0%"}


def test_rates_over_time_are_not_percentages() -> None:
    """A rate per 100 patient-months keeps its unit."""
    made = content()
    row = made.tables.incidence[0]
    timed = replace(row, unit=PATIENT_MONTH, exposed=231.25, estimate=4.25)
    safe = replace(made.tables, incidence=(timed,))
    files = package_files(replace(made, tables=safe), KEY.sign)
    from openpyxl import load_workbook

    page = load_workbook(io.BytesIO(files[WORKBOOK]))["Incidence"]
    looks = {page.cell(1, cell.column).value: cell.number_format for cell in page[2]}
    assert (looks["estimate"], looks["exposed"]) == ("0.00", "#,##0.0")


def test_readme_says_what_it_is_and_how_to_check_it() -> None:
    """Nature, period, suppression, both ways to verify, and the fingerprint."""
    text = " ".join(FILES["README.txt"].decode().split())
    for phrase in (
        "Quality and safety report, 2026Q2",
        "Clinic Müller & Søn",
        "2026-04-01 to 2026-06-30, both days included, in America/New_York",
        "Counts of 1 to 10 are not shown",
        f"In this package {content().tables.hidden_cells} cells are hidden",
        "sha256sum -c SHA256SUMS",
        "afterdose verify DIR",
        "ended at entry 4711",
        "compare it with the one that the clinic gave you in another way",
    ):
        assert phrase in text
    assert "PADER" not in text


def test_readme_lists_every_file() -> None:
    """Nothing in the folder goes unexplained."""
    text = FILES["README.txt"].decode()
    assert [name for name in FILES if name not in text and name != "README.txt"] == []


def test_readme_of_an_unsigned_package_says_so() -> None:
    """Without a signature nothing is claimed about the origin."""
    text = " ".join(package_files(content(signed=False), None)["README.txt"].decode().split())
    assert "This package is not signed" in text
    assert "Fingerprint" not in text


def test_a_time_without_zone_is_refused() -> None:
    """When a package was made must be unambiguous."""
    with pytest.raises(ValueError, match="time zone"):
        replace(content(), created_at=datetime(2026, 7, 3, tzinfo=UTC).replace(tzinfo=None))
