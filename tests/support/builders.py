"""Whole, ordinary objects to begin a test with; a test names only what it is about."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import UTC, date, datetime, timedelta
from typing import Any, Final

from safety.access import Actor, Role
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Discharge,
    DrugAmounts,
    Elicitation,
    MisuseScreen,
    Outcome,
    PatientIdentity,
    Relatedness,
    Route,
    SessionReport,
    Setting,
    Sex,
    VitalSigns,
)

CLINIC: Final = "Alder Clinic"
SITE: Final = "Main Street"
TIMEZONE: Final = "America/New_York"
PROTOCOL: Final = "iv_ketamine_depression_induction"
STARTED: Final = datetime(2026, 3, 2, 14, 0, tzinfo=UTC)

NURSE: Final = Actor("nurse-1", "Nora Quill", Role.NURSE)
OTHER_NURSE: Final = Actor("nurse-2", "Tom Reed", Role.NURSE)
CHARGE: Final = Actor("charge-1", "Carl Stein", Role.CHARGE)
DIRECTOR: Final = Actor("director-1", "Dr Ida Marsh", Role.DIRECTOR)
COMPLIANCE: Final = Actor("compliance-1", "Cora Bell", Role.COMPLIANCE)
ADMINISTRATOR: Final = Actor("administrator-1", "Ada Stone", Role.ADMINISTRATOR)
ACTORS: Final = (NURSE, CHARGE, DIRECTOR, COMPLIANCE, ADMINISTRATOR)


def a_patient(**changes: Any) -> PatientIdentity:
    """A patient with a made-up name."""
    given: dict[str, Any] = {
        "mrn": "MRN-0001",
        "name": "Wilma Testcase",
        "birth_date": date(1980, 5, 17),
        "sex": Sex.FEMALE,
    }
    return PatientIdentity(**(given | changes))


def an_event(term: str = "nausea", grade: int = 1, **changes: Any) -> AdverseEvent:
    """An ordinary event; every field can be changed by name."""
    given: dict[str, Any] = {"onset_minutes": 30, "duration_minutes": 45}
    return AdverseEvent(term, grade, **(given | changes))


def a_report(**changes: Any) -> SessionReport:
    """One ordinary session without events that raises no warning.

    ``mrn="..."`` changes the patient's MRN alone; every other name is a field of SessionReport.
    """
    mrn = changes.pop("mrn", None)
    given: dict[str, Any] = {
        "site": SITE,
        "patient": a_patient() if mrn is None else a_patient(mrn=mrn, birth_date=None),
        "protocol": PROTOCOL,
        "started_at": STARTED,
        "dose_mg": 40.0,
        "weight_kg": 80.0,
    }
    report = SessionReport(**(given | changes))
    if report.events or "no_adverse_event" in changes:
        return report
    return SessionReport(**(given | {"no_adverse_event": True} | changes))


def a_full_report(**changes: Any) -> SessionReport:
    """A session with every field filled and two events, without any warning."""
    end = STARTED + timedelta(minutes=40)
    given: dict[str, Any] = {
        "session_ref": "V-1001",
        "ended_at": end,
        "route": Route.INTRAVENOUS,
        "lot": "LOT 42-A",
        "setting": Setting.CLINIC,
        "vitals": VitalSigns(
            before=BloodPressure(118, 76),
            at_40_min=BloodPressure(150, 92),
            peak=BloodPressure(162, 101),
            before_discharge=BloodPressure(124, 79),
            heart_rate_peak_bpm=96,
            spo2_min_percent=95,
            moaas_min=4,
            cadss6_peak=9,
        ),
        "discharge": Discharge(
            discharged_at=STARTED + timedelta(minutes=130),
            ready_minutes=110,
            orientated=True,
            gait_steady=True,
            nausea_controlled=True,
            escort_present=True,
            told_not_to_drive=True,
            released_by="Nora Quill",
        ),
        "misuse": MisuseScreen(drug_liking=35.5, craving=0, early_session_request=False),
        "drug": DrugAmounts(50, 40, 10, waste_witness="Tom Reed", staff="Nora Quill"),
        "events": (
            an_event("nausea", 2, outcome=Outcome.RECOVERED, relatedness=Relatedness.PROBABLE),
            an_event(
                "dissociation",
                2,
                onset_minutes=10,
                elicitation=Elicitation.SOLICITED,
                action="Dimmed the light and stayed.",
                narrative="Felt far away for half an hour.",
            ),
        ),
        "narrative": "Quiet session; slept in the last ten minutes.",
        "reported_by": "Nora Quill",
        "reported_at": STARTED + timedelta(minutes=140),
    }
    return a_report(**(given | changes))


def fields_of(report: SessionReport) -> Mapping[str, Any]:
    """The fields of a report by name, to build a changed one from."""
    return {name: getattr(report, name) for name in SessionReport.__slots__}
