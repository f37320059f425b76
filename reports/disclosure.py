"""Small-count suppression: the only door for tables that leave the clinic.

A count of 1 to 10 is not shown, and neither is anything from which it follows. Source: Cell Size
Suppression Policy of the Centers for Medicare & Medicaid Services, as published by ResDAC (version
of 26 January 2024): no cell of 1 to 10, zero may be shown, no percentage or total from which such
a cell can be derived, excluded cases included. That policy binds users of Medicare data. Here it
is the default for tables handed to outsiders.

What is treated as a count of a cell, with ``limit`` standing for 10:

- sessions, patients, amended reports, silent sessions, units with an event, events;
- what is left over: exposed units without the event, reports not amended, sessions that said
  something, sessions in which "no adverse event" was said, units with an event other than one
  shown term, patients of the clinic outside one shown protocol;
- repeats: events beyond the first of a unit, sessions beyond the first of a patient with the same
  event, because 1 to 10 of them are the work of at most as many patients;
- overlaps: how far shown terms add up to more than ``any adverse event``, protocols to more than
  all patients.

Rules, coarse on purpose so that they can be checked:

1. Fewer than 11 patients or sessions under a protocol: its exposure and incidence are hidden,
   zeros too, and of its terms only ``any adverse event`` is listed.
2. One cell of a term is small: the term's numerators, events, estimates and limits are hidden for
   sessions and for patients together, because either limits the other. Time at risk is hidden too:
   it ends at the first event.
3. ``any adverse event`` is hidden when one of its own cells is small, or when the shown terms
   leave so much of it to the hidden ones that a hidden one could not be as low as 1. For each
   shown term that happened, beyond the first, one unit more counts as left: the sessions can show
   that terms came together in one patient, who is then in their sum more than once. Its events are
   hidden as soon as one term is, since they are the sum.
4. Silent sessions are hidden, zero too, as soon as ``any adverse event`` is: together they cannot
   exceed the sessions.
5. Where a protocol is hidden by rule 1, the total over all protocols gives way, not a second
   protocol. It stays when two or more are hidden and neither of its numbers limits them below 1 to
   10.

:data:`HIDDEN` looks the same whether the number is small or protects another, and rows are put in
order by name, never by size.

**What this protects.** Within one package, and against a reader who knows these rules, no count of
1 to ``limit`` in the list above can be worked out. The units with a hidden term, and the patients
and sessions of a hidden protocol, could moreover be any number from 1 to ``limit`` as far as the
package tells. The tests search every small clinic for two that give the same package. For larger
ones, made at random, they search by integer programming for one with each number of 1 to 10 in
place of a hidden term.

**What it does not.** Comparing packages: a quarter against a corrected one, a year against its
quarters, or the position of two packages in the audit trail. Knowledge from outside: who was
treated, how busy the clinic is, how many sessions a patient can have. Zero and everybody are
shown, so "no patient" and "every patient" can be learned. Sessions beyond the first of a patient
(sessions minus patients) follow from the denominators. Terms must not overlap: a row for a group
of terms would be a further total, and is refused.
"""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field, fields
from enum import Enum
from typing import Final

from reports.blocks import ALL_PROTOCOLS, Block, in_blocks
from reports.rows import PATIENT_MONTH, UNITS, ExposureRow, RateRow
from reports.small_counts import Withheld, decide_block, decide_total
from safety.errors import UserError

DEFAULT_THRESHOLD: Final = 10
LOWEST_THRESHOLD: Final = 5


class Hidden(Enum):
    """Stands where a number is withheld."""

    HIDDEN = "hidden"

    def __str__(self) -> str:
        return self.value


HIDDEN: Final = Hidden.HIDDEN


@dataclass(frozen=True, slots=True)
class Threshold:
    """The largest count that is hidden. It can be raised freely.

    Below the default of 10 it goes only with ``lowered=True``, and never below 5. Raises UserError.
    """

    value: int = DEFAULT_THRESHOLD
    lowered: bool = False

    def __post_init__(self) -> None:
        if self.value < LOWEST_THRESHOLD:
            raise UserError(
                f"The suppression threshold cannot be below {LOWEST_THRESHOLD}. "
                f"{DEFAULT_THRESHOLD} is the default."
            )
        if self.value < DEFAULT_THRESHOLD and not self.lowered:
            raise UserError(
                f"A suppression threshold below {DEFAULT_THRESHOLD} must be asked for on purpose. "
                "If you are not sure that the reader may see smaller counts, leave it."
            )


@dataclass(frozen=True, slots=True)
class SafeExposureRow:
    """One protocol, or all of them, as it may leave. None: not counted for the total."""

    protocol: str
    protocol_name: str
    sessions: int | Hidden
    patients: int | Hidden
    reports_amended: int | Hidden | None
    sessions_nothing_said: int | Hidden | None


