"""Counting in SQL for two periods at once: what a clustered comparison of them needs, as sums.

Sessions cluster in patients, and a patient of a maintenance protocol is in both periods. Two
queries of covering indexes give the sums over patients for every protocol and term; no row a
patient leaves the database.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import CTE, ColumnElement, Connection, and_, case, distinct, func, select

from reports import counting
from reports.clustered import PatientSums
from reports.comparing.patients import SharedSums, TwoArms
from reports.counting import Selection
from safety.store import tables

ANY: Final = 0
"""In place of the number of a term, any event; terms are numbered from 1."""

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c
_Sums = Mapping[str, int]
"""Sums over patients by name: of m sessions and x of them with the event, 1 in the later period and
0 in the earlier, ``mm1`` being that of m1 squared."""


@dataclass(frozen=True, slots=True)
class Span:
    """Both periods: the earlier begins on day ``all.first``, the later on ``split``."""

    all: Selection
    split: int

    @classmethod
    def of(cls, connection: Connection, first: int, split: int, last: int) -> Span:
        """From the numbers of the days, ends included."""
        long = counting.is_long(connection, first, last)
        return cls(Selection(first, last, long=long), split)

    def later(self, day: ColumnElement[int]) -> ColumnElement[int]:
        """1 for a day of the later period, else 0."""
        return case((day >= self.split, 1), else_=0)


@dataclass(frozen=True, slots=True)
class Pair:
    """Both periods of one protocol and term, which are told by their numbers in the store."""

    protocol_no: int
    term_no: int
    now: PatientSums
    before: PatientSums
    shared: SharedSums

    @property
    def arms(self) -> TwoArms:
        """The later period against the earlier."""
        return TwoArms(self.now, self.before, self.shared)


def pairs(connection: Connection, span: Span) -> list[Pair]:
    """A pair a protocol for any event, and for each term that was reported in either period."""
    exposed = _exposed(connection, span)
    found = [_pair(protocol, ANY, sums, sums) for protocol, sums in exposed.items()]
    found += [
        _pair(protocol, term, exposed[protocol], x) for protocol, term, x in _hits(connection, span)
    ]
    return found


def serious(connection: Connection, span: Span) -> dict[tuple[int, int], int]:
    """Sessions of the later period with a serious event, by protocol and term, any event too."""
    later = _EVENTS.day.between(span.split, span.all.last), _EVENTS.criteria > 0
    sessions = func.count(distinct(_EVENTS.session_no))
    by_term = select(_EVENTS.protocol_no, _EVENTS.term_no, sessions).where(*later)
    of_any = select(_EVENTS.protocol_no, sessions).where(*later)
    terms = connection.execute(by_term.group_by(_EVENTS.protocol_no, _EVENTS.term_no))
    found = {(protocol, term): count for protocol, term, count in terms}
    for protocol, count in connection.execute(of_any.group_by(_EVENTS.protocol_no)):
        found[protocol, ANY] = count
    return found


def _pair(protocol_no: int, term_no: int, m: _Sums, x: _Sums) -> Pair:
    now = PatientSums(m["k1"], m["n1"], x["x1"], m["mm1"], x["xm1"], x["xx1"])
    before = PatientSums(m["k0"], m["n0"], x["x0"], m["mm0"], x["xm0"], x["xx0"])
    shared = SharedSums(m["shared"], m["m1m0"], x["x1m0"], x["m1x0"], x["x1x0"])
    return Pair(protocol_no, term_no, now, before, shared)


def _patients(span: Span) -> CTE:
    """A row a protocol and patient: sessions of both periods, and those with any event."""
    later = span.later(_SESSIONS.day)
    hit = case((_SESSIONS.worst_grade > 0, 1), else_=0)
    return (
        select(
            _SESSIONS.protocol_no,
            _SESSIONS.patient_no,
            func.sum(later).label("m1"),
            func.sum(1 - later).label("m0"),
            func.sum(later * hit).label("x1"),
            func.sum((1 - later) * hit).label("x0"),
        )
        .where(span.all.sessions())
        .group_by(_SESSIONS.protocol_no, _SESSIONS.patient_no)
        .cte("exposed")
    )


def _products(m: Any, x: Any) -> list[ColumnElement[Any]]:
    """The sums that depend on the event.

    A patient who is not in both periods adds 0 to a product of both.
    """
    return [
        func.sum(x.x1).label("x1"),
        func.sum(x.x1 * x.x1).label("xx1"),
        func.sum(x.x1 * m.m1).label("xm1"),
        func.sum(x.x0).label("x0"),
        func.sum(x.x0 * x.x0).label("xx0"),
        func.sum(x.x0 * m.m0).label("xm0"),
        func.sum(x.x1 * m.m0).label("x1m0"),
        func.sum(m.m1 * x.x0).label("m1x0"),
        func.sum(x.x1 * x.x0).label("x1x0"),
    ]


def _exposed(connection: Connection, span: Span) -> dict[int, _Sums]:
    """By protocol number, the sums that depend on no term, and those of any event."""
    m = _patients(span).c
    query = select(
        m.protocol_no,
        func.sum(case((m.m1 > 0, 1), else_=0)).label("k1"),
        func.sum(case((m.m0 > 0, 1), else_=0)).label("k0"),
        func.sum(case((and_(m.m1 > 0, m.m0 > 0), 1), else_=0)).label("shared"),
        func.sum(m.m1).label("n1"),
        func.sum(m.m0).label("n0"),
        func.sum(m.m1 * m.m1).label("mm1"),
        func.sum(m.m0 * m.m0).label("mm0"),
        func.sum(m.m1 * m.m0).label("m1m0"),
        *_products(m, m),
    ).group_by(m.protocol_no)
    rows = connection.execute(query.order_by(m.protocol_no)).mappings()
    return {row["protocol_no"]: _whole(row) for row in rows}


def _hits(connection: Connection, span: Span) -> Iterator[tuple[int, int, _Sums]]:
    """Protocol, term and the sums of each term that was reported. A session has a term once."""
    later = span.later(_EVENTS.day)
    hit = (
        select(
            _EVENTS.protocol_no,
            _EVENTS.term_no,
            _EVENTS.patient_no,
            func.sum(later).label("x1"),
            func.sum(1 - later).label("x0"),
        )
        .where(span.all.events())
        .group_by(_EVENTS.protocol_no, _EVENTS.term_no, _EVENTS.patient_no)
        .cte("hit")
    )
    patients = _patients(span)
    x, m = hit.c, patients.c
    query = (
        select(x.protocol_no, x.term_no, *_products(m, x))
        .select_from(
            hit.join(patients, and_(x.protocol_no == m.protocol_no, x.patient_no == m.patient_no))
        )
        .group_by(x.protocol_no, x.term_no)
        .order_by(x.protocol_no, x.term_no)
    )
    for row in connection.execute(query).mappings():
        yield row["protocol_no"], row["term_no"], _whole(row)


def _whole(row: Mapping[Any, Any]) -> _Sums:
    # PostgreSQL adds up large whole numbers as decimals.
    return {str(name): int(value) for name, value in row.items()}
