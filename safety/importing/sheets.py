"""Reading a CSV file as rows of cells under a heading, with what is wrong with the file itself."""

from __future__ import annotations

import csv
import re
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Final, TextIO

Cells = list[str]
"""The cells of one row as the file has them, as many as the heading has columns."""

_COLUMN_NAME: Final = re.compile("[a-z][a-z0-9_]{0,59}")


@dataclass(frozen=True, slots=True)
class RowError:
    """One thing that is wrong. ``row`` counts as a spreadsheet does: the heading is row 1."""

    file: str
    row: int
    column: str
    message: str


class Sheet:
    """One CSV file: its heading is checked once, its rows are read one at a time.

    ``heading`` names the columns once the first row was read. ``errors`` collects what is wrong
    with the file and with the shape of its rows. ``whole`` says that the file was read to its end;
    ``lost`` holds every cell of the rows that were passed over for their shape, so that nothing is
    said to be missing that stands in one of them.
    """

    def __init__(self, path: Path, known: frozenset[str], required: tuple[str, ...]) -> None:
        self.path = path
        self.name = path.name
        self.heading: tuple[str, ...] = ()
        self.errors: list[RowError] = []
        self.whole = False
        self.lost: set[str] = set()
        self._known = known
        self._required = required

    def rows(self) -> Iterator[tuple[int, Cells]]:
        """Row number and cells, spaces around them included. Blank rows are passed over."""
        try:
            with self.path.open(encoding="utf-8-sig", newline="") as file:
                yield from self._read(file)
        except FileNotFoundError:
            self._error(0, "", "The file does not exist. Check the path.")
        except IsADirectoryError:
            self._error(0, "", "This is a folder, not a file.")
        except UnicodeDecodeError:
            self._error(0, "", "The file is not UTF-8 text. Save it as CSV UTF-8.")
        except OSError as cause:
            self._error(0, "", f"The file cannot be read ({cause.strerror}).")

    def _read(self, file: TextIO) -> Iterator[tuple[int, Cells]]:
        reader = csv.reader(_without_nul(file), strict=True)
        number = 0
        try:
            heading = next(reader, None)
            number = 1
            if not self._heading_holds(heading):
                return
            self.heading = tuple([name.strip() for name in heading or ()])
            width = len(self.heading)
            for cells in reader:
                number += 1
                if not any(map(str.strip, cells)):
                    continue
                if len(cells) == width:
                    yield number, cells
                else:
                    self._lose(number, cells)
            self.whole = True
        except csv.Error as cause:
            self._error(number + 1, "", f"The row is not CSV ({_csv_reason(cause)}).")

    def _heading_holds(self, heading: list[str] | None) -> bool:
        if not heading or not any(cell.strip() for cell in heading):
            self._error(1, "", "The file is empty: its first row must name the columns.")
            return False
        names = [name.strip() for name in heading]
        if len(names) == 1 and ";" in names[0]:
            text = "The columns are separated by semicolons. Save the file with commas."
            self._error(1, "", text)
            return False
        if len(names) == 1 and "\t" in names[0]:
            self._error(1, "", "The columns are separated by tabs. Save the file with commas.")
            return False
        if self._known.isdisjoint(names):
            text = (
                "The first row names no column that Afterdose knows. It must be the heading, with "
                f"at least {', '.join(self._required)}."
            )
            self._error(1, "", text)
            return False
        for place, name in enumerate(names, start=1):
            self._check_name(place, name, names)
        for name in self._required:
            if name not in names:
                self._error(1, name, "The column is missing. It is required.")
        return not self.errors

    def _check_name(self, place: int, name: str, names: list[str]) -> None:
        if name not in self._known:
            # A heading that ran into the first row holds more than names of columns.
            shown = name if _COLUMN_NAME.fullmatch(name) else f"column {place}"
            self._error(1, shown, "The column is not known. Correct its name or take it out.")
        elif names.index(name) != place - 1:
            self._error(1, name, "The column is there twice. Take one out.")

    def _lose(self, number: int, cells: Cells) -> None:
        self.lost.update(cell.strip() for cell in cells)
        self._error(
            number,
            "",
            f"The row has {len(cells)} cells, the heading has {len(self.heading)}. Is a comma "
            "missing, or one too many outside quotes?",
        )

    def _error(self, row: int, column: str, message: str) -> None:
        self.errors.append(RowError(self.name, row, column, message))


def _without_nul(file: TextIO) -> Iterator[str]:
    for line in file:
        if "\0" in line:
            raise csv.Error("line contains NUL")
        yield line


def _csv_reason(cause: csv.Error) -> str:
    said = str(cause)
    if "NUL" in said:
        return "it holds a NUL byte; is this really a CSV file?"
    if "field larger" in said:
        return "a cell is longer than 128 kB; is a quotation mark missing?"
    return "a quotation mark is missing or misplaced"
