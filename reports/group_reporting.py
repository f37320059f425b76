"""Under-reporting by site or reporting person, against the same protocols elsewhere.

The questions, their tests and their words are those of :mod:`reports.grouping.under_reporting`. A
person is never accused: a finding states numbers, and its caveat stands beside it.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from reports import group_counts
from reports.asking import wanted_of
from reports.clustered import PatientSums
from reports.group_counts import PROTOCOL, UNIT_COLUMNS, Named
from reports.group_signals import GroupQuery, by_unit, design_effect, likeness, value_of
from reports.grouping.expectation import Cell
from reports.grouping.findings import Answer, Finding, Kind, Rule, answer, of_few, of_many
from reports.grouping.under_reporting import CAVEAT, LATE_AFTER_HOURS
from safety.access import Action, Actor, guarded
from safety.store.handle import Store


@dataclass(frozen=True, slots=True)
class UnitFinding:
    """One question about one unit; ``finding`` has the numbers and the sentence."""

    unit: Named
    finding: Finding


@dataclass(frozen=True, slots=True)
class UnderReporting:
    """What is said about reporting, and about whom nothing is said, with why (kind, unit, why).

    Print ``caveat`` with every finding. ``untimed`` reports do not say when they were filed.
    """

    by: str
    findings: tuple[UnitFinding, ...]
    unsaid: tuple[tuple[str, Named, str], ...]
    minimum: int
    caveat: str
    unattributed: int
    untimed: int


@guarded(Action.READ_RATES)
def under_reporting(store: Store, actor: Actor, query: GroupQuery) -> UnderReporting:
    """Effects, silent reports and late entry of each unit against the same protocols elsewhere.

    ``query.term`` plays no part: reporting is about all effects. Raises UnknownName.
    """
    with store.read() as connection:
        wanted = wanted_of(connection, query.rates())
        questions = [
            group_counts.any_event(wanted),
            group_counts.nothing_happened(),
            group_counts.entered_late(LATE_AFTER_HOURS),
        ]
        column = UNIT_COLUMNS[query.by]
        found = group_counts.sums(connection, wanted.sessions(), [column, PROTOCOL], questions)
        units = by_unit(connection, wanted, query.by, questions)
        nobody = units.pop(None, None)
        names = group_counts.named(store, connection, actor, query.by, list(units))
    cells = {(value_of(unit), no): each for (unit, no), each in found.items() if unit is not None}
    answers = [_answered(at, cells, units, names, query.minimum) for at in range(len(questions))]
    return UnderReporting(
        query.by,
        *_by_unit(answers, names.values()),
        query.minimum,
        CAVEAT,
        nobody[0].sessions if nobody else 0,
        sum(each[0].sessions - each[2].sessions for each in units.values()),
    )


def _by_unit(
    answers: Sequence[Answer], units: Iterable[Named]
) -> tuple[tuple[UnitFinding, ...], tuple[tuple[str, Named, str], ...]]:
    """Findings, and what is not said, with the names of their units."""
    by_id = {unit.id: unit for unit in units}
    found = tuple(UnitFinding(by_id[f.unit], f) for each in answers for f in each.findings)
    unsaid = tuple(
        (kind, by_id[unit], why)
        for kind, each in zip(_KINDS, answers, strict=True)
        for unit, why in each.unsaid.items()
    )
    return found, unsaid


_KINDS: Final[tuple[Kind, ...]] = ("few effects", "silent reports", "late entry")
_ELSEWHERE: Final = "the same protocols bring elsewhere"


def _answered(
    at: int,
    cells: Mapping[tuple[Any, int], tuple[PatientSums, ...]],
    units: Mapping[Any, tuple[PatientSums, ...]],
    names: Mapping[Any, Named],
    minimum: int,
) -> Answer:
    """The answer to the question with the number ``at``."""
    asked = [
        Cell(names[unit].id, str(no), each[at].affected, each[at].sessions)
        for (unit, no), each in cells.items()
    ]
    rule = Rule(minimum=minimum, design_effect=_typical([each[at] for each in units.values()]))
    rows = of_few(asked, rule) if at == 0 else of_many(asked, rule)
    words = f"over {LATE_AFTER_HOURS:g} hours" if _KINDS[at] == "late entry" else _ELSEWHERE
    return answer(_KINDS[at], rows, rule, words)


def _typical(units: Sequence[PatientSums]) -> float:
    """The design effect of the units, each weighted by its sessions."""
    sessions = sum(each.sessions for each in units)
    alike = likeness(units)
    weighted = sum(each.sessions * design_effect(each, alike) for each in units)
    return weighted / sessions if sessions else 1.0
