"""The two models of a count: Poisson with an expectation, binomial with a baseline proportion.

*Information* is what grows from look to look: expected events under the baseline (Poisson) or
sessions (binomial). The log likelihood ratio compares the risk that fits the count best with the
baseline, and is 0 unless there are more events than expected: fewer events are no signal.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np

from reports.sequential import checks
from reports.sequential.masses import Masses, around


@dataclass(frozen=True, slots=True)
class Poisson:
    """Events against an expected number: information is in expected events."""

    name: str = "poisson"

    def expected(self, information: float) -> float:
        """Events expected under the baseline."""
        return information

    def most(self, information: float) -> None:
        """Nothing bounds a Poisson count."""

    def ratio(self, events: int, information: float) -> float:
        """The ratio (mu - c) + c ln(c / mu) for c > mu, else 0 (Kulldorff et al. 2011)."""
        if events <= information:
            return 0.0
        return max(0.0, information - events + events * math.log(events / information))

    def new_events(self, step: float) -> Masses:
        """How many events come with ``step`` more expected ones."""
        mode = math.floor(step)
        reach = _reach(step)
        up = step / np.arange(mode + 1, mode + reach + 1)
        down = np.arange(mode, max(0, mode - reach), -1) / step if mode else np.empty(0)
        return around(mode, up, down)


@dataclass(frozen=True, slots=True)
class Binomial:
    """Sessions with the event against a known baseline proportion: information is in sessions."""

    baseline: float
    name: str = "binomial"

    def __post_init__(self) -> None:
        if not 0 < self.baseline < 1:
            raise ValueError(f"baseline must lie between 0 and 1, not {self.baseline!r}")

    def expected(self, information: float) -> float:
        """Sessions with the event expected under the baseline."""
        return information * self.baseline

    def most(self, information: float) -> int:
        """Every session can have the event."""
        return int(information)

    def ratio(self, events: int, information: float) -> float:
        """The ratio c ln(p / p0) + (n - c) ln((1 - p) / (1 - p0)) for p = c / n > p0, else 0."""
        if events <= self.expected(information):
            return 0.0
        without = information - events
        ratio = events * math.log(events / information / self.baseline)
        if without:
            ratio += without * math.log(without / information / (1 - self.baseline))
        return max(0.0, ratio)

    def new_events(self, step: float) -> Masses:
        """How many of ``step`` more sessions have the event."""
        sessions, odds = int(step), self.baseline / (1 - self.baseline)
        mode = min(sessions, math.floor((sessions + 1) * self.baseline))
        reach = _reach(sessions * self.baseline * (1 - self.baseline))
        more = np.arange(mode, min(sessions, mode + reach))
        fewer = np.arange(mode, max(0, mode - reach), -1)
        return around(
            mode, (sessions - more) / (more + 1) * odds, fewer / (sessions - fewer + 1) / odds
        )


Model = Poisson | Binomial


def matched_baseline(controls: float) -> float:
    """Baseline 1 / (1 + z) of the binomial model with ``controls`` unexposed to one exposed.

    Then a look's sessions are events of either side, and its events those of the exposed. Raises
    ValueError.
    """
    return 1 / (1 + checks.positive(controls, "controls"))


def _reach(variance: float) -> int:
    """Counts to go from the mode so that less than 1e-20 stays outside (Bernstein's bound)."""
    return int(12 * math.sqrt(variance)) + 40
