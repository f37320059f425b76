"""A filed report as the fields of a form, to view or amend it: the way back of :mod:`.fields`."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import fields as attributes
from dataclasses import replace
from datetime import date, datetime
from enum import Enum
from typing import Any, Final
from zoneinfo import ZoneInfo

from safety.model import AdverseEvent, Concomitant, SessionReport
from safety.ui.report.names import CONCOMITANT, NO_OTHER

_GROUPS: Final = ("patient", "misuse", "drug", "discharge")
_SAME: Final = ("site", "protocol", "dose_mg", "weight_kg", "route", "lot", "setting", "narrative")


def unfold(report: SessionReport, zone: ZoneInfo) -> dict[str, Any]:
    """The fields of ``report``; times as the clock of ``zone`` showed them."""
    found: dict[str, Any] = {name: getattr(report, name) for name in _SAME}
    found |= _times(report, zone)
    for group in _GROUPS:
        found |= _group(group, getattr(report, group))
    found |= _vitals(report)
    found["nothing"] = report.no_adverse_event or None
    found["also"] = _also(report.concomitant)
    found["events"] = [event.term for event in report.events]
    for event in report.events:
        found |= _event(event)
    found.pop("discharge.discharged_at", None)
    return {name: _plain(value) for name, value in found.items() if value is not None}


def as_filed(changed: SessionReport, filed: SessionReport) -> SessionReport:
    """``changed`` with what the form does not show taken from the version it amends.

    Who reported and when stay as they were; the amendment says by itself who changed it. Events
    that kept their term keep the scale they were graded on.
    """
    before = {event.term: event for event in filed.events}
    events = tuple(_graded_as_before(event, before.get(event.term)) for event in changed.events)
    left = changed.discharge.discharged_at
    discharge = replace(
        changed.discharge,
        discharged_at=left and _same_minute(left, filed.discharge.discharged_at),
    )
    same_protocol = changed.protocol == filed.protocol
    same_others = _also(changed.concomitant) == _also(filed.concomitant)
    return replace(
        changed,
        started_at=_same_minute(changed.started_at, filed.started_at),
        ended_at=changed.ended_at and _same_minute(changed.ended_at, filed.ended_at),
        discharge=discharge,
        session_ref=filed.session_ref,
        protocol_version=filed.protocol_version if same_protocol else None,
        reported_by=filed.reported_by,
        reported_at=filed.reported_at,
        events=events,
        concomitant=filed.concomitant if same_others else changed.concomitant,
    )


def _same_minute(shown: datetime, filed: datetime | None) -> datetime:
    """The filed time, seconds included, where the form shows its minute unchanged."""
    if filed is not None and filed.replace(second=0, microsecond=0) == shown:
        return filed
    return shown


def _graded_as_before(event: AdverseEvent, before: AdverseEvent | None) -> AdverseEvent:
    if before is None:
        return event
    return replace(event, scale=before.scale, scale_version=before.scale_version)


def _times(report: SessionReport, zone: ZoneInfo) -> dict[str, Any]:
    start = report.started_at.astimezone(zone)
    found: dict[str, Any] = {"start_date": start.date(), "start_time": start}
    before = start.date()
    for name, at in (("end", report.ended_at), ("left", report.discharge.discharged_at)):
        if at is None:
            continue
        local = at.astimezone(zone)
        found[f"{name}_time"] = local
        if local.date() != before:
            found[f"{name}_date"] = before = local.date()
    return found


def _group(prefix: str, value: Any) -> dict[str, Any]:
    return {f"{prefix}.{a.name}": getattr(value, a.name) for a in attributes(value)}


def _also(taken: Concomitant) -> list[str] | None:
    """The medication that is taken, and the word for "none of the others" when all were asked."""
    answers = {name: getattr(taken, name) for name in CONCOMITANT}
    named = [name for name, answer in answers.items() if answer]
    if None not in answers.values():
        named.append(NO_OTHER)
    return named or None


def _vitals(report: SessionReport) -> dict[str, Any]:
    found = _group("vitals", report.vitals)
    for name, reading in report.vitals.readings():
        del found[f"vitals.{name}"]
        found |= _group(f"vitals.{name}", reading)
    return found


def _event(event: AdverseEvent) -> dict[str, Any]:
    found = _group(f"events.{event.term}", event)
    for name in ("term", "scale", "scale_version"):
        del found[f"events.{event.term}.{name}"]
    return found


def _plain(value: Any) -> Any:
    if isinstance(value, datetime):
        return f"{value:%H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, frozenset):
        return sorted(str(part) for part in value)
    return str(value) if isinstance(value, Enum) else value


def empty(today: date, site: str | None, staff: str) -> Iterator[tuple[str, Any]]:
    """The fields with which a new form begins; ``staff`` writes it and mostly gave the drug."""
    yield "start_date", today.isoformat()
    yield "setting", "clinic"
    yield "drug.staff", staff
    if site is not None:
        yield "site", site
