"""The names of the form's fields that come in groups, and those that a report cannot be without."""

from __future__ import annotations

from dataclasses import fields
from typing import Final

from safety.model import Concomitant, MisuseScreen

READINGS: Final = ("before", "at_40_min", "peak", "before_discharge")
NUMBERS: Final = ("heart_rate_peak_bpm", "spo2_min_percent", "moaas_min", "cadss6_peak")
_MARKS: Final = ("drug_liking", "craving")
FLAGS: Final = tuple([f.name for f in fields(MisuseScreen) if f.name not in _MARKS])
CONCOMITANT: Final = tuple([f.name for f in fields(Concomitant)])
NO_OTHER: Final = "none"
"""Among the answers on other medication: all that was not named was asked and is not taken."""
RELEASE: Final = (
    "orientated",
    "gait_steady",
    "nausea_controlled",
    "escort_present",
    "told_not_to_drive",
)
# Needed before a report can be signed, each with what to say while it is not there.
REQUIRED: Final[dict[str, str]] = {
    "site": "Choose the site.",
    "protocol": "Choose the protocol.",
    "start_date": "Enter the day of the session.",
    "start_time": "Enter the time at which the dose began.",
}
