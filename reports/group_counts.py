"""Counting in SQL for group signals: sites or reporting persons, and who they are.

Whatever is asked of sessions comes back as sums over patients, a few numbers a unit: sessions of
one patient are alike, and an honest limit needs to know how many each had.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from sqlalchemy import ColumnElement, Connection, and_, case, func, literal, select

from reports.clustered import PatientSums
from reports.dimensions import DIMENSIONS, groups
from reports.gathering import Wanted
from safety.access import Action, Actor
from safety.store import account_rows, seeding, tables
from safety.store.handle import Store
from safety.store.index import reporter_index

SITE: Final = "site"
NURSE: Final = "nurse"
UNITS: Final = (SITE, NURSE)

Key = tuple[Any, ...]
_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c
_SHORTEST: Final = 4

UNIT_COLUMNS: Final[Mapping[str, ColumnElement[Any]]] = {
    SITE: _SESSIONS.site_no,
    NURSE: _SESSIONS.reporter,
}
"""What splits sessions into units; a person is a pseudonym, NULL where the report names nobody."""

PROTOCOL: Final = _SESSIONS.protocol_no


@dataclass(frozen=True, slots=True)
class Question:
    """A condition on a session, and the sessions of which it can be told (None: all)."""

    hit: ColumnElement[bool]
    told: ColumnElement[bool] | None = None


def sums(
    connection: Connection,
    where: ColumnElement[bool],
    by: Sequence[ColumnElement[Any]],
    questions: Sequence[Question],
) -> dict[Key, tuple[PatientSums, ...]]:
    """Sums over the patients of each group, one a question, of the sessions ``where`` holds.

    ``by`` are columns or expressions over a session; without any there is one group, ``()``. A
    patient without a session of which the answer can be told is not among a question's patients.
    """
    names = [f"group_{at}" for at in range(len(by))]
    one_each = select(
        *(column.label(name) for column, name in zip(by, names, strict=True)),
        _SESSIONS.patient_no.label("patient"),
        *_flags(questions),
    ).where(where)
    # Grouped outside of where the expressions stand: a server does not see that two are the same.
    rows = one_each.subquery()
    keys = [rows.c[name] for name in names]
    added = [func.sum(rows.c[name]).label(name) for name in _flag_names(questions)]
    patients = select(*keys, rows.c.patient, *added).group_by(*keys, rows.c.patient).subquery()
    outer = [patients.c[name] for name in names]
    query = select(*outer, *_totals(patients.c, len(questions))).group_by(*outer)
    return {tuple(row[: len(names)]): _read(row[len(names) :]) for row in connection.execute(query)}


def _flags(questions: Sequence[Question]) -> list[ColumnElement[int]]:
    found: list[ColumnElement[int]] = []
    for at, question in enumerate(questions):
        told = question.told
        hit = question.hit if told is None else and_(told, question.hit)
        every = literal(1) if told is None else case((told, 1), else_=0)
        found += [every.label(f"m_{at}"), case((hit, 1), else_=0).label(f"x_{at}")]
    return found


def _flag_names(questions: Sequence[Question]) -> list[str]:
    return [f"{kind}_{at}" for at in range(len(questions)) for kind in ("m", "x")]


def _totals(columns: Any, questions: int) -> list[ColumnElement[Any]]:
    found: list[ColumnElement[Any]] = []
    for at in range(questions):
        m, x = columns[f"m_{at}"], columns[f"x_{at}"]
        exposed = case((m > 0, 1), else_=0)
        found += [func.sum(each) for each in (exposed, m, x, m * m, m * x, x * x)]
    return found


def _read(numbers: Sequence[Any]) -> tuple[PatientSums, ...]:
    whole = [int(number or 0) for number in numbers]
    return tuple(PatientSums(*whole[at : at + 6]) for at in range(0, len(whole), 6))


def any_event(wanted: Wanted) -> Question:
    """Whether a session had any event that counts."""
    return Question(wanted.period.with_event())


def any_of(connection: Connection, wanted: Wanted, terms: Sequence[str]) -> Question:
    """Whether a session had any of the terms, by their ids."""
    having = select(_EVENTS.session_no).where(wanted.events(), _is_one_of(connection, terms))
    return Question(_SESSIONS.no.in_(having))


def nothing_happened() -> Question:
    """Whether a report says on purpose that there was no effect."""
    return Question(func.coalesce(_SESSIONS.nothing_happened, 0) == 1)


def entered_late(hours: float) -> Question:
    """Whether a report was filed more than ``hours`` after the session's end.

    Where a report has no end, the beginning counts. Told where it says when it was filed.
    """
    lag = _SESSIONS.entry_lag_minutes
    return Question(lag - func.coalesce(_SESSIONS.minutes, 0) > 60 * hours, lag.is_not(None))


def events_by_protocol(
    connection: Connection, wanted: Wanted, terms: Sequence[str]
) -> dict[int, tuple[int, int]]:
    """Events of the terms, and all events, by protocol number."""
    one = case((_is_one_of(connection, terms), 1), else_=0)
    rows = select(_EVENTS.protocol_no, one.label("hit")).where(wanted.events()).subquery()
    query = select(rows.c.protocol_no, func.sum(rows.c.hit), func.count())
    found = connection.execute(query.group_by(rows.c.protocol_no))
    return {no: (int(hits), int(events)) for no, hits, events in found}


def _is_one_of(connection: Connection, terms: Sequence[str]) -> ColumnElement[bool]:
    numbers = seeding.term_numbers(connection)
    # A term that this store has never seen has no number, and no events.
    return _EVENTS.term_no.in_([numbers[term] for term in terms if term in numbers])


@dataclass(frozen=True, slots=True)
class Named:
    """A unit as it is shown. ``id`` never names a person; ``person`` says that ``name`` does."""

    id: str
    name: str
    person: bool = False


def named(
    store: Store, connection: Connection, actor: Actor, by: str, seen: Sequence[Any]
) -> dict[Any, Named]:
    """Names for the values of a unit's column, in the order in which they are shown.

    A person goes by a pseudonym. Whoever may read reports, where the name of the reporting person
    stands, sees the name of the account that it belongs to. Raises Tampered.
    """
    if by == SITE:
        found = groups(connection, DIMENSIONS[SITE], [(value,) for value in seen])
        return {group.key[0]: Named(group.id, group.name) for group in found}
    ids = _pseudonyms(seen)
    names = _accounts(store, connection) if actor.may(Action.READ_REPORT) else {}
    units = {
        value: Named(ids[value], names.get(value, ids[value]), person=value in names)
        for value in seen
    }
    return dict(sorted(units.items(), key=lambda unit: (not unit[1].person, unit[1].name)))


def _pseudonyms(seen: Sequence[bytes]) -> dict[bytes, str]:
    """``Person 3F9A``: the first digits that tell all of them apart."""
    digits = _SHORTEST
    while len({value.hex()[:digits] for value in seen}) < len(set(seen)):
        digits += 1
    return {value: f"Person {value.hex()[:digits].upper()}" for value in seen}


def _accounts(store: Store, connection: Connection) -> dict[bytes, str]:
    """Names of accounts by the pseudonym under which their reports are counted."""
    found: dict[bytes, str] = {}
    for row in account_rows.every(store, connection):
        pseudonym = reporter_index(store.ring.index_key, row["display_name"])
        if pseudonym is not None:
            found[pseudonym] = str(row["display_name"])
    return found
