"""What a patient's timeline is drawn from: plain values, without anything that says who it is."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any, Final

from safety.patient_view import PatientRecord, PatientSession
from safety.ui import say

SAID: Final = ("Spike by a trial definition", "No spike", "Cannot be told")
KINDS: Final = ("Serious", "Not serious")


def dose_points(
    sessions: Sequence[PatientSession], protocols: Mapping[str, str]
) -> list[dict[str, Any]]:
    """One point a session whose dose by weight is known."""
    return [
        _when(session)
        | {
            "protocol": protocols.get(session.protocol, session.protocol),
            "per_kg": round(session.dose_mg_per_kg, 3),
            "dose": f"{session.dose_mg_per_kg:.2f} mg/kg, {session.dose_mg:g} mg",
        }
        for session in sessions
        if session.dose_mg_per_kg is not None
    ]


def pressure_points(sessions: Sequence[PatientSession]) -> list[dict[str, Any]]:
    """Two bars a session, one a limb, from the reading before the dose to the highest after it.

    Where one of both is missing, the bar is the other one alone.
    """
    points = []
    for session in sessions:
        vitals = session.vitals
        for limb in ("systolic", "diastolic"):
            field = f"{limb}_mmhg"
            before = getattr(vitals.before, field, None)
            after = [value for r in vitals.after_dose() if (value := getattr(r, field)) is not None]
            highest = max(after, default=None)
            if before is None and highest is None:
                continue
            points.append(
                _when(session)
                | {
                    "limb": limb.capitalize(),
                    "before": before if before is not None else highest,
                    "highest": highest if highest is not None else before,
                    "readings": f"{_shown(before)} before, {_shown(highest)} at its highest",
                    "said": _said(session),
                }
            )
    return points


def _shown(value: int | None) -> str:
    return "not taken" if value is None else f"{value} mmHg"


def _said(session: PatientSession) -> str:
    if session.spiked:
        return SAID[0]
    return SAID[1] if session.told else SAID[2]


def event_points(record: PatientRecord, labels: Mapping[str, str]) -> list[dict[str, Any]]:
    """One point an event; ``labels`` are those of :func:`term_labels`."""
    return [
        _when(session)
        | {
            "term": labels[event.term],
            "grade": event.grade,
            "kind": KINDS[0 if event.serious else 1],
        }
        for session in record.sessions
        for event in session.events
    ]


def term_labels(record: PatientRecord, terms: Mapping[str, str]) -> dict[str, str]:
    """``Nausea (9 / 24)`` by term id: in how many sessions of all it was reported."""
    total = len(record.sessions)
    return {c.term: f"{terms.get(c.term, c.term)} ({c.sessions} / {total})" for c in record.terms}


def _when(session: PatientSession) -> dict[str, Any]:
    # Without a zone a browser reads it as its own clock and shows it so: the site's day stays.
    at = session.local_start.isoformat(timespec="seconds")
    return {"at": at, "day": say.day(session.day)}
