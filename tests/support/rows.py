"""One row of an import, built alone."""

from __future__ import annotations

from collections.abc import Mapping, Sequence

from safety.importing.building import (
    Built,
    Complaints,
    EventRows,
    GivenEvent,
    Names,
    SessionRows,
)


def build_event(row: Mapping[str, str], names: Names) -> tuple[GivenEvent | None, Complaints]:
    """Build the event of a row given by column."""
    return EventRows(tuple(row), names).build(2, list(row.values()))


def build_session(row: Mapping[str, str], events: Sequence[GivenEvent], names: Names) -> Built:
    """Build the report of a row given by column."""
    return SessionRows(tuple(row), names).build(list(row.values()), events)
