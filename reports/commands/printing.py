"""Results on standard output as a table, CSV or JSON; everything else on standard error."""

from __future__ import annotations

import csv
import io
import json
import sys
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

Record = Mapping[str, Any]


def say(text: str = "") -> None:
    """Write a line of the result."""
    sys.stdout.write(f"{text}\n")


def tell(text: str) -> None:
    """Write a line that is not part of the result."""
    sys.stderr.write(f"{text}\n")


def print_json(value: Any) -> None:
    """Write one JSON value."""
    say(json.dumps(value, ensure_ascii=False, indent=2))


def print_rows(rows: Iterable[Record], columns: Sequence[str], form: str) -> None:
    """Write ``rows`` with ``columns`` in the format that was asked for."""
    listed = list(rows)
    if form == "json":
        print_json([{name: row[name] for name in columns} for row in listed])
    elif form == "csv":
        _print_csv(listed, columns)
    else:
        _print_table(listed, columns)


def print_record(record: Record, form: str) -> None:
    """Write one record: an object, one CSV row, or a line a field."""
    if form == "json":
        print_json(dict(record))
    elif form == "csv":
        _print_csv([record], list(record))
    else:
        width = max(map(len, record))
        for name, value in record.items():
            label = name.replace("_", " ")
            for line in value if isinstance(value, list | tuple) else [value]:
                say(f"{label:<{width}}  {_shown(line)}")
                label = ""


def _print_csv(rows: Iterable[Record], columns: Sequence[str]) -> None:
    from reports.quarterly.write_csv import escape_formula

    file = io.StringIO()
    writer = csv.writer(file, lineterminator="\n")
    writer.writerow(columns)
    for row in rows:
        cells = (row[name] for name in columns)
        writer.writerow([_exact(c) if _is_number(c) else escape_formula(_exact(c)) for c in cells])
    sys.stdout.write(file.getvalue())


def _print_table(rows: Sequence[Record], columns: Sequence[str]) -> None:
    shown = [[_shown(row[name]) for name in columns] for row in rows]
    widths = [max(map(len, cells)) for cells in zip(columns, *shown, strict=True)]
    numeric = [all(_is_number(row[name]) for row in rows) for name in columns]
    for cells in (columns, ["-" * width for width in widths], *shown):
        aligned = (
            cell.rjust(width) if right else cell.ljust(width)
            for cell, width, right in zip(cells, widths, numeric, strict=True)
        )
        say("  ".join(aligned).rstrip())


def _is_number(value: Any) -> bool:
    return value is None or isinstance(value, int | float)


def _exact(value: Any) -> str:
    if value is None:
        return ""
    if isinstance(value, bool):
        return str(int(value))
    if isinstance(value, list | tuple):
        return "; ".join(map(_exact, value))
    if isinstance(value, Mapping):
        return "; ".join(f"{name}: {_exact(each)}" for name, each in value.items())
    return str(value)


def _shown(value: Any) -> str:
    """Short enough to read: four digits behind the point, lists with commas."""
    if value is None:
        return "-"
    if isinstance(value, bool):
        return "yes" if value else "no"
    if isinstance(value, float):
        return f"{value:.4f}"
    if isinstance(value, list | tuple):
        return ", ".join(map(_shown, value)) or "-"
    return _exact(value)
