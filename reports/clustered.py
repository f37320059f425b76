"""Per-session incidence with an interval that allows for sessions of one patient being alike.

The estimate is x / n, sessions with the event of all sessions. Its variance is taken over patients,
not sessions: with m_i sessions of patient i, x_i of them with the event, k patients and p = x / n,

    v = k / (k - 1) * sum (x_i - p m_i)^2 / n^2

the linearised variance of a ratio (Cochran, Sampling Techniques, 1977, 6.4), which is also the
sandwich of a logistic GEE with independence as working correlation (Liang and Zeger 1986) on the
scale of p, times k / (k - 1). **The design effect** (Kish 1965) is v over p (1 - p) / n, the
variance that independent sessions would have.

The limits are Wilson's at n / (design effect allowed for) sessions, with a quantile of Student's t
on n^2 / sum m_i^2 - 1 degrees of freedom. Why this one, what it covers in simulations, and what
each rule costs: docs/adr/0014-clustered-intervals.md.

The square expands into six sums over patients (:class:`PatientSums`), so a store computes them
without a row a patient leaving it.
"""

from __future__ import annotations

import math
from collections.abc import Iterable
from dataclasses import dataclass, fields
from typing import Final, Self, SupportsIndex

from reports.intervals import LEVEL, Estimate, check_level, whole_number

CLUSTERED: Final = "wilson-clustered"
BY_PATIENTS: Final = "clopper-pearson by patients"
ONE_PATIENT: Final = "one patient"

# Below it nearly all sessions are of one patient, and the quantile soon leaves what SciPy can find.
_FEWEST_DEGREES: Final = 0.01


@dataclass(frozen=True, slots=True)
class PatientSums:
    """Sums over the patients with a session, of m (their sessions) and x (those with the event).

    Raises ValueError for sums that no patients have.
    """

    patients: int
    sessions: int
    affected: int
    sessions_squared: int
    sessions_times_affected: int
    affected_squared: int

    def __post_init__(self) -> None:
        for field in fields(self):
            object.__setattr__(
                self, field.name, whole_number(getattr(self, field.name), field.name)
            )
        for name in ("patients", "affected"):
            if getattr(self, name) > self.sessions:
                raise ValueError(
                    f"{name} {getattr(self, name)} is more than sessions {self.sessions}"
                )
        if not self._possible():
            raise ValueError(f"no patients have these sums: {self}")

    def _possible(self) -> bool:
        k, n, x = self.patients, self.sessions, self.affected
        mm, mx, xx = self.sessions_squared, self.sessions_times_affected, self.affected_squared
        # Over the patients m is 1 or more, x and m - x are 0 or more: whole numbers do not exceed
        # their squares, and the sum of the squares does not exceed the square of the sum.
        whole = n <= mm <= n * n and x <= xx <= min(x * x, mx) and n - x <= self.spared_squared
        # k^2 times the variances of m and x over the patients, and times their covariance.
        of_m, of_x, of_both = k * mm - n * n, k * xx - x * x, k * mx - n * x
        return whole and of_m >= 0 and of_x >= 0 and of_both**2 <= of_m * of_x

    @property
    def spared_squared(self) -> int:
        """Sum over patients of the square of m - x, their sessions without the event."""
        return self.sessions_squared - 2 * self.sessions_times_affected + self.affected_squared

    @property
    def residual(self) -> int:
        """n^2 times the sum of (x_i - p m_i)^2, exact: floats would lose what differs by little."""
        n, x = self.sessions, self.affected
        return (
            n * n * self.affected_squared
            - 2 * n * x * self.sessions_times_affected
            + x * x * self.sessions_squared
        )

    @classmethod
    def of(cls, sessions: Iterable[SupportsIndex], affected: Iterable[SupportsIndex]) -> Self:
        """Sum up one number of sessions and one of sessions with the event for each patient.

        A patient without a session is not exposed and is left out. Raises ValueError.
        """
        pairs = [
            (whole_number(m, "sessions"), whole_number(x, "affected"))
            for m, x in zip(sessions, affected, strict=True)
        ]
        for m, x in pairs:
            if x > m:
                raise ValueError(f"a patient with {x} affected of {m} sessions")
        exposed = [(m, x) for m, x in pairs if m]
        return cls(
            len(exposed),
            sum(m for m, _ in exposed),
            sum(x for _, x in exposed),
            sum(m * m for m, _ in exposed),
            sum(m * x for m, x in exposed),
            sum(x * x for _, x in exposed),
        )


