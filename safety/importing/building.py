"""From the cells of a row to the values of the record, with every error of the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from datetime import UTC, datetime
from functools import lru_cache
from typing import Any, Final, NamedTuple, TypeVar
from zoneinfo import ZoneInfo

from safety.document import part_of, plain
from safety.errors import InvalidReport, UnknownName
from safety.importing import columns
from safety.importing.cells import BadCell, moment, text
from safety.importing.sheets import Cells
from safety.keys.derivation import normalised_mrn
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Concomitant,
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
_READING_COLUMNS: Final = tuple(
    (field, f"bp_systolic_{when}", f"bp_diastolic_{when}")
    for when, field in columns.READINGS.items()
)
_MOST_PATIENTS: Final = 16_384  # are remembered: the sessions of one stand near each other in time


@dataclass(frozen=True, slots=True)
class Names:
    """What a row is read with: names, the zone of a site, and the latest start of a session."""

    vocabulary: Vocabulary
    protocols: NameIndex[Protocol]
    zone_of: Callable[[str], ZoneInfo]
    latest: datetime = _NEVER


class GivenEvent(NamedTuple):
    """An event, the number of its row, and what the row says as :class:`Built` has it."""

    row: int
    event: AdverseEvent
    given: dict[str, Any]


class EventRows:
    """Builds events from rows that stand under one heading."""

    def __init__(self, heading: Sequence[str], names: Names) -> None:
        self._names = names
        self._heading = heading
        self._plan = tuple([(name, *_EVENT[name]) for name in heading])

    def build(self, row: int, cells: Cells) -> tuple[GivenEvent | None, Complaints]:
        """Build an event, or None with every complaint about its row."""
        wrong: Complaints = []
        values: dict[str, Any] = {}
        for (column, field, parse), raw in zip(self._plan, cells, strict=True):
            if raw and (cell := raw.strip()):
                try:
                    values[field] = cell if parse is text else parse(cell)
                except BadCell as bad:
                    wrong.append((column, str(bad)))
        _add_missing(columns.EVENTS_REQUIRED, values, wrong)
        values.pop("session_ref", None)
        if "term" in values:
            _find_term(values, self._names, wrong)
        complete = "term" in values and "grade" in values
        event = _made(AdverseEvent, values, wrong) if complete else None
        if event is None or wrong:
            return None, _in_order(wrong, self._heading)
        # Criteria have an order of their own in a document, and none of them is not written.
        given = plain(event) if "serious" in values else values
        _spell_out(given, _EVENT_WORDS)
        return GivenEvent(row, event, given), wrong


_EVENT: Final = columns.EVENT | {"session_ref": ("session_ref", text)}


def _spell_out(given: dict[str, Any], fields: Sequence[str]) -> None:
    """Replace members of enumerations by their words, which are written in a fifth of the time."""
    for field in fields:
        member = given.get(field)
        if member is not None:
            given[field] = member._value_


_EVENT_WORDS: Final = ("outcome", "relatedness", "elicitation")
_SESSION_WORDS: Final = ("route", "setting")


def _in_order(wrong: Complaints, heading: Sequence[str]) -> Complaints:
    """Complaints in the order of the columns, whichever check found them."""
    places = {column: place for place, column in enumerate(heading)}
    return sorted(wrong, key=lambda complaint: places.get(complaint[0], len(places)))


def _add_missing(required: Sequence[str], values: Mapping[str, Any], wrong: Complaints) -> None:
    """Complain about what is not there; a cell that cannot be read has been told of."""
    missing = [column for column in required if column not in values]
    if missing:
        told = {column for column, _ in wrong}
        wrong += [(column, "is missing.") for column in missing if column not in told]


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


class _Known(NamedTuple):
    """A patient as read before: who, what the cells say, and what is wrong with them."""

    identity: PatientIdentity
    given: Any
    wrong: Complaints


class SessionRows:
    """Builds reports from rows that stand under one heading.

    It remembers the patients that it read, and no name stays in memory after it.
    """

    def __init__(self, heading: Sequence[str], names: Names) -> None:
        self._names = names
        self._heading = heading
        self._plan = tuple([columns.WHERE.get(name) for name in heading])
        self._patient_at = [place for place, name in enumerate(heading) if name in columns.PATIENT]
        self._patient_columns = [heading[place] for place in self._patient_at]
        self._patient = lru_cache(_MOST_PATIENTS)(self._read_patient)

    def build(self, cells: Cells, events: Sequence[GivenEvent]) -> Built:
        """Build a report with its events from a row."""
        wrong: Complaints = []
        session, times, readings, vitals, *rest = self._parts(cells, wrong)
        _add_missing(_REQUIRED, session | times, wrong)
        patient = self._patient(*[cells[place] for place in self._patient_at])
        wrong += patient.wrong
        _find_protocol(session, self._names, wrong)
        given = session.copy()
        _spell_out(given, _SESSION_WORDS)
        given["patient"] = patient.given
        session["patient"] = patient.identity
        _add_times(times, session, given, self._names, wrong)
        session["vitals"], given_vitals = _vitals(vitals, readings, wrong)
        if given_vitals:
            given["vitals"] = given_vitals
        for (field, kind), part in zip(_GROUPS, rest, strict=True):
            if part and (made := _made(kind, part, wrong)) is not None:
                session[field], given[field] = made, part
        if events:
            session["events"] = tuple([each.event for each in events])
            given["events"] = [each.given for each in events]
        if wrong:
            # What is missing or unreadable is stood in for, so that one run tells all of a row.
            session = _STAND_INS | session
        report = _made(SessionReport, session, wrong)
        if wrong:
            return Built(None, _in_order(wrong, self._heading), given)
        return Built(report, wrong, given)

    def _parts(self, cells: Cells, wrong: Complaints) -> tuple[dict[str, Any], ...]:
        """The parsed cells by field, for each of :data:`columns.PARTS`."""
        parts: tuple[dict[str, Any], ...] = ({}, {}, {}, {}, {}, {}, {})
        for where, raw in zip(self._plan, cells, strict=True):
            if raw and where is not None and (cell := raw.strip()):
                column, part, field, parse = where
                try:
                    parts[part][field] = cell if parse is text else parse(cell)
                except BadCell as bad:
                    wrong.append((column, str(bad)))
        return parts

    def _read_patient(self, *cells: str) -> _Known:
        values: dict[str, Any] = {}
        wrong: Complaints = []
        for column, raw in zip(self._patient_columns, cells, strict=True):
            field, parse = columns.PATIENT[column]
            try:
                if cell := raw.strip():
                    values[field] = parse(cell)
            except BadCell as bad:
                wrong.append((column, str(bad)))
        if "mrn" not in values:
            wrong.append(("patient_mrn", "is missing."))
        identity = _patient(values, wrong)
        return _Known(identity, part_of(plain(identity)), wrong)


_GROUPS: Final[tuple[tuple[str, Callable[..., Any]], ...]] = (
    ("misuse", MisuseScreen),
    ("drug", DrugAmounts),
    ("concomitant", Concomitant),
)
_REQUIRED: Final = [name for name in columns.SESSIONS_REQUIRED if name not in columns.PATIENT]


def _find_protocol(values: dict[str, Any], names: Names, wrong: Complaints) -> None:
    if "protocol" in values:
        try:
            found = names.protocols.find(values["protocol"])
            values |= {"protocol": found.id, "protocol_version": found.version}
        except UnknownName as unknown:
            wrong.append(("protocol", str(unknown)))


def _add_times(
    cells: Mapping[str, str],
    session: dict[str, Any],
    given: dict[str, Any],
    names: Names,
    wrong: Complaints,
) -> None:
    """Add the times as a report holds them and as its document does.

    Without a start the others mean nothing and are left out.
    """
    found = _moments(cells, names.zone_of(session.get("site", "")), wrong)
    start = found.get("started_at")
    if start is None:
        return
    if start > names.latest:
        wrong.append(("started_at", "lies more than a year ahead. Check the date."))
    for name, at in found.items():
        if name == "discharged_at":
            session["discharge"] = Discharge(discharged_at=at)
            given["discharge"] = {name: at.isoformat()}
        else:
            session[name] = at
            given[name] = at.isoformat()


def _moments(cells: Mapping[str, str], zone: ZoneInfo, wrong: Complaints) -> dict[str, datetime]:
    found = {}
    for column, cell in cells.items():
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
def _limbs(high: int | None, low: int | None) -> Any:
    limbs = {"diastolic_mmhg": low, "systolic_mmhg": high}
    return part_of({name: value for name, value in limbs.items() if value is not None})


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
