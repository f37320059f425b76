"""From the cells of a row to the values of the record, with every error of the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from safety.errors import InvalidReport, UnknownName
from safety.importing import columns
from safety.importing.cells import BadCell, moment, text
from safety.importing.sheets import Row
from safety.keys.derivation import normalised_mrn
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Discharge,
    DrugAmounts,
    MisuseScreen,
    PatientIdentity,
    SessionReport,
    VitalSigns,
)
from safety.vocabulary import Protocol, Vocabulary
from safety.vocabulary.names import NameIndex

T = TypeVar("T")
Complaints = list[tuple[str, str]]
"""Column and message, in the order found."""

_NO_VITALS: Final = VitalSigns()
_NOBODY: Final = PatientIdentity("-")
_NEVER: Final = datetime.max.replace(tzinfo=UTC)
_STAND_INS: Final = {"site": "-", "protocol": "-", "started_at": _NEVER}
# Screens and amounts repeat; nothing in them names a patient, so they may be remembered.
_OFTEN_EQUAL: Final[tuple[tuple[str, Callable[..., Any]], ...]] = (
    ("misuse", lru_cache(maxsize=4_096)(MisuseScreen)),
    ("drug", lru_cache(maxsize=4_096)(DrugAmounts)),
)
_NESTED: Final = ("patient", "vitals", "misuse", "drug")
_READING_COLUMNS: Final = tuple(
    (field, f"bp_systolic_{when}", f"bp_diastolic_{when}")
    for when, field in columns.READINGS.items()
)


@dataclass(frozen=True, slots=True)
class Names:
    """What a row is read with: names, the zone of a site, and the latest start of a session."""

    vocabulary: Vocabulary
    protocols: NameIndex[Protocol]
    zone_of: Callable[[str], ZoneInfo]
    latest: datetime = _NEVER


def build_event(row: Row, names: Names) -> tuple[AdverseEvent | None, Complaints]:
    """An event, or None with every complaint about its row."""
    wrong: Complaints = [(c, "is missing.") for c in columns.EVENTS_REQUIRED if c not in row]
    values = _values(row, wrong)
    if "term" in values:
        _find_term(values, names, wrong)
    complete = "term" in values and "grade" in values
    event = _made(AdverseEvent, values, wrong) if complete else None
    return (None if wrong else event), wrong


def _find_term(values: dict[str, Any], names: Names, wrong: Complaints) -> None:
    try:
        found = names.vocabulary.find(values["term"])
    except UnknownName as unknown:
        wrong.append(("term", str(unknown)))
        return
    values |= {"term": found.id, "scale": found.scale, "scale_version": found.scale_version}
    grade = values.get("grade")
    if grade is not None and not found.has_grade(grade):
        wrong.append(("grade", grade_message(found.name, found.grades)))


def grade_message(name: str, grades: tuple[int, ...]) -> str:
    """What to say when a term does not have a grade."""
    listed = ", ".join(map(str, grades))
    plural = "s" if len(grades) > 1 else ""
    return f"{name} has only grade{plural} {listed}."


class Built(NamedTuple):
    """A report, or None with every complaint about its row.

    ``given`` is what the row says, part by part: what :func:`~safety.document.to_document` finds
    in the report again, and a fifth of the time of an import would go into finding it.
    """

    report: SessionReport | None
    wrong: Complaints
    given: dict[str, Any]


def build_session(row: Row, events: tuple[AdverseEvent, ...], names: Names) -> Built:
    """Build a report with its events from a row."""
    wrong: Complaints = [(c, "is missing.") for c in columns.SESSIONS_REQUIRED if c not in row]
    parts = _parts(row, wrong)
    session = parts["session"]
    _find_protocol(session, names, wrong)
    given = session.copy()
    times, given_times = _times(row, names, wrong)
    session |= times
    given |= given_times
    if events:
        given["events"] = events
    session["patient"] = _patient(parts["patient"], wrong)
    session["vitals"], parts["vitals"] = _vitals(parts["vitals"], parts["reading"], wrong)
    for field, kind in _OFTEN_EQUAL:
        if parts[field] and (made := _made(kind, parts[field], wrong)) is not None:
            session[field] = made
    given |= {field: parts[field] for field in _NESTED if parts[field]}
    session["events"] = events
    if wrong:
        # What is missing or unreadable is stood in for, so that one run tells all of a row.
        session = _STAND_INS | session
    report = _made(SessionReport, session, wrong)
    return Built(None if wrong else report, wrong, given)


def _parts(row: Row, wrong: Complaints) -> dict[str, dict[str, Any]]:
    """The parsed cells of a row by part of the record and field."""
    parts: dict[str, dict[str, Any]] = {part: {} for part in columns.PARTS}
    for column, cell in row.items():
        where = columns.WHERE.get(column)
        if where is None:
            continue  # a time: it needs the site's zone
        part, field, parse = where
        try:
            parts[part][field] = cell if parse is text else parse(cell)
        except BadCell as bad:
            wrong.append((column, str(bad)))
    return parts


def _find_protocol(values: dict[str, Any], names: Names, wrong: Complaints) -> None:
    if "protocol" in values:
        try:
            found = names.protocols.find(values["protocol"])
            values |= {"protocol": found.id, "protocol_version": found.version}
        except UnknownName as unknown:
            wrong.append(("protocol", str(unknown)))


def _times(row: Row, names: Names, wrong: Complaints) -> tuple[dict[str, Any], dict[str, Any]]:
    """The times as a report holds them and as its document does.

    Without a start the others mean nothing and are left out.
    """
    found: dict[str, Any] = _moments(row, names.zone_of(row.get("site", "")), wrong)
    start = found.get("started_at")
    if start is None:
        return {}, {}
    if start > names.latest:
        wrong.append(("started_at", "lies more than a year ahead. Check the date."))
    given: dict[str, Any] = {name: at.isoformat() for name, at in found.items()}
    left = found.pop("discharged_at", None)
    if left is not None:
        found["discharge"] = Discharge(discharged_at=left)
        given["discharge"] = {"discharged_at": given.pop("discharged_at")}
    return found, given


def _moments(row: Row, zone: ZoneInfo, wrong: Complaints) -> dict[str, datetime]:
    found = {}
    for column in columns.TIMES:
        cell = row.get(column)
        if cell is not None:
            try:
                found[column] = moment(cell, zone)
            except BadCell as bad:
                wrong.append((column, str(bad)))
    return found


def _patient(values: dict[str, Any], wrong: Complaints) -> PatientIdentity:
    mrn = values.get("mrn")
    if mrn is not None and not any(map(str.isalnum, mrn)) and not normalised_mrn(mrn):
        wrong.append(("patient_mrn", "has separators only. Write it in full."))
    return _made(PatientIdentity, {"mrn": "-"} | values, wrong) or _NOBODY


def _vitals(
    values: dict[str, Any], readings: Mapping[str, int], wrong: Complaints
) -> tuple[VitalSigns, dict[str, Any]]:
    """The vital signs, and what was given of them."""
    given = values.copy()
    if readings:
        for field, systolic, diastolic in _READING_COLUMNS:
            high, low = readings.get(systolic), readings.get(diastolic)
            if high is not None or low is not None:
                limbs = {"high": high, "low": low}
                values[field] = _made(_reading, limbs, wrong, f"vitals.{field}.")
                given[field] = _limbs(high, low)
    return (_made(VitalSigns, values, wrong) if values else None) or _NO_VITALS, given


# A pair of readings comes again and again, and nothing changes what is made of it.
@lru_cache(maxsize=4_096)
def _reading(high: int | None, low: int | None) -> BloodPressure:
    return BloodPressure(high, low)


@lru_cache(maxsize=4_096)
def _limbs(high: int | None, low: int | None) -> Mapping[str, int | None]:
    limbs = {"diastolic_mmhg": low, "systolic_mmhg": high}
    return {name: value for name, value in limbs.items() if value is not None}


def _values(row: Row, wrong: Complaints) -> dict[str, Any]:
    """The parsed cells of an event's row by field."""
    found = {}
    for column, cell in row.items():
        if column == "session_ref":
            continue
        field, parse = columns.EVENT[column]
        try:
            found[field] = parse(cell)
        except BadCell as bad:
            wrong.append((column, str(bad)))
    return found


def _made(
    kind: Callable[..., T], values: Mapping[str, Any], wrong: Complaints, prefix: str = ""
) -> T | None:
    """The value, or None with complaints; one a cell, so a cell already told of is passed over."""
    try:
        return kind(**values)
    except InvalidReport as invalid:
        told = {column for column, _ in wrong}
        found = [(columns.column_of(prefix + p.field), p.message) for p in invalid.problems]
        wrong += [(column, message) for column, message in found if column not in told]
    return None
