"""Counting two protocols side by side, in SQL: each by itself, the patients in both, and strata.

The same patient can have sessions under both protocols, so the two are not independent. How far
they hang together needs sums over the patients in both, of the products of what they had under one
and the other (:class:`~reports.comparing.patients.SharedSums`); the database adds them up by term.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Connection, Select, case, distinct, func, select

from reports.asking import ANYTHING, Asked
from reports.clustered import PatientSums
from reports.comparing.arms import Arm
from reports.comparing.patients import SharedSums
from reports.comparing.stratified import Stratum
from reports.counting import Selection
from reports.dimensions import DIMENSIONS, Dimension
from reports.gathering import NO_HITS, Exposed, Gathered, Hits, Key, Wanted, gathered
from safety.store import seeding, tables

Pair = tuple[int, int]
"""Numbers of the protocol compared and of the reference."""

ANY: Final = 0
"""Stands among term numbers, which begin at 1, for any adverse event."""

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c
_NOBODY: Final = Exposed(0, 0, 0)


@dataclass(frozen=True, slots=True)
class Terms:
    """What is asked for, by number: terms as the store numbers them, groups below 0."""

    numbers: Mapping[str, int]
    unions: Mapping[int, tuple[int, ...]]

    @classmethod
    def of(cls, connection: Connection, asked: Iterable[Asked]) -> Terms:
        """Look the numbers up. A term that this store has never seen has none."""
        known = seeding.term_numbers(connection)
        numbers: dict[str, int] = {ANYTHING.id: ANY}
        unions: dict[int, tuple[int, ...]] = {}
        for each in asked:
            members = tuple(known[term] for term in each.members if term in known)
            if len(each.members) > 1:
                unions[-1 - len(unions)] = members
                numbers[each.id] = -len(unions)
            elif members:
                numbers[each.id] = members[0]
        return cls(numbers, unions)


@dataclass(frozen=True, slots=True)
class Alone:
    """The counts of one protocol by itself."""

    terms: Terms
    found: Gathered
    protocol_no: int

    @property
    def exposed(self) -> Exposed:
        """Patients and sessions."""
        return self.found.exposed.get((self.protocol_no,), _NOBODY)

    def sums(self, asked: Asked) -> PatientSums:
        """What a clustered estimate by session needs."""
        return self.exposed.sums(self._hits(asked))

    def patients(self, asked: Asked) -> Arm:
        """Patients with the event, of patients."""
        return Arm(self._hits(asked).patients, self.exposed.patients)

    def _hits(self, asked: Asked) -> Hits:
        return _hits(self.found, (self.protocol_no,), self.terms.numbers.get(asked.id))


@dataclass(frozen=True, slots=True)
class Arms:
    """Both protocols; ``shared`` are sums over the patients who had both, by number of term."""

    arm: Alone
    reference: Alone
    shared: Mapping[int, SharedSums]

    def both(self, asked: Asked) -> SharedSums:
        """Sums over the patients in both."""
        anything = self.shared[ANY]
        without = SharedSums(anything.patients, anything.sessions_by_sessions)
        number = self.arm.terms.numbers.get(asked.id)
        return without if number is None else self.shared.get(number, without)


def alone_of(
    connection: Connection, period: Selection, protocol_no: int, asked: Sequence[Asked]
) -> Alone:
    """Count one protocol over the period."""
    terms = Terms.of(connection, asked)
    wanted = Wanted(period, DIMENSIONS["protocol"], protocols=(protocol_no,))
    return Alone(terms, gathered(connection, wanted, terms.unions), protocol_no)


def arms_of(connection: Connection, period: Selection, pair: Pair, asked: Sequence[Asked]) -> Arms:
    """Count both protocols over the period."""
    terms = Terms.of(connection, asked)
    wanted = Wanted(period, DIMENSIONS["protocol"], protocols=pair)
    found = gathered(connection, wanted, terms.unions)
    arm, reference = (Alone(terms, found, number) for number in pair)
    return Arms(arm, reference, _shared(connection, period, pair, terms))


def strata_of(
    connection: Connection, period: Selection, pair: Pair, by: str, asked: Sequence[Asked]
) -> dict[str, list[Stratum]]:
    """Patients with the event, of patients, by asked id: arm and reference of each stratum.

    ``by`` is ``site`` or ``dose-band``. A patient with sessions in two strata counts in both.
    """
    terms = Terms.of(connection, asked)
    one = DIMENSIONS[by]
    split = Dimension(one.name, one.title, (_SESSIONS.protocol_no, *one.columns))
    found = gathered(connection, Wanted(period, split, protocols=pair), terms.unions)
    strata = sorted({key[1:] for key in found.exposed})
    return {
        each.id: [
            (
                _stratum(found, (pair[0], *stratum), terms.numbers.get(each.id)),
                _stratum(found, (pair[1], *stratum), terms.numbers.get(each.id)),
            )
            for stratum in strata
        ]
        for each in (ANYTHING, *asked)
    }


def _stratum(found: Gathered, key: Key, number: int | None) -> Arm:
    return Arm(_hits(found, key, number).patients, found.exposed.get(key, _NOBODY).patients)


def _hits(found: Gathered, key: Key, number: int | None) -> Hits:
    if number is None:
        return NO_HITS
    if number == ANY:
        return found.anything.get(key, NO_HITS)
    return found.terms.get(key, {}).get(number, NO_HITS)


def _shared(
    connection: Connection, period: Selection, pair: Pair, terms: Terms
) -> dict[int, SharedSums]:
    one, zero = (_exposed(period, number).cte() for number in pair)
    m1, x1, m0, x0 = one.c.sessions, one.c.hits, zero.c.sessions, zero.c.hits
    sums = [func.count(), *map(func.sum, (m1 * m0, x1 * m0, m1 * x0, x1 * x0))]
    query = select(*sums).select_from(one.join(zero, one.c.patient_no == zero.c.patient_no))
    anything = SharedSums(*(int(number or 0) for number in connection.execute(query).one()))
    found = {ANY: anything}
    if not anything.patients:
        return found
    for union in (None, *terms.unions.items()):
        x_one, x_zero = (_affected(period, number, union).cte() for number in pair)
        by_arm, by_reference, by_both = (
            _products(connection, query, union)
            for query in (
                _joined(x_one, zero, "sessions", union),
                _joined(x_zero, one, "sessions", union),
                _joined(x_one, x_zero, "hits", union),
            )
        )
        for number in {*by_arm, *by_reference}:
            products = (each.get(number, 0) for each in (by_arm, by_reference, by_both))
            found[number] = SharedSums(anything.patients, anything.sessions_by_sessions, *products)
    return found


def _exposed(period: Selection, protocol_no: int) -> Select[Any]:
    """A row a patient: the sessions, and those with any event."""
    hit = case((period.with_event(), 1), else_=0)
    return (
        select(
            _SESSIONS.patient_no,
            func.count().label("sessions"),
            func.sum(hit).label("hits"),
        )
        .where(period.sessions(), _SESSIONS.protocol_no == protocol_no)
        .group_by(_SESSIONS.patient_no)
    )


Union = tuple[int, tuple[int, ...]] | None
"""A group's number and the numbers of its terms; None: every term by itself."""


