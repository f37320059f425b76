"""``afterdose rebuild``: the tables made anew from the sealed reports, and compared."""

from __future__ import annotations

from argparse import Namespace
from typing import Final

from reports.commands.opening import open_home
from reports.commands.printing import print_record, tell
from safety.access import CONSOLE, Action, require
from safety.store.rebuilding import rebuild

INTEGRITY: Final = 3


def run(arguments: Namespace) -> int:
    """Compare; with ``--write`` replace what differs."""
    require(CONSOLE, Action.REBUILD)
    with open_home(arguments) as store:
        found = rebuild(store, CONSOLE, write=arguments.write)
    record = {
        "reports": found.reports,
        "events": found.events,
        "differing": list(found.differing),
        "written": found.written,
    }
    print_record(record, arguments.format)
    if found.differing and not found.written:
        tell(
            f"The rows of {len(found.differing)} reports differ from what was signed. Run "
            "`afterdose verify --store` to learn more, and `afterdose rebuild --write` to replace "
            "them."
        )
        return INTEGRITY
    return 0
