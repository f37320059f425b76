"""What may stand in each column of the two import files: meanings here, the rest from the code."""

from __future__ import annotations

import inspect
from collections.abc import Callable, Mapping
from typing import Any, Final

from docs.markdown import table
from safety import limits
from safety.importing import cells, columns
from safety.importing.cells import Parser
from safety.limits import Bounds
from safety.model import Criterion

SESSIONS: Final[Mapping[str, str]] = {
    "session_ref": "Your own reference of the session, unique in the clinic. Letter case counts.",
    "site": "Where it was given. A name that is not known yet becomes a new site.",
    "patient_mrn": "Medical record number. Spelling does not matter: `ab-12 3` is `AB123`.",
    "patient_name": "Name of the patient.",
    "birth_date": "Must agree with the one on record for this MRN.",
    "sex": "As the clinic records it.",
    "protocol": "Id, name or synonym of a protocol (`afterdose protocols`).",
    "started_at": "When the dose began. At most one year ahead, not before 1970.",
    "ended_at": "When the dose ended, at most 30 days after it began.",
    "discharged_at": "When the patient left, at most 30 days after the dose began.",
    "dose_mg": "Dose of the whole session.",
    "weight_kg": "Body weight at the session.",
    "route": "How it was given.",
    "lot": "Lot number.",
    "setting": "Kind of place.",
    "bp_systolic_pre": "Systolic blood pressure before the dose.",
    "bp_diastolic_pre": "Diastolic blood pressure before the dose.",
    "bp_systolic_40": "Systolic blood pressure about 40 minutes after the start.",
    "bp_diastolic_40": "Diastolic blood pressure about 40 minutes after the start.",
    "bp_systolic_peak": "Systolic blood pressure of the highest reading after the dose.",
    "bp_diastolic_peak": "Diastolic blood pressure of the highest reading after the dose.",
    "bp_systolic_discharge": "Systolic blood pressure before leaving.",
    "bp_diastolic_discharge": "Diastolic blood pressure before leaving.",
    "heart_rate_peak": "Highest heart rate.",
    "spo2_min": "Lowest oxygen saturation by pulse oximetry.",
    "moaas_min": "Lowest MOAA/S. The scale runs downwards: 5 is alert.",
    "cadss6_peak": "Highest CADSS-6.",
    "reported_by": "Who reported the session.",
    "reported_at": "When it was reported, not before the dose began.",
    "no_adverse_event": "1: nothing happened, said on purpose. Not together with an event.",
    "drug_liking": "Mark on a visual analogue scale.",
    "craving": "Mark on a visual analogue scale.",
    "early_session_request": "The patient asked for the next session early.",
    "dose_increase_request": "The patient asked for a higher dose.",
    "extra_session_request": "The patient asked for an extra session.",
    "lost_medication": "Medication to take home was reported lost, stolen or spilled.",
    "outside_use": "Use from another source is known or said.",
    "impaired_on_arrival": "The patient arrived impaired.",
    "urine_drug_screen": "A urine drug screen was positive.",
    "urinary_symptoms": "Urinary symptoms.",
    "withdrawal_symptoms": "Symptoms of withdrawal.",
    "concealment": "Something was concealed.",
    "benzodiazepine": "The patient takes a benzodiazepine.",
    "opioid": "The patient takes an opioid.",
    "stimulant": "The patient takes a psychostimulant.",
    "maoi": "The patient takes a monoamine oxidase inhibitor.",
    "sedative": "The patient takes another sedative or hypnotic.",
    "amount_drawn_mg": "Drawn from the vial.",
    "amount_given_mg": "Given to the patient.",
    "amount_wasted_mg": "Wasted.",
    "waste_witness": "Who saw the waste destroyed.",
    "staff": "Who gave the drug.",
}
EVENTS: Final[Mapping[str, str]] = {
    "session_ref": "The session it belongs to. It must be in SESSIONS.csv.",
    "term": "Id, name or synonym of a term (`afterdose vocabulary`). Once a session.",
    "grade": "Worst grade of the session. Only grades that the term has.",
    "onset_minutes": "From the start of the dose; negative: it was there before.",
    "duration_minutes": "How long it lasted.",
    "outcome": "Outcome, in the words of ICH E2B(R3). `fatal` and grade 5 go together.",
    "relatedness": "Causality category of the WHO-UMC system.",
    "serious": "Criteria of seriousness. Empty: not serious.",
    "action": "What was done about it.",
    "elicitation": "How it came to be known.",
    "narrative": "In words.",
    "verbatim": "How the patient put it.",
}
RANGES: Final[Mapping[str, Bounds]] = {
    "dose_mg": limits.DOSE,
    "weight_kg": limits.WEIGHT,
    **{c: limits.SYSTOLIC for c in columns.PRESSURES if "systolic" in c},
    **{c: limits.DIASTOLIC for c in columns.PRESSURES if "diastolic" in c},
    "heart_rate_peak": limits.HEART_RATE,
    "spo2_min": limits.SPO2,
    "moaas_min": limits.MOAAS,
    "cadss6_peak": limits.CADSS6,
    "drug_liking": limits.VISUAL_ANALOGUE,
    "craving": limits.VISUAL_ANALOGUE,
    "amount_drawn_mg": limits.AMOUNT,
    "amount_given_mg": limits.AMOUNT,
    "amount_wasted_mg": limits.AMOUNT,
    "grade": limits.GRADE,
    "onset_minutes": limits.ONSET,
    "duration_minutes": limits.DURATION,
}
LENGTHS: Final[Mapping[str, int]] = {
    "session_ref": limits.REFERENCE_LENGTH,
    "site": limits.NAME_LENGTH,
    "patient_mrn": limits.REFERENCE_LENGTH,
    "patient_name": limits.NAME_LENGTH,
    "lot": limits.REFERENCE_LENGTH,
    "reported_by": limits.NAME_LENGTH,
    "waste_witness": limits.NAME_LENGTH,
    "staff": limits.NAME_LENGTH,
    "action": limits.NARRATIVE_LENGTH,
    "narrative": limits.NARRATIVE_LENGTH,
    "verbatim": limits.VERBATIM_LENGTH,
}

