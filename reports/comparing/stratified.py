"""One difference or ratio over strata (sites, phases), as if each stratum were its own comparison.

Mantel and Haenszel (1959) weigh the strata; the variances hold for few large strata and for many
small ones alike. The stratified score interval of Miettinen and Nurminen (1985) takes the same
weights, n1 n0 / N of a stratum.

A common value is an assumption: look at the strata, or test it (:mod:`reports.comparing.
homogeneity`). **A stratum with nobody in one arm compares nothing.** It contributes nothing, it is
counted in ``left_out``, and :attr:`Stratified.said` says so.

Formulas: risk difference, variance by Sato (Biometrics 1989;45:1323); risk ratio, variance by
Greenland and Robins (Biometrics 1985;41:55-68); odds ratio, variance by Robins, Breslow and
Greenland (Biometrics 1986;42:311-323); Miettinen and Nurminen, Stat Med 1985;4:213-226.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from reports.comparing.arms import Arm, difference, normal_quantile
from reports.comparing.scores import boundary, difference_variance
from reports.intervals import LEVEL

Stratum = tuple[Arm, Arm]
"""Arm and reference of one stratum."""


@dataclass(frozen=True, slots=True)
class Stratified:
    """A common difference or ratio over ``strata``; ``arm`` and ``reference`` are their totals.

    ``value`` is None when no stratum compares, and for a ratio without a finite value. ``low`` and
    ``high`` of a difference are numbers; ``high`` of a ratio is None without an upper bound.
    """

    arm: Arm
    reference: Arm
    value: float | None
    low: float
    high: float | None
    method: str
    strata: int
    left_out: int

    @property
    def said(self) -> str:
        """What contributed, in a sentence."""
        return said(self.strata, self.left_out)


def said(strata: int, left_out: int) -> str:
    """Say how many strata count and how many do not."""
    if not left_out:
        return f"{strata} of {strata} strata contribute."
    each = "stratum has" if left_out == 1 else "strata have"
    return (
        f"{strata} of {strata + left_out} strata contribute; "
        f"{left_out} {each} nobody in one arm and cannot contribute."
    )


def comparing(strata: Iterable[Stratum]) -> tuple[tuple[Stratum, ...], int]:
    """The strata with somebody in both arms, and how many were left out."""
    given = tuple(strata)
    kept = tuple(pair for pair in given if pair[0].n and pair[1].n)
    return kept, len(given) - len(kept)


def risk_difference(strata: Iterable[Stratum], level: float = LEVEL) -> Stratified:
    """Mantel-Haenszel risk difference with Sato's variance, limits cut at -1 and 1."""
    z = normal_quantile(level)
    kept, left_out = comparing(strata)
    if not kept:
        return _result(kept, left_out, None, (-1.0, 1.0), "mantel-haenszel rd")
    weight = sum(_weight(pair) for pair in kept)
    value = _weighted_difference(kept)
    leaning = sum(
        (m.n**2 * r.x - r.n**2 * m.x + m.n * r.n * (r.n - m.n) / 2) / (m.n + r.n) ** 2
        for m, r in kept
    )
    mixing = sum((m.x * r.without + r.x * m.without) / (2 * (m.n + r.n)) for m, r in kept)
    # The estimate of a variance may fall below 0 by rounding where nothing varies.
    half = z * math.sqrt(max(0.0, value * leaning + mixing)) / weight
    limits = max(-1.0, value - half), min(1.0, value + half)
    return _result(kept, left_out, value, limits, "mantel-haenszel rd")


def miettinen_nurminen(strata: Iterable[Stratum], level: float = LEVEL) -> Stratified:
    """Common risk difference with stratified score limits; of one stratum, the plain ones."""
    z = normal_quantile(level)
    kept, left_out = comparing(strata)
    if not kept:
        return _result(kept, left_out, None, (-1.0, 1.0), "miettinen-nurminen stratified")
    turned = tuple((reference, arm) for arm, reference in kept)
    value = _weighted_difference(kept)
    limits = min(value, _lower_score(kept, z)), max(value, -_lower_score(turned, z))
    return _result(kept, left_out, value, limits, "miettinen-nurminen stratified")


