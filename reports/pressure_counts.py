"""Counting blood pressures in SQL: histograms by the mmHg, and spikes as sums over patients.

Readings are whole mmHg, so the number of sessions at each is the whole distribution: a few hundred
rows for any number of sessions, from which medians and quartiles are exact.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, func, select

from reports.clustered import PatientSums
from reports.dimensions import Dimension
from reports.group_counts import Question, sums
from safety.store import tables

_SESSIONS: Final = tables.sessions.c

MOMENTS: Final[Mapping[str, str]] = {
    "before": "Before",
    "40": "At 40 min",
    "peak": "Peak",
    "discharge": "Before leaving",
}
"""When a pressure is taken, by the ending of its column, and in words."""

LIMBS: Final = ("systolic", "diastolic")
DEFINITIONS: Final = ("absolute", "rise")

Histogram = Mapping[int, int]
"""Sessions by mmHg."""


def histograms(
    connection: Connection, where: ColumnElement[bool], limb: str, moment: str
) -> dict[int, dict[int, int]]:
    """By protocol number, how many sessions have which reading."""
    reading = _SESSIONS[f"{limb}_{moment}"]
    query = (
        select(_SESSIONS.protocol_no, reading, func.count())
        .where(where, reading.is_not(None))
        .group_by(_SESSIONS.protocol_no, reading)
    )
    found: dict[int, dict[int, int]] = {}
    for protocol, mmhg, count in connection.execute(query):
        found.setdefault(protocol, {})[int(mmhg)] = int(count)
    return found


def quantile(histogram: Histogram, share: float) -> float | None:
    """The quantile at ``share``, linear between neighbours (type 7 of Hyndman and Fan 1996).

    None without a reading. Raises ValueError for a share outside 0 to 1.
    """
    if not 0 <= share <= 1:
        raise ValueError(f"share must lie between 0 and 1, not {share!r}")
    total = sum(histogram.values())
    if not total:
        return None
    place = share * (total - 1)
    below = int(place)
    low, high = _at(histogram, below), _at(histogram, min(below + 1, total - 1))
    return low + (place - below) * (high - low)


def _at(histogram: Histogram, place: int) -> int:
    """The reading at ``place`` (from 0) of all readings in order."""
    passed = 0
    for mmhg in sorted(histogram):
        passed += histogram[mmhg]
        if passed > place:
            return mmhg
    raise IndexError(place)


def sessions(connection: Connection, where: ColumnElement[bool]) -> dict[int, int]:
    """Sessions by protocol number."""
    query = select(_SESSIONS.protocol_no, func.count()).where(where)
    found = connection.execute(query.group_by(_SESSIONS.protocol_no))
    return {int(no): int(count) for no, count in found}


def spikes(
    connection: Connection, where: ColumnElement[bool], by: Dimension | None
) -> dict[tuple[Any, ...], tuple[PatientSums, ...]]:
    """Sessions with a spike by each of :data:`DEFINITIONS`, of those of which it can be told.

    Split by the dimension, or all together under ``()``. A third sum, the last, is of all sessions,
    so that what is missing can be counted.
    """
    flags = [_SESSIONS[f"spike_{name}"] for name in DEFINITIONS]
    questions = [Question(flag == 1, flag.is_not(None)) for flag in flags]
    every = Question(_SESSIONS.event_count > 0)
    columns = [] if by is None else list(by.columns)
    return sums(connection, where, columns, [*questions, every])
