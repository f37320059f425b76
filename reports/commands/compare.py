"""``afterdose compare``: differences and ratios between two protocols, one row a term."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict
from typing import Final

from reports.commands.opening import open_home
from reports.commands.printing import print_rows, tell
from reports.compare import CompareQuery, compare
from reports.compare_words import warnings
from safety.access import CONSOLE

COLUMNS: Final = (
    "term",
    "with_event_ref",
    "exposed_ref",
    "with_event",
    "exposed",
    "risk_difference",
    "rd_low",
    "rd_high",
    "risk_ratio",
    "rr_low",
    "rr_high",
    "p",
    "q",
    "method",
    "odds_ratio",
    "or_low",
    "or_high",
    "flagged",
    "patients_ref",
    "patients",
    "patients_shared",
    "strata",
    "strata_left_out",
)
"""The first fourteen are promised in this order; more may follow."""


def run(arguments: Namespace) -> int:
    """Compare, print one row a term, and say beside it what must be said."""
    query = CompareQuery(
        arguments.reference,
        arguments.against,
        arguments.first,
        arguments.last,
        unit=arguments.unit,
        term=arguments.term,
        min_grade=arguments.min_grade,
        treatment_emergent=arguments.treatment_emergent,
        difference=arguments.difference,
        stratify=arguments.stratify,
    )
    with open_home(arguments) as store:
        rows = compare(store, CONSOLE, query)
    for sentence in warnings(rows, query):
        tell(f"afterdose: {sentence}")
    print_rows(map(asdict, rows), COLUMNS, arguments.format)
    return 0
