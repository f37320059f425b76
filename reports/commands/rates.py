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
    )
    with open_home(arguments) as store:
        rows = incidence(store, CONSOLE, query)
    print_rows(map(asdict, rows), COLUMNS, arguments.format)
    return 0
