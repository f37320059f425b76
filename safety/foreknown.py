"""What the clinic knows before the nurse types: the last session, usual events, colleagues."""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, func, select

from safety.access import Action, Actor, Role, guarded
from safety.errors import UnknownName
from safety.model import AdverseEvent, SessionReport
from safety.store import account_rows, reading, tables
from safety.store.handle import Store
from safety.vocabulary import parse_protocols, vocabulary

MOST_TERMS: Final = 12
COMMON_PERCENT: Final = 3
"""Default of Afterdose: a term in 3 of 100 sessions is worth a place on the form."""

_WITNESSES: Final = frozenset({Role.NURSE, Role.CHARGE, Role.DIRECTOR})


@dataclass(frozen=True, slots=True)
class Last:
    """A patient's newest session, and how many sessions there are of each protocol up to it.

    ``sessions_by_protocol`` counts all that were ever filed, by protocol id, this one too.
    """

    report_id: UUID
    version: int
    report: SessionReport
    sessions_by_protocol: Mapping[str, int]

    @property
    def events(self) -> tuple[AdverseEvent, ...]:
        """What happened then."""
        return self.report.events

    @property
    def session_number(self) -> int:
        """Which session of its protocol it was, counted from 1."""
        return self.sessions_by_protocol[self.report.protocol]

    def next_number(self, protocol_id: str) -> int:
        """Which session of this protocol a new one would be, counted from 1."""
        return self.sessions_by_protocol.get(protocol_id, 0) + 1

    def __repr__(self) -> str:
        return f"Last({self.report_id}, version={self.version})"


@guarded(Action.READ_REPORT)
def last_session(store: Store, actor: Actor, patient_no: int) -> Last | None:
    """The newest session of a patient, or None when none is filed; the view is on record."""
    with store.read() as connection:
        ids = _newest_day(connection, patient_no)
        of_the_day = [reading.current(connection, store.ring, each) for each in ids]
        counted = _sessions_by_protocol(connection, patient_no)
    if not of_the_day:
        return None
    newest = max(of_the_day, key=lambda stored: (stored.report.started_at, stored.created_at))
    with store.write() as writer:
        writer.log(actor, "report.view", "report", newest.report_id.hex, note="last session")
        writer.commit()
    return Last(newest.report_id, newest.version, newest.report, counted)


def _newest_day(connection: Connection, patient_no: int) -> list[UUID]:
    """The reports of the patient's newest day: the index knows days, the reports the time."""
    columns = tables.sessions.c
    newest = select(func.max(columns.day)).where(columns.patient_no == patient_no).scalar_subquery()
    query = select(columns.report_id).where(columns.patient_no == patient_no, columns.day == newest)
    return [UUID(bytes=bytes(row.report_id)) for row in connection.execute(query)]


def _sessions_by_protocol(connection: Connection, patient_no: int) -> dict[str, int]:
    sessions, protocols = tables.sessions.c, tables.protocols.c
    query = (
        select(protocols.id, func.count())
        .join_from(
            tables.sessions,
            tables.protocols,
            (protocols.no == sessions.protocol_no)
            & (protocols.version == sessions.protocol_version),
        )
        .where(sessions.patient_no == patient_no)
        .group_by(protocols.id)
    )
    return {row[0]: row[1] for row in connection.execute(query)}


@guarded(Action.FILE_REPORT)
def common_terms(store: Store, actor: Actor, protocol_id: str) -> tuple[str, ...]:  # noqa: ARG001
    """Term ids to offer first, at most 12.

    The protocol's own terms, those that this clinic reported most with it first, then others that
    it reported in at least 3 % of its sessions. Ties stand in the protocol's order, then in that of
    the vocabulary. Raises UnknownName.
    """
    with store.read() as connection:
        protocol = _newest_version(connection, protocol_id)
        own = parse_protocols(protocol.content.encode())[0].common_terms
        reported = _reported(connection, protocol.no)
        sessions = _session_count(connection, protocol.no) if reported else 0
    others = [
        term.id
        for term in vocabulary().terms
        if term.id not in own
        and reported[term.id] > 0
        and reported[term.id] * 100 >= COMMON_PERCENT * sessions
    ]
    ordered = [*_by_count(own, reported), *_by_count(others, reported)]
    return tuple(ordered[:MOST_TERMS])


def _by_count(terms: Any, reported: Mapping[str, int]) -> list[str]:
    return sorted(terms, key=lambda term: -reported[term])  # stable: ties stay in order


def _newest_version(connection: Connection, protocol_id: str) -> Any:
    columns = tables.protocols.c
    query = (
        select(columns.no, columns.content)
        .where(columns.id == protocol_id)
        .order_by(columns.version.desc())
        .limit(1)
    )
    row = connection.execute(query).first()
    if row is None:
        raise UnknownName("There is no such protocol. List them with: afterdose protocols")
    return row


def _reported(connection: Connection, protocol_no: int) -> Counter[str]:
    """In how many sessions of the protocol each term was reported, read from one index alone."""
    columns = tables.events.c
    query = (
        select(columns.term_no, func.count().label("sessions"))
        .where(columns.protocol_no == protocol_no)
        .group_by(columns.term_no)
    )
    numbers = {row.no: row.id for row in connection.execute(select(tables.term_numbers))}
    return Counter({numbers[row.term_no]: row.sessions for row in connection.execute(query)})


def _session_count(connection: Connection, protocol_no: int) -> int:
    query = select(func.count()).where(tables.sessions.c.protocol_no == protocol_no)
    return int(connection.execute(query).scalar_one())


@guarded(Action.FILE_REPORT)
def staff_names(store: Store, actor: Actor) -> tuple[str, ...]:  # noqa: ARG001 - guarded
    """Names of those who can witness: active nurses, nurses in charge and directors, in order.

    Raises Tampered.
    """
    with store.read() as connection:
        rows = list(account_rows.every(store, connection))
    names = {row["display_name"] for row in rows if row["active"] and row["role"] in _WITNESSES}
    return tuple(sorted(names, key=lambda name: (name.casefold(), name)))
