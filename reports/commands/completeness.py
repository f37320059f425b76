"""``afterdose completeness``: the rules by which a report is called complete."""

from __future__ import annotations

import sys
from argparse import Namespace
from pathlib import Path
from typing import Any, Final

from reports.commands.opening import open_home, read_bytes
from reports.commands.printing import print_rows, tell
from safety.access import CONSOLE
from safety.completeness import Rule, default_text
from safety.errors import BadInputFile, StoreMissing
from safety.settings import completeness_rules, completeness_text, set_completeness_rules

_COLUMNS: Final = ("id", "looks_at", "need", "weight", "applies", "add")


def run(arguments: Namespace) -> int:
    """List the rules in use, print a file to edit, or load one."""
    if arguments.template:
        return _template(arguments)
    if arguments.load is not None:
        return _load(arguments)
    with open_home(arguments) as store:
        found = completeness_rules(store, CONSOLE)
    print_rows(map(_record, found.rules), _COLUMNS, arguments.format)
    tell(f"Version {found.version}." if found.version else "The defaults of Afterdose.")
    return 0


def _record(rule: Rule) -> dict[str, Any]:
    return {
        "id": rule.id,
        "looks_at": rule.subject,
        "need": str(rule.need),
        "weight": rule.weight,
        "applies": str(rule.applies),
        "add": rule.add,
    }


def _template(arguments: Namespace) -> int:
    """Print the rules in use as they were loaded; without a store, the defaults."""
    try:
        with open_home(arguments) as store:
            text = completeness_text(store, CONSOLE)
    except StoreMissing:
        text = default_text()
    sys.stdout.write(text)
    return 0


def _load(arguments: Namespace) -> int:
    text = _read(arguments.load)
    with open_home(arguments) as store:
        set_completeness_rules(store, CONSOLE, text)
        found = completeness_rules(store, CONSOLE)
    tell(f"{len(found.rules)} rules: version {found.version}")
    return 0


def _read(path: Path) -> str:
    try:
        return read_bytes(path).decode("utf-8-sig")
    except UnicodeDecodeError:
        raise BadInputFile("The file is not UTF-8 text. Save it as UTF-8.") from None
