"""CSV for machines and spreadsheets: UTF-8, CRLF, every column and row in a fixed order.

A spreadsheet runs a cell that begins with ``=``. Cells of text columns, and header names, that
begin with such a character get an apostrophe in front (OWASP ASVS 5.0, 1.2.10); the data dictionary
says how to take it off. Number columns are left alone, so -5.2 stays a number.
"""

from __future__ import annotations

import csv
import io
import re
from collections.abc import Iterable, Sequence
from typing import Final

from reports.quarterly.sheets import Cell, Column, Kind, Sheet

# Full-width signs count because some spreadsheets read them as the plain ones. The apostrophe
# itself is escaped too: then taking one off is always right.
_DANGEROUS: Final = re.compile("[\t\r\n\0]|\\s*[-=+@|%'\uff1d\uff0b\uff0d\uff20]")
_DICTIONARY: Final = ("file", "column", "kind", "meaning")
_CONVENTIONS: Final = (
    "Encoded in UTF-8; lines end with CR and LF; the first line names the columns.",
    "hidden: the number is small, or a small number would follow from it. See README.txt.",
    "An empty number cell: the number does not exist, like a share of nobody.",
    "Estimates and limits are fractions (0.25 is 25 %), rounded to 6 decimals.",
    "Estimates and limits of the unit patient-month are rates per 100 patient-months.",
    "Limits take every session as independent; over sessions of few patients they are too narrow.",
    "Text that a spreadsheet could run has an apostrophe put in front; take one off to read it.",
    "Such text begins with = + - @ | % or ', or a full-width form of the first four.",
    "Spaces before such a sign do not matter; a first tab, line end or null counts as one.",
)


def escape_formula(text: str) -> str:
    """Put an apostrophe before text that a spreadsheet would take for a formula."""
    return f"'{text}" if _DANGEROUS.match(text) else text


def unescape_formula(text: str) -> str:
    """Take the apostrophe of :func:`escape_formula` off again."""
    return text.removeprefix("'")


def csv_bytes(sheet: Sheet) -> bytes:
    """One table as a CSV file."""
    return _encoded(sheet.columns, sheet.rows)


def dictionary_bytes(tables: Iterable[Sheet]) -> bytes:
    """The data dictionary: one row for each column of each file, then the conventions."""
    rows = [
        (sheet.file_name, column.name, column.kind.value, column.meaning)
        for sheet in tables
        for column in sheet.columns
    ]
    rows += [("all files", "", "", sentence) for sentence in _CONVENTIONS]
    return _encoded([Column(name, Kind.TEXT, "") for name in _DICTIONARY], rows)


def _encoded(columns: Sequence[Column], rows: Iterable[Sequence[Cell]]) -> bytes:
    file = io.StringIO(newline="")
    writer = csv.writer(file, lineterminator="\r\n")
    writer.writerow([escape_formula(column.name) for column in columns])
    for row in rows:
        writer.writerow([_text(cell, col) for cell, col in zip(row, columns, strict=True)])
    return file.getvalue().encode()


def _text(cell: Cell, column: Column) -> str:
    if cell is None:
        return ""
    if isinstance(cell, str):
        return escape_formula(cell) if column.kind is Kind.TEXT else cell
    # No exponent: 1e-06 is text to some readers.
    return f"{cell:.6f}".rstrip("0").rstrip(".") if isinstance(cell, float) else str(cell)