def _products(connection: Connection, query: Select[Any], union: Union) -> dict[int, int]:
    """Sums by number of the term, or under the number of the union."""
    rows = connection.execute(query).all()
    return {int(row.term_no) if union is None else union[0]: int(row.total or 0) for row in rows}


def _affected(period: Selection, protocol_no: int, union: Union) -> Select[Any]:
    """A row a patient, and a term unless a union is asked for: the sessions with the event."""
    split: list[ColumnElement[Any]] = [_EVENTS.term_no] if union is None else []
    # Two terms of one session are two events of the union and one session with it.
    hits = func.count() if union is None else func.count(distinct(_EVENTS.session_no))
    query = select(*split, _EVENTS.patient_no, hits.label("hits"))
    query = query.where(period.events(), _EVENTS.protocol_no == protocol_no)
    if union is not None:
        query = query.where(_EVENTS.term_no.in_(union[1]))
    return query.group_by(*split, _EVENTS.patient_no)


def _joined(one: CTE, other: CTE, name: str, union: Union) -> Select[Any]:
    """Sums over the patients in both of the hits of ``one`` times the column ``name``."""
    same = one.c.patient_no == other.c.patient_no
    total = func.sum(one.c.hits * other.c[name]).label("total")
    if union is not None:
        return select(total).select_from(one.join(other, same))
    if "term_no" in other.c:
        same = (one.c.term_no == other.c.term_no) & same
    return select(one.c.term_no, total).select_from(one.join(other, same)).group_by(one.c.term_no)
