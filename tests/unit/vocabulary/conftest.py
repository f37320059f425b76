"""A small made-up workbook in the shape of the National Cancer Institute's."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from pathlib import Path

import pytest
from openpyxl import Workbook

HEADING = (
    "MedDRA Code",
    "MedDRA SOC",
    "CTCAE Term",
    *(f"Grade {grade} \xa0\xa0" for grade in range(1, 6)),
    "Definition",
    "CTCAE v5.0 Change",
)
NAUSEA = (
    90000001,
    "Gastrointestinal disorders",
    "Nausea",
    "made-up one",
    "made-up\n\ntwo",
    "made-up three",
    " -",
    " -",
    "A made-up definition.",
    "none",
)
SYNCOPE = (
    90000002,
    "Nervous system disorders",
    "Syncope",
    *(" -", "-", "made-up three", " -", None),
    "Another.",
    None,
)
OUTSIDER = (90000003, "Made-up disorders", "Made-up term", "a", "b", "c", "d", "e", "f", None)

Rows = Sequence[Sequence[object]]
WorkbookMaker = Callable[..., Path]


@pytest.fixture
def make_workbook(tmp_path: Path) -> WorkbookMaker:
    def make(
        rows: Rows = (HEADING, NAUSEA, SYNCOPE, OUTSIDER),
        title: str = "CTCAE v5.0 Clean Copy",
        file_name: str = "wording.xlsx",
    ) -> Path:
        workbook = Workbook()
        workbook.active.title = "Notes"
        sheet = workbook.create_sheet(title)
        for row in rows:
            sheet.append(list(row))
        workbook.save(tmp_path / file_name)
        return tmp_path / file_name

    return make
