"""The sessions behind one number: which they are, for whoever asks why it is what it is.

A list of sessions is closer to patients than a count, so each look is on record, with ids and
numbers only. Nobody is named here; a report that is opened from the list is a view of its own.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from dataclasses import dataclass
from datetime import date
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Select, distinct, func, select

from reports import dimensions
from reports.asking import Asked, RateQuery, asked_terms, wanted_of
from reports.dimensions import Dimension, every_group
from reports.gathering import Key, Wanted
from reports.rows import ANY_EVENT
from safety.access import Action, Actor, guarded
from safety.clock import day_of
from safety.errors import UnknownName
from safety.store import seeding, tables
from safety.store.handle import Store

MOST_LISTED: Final = 200
_REFERENCE: Final = 8
_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c


@dataclass(frozen=True, slots=True)
class SessionBehind:
    """One session with the event. ``reference`` ends the report's id in the audit trail.

    What says more than the day (grade, protocol, site, seriousness, the report to open) is None for
    a role that may not open reports.
    """

    reference: str
    day: date
    grade: int | None = None
    serious: bool | None = None
    protocol_name: str | None = None
    site: str | None = None
    report_id: UUID | None = None


@dataclass(frozen=True, slots=True)
class SessionsBehind:
    """The newest sessions with the event, and how many there are of how many patients."""

    listed: tuple[SessionBehind, ...]
    sessions: int
    patients: int

    @property
    def not_listed(self) -> int:
        """How many older ones there are."""
        return self.sessions - len(self.listed)


@guarded(Action.READ_RATES)
def sessions_behind(
    store: Store, actor: Actor, query: RateQuery, group: str | None = None
) -> SessionsBehind:
    """The sessions with the event that ``query`` counts, newest first; the look is on record.

    ``group`` is the id of one group of ``query.by``, as the rows of
    :func:`~reports.rates.incidence` have it (None: all); without a term any event counts. At most
    200 are listed. Raises UnknownName.
    """
    with store.read() as connection:
        wanted = wanted_of(connection, query)
        key = None if group is None else _key(connection, wanted.by, group)
        hits = _hits(connection, wanted, _asked(query), key)
        found = _found(connection, hits, in_full=actor.may(Action.READ_REPORT))
    with store.write() as writer:
        about = next((each.id for each in _asked(query)), ANY_EVENT)
        note = _note(query, wanted, key, found)
        writer.log(actor, "session.list", "term", about, note=note)
        writer.commit()
    return found


def _asked(query: RateQuery) -> list[Asked]:
    return [] if query.term is None else asked_terms(query.term)


def _note(query: RateQuery, wanted: Wanted, key: Key | None, found: SessionsBehind) -> str:
    """What the list was of, in ids and numbers: a name of a site stays out of the ledger."""
    parts = [f"{query.first} to {query.last}"]
    for what, numbers in (
        ("protocols", wanted.protocols),
        ("sites", wanted.sites),
        (query.by, key),
    ):
        if numbers is not None:
            parts.append(f"{what} {' '.join(map(str, numbers))}")
    return f"{', '.join(parts)}: sessions {found.sessions}, listed {len(found.listed)}"


def _found(connection: Connection, hits: Select[Any], *, in_full: bool) -> SessionsBehind:
    every = hits.subquery()
    counts = select(func.count(), func.count(distinct(every.c.patient_no))).select_from(every)
    sessions, patients = connection.execute(counts).one()
    newest = hits.order_by(_SESSIONS.day.desc(), _SESSIONS.no.desc()).limit(MOST_LISTED)
    rows = connection.execute(newest).all()
    listed = _in_full(connection, rows) if in_full else (_bare(row) for row in rows)
    return SessionsBehind(tuple(listed), sessions, patients)


def _hits(
    connection: Connection, wanted: Wanted, asked: Iterable[Asked], key: Key | None
) -> Select[Any]:
    """A row a session with the event, with its worst grade."""
    rows = (
        select(
            _SESSIONS.no,
            _SESSIONS.report_id,
            _SESSIONS.patient_no,
            _SESSIONS.day,
            _SESSIONS.protocol_no,
            _SESSIONS.site_no,
            func.max(_EVENTS.grade).label("grade"),
            func.max(_EVENTS.criteria).label("criteria"),
        )
        .join_from(tables.events, tables.sessions, _SESSIONS.no == _EVENTS.session_no)
        .where(wanted.events())
        .group_by(_SESSIONS.no)
    )
    if terms := [term for each in asked for term in each.members]:
        known = seeding.term_numbers(connection)
        rows = rows.where(_EVENTS.term_no.in_([known[term] for term in terms if term in known]))
    if key is None:
        return rows
    if wanted.by.numbered:
        history = dimensions.history(select(_SESSIONS.patient_no).where(wanted.sessions()))
        rows = rows.join(history, history.c.session_no == _SESSIONS.no)
    same = zip(wanted.by.columns, key, strict=True)
    return rows.where(*(column == value for column, value in same))


def _key(connection: Connection, by: Dimension, group: str) -> Key:
    """The value in SQL of the group with the id ``group``. Raises UnknownName."""
    if by.name in {"protocol", "protocol-version", "site"}:
        known = {each.id: each.key for each in every_group(connection, by.name)}
    elif by.numbered:
        last = dimensions.MOST_SESSION_NUMBERS + 1
        known = {str(number): (number,) for number in range(1, last)} | {f"{last}+": (last,)}
    else:
        known = {name: (name,) for name in by.order}
    if group not in known:
        raise UnknownName(f"There is no such group by {by.name}. Choose one from the table.")
    return known[group]


def _reference(row: Any) -> str:
    return bytes(row.report_id).hex()[-_REFERENCE:]


def _bare(row: Any) -> SessionBehind:
    return SessionBehind(_reference(row), day_of(row.day))


def _in_full(connection: Connection, rows: Any) -> Iterator[SessionBehind]:
    protocols = {each.key: each.name for each in every_group(connection, "protocol")}
    sites = {each.key: each.name for each in every_group(connection, "site")}
    for row in rows:
        yield SessionBehind(
            _reference(row),
            day_of(row.day),
            row.grade,
            row.criteria > 0,
            protocols[row.protocol_no,],
            sites[row.site_no,],
            UUID(bytes=bytes(row.report_id)),
        )
