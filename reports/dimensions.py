"""What incidence can be counted by: the SQL of each dimension, and the words for its values.

A dimension splits sessions into groups, or, as *elicitation* does, events. What a report left out
is a group of its own, "not recorded": leaving such sessions out would change the denominator.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Integer,
    Select,
    Subquery,
    and_,
    case,
    func,
    literal_column,
    select,
)

from safety.model import Elicitation, Route, Setting, Sex
from safety.store import tables
from safety.vocabulary import parse_protocols

NOT_RECORDED: Final = "not recorded"
MOST_SESSION_NUMBERS: Final = 12
"""Sessions are counted one by one up to here (default): an induction has 6 to 8 of them."""

_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c

# Defaults. A dose by weight is banded around the 0.5 mg/kg of most trials; a fixed nasal dose
# comes in devices of 28 mg.
_BY_WEIGHT: Final = (
    (0.5, "under 0.5 mg/kg"),
    (0.75, "0.5 to under 0.75 mg/kg"),
    (1.0, "0.75 to under 1 mg/kg"),
)
_BY_WEIGHT_MOST: Final = "1 mg/kg or more"
_FIXED: Final = ((28, "up to 28 mg"), (56, "over 28 to 56 mg"), (84, "over 56 to 84 mg"))
_FIXED_MOST: Final = "over 84 mg"
_AGES: Final = ((18, "under 18"), (30, "18 to 29"), (45, "30 to 44"), (65, "45 to 64"))
_OLDEST: Final = "65 or older"


Bands = tuple[tuple[float, str], ...]


@dataclass(frozen=True, slots=True)
class Dimension:
    """One way to split; ``columns`` are SQL over a session, or over an event where ``of_event``.

    ``order`` is the order of the values on a page, where it is not that of the store. ``numbered``
    says that the SQL reads the session's number in its patient's history. ``over_time`` says
    whether a patient stays in a group long enough for time at risk to mean something.
    """

    name: str
    title: str
    columns: tuple[ColumnElement[Any], ...]
    order: tuple[str, ...] = ()
    of_event: bool = False
    numbered: bool = False
    over_time: bool = True


def _banded(
    value: ColumnElement[Any], bands: Bands, most: str, *, closed: bool
) -> ColumnElement[Any]:
    limits = [(value <= high if closed else value < high, name) for high, name in bands]
    return case(*limits, else_=most)


def _dose() -> ColumnElement[Any]:
    by_weight = _banded(_SESSIONS.dose_mg_per_kg, _BY_WEIGHT, _BY_WEIGHT_MOST, closed=False)
    fixed = _banded(_SESSIONS.dose_mg, _FIXED, _FIXED_MOST, closed=True)
    given = _SESSIONS.dose_mg.is_not(None)
    return case(
        (and_(_SESSIONS.route == Route.INTRANASAL.value, given), fixed),
        (_SESSIONS.dose_mg_per_kg.is_not(None), by_weight),
        (given, fixed),
        else_=NOT_RECORDED,
    )


def _age() -> ColumnElement[Any]:
    banded = _banded(_SESSIONS.age_years, _AGES, _OLDEST, closed=False)
    return case((_SESSIONS.age_years.is_(None), NOT_RECORDED), else_=banded)


def _recorded(column: ColumnElement[Any]) -> ColumnElement[Any]:
    return func.coalesce(column, NOT_RECORDED)


def _names(bands: Bands, most: str) -> tuple[str, ...]:
    return (*(name for _, name in bands), most)


def _values(kind: type[StrEnum]) -> tuple[str, ...]:
    return (*(value.value for value in kind), NOT_RECORDED)


NUMBER: Final[ColumnElement[int]] = literal_column("history.number", Integer)
"""The session's number in its patient's history, where :func:`history` is joined."""

_ALL: Final = (
    Dimension("protocol", "Protocol", (_SESSIONS.protocol_no,)),
    Dimension(
        "protocol-version",
        "Protocol version",
        (_SESSIONS.protocol_no, _SESSIONS.protocol_version),
    ),
    Dimension("site", "Site", (_SESSIONS.site_no,)),
    Dimension("route", "Route", (_recorded(_SESSIONS.route),), _values(Route)),
    Dimension(
        "dose-band",
        "Dose",
        (_dose(),),
        (*_names(_BY_WEIGHT, _BY_WEIGHT_MOST), *_names(_FIXED, _FIXED_MOST), NOT_RECORDED),
    ),
    Dimension(
        "session-number",
        "Session of the patient",
        (case((NUMBER > MOST_SESSION_NUMBERS, MOST_SESSION_NUMBERS + 1), else_=NUMBER),),
        numbered=True,
        over_time=False,
    ),
    Dimension("setting", "Setting", (_recorded(_SESSIONS.setting),), _values(Setting)),
    Dimension("age-band", "Age", (_age(),), (*_names(_AGES, _OLDEST), NOT_RECORDED)),
    Dimension("sex", "Sex", (_recorded(_SESSIONS.sex),), _values(Sex)),
    Dimension(
        "elicitation",
        "How it came to be known",
        (_recorded(_EVENTS.elicitation),),
        _values(Elicitation),
        of_event=True,
        over_time=False,
    ),
)

DIMENSIONS: Final[Mapping[str, Dimension]] = {each.name: each for each in _ALL}
"""Every dimension by the name that a query gives."""


@dataclass(frozen=True, slots=True)
class Group:
    """One value of a dimension: as it is in SQL, as a name for files, and in words."""

    key: tuple[Any, ...]
    id: str
    name: str


def groups(connection: Connection, by: Dimension, seen: Iterable[tuple[Any, ...]]) -> list[Group]:
    """The groups that occur, in the order in which they are shown."""
    keys = set(seen)
    if by.name in {"protocol", "protocol-version"}:
        return [each for each in _protocols(connection, by) if each.key in keys]
    if by.name == "site":
        return [each for each in _sites(connection) if each.key in keys]
    if by.numbered:
        return [_numbered(key) for key in sorted(keys)]
    order = {name: at for at, name in enumerate(by.order)}
    return [
        Group(key, str(key[0]), _words(key[0])) for key in sorted(keys, key=lambda k: order[k[0]])
    ]


def every_group(connection: Connection, dimension: str) -> list[Group]:
    """All that the store knows of ``protocol``, ``protocol-version`` or ``site``, used or not."""
    if dimension == "site":
        return list(_sites(connection))
    return list(_protocols(connection, DIMENSIONS[dimension]))


def history(patients: Select[Any]) -> Subquery:
    """The number of each session in its patient's whole history, for ``patients``.

    A history that was imported counts; one that Afterdose never saw cannot.
    """
    number = func.row_number().over(
        partition_by=_SESSIONS.patient_no, order_by=(_SESSIONS.day, _SESSIONS.no)
    )
    return (
        select(_SESSIONS.no.label("session_no"), number.label("number"))
        .where(_SESSIONS.patient_no.in_(patients))
        .subquery("history")
    )


def _protocols(connection: Connection, by: Dimension) -> Iterator[Group]:
    columns = tables.protocols.c
    query = select(columns.no, columns.version, columns.id, columns.content)
    rows = connection.execute(query.order_by(columns.no, columns.version)).all()
    if by.name == "protocol":
        for row in {row.no: row for row in rows}.values():
            yield Group((row.no,), row.id, _name(row.content))
        return
    for row in rows:
        name = f"{_name(row.content)}, version {row.version}"
        yield Group((row.no, row.version), f"{row.id} v{row.version}", name)


def _name(content: str) -> str:
    return parse_protocols(content.encode())[0].name


def _sites(connection: Connection) -> Iterator[Group]:
    columns = tables.sites.c
    for row in connection.execute(select(columns.no, columns.name).order_by(columns.no)):
        yield Group((row.no,), row.name, row.name)


def _numbered(key: tuple[Any, ...]) -> Group:
    number = int(key[0])
    if number > MOST_SESSION_NUMBERS:
        return Group(key, f"{number}+", f"Session {number} or later")
    return Group(key, str(number), f"Session {number}")


def _words(value: str) -> str:
    return value.replace("_", " ").capitalize() if value.islower() else value
