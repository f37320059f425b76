"""XLSX for people: the same tables as the CSV files, and a sheet that says what they are.

XlsxWriter writes the same bytes for the same input once the creation time is given, and stores
text as text; openpyxl would turn ``=1+1`` into a live formula.
"""

from __future__ import annotations

import io
from collections.abc import Iterable
from datetime import UTC
from typing import Any, Final

from reports.quarterly.content import PackageContent
from reports.quarterly.sheets import Cell, Column, Kind, Sheet
from reports.rows import PATIENT_MONTH

TITLE: Final = "Quality and safety report"
_OPTIONS: Final = {
    "in_memory": True,
    "strings_to_formulas": False,
    "strings_to_urls": False,
    "strings_to_numbers": False,
}
_Looks = tuple[Any, Any]  # the format of text and of a number; XlsxWriter has no types
_WIDTH: Final = {Kind.TEXT: 30, Kind.COUNT: 12, Kind.AMOUNT: 12, Kind.ESTIMATE: 12}


def xlsx_bytes(
    content: PackageContent, about: Iterable[tuple[str, str]], tables: Iterable[Sheet]
) -> bytes:
    """The workbook: a sheet About with ``about`` as its lines, then one sheet for each table."""
    from xlsxwriter import Workbook  # type: ignore[import-untyped]

    file = io.BytesIO()
    book = Workbook(file, _OPTIONS)
    created = content.created_at.astimezone(UTC).replace(tzinfo=None)
    book.set_properties({"title": TITLE, "company": content.clinic, "created": created})
    formats = _Formats(book)
    _write_about(book.add_worksheet("About"), about, formats)
    for sheet in tables:
        _write_sheet(book.add_worksheet(sheet.name), sheet, formats)
    book.close()
    return file.getvalue()


class _Formats:
    """The looks of cells, made once for a workbook."""

    def __init__(self, book: Any) -> None:
        self.header: Any = book.add_format({"bold": True, "bottom": 1, "text_wrap": True})
        self.text: Any = book.add_format({"valign": "top", "text_wrap": True})
        self.hidden: Any = book.add_format({"align": "right", "italic": True})
        self.count: Any = book.add_format({"num_format": "#,##0"})
        self.months: Any = book.add_format({"num_format": "#,##0.0"})
        self.percent: Any = book.add_format({"num_format": "0.0%"})
        self.rate: Any = book.add_format({"num_format": "0.00"})


def _write_about(page: Any, about: Iterable[tuple[str, str]], formats: _Formats) -> None:
    page.set_column(0, 0, 24)
    page.set_column(1, 1, 100)
    for line, (name, text) in enumerate(about):
        page.write_string(line, 0, name, formats.header)
        page.write_string(line, 1, text, formats.text)


def _write_sheet(page: Any, sheet: Sheet, formats: _Formats) -> None:
    page.freeze_panes(1, 0)
    for place, column in enumerate(sheet.columns):
        page.set_column(place, place, _WIDTH[column.kind])
        page.write_string(0, place, column.name, formats.header)
    for line, row in enumerate(sheet.rows, start=1):
        over_time = PATIENT_MONTH in row
        for place, (cell, column) in enumerate(zip(row, sheet.columns, strict=True)):
            _write_cell(page, (line, place), cell, _look(column, formats, over_time=over_time))


def _write_cell(page: Any, place: tuple[int, int], cell: Cell, looks: _Looks) -> None:
    for_text, for_number = looks
    if isinstance(cell, str):
        page.write_string(*place, cell, for_text)
    elif cell is not None:
        page.write_number(*place, cell, for_number)


def _look(column: Column, formats: _Formats, *, over_time: bool) -> _Looks:
    """The format of text and of a number in a column."""
    if column.kind is Kind.TEXT:
        return formats.text, formats.count
    if column.kind is Kind.COUNT or (column.kind is Kind.AMOUNT and not over_time):
        return formats.hidden, formats.count
    if column.kind is Kind.AMOUNT:
        return formats.hidden, formats.months
    return formats.hidden, formats.rate if over_time else formats.percent
