"""Under-reporting as a signal of its own: few effects, many empty reports, late reports.

A record that says little is not a record of little harm. For each unit (a nurse, a site) three
questions are asked, each against all other units:

- ``few effects``: fewer sessions with any effect than its protocols bring elsewhere;
- ``silent reports``: more reports that say outright that there was no effect;
- ``late entry``: more reports filed long after the session, when memory has faded.

A sentence states the numbers and no reason; print :data:`CAVEAT` with it.
"""

from __future__ import annotations

import math
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Final

from reports.grouping.expectation import Cell
from reports.grouping.findings import Answer, Finding, Rule, answer, of_few, of_many
from reports.intervals import LEVEL, Estimate

CAVEAT: Final = (
    "A difference can come from patients, protocols, rooms or hours as well as from reporting. "
    "It is a reason to look, not a finding about a person."
)

LATE_AFTER_HOURS: Final = 24.0
"""Hours from the end of a session after which a report counts as late (default)."""


@dataclass(frozen=True, slots=True)
class Delay:
    """Median hours to filing of a unit's reports, and of all other units' together."""

    reports: int
    median: Estimate
    others: int
    elsewhere: Estimate


@dataclass(frozen=True, slots=True)
class LateEntry:
    """The answer by the share of late reports, and the medians of every unit with a report."""

    answer: Answer
    delays: Mapping[str, Delay]


def few_effects(cells: Sequence[Cell], rule: Rule | None = None) -> Answer:
    """Units with fewer sessions with any effect than the others' rates let one expect.

    A cell holds the sessions of a unit under a protocol and how many had any effect. Leave the
    protocol empty to compare over all protocols.
    """
    rule = rule or Rule()
    return answer("few effects", of_few(cells, rule), rule, _elsewhere(cells))


def silent_reports(cells: Sequence[Cell], rule: Rule | None = None) -> Answer:
    """Units with more reports that say "no adverse event" than the others' let one expect.

    A cell holds the reports of a unit under a protocol and how many say that nothing happened.
    """
    rule = rule or Rule()
    return answer("silent reports", of_many(cells, rule), rule, _elsewhere(cells))


def late_entry(
    lags: Mapping[str, Sequence[float]],
    rule: Rule | None = None,
    *,
    after_hours: float = LATE_AFTER_HOURS,
) -> LateEntry:
    """Units with more reports filed later than ``after_hours`` than elsewhere.

    ``lags`` holds for each unit the hours from the end of each session to the filing of its report;
    below 0 means filed before the end. Raises ValueError for a lag that is no finite number.
    """
    rule = rule or Rule()
    _check(lags, after_hours)
    cells = [
        Cell(unit, "", sum(lag > after_hours for lag in hours), len(hours))
        for unit, hours in lags.items()
    ]
    delays = {unit: _delay(unit, lags) for unit, hours in lags.items() if hours}
    found = answer("late entry", of_many(cells, rule), rule, f"over {after_hours:g} hours")
    worded = tuple(_with_medians(finding, delays[finding.unit]) for finding in found.findings)
    return LateEntry(replace(found, findings=worded), delays)


def median_lag(hours: Sequence[float]) -> Estimate:
    """Median of the hours to filing, with the distribution-free limits of two order statistics.

    The limits are None below six reports, where no two of them bound the median with 95 %.
    """
    from scipy.special import bdtr

    _check({"": hours}, 0)
    ordered, n, method = sorted(hours), len(hours), "order statistics"
    if not n:
        return Estimate(None, None, None, method)
    value = (ordered[(n - 1) // 2] + ordered[n // 2]) / 2
    tail, rank = (1 - LEVEL) / 2, 0
    while bdtr(rank, n, 0.5) <= tail:
        rank += 1
    if rank == 0:
        return Estimate(value, None, None, method)
    return Estimate(value, ordered[rank - 1], ordered[n - rank], method)


def _delay(unit: str, lags: Mapping[str, Sequence[float]]) -> Delay:
    own = lags[unit]
    others = [lag for name, hours in lags.items() if name != unit for lag in hours]
    return Delay(len(own), median_lag(own), len(others), median_lag(others))


def _with_medians(finding: Finding, delay: Delay) -> Finding:
    medians = f"median {delay.median.value:.1f} hours, elsewhere {delay.elsewhere.value:.1f}"
    return replace(finding, sentence=f"{finding.sentence}; {medians}")


def _elsewhere(cells: Sequence[Cell]) -> str:
    if any(cell.protocol for cell in cells):
        return "the same protocols bring elsewhere"
    return "elsewhere"


def _check(lags: Mapping[str, Sequence[float]], after_hours: float) -> None:
    if not (math.isfinite(after_hours) and after_hours >= 0):
        raise ValueError(f"after_hours must be a finite number of 0 or more, not {after_hours!r}")
    for hours in lags.values():
        if not all(map(math.isfinite, hours)):
            raise ValueError("every lag must be a finite number of hours")