@dataclass(frozen=True, slots=True)
class ClusteredEstimate(Estimate):
    """An estimate over ``sessions`` of ``patients``, ``affected`` of the sessions with the event.

    ``design_effect`` is as measured, below 1 too; None where nothing can be measured: no patient or
    one, no session or every session with the event. ``independent`` is the number of independent
    sessions that would tell as much as the limits take these to tell; None when nothing was
    exposed. ``recurring`` says that some patient had the event in more than one session.
    """

    affected: int
    sessions: int
    patients: int
    design_effect: float | None
    independent: float | None
    recurring: bool


def wilson_clustered(sums: PatientSums, level: float = LEVEL) -> ClusteredEstimate:
    """Estimate and limits for the share of sessions with the event, by the rules of ADR 0014.

    Some sessions with the event, several patients: ``wilson-clustered``. None or all: the exact
    limits as if each patient were one session, ``clopper-pearson by patients``; they hold however
    alike the sessions of a patient are. One patient, some sessions: 0 to 1, ``one patient``, for
    how alike patients are cannot be seen in one. Raises ValueError for a level that is none.
    """
    check_level(level)
    k, n, x = sums.patients, sums.sessions, sums.affected
    effect: float | None = None
    independent: float | None = float(k)
    if n == 0:
        method, low, high, independent = CLUSTERED, 0.0, 1.0, None
    elif x in {0, n}:
        method, (low, high) = BY_PATIENTS, _none_or_all(k, x, level)
    elif k == 1:
        method, low, high = ONE_PATIENT, 0.0, 1.0
    else:
        effect = _measured(sums)
        independent = n / _allowed(sums, effect)
        method, (low, high) = CLUSTERED, _wilson(sums, independent, level)
    value, recurring = x / n if n else None, sums.affected_squared > x
    return ClusteredEstimate(value, low, high, method, x, n, k, effect, independent, recurring)


def _none_or_all(patients: int, affected: int, level: float) -> tuple[float, float]:
    """Exact limits for none, or all, of the patients."""
    open_end = -math.expm1(math.log((1 - level) / 2) / patients)
    return (1 - open_end, 1.0) if affected else (0.0, open_end)


def sandwich_variance(sums: PatientSums) -> float | None:
    """Variance v of the share, over patients; None with fewer than two."""
    k, n = sums.patients, sums.sessions
    return None if k < 2 else k * sums.residual / ((k - 1) * n**4)


def design_effect(sums: PatientSums) -> float | None:
    """How many times the variance of as many independent sessions; None as in the estimate.

    Exactly k / (k - 1) when each patient has one session.
    """
    k, n, x = sums.patients, sums.sessions, sums.affected
    return None if k < 2 or x in {0, n} else _measured(sums)


def _measured(sums: PatientSums) -> float:
    k, n, x = sums.patients, sums.sessions, sums.affected
    return k * sums.residual / ((k - 1) * n * x * (n - x))


def _allowed(sums: PatientSums, measured: float) -> float:
    """The design effect that the limits allow for: the measured one, at least 1, held back.

    Few affected patients tell little about likeness, and mostly too little of it. So the measured
    effect is averaged with the greatest one, sessions of a patient all the same, which has the
    weight of one affected patient (default; ADR 0014 has what this covers). Where more than half of
    the sessions have the event, the patients who had sessions without it are the ones that count.
    """
    floored = max(measured, 1.0)
    all_the_same = max(sums.sessions_squared / sums.sessions, floored)
    affected = _effective(sums.affected, sums.affected_squared)
    spared = _effective(sums.sessions - sums.affected, sums.spared_squared)
    seen = min(affected, spared)
    return (seen * floored + all_the_same) / (seen + 1)


def _effective(total: int, of_squares: int) -> float:
    """Patients with the same number each that would be as uneven: (sum x)^2 / sum x^2 (Kish)."""
    return total * total / of_squares


def _wilson(sums: PatientSums, independent: float, level: float) -> tuple[float, float]:
    """Wilson's limits of x / n as of ``independent`` sessions, with a quantile of t."""
    p = sums.affected / sums.sessions
    t = _quantile(_degrees(sums), level)
    weight = t * t / independent
    if weight == 0:  # a level of no more than 10^-16
        return p, p
    # As in reports.intervals.wilson, divided by the weight: no difference of near-equal numbers,
    # and an infinite weight gives 0 and 1.
    upper = p / weight + 0.5 + math.sqrt(p * (1 - p) / weight + 0.25)
    return min(p * p / (weight * upper), p), max(upper / (1 / weight + 1), p)


def _degrees(sums: PatientSums) -> float:
    """Effective patients less one: k - 1 when all have as many sessions, else fewer."""
    squares = sums.sessions_squared
    return (sums.sessions**2 - squares) / squares


def _quantile(degrees: float, level: float) -> float:
    """Two-sided quantile of Student's t."""
    from scipy.special import stdtrit

    if degrees < _FEWEST_DEGREES:
        return math.inf
    return float(stdtrit(degrees, (1 + level) / 2))