def risk_ratio(strata: Iterable[Stratum], level: float = LEVEL) -> Stratified:
    """Mantel-Haenszel risk ratio with the variance of Greenland and Robins.

    Without an event in one of the arms the logarithm has no variance: value 0 or None, limits 0 and
    None.
    """
    kept, left_out = comparing(strata)
    above = sum(m.x * r.n / (m.n + r.n) for m, r in kept)
    below = sum(r.x * m.n / (m.n + r.n) for m, r in kept)
    spread = sum(
        (m.n * r.n * (m.x + r.x) - m.x * r.x * (m.n + r.n)) / (m.n + r.n) ** 2 for m, r in kept
    )
    variance = spread / (above * below) if above and below else None
    return _ratio(kept, left_out, (above, below, variance), level, "mantel-haenszel rr")


def odds_ratio(strata: Iterable[Stratum], level: float = LEVEL) -> Stratified:
    """Mantel-Haenszel odds ratio with the variance of Robins, Breslow and Greenland.

    Where the odds ratio is 0 or has no finite value its logarithm has no variance: limits 0, None.
    """
    kept, left_out = comparing(strata)
    above = below = 0.0
    terms = [0.0, 0.0, 0.0]
    for m, r in kept:
        both = m.n + r.n
        ad, bc = m.x * r.without / both, m.without * r.x / both
        agree, differ = (m.x + r.without) / both, (m.without + r.x) / both
        above, below = above + ad, below + bc
        terms = [terms[0] + agree * ad, terms[1] + agree * bc + differ * ad, terms[2] + differ * bc]
    variance = None
    if above and below:
        variance = (
            terms[0] / (2 * above**2) + terms[1] / (2 * above * below) + terms[2] / (2 * below**2)
        )
    return _ratio(kept, left_out, (above, below, variance), level, "mantel-haenszel or")


METHODS: Final[Mapping[str, Callable[..., Stratified]]] = {
    "mantel-haenszel rd": risk_difference,
    "miettinen-nurminen stratified": miettinen_nurminen,
    "mantel-haenszel rr": risk_ratio,
    "mantel-haenszel or": odds_ratio,
}
"""Methods by the name that is printed; each takes ``(strata, level)``."""


def _weight(stratum: Stratum) -> float:
    arm, reference = stratum
    return arm.n * reference.n / (arm.n + reference.n)


def _weighted_difference(kept: Sequence[Stratum]) -> float:
    weight = sum(_weight(pair) for pair in kept)
    return sum(_weight(pair) * difference(*pair) for pair in kept) / weight


def _lower_score(kept: Sequence[Stratum], z: float) -> float:
    value = _weighted_difference(kept)
    weights = [_weight(pair) for pair in kept]
    scale = (z / sum(weights)) ** 2

    def excluded(assumed: float) -> bool:
        variance = sum(
            weight * weight * difference_variance(*pair, assumed)
            for weight, pair in zip(weights, kept, strict=True)
        )
        return (value - assumed) ** 2 > scale * variance

    return boundary(value, -1.0, excluded)


def _ratio(
    kept: Sequence[Stratum],
    left_out: int,
    parts: tuple[float, float, float | None],
    level: float,
    method: str,
) -> Stratified:
    z = normal_quantile(level)
    above, below, variance = parts
    if variance is None:
        return _result(kept, left_out, 0.0 if below else None, (0.0, None), method)
    value, half = above / below, z * math.sqrt(max(0.0, variance))
    limits = value * math.exp(-half), value * math.exp(half)
    return _result(kept, left_out, value, limits, method)


def _result(
    kept: Sequence[Stratum],
    left_out: int,
    value: float | None,
    limits: tuple[float, float | None],
    method: str,
) -> Stratified:
    arm = Arm(sum(m.x for m, _ in kept), sum(m.n for m, _ in kept))
    reference = Arm(sum(r.x for _, r in kept), sum(r.n for _, r in kept))
    return Stratified(arm, reference, value, *limits, method, len(kept), left_out)
