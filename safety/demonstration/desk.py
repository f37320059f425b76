"""What makes the demonstration's desk look lived in: a plan for today, reports that came to more.

The history is imported; these few go through the service, as a nurse and a director would do them.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import datetime, time, timedelta
from typing import Final

from safety import planning, reviewing, service
from safety.access import CONSOLE, Actor
from safety.clock import day_number
from safety.model import AdverseEvent, Criterion, Outcome, SessionReport
from safety.store.handle import Store

_TIMES: Final = ((8, 30), (9, 15), (10, 0), (11, 0), (13, 30), (15, 0), (16, 30))
_SEEN: Final = 120
_NOTE: Final = "Thank you. Dose kept; ondansetron before the next session."
_SYNCOPE: Final = (
    "Fainted on the way to the waiting room, sitting up after a minute; the emergency department "
    "kept the patient for the night and found nothing more."
)


def plan_today(store: Store) -> None:
    """Plan sessions for today, unless some are planned already."""
    zone = store.clinic.timezone
    today = store.clock().astimezone(zone).date()
    with store.read() as connection:
        names = planning.Names(connection)
        if planning.planned_on(connection, names, day_number(today), None):
            return
    for report, (hour, minute) in zip(_regulars(store), _TIMES, strict=False):
        planning.plan_session(
            store,
            CONSOLE,
            mrn=report.patient.mrn,
            protocol=report.protocol,
            site=report.site,
            planned_at=datetime.combine(today, time(hour, minute), zone),
        )


def report_two(store: Store, nurse: Actor, director: Actor) -> None:
    """File two reports of yesterday as the nurse, one serious; the director has read the other."""
    now = store.clock()
    one, other = list(_regulars(store))[-2:]
    nausea = AdverseEvent("nausea", 2, onset_minutes=35, duration_minutes=60)
    filed = service.file_report(store, nurse, _again(one, now, nausea))
    reviewing.review_report(store, director, filed.report_id, version=1, note=_NOTE)
    syncope = AdverseEvent(
        "syncope",
        3,
        onset_minutes=130,
        duration_minutes=1,
        outcome=Outcome.RECOVERED,
        serious=frozenset({Criterion.HOSPITALISATION}),
        narrative=_SYNCOPE,
    )
    service.file_report(store, nurse, _again(other, now, syncope))


def _again(report: SessionReport, now: datetime, event: AdverseEvent) -> SessionReport:
    """The same session a day before now, with one event."""
    start = now.replace(hour=14, minute=0, second=0, microsecond=0) - timedelta(days=1)
    length = (report.ended_at or report.started_at) - report.started_at
    return replace(
        report,
        session_ref=None,
        protocol_version=None,
        started_at=start,
        ended_at=start + length,
        discharge=replace(report.discharge, discharged_at=None),
        events=(event,),
        no_adverse_event=None,
        reported_by=None,
        reported_at=None,
    )


def _regulars(store: Store) -> Iterator[SessionReport]:
    """The newest report of each of some patients, who could come again today."""
    seen: set[str] = set()
    for line in service.recent_reports(store, CONSOLE, most=_SEEN):
        if line.report.patient.mrn not in seen and len(seen) < len(_TIMES) + 2:
            seen.add(line.report.patient.mrn)
            yield line.report
