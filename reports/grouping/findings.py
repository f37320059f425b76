"""A question asked about each unit: what is said, about whom, and in which words.

Nothing is said below a minimum of sessions. The p values of one question are adjusted over the
units (Benjamini and Hochberg 1995).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final, Literal

from reports.grouping.checks import factor, whole, within
from reports.grouping.expectation import Cell, Compared, against_the_others, turned
from reports.intervals import Estimate

Kind = Literal["few effects", "silent reports", "late entry"]
Adjust = Callable[[Sequence[float]], Iterable[float]]

MINIMUM_SESSIONS: Final = 20
"""Sessions below which nothing is said about a unit (default)."""


@dataclass(frozen=True, slots=True)
class Rule:
    """When something is said: minimum of sessions, false discovery rate, least design effect.

    ``adjust`` turns p values into adjusted ones in the same order; None is Benjamini-Hochberg.
    """

    minimum: int = MINIMUM_SESSIONS
    false_discovery: float = 0.05
    design_effect: float = 1.0
    adjust: Adjust | None = None

    def __post_init__(self) -> None:
        if whole(self.minimum, "minimum") < 1:
            raise ValueError("minimum must be 1 or more")
        within(self.false_discovery, 0, 1, "false_discovery")
        factor(self.design_effect, "design_effect")


@dataclass(frozen=True, slots=True)
class Finding:
    """One question about one unit: ``x`` of ``n`` sessions, ``expected`` from the other units.

    ``ratio`` is observed over expected, its value None when nothing was expected. ``left_out``
    counts sessions under protocols that nobody else uses. ``phi`` is the factor on the variance for
    differences between units. ``p`` is one-sided, ``adjusted`` over the units; ``signal`` says that
    it lies below the false discovery rate.
    """

    kind: Kind
    unit: str
    x: int
    n: int
    left_out: int
    expected: float
    ratio: Estimate
    phi: float
    p: float
    adjusted: float
    signal: bool
    method: str
    sentence: str


@dataclass(frozen=True, slots=True)
class Answer:
    """Findings in the order of the units, and the units about which nothing is said, with why."""

    findings: tuple[Finding, ...]
    unsaid: Mapping[str, str]


@dataclass(frozen=True, slots=True)
class Row:
    """A comparison in the terms of the question: what was counted, expected and its limits."""

    compared: Compared
    expected: float
    x: int
    low: float
    high: float


def of_few(cells: Sequence[Cell], rule: Rule) -> list[Row]:
    """Rows for a question about too few."""
    rows = against_the_others(cells, minimum=rule.minimum, design_effect=rule.design_effect)
    return [Row(row, row.expected, row.x, row.low, row.high) for row in rows]


def of_many(cells: Sequence[Cell], rule: Rule) -> list[Row]:
    """Rows for a question about too many: too few of the sessions without."""
    rows = against_the_others(turned(cells), minimum=rule.minimum, design_effect=rule.design_effect)
    return [
        Row(row, row.n - row.expected, row.n - row.x, 1 - row.high, 1 - row.low) for row in rows
    ]


def answer(kind: Kind, rows: Sequence[Row], rule: Rule, elsewhere: str) -> Answer:
    """What is said to ``kind``; ``elsewhere`` are the words for what the unit is held against."""
    said = [row for row in rows if row.compared.n >= rule.minimum]
    adjusted = _adjusted([row.compared.p for row in said], rule)
    findings = tuple(
        _finding(kind, row, value, rule, elsewhere)
        for row, value in zip(said, adjusted, strict=True)
    )
    unsaid = {
        row.compared.unit: _why_unsaid(row.compared, rule.minimum)
        for row in rows
        if row.compared.n < rule.minimum
    }
    return Answer(findings, unsaid)


def _finding(kind: Kind, row: Row, adjusted: float, rule: Rule, elsewhere: str) -> Finding:
    compared = row.compared
    signal = adjusted <= rule.false_discovery
    return Finding(
        kind,
        compared.unit,
        row.x,
        compared.n,
        compared.left_out,
        row.expected,
        _ratio(row),
        compared.phi,
        compared.p,
        adjusted,
        signal,
        _method(compared),
        _sentence(kind, row, elsewhere, signal=signal),
    )


def _ratio(row: Row) -> Estimate:
    method = "clopper-pearson, effective n"
    if row.expected <= 0:
        return Estimate(None, 0.0, None, method)
    scale = row.compared.n / row.expected
    return Estimate(row.x / row.expected, row.low * scale, row.high * scale, method)


def _sentence(kind: Kind, row: Row, elsewhere: str, *, signal: bool) -> str:
    beginning = {
        "few effects": f"fewer effects were recorded than {elsewhere}",
        "silent reports": f"more reports say that there was no effect than {elsewhere}",
        "late entry": f"more reports than elsewhere were filed {elsewhere} after the session",
    }[kind]
    if not signal:
        asked = {
            "few effects": "effects recorded",
            "silent reports": "reports that say that there was no effect",
            "late entry": f"reports filed {elsewhere} after the session",
        }[kind]
        beginning = f"{asked}: no difference beyond chance"
    what = "sessions" if kind == "few effects" else "reports"
    numbers = f"{row.x} of {row.compared.n} {what}, {row.expected:.1f} expected"
    return f"{beginning}{': ' if signal else ', '}{numbers}"


def _method(compared: Compared) -> str:
    if compared.estimated:
        return "beta-binomial mid-p, over-dispersion of the others"
    return "beta-binomial mid-p, over-dispersion not estimated"


def _why_unsaid(compared: Compared, minimum: int) -> str:
    if compared.n + compared.left_out < minimum:
        return f"fewer than {minimum} sessions"
    return f"fewer than {minimum} sessions under protocols that others use too"


def _adjusted(chances: Sequence[float], rule: Rule) -> list[float]:
    if not chances:
        return []
    if rule.adjust is not None:
        return [float(value) for value in rule.adjust(chances)]
    from scipy.stats import false_discovery_control

    return [float(value) for value in false_discovery_control(chances)]
