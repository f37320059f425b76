"""A protocol: what is given, by which route, how often, and what a nurse sees first after it."""

from __future__ import annotations

import re
from collections.abc import Iterator
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from safety import limits
from safety.errors import InvalidReport, Problem
from safety.limits import Bounds
from safety.model import Route

_MOST_SYNONYMS: Final = 20
_SLUG: Final = re.compile(r"[a-z][a-z0-9_]{1,59}")
_TOLERANCE: Final = 0.10  # default of Afterdose: rounding to a syringe mark is no deviation

_DAYS: Final = Bounds(1, 366, 1, 92, "days")
_SESSIONS: Final = Bounds(1, 400, 1, 60, "sessions")
_MINUTES: Final = Bounds(1, 30 * 24 * 60, 1, 24 * 60, "minutes")


class Drug(StrEnum):
    """What is given. A placebo is a protocol of its own, with a dose of 0 mg."""

    KETAMINE = "ketamine"
    ESKETAMINE = "esketamine"
    PLACEBO = "placebo"


class DoseUnit(StrEnum):
    """Whether a dose is fixed or goes by body weight at the session."""

    MG = "mg"
    MG_PER_KG = "mg_per_kg"


class Phase(StrEnum):
    """Where in a treatment the protocol stands; a course has one phase."""

    INDUCTION = "induction"
    MAINTENANCE = "maintenance"
    COURSE = "course"


@dataclass(frozen=True, slots=True)
class Protocol:
    """One version of a protocol.

    Doses are per session, in ``dose_unit``; ``infusion_minutes`` is ``None`` for a dose given at
    once; the two ceilings count sessions of this protocol in any 28 and 90 days. ``common_terms``
    are term ids in the order in which a nurse is offered them. ``source`` says where the numbers
    come from. Raises :class:`InvalidReport` when a number cannot be right.
    """

    id: str
    name: str
    drug: Drug
    route: Route
    dose_low: float
    dose_high: float
    dose_unit: DoseUnit
    planned_interval_days: int
    minimum_interval_days: int
    max_sessions_28_days: int
    max_sessions_90_days: int
    phase: Phase
    monitoring_minutes: int
    source: str
    synonyms: tuple[str, ...] = ()
    infusion_minutes: int | None = None
    common_terms: tuple[str, ...] = ()
    version: int = 1

    def __post_init__(self) -> None:
        problems = [*self._text_problems(), *limits.impossible(self._checks())]
        # Comparing numbers makes sense only once each is a number.
        problems += [] if problems else self._order_problems()
        if problems:
            raise InvalidReport(problems)

    def _text_problems(self) -> Iterator[Problem]:
        if not _SLUG.fullmatch(self.id):
            text = "must be lower-case letters, digits and underscores, such as iv_induction."
            yield Problem("id", text)
        named = [("name", self.name), ("source", self.source)]
        for key, text in [*named, *(("synonyms", synonym) for synonym in self.synonyms)]:
            if problem := limits.text_problem(key, text, limits.NAME_LENGTH):
                yield problem
            elif not text.isprintable():
                yield Problem(key, "must be one line.")
        if len(self.synonyms) > _MOST_SYNONYMS:
            yield Problem("synonyms", f"are more than {_MOST_SYNONYMS}. Keep the ones in use.")

    def _checks(self) -> tuple[limits.Check, ...]:
        dose = limits.DOSE if self.dose_unit is DoseUnit.MG else limits.DOSE_PER_KG
        return (
            ("dose_low", self.dose_low, dose),
            ("dose_high", self.dose_high, dose),
            ("infusion_minutes", self.infusion_minutes, _MINUTES),
            ("planned_interval_days", self.planned_interval_days, _DAYS),
            ("minimum_interval_days", self.minimum_interval_days, _DAYS),
            ("max_sessions_28_days", self.max_sessions_28_days, _SESSIONS),
            ("max_sessions_90_days", self.max_sessions_90_days, _SESSIONS),
            ("monitoring_minutes", self.monitoring_minutes, _MINUTES),
        )

    def _order_problems(self) -> list[Problem]:
        least, longest = self.minimum_interval_days, self.planned_interval_days
        found = []
        if self.dose_low <= 0 and self.drug is not Drug.PLACEBO:
            found.append(Problem("dose_low", "must be above zero."))
        if self.dose_high < self.dose_low:
            text = (
                f"{self.dose_high:g} is lower than dose_low {self.dose_low:g}. Were they swapped?"
            )
            found.append(Problem("dose_high", text))
        if least > longest:
            text = f"{least} is longer than planned_interval_days {longest}. Were they swapped?"
            found.append(Problem("minimum_interval_days", text))
        for days, most in ((28, self.max_sessions_28_days), (90, self.max_sessions_90_days)):
            if (most - 1) * least >= days:
                text = f"{most} sessions do not fit into {days} days at {least} days apart."
                found.append(Problem(f"max_sessions_{days}_days", text))
        if self.max_sessions_90_days < self.max_sessions_28_days:
            text = f"{self.max_sessions_90_days} is lower than max_sessions_28_days."
            found.append(Problem("max_sessions_90_days", text))
        return found

    def with_version(self, version: int) -> Protocol:
        """Return the same protocol under another version number."""
        return replace(self, version=version)

    def names(self) -> tuple[str, ...]:
        """Every name that finds the protocol, the shown one first."""
        return (self.name, self.id, *self.synonyms)

    def dose_in_words(self) -> str:
        """Say the dose: "0.5 mg/kg over 40 min", "56 to 84 mg"."""
        unit = "mg" if self.dose_unit is DoseUnit.MG else "mg/kg"
        low, high = f"{self.dose_low:g}", f"{self.dose_high:g}"
        dose = f"{low} {unit}" if low == high else f"{low} to {high} {unit}"
        minutes = self.infusion_minutes
        return dose if minutes is None else f"{dose} over {minutes} min"

    def dose_is_usual(self, dose_mg: float, weight_kg: float | None) -> bool | None:
        """Say whether a dose is in range, 10 % either way allowed; None without a needed weight."""
        if self.dose_unit is DoseUnit.MG_PER_KG:
            if not weight_kg:
                return None
            dose_mg = dose_mg / weight_kg
        return self.dose_low * (1 - _TOLERANCE) <= dose_mg <= self.dose_high * (1 + _TOLERANCE)
