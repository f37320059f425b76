"""The sandwich variance of two arms by session, when sessions cluster in patients.

With m and x the sessions and sessions with the event of a patient, the share p = X / N of an arm is
a ratio of sums over patients. Its linearised residuals e = x - p m give the variances and, from the
patients in both arms, the covariance (Liang and Zeger 1986 with independence as working
correlation; Cochran, Sampling Techniques, 1977, 6.4):

    v = k / (k - 1) * sum e^2 / N^2             for each arm, k its patients
    c = f * sum e1 e0 / (N1 N0)                 f the geometric mean of both k / (k - 1)
    variance of p1 - p0          v1 + v0 - 2 c
    variance of log p1 - log p0  v1 / p1^2 + v0 / p0^2 - 2 c / (p1 p0)

**p values** and symmetric limits are Student's t: degrees of freedom by Welch and Satterthwaite
from both arms, at most one less than patients. With no event in one arm, or nothing else, its own
variance would be 0. The test is then that of the common share P, called ``score-t``: residuals are
taken at P, and each arm has at least the variance P (1 - P) / N of independent sessions, times the
design effect of the arm that shows one. Residuals alone would leave out nearly all of the variance
of an arm without events, which could have had some. With no event in either arm, or fewer than two
patients in one, there is no p value.
"""

from __future__ import annotations

import math
from dataclasses import dataclass, replace

from reports.clustered import PatientSums
from reports.comparing.arms import Arm, Contrast, difference
from reports.comparing.patients import TwoArms
from reports.comparing.ratios import bounded
from reports.intervals import LEVEL, check_level


@dataclass(frozen=True, slots=True)
class Spread:
    """Variances of both shares and their covariance, with the degrees of freedom they carry."""

    arm: float
    reference: float
    covariance: float
    degrees: float

    @property
    def of_difference(self) -> float:
        """Variance of the difference; never below 0, for rounding."""
        return max(0.0, self.arm + self.reference - 2 * self.covariance)

    @property
    def correlation(self) -> float:
        """Of the two shares; 0 where one of them has no variance."""
        product = math.sqrt(self.arm * self.reference)
        return min(1.0, max(-1.0, self.covariance / product)) if product else 0.0


@dataclass(frozen=True, slots=True)
class SandwichTest:
    """Two-sided test of no difference; all None when it cannot be tested."""

    statistic: float | None
    degrees: float | None
    p: float | None
    method: str


def spread_of(arms: TwoArms) -> Spread | None:
    """Sandwich variances at the observed shares.

    None where an arm has fewer than two patients, no event, or nothing but events.
    """
    one, zero = arm_of(arms.arm), arm_of(arms.reference)
    if not (0 < one.x < one.n and 0 < zero.x < zero.n):
        return None
    return _spread(arms, (one.x, one.n), (zero.x, zero.n))


def sandwich_test(arms: TwoArms) -> SandwichTest:
    """Test of no difference by the sandwich variance; see the module for arms without events."""
    one, zero = arm_of(arms.arm), arm_of(arms.reference)
    both = one.x + zero.x, one.n + zero.n
    spread, method = spread_of(arms), "sandwich-t"
    if spread is None and one.n and zero.n and 0 < both[0] < both[1]:
        spread, method = _score_spread(arms, both), "score-t"
    if spread is None or not spread.of_difference:
        return SandwichTest(None, None, None, method)
    from scipy.special import stdtr

    statistic = difference(one, zero) / math.sqrt(spread.of_difference)
    p = min(1.0, 2 * float(stdtr(spread.degrees, -abs(statistic))))
    return SandwichTest(statistic, spread.degrees, p, method)


def sandwich_difference(arms: TwoArms, level: float = LEVEL) -> Contrast | None:
    """Symmetric limits of the difference, value and t times its standard error.

    For those who must reproduce them. None where :func:`spread_of` is.
    """
    one, zero, spread = arm_of(arms.arm), arm_of(arms.reference), spread_of(arms)
    if spread is None:
        return None
    value = difference(one, zero)
    half = _quantile(level, spread.degrees) * math.sqrt(spread.of_difference)
    low, high = max(-1.0, value - half), min(1.0, value + half)
    return Contrast(one, zero, value, low, high, "sandwich-t")


