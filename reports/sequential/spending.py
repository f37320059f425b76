"""Limits that spend the false-alarm probability look by look: no future size is needed.

Of ``alpha`` a look may have spent, together with all looks before it, the share that its
information has of the ``horizon``. Its boundary is the smallest count that keeps to that, given
that no earlier look signalled; what whole numbers left unspent is carried on. The looks come when
they come, of any size, and a look never changes the boundary of an earlier one. At or past the
horizon all of ``alpha`` may be spent; a horizon that is never reached leaves some of it unspent.

Spending in proportion to information is the power family of Kim and DeMets (1987), Biometrika
74:149-154, with exponent 1.
"""

from __future__ import annotations

import math
from collections.abc import Sequence
from functools import lru_cache
from typing import SupportsIndex

import numpy as np

from reports.sequential import checks
from reports.sequential.limits import ALPHA, Limit, between_looks
from reports.sequential.masses import NOTHING_YET, Masses
from reports.sequential.models import Binomial, Model, Poisson


def poisson_spending(
    expected: Sequence[float],
    horizon: float,
    alpha: float = ALPHA,
    *,
    minimum: SupportsIndex = 1,
) -> Limit:
    """The limit for the looks so far, with these cumulative expected events.

    ``horizon`` is the expected number at which surveillance was planned to end. Raises ValueError
    for a plan that cannot be.
    """
    looks = checks.amounts(expected, "expected events")
    return _prepared(Poisson(), looks, horizon, alpha, minimum)


def binomial_spending(
    sessions: Sequence[SupportsIndex],
    baseline: float,
    horizon: float,
    alpha: float = ALPHA,
    *,
    minimum: SupportsIndex = 1,
) -> Limit:
    """The limit for the looks so far, with these cumulative sessions and a known baseline.

    ``horizon`` is the number of sessions at which surveillance was planned to end. Raises
    ValueError for a plan that cannot be.
    """
    looks = checks.counts(sessions, "sessions")
    return _prepared(Binomial(float(baseline)), looks, horizon, alpha, minimum)


def _prepared(
    model: Model,
    looks: tuple[float, ...],
    horizon: float,
    alpha: float,
    minimum: SupportsIndex,
) -> Limit:
    checks.some(looks)
    end = checks.positive(horizon, "the horizon")
    return _spend(model, looks, end, checks.alpha(alpha), checks.count(minimum, "minimum", 1))


@lru_cache(maxsize=256)
def _spend(
    model: Model, looks: tuple[float, ...], horizon: float, alpha: float, minimum: int
) -> Limit:
    state, spent, before = NOTHING_YET, 0.0, 0.0
    signal_at: list[int | None] = []
    for look, new in zip(looks, between_looks(model, looks), strict=True):
        if look > before:
            state = state.plus(new)
            least = max(minimum, math.floor(model.expected(look)) + 1)
            allowed = alpha * min(1.0, look / horizon) - spent
            boundary = _boundary(state, least, allowed, model.most(look))
            over, state = state.cut(boundary)
            spent += over
            signal_at.append(boundary)
        else:
            signal_at.append(signal_at[-1] if signal_at else None)
        before = look
    name = f"{model.name}-spending"
    return Limit(alpha, looks, None, spent, tuple(signal_at), minimum, model, name)


def _boundary(state: Masses, least: int, allowed: float, most: int | None) -> int | None:
    """The smallest count of at least ``least`` that is passed with probability ``allowed``."""
    beyond = np.cumsum(state.of[::-1])[::-1]
    # Place i of ``beyond`` is the probability of first + i or more; past the end it is nothing.
    fits = int(np.count_nonzero(beyond > allowed)) + state.first
    boundary = max(least, fits)
    return boundary if most is None or boundary <= most else None
