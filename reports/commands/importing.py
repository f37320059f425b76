"""``afterdose import``: a pair of CSV files, all rows or none."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from reports.commands.opening import open_home
from reports.commands.printing import print_json, print_rows, say, tell
from safety.access import CONSOLE
from safety.importing import ImportResult, RowError, import_files

_ERROR = ("file", "row", "column", "message")


def run(arguments: Namespace) -> int:
    """Import, print the result, and tell of what is unusual."""
    with open_home(arguments) as store:
        result = import_files(
            store, CONSOLE, arguments.sessions, arguments.events, dry_run=arguments.dry_run
        )
    if arguments.dry_run and not result.errors:
        tell("Dry run: nothing was written.")
    _tell_unusual(result)
    _print(result, arguments.format, dry_run=arguments.dry_run)
    return 1 if result.errors else 0


def _tell_unusual(result: ImportResult) -> None:
    for site in result.new_sites:
        tell(f"New site: {site}")
    for warning in result.warnings:
        tell(_line(warning))
    if more := result.unusual - len(result.warnings):
        tell(f"... and {more} more unusual values.")


def _print(result: ImportResult, form: str, *, dry_run: bool) -> None:
    errors = [asdict(error) for error in result.errors]
    counts = {
        "sessions": result.sessions,
        "events": result.events,
        "unchanged": result.unchanged,
    }
    if form == "json":
        print_json({**counts, "errors": errors})
    elif form == "csv" and errors:
        print_rows(errors, _ERROR, form)
    elif form == "csv":
        print_rows([counts], list(counts), form)
    elif errors:
        print_rows(errors, _ERROR, form)
        tell(f"{len(errors)} errors. Nothing was imported; mend the files and import them again.")
    else:
        verb = "Would import" if dry_run else "Imported"
        say(
            f"{verb} {result.sessions} sessions with {result.events} events; "
            f"{result.unchanged} sessions were there already."
        )


def _line(warning: RowError) -> str:
    return f"{warning.file}, row {warning.row}, {warning.column}: {warning.message}"