@dataclass(frozen=True, slots=True)
class SafeRateRow:
    """Incidence of one term under one protocol, as it may leave. None: no information."""

    protocol: str
    protocol_name: str
    term: str
    term_name: str
    unit: str
    with_event: int | Hidden
    exposed: float | Hidden
    events: int | Hidden
    estimate: float | Hidden | None
    low: float | Hidden | None
    high: float | Hidden | None
    method: str


_SEAL: Final = object()


@dataclass(frozen=True, slots=True)
class SafeTables:
    """Tables that may leave. Only :func:`suppress` makes them; writers take nothing else."""

    exposure: tuple[SafeExposureRow, ...]
    incidence: tuple[SafeRateRow, ...]
    threshold: int
    _seal: object = field(repr=False, compare=False)

    def __post_init__(self) -> None:
        if self._seal is not _SEAL:
            raise TypeError("SafeTables are made by reports.disclosure.suppress only")

    @property
    def hidden_cells(self) -> int:
        """How many cells are withheld, which a reader could count as well."""
        rows: tuple[SafeExposureRow | SafeRateRow, ...] = (*self.exposure, *self.incidence)
        return sum(getattr(row, f.name) is HIDDEN for row in rows for f in fields(row))


def suppress(
    exposure: Iterable[ExposureRow],
    patients_in_all: int,
    rates: Iterable[RateRow],
    threshold: Threshold = Threshold(),
) -> SafeTables:
    """Withhold small counts from one package's tables, and all from which they follow.

    ``exposure`` has one row for each protocol, ``patients_in_all`` counts each patient once,
    ``rates`` hold every term of every protocol by session, and by patient or time as well if
    wanted, with an :data:`~reports.rows.ANY_EVENT` row in each unit. All tables of a package go
    through one call, because they limit each other. Raises ValueError for tables that contradict
    each other: the rules rest on what ties them together.
    """
    return _suppress(threshold.value, exposure, patients_in_all, rates)


def _suppress(
    limit: int, exposure: Iterable[ExposureRow], patients_in_all: int, rates: Iterable[RateRow]
) -> SafeTables:
    blocks = in_blocks(exposure, patients_in_all, rates)
    withheld = [decide_block(block, limit) for block in blocks]
    pairs = list(zip(blocks, withheld, strict=True))
    hide_sessions, hide_patients = decide_total(blocks, withheld, patients_in_all, limit)
    total = SafeExposureRow(
        ALL_PROTOCOLS,
        ALL_PROTOCOLS.capitalize(),
        HIDDEN if hide_sessions else sum(block.exposure.sessions for block in blocks),
        HIDDEN if hide_patients else patients_in_all,
        None,
        None,
    )
    return SafeTables(
        (*(_safe_exposure(block.exposure, hide) for block, hide in pairs), total),
        tuple(row for block, hide in pairs for row in _safe_block(block, hide)),
        limit,
        _SEAL,
    )


def _safe_exposure(row: ExposureRow, hide: Withheld) -> SafeExposureRow:
    return SafeExposureRow(
        row.protocol,
        row.protocol_name,
        HIDDEN if hide.whole else row.sessions,
        HIDDEN if hide.whole else row.patients,
        HIDDEN if hide.whole or hide.amended else row.reports_amended,
        HIDDEN if hide.whole or hide.nothing_said else row.sessions_nothing_said,
    )


def _safe_block(block: Block, hide: Withheld) -> Iterable[SafeRateRow]:
    for unit in sorted(block.any_event, key=UNITS.index):
        yield _safe_any_event(block.any_event[unit], hide)
        if not hide.whole:
            for term in sorted(block.terms):
                hidden = term in hide.terms
                yield _safe_row(block.terms[term][unit], hide=hidden, hide_events=hidden)


def _safe_any_event(row: RateRow, hide: Withheld) -> SafeRateRow:
    if hide.whole:
        return _safe_row(row, hide=True, hide_events=True, hide_exposed=True)
    # A rate over time may have been worked out from the events.
    hidden = row.unit in hide.any_event or (bool(hide.terms) and row.unit == PATIENT_MONTH)
    return _safe_row(row, hide=hidden, hide_events=bool(hide.terms))


def _safe_row(
    row: RateRow, *, hide: bool, hide_events: bool, hide_exposed: bool = False
) -> SafeRateRow:
    hide_time = hide and row.unit == PATIENT_MONTH
    return SafeRateRow(
        row.protocol,
        row.protocol_name,
        row.term,
        row.term_name,
        row.unit,
        HIDDEN if hide else row.with_event,
        HIDDEN if hide_exposed or hide_time else row.exposed,
        HIDDEN if hide_events else row.events,
        HIDDEN if hide else row.estimate,
        HIDDEN if hide else row.low,
        HIDDEN if hide else row.high,
        row.method,
    )
