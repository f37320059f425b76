"""Interval estimates for proportions and rates.

Each function returns an :class:`Estimate`: the value, the two limits and the name of the method,
which is printed beside the numbers wherever they go.

**Nothing exposed is no information.** With ``n = 0`` the value is ``None`` and the limits of a
proportion are 0 and 1, all that a proportion can be. With no time at risk the limits of a rate are
0 and ``None``: a rate has no upper bound.

Formulas: Wilson (1927); Clopper and Pearson (1934); Jeffreys as modified at the edges by Brown,
Cai and DasGupta (2001), so that the interval always contains the estimate; exact Poisson by
Garwood (1936), with mid-p tails by Cohen and Yang (1994). Sessions of one patient are not
independent: an interval over sessions is too narrow when the same patients have the event again and
again, see :mod:`reports.clustered`.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from operator import index
from statistics import NormalDist
from typing import Final, SupportsIndex

LEVEL: Final = 0.95


@dataclass(frozen=True, slots=True)
class Estimate:
    """A value with its limits.

    ``value`` is None when nothing was exposed. ``high`` is None only for a rate without exposure.
    """

    value: float | None
    low: float | None
    high: float | None
    method: str


def wilson(x: SupportsIndex, n: SupportsIndex, level: float = LEVEL) -> Estimate:
    """Score interval (Wilson 1927) for ``x`` of ``n``: the method for display.

    ``low`` is exactly 0.0 at ``x = 0`` and ``high`` exactly 1.0 at ``x = n``. Raises ValueError for
    counts that cannot be.
    """
    x, n = _counts(x, n, level)
    if n == 0:
        return _no_information("wilson")
    z = NormalDist().inv_cdf((1 + level) / 2)
    square = z * z
    # Both limits are written without a difference of near-equal numbers, so 1 of 10**9 keeps its
    # digits.
    upper = x + square / 2 + z * math.sqrt(x * (n - x) / n + square / 4)
    low = x * x / n / upper
    high = 1.0 if x == n else upper / (n + square)
    return _proportion(x, n, low, high, "wilson")


def clopper_pearson(x: SupportsIndex, n: SupportsIndex, level: float = LEVEL) -> Estimate:
    """Exact interval (Clopper and Pearson 1934): covers at least ``level``, for regulatory tables.

    Raises ValueError for counts that cannot be.
    """
    from scipy.special import betainccinv, betaincinv

    x, n = _counts(x, n, level)
    if n == 0:
        return _no_information("clopper-pearson")
    tail = (1 - level) / 2
    low = 0.0 if x == 0 else float(betaincinv(x, n - x + 1, tail))
    high = 1.0 if x == n else float(betainccinv(x + 1, n - x, tail))
    return _proportion(x, n, low, high, "clopper-pearson")


def jeffreys(x: SupportsIndex, n: SupportsIndex, level: float = LEVEL) -> Estimate:
    """Equal-tailed interval of the Jeffreys posterior Beta(x + 1/2, n - x + 1/2).

    At ``x = 0`` the lower limit is 0 and at ``x = n`` the upper limit is 1 (Brown, Cai and DasGupta
    2001). Raises ValueError for counts that cannot be.
    """
    from scipy.special import betainccinv, betaincinv

    x, n = _counts(x, n, level)
    if n == 0:
        return _no_information("jeffreys")
    tail = (1 - level) / 2
    low = 0.0 if x == 0 else float(betaincinv(x + 0.5, n - x + 0.5, tail))
    high = 1.0 if x == n else float(betainccinv(x + 0.5, n - x + 0.5, tail))
    return _proportion(x, n, low, high, "jeffreys")


def exact_poisson(
    x: SupportsIndex, exposure: float, level: float = LEVEL, *, per: float = 1.0
) -> Estimate:
    """Exact limits (Garwood 1936) of the rate of ``x`` events in ``exposure`` units of time.

    ``per`` scales all three numbers: ``per=100`` with an exposure in patient-months gives events
    per 100 patient-months. Raises ValueError for counts or exposures that cannot be.
    """
    from scipy.special import gammainccinv, gammaincinv

    x = _events(x, exposure, per, level)
    if exposure == 0:
        return Estimate(None, 0.0, None, "exact-poisson")
    tail, scale = (1 - level) / 2, per / exposure
    low = 0.0 if x == 0 else float(gammaincinv(x, tail)) * scale
    high = float(gammainccinv(x + 1, tail)) * scale
    return Estimate(x * scale, low, high, "exact-poisson")


def mid_p_poisson(
    x: SupportsIndex, exposure: float, level: float = LEVEL, *, per: float = 1.0
) -> Estimate:
    """Exact limits of a rate with mid-p tails (Cohen and Yang 1994): covers ``level`` on average.

    Only half the probability of the observed count belongs to each tail, so the interval is
    narrower than Garwood's and covers less than ``level`` at some rates. Arguments and errors are
    those of :func:`exact_poisson`.
    """
    x = _events(x, exposure, per, level)
    if exposure == 0:
        return Estimate(None, 0.0, None, "mid-p-poisson")
    scale, mean = per / exposure, float(x)
    low, high = _mid_p_limits(x, (1 - level) / 2)
    # Near level 0 the interval closes on the median-unbiased mean, which is not x.
    return Estimate(x * scale, min(low, mean) * scale, max(high, mean) * scale, "mid-p-poisson")


def upper_for_none(n: SupportsIndex, level: float = LEVEL) -> Estimate:
    """One-sided exact upper limit for 0 of ``n``: the proportion p with (1 - p)^n = 1 - level.

    At ``n = 14`` and 95 % it is 19.3 %. The rule of three, 3 / n, is the same limit for large n
    read off by heart; it gives 21 % here. Raises ValueError for counts that cannot be.
    """
    _, n = _counts(0, n, level)
    if n == 0:
        return _no_information("clopper-pearson one-sided")
    return Estimate(0.0, 0.0, -math.expm1(math.log1p(-level) / n), "clopper-pearson one-sided")


def upper_rate_for_none(exposure: float, level: float = LEVEL, *, per: float = 1.0) -> Estimate:
    """One-sided exact upper limit of a rate without an event in ``exposure``: -ln(1 - level).

    In units of ``per`` as in :func:`exact_poisson`, with its errors. At 95 % it is 2.996 events
    over the exposure, hence the rule of three.
    """
    _events(0, exposure, per, level)
    if exposure == 0:
        return Estimate(None, 0.0, None, "exact-poisson one-sided")
    return Estimate(0.0, 0.0, -math.log1p(-level) * per / exposure, "exact-poisson one-sided")


METHODS: Final[Mapping[str, Callable[..., Estimate]]] = {
    "wilson": wilson,
    "clopper-pearson": clopper_pearson,
    "jeffreys": jeffreys,
}
"""Methods for a proportion by the name that is printed; each takes ``(x, n, level)``."""

RATE_METHODS: Final[Mapping[str, Callable[..., Estimate]]] = {
    "exact-poisson": exact_poisson,
    "mid-p-poisson": mid_p_poisson,
}
"""Methods for a rate by the name that is printed; each takes ``(x, exposure, level, per=)``."""


def _mid_p_limits(x: int, tail: float) -> tuple[float, float]:
    """Means at which P(more than x) + P(x) / 2, and P(fewer than x) + P(x) / 2, are ``tail``."""
    from scipy.special import gammainc, gammaincc, gammainccinv, gammaincinv

    if x == 0:
        return 0.0, -math.log(2 * tail)
    # P(at least x) is gammainc(x, mean). The tail with half of P(x) is the mean of the tails with
    # and without x, so its root lies between theirs.
    low = _root(
        lambda mean: float(gammainc(x, mean) + gammainc(x + 1, mean)) / 2 - tail,
        float(gammaincinv(x, tail)),
        float(gammaincinv(x + 1, tail)),
    )
    high = _root(
        lambda mean: tail - float(gammaincc(x, mean) + gammaincc(x + 1, mean)) / 2,
        float(gammainccinv(x, tail)),
        float(gammainccinv(x + 1, tail)),
    )
    return low, high


def _root(rising: Callable[[float], float], below: float, above: float) -> float:
    """Where ``rising`` crosses 0 between the two, by halving until floats allow no more."""
    while below < (middle := (below + above) / 2) < above:
        if rising(middle) < 0:
            below = middle
        else:
            above = middle
    return above


def _proportion(x: int, n: int, low: float, high: float, method: str) -> Estimate:
    value = x / n
    # Rounding in the last digit must not put the estimate outside its own interval.
    return Estimate(value, min(low, value), max(high, value), method)


def _no_information(method: str) -> Estimate:
    return Estimate(None, 0.0, 1.0, method)


def _counts(x: SupportsIndex, n: SupportsIndex, level: float) -> tuple[int, int]:
    counted, exposed = whole_number(x, "x"), whole_number(n, "n")
    check_level(level)
    if counted > exposed:
        raise ValueError(f"x = {counted} is more than n = {exposed}")
    return counted, exposed


def _events(x: SupportsIndex, exposure: float, per: float, level: float) -> int:
    counted = whole_number(x, "x")
    check_level(level)
    for name, number in (("exposure", exposure), ("per", per)):
        if not (math.isfinite(number) and number >= 0):
            raise ValueError(f"{name} must be a finite number of 0 or more, not {number!r}")
    if exposure == 0 and counted:
        raise ValueError(f"{counted} events without any exposure")
    return counted


def whole_number(number: SupportsIndex, name: str) -> int:
    """``number`` as a count; ``name`` is how the ValueError calls one that is none."""
    try:
        count = index(number)
    except TypeError:
        raise ValueError(f"{name} must be a whole number, not {number!r}") from None
    if count < 0 or isinstance(number, bool):
        raise ValueError(f"{name} must be a count of 0 or more, not {number!r}")
    return count


def check_level(level: float) -> None:
    """Raise ValueError for a confidence level that is none, NaN too."""
    if not 0 < level < 1:
        raise ValueError(f"level must lie between 0 and 1, not {level!r}")
