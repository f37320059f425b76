"""Disproportionality between protocols: which events make up a protocol's profile.

Behind an acknowledged warning. Inside a clinic the sessions are counted, and rates say more; see
:data:`reports.grouping.disproportionality.WARNING`.
"""

from __future__ import annotations

from dataclasses import dataclass

from reports import group_counts
from reports.asking import RateQuery, wanted_of
from reports.dimensions import DIMENSIONS, groups
from reports.group_signals import GroupQuery
from reports.grouping import disproportionality as measures
from safety.access import Action, Actor, guarded
from safety.errors import UserError
from safety.store.handle import Store


@dataclass(frozen=True, slots=True)
class Profile:
    """The event among the events of one protocol against all others."""

    protocol: str
    protocol_name: str
    found: measures.Disproportionality


@guarded(Action.READ_RATES)
def profiles(
    store: Store,
    actor: Actor,  # noqa: ARG001 - the guard asks it
    query: GroupQuery,
    *,
    acknowledged: str = "",
) -> tuple[Profile, ...]:
    """Disproportionality of ``query.term`` between protocols, for whoever hands back the warning.

    Counts are events. All protocols are the background, whatever ``query.protocols`` says. Raises
    UserError without the warning (:data:`reports.grouping.disproportionality.WARNING`) or a term,
    UnknownName for one that does not exist.
    """
    if acknowledged != measures.WARNING:
        raise UserError(f"Read this first, and hand it back as acknowledged. {measures.WARNING}")
    event = query.asked()
    if not event.members:
        raise UserError("Choose one effect: every event is some adverse event.")
    plain = RateQuery(
        query.first,
        query.last,
        min_grade=query.min_grade,
        treatment_emergent=query.treatment_emergent,
    )
    with store.read() as connection:
        wanted = wanted_of(connection, plain)
        counts = group_counts.events_by_protocol(connection, wanted, event.members)
        shown = groups(connection, DIMENSIONS["protocol"], [(no,) for no in counts])
    hits = sum(each for each, _ in counts.values())
    events = sum(each for _, each in counts.values())
    return tuple(
        Profile(group.id, group.name, _measured(*counts[group.key[0]], hits, events))
        for group in shown
    )


def _measured(a: int, own: int, hits: int, events: int) -> measures.Disproportionality:
    c = hits - a
    table = measures.Table(a, own - a, c, events - own - c)
    return measures.disproportionality(table, acknowledged=measures.WARNING)
