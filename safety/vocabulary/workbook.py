"""Read the National Cancer Institute's CTCAE workbook."""

from __future__ import annotations

import re
import warnings
import zipfile
import zlib
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from safety.errors import BadInputFile
from safety.vocabulary.catalogue import vocabulary
from safety.vocabulary.official import NOT_STATED, OfficialTerm, OfficialWording
from safety.vocabulary.terms import CTCAE_VERSION

_MOST_BYTES: Final = 20_000_000
_MOST_UNPACKED: Final = 200_000_000  # the workbook of 2017 unpacks to 0.7 MB
_MOST_ROWS: Final = 20_000
_MOST_COLUMNS: Final = 60
_HEADING_WITHIN: Final = 20

_GRADES: Final = {f"grade {grade}": grade for grade in range(1, 6)}
_SOC: Final = ("meddra soc", "ctcae soc", "soc", "system organ class")
_NO_GRADE: Final = frozenset({"", "-", "\u2013", "\u2014"})
_VERSION: Final = re.compile(r"CTCAE\D{0,20}?(\d{1,2})(?:\.(\d))?(?!\d)", re.IGNORECASE)

# What openpyxl lets through when the inside of a workbook is damaged.
_DAMAGED: Final = (
    AttributeError,
    EOFError,
    LookupError,
    OSError,
    RuntimeError,  # an encrypted entry, a compression that is not supported
    SyntaxError,  # the base of xml.etree's ParseError
    TypeError,
    ValueError,
    zipfile.BadZipFile,
    zlib.error,
)

Row = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class _Sheet:
    title: str
    rows: tuple[Row, ...]


@dataclass(frozen=True, slots=True)
class _Columns:
    """Where the columns stand. There is no place for the MedDRA code: it is licensed."""

    term: int
    grades: dict[int, int]
    soc: int | None
    definition: int | None


def read_ctcae_workbook(path: Path) -> OfficialWording:
    """Return the wording of the CTCAE workbook at ``path``, without its MedDRA codes.

    Raises :class:`BadInputFile` when the file is no workbook or over 20 MB, when no sheet has
    CTCAE's columns and any of our terms, or when its version is not the one that grades here.
    """
    _refuse_unreadable(path)
    sheets = _sheets(path)
    for sheet in sheets:
        heading = _heading(sheet.rows)
        if heading is not None:
            place, columns = heading
            terms = tuple(_terms(sheet.rows[place + 1 :], columns))
            wording = OfficialWording(_version(path, sheet, place), terms)
            return _checked(wording)
    raise BadInputFile(
        'No sheet of this workbook has the columns "CTCAE Term" and "Grade 1" to "Grade 5". '
        "Is it the CTCAE workbook of the National Cancer Institute?"
    )


def _checked(wording: OfficialWording) -> OfficialWording:
    if not wording.terms:
        raise BadInputFile("The sheet with CTCAE's columns holds no terms.")
    if not wording.compared_with(vocabulary().terms).matched:
        raise BadInputFile("The sheet with CTCAE's columns holds none of the terms in use here.")
    if not wording.fits():
        raise BadInputFile(
            f"This workbook is CTCAE {wording.version}, but grades are stored by CTCAE "
            f"{CTCAE_VERSION}. Load the workbook of version {CTCAE_VERSION}."
        )
    return wording


def _refuse_unreadable(path: Path) -> None:
    try:
        size = path.stat().st_size
    except OSError:
        raise BadInputFile("The workbook is not there, or may not be read.") from None
    if size == 0:
        raise BadInputFile("The workbook is empty.")
    if size > _MOST_BYTES:
        raise BadInputFile("The workbook is larger than 20 MB. The CTCAE workbook has 0.1 MB.")
    try:
        with zipfile.ZipFile(path) as archive:
            unpacked = sum(entry.file_size for entry in archive.infolist())
    except _DAMAGED:
        raise BadInputFile("This is not an .xlsx workbook. Save it as .xlsx first.") from None
    if unpacked > _MOST_UNPACKED:
        raise BadInputFile("The workbook unpacks to more than 200 MB.")


def _sheets(path: Path) -> list[_Sheet]:
    from openpyxl import load_workbook

    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")  # on styles and extensions that are not read anyway
            workbook = load_workbook(path, read_only=True, data_only=True, keep_links=False)
            try:
                return [_Sheet(sheet.title, tuple(_rows(sheet))) for sheet in workbook.worksheets]
            finally:
                workbook.close()
    except _DAMAGED:
        raise BadInputFile("The workbook is damaged, or is not an .xlsx workbook.") from None


def _rows(sheet: Any) -> Iterator[Row]:
    # Bounds of our own: some programs write a wrong size into the sheet, and rows would be lost.
    for row in sheet.iter_rows(max_row=_MOST_ROWS, max_col=_MOST_COLUMNS, values_only=True):
        yield tuple("" if cell is None else " ".join(str(cell).split()) for cell in row)


def _heading(rows: Sequence[Row]) -> tuple[int, _Columns] | None:
    for place, row in enumerate(rows[:_HEADING_WITHIN]):
        names = [cell.casefold() for cell in row]
        grades = {grade: names.index(name) for name, grade in _GRADES.items() if name in names}
        if "ctcae term" in names and len(grades) == len(_GRADES):
            soc = next((names.index(name) for name in _SOC if name in names), None)
            definition = names.index("definition") if "definition" in names else None
            return place, _Columns(names.index("ctcae term"), grades, soc, definition)
    return None


def _terms(rows: Sequence[Row], columns: _Columns) -> Iterator[OfficialTerm]:
    for row in rows:
        texts = {grade: _cell(row, place) for grade, place in columns.grades.items()}
        grades = {grade: text for grade, text in texts.items() if text not in _NO_GRADE}
        name = _cell(row, columns.term)
        if name and grades:
            soc, definition = _cell(row, columns.soc), _cell(row, columns.definition)
            yield OfficialTerm(name, grades, soc, definition)


def _cell(row: Row, place: int | None) -> str:
    return row[place] if place is not None and place < len(row) else ""


def _version(path: Path, sheet: _Sheet, heading: int) -> str:
    cells = [cell for row in sheet.rows[: heading + 1] for cell in row]
    for text in (sheet.title, *cells, path.name):
        found = _VERSION.search(text)
        if found:
            return f"{found[1]}.{found[2] or 0}"
    return NOT_STATED
