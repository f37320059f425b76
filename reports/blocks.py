"""The rows of one package put together by protocol, and checked against each other."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Final

from reports.rows import ANY_EVENT, PATIENT, PATIENT_MONTH, SESSION, UNITS, ExposureRow, RateRow

ALL_PROTOCOLS: Final = "all protocols"
"""Protocol id of the total, which no protocol may have."""

ByUnit = Mapping[str, RateRow]


@dataclass(frozen=True, slots=True)
class Block:
    """All that is counted under one protocol; both mappings hold the rows by unit."""

    exposure: ExposureRow
    any_event: ByUnit
    terms: Mapping[str, ByUnit]


def in_blocks(
    exposure: Iterable[ExposureRow], patients_in_all: int, rates: Iterable[RateRow]
) -> list[Block]:
    """Put the rows together by protocol, in order of its id, and check that they agree.

    Raises ValueError where they do not: a table that was counted in another way than the others
    must not be published, because the suppression rules rest on what ties the tables together.
    """
    rows: dict[str, dict[str, dict[str, RateRow]]] = {}
    for rate in rates:
        units = rows.setdefault(rate.protocol, {}).setdefault(rate.term, {})
        if rate.unit in units or rate.unit not in UNITS:
            raise ValueError(f"{_place(rate)}: listed twice, or in an unknown unit")
        units[rate.unit] = rate
    blocks = []
    for row in sorted(exposure, key=lambda each: each.protocol):
        terms = rows.pop(row.protocol, {})
        blocks.append(_checked(Block(row, terms.pop(ANY_EVENT, {}), terms)))
    names = [block.exposure.protocol for block in blocks]
    if rows or len(set(names)) < len(names) or ALL_PROTOCOLS in names:
        raise ValueError("each protocol needs exactly one exposure row, and a name of its own")
    _check_patients_in_all(blocks, patients_in_all)
    return blocks


def _checked(block: Block) -> Block:
    row = block.exposure
    if not (0 <= row.patients <= row.sessions and (row.patients > 0) == (row.sessions > 0)):
        raise ValueError(f"{row.protocol}: {row.patients} patients, {row.sessions} sessions")
    if not all(0 <= n <= row.sessions for n in (row.reports_amended, row.sessions_nothing_said)):
        raise ValueError(f"{row.protocol}: a part of the sessions is more than all of them")
    if block.any_event and SESSION not in block.any_event:
        # Silent sessions are weighed against sessions with an event; without these nothing holds.
        raise ValueError(f"{row.protocol}: incidence by session is missing")
    for rows in (block.any_event, *block.terms.values()):
        if rows.keys() != block.any_event.keys():
            raise ValueError(f"{row.protocol}: every term needs a row in every unit")
        for rate in rows.values():
            _check_row(rate, row)
        _check_units(rows)
    for unit, total in block.any_event.items():
        _check_any_event(total, [rows[unit] for rows in block.terms.values()])
    _check_silence(row, block.any_event)
    return block


def _check_row(rate: RateRow, exposure: ExposureRow) -> None:
    exposed = {SESSION: exposure.sessions, PATIENT: exposure.patients}.get(rate.unit, rate.exposed)
    if rate.exposed != exposed:
        raise ValueError(f"{_place(rate)}: exposed differs from the exposure table")
    ceiling = exposure.patients if rate.unit == PATIENT_MONTH else rate.exposed
    if not (0 <= rate.with_event <= min(ceiling, rate.events)):
        raise ValueError(f"{_place(rate)}: more units with the event than exposed, or than events")
    if (rate.with_event > 0) != (rate.events > 0):
        raise ValueError(f"{_place(rate)}: events without a unit that had them")


def _check_units(rows: ByUnit) -> None:
    sessions, patients = rows.get(SESSION), rows.get(PATIENT)
    if sessions and patients and sessions.with_event < patients.with_event:
        raise ValueError(f"{_place(sessions)}: fewer sessions than patients with the event")


def _check_any_event(total: RateRow, parts: list[RateRow]) -> None:
    counts = [part.with_event for part in parts]
    if not max(counts, default=0) <= total.with_event <= sum(counts):
        raise ValueError(f"{_place(total)}: does not fit its terms; is one missing?")
    if total.events != sum(part.events for part in parts):
        raise ValueError(f"{_place(total)}: events are not the sum of the terms; do they overlap?")


def _check_silence(exposure: ExposureRow, any_event: ByUnit) -> None:
    row = any_event.get(SESSION)
    if row is not None and row.with_event + exposure.sessions_nothing_said > exposure.sessions:
        raise ValueError(f"{exposure.protocol}: silent sessions and sessions with an event overlap")


def _check_patients_in_all(blocks: list[Block], patients: int) -> None:
    counts = [block.exposure.patients for block in blocks]
    if not max(counts, default=0) <= patients <= sum(counts):
        raise ValueError(f"{patients} patients in all do not fit the protocols")


def _place(rate: RateRow) -> str:
    return f"{rate.protocol}, {rate.term}, {rate.unit}"
