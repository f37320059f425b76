"""What holds for the limits of repeated looks at every plan."""

from __future__ import annotations

import math
from collections.abc import Sequence
from itertools import accumulate

from hypothesis import assume, given, settings
from hypothesis import strategies as st

from reports.sequential import (
    Binomial,
    binomial_limit,
    binomial_spending,
    poisson_limit,
    poisson_limit_continuous,
    poisson_spending,
    walk,
)
from reports.sequential.limits import between_looks
from reports.sequential.masses import chance_to_cross

plans = st.lists(st.integers(0, 40), min_size=1, max_size=8).map(lambda new: [*accumulate(new)])
weights = st.lists(st.floats(0.01, 5), min_size=1, max_size=8).map(lambda new: [*accumulate(new)])
baselines = st.floats(0.001, 0.9)
alphas = st.floats(0.001, 0.4)
minima = st.integers(1, 5)


def places(signal_at: Sequence[int | None]) -> list[float]:
    return [math.inf if at is None else at for at in signal_at]


def at_least(high: Sequence[int | None], low: Sequence[int | None]) -> bool:
    return all(a >= b for a, b in zip(places(high), places(low), strict=True))


@given(looks=plans, baseline=baselines, alpha=alphas, minimum=minima)
def test_false_alarms_keep_to_alpha_and_are_those_of_the_counts(
    looks: list[int], baseline: float, alpha: float, minimum: int
) -> None:
    """The printed probability is that of the printed counts, and not over alpha."""
    steps = between_looks(Binomial(baseline), looks)
    for limit in (
        binomial_limit(looks, baseline, alpha, minimum=minimum),
        binomial_spending(looks, baseline, max(1, looks[-1]), alpha, minimum=minimum),
    ):
        assert limit.exact_false_alarm <= alpha + 1e-14
        again = chance_to_cross(steps, limit.signal_at)
        assert math.isclose(limit.exact_false_alarm, again, rel_tol=1e-9, abs_tol=1e-15)
        assert all(at is None or minimum <= at <= look for at, look in zip(
            limit.signal_at, looks, strict=True))  # fmt: skip


@given(looks=weights, alpha=alphas)
def test_poisson_false_alarms_keep_to_alpha(looks: list[float], alpha: float) -> None:
    """Both ways to set a limit keep to alpha, and no look is without one."""
    for limit in (poisson_limit(looks, alpha), poisson_spending(looks, looks[-1], alpha)):
        assert limit.exact_false_alarm <= alpha + 1e-14
        assert None not in limit.signal_at


@given(looks=plans, baseline=baselines, alpha=alphas, factor=st.floats(0.1, 1))
def test_a_smaller_alpha_never_signals_earlier(
    looks: list[int], baseline: float, alpha: float, factor: float
) -> None:
    """Asking for fewer false alarms raises the count at every look, or leaves it."""
    strict = binomial_limit(looks, baseline, alpha * factor)
    loose = binomial_limit(looks, baseline, alpha)
    assert at_least(strict.signal_at, loose.signal_at)


@given(looks=plans, more=plans, baseline=baselines, alpha=alphas)
def test_more_looks_never_lower_a_flat_limit(
    looks: list[int], more: list[int], baseline: float, alpha: float
) -> None:
    """A longer plan asks for as many events or more at each look they have in common."""
    longer = binomial_limit(looks + [looks[-1] + late for late in more], baseline, alpha)
    assert at_least(
        longer.signal_at[: len(looks)], binomial_limit(looks, baseline, alpha).signal_at
    )


@given(looks=plans, more=plans, baseline=baselines, alpha=alphas)
def test_later_looks_never_change_a_spending_limit(
    looks: list[int], more: list[int], baseline: float, alpha: float
) -> None:
    """What was decided stays decided, whatever comes."""
    horizon = max(1, looks[-1] + more[0])
    longer = binomial_spending(
        looks + [looks[-1] + late for late in more], baseline, horizon, alpha
    )
    alone = binomial_spending(looks, baseline, horizon, alpha)
    assert longer.signal_at[: len(looks)] == alone.signal_at
    assert longer.exact_false_alarm >= alone.exact_false_alarm


@settings(max_examples=15)
@given(end=st.floats(0.1, 6), factor=st.floats(1.01, 2), alpha=alphas)
def test_longer_surveillance_has_a_higher_critical_value(
    end: float, factor: float, alpha: float
) -> None:
    """Continuous surveillance: the value grows with the end and falls with alpha."""
    limit = poisson_limit_continuous(end, alpha)
    # An end too near to spend alpha lets every event signal, and then there is nothing to compare.
    assume(limit.exact_false_alarm > alpha - 1e-9)
    value = limit.critical_value
    longer = poisson_limit_continuous(end * factor, alpha).critical_value
    stricter = poisson_limit_continuous(end, alpha / factor).critical_value
    assert value is not None
    assert longer is not None
    assert stricter is not None
    assert value < longer + 1e-9
    assert value < stricter + 1e-9


@given(
    looks=plans.filter(lambda plan: plan[-1] > 0),
    baseline=baselines,
    shares=st.lists(st.floats(0, 1), min_size=8, max_size=8),
)
def test_walking_agrees_with_the_counts_that_signal(
    looks: list[int], baseline: float, shares: list[float]
) -> None:
    """The first look at or over its count is the signal, week after week the same one."""
    limit = binomial_limit(looks, baseline)
    new = [b - a for a, b in zip([0, *looks], looks, strict=False)]
    events = [*accumulate(round(s * n) for s, n in zip(shares, new, strict=False))]
    over = [k for k, at in enumerate(places(limit.signal_at), 1) if events[k - 1] >= at]
    assert walk(limit, events, looks).signal == (over[0] if over else None)
    for weeks in range(1, len(looks) + 1):
        signal = walk(limit, events[:weeks], looks[:weeks]).signal
        assert signal == (over[0] if over and over[0] <= weeks else None)
