from __future__ import annotations

import random
import re
import zipfile
from pathlib import Path

import pytest
from openpyxl import Workbook

from safety.errors import BadInputFile
from safety.vocabulary import OfficialWording, read_ctcae_workbook, vocabulary
from tests.unit.vocabulary.conftest import HEADING, NAUSEA, SYNCOPE, WorkbookMaker

GRADES = {1: "made-up one", 2: "made-up two", 3: "made-up three"}


@pytest.fixture
def wording(make_workbook: WorkbookMaker) -> OfficialWording:
    return read_ctcae_workbook(make_workbook())


def test_grades_are_read_and_dashes_are_no_grades(wording: OfficialWording) -> None:
    assert wording.texts("Nausea") == GRADES
    assert wording.texts("Syncope") == {3: "made-up three"}
    assert wording.texts("Not there") == {}


def test_class_and_definition_are_read(wording: OfficialWording) -> None:
    nausea = wording.find("nausea")
    assert nausea is not None
    assert nausea.soc == "Gastrointestinal disorders"
    assert nausea.definition == "A made-up definition."


def test_codes_of_meddra_are_left_behind(wording: OfficialWording) -> None:
    assert "9000000" not in repr(wording)


def test_a_workbook_without_code_class_and_definition_is_enough(
    make_workbook: WorkbookMaker,
) -> None:
    path = make_workbook([HEADING[2:8], NAUSEA[2:8]])
    assert read_ctcae_workbook(path).texts("Nausea") == GRADES


def test_the_heading_may_stand_below_a_title(make_workbook: WorkbookMaker) -> None:
    path = make_workbook([["Criteria"], [], HEADING, [], NAUSEA])
    assert read_ctcae_workbook(path).texts("Nausea") == GRADES


@pytest.mark.parametrize(
    ("title", "above", "file_name", "version"),
    [
        ("CTCAE v5.0 Clean Copy", "x", "a.xlsx", "5.0"),
        ("CTCAE 5", "x", "a.xlsx", "5.0"),
        ("Sheet", "Criteria (CTCAE) Version 5.0, 2017", "a.xlsx", "5.0"),
        ("Sheet", "x", "CTCAE_v5.0_2017-11-27.xlsx", "5.0"),
        ("CTCAE 2017", "x", "a.xlsx", "not stated"),
        ("Sheet", "x", "a.xlsx", "not stated"),
    ],
)
def test_the_version_is_read_from_sheet_heading_or_file_name(
    make_workbook: WorkbookMaker, title: str, above: str, file_name: str, version: str
) -> None:
    path = make_workbook([[above], HEADING[:-1], NAUSEA], title, file_name)
    assert read_ctcae_workbook(path).version == version


def test_another_version_is_refused(make_workbook: WorkbookMaker) -> None:
    with pytest.raises(BadInputFile, match=r"This workbook is CTCAE 6\.0, but grades are stored"):
        read_ctcae_workbook(make_workbook(title="CTCAE v6.0"))


def test_a_comparison_names_what_matches_lacks_and_differs(make_workbook: WorkbookMaker) -> None:
    four = (*NAUSEA[:6], "made-up four", *NAUSEA[7:])
    wording = read_ctcae_workbook(make_workbook([HEADING, four, SYNCOPE]))
    comparison = wording.compared_with(vocabulary().terms)
    assert [term.id for term in comparison.matched] == ["syncope", "nausea"]
    assert len(comparison.missing) == 76
    assert [str(each) for each in comparison.mismatches] == [
        "Nausea: grades 1 to 3 here, grades 1 to 4 in the workbook"
    ]


def test_rows_come_back_as_they_were(wording: OfficialWording) -> None:
    back = OfficialWording.from_rows(wording.version, reversed(wording.rows()))
    assert sorted(back.rows()) == sorted(wording.rows())
    assert back.texts("Nausea") == wording.texts("Nausea")
    assert list(back.texts("Nausea")) == [1, 2, 3]


def test_only_what_the_vocabulary_shows_need_be_stored(wording: OfficialWording) -> None:
    kept = wording.limited_to(vocabulary().terms)
    assert {name for name, _, _ in kept.rows()} == {"Nausea", "Syncope"}
    assert kept.version == wording.version


def test_loaded_wording_is_shown_and_the_rest_stays(wording: OfficialWording) -> None:
    words = vocabulary().with_official(wording)
    nausea, vomiting = words.find("felt sick"), words.find("vomiting")
    assert [nausea.wording_for(grade) for grade in nausea.grades] == list(GRADES.values())
    assert nausea.official_version == "5.0"
    assert vomiting.wording_for(1) == vocabulary().get("vomiting").wording[1]
    assert vomiting.official_version is None
    assert vocabulary().get("nausea").official == {}