_SAID: Final[Mapping[Parser, str]] = {
    cells.flag: "1, 0, or empty: not asked",
    cells.day: "date: YYYY-MM-DD",
    cells.criteria: "semicolon list of: " + "; ".join(f"`{c.value}`" for c in Criterion),
}


def sessions_table() -> str:
    """The columns of SESSIONS.csv in the order of the documentation."""
    required = set(columns.SESSIONS_REQUIRED)
    return _columns_table(SESSIONS, required, _session_parser)


def events_table() -> str:
    """The columns of EVENTS.csv in the order of the documentation."""
    return _columns_table(EVENTS, set(columns.EVENTS_REQUIRED), _event_parser)


def _columns_table(
    meanings: Mapping[str, str], required: set[str], parser_of: Callable[[str], Parser | None]
) -> str:
    rows = [
        (
            f"`{column}`",
            "yes" if column in required else "",
            meaning,
            _accepted(column, parser_of(column)),
        )
        for column, meaning in meanings.items()
    ]
    return table(("column", "required", "what it is", "what may stand in it"), rows)


def _session_parser(column: str) -> Parser | None:
    return columns.PARSERS.get(column)


def _event_parser(column: str) -> Parser | None:
    return columns.PARSERS[column]


def _accepted(column: str, parser: Parser | None) -> str:
    if column in RANGES:
        return _range(RANGES[column])
    if parser is None:
        return "time: ISO 8601 with an offset, or local time of the site"
    if parser in _SAID:
        return _SAID[parser]
    if parser is not cells.text:
        return _words(parser)
    return f"text, at most {LENGTHS[column]:,} characters" if column in LENGTHS else "a known name"


def _range(bounds: Bounds) -> str:
    kind = "whole number" if bounds.whole else "number"
    unit = "" if bounds.unit.startswith("(") else f" {bounds.unit}"
    text = f"{kind}, {bounds.low:,g} to {bounds.high:,g}{unit}"
    if (bounds.likely_low, bounds.likely_high) == (bounds.low, bounds.high):
        return text
    return f"{text}; warned outside {bounds.likely_low:,g} to {bounds.likely_high:,g}"


def _words(parser: Parser) -> str:
    words: Mapping[str, Any] = inspect.getclosurevars(parser).nonlocals["words"]
    own = [word for word, member in words.items() if word == member.value]
    also = [f"`{word}` = {member.value}" for word, member in words.items() if word != member.value]
    text = ", ".join(f"`{word}`" for word in own)
    return f"{text} (also {', '.join(also)})" if also else text
