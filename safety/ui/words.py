"""The words in which pages name the fields and choices of a report."""

from __future__ import annotations

from typing import Final

from safety.errors import Problem
from safety.model import Criterion, Elicitation, Outcome, Relatedness, Route, Setting, Sex

SEX: Final[dict[str, str]] = {Sex.FEMALE: "Female", Sex.MALE: "Male", Sex.OTHER: "Other"}

ROUTE: Final[dict[str, str]] = {
    Route.INTRAVENOUS: "Intravenous",
    Route.INTRAMUSCULAR: "Intramuscular",
    Route.SUBCUTANEOUS: "Subcutaneous",
    Route.INTRANASAL: "Intranasal",
    Route.ORAL: "By mouth",
    Route.SUBLINGUAL: "Under the tongue",
}

SETTING: Final[dict[str, str]] = {
    Setting.CLINIC: "Clinic",
    Setting.HOSPITAL: "Hospital",
    Setting.HOME: "At home",
    Setting.MOBILE: "Mobile",
}

OUTCOME: Final[dict[str, str]] = {
    Outcome.RECOVERED: "Recovered",
    Outcome.RECOVERING: "Recovering",
    Outcome.NOT_RECOVERED: "Not recovered",
    Outcome.RECOVERED_WITH_SEQUELAE: "Recovered with lasting effects",
    Outcome.FATAL: "Died",
    Outcome.UNKNOWN: "Not known",
}

RELATEDNESS: Final[dict[str, str]] = {
    Relatedness.CERTAIN: "Certain",
    Relatedness.PROBABLE: "Probable",
    Relatedness.POSSIBLE: "Possible",
    Relatedness.UNLIKELY: "Unlikely",
    Relatedness.CONDITIONAL: "More facts needed",
    Relatedness.UNASSESSABLE: "Cannot be judged",
}

ELICITATION: Final[dict[str, str]] = {
    Elicitation.SOLICITED: "We asked",
    Elicitation.SPONTANEOUS: "The patient told us",
    Elicitation.OBSERVED: "We saw it",
    Elicitation.SCALE: "A scale showed it",
}

CRITERION: Final[dict[str, str]] = {
    Criterion.DEATH: "The patient died",
    Criterion.LIFE_THREATENING: "Life was in danger at the time",
    Criterion.HOSPITALISATION: "Taken into hospital, or kept there longer",
    Criterion.DISABILITY: "Lasting or significant disability",
    Criterion.CONGENITAL_ANOMALY: "Birth defect in a child",
    Criterion.IMPORTANT_MEDICAL_EVENT: "Needed treatment to prevent one of these",
}

READINGS: Final[dict[str, str]] = {
    "before": "Before",
    "at_40_min": "At 40 min",
    "peak": "Highest",
    "before_discharge": "Before leaving",
}

MISUSE: Final[dict[str, str]] = {
    "early_session_request": "Asked for an earlier session",
    "dose_increase_request": "Asked for a higher dose",
    "extra_session_request": "Asked for an extra session",
    "lost_medication": "Reported medication lost",
    "outside_use": "Uses ketamine outside the clinic",
    "impaired_on_arrival": "Seemed impaired on arrival",
}
MISUSE_FINDINGS: Final[dict[str, str]] = {
    "urinary_symptoms": "Urinary symptoms",
    "withdrawal_symptoms": "Withdrawal symptoms",
    "urine_drug_screen": "Urine drug screen positive",
    "concealment": "Something was kept from us",
}
CONCOMITANT: Final[dict[str, str]] = {
    "benzodiazepine": "Benzodiazepine",
    "opioid": "Opioid",
    "stimulant": "Stimulant",
    "maoi": "MAO inhibitor",
    "sedative": "Other sedative",
}
DISCHARGE: Final[dict[str, str]] = {
    "orientated": "Orientated",
    "gait_steady": "Walks steadily",
    "nausea_controlled": "Nausea under control",
    "escort_present": "Escort is here",
    "told_not_to_drive": "Told not to drive until tomorrow",
}

_LABELS: Final[dict[str, str]] = {
    "clinic": "The name of the clinic",
    "username": "The user name",
    "display_name": "The name shown",
    "patient": "The patient",
    "patient.mrn": "The MRN",
    "patient.name": "The name",
    "patient.birth_date": "The birth date",
    "site": "The site",
    "protocol": "The protocol",
    "started_at": "The start",
    "ended_at": "The end",
    "dose_mg": "The dose",
    "weight_kg": "The weight",
    "lot": "The lot",
    "vitals.heart_rate_peak_bpm": "The heart rate",
    "vitals.spo2_min_percent": "The SpO2",
    "vitals.moaas_min": "The MOAA/S",
    "vitals.cadss6_peak": "The CADSS-6",
    "discharge.discharged_at": "The time of leaving",
    "discharge.ready_minutes": "The time until ready",
    "no_adverse_event": "What happened",
    "narrative": "The narrative",
    "amendment_reason": "The reason",
    "drug.drawn_mg": "The amount drawn",
    "drug.given_mg": "The amount given",
    "drug.wasted_mg": "The amount wasted",
    "drug.waste_witness": "The witness",
    "drug.staff": "Given by",
}
_LAST: Final[dict[str, str]] = {
    "systolic_mmhg": "The systolic pressure",
    "diastolic_mmhg": "The diastolic pressure",
    "grade": "The grade",
    "onset_minutes": "The onset",
    "duration_minutes": "The duration",
    "outcome": "The outcome",
    "action": "What was done",
    "narrative": "The description",
    "drug_liking": "Liking",
    "craving": "Craving",
    "released_by": "Released by",
}


def label(field: str) -> str:
    """What a page calls the field of the model."""
    last = field.rpartition(".")[2]
    return _LABELS.get(field) or _LAST.get(last) or last.replace("_", " ").capitalize()


def sentence(problem: Problem) -> str:
    """A problem as a sentence that stands by itself.

    The model words some problems to follow the name of the field ("is missing"), others whole.
    """
    message = problem.message
    if message[:1].islower():
        if message.startswith("says "):
            return 'Either "Nothing happened" or events: ' + "remove one or the other."
        return f"{label(problem.field)} {message}"
    if message[:1].isdigit():
        return f"{label(problem.field)}: {message}"
    return message


def amount(value: float, unit: str) -> str:
    """A number without needless zeros, and its unit."""
    return f"{value:g} {unit}"
