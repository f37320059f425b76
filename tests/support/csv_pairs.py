"""Small CSV pairs for import tests: one ordinary row each, of which a test changes cells by name.

Every column of both files is filled, so that a test which empties or breaks one cell says all it
means.
"""

from __future__ import annotations

import csv
import io
from collections.abc import Iterable, Sequence
from pathlib import Path
from typing import Any, Final

from tests.support.builders import PROTOCOL, SITE

Row = dict[str, Any]

SESSION: Final[Row] = {
    "session_ref": "V-1",
    "site": SITE,
    "patient_mrn": "MRN-0001",
    "patient_name": "Wilma Testcase",
    "birth_date": "1980-05-17",
    "sex": "female",
    "protocol": PROTOCOL,
    "started_at": "2026-03-02T09:00",
    "ended_at": "2026-03-02T09:40",
    "discharged_at": "2026-03-02T11:10",
    "dose_mg": 40,
    "weight_kg": 80,
    "route": "intravenous",
    "lot": "LOT 42-A",
    "setting": "clinic",
    "bp_systolic_pre": 118,
    "bp_diastolic_pre": 76,
    "bp_systolic_40": 150,
    "bp_diastolic_40": 92,
    "bp_systolic_peak": 162,
    "bp_diastolic_peak": 101,
    "bp_systolic_discharge": 124,
    "bp_diastolic_discharge": 79,
    "heart_rate_peak": 96,
    "spo2_min": 95,
    "moaas_min": 4,
    "cadss6_peak": 9,
    "reported_by": "Nora Quill",
    "reported_at": "2026-03-02T11:20",
    "no_adverse_event": 0,
    "drug_liking": 35.5,
    "craving": 0,
    "early_session_request": 0,
    "dose_increase_request": 0,
    "extra_session_request": 0,
    "lost_medication": 0,
    "outside_use": 0,
    "impaired_on_arrival": 0,
    "urine_drug_screen": "",
    "urinary_symptoms": 0,
    "withdrawal_symptoms": 0,
    "concealment": 0,
    "benzodiazepine": 0,
    "opioid": 1,
    "stimulant": 0,
    "maoi": 0,
    "sedative": "",
    "amount_drawn_mg": 50,
    "amount_given_mg": 40,
    "amount_wasted_mg": 10,
    "waste_witness": "Tom Reed",
    "staff": "Nora Quill",
}
EVENT: Final[Row] = {
    "session_ref": "V-1",
    "term": "nausea",
    "grade": 1,
    "onset_minutes": 30,
    "duration_minutes": 45,
    "outcome": "recovered",
    "relatedness": "probable",
    "serious": "",
    "action": "Offered water.",
    "elicitation": "solicited",
    "narrative": "Asked for the bowl once; no vomiting.",
    "verbatim": "queasy",
}
REQUIRED: Final = ("session_ref", "site", "patient_mrn", "protocol", "started_at")


def a_session(**changes: Any) -> Row:
    """A row of SESSIONS.csv with every column filled."""
    return SESSION | changes


def an_event_row(**changes: Any) -> Row:
    """A row of EVENTS.csv with every column filled; it belongs to ``a_session()``."""
    return EVENT | changes


def a_bare_session(**changes: Any) -> Row:
    """A row with the required columns only."""
    return {name: SESSION[name] for name in REQUIRED} | changes


def csv_text(rows: Sequence[Row], columns: Iterable[str] | None = None) -> str:
    """Rows as CSV; the heading names every column that any row has, in the order met."""
    names = list(columns or dict.fromkeys(name for row in rows for name in row))
    out = io.StringIO()
    writer = csv.DictWriter(out, names, lineterminator="\n")
    writer.writeheader()
    writer.writerows(rows)
    return out.getvalue()


Content = str | bytes | Sequence[Row] | None


def write_pair(
    folder: Path, sessions: Content = (SESSION,), events: Content = None
) -> tuple[Path, Path | None]:
    """Write SESSIONS.csv and EVENTS.csv as rows, text or bytes; None leaves a file away."""
    folder.mkdir(parents=True, exist_ok=True)
    one, other = folder / "SESSIONS.csv", folder / "EVENTS.csv"
    _write(one, sessions)
    if events is None:
        return one, None
    _write(other, events)
    return one, other


def _write(path: Path, content: Content) -> None:
    if content is None:
        return
    if not isinstance(content, str | bytes):
        content = csv_text(content)
    path.write_bytes(content if isinstance(content, bytes) else content.encode())
