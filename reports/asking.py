"""What is asked of the counts: the query, and what its names stand for in a store."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import date
from typing import Final

from sqlalchemy import Connection

from reports import counting
from reports.clustered import CLUSTERED
from reports.counting import Selection
from reports.dimensions import DIMENSIONS, every_group
from reports.gathering import Wanted
from reports.intervals import LEVEL, METHODS
from reports.rows import ANY_EVENT, PATIENT_MONTH, SESSION, UNITS
from safety.clock import day_number
from safety.errors import UnknownName, UserError
from safety.limits import GRADE
from safety.vocabulary import vocabulary
from safety.vocabulary.names import fold

DEFAULT: Final = "default"


@dataclass(frozen=True, slots=True)
class RateQuery:
    """What is asked: sessions from ``first`` to ``last``, both days included.

    ``by`` names a dimension of :data:`~reports.dimensions.DIMENSIONS`. ``term`` is a term or a
    group by any of its names (None: every term); ``min_grade`` leaves out milder events;
    ``treatment_emergent`` leaves out what was there before the dose; ``serious`` and ``related``
    keep only such events. ``protocols`` and ``sites`` are names (None: all). ``method`` is that of
    proportions, by default clustered per session and Wilson per patient; rates over time have
    methods of their own. Raises UserError.
    """

    first: date
    last: date
    unit: str = SESSION
    by: str = "protocol"
    term: str | None = None
    min_grade: int = 1
    treatment_emergent: bool = False
    method: str = DEFAULT
    level: float = LEVEL
    protocols: tuple[str, ...] | None = None
    sites: tuple[str, ...] | None = None
    serious: bool = False
    related: bool = False
    all_events: bool = False

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UserError(
                f"The period ends ({self.last}) before it begins ({self.first}). Swap the dates."
            )
        _one_of("unit", self.unit, UNITS)
        _one_of("by", self.by, tuple(DIMENSIONS))
        _one_of("method", self.method, (DEFAULT, CLUSTERED, *METHODS))
        if not GRADE.low <= self.min_grade <= GRADE.high:
            raise UserError(f"There is no grade {self.min_grade}: grades go from 1 to 5.")
        if not 0 < self.level < 1:
            raise UserError(f"The level {self.level:g} must lie between 0 and 1, such as 0.95.")
        self._check_units()

    def _check_units(self) -> None:
        if self.unit != PATIENT_MONTH and self.all_events:
            raise UserError("Every event counts anew only per patient-month. Choose that unit.")
        if self.unit == PATIENT_MONTH and not DIMENSIONS[self.by].over_time:
            raise UserError(
                f"Nobody is at risk over time by {self.by}. Count per session or per patient."
            )
        if self.unit != SESSION and self.method == CLUSTERED:
            raise UserError(f"{CLUSTERED} is for sessions, which belong to patients.")


def _one_of(name: str, given: str, choices: tuple[str, ...]) -> None:
    if given not in choices:
        raise UserError(f"{name} must be one of: {', '.join(choices)}.")


@dataclass(frozen=True, slots=True)
class Asked:
    """What gets a row: its id, its name, and the terms it stands for."""

    id: str
    name: str
    members: tuple[str, ...]


ANYTHING: Final = Asked(ANY_EVENT, ANY_EVENT.capitalize(), ())


def asked_terms(text: str | None) -> list[Asked]:
    """What ``text`` names: a term, a group, every term (None), or nothing but any event."""
    words = vocabulary()
    if text is None:
        return [Asked(term.id, term.name, (term.id,)) for term in words.terms]
    if fold(text) == ANY_EVENT:
        return []
    try:
        group = words.group(text)
    except UnknownName:
        term = words.find(text)
        return [Asked(term.id, term.name, (term.id,))]
    return [Asked(group.id, group.name, group.members)]


def selection(connection: Connection, query: RateQuery) -> Selection:
    """The days and events of ``query``."""
    first, last = day_number(query.first), day_number(query.last)
    long = counting.is_long(connection, first, last)
    return Selection(first, last, query.min_grade, query.treatment_emergent, long)


def wanted_of(connection: Connection, query: RateQuery) -> Wanted:
    """What ``query`` counts. Raises UnknownName for a protocol or site that does not exist."""
    return Wanted(
        selection(connection, query),
        DIMENSIONS[query.by],
        _numbers(connection, "protocol", query.protocols),
        _numbers(connection, "site", query.sites),
        query.serious,
        query.related,
    )


def _numbers(
    connection: Connection, dimension: str, names: tuple[str, ...] | None
) -> tuple[int, ...] | None:
    if names is None:
        return None
    known: dict[str, int] = {}
    for group in every_group(connection, dimension):
        known |= {fold(group.id): group.key[0], fold(group.name): group.key[0]}
    unknown = [name for name in names if fold(name) not in known]
    if unknown:
        raise UnknownName(
            f"There is no {dimension} of this name. `afterdose protocols` lists the protocols; the "
            "sites stand on the page of a new report."
        )
    return tuple(sorted({known[fold(name)] for name in names}))
