"""``afterdose protocols``, ``vocabulary``, ``users``, ``demo`` and ``version``."""

from __future__ import annotations

import csv
import io
from pathlib import Path

import pytest
from openpyxl import Workbook

from safety import __version__
from tests.support.command_line import Desk


def test_protocols_can_be_listed_with_every_name_that_finds_them(clinic: Desk) -> None:
    found = clinic.run("protocols", "--format", "json").json()
    assert [list(row)[:3] for row in found] == [["id", "name", "synonyms"]] * 6
    assert found[0]["id"] == "iv_ketamine_depression_induction"
    assert "IV induction" in found[0]["synonyms"]
    assert clinic.run("protocols", "list", "--format", "json").json() == found
    assert "iv_ketamine_depression_induction" in clinic.run("protocols").out


def test_the_template_can_be_edited_and_loaded(clinic: Desk) -> None:
    template = clinic.run("protocols", "template").out
    same = clinic.file("protocols.toml", template)
    assert (
        "iv_ketamine_depression_induction: version 1" in clinic.run("protocols", "load", same).err
    )
    slower = template.replace("infusion_minutes = 40", "infusion_minutes = 60", 1)
    done = clinic.run("protocols", "load", clinic.file("slower.toml", slower))
    assert done.status == 0
    assert "iv_ketamine_depression_induction: version 2" in done.err
    [first, *_] = clinic.run("protocols", "--format", "json").json()
    assert (first["version"], first["dose"]) == (2, "0.5 mg/kg over 60 min")


def test_the_template_needs_no_store(desk: Desk) -> None:
    assert desk.run("protocols", "template").out.startswith("# Protocols of this clinic.")


def test_a_protocol_file_that_cannot_be_right_is_refused(clinic: Desk) -> None:
    done = clinic.run("protocols", "load", clinic.file("bad.toml", "[x_y]\nname = 1"))
    assert done.status == 1
    assert "x_y: name: must be text" in done.err
    assert clinic.run("protocols", "load", clinic.folder / "none.toml").status == 1


def test_the_vocabulary_needs_no_store_and_says_which_grades_exist(desk: Desk) -> None:
    found = desk.run("vocabulary", "--format", "json").json()
    assert all(list(row)[:4] == ["id", "name", "synonyms", "grades"] for row in found)
    [nausea] = [row for row in found if row["id"] == "nausea"]
    assert nausea["grades"] == [1, 2, 3]
    assert desk.run("vocabulary", "list", "--format", "json").json() == found
    listed = list(csv.DictReader(io.StringIO(desk.run("vocabulary", "--format", "csv").out)))
    assert [row["grades"] for row in listed if row["id"] == "nausea"] == ["1; 2; 3"]


def test_groups_name_their_members(desk: Desk) -> None:
    found = desk.run("vocabulary", "groups", "--format", "json").json()
    [group] = [row for row in found if row["id"] == "grouped_nausea_or_vomiting"]
    assert group["members"] == ["nausea", "vomiting"]


def test_a_loaded_workbook_shows_its_wording(clinic: Desk, tmp_path: Path) -> None:
    workbook = Workbook()
    sheet = workbook.active
    sheet.title = "CTCAE v5.0"
    sheet.append(["CTCAE Term", *(f"Grade {grade}" for grade in range(1, 6))])
    sheet.append(["Nausea", "made-up one", "made-up two", "made-up three", "-", "-"])
    workbook.save(tmp_path / "wording.xlsx")
    before = clinic.run("vocabulary", "list", "--wording", "--format", "json").json()
    done = clinic.run("vocabulary", "load", tmp_path / "wording.xlsx")
    assert done.status == 0
    assert "CTCAE 5.0: 1 terms found, 3 texts kept." in done.err
    after = clinic.run("vocabulary", "list", "--wording", "--format", "json").json()
    assert {"id": "nausea", "grade": 2, "wording": "made-up two"} in after
    assert len(after) == len(before)


def test_accounts_are_added_listed_closed_and_given_passwords(clinic: Desk) -> None:
    password = ("--password-file", clinic.password)
    assert clinic.run("users", "add", "nora", "--role", "nurse", *password).status == 0
    found = clinic.run("users", "--format", "json").json()
    assert [(row["username"], row["role"], row["active"]) for row in found] == [
        ("ida", "director", True),
        ("nora", "nurse", True),
    ]
    other = clinic.file("other", "copper willow saddle 91")
    assert clinic.run("users", "password", "nora", "--password-file", other).status == 0
    assert clinic.run("users", "close", "Nora").status == 0
    assert clinic.run("users", "list", "--format", "json").json()[1]["active"] is False
    assert "password" not in clinic.run("users", "--format", "json").out


@pytest.mark.parametrize(
    ("arguments", "status", "message"),
    [
        (("close", "ida"), 1, "only active medical director"),
        (("close", "nobody"), 1, "There is no account of this name"),
        (("add", "nora", "--role", "surgeon"), 2, "invalid choice"),
        (("add", "ida", "--role", "nurse", "--password-file", "PASSWORD"), 1, "is taken"),
    ],
)
def test_what_cannot_be_done_with_an_account_says_why(
    clinic: Desk, arguments: tuple[str, ...], status: int, message: str
) -> None:
    given = [clinic.password if part == "PASSWORD" else part for part in arguments]
    done = clinic.run("users", *given)
    assert done.status == status
    assert message in done.err


def test_the_demonstration_lies_beside_and_is_made_once(desk: Desk) -> None:
    first = desk.run("demo", "--format", "json").json()
    assert Path(first["home"]).parent == desk.home.parent
    assert not desk.home.exists()
    roles = {account["role"] for account in first["accounts"]}
    assert roles == {"nurse", "charge", "director", "compliance", "administrator"}
    assert all(len(account["password"]) >= 15 for account in first["accounts"])
    desk.home = Path(first["home"])
    about = desk.run("unlock", "--format", "json").json()
    assert about["sessions"] > 2_000
    desk.home = desk.folder / "home"
    table = desk.run("demo")
    assert first["accounts"][0]["password"] in table.out
    desk.home = Path(first["home"])
    assert desk.run("unlock", "--format", "json").json() == about


def test_version_is_said_in_two_ways(desk: Desk) -> None:
    assert desk.run("version").out == f"afterdose {__version__}\n"
    assert desk.run("--version").out == f"afterdose {__version__}\n"
