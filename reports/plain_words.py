"""Sentences beside statistics, for a reader who decides and does not calculate.

Every sentence carries the counts it rests on. Percentages have no more decimals than the interval
bears, and are never 0 % or 100 % unless it is none or all.
"""

from __future__ import annotations

from typing import Final

from reports.clustered import ClusteredEstimate
from reports.intervals import LEVEL, Estimate

FEW_PATIENTS: Final = 10
FEW_EXPOSED: Final = 20
FEW_AFFECTED: Final = 5
"""Defaults: with fewer than these, :func:`small_numbers` warns."""

NOTHING_KNOWN: Final = "no {unit}s, so nothing is known"

_NOTHING_FOUND: Final = (
    "Nothing shows that the same patients have it again and again, but it cannot be ruled out"
)
_NOTABLE: Final = 1.05  # sessions within 5 % of all of them are not worth a sentence


def percent(fraction: float | None, decimals: int | None = None) -> str:
    """``15 %``, ``4.2 %``, ``<0.1 %``, ``>99.9 %``; ``no data`` without a fraction.

    Without ``decimals`` there is one below 10 % and above 90 %, else none. Raises ValueError for
    what is no fraction.
    """
    if fraction is None:
        return "no data"
    return f"{_number(fraction, _decimals(fraction) if decimals is None else decimals)} %"


def counted(x: int, n: int, unit: str = "session") -> str:
    """``9 of 61 sessions``, ``1 of 1 session``, ``1,204 of 90,310 sessions``."""
    return f"{x:,} of {several(n, unit)}"


def several(n: int, unit: str) -> str:
    """``1 session``, ``2 sessions``, ``no sessions``."""
    if n == 0:
        return f"no {unit}s"
    return f"{n:,} {unit}{'' if n == 1 else 's'}"


def proportion(
    x: int, n: int, estimate: Estimate, unit: str = "session", level: float = LEVEL
) -> str:
    """``9 of 61 sessions (15 %; 95 % interval 8 to 26 %)``.

    The three numbers have the same decimals. Without exposure it says that nothing is known.
    """
    if estimate.value is None or estimate.low is None or estimate.high is None:
        return NOTHING_KNOWN.format(unit=unit)
    decimals = _common_decimals(estimate.low, estimate.value, estimate.high)
    low, value, high = (
        _number(each, decimals) for each in (estimate.low, estimate.value, estimate.high)
    )
    return f"{counted(x, n, unit)} ({value} %; {100 * level:g} % interval {low} to {high} %)"


def none_seen(n: int, upper: Estimate, unit: str = "session") -> str:
    """``0 of 14 sessions: up to 19 % is still compatible``; ``upper`` is a one-sided limit."""
    if n == 0 or upper.high is None:
        return NOTHING_KNOWN.format(unit=unit)
    return f"{counted(0, n, unit)}: up to {percent(upper.high)} is still compatible"


def small_numbers(x: int, n: int, patients: int | None = None, unit: str = "session") -> str | None:
    """A warning when there are few patients, few exposed or few affected; else None.

    It says what a single one more (or fewer, when all had it) would change.
    """
    few = n < FEW_EXPOSED or 0 < x < FEW_AFFECTED
    if n == 0 or not (few or (patients is not None and patients < FEW_PATIENTS)):
        return None
    among = "" if patients is None else f" of {several(patients, 'patient')}"
    other, change = (x - 1, "one fewer") if x == n else (x + 1, "one more")
    now, then = percent(x / n), percent(other / n)
    would = "" if now == then else f"; {change} would make it {then} instead of {now}"
    return (
        f"Small numbers: {counted(x, n, unit)}{among}{would}. "
        "Read the interval, not the percentage."
    )


def likeness(estimate: ClusteredEstimate) -> str:
    """What it does to the interval that the sessions come from the same patients."""
    sessions = several(estimate.sessions, "session")
    patients = several(estimate.patients, "patient")
    if estimate.independent is None:
        return "No sessions, so nothing is known."
    if estimate.patients == 1:
        return f"Only one patient ({sessions}): what others would have cannot be said."
    if estimate.design_effect is None:
        share = "All" if estimate.affected else "None"
        return (
            f"{share} of {sessions} had it, which does not show how alike the sessions of one "
            f"patient are: the interval counts the {patients} instead."
        )
    if estimate.sessions == estimate.patients:
        return f"Each of the {sessions} is of another patient: they are independent."
    found = _found(estimate.design_effect, estimate)
    if found == _NOTHING_FOUND and estimate.sessions <= _NOTABLE * estimate.independent:
        return f"These {sessions} of {patients} tell as much as independent ones."
    return (
        f"{found}: these {sessions} tell as much as {estimate.independent:,.0f} independent ones."
    )


def _found(effect: float, estimate: ClusteredEstimate) -> str:
    # With few patients the measured effect is k / (k - 1) where there is none.
    if effect * (estimate.patients - 1) / estimate.patients <= _NOTABLE:
        return _NOTHING_FOUND
    if estimate.recurring:
        return "The same patients have it again and again"
    return "Sessions of one patient are alike"


def _common_decimals(low: float, value: float, high: float) -> int:
    """Decimals at which the value shows and the two limits differ by more than their last digit."""
    width = high - low
    by_width = 2 if width < 0.002 else 1 if width < 0.02 else 0
    shown = high if value == 0 else low if value == 1 else value
    return max(by_width, _decimals(shown))


def _decimals(fraction: float) -> int:
    """Enough for two digits of the smaller part; 9.95 % is the first that rounds to 10."""
    part = min(fraction, 1 - fraction)
    return 1 if 0 < part < 0.0995 else 0


def _number(fraction: float, decimals: int) -> str:
    if not 0 <= fraction <= 1:
        raise ValueError(f"a fraction must lie between 0 and 1, not {fraction!r}")
    if fraction in {0, 1}:
        return f"{100 * fraction:.0f}"
    text, step = f"{100 * fraction:.{decimals}f}", 10.0**-decimals
    if float(text) == 0:
        return f"<{step:.{decimals}f}"
    return f">{100 - step:.{decimals}f}" if float(text) >= 100 else text
