"""Tables of the documentation are those of the code, and leave nothing out."""

from __future__ import annotations

from pathlib import Path
from typing import Final
from zoneinfo import ZoneInfo

import pytest

from docs import import_columns, tables
from docs.command_line import arguments, command_text, commands
from safety import errors
from safety.access import PERMITTED, Action, Role
from safety.errors import AfterdoseError, InvalidReport
from safety.importing import columns
from safety.importing.building import Names
from safety.vocabulary import seed_protocols, vocabulary
from safety.vocabulary.protocols import protocol_index
from tests.support.builders import TIMEZONE
from tests.support.rows import build_event, build_session

ROOT: Final = tables.ROOT
NAMES: Final = Names(vocabulary(), protocol_index(seed_protocols()), lambda _: ZoneInfo(TIMEZONE))
SESSION: Final = {
    "session_ref": "S-1",
    "site": "Main Street",
    "patient_mrn": "A1",
    "protocol": "IV induction",
    "started_at": "2026-03-02T10:00",
}
EVENT: Final = {"session_ref": "S-1", "term": "cystitis_noninfective", "grade": "1"}
RENEW: Final = "run: .venv/bin/python -m docs.tables"


@pytest.mark.parametrize("page", tables.pages(), ids=lambda page: page.relative_to(ROOT).as_posix())
def test_the_tables_of_a_page_are_up_to_date(page: Path) -> None:
    text = page.read_text(encoding="utf-8")
    assert tables.renewed(text) == text, RENEW


def test_every_table_that_can_be_made_stands_on_a_page() -> None:
    text = "".join(page.read_text(encoding="utf-8") for page in tables.pages())
    assert [name for name in tables.TABLES if f"<!-- begin: {name} -->" not in text] == []


def test_every_command_has_its_place_in_the_reference() -> None:
    text = _page("docs/cli.md")
    assert [name for name in commands() if f"<!-- begin: command {name} -->" not in text] == []
    top = {name.split()[0] for name in commands()} - {"before"}
    assert {name for name in top if f"\n## {name}\n" not in text} == set()


def test_every_argument_and_option_of_a_command_is_explained() -> None:
    bare = [
        f"{name}: {line}"
        for name in commands()
        for line in command_text(name).splitlines()
        if line.endswith("|  |")
    ]
    assert bare == []


def test_every_option_is_named_in_the_table_of_its_command() -> None:
    missing = [
        f"{name} {option}"
        for name, parser in commands().items()
        for each in arguments(parser)
        for option in each.option_strings[:1]
        if f"| `{option}" not in command_text(name)
    ]
    assert missing == []


def test_every_column_of_the_import_has_its_line() -> None:
    assert set(import_columns.SESSIONS) == columns.SESSIONS_COLUMNS
    assert set(import_columns.EVENTS) == columns.EVENTS_COLUMNS


@pytest.mark.parametrize("column", import_columns.RANGES)
def test_the_range_that_is_printed_is_the_range_that_is_enforced(column: str) -> None:
    bounds = import_columns.RANGES[column]
    assert not _complaints(column, f"{bounds.low:g}")
    assert not _complaints(column, f"{bounds.high:g}")
    assert _complaints(column, f"{bounds.low - 1:g}")
    assert _complaints(column, f"{bounds.high + 1:g}")


@pytest.mark.parametrize("column", import_columns.LENGTHS)
def test_the_length_that_is_printed_is_the_length_that_is_enforced(column: str) -> None:
    longest = import_columns.LENGTHS[column]
    assert not _complaints(column, "x" * longest)
    assert _complaints(column, "x" * (longest + 1))


def _complaints(column: str, cell: str) -> list[str]:
    """What the import says about one cell in an otherwise ordinary row."""
    if column in import_columns.EVENTS and column != "session_ref":
        _, wrong = build_event(EVENT | {column: cell}, NAMES)
    else:
        wrong = build_session(SESSION | {column: cell}, (), NAMES).wrong
    return [message for at, message in wrong if at == column]


def test_every_role_and_action_is_in_the_table_of_access() -> None:
    lines = {line.split("|")[1].strip(): line for line in tables.access_table().splitlines()[2:]}
    assert set(lines) == {f"`{action}`" for action in Action}
    for action, allowed in PERMITTED.items():
        cells = [cell.strip() for cell in lines[f"`{action}`"].split("|")[3:-1]]
        assert dict(zip(Role, cells, strict=True)) == {
            role: "yes" if role in allowed else "" for role in Role
        }


def test_every_error_is_explained_with_its_exit_status() -> None:
    text = _page("docs/errors.md")
    classes = [
        each
        for each in vars(errors).values()
        if isinstance(each, type) and issubclass(each, AfterdoseError)
    ]
    assert InvalidReport in classes
    wanted = [f"| `{each.__name__}` | {each.exit_status} |" for each in classes]
    assert [line for line in wanted if line not in text] == []


def _page(name: str) -> str:
    return (ROOT / name).read_text(encoding="utf-8")
