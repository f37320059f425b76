"""Blood pressure: its course around a session, spikes by protocol, and dose against spike.

Spikes are those of the blood-pressure table of the US prescribing information of esketamine:
``absolute``, 180 mmHg systolic or 110 diastolic or more after the dose; ``rise``, 40 mmHg systolic
or 25 diastolic or more above the reading before. A session whose readings cannot tell is not among
those counted; how many those are stands beside each share.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection

from reports import pressure_counts
from reports.asking import RateQuery, wanted_of
from reports.clustered import ClusteredEstimate, PatientSums, wilson_clustered
from reports.dimensions import DIMENSIONS, Dimension, Group, groups
from reports.intervals import LEVEL
from reports.plain_words import proportion, small_numbers
from reports.pressure_counts import DEFINITIONS, LIMBS, MOMENTS
from safety import grading
from safety.access import Action, Actor, guarded
from safety.store.handle import Store

MEANING: Final = {
    "absolute": f"{grading.SPIKE_SYSTOLIC}/{grading.SPIKE_DIASTOLIC} mmHg or more",
    "rise": (
        f"a rise of {grading.SPIKE_SYSTOLIC_RISE}/{grading.SPIKE_DIASTOLIC_RISE} mmHg or more"
    ),
}
"""The two definitions in words; either limb is enough."""


@dataclass(frozen=True, slots=True)
class PressureQuery:
    """Sessions from ``first`` to ``last``, both days included; ``protocols`` are names (None: all).

    ``level`` is that of the intervals. Raises UserError.
    """

    first: date
    last: date
    protocols: tuple[str, ...] | None = None
    level: float = LEVEL

    def __post_init__(self) -> None:
        self.rates()

    def rates(self) -> RateQuery:
        """The same sessions as the incidence counts them."""
        return RateQuery(self.first, self.last, protocols=self.protocols, level=self.level)


@dataclass(frozen=True, slots=True)
class Readings:
    """One limb at one moment under one protocol, in mmHg: quartiles of ``n`` of ``sessions``."""

    protocol: str
    protocol_name: str
    moment: str
    limb: str
    n: int
    sessions: int
    low: float | None
    median: float | None
    high: float | None

    @property
    def missing(self) -> int:
        """Sessions without the reading."""
        return self.sessions - self.n


@dataclass(frozen=True, slots=True)
class Spikes:
    """Sessions with a spike by one ``definition`` in one group, with a clustered interval.

    ``sessions`` are all of the group, ``missing`` those whose readings cannot tell.
    """

    group: str
    group_name: str
    definition: str
    sessions: int
    missing: int
    estimate: ClusteredEstimate
    sentence: str


@dataclass(frozen=True, slots=True)
class PressureReport:
    """Everything of the page: courses by protocol, spikes in all, by protocol and by dose."""

    sessions: int
    readings: tuple[Readings, ...]
    overall: tuple[Spikes, ...]
    by_protocol: tuple[Spikes, ...]
    by_dose: tuple[Spikes, ...]


@guarded(Action.READ_RATES)
def blood_pressure(
    store: Store,
    actor: Actor,  # noqa: ARG001 - the guard asks it
    query: PressureQuery,
) -> PressureReport:
    """Count everything. Protocols stand in the clinic's order. Raises UnknownName."""
    with store.read() as connection:
        where = wanted_of(connection, query.rates()).sessions()
        exposed = pressure_counts.sessions(connection, where)
        by_protocol = DIMENSIONS["protocol"]
        shown = groups(connection, by_protocol, [(no,) for no in exposed])
        return PressureReport(
            sum(exposed.values()),
            tuple(_readings(connection, where, shown, exposed)),
            tuple(_spikes(connection, where, None, query.level)),
            tuple(_spikes(connection, where, by_protocol, query.level)),
            tuple(_spikes(connection, where, DIMENSIONS["dose-band"], query.level)),
        )


def _readings(
    connection: Connection,
    where: ColumnElement[bool],
    shown: list[Group],
    exposed: dict[int, int],
) -> Iterator[Readings]:
    found = {
        (limb, moment): pressure_counts.histograms(connection, where, limb, moment)
        for limb in LIMBS
        for moment in MOMENTS
    }
    for group in shown:
        number = group.key[0]
        for (limb, moment), histograms in found.items():
            histogram = histograms.get(number, {})
            low, median, high = (
                pressure_counts.quantile(histogram, share) for share in (0.25, 0.5, 0.75)
            )
            n, sessions = sum(histogram.values()), exposed[number]
            yield Readings(group.id, group.name, moment, limb, n, sessions, low, median, high)


_ALL: Final = Group((), "all", "All sessions")


def _spikes(
    connection: Connection, where: ColumnElement[bool], by: Dimension | None, level: float
) -> Iterator[Spikes]:
    counted = pressure_counts.spikes(connection, where, by)
    shown = [_ALL] if by is None else groups(connection, by, counted)
    for group in shown:
        *told, every = counted[group.key]
        for definition, sums in zip(DEFINITIONS, told, strict=True):
            yield _of(group, definition, sums, every.sessions, level)


def _of(group: Group, definition: str, sums: PatientSums, sessions: int, level: float) -> Spikes:
    estimate = wilson_clustered(sums, level)
    missing = sessions - sums.sessions
    sentence = _sentence(sums, estimate, missing, sessions, level)
    return Spikes(group.id, group.name, definition, sessions, missing, estimate, sentence)


def _sentence(
    sums: PatientSums, estimate: ClusteredEstimate, missing: int, sessions: int, level: float
) -> str:
    parts: list[Any] = [
        f"{proportion(sums.affected, sums.sessions, estimate, level=level).capitalize()}.",
        small_numbers(sums.affected, sums.sessions, sums.patients),
    ]
    if missing:
        parts.append(f"{missing:,} of {sessions:,} cannot be told: readings are missing.")
    return " ".join(part for part in parts if part)
