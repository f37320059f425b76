"""One flat critical value of the log likelihood ratio for a plan of looks (MaxSPRT).

Kulldorff, Davis, Kolczak, Lewis, Lieu and Platt (2011), A maximized sequential probability ratio
test for drug and vaccine safety surveillance, Sequential Analysis 30:58-78. The probabilities come
from the recursion in :mod:`reports.sequential.masses`, not from a formula or a table.

Counts are whole numbers, so a limit for looks at set times can rarely spend ``alpha`` to the last
bit. The critical value is the smallest that keeps to it: ``exact_false_alarm <= alpha``.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from functools import lru_cache
from itertools import count, pairwise
from typing import Final, SupportsIndex

from reports.sequential import checks
from reports.sequential.masses import Masses, chance_to_cross
from reports.sequential.models import Binomial, Model, Poisson

ALPHA: Final = 0.05
CLOSE: Final = 1e-12
CONTINUOUS: Final = "poisson-maxsprt-continuous"


@dataclass(frozen=True, slots=True)
class Limit:
    """When a count is a signal.

    ``looks`` holds the cumulative information of each look (expected events or sessions), or the
    end alone for continuous surveillance. ``signal_at`` holds the smallest cumulative count that
    signals at each look, None where no count could; it is empty for continuous surveillance.
    ``critical_value`` is that of the log likelihood ratio, None for a spending limit and where no
    count could signal at any look. ``minimum`` is the least number of events that may signal.
    """

    alpha: float
    looks: tuple[float, ...]
    critical_value: float | None
    exact_false_alarm: float
    signal_at: tuple[int | None, ...]
    minimum: int
    model: Model
    method: str


def poisson_limit(
    expected: Sequence[float], alpha: float = ALPHA, *, minimum: SupportsIndex = 1
) -> Limit:
    """The limit for looks with these cumulative expected events.

    Raises ValueError for a plan that cannot be.
    """
    looks = checks.amounts(expected, "expected events")
    return _prepared(Poisson(), looks, alpha, minimum)


def binomial_limit(
    sessions: Sequence[SupportsIndex],
    baseline: float,
    alpha: float = ALPHA,
    *,
    minimum: SupportsIndex = 1,
) -> Limit:
    """The limit for looks with these cumulative sessions and a known baseline proportion.

    Raises ValueError for a plan that cannot be.
    """
    looks = checks.counts(sessions, "sessions")
    return _prepared(Binomial(float(baseline)), looks, alpha, minimum)


def poisson_limit_continuous(
    end: float, alpha: float = ALPHA, *, minimum: SupportsIndex = 1
) -> Limit:
    """The limit when every event is looked at as it happens, up to ``end`` expected events.

    Raises ValueError for a plan that cannot be.
    """
    upper = checks.positive(end, "the end of surveillance")
    return _continuous(upper, checks.alpha(alpha), checks.count(minimum, "minimum", 1))


def first_signal(model: Model, information: float, critical: float, minimum: int) -> int | None:
    """The smallest count of at least ``minimum`` whose ratio is ``critical`` or more, or None.

    ``critical`` is above 0. The ratio grows with the count above the expected one, so halving
    finds it.
    """
    most = model.most(information)
    below = max(minimum, math.floor(model.expected(information)) + 1) - 1
    if information == 0 or (most is not None and below >= most):
        return None
    if most is None:
        above = 2 * below + 1
        while model.ratio(above, information) < critical:
            above *= 2
    elif model.ratio(most, information) < critical:
        return None
    else:
        above = most
    while above - below > 1:
        middle = (below + above) // 2
        if model.ratio(middle, information) < critical:
            below = middle
        else:
            above = middle
    return above


def between_looks(model: Model, looks: Sequence[float]) -> list[Masses]:
    """The distribution of the events between each look and the one before."""
    return [model.new_events(after - before) for before, after in pairwise((0, *looks))]


def _prepared(
    model: Model, looks: tuple[float, ...], alpha: float, minimum: SupportsIndex
) -> Limit:
    checks.some(looks)
    return _flat(model, looks, checks.alpha(alpha), checks.count(minimum, "minimum", 1))


@lru_cache(maxsize=256)
def _flat(model: Model, looks: tuple[float, ...], alpha: float, minimum: int) -> Limit:
    new_events = between_looks(model, looks)

    def boundaries(critical: float) -> tuple[int | None, ...]:
        return tuple(first_signal(model, look, critical, minimum) for look in looks)

    near = _smallest(lambda value: chance_to_cross(new_events, boundaries(value)) <= alpha)
    signal_at = boundaries(near)
    # The smallest ratio among the counts that signal has the same boundaries as ``near``, and a
    # count at its boundary then compares equal to the last bit.
    ratios = [
        model.ratio(count, look)
        for count, look in zip(signal_at, looks, strict=True)
        if count is not None
    ]
    false_alarm = chance_to_cross(new_events, signal_at)
    return Limit(
        alpha, looks, min(ratios, default=None), false_alarm, signal_at, minimum, model,
        f"{model.name}-maxsprt",
    )  # fmt: skip


@lru_cache(maxsize=256)
def _continuous(end: float, alpha: float, minimum: int) -> Limit:
    near = _smallest(lambda value: _chance_to_the_end(end, value, minimum) <= alpha)
    # If the first count that may signal does so whenever it comes, the latest moment decides.
    latest = min(_last_moment(minimum, near), end)
    critical = max(near, Poisson().ratio(minimum, latest)) if latest == end else near
    false_alarm = _chance_to_the_end(end, near, minimum)
    return Limit(alpha, (end,), critical, false_alarm, (), minimum, Poisson(), CONTINUOUS)


def _chance_to_the_end(end: float, critical: float, minimum: int) -> float:
    """The probability that event number c ever comes before its last moment, for any c."""
    moments, boundaries = [0.0], []
    for events in count(minimum):
        moments.append(min(_last_moment(events, critical), end))
        boundaries.append(events)
        if moments[-1] == end:
            break
    steps = [Poisson().new_events(after - before) for before, after in pairwise(moments)]
    return chance_to_cross(steps, boundaries)


@lru_cache(maxsize=4096)
def _last_moment(events: int, critical: float) -> float:
    """The expected number mu < c at which the ratio of c events has fallen to ``critical``."""
    # With r = mu / c the ratio is c (r - 1 - ln r), falling and convex in r: from the left of the
    # root Newton's steps never pass it.
    target = critical / events
    share = math.exp(-1 - target)
    while True:
        excess = share - 1 - math.log(share) - target
        nearer = share + excess * share / (1 - share)
        if not share < nearer < 1:
            return share * events
        share = nearer


def _smallest(keeps: Callable[[float], bool]) -> float:
    """The smallest number that ``keeps``, from above and to 1e-12; larger ones must keep too."""
    above = 4.0
    while not keeps(above):
        above *= 2
    below = 0.0
    while above - below > CLOSE:
        middle = (below + above) / 2
        if keeps(middle):
            above = middle
        else:
            below = middle
    return above
