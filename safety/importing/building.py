"""From the cells of a row to the values of the record, with every error of the row."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final, TypeVar
from zoneinfo import ZoneInfo

from safety.errors import InvalidReport, UnknownName
from safety.importing import columns
from safety.importing.cells import BadCell, Parser, moment
from safety.importing.sheets import Row
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


@dataclass(frozen=True, slots=True)
class Names:
    """What the names in a row are looked up in."""

    vocabulary: Vocabulary
    protocols: NameIndex[Protocol]
    zone_of: Callable[[str], ZoneInfo]


def build_event(row: Row, names: Names) -> tuple[AdverseEvent | None, Complaints]:
    """An event, or None with every complaint about its row."""
    wrong: Complaints = [(c, "is missing.") for c in columns.EVENTS_REQUIRED if c not in row]
    values = _values(row, columns.EVENT, wrong)
    term = values.get("term")
    if term is not None:
        try:
            found = names.vocabulary.find(term)
        except UnknownName as unknown:
            wrong.append(("term", str(unknown)))
        else:
            values |= {"term": found.id, "scale": found.scale, "scale_version": found.scale_version}
            grade = values.get("grade")
            if grade is not None and grade not in found.grades:
                wrong.append(("grade", grade_message(found.name, found.grades)))
    if wrong:
        return None, wrong
    return _made(AdverseEvent, values, wrong), wrong


def grade_message(name: str, grades: tuple[int, ...]) -> str:
    """What to say when a term does not have a grade."""
    listed = ", ".join(map(str, grades))
    plural = "s" if len(grades) > 1 else ""
    return f"{name} has only grade{plural} {listed}."


def build_session(
    row: Row, events: tuple[AdverseEvent, ...], names: Names
) -> tuple[SessionReport | None, Complaints]:
    """A report, or None with every complaint about its row."""
    wrong: Complaints = [(c, "is missing.") for c in columns.SESSIONS_REQUIRED if c not in row]
    if wrong:
        return None, wrong
    parts = _parts(row, wrong)
    session = parts["session"]
    _find_protocol(session, names, wrong)
    session |= _times(row, names.zone_of(row["site"]), wrong)
    patient = _made(PatientIdentity, parts["patient"], wrong)
    session["vitals"] = _vitals(parts["vitals"], parts["reading"], wrong)
    if parts["misuse"]:
        session["misuse"] = _made(MisuseScreen, parts["misuse"], wrong)
    if parts["drug"]:
        session["drug"] = _made(DrugAmounts, parts["drug"], wrong)
    left = session.pop("discharged_at", None)
    if left is not None:
        session["discharge"] = _made(Discharge, {"discharged_at": left}, wrong)
    if wrong:
        return None, wrong
    session |= {"patient": patient, "events": events}
    return _made(SessionReport, session, wrong), wrong


def _parts(row: Row, wrong: Complaints) -> dict[str, dict[str, Any]]:
    """The parsed cells of a row by part of the record and field."""
    parts: dict[str, dict[str, Any]] = {part: {} for part in columns.PARTS}
    for column, cell in row.items():
        where = columns.WHERE.get(column)
        if where is None:
            continue  # a time: it needs the site's zone
        part, field, parse = where
        try:
            parts[part][field] = parse(cell)
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


def _times(row: Row, zone: ZoneInfo, wrong: Complaints) -> dict[str, datetime]:
    found = {}
    for column in columns.TIMES:
        cell = row.get(column)
        if cell is not None:
            try:
                found[column] = moment(cell, zone)
            except BadCell as bad:
                wrong.append((column, str(bad)))
    return found


def _vitals(
    values: dict[str, Any], readings: Mapping[str, int], wrong: Complaints
) -> VitalSigns | None:
    if readings:
        for when, field in columns.READINGS.items():
            limbs = {
                f"{limb}_mmhg": readings[column]
                for limb in ("systolic", "diastolic")
                if (column := f"bp_{limb}_{when}") in readings
            }
            if limbs:
                values[field] = _made(BloodPressure, limbs, wrong, f"vitals.{field}.")
    return _made(VitalSigns, values, wrong) if values else _NO_VITALS


def _values(row: Row, spec: Mapping[str, tuple[str, Parser]], wrong: Complaints) -> dict[str, Any]:
    found = {}
    for column, cell in row.items():
        if column not in spec:
            continue
        field, parse = spec[column]
        try:
            found[field] = parse(cell)
        except BadCell as bad:
            wrong.append((column, str(bad)))
    return found


def _made(
    kind: Callable[..., T], values: Mapping[str, Any], wrong: Complaints, prefix: str = ""
) -> T | None:
    try:
        return kind(**values)
    except InvalidReport as invalid:
        wrong += [
            (columns.column_of(prefix + problem.field), problem.message)
            for problem in invalid.problems
        ]
    return None
