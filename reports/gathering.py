"""Counting in SQL by any dimension: what an estimate over sessions or patients needs, as sums.

Sessions of one patient are alike, so an honest interval needs to know how many sessions, and how
many with the event, each patient had. A row a patient and term would be a million rows over ten
years; the six sums of :class:`~reports.clustered.PatientSums` say the same, and the database adds
them up. By protocol every query reads a covering index of one table and no row of it.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass, field, replace
from typing import Any, Final

from sqlalchemy import (
    ColumnElement,
    Connection,
    Select,
    Subquery,
    and_,
    case,
    distinct,
    func,
    select,
)

from reports import dimensions
from reports.clustered import PatientSums
from reports.counting import Selection
from reports.dimensions import Dimension
from safety.model import Relatedness
from safety.store import tables

Key = tuple[Any, ...]
_SESSIONS: Final = tables.sessions.c
_EVENTS: Final = tables.events.c
RELATED: Final = (Relatedness.CERTAIN, Relatedness.PROBABLE, Relatedness.POSSIBLE)
"""What counts as related (default): the three upper categories of the WHO-UMC system."""


@dataclass(frozen=True, slots=True)
class Hits:
    """Patients and sessions with an event, the events, and the sums of sessions over patients."""

    patients: int = 0
    sessions: int = 0
    events: int = 0
    squared: int = 0
    times_exposed: int = 0


NO_HITS: Final = Hits()


@dataclass(frozen=True, slots=True)
class Exposed:
    """Patients and sessions of one group, and the sum over patients of their sessions squared."""

    patients: int
    sessions: int
    squared: int

    def sums(self, hits: Hits) -> PatientSums:
        """What a clustered estimate of ``hits`` needs."""
        return PatientSums(
            self.patients,
            self.sessions,
            hits.sessions,
            self.squared,
            hits.times_exposed,
            hits.squared,
        )


@dataclass(slots=True)
class Gathered:
    """All counts by group: exposure, any event, and each term by its number."""

    exposed: dict[Key, Exposed] = field(default_factory=dict)
    anything: dict[Key, Hits] = field(default_factory=dict)
    terms: dict[Key, dict[int, Hits]] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Wanted:
    """Which sessions and events are counted, and by what they are split.

    ``sites`` and ``protocols`` are numbers; None takes all. ``serious`` keeps serious events and
    ``related`` those of :data:`RELATED`.
    """

    period: Selection
    by: Dimension
    protocols: tuple[int, ...] | None = None
    sites: tuple[int, ...] | None = None
    serious: bool = False
    related: bool = False

    def sessions(self) -> ColumnElement[bool]:
        """The sessions that count."""
        return and_(self.period.sessions(), *self._narrowed(_SESSIONS))

    def events(self) -> ColumnElement[bool]:
        """The events that count."""
        wanted = [self.period.events(), *self._narrowed(_EVENTS)]
        if self.serious:
            wanted.append(_EVENTS.criteria > 0)
        if self.related:
            wanted.append(_EVENTS.relatedness.in_([kind.value for kind in RELATED]))
        return and_(*wanted)

    def _narrowed(self, columns: Any) -> Iterable[ColumnElement[bool]]:
        if self.protocols is not None:
            yield columns.protocol_no.in_(self.protocols)
        if self.sites is not None:
            yield columns.site_no.in_(self.sites)

    @property
    def sessions_tell(self) -> bool:
        """Whether the row of a session says by itself that it had an event that counts."""
        return not (self.serious or self.related or self.by.of_event)

    @property
    def on_events_alone(self) -> bool:
        """Whether the rows of events name the group by themselves."""
        return self.by.of_event or self.by.name in {"protocol", "protocol-version", "site"}

    def of_sessions(self) -> list[ColumnElement[Any]]:
        """The group of a session as labelled columns; none when events are what is split."""
        return [] if self.by.of_event else _labelled(self.by.columns)

    def of_events(self) -> list[ColumnElement[Any]]:
        """The group of an event, as labelled columns."""
        return _labelled(self.event_columns())

    def event_columns(self) -> tuple[ColumnElement[Any], ...]:
        """The group of an event, as it is compared with a value."""
        if not self.on_events_alone or self.by.of_event:
            return self.by.columns
        return tuple(_EVENTS[column.name] for column in self.by.columns)

    def select_events(self, columns: Iterable[ColumnElement[Any]]) -> Select[Any]:
        """The events that count, with their sessions where these name the group."""
        query = select(*columns).where(self.events())
        if self.on_events_alone:
            return query
        return query.join(tables.sessions, _SESSIONS.no == _EVENTS.session_no)


def _labelled(columns: tuple[ColumnElement[Any], ...]) -> list[ColumnElement[Any]]:
    return [column.label(f"group_{at}") for at, column in enumerate(columns)]


def gathered(
    connection: Connection, wanted: Wanted, unions: Mapping[int, Iterable[int]] | None = None
) -> Gathered:
    """Count everything that was asked for.

    ``unions`` are groups of term numbers, each under a number of its own that no term has (a
    negative one): a session in which two of them occurred counts once.
    """
    counting = _Counting(wanted)
    found = Gathered(*counting.exposed(connection))
    for key, term, hits in counting.terms(connection):
        found.terms.setdefault(key, {})[term] = hits
    if wanted.sessions_tell:
        _add_events(found)
    else:
        found.anything = counting.anything(connection)
    for number, members in (unions or {}).items():
        for key, hits in counting.union(connection, sorted(members)):
            found.terms.setdefault(key, {})[number] = hits
    return found


def _add_events(found: Gathered) -> None:
    """An event has one term, so the events of any kind are those of all terms."""
    for key, hits in found.anything.items():
        events = sum(each.events for each in found.terms.get(key, {}).values())
        found.anything[key] = replace(hits, events=events)


class _Counting:
    """The queries of one :class:`Wanted`."""

    def __init__(self, wanted: Wanted) -> None:
        self._wanted = wanted
        self._history: Subquery | None = None
        if wanted.by.numbered:
            self._history = dimensions.history(
                select(_SESSIONS.patient_no).where(wanted.sessions())
            )
        self._of_sessions = wanted.of_sessions()
        self._of_events = wanted.of_events()

    def exposed(self, connection: Connection) -> tuple[dict[Key, Exposed], dict[Key, Hits]]:
        """Exposure by group, and the sessions that had any event as their own rows say."""
        found = self._by_patient(hits=True).subquery()
        m, x = found.c.sessions, found.c.hits
        names = _names(self._of_sessions)
        groups = [found.c[name] for name in names]
        sums = [
            func.count(),
            *map(func.sum, (m, m * m, case((x > 0, 1), else_=0), x, x * x, x * m)),
        ]
        exposures, anything = {}, {}
        for row in connection.execute(select(*groups, *sums).group_by(*groups)):
            key = tuple(row[: len(names)])
            k, n, squared, patients, hits, hits_squared, product = (
                int(number or 0) for number in row[len(names) :]
            )
            exposures[key] = Exposed(k, n, squared)
            anything[key] = Hits(patients, hits, 0, hits_squared, product)
        return exposures, anything

    def anything(self, connection: Connection) -> dict[Key, Hits]:
        """Any adverse event: a session counts once, whatever and however many they were."""
        return {key: hits for key, _, hits in self._hits(connection, None)}

    def terms(self, connection: Connection) -> Iterator[tuple[Key, int, Hits]]:
        """Each term by its number. A session has a term at most once."""
        return self._hits(connection, _EVENTS.term_no.label("term_no"))

    def union(self, connection: Connection, members: list[int]) -> Iterator[tuple[Key, Hits]]:
        """Any of the terms ``members``."""
        found = self._hits(connection, None, _EVENTS.term_no.in_(members))
        return ((key, hits) for key, _, hits in found)

    def _by_patient(self, *, hits: bool = False) -> Select[Any]:
        """A row a group and patient: the sessions, and with ``hits`` those with any event."""
        groups, patient = self._of_sessions, _SESSIONS.patient_no
        query = select(*groups, patient, func.count().label("sessions"))
        if hits:
            one = case((self._wanted.period.with_event(), 1), else_=0)
            query = query.add_columns(func.sum(one).label("hits"))
        return self._numbered(query.where(self._wanted.sessions())).group_by(*groups, patient)

    def _hits(
        self,
        connection: Connection,
        term: ColumnElement[int] | None,
        *more: ColumnElement[bool],
    ) -> Iterator[tuple[Key, int, Hits]]:
        split = [*self._of_events, *([] if term is None else [term])]
        sessions = func.count() if term is not None else func.count(distinct(_EVENTS.session_no))
        counts = [sessions.label("hits"), func.count().label("events")]
        query = self._wanted.select_events([*split, _EVENTS.patient_no, *counts]).where(*more)
        query = self._numbered(query)
        hit = query.group_by(*split, _EVENTS.patient_no).cte("hit")
        exposed = self._by_patient().cte("exposed")
        same = [hit.c.patient_no == exposed.c.patient_no]
        same += [hit.c[name] == exposed.c[name] for name in _names(self._of_sessions)]
        groups, x, m = [hit.c[name] for name in _names(split)], hit.c.hits, exposed.c.sessions
        summed = select(
            *groups,
            func.count(),
            func.sum(x),
            func.sum(hit.c.events),
            func.sum(x * x),
            func.sum(x * m),
        ).select_from(hit.join(exposed, and_(*same)))
        ends = len(self._of_events)
        for row in connection.execute(summed.group_by(*groups)):
            number = 0 if term is None else int(row[ends])
            yield tuple(row[:ends]), number, Hits(*(int(n) for n in row[len(split) :]))

    def _numbered(self, query: Select[Any]) -> Select[Any]:
        if self._history is None:
            return query
        return query.join(self._history, self._history.c.session_no == _SESSIONS.no)


def _names(columns: Iterable[ColumnElement[Any]]) -> list[str]:
    return [str(column.name) for column in columns]
