"""``afterdose plan``: the booking system's list of sessions to come, all rows or none."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from reports.commands.opening import open_home
from reports.commands.printing import print_json, print_rows, say, tell
from safety.access import CONSOLE
from safety.planning import PlanResult, import_plan

_ERROR = ("file", "row", "column", "message")


def run(arguments: Namespace) -> int:
    """Import the plan and print what was done."""
    with open_home(arguments) as store:
        result = import_plan(store, CONSOLE, arguments.file, dry_run=arguments.dry_run)
    if arguments.dry_run and not result.errors:
        tell("Dry run: nothing was written.")
    if result.cancelled:
        tell(f"Cancelled in Afterdose before, and left so: {result.cancelled}.")
    _print(result, arguments.format, dry_run=arguments.dry_run)
    return 1 if result.errors else 0


def _print(result: PlanResult, form: str, *, dry_run: bool) -> None:
    errors = [asdict(error) for error in result.errors]
    counts = {
        "planned": result.planned,
        "unchanged": result.unchanged,
        "new_patients": result.new_patients,
    }
    if form == "json":
        print_json({**counts, "errors": errors})
    elif errors:
        print_rows(errors, _ERROR, form)
        if form == "table":
            tell(f"{len(errors)} errors. Nothing was planned; mend the file and import it again.")
    elif form == "csv":
        print_rows([counts], list(counts), form)
    else:
        verb = "Would plan" if dry_run else "Planned"
        say(
            f"{verb} {result.planned} sessions (new patients: {result.new_patients}); "
            f"{result.unchanged} sessions were there already."
        )
