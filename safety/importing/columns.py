"""The columns of the two files: how each is read, and where it lands in the record.

These names are an outside face: a column may be added, none may be renamed.
"""

from __future__ import annotations

from typing import Final

from safety.importing import cells
from safety.importing.cells import Parser

SESSIONS_REQUIRED: Final = ("session_ref", "site", "patient_mrn", "protocol", "started_at")
EVENTS_REQUIRED: Final = ("session_ref", "term", "grade")
TIMES: Final = ("started_at", "ended_at", "discharged_at", "reported_at")
READINGS: Final = {
    "pre": "before",
    "40": "at_40_min",
    "peak": "peak",
    "discharge": "before_discharge",
}

PATIENT: Final[dict[str, tuple[str, Parser]]] = {
    "patient_mrn": ("mrn", cells.text),
    "patient_name": ("name", cells.text),
    "birth_date": ("birth_date", cells.day),
    "sex": ("sex", cells.sex),
}
VITALS: Final[dict[str, tuple[str, Parser]]] = {
    "heart_rate_peak": ("heart_rate_peak_bpm", cells.whole),
    "spo2_min": ("spo2_min_percent", cells.whole),
    "moaas_min": ("moaas_min", cells.whole),
    "cadss6_peak": ("cadss6_peak", cells.whole),
}
_ASKED: Final[dict[str, tuple[str, Parser]]] = {
    name: (name, cells.flag)
    for name in (
        "early_session_request",
        "dose_increase_request",
        "extra_session_request",
        "lost_medication",
        "outside_use",
        "impaired_on_arrival",
        "urine_drug_screen",
        "urinary_symptoms",
        "withdrawal_symptoms",
        "concealment",
    )
}
MISUSE: Final[dict[str, tuple[str, Parser]]] = {
    "drug_liking": ("drug_liking", cells.number),
    "craving": ("craving", cells.number),
    **_ASKED,
}
CONCOMITANT: Final[dict[str, tuple[str, Parser]]] = {
    name: (name, cells.flag)
    for name in ("benzodiazepine", "opioid", "stimulant", "maoi", "sedative")
}
DRUG: Final[dict[str, tuple[str, Parser]]] = {
    "amount_drawn_mg": ("drawn_mg", cells.number),
    "amount_given_mg": ("given_mg", cells.number),
    "amount_wasted_mg": ("wasted_mg", cells.number),
    "waste_witness": ("waste_witness", cells.text),
    "staff": ("staff", cells.text),
}
SESSION: Final[dict[str, tuple[str, Parser]]] = {
    "session_ref": ("session_ref", cells.text),
    "site": ("site", cells.text),
    "protocol": ("protocol", cells.text),
    "dose_mg": ("dose_mg", cells.number),
    "weight_kg": ("weight_kg", cells.number),
    "route": ("route", cells.route),
    "lot": ("lot", cells.text),
    "setting": ("setting", cells.setting),
    "reported_by": ("reported_by", cells.text),
    "no_adverse_event": ("no_adverse_event", cells.flag),
}
PRESSURES: Final = tuple(
    f"bp_{limb}_{when}" for when in READINGS for limb in ("systolic", "diastolic")
)
_READINGS: Final[dict[str, tuple[str, Parser]]] = {
    column: (column, cells.whole) for column in PRESSURES
}
# A time is read later: it needs the zone of its site.
_AS_TEXT: Final[dict[str, tuple[str, Parser]]] = {column: (column, cells.text) for column in TIMES}
PARTS: Final[tuple[dict[str, tuple[str, Parser]], ...]] = (
    SESSION,
    _AS_TEXT,
    _READINGS,
    VITALS,
    MISUSE,
    DRUG,
    CONCOMITANT,
)
"""The parts of a session's row beside the patient, in the order in which they are put together."""

WHERE: Final[dict[str, tuple[str, int, str, Parser]]] = {
    column: (column, part, field, parse)
    for part, spec in enumerate(PARTS)
    for column, (field, parse) in spec.items()
}
"""Column, place in :data:`PARTS`, field and parser of what says nothing of the patient itself."""

SESSIONS_COLUMNS: Final = frozenset((*WHERE, *PATIENT))
EVENT: Final[dict[str, tuple[str, Parser]]] = {
    "term": ("term", cells.text),
    "grade": ("grade", cells.whole),
    "onset_minutes": ("onset_minutes", cells.whole),
    "duration_minutes": ("duration_minutes", cells.whole),
    "outcome": ("outcome", cells.outcome),
    "relatedness": ("relatedness", cells.relatedness),
    "serious": ("serious", cells.criteria),
    "action": ("action", cells.text),
    "elicitation": ("elicitation", cells.elicitation),
    "narrative": ("narrative", cells.text),
    "verbatim": ("verbatim", cells.text),
}
EVENTS_COLUMNS: Final = frozenset((*EVENT, "session_ref"))
_SPECS: Final[tuple[dict[str, tuple[str, Parser]], ...]] = (
    SESSION,
    PATIENT,
    _READINGS,
    VITALS,
    MISUSE,
    DRUG,
    CONCOMITANT,
    EVENT,
)
PARSERS: Final[dict[str, Parser]] = {
    column: parse for spec in _SPECS for column, (_, parse) in spec.items()
}
"""How each column of either file is read that is no time."""

_FIELD_COLUMNS: Final = {
    **{f"patient.{field}": column for column, (field, _) in PATIENT.items()},
    **{f"vitals.{field}": column for column, (field, _) in VITALS.items()},
    **{f"misuse.{field}": column for column, (field, _) in MISUSE.items()},
    **{f"concomitant.{field}": column for column, (field, _) in CONCOMITANT.items()},
    **{f"drug.{field}": column for column, (field, _) in DRUG.items()},
    "discharge.discharged_at": "discharged_at",
} | {
    f"vitals.{field}.{limb}_mmhg": f"bp_{limb}_{when}"
    for when, field in READINGS.items()
    for limb in ("systolic", "diastolic")
}


def column_of(field: str) -> str:
    """The column in which a field of the model stands."""
    return _FIELD_COLUMNS.get(field, field)
