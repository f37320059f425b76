"""Group signals: the share of sessions with an event, sites or reporting persons side by side.

**Sessions of one patient are alike**, so a unit counts as fewer sessions than it has. Its design
effect is 1 + (m - 1) r, with m = (sum of its patients' sessions squared) / sessions (Kish 1965).
The likeness r of two sessions of a patient is one for all units, pooled from what each unit's
sandwich variance shows: a unit in which nobody had the event would show none by itself.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import date
from typing import Any, Final

from sqlalchemy import Connection

from reports import clustered, group_counts
from reports.asking import ANYTHING, Asked, RateQuery, asked_terms, wanted_of
from reports.clustered import PatientSums
from reports.gathering import Wanted
from reports.group_counts import SITE, UNIT_COLUMNS, UNITS, Named, Question
from reports.grouping import funnel as funnels
from reports.grouping.findings import MINIMUM_SESSIONS
from reports.grouping.limits import Limits
from reports.grouping.units import Unit
from reports.intervals import Estimate
from reports.plain_words import percent, proportion
from safety.access import Action, Actor, guarded
from safety.errors import UserError
from safety.store.handle import Store


@dataclass(frozen=True, slots=True)
class GroupQuery:
    """Sessions from ``first`` to ``last``, both days included, ``by`` site or nurse.

    ``term`` is a term or a group by any of its names (None: any adverse event); ``protocols`` are
    names (None: all). ``minimum`` is the number of sessions below which nothing is said about
    reporting. Raises UserError.
    """

    first: date
    last: date
    by: str = SITE
    term: str | None = None
    protocols: tuple[str, ...] | None = None
    min_grade: int = 1
    treatment_emergent: bool = False
    minimum: int = MINIMUM_SESSIONS

    def __post_init__(self) -> None:
        if self.by not in UNITS:
            raise UserError(f"by must be one of: {', '.join(UNITS)}.")
        if self.minimum < 1:
            raise UserError("The minimum of sessions must be 1 or more.")
        self.rates()

    def rates(self) -> RateQuery:
        """The same sessions and events as the incidence counts them."""
        return RateQuery(
            self.first,
            self.last,
            min_grade=self.min_grade,
            treatment_emergent=self.treatment_emergent,
            protocols=self.protocols,
        )

    def asked(self) -> Asked:
        """The event. Raises UnknownName."""
        return next(iter(asked_terms(self.term)), ANYTHING) if self.term else ANYTHING


@dataclass(frozen=True, slots=True)
class UnitRow:
    """A unit in the funnel: ``x`` of ``n`` sessions of ``patients``.

    ``effective`` are the sessions it counts as, ``n / design_effect``. ``p`` is two-sided; ``flag``
    is ``high`` or ``low`` outside the 99.8 % limits, else None.
    """

    unit: Named
    x: int
    n: int
    patients: int
    design_effect: float
    effective: float
    estimate: Estimate
    p: float | None
    flag: funnels.Flag | None
    sentence: str


@dataclass(frozen=True, slots=True)
class FunnelReport:
    """Units around the ``centre``, ``x`` of ``n`` sessions, with the limits to draw.

    ``likeness`` is r of the module; None where it could not be measured and 1 was taken.
    ``unattributed`` sessions name no unit and are left out. ``note`` says how limits were widened.
    """

    by: str
    event: Asked
    rows: tuple[UnitRow, ...]
    centre: Estimate
    x: int
    n: int
    likeness: float | None
    phi: float
    limits: tuple[Limits, ...]
    unattributed: int
    note: str
    method: str


@guarded(Action.READ_RATES)
def funnel(store: Store, actor: Actor, query: GroupQuery) -> FunnelReport:
    """Share of sessions with the event by unit. Raises UnknownName for a term or protocol."""
    event = query.asked()
    with store.read() as connection:
        wanted = wanted_of(connection, query.rates())
        question = group_counts.any_event(wanted)
        if event.members:
            question = group_counts.any_of(connection, wanted, event.members)
        counted = by_unit(connection, wanted, query.by, [question])
        nobody = counted.pop(None, None)
        names = group_counts.named(store, connection, actor, query.by, list(counted))
    units = {name: counted[value][0] for value, name in names.items()}
    return _report(query.by, event, units, nobody[0].sessions if nobody else 0)


def _report(
    by: str, event: Asked, units: Mapping[Named, PatientSums], unattributed: int
) -> FunnelReport:
    alike = likeness(units.values())
    drawn = funnels.funnel(
        [
            Unit(name.id, sums.affected, sums.sessions, design_effect(sums, alike))
            for name, sums in units.items()
        ]
    )
    rows = tuple(
        _row(name, sums, design_effect(sums, alike), point, drawn.centre)
        for (name, sums), point in zip(units.items(), drawn.points, strict=True)
    )
    return FunnelReport(
        by,
        event,
        rows,
        drawn.centre,
        drawn.x,
        drawn.n,
        alike,
        drawn.phi,
        drawn.limits,
        unattributed,
        drawn.note,
        drawn.method,
    )


def likeness(units: Iterable[PatientSums]) -> float | None:
    """Correlation of two sessions of a patient within a unit, pooled, from 0 to 1.

    None where no unit shows it: fewer than two patients, none or all of the sessions with the
    event, or one session a patient everywhere.
    """
    excess = room = 0.0
    for sums in units:
        effect = clustered.design_effect(sums)
        if effect is not None:
            weight = sums.affected * (sums.sessions - sums.affected) / sums.sessions
            excess += weight * (effect - 1)
            room += weight * (sums.sessions_squared / sums.sessions - 1)
    return min(1.0, max(0.0, excess / room)) if room else None


def design_effect(sums: PatientSums, alike: float | None) -> float:
    """How many sessions of the unit tell as much as an independent one; None counts as 1."""
    if not sums.sessions:
        return 1.0
    r = 1.0 if alike is None else alike
    return 1 + (sums.sessions_squared / sums.sessions - 1) * r


def by_unit(
    connection: Connection, wanted: Wanted, by: str, questions: Sequence[Question]
) -> dict[Any, tuple[PatientSums, ...]]:
    """Sums over the patients of each unit, one a question; None is no unit."""
    found = group_counts.sums(connection, wanted.sessions(), [UNIT_COLUMNS[by]], questions)
    return {value_of(key[0]): each for key, each in found.items()}


def value_of(value: Any) -> Any:
    """A unit's column as a key: what a driver gives for bytes as bytes."""
    return bytes(value) if isinstance(value, bytes | memoryview) else value


_FLAGS: Final = {
    "high": "Higher than chance explains; patients and protocols may differ.",
    "low": "Lower than chance explains; patients, protocols or reporting may differ.",
    None: "Within what chance explains.",
}


def _row(
    unit: Named, sums: PatientSums, effect: float, point: funnels.Point, centre: Estimate
) -> UnitRow:
    shown = proportion(sums.affected, sums.sessions, point.estimate)
    sentence = f"{shown}, {percent(centre.value)} in all. {_FLAGS[point.flag]}"
    return UnitRow(
        unit,
        sums.affected,
        sums.sessions,
        sums.patients,
        effect,
        point.effective,
        point.estimate,
        point.p,
        point.flag,
        sentence,
    )
