"""What a trend is asked for."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import MAXYEAR, date
from typing import Final

from reports.charts import RULE_SETS
from reports.charts.points import BASELINE
from reports.rows import PATIENT, SESSION
from reports.trend_counts import Events
from reports.trend_periods import EVERY, WEEK
from safety.errors import UserError
from safety.limits import GRADE

CHARTS: Final = ("p", "p-exact", "u", "u-exact", "laney", "ewma", "g", "t", "cusum")
RARE: Final = ("g", "t")


@dataclass(frozen=True, slots=True)
class TrendQuery:
    """What is asked: one term or group under one protocol from ``first`` to ``last``.

    ``unit`` is session or patient (a patient counts once a period). ``baseline`` is how many
    periods with sessions make it, from the first on, or its first and last day. ``site`` is a name.
    Raises UserError for what cannot be.
    """

    term: str
    protocol: str
    first: date
    last: date
    every: str = WEEK
    unit: str = SESSION
    chart: str = "p"
    rules: str = "sparing"
    baseline: int | tuple[date, date] = BASELINE
    min_grade: int = 1
    treatment_emergent: bool = False
    site: str | None = None

    def __post_init__(self) -> None:
        if self.first > self.last:
            raise UserError(
                f"The period ends ({self.last}) before it begins ({self.first}). Swap the dates."
            )
        if self.last.year == MAXYEAR:
            raise UserError(f"The year {MAXYEAR} is too far away. Choose an earlier last day.")
        _one_of("every", self.every, EVERY)
        _one_of("unit", self.unit, (SESSION, PATIENT))
        _one_of("chart", self.chart, CHARTS)
        _one_of("rules", self.rules, tuple(RULE_SETS))
        if not GRADE.low <= self.min_grade <= GRADE.high:
            raise UserError(f"There is no grade {self.min_grade}: grades go from 1 to 5.")
        if self.unit == PATIENT and self.chart not in {"p", "p-exact", "laney", "ewma"}:
            raise UserError(f"The chart {self.chart} counts sessions. Choose the unit session.")
        self._check_baseline()

    def _check_baseline(self) -> None:
        if isinstance(self.baseline, int):
            if self.baseline < 1:
                raise UserError("A baseline has 1 period or more.")
        elif not self.first <= self.baseline[0] <= self.baseline[1] <= self.last:
            raise UserError("The baseline must lie within the period, its first day first.")

    @property
    def events(self) -> Events:
        """Which events count."""
        return Events(self.term, self.min_grade, self.treatment_emergent, self.site)


def _one_of(name: str, given: str, choices: Sequence[str]) -> None:
    if given not in choices:
        raise UserError(f"{name} must be one of: {', '.join(choices)}.")