def sandwich_ratio(arms: TwoArms, level: float = LEVEL) -> Contrast | None:
    """Limits of the ratio, symmetric on the logarithm. None where :func:`spread_of` is."""
    one, zero, spread = arm_of(arms.arm), arm_of(arms.reference), spread_of(arms)
    error = log_error(one, zero, spread)
    if spread is None or error is None:
        return None
    half = _quantile(level, spread.degrees) * error
    centre = one.x * zero.n / (zero.x * one.n)
    return bounded(one, zero, centre * math.exp(-half), centre * math.exp(half), "sandwich-log-t")


def log_error(one: Arm, zero: Arm, spread: Spread | None) -> float | None:
    """Standard error of the logarithm of the ratio; None without a spread."""
    if spread is None:
        return None
    p1, p0 = one.x / one.n, zero.x / zero.n
    variance = spread.arm / p1**2 + spread.reference / p0**2 - 2 * spread.covariance / (p1 * p0)
    return math.sqrt(max(0.0, variance))


def arm_of(sums: PatientSums) -> Arm:
    """Sessions with the event, of sessions."""
    return Arm(sums.affected, sums.sessions)


Share = tuple[int, int]


def _spread(arms: TwoArms, share_1: Share, share_0: Share) -> Spread | None:
    """Variances with residuals from the given shares, a whole number over a whole number each."""
    k1, k0 = arms.arm.patients, arms.reference.patients
    if k1 < 2 or k0 < 2:
        return None
    f1, f0 = k1 / (k1 - 1), k0 / (k0 - 1)
    n1, n0 = arms.arm.sessions, arms.reference.sessions
    v1 = f1 * _squares(arms.arm, share_1) / n1**2
    v0 = f0 * _squares(arms.reference, share_0) / n0**2
    covariance = math.sqrt(f1 * f0) * _products(arms, share_1, share_0) / (n1 * n0)
    return Spread(v1, v0, covariance, _degrees(v1 / (k1 - 1), v0 / (k0 - 1), v1 + v0, arms))


def _score_spread(arms: TwoArms, both: Share) -> Spread | None:
    """Variances under a common share, for arms of which one shows no variance of its own."""
    spread = _spread(arms, both, both)
    if spread is None:
        return None
    x, n = both
    alone = x / n * (1 - x / n) * max(1.0, _design_effect(arms.arm), _design_effect(arms.reference))
    one, zero = arms.arm.sessions, arms.reference.sessions
    return replace(
        spread, arm=max(spread.arm, alone / one), reference=max(spread.reference, alone / zero)
    )


def _design_effect(sums: PatientSums) -> float:
    """Of one arm at its own share; 1 where it shows none."""
    arm, k = arm_of(sums), sums.patients
    if k < 2 or arm.x in {0, arm.n}:
        return 1.0
    return k / (k - 1) * _squares(sums, (arm.x, arm.n)) * arm.n / (arm.x * (arm.n - arm.x))


def _degrees(part_1: float, part_0: float, total: float, arms: TwoArms) -> float:
    """Welch and Satterthwaite, at most one less than patients: pairs are not counted twice."""
    k1, k0 = arms.arm.patients, arms.reference.patients
    divisor = part_1 * part_1 * (k1 - 1) + part_0 * part_0 * (k0 - 1)
    most = float(arms.patients - 1)
    return min(most, total * total / divisor) if divisor else most


def _squares(sums: PatientSums, share: Share) -> float:
    """Sum of (x - p m)^2, exact until the last division."""
    x, n = share
    square = (
        n * n * sums.affected_squared
        - 2 * n * x * sums.sessions_times_affected
        + x * x * sums.sessions_squared
    )
    return square / (n * n)


def _products(arms: TwoArms, share_1: Share, share_0: Share) -> float:
    """Sum of (x1 - p1 m1) (x0 - p0 m0) over the patients in both arms."""
    (x1, n1), (x0, n0), shared = share_1, share_0, arms.shared
    product = (
        n1 * n0 * shared.affected_by_affected
        - x1 * n0 * shared.sessions_by_affected
        - n1 * x0 * shared.affected_by_sessions
        + x1 * x0 * shared.sessions_by_sessions
    )
    return product / (n1 * n0)


def _quantile(level: float, degrees: float) -> float:
    from scipy.special import stdtrit

    check_level(level)
    return float(stdtrit(degrees, (1 + level) / 2))
