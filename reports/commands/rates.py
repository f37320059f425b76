"""``afterdose rates``: incidence by protocol and term, with denominator, interval and method."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Final

from reports.commands.opening import open_home
from reports.commands.printing import print_rows
from reports.rates import RateQuery, incidence
from safety.access import CONSOLE

COLUMNS: Final = (
    "protocol",
    "term",
    "unit",
    "with_event",
    "exposed",
    "events",
    "estimate",
    "low",
    "high",
    "method",
)


def run(arguments: Namespace) -> int:
    """Count, and print one row a protocol and term."""
    query = RateQuery(
        arguments.first,
        arguments.last,
        unit=arguments.unit,
        by=arguments.by,
        term=arguments.term,
        min_grade=arguments.min_grade,
        treatment_emergent=arguments.treatment_emergent,
        method=arguments.method,
        protocols=_chosen(arguments.protocol),
        sites=_chosen(arguments.site),
        serious=arguments.serious,
        related=arguments.related,
        all_events=arguments.all_events,
    )
    with open_home(arguments) as store:
        rows = incidence(store, CONSOLE, query)
    # The first column is called what its values are; a table by protocol keeps its stable name.
    group = query.by.replace("-", "_")
    lines = ({group: row.protocol, **asdict(row)} for row in rows)
    print_rows(lines, (group, *COLUMNS[1:]), arguments.format)
    return 0


def _chosen(names: list[str] | None) -> tuple[str, ...] | None:
    return tuple(names) if names else None
