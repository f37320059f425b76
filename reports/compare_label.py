"""A protocol's rates beside published ones. Nothing is tested; see ``cannot_tell``."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date

from reports import compare_counts
from reports.asking import Asked, RateQuery, selection
from reports.clustered import wilson_clustered
from reports.compare import find_protocol
from reports.compare_counts import Alone
from reports.intervals import LEVEL, Estimate, wilson
from reports.label_rates import LabelRate, label_rates
from reports.rows import PATIENT
from safety.access import Action, Actor, guarded
from safety.store.handle import Store
from safety.vocabulary import vocabulary


@dataclass(frozen=True, slots=True)
class LabelBeside:
    """One published rate, and ours of the same term or group in the unit of its source.

    ``with_event`` of ``exposed`` patients (or sessions, where the source counts sessions) had it;
    ``estimate`` has its limits and method. ``name`` is our name of the term or group.
    """

    rate: LabelRate
    name: str
    unit: str
    with_event: int
    exposed: int
    estimate: Estimate


@dataclass(frozen=True, slots=True)
class LabelComparison:
    """Every published rate beside ours, and what such a comparison cannot tell."""

    rows: tuple[LabelBeside, ...]
    patients: int
    sessions: int
    cannot_tell: tuple[str, ...]


@guarded(Action.READ_RATES)
def compare_with_label(
    store: Store,
    actor: Actor,  # noqa: ARG001 - the guard asks
    protocol: str,
    first: date,
    last: date,
    *,
    level: float = LEVEL,
) -> LabelComparison:
    """Our rates under ``protocol`` beside the published ones, in the order of their file.

    A row that the label marks as grouped stands beside the union of our group. Raises UnknownName
    for a protocol that does not exist and UserError for a period that cannot be.
    """
    published = label_rates()
    asked = {_key(rate): _asked(rate) for rate in published.rates}
    query = RateQuery(first, last, PATIENT, level=level)
    with store.read() as connection:
        number = find_protocol(connection, protocol)
        period = selection(connection, query)
        alone = compare_counts.alone_of(connection, period, number, tuple(asked.values()))
    rows = tuple(_beside(rate, asked[_key(rate)], alone, level) for rate in published.rates)
    exposed = alone.exposed
    return LabelComparison(rows, exposed.patients, exposed.sessions, published.cannot_tell)


def _key(rate: LabelRate) -> str:
    return rate.group or rate.term


def _asked(rate: LabelRate) -> Asked:
    if rate.group is not None:
        group = vocabulary().group(rate.group)
        return Asked(group.id, group.name, group.members)
    term = vocabulary().get(rate.term)
    return Asked(term.id, term.name, (term.id,))


def _beside(rate: LabelRate, asked: Asked, alone: Alone, level: float) -> LabelBeside:
    unit, sums = rate.source.unit, alone.sums(asked)
    if unit == PATIENT:
        arm = alone.patients(asked)
        found: Estimate = wilson(arm.x, arm.n, level)
        return LabelBeside(rate, asked.name, unit, arm.x, arm.n, found)
    found = wilson_clustered(sums, level)
    return LabelBeside(rate, asked.name, unit, sums.affected, sums.sessions, found)
