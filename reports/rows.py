"""Rows of the report tables, as counted: exact, for eyes inside the clinic.

What leaves the clinic goes through :mod:`reports.disclosure`, which has row types of its own.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

ANY_EVENT: Final = "any adverse event"
"""Term id of the rows that count a session or patient once, whatever the events were."""

SESSION: Final = "session"
PATIENT: Final = "patient"
PATIENT_MONTH: Final = "patient-month"
UNITS: Final = (SESSION, PATIENT, PATIENT_MONTH)

BY: Final = (
    "protocol",
    "protocol-version",
    "site",
    "route",
    "dose-band",
    "session-number",
    "setting",
    "age-band",
    "sex",
    "elicitation",
)
"""What incidence can be counted by; :mod:`reports.dimensions` has the SQL of each."""


@dataclass(frozen=True, slots=True)
class RateRow:
    """Incidence of one term under one protocol, or in one group of what else it is counted by.

    ``with_event`` counts units (sessions or patients) with the event at least once, ``events``
    counts adverse events. ``exposed`` is a count of sessions or patients, or patient-months.
    ``estimate``, ``low`` and ``high`` are fractions, or rates per 100 patient-months; None means
    no information. ``patients`` are those exposed. ``design_effect`` says, per session and where
    it can be measured, how many times wider than of independent sessions the variance is.
    """

    protocol: str
    protocol_name: str
    term: str
    term_name: str
    unit: str
    with_event: int
    exposed: int | float
    events: int
    estimate: float | None
    low: float | None
    high: float | None
    method: str
    patients: int = 0
    design_effect: float | None = None


@dataclass(frozen=True, slots=True)
class ExposureRow:
    """What was done under one protocol in the period.

    ``sessions_nothing_said`` counts sessions whose report neither names an event nor says on
    purpose that there was none.
    """

    protocol: str
    protocol_name: str
    sessions: int
    patients: int
    reports_amended: int
    sessions_nothing_said: int
