"""Counting touches covering indexes only, for a short period and for the whole store."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from datetime import date, timedelta
from typing import Any

import pytest
from sqlalchemy import event

from reports.rates import RateQuery, incidence
from safety import service
from safety.access import CONSOLE
from safety.store.handle import Store
from tests.support.builders import STARTED, a_report, an_event


@contextmanager
def statements(store: Store) -> Iterator[list[tuple[str, Any]]]:
    """Every SELECT that the store's readers run inside the block, with its parameters."""
    seen: list[tuple[str, Any]] = []

    def note(*about: Any) -> None:
        if "FROM sessions" in about[2] or "FROM events" in about[2]:
            seen.append((about[2], about[3]))

    event.listen(store._reader, "before_cursor_execute", note)
    try:
        yield seen
    finally:
        event.remove(store._reader, "before_cursor_execute", note)


def plan(store: Store, statement: str, parameters: Any) -> list[str]:
    """How SQLite goes about a statement: one line for each table that it reads."""
    with store.read() as connection:
        rows = connection.exec_driver_sql(f"EXPLAIN QUERY PLAN {statement}", parameters)
        return [row[3] for row in rows if " sessions" in row[3] or " events" in row[3]]


@pytest.fixture
def two_years(embedded_store: Store, clock: Callable[[], Any]) -> Store:
    """A store with a session on each of some days over two years before the clock."""
    for days in range(0, 720, 30):
        report = a_report(
            mrn=f"M{days % 4}", started_at=STARTED - timedelta(days=days), events=(an_event(),)
        )
        service.file_report(embedded_store, CONSOLE, report)
    return embedded_store


@pytest.mark.parametrize("unit", ["session", "patient", "patient-month"])
@pytest.mark.parametrize("first", [date(2025, 12, 15), date(2020, 1, 1)], ids=["short", "all"])
@pytest.mark.parametrize("emergent", [False, True])
def test_every_table_is_read_through_a_covering_index(
    two_years: Store, unit: str, first: date, emergent: bool
) -> None:
    query = RateQuery(first, date(2026, 3, 31), unit, treatment_emergent=emergent, min_grade=1)
    with statements(two_years) as seen:
        incidence(two_years, CONSOLE, query)
    plans = [line for statement, given in seen for line in plan(two_years, statement, given)]
    assert len(plans) >= 3
    assert [line for line in plans if "COVERING INDEX" not in line] == []


@pytest.mark.parametrize(
    ("first", "index"),
    [(date(2026, 1, 1), "ix_events_by_day"), (date(2020, 1, 1), "ix_events_by_protocol")],
    ids=["a quarter", "all time"],
)
def test_the_index_fits_the_length_of_the_period(two_years: Store, first: date, index: str) -> None:
    with statements(two_years) as seen:
        incidence(two_years, CONSOLE, RateQuery(first, date(2026, 3, 31)))
    found = [line for statement, given in seen for line in plan(two_years, statement, given)]
    [events] = [line for line in found if " events " in line]
    assert index in events
