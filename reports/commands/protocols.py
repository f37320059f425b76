"""``afterdose protocols``: what can be named in the column ``protocol``."""

from __future__ import annotations

import sys
from argparse import Namespace
from typing import Any, Final

from reports.commands.opening import open_home, read_bytes
from reports.commands.printing import print_rows, tell
from safety.access import CONSOLE
from safety.errors import StoreMissing
from safety.protocols import add_protocols, list_protocols
from safety.vocabulary import Protocol, parse_protocols, seed_protocols
from safety.vocabulary import protocols as files

_COLUMNS: Final = (
    "id",
    "name",
    "synonyms",
    "version",
    "drug",
    "route",
    "dose",
    "phase",
    "planned_interval_days",
    "max_sessions_28_days",
    "max_sessions_90_days",
    "source",
)
_SHORT: Final = ("id", "name", "version", "dose", "synonyms")


def list_all(arguments: Namespace) -> int:
    """List the protocols in use."""
    with open_home(arguments) as store:
        found = list_protocols(store, CONSOLE)
    columns = _SHORT if arguments.format == "table" else _COLUMNS
    print_rows(map(_record, found), columns, arguments.format)
    return 0


def _record(protocol: Protocol) -> dict[str, Any]:
    plain = {"dose": protocol.dose_in_words()}
    return {name: plain.get(name) or _plain(getattr(protocol, name)) for name in _COLUMNS}


def _plain(value: Any) -> Any:
    return list(value) if isinstance(value, tuple) else value


def template(arguments: Namespace) -> int:
    """Print a file to edit: the clinic's protocols, or the six that a new store begins with."""
    try:
        with open_home(arguments) as store:
            found = list_protocols(store, CONSOLE)
    except StoreMissing:
        found = seed_protocols()
    sys.stdout.write(files.template(found))
    return 0


def load(arguments: Namespace) -> int:
    """Add the protocols of a file, all or none."""
    wanted = parse_protocols(read_bytes(arguments.file))
    with open_home(arguments) as store:
        for protocol in add_protocols(store, CONSOLE, wanted):
            tell(f"{protocol.id}: version {protocol.version}")
    return 0