def test_a_workbook_cannot_add_a_grade(make_workbook: WorkbookMaker) -> None:
    four = (*NAUSEA[:6], "made-up four", *NAUSEA[7:])
    wording = read_ctcae_workbook(make_workbook([HEADING, four]))
    assert vocabulary().with_official(wording).get("nausea").grades == (1, 2, 3)


def test_a_wrong_size_written_in_the_sheet_loses_no_rows(
    make_workbook: WorkbookMaker, tmp_path: Path
) -> None:
    with (
        zipfile.ZipFile(make_workbook()) as whole,
        zipfile.ZipFile(tmp_path / "b.xlsx", "w") as lying,
    ):
        for name in whole.namelist():
            content = re.sub(rb'<dimension ref="[^"]*"', b'<dimension ref="A1"', whole.read(name))
            lying.writestr(name, content)
    assert read_ctcae_workbook(tmp_path / "b.xlsx").texts("Nausea") == GRADES


def refused(path: Path) -> str:
    with pytest.raises(BadInputFile) as error:
        read_ctcae_workbook(path)
    assert str(path) not in str(error.value)
    return str(error.value)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    assert "is not there" in refused(tmp_path / "none.xlsx")


@pytest.mark.parametrize("content", [b"term,grade\n", b"PK\x03\x04", b"\xd0\xcf\x11\xe0" * 200])
def test_a_file_that_is_no_workbook_is_refused(tmp_path: Path, content: bytes) -> None:
    (tmp_path / "a.xlsx").write_bytes(content)
    assert "not an .xlsx workbook" in refused(tmp_path / "a.xlsx")


def test_a_folder_is_refused(tmp_path: Path) -> None:
    assert "not an .xlsx workbook" in refused(tmp_path)


def test_an_empty_file_is_refused(tmp_path: Path) -> None:
    (tmp_path / "a.xlsx").touch()
    assert refused(tmp_path / "a.xlsx") == "The workbook is empty."


def test_a_zip_file_of_something_else_is_refused(tmp_path: Path) -> None:
    with zipfile.ZipFile(tmp_path / "a.xlsx", "w") as archive:
        archive.writestr("a.txt", "a")
    assert "damaged" in refused(tmp_path / "a.xlsx")


def test_a_file_over_20_mb_is_refused(tmp_path: Path) -> None:
    with (tmp_path / "a.xlsx").open("wb") as file:
        file.truncate(20_000_001)
    assert "larger than 20 MB" in refused(tmp_path / "a.xlsx")


def test_a_file_that_unpacks_to_too_much_is_refused(
    make_workbook: WorkbookMaker, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("safety.vocabulary.workbook._MOST_UNPACKED", 1_000)
    assert "unpacks to more than" in refused(make_workbook())


def test_an_empty_workbook_is_refused(tmp_path: Path) -> None:
    Workbook().save(tmp_path / "a.xlsx")
    assert "No sheet of this workbook has the columns" in refused(tmp_path / "a.xlsx")


@pytest.mark.parametrize("missing", HEADING[2:8])
def test_a_missing_column_is_refused(make_workbook: WorkbookMaker, missing: str) -> None:
    heading = [name if name != missing else "Something else" for name in HEADING]
    assert "No sheet of this workbook has the columns" in refused(make_workbook([heading, NAUSEA]))


def test_a_heading_without_terms_is_refused(make_workbook: WorkbookMaker) -> None:
    assert "holds no terms" in refused(make_workbook([HEADING]))


def test_a_workbook_of_other_terms_is_refused(make_workbook: WorkbookMaker) -> None:
    strange = (*NAUSEA[:2], "Made-up term", *NAUSEA[3:])
    assert "none of the terms" in refused(make_workbook([HEADING, strange]))


def test_a_damaged_workbook_is_read_or_refused_and_nothing_else(
    make_workbook: WorkbookMaker, tmp_path: Path
) -> None:
    whole = make_workbook().read_bytes()
    chance = random.Random(5)
    refusals = 0
    for _ in range(60):
        damaged = bytearray(whole[: chance.choice([len(whole), chance.randrange(len(whole))])])
        if damaged:
            damaged[chance.randrange(len(damaged))] ^= 1 << chance.randrange(8)
        (tmp_path / "b.xlsx").write_bytes(damaged)
        try:
            read_ctcae_workbook(tmp_path / "b.xlsx")
        except BadInputFile:
            refusals += 1
    assert refusals > 30


def test_an_encrypted_entry_is_refused(make_workbook: WorkbookMaker, tmp_path: Path) -> None:
    raw = bytearray(make_workbook().read_bytes())
    for found in re.finditer(rb"PK\x01\x02", bytes(raw)):
        raw[found.start() + 8] |= 1  # the flag "encrypted" in the central directory
    (tmp_path / "b.xlsx").write_bytes(raw)
    assert "damaged" in refused(tmp_path / "b.xlsx")
