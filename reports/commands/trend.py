"""``afterdose trend``: one rate over weeks or months on a control chart, a row a period."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Final

from reports.commands.opening import open_home
from reports.commands.printing import print_rows, tell
from reports.trends import TrendQuery, TrendRow, trend
from safety.access import CONSOLE

COLUMNS: Final = (
    "period",
    "with_event",
    "exposed",
    "estimate",
    "centre",
    "lower",
    "upper",
    "flag",
    "rule",
)


def run(arguments: Namespace) -> int:
    """Print a row a period; what must be read beside the chart goes to standard error."""
    query = TrendQuery(
        arguments.term,
        arguments.protocol,
        arguments.first,
        arguments.last,
        every=arguments.every,
        unit=arguments.unit,
        chart=arguments.chart,
        rules=arguments.rules,
        baseline=arguments.baseline,
        min_grade=arguments.min_grade,
        treatment_emergent=arguments.treatment_emergent,
        site=arguments.site,
    )
    with open_home(arguments) as store:
        found = trend(store, CONSOLE, query)
    print_rows(map(_record, found.rows), COLUMNS, arguments.format)
    tell(f"{found.method}; baseline of {found.baseline}")
    for warning in found.warnings:
        tell(warning)
    return 0


def _record(row: TrendRow) -> dict[str, Any]:
    record: dict[str, Any] = {name: getattr(row, name) for name in COLUMNS}
    return record | {"period": row.period.isoformat(), "flag": int(row.flag)}
