"""Limits for repeated looks against published values, every outcome, and simulated clinics."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from fractions import Fraction
from functools import partial
from itertools import accumulate, pairwise, product

import numpy as np
import pytest

from reports.sequential import (
    Binomial,
    Limit,
    Poisson,
    binomial_limit,
    binomial_spending,
    matched_baseline,
    poisson_limit,
    poisson_limit_continuous,
    poisson_spending,
    walk,
)
from reports.sequential.limits import between_looks
from reports.sequential.masses import chance_to_cross

# Critical values of continuous surveillance at alpha 0.05, up to T expected events, for at least M
# events, as stored in the R package Sequential (CV.Poisson); for M = 1 also Kulldorff et al. 2011,
# table 1.
PUBLISHED = """
    T         1         3         4         6        10
    2  3.046977  2.349679  2.000158         -         -
    5  3.297183  2.803955  2.623668  2.267595         -
   10  3.467952  3.064248  2.921561  2.690586  2.281441
   20  3.628123  3.288216  3.176370  2.997792  2.717137
"""
ALSO_PUBLISHED = [(1, 1, 2.853937), (1, 2, 2.366638), (1.5, 1, 2.964971), (50, 4, 3.455521)]

# Sessions of sixty weeks of a made-up clinic that closes now and then.
WEEKS = np.array([18, 22, 25, 0, 19, 31, 24, 27, 20, 12] * 6)
SESSIONS = [int(total) for total in np.cumsum(WEEKS)]
EXPECTED = [0.05 * total for total in SESSIONS]

SIXTY_LOOKS: dict[str, Callable[[], Limit]] = {
    "binomial-maxsprt": partial(binomial_limit, SESSIONS, 0.05),
    "binomial-spending": partial(binomial_spending, SESSIONS, 0.05, SESSIONS[-1]),
    "poisson-maxsprt": partial(poisson_limit, EXPECTED),
    "poisson-spending": partial(poisson_spending, EXPECTED, EXPECTED[-1]),
}


def published() -> Iterator[tuple[float, int, float]]:
    head, *rows = (line.split() for line in PUBLISHED.strip().splitlines())
    for end, *values in rows:
        for minimum, value in zip(head[1:], values, strict=True):
            if value != "-":
                yield float(end), int(minimum), float(value)
    yield from ALSO_PUBLISHED


@pytest.mark.parametrize(("end", "minimum", "value"), list(published()))
def test_reproduces_published_critical_values(end: float, minimum: int, value: float) -> None:
    """Continuous Poisson MaxSPRT, to the printed digit, spending alpha to the last bit."""
    limit = poisson_limit_continuous(end, minimum=minimum)
    assert limit.critical_value == pytest.approx(value, abs=1.5e-6)
    assert limit.exact_false_alarm == pytest.approx(0.05, abs=1e-11)
    assert limit.exact_false_alarm <= 0.05


def test_an_end_too_near_to_spend_alpha_lets_every_allowed_count_signal() -> None:
    """Four events within half an expected one are rarer than alpha, whenever they come."""
    limit = poisson_limit_continuous(0.5, minimum=4)
    four_or_more = 1 - math.exp(-0.5) * (1 + 0.5 + 0.5**2 / 2 + 0.5**3 / 6)
    assert limit.exact_false_alarm == pytest.approx(four_or_more, abs=1e-12)
    assert limit.critical_value == Poisson().ratio(4, 0.5)


def continuous_alarms(end: float, critical: float, runs: int, seed: int) -> float:
    """The proportion of simulated Poisson processes of which any event signals."""
    arrivals = np.random.default_rng(seed).exponential(size=(runs, int(end + 12 * end**0.5 + 20)))
    moments = np.cumsum(arrivals, axis=1)
    number = np.arange(1, moments.shape[1] + 1)
    ratio = np.where(number > moments, moments - number + number * np.log(number / moments), 0)
    return float(np.mean(np.any((ratio >= critical) & (moments <= end), axis=1)))


@pytest.mark.parametrize("end", [1, 2, 5])
def test_simulated_continuous_surveillance_alarms_as_often_as_worked_out(end: float) -> None:
    """Twenty thousand simulated processes agree with 5 % (four standard errors)."""
    critical = poisson_limit_continuous(end).critical_value
    assert critical is not None
    runs = 20_000
    assert continuous_alarms(end, critical, runs, 7) == pytest.approx(
        0.05, abs=4 * math.sqrt(0.05 * 0.95 / runs)
    )


def simulated(limit: Limit, runs: int, seed: int, factor: float = 1.0) -> float:
    """The proportion of simulated clinics that signal, at ``factor`` times the baseline."""
    random = np.random.default_rng(seed)
    steps = np.diff([0, *limit.looks])
    if isinstance(limit.model, Binomial):
        risk = factor * limit.model.baseline
        new = random.binomial(steps.astype(int), risk, size=(runs, steps.size))
    else:
        new = random.poisson(factor * steps, size=(runs, steps.size))
    boundary = [math.inf if count is None else count for count in limit.signal_at]
    return float(np.mean(np.any(np.cumsum(new, axis=1) >= boundary, axis=1)))


def check_alarms(limit: Limit, runs: int) -> None:
    # In parts: a million rows of sixty looks at once would take a gigabyte.
    found = np.mean([simulated(limit, 20_000, seed) for seed in range(runs // 20_000)])
    error = math.sqrt(limit.exact_false_alarm * (1 - limit.exact_false_alarm) / runs)
    assert limit.exact_false_alarm <= 0.05
    assert found == pytest.approx(limit.exact_false_alarm, abs=4 * error)
    assert found <= 0.05 + 4 * error


@pytest.mark.parametrize("name", SIXTY_LOOKS)
def test_sixty_weekly_looks_cry_wolf_at_most_one_time_in_twenty(name: str) -> None:
    """Twenty thousand simulated clinics without any change signal as often as worked out."""
    limit = SIXTY_LOOKS[name]()
    assert limit.method == name
    assert len(limit.signal_at) == 60
    check_alarms(limit, 20_000)


@pytest.mark.slow
@pytest.mark.parametrize("name", SIXTY_LOOKS)
def test_sixty_weekly_looks_cry_wolf_at_most_one_time_in_twenty_at_length(name: str) -> None:
    """As above with a million clinics."""
    check_alarms(SIXTY_LOOKS[name](), 1_000_000)


@pytest.mark.slow
@pytest.mark.parametrize("end", [1, 2, 5, 20])
def test_simulated_continuous_surveillance_at_length(end: float) -> None:
    """A million simulated processes agree with 5 %."""
    critical = poisson_limit_continuous(end).critical_value
    assert critical is not None
    found = [continuous_alarms(end, critical, 50_000, seed) for seed in range(20)]
    assert np.mean(found) == pytest.approx(0.05, abs=4 * math.sqrt(0.05 * 0.95 / 1_000_000))


@pytest.mark.parametrize("name", SIXTY_LOOKS)
def test_a_doubled_risk_is_found(name: str) -> None:
    """With twice the baseline nearly every simulated clinic signals within sixty weeks."""
    assert simulated(SIXTY_LOOKS[name](), 2_000, seed=3, factor=2.0) > 0.95


def test_a_fixed_weekly_test_cries_wolf_far_too_often() -> None:
    """What the limits are for: a one-sided 5 % test of all sessions, repeated weekly."""
    from scipy.stats import binom

    model = Binomial(0.05)
    naive = [int(binom.isf(0.05, total, 0.05)) + 1 for total in SESSIONS]
    alone = [binom.sf(count - 1, total, 0.05) for count, total in zip(naive, SESSIONS, strict=True)]
    assert max(alone) <= 0.05
    assert chance_to_cross(between_looks(model, SESSIONS), naive) > 0.2


# Every outcome of a tiny plan, with its probability as a fraction.
Path = tuple[int, ...]


def binomial_paths(looks: Sequence[int], baseline: Fraction) -> dict[Path, Fraction]:
    sizes = [after - before for before, after in pairwise([0, *looks])]
    paths = {}
    for new in product(*(range(size + 1) for size in sizes)):
        chance = Fraction(1)
        for count, size in zip(new, sizes, strict=True):
            chance *= math.comb(size, count) * baseline**count * (1 - baseline) ** (size - count)
        paths[tuple(accumulate(new))] = chance
    return paths


def poisson_paths(looks: Sequence[float], most: int = 14) -> dict[Path, float]:
    sizes = [after - before for before, after in pairwise([0.0, *looks])]
    paths = {}
    for new in product(range(most), repeat=len(sizes)):
        chance = 1.0
        for count, size in zip(new, sizes, strict=True):
            chance *= math.exp(-size) * size**count / math.factorial(count)
        paths[tuple(accumulate(new))] = chance
    return paths


def enumerated(
    limit: Limit, paths: dict[Path, Fraction] | dict[Path, float], alpha: float
) -> tuple[float, float]:
    """The smallest ratio that keeps to alpha when it is the limit, and its false alarms."""
    highest: dict[float, float] = {}
    for path, chance in paths.items():
        ratios = [
            limit.model.ratio(count, look) if count >= limit.minimum else 0.0
            for count, look in zip(path, limit.looks, strict=True)
        ]
        highest[max(ratios)] = highest.get(max(ratios), 0.0) + float(chance)
    alarms, best = 0.0, (math.inf, 0.0)
    for ratio in sorted(highest, reverse=True):
        alarms += highest[ratio]
        if ratio <= 0 or alarms > alpha:
            break
        best = (ratio, alarms)
    return best


BINOMIAL_PLANS = [
    ([1, 2, 3, 4, 5, 6, 7, 8], Fraction(1, 2), 0.05, 1),
    ([3, 5, 9], Fraction(1, 5), 0.05, 1),
    ([2, 2, 8, 10], Fraction(1, 10), 0.05, 2),
    ([0, 4, 9], Fraction(1, 3), 0.20, 1),
    ([12], Fraction(1, 20), 0.01, 1),
    ([6, 12], Fraction(9, 10), 0.60, 1),
]


@pytest.mark.parametrize(("looks", "baseline", "alpha", "minimum"), BINOMIAL_PLANS)
def test_binomial_limit_is_that_of_all_outcomes(
    looks: list[int], baseline: Fraction, alpha: float, minimum: int
) -> None:
    """Critical value and false alarms equal those found by listing every outcome."""
    limit = binomial_limit(looks, float(baseline), alpha, minimum=minimum)
    critical, alarms = enumerated(limit, binomial_paths(looks, baseline), alpha)
    assert limit.exact_false_alarm == pytest.approx(alarms, abs=1e-13)
    # What no path attains first cannot matter: the limit may name any ratio up to the next.
    assert limit.critical_value is not None
    assert limit.critical_value <= critical * (1 + 1e-12)


@pytest.mark.parametrize(
    ("looks", "alpha", "minimum"),
    [([0.4, 0.9, 1.1], 0.05, 1), ([0.2, 0.2, 1.0], 0.01, 1), ([1.0, 1.5], 0.05, 3)],
)
def test_poisson_limit_is_that_of_all_outcomes(
    looks: list[float], alpha: float, minimum: int
) -> None:
    """Critical value and false alarms equal those found by listing every outcome."""
    sizes = [after - before for before, after in pairwise([0.0, *looks])]
    limit = poisson_limit(looks, alpha, minimum=minimum)
    paths = poisson_paths(looks) if all(sizes) else poisson_paths(looks, 12)
    critical, alarms = enumerated(limit, paths, alpha)
    assert limit.exact_false_alarm == pytest.approx(alarms, abs=1e-9)
    assert limit.critical_value is not None
    assert limit.critical_value <= critical * (1 + 1e-12)


def crossing(paths: dict[Path, Fraction], boundaries: Sequence[int | None]) -> Fraction:
    return sum(
        (
            chance
            for path, chance in paths.items()
            if any(at is not None and count >= at for count, at in zip(path, boundaries))  # noqa: B905
        ),
        Fraction(0),
    )


@pytest.mark.parametrize(("looks", "baseline", "alpha", "minimum"), BINOMIAL_PLANS)
def test_spending_takes_at_each_look_what_its_share_allows(
    looks: list[int], baseline: Fraction, alpha: float, minimum: int
) -> None:
    """Listing every outcome: no look is over its share, and one event fewer would be."""
    limit = binomial_spending(looks, float(baseline), 1.25 * looks[-1], alpha, minimum=minimum)
    paths = binomial_paths(looks, baseline)
    for place, look in enumerate(looks):
        allowed = alpha * look / (1.25 * looks[-1])
        so_far = list(limit.signal_at[: place + 1])
        assert float(crossing(paths, so_far)) <= allowed + 1e-15
        lower = (look if so_far[-1] is None else so_far[-1] - 1) if look else 0
        if lower >= max(minimum, math.floor(look * baseline) + 1):
            assert float(crossing(paths, [*so_far[:-1], lower])) > allowed
    assert limit.exact_false_alarm == pytest.approx(
        float(crossing(paths, limit.signal_at)), abs=1e-13
    )


@pytest.mark.parametrize("sessions", [1, 7, 40, 900, 30_000])
@pytest.mark.parametrize("baseline", [1e-6, 0.01, 0.35, 0.5, 0.999])
def test_new_events_are_binomial(sessions: int, baseline: float) -> None:
    from scipy.stats import binom

    masses = Binomial(baseline).new_events(sessions)
    counts = np.arange(masses.first, masses.after_last)
    assert masses.of == pytest.approx(binom.pmf(counts, sessions, baseline), rel=1e-9, abs=1e-20)
    assert masses.of.sum() == pytest.approx(1, abs=1e-14)


@pytest.mark.parametrize("step", [0.0, 1e-9, 0.3, 1.0, 17.5, 4_000.0])
def test_new_events_are_poisson(step: float) -> None:
    from scipy.stats import poisson

    masses = Poisson().new_events(step)
    counts = np.arange(masses.first, masses.after_last)
    assert masses.of == pytest.approx(poisson.pmf(counts, step), rel=1e-9, abs=1e-20)
    assert masses.of.sum() == pytest.approx(1, abs=1e-14)


def test_ratios_are_those_of_the_likelihoods() -> None:
    """The ratio is the logarithm of best likelihood over baseline likelihood; few events are 0."""
    from scipy.stats import binom, poisson

    assert Poisson().ratio(9, 4.2) == pytest.approx(
        poisson.logpmf(9, 9.0) - poisson.logpmf(9, 4.2), rel=1e-12
    )
    assert Binomial(0.1).ratio(9, 40) == pytest.approx(
        binom.logpmf(9, 40, 9 / 40) - binom.logpmf(9, 40, 0.1), rel=1e-12
    )
    assert Binomial(0.1).ratio(6, 6) == pytest.approx(-6 * math.log(0.1), rel=1e-15)
    assert Poisson().ratio(4, 4.2) == 0.0
    assert Binomial(0.1).ratio(4, 40) == 0.0


def test_a_matched_baseline_counts_the_exposed() -> None:
    """With three controls to one exposed a quarter of the events are expected there."""
    assert matched_baseline(3) == 0.25
    with pytest.raises(ValueError, match="above 0"):
        matched_baseline(0)


def test_no_count_can_signal_when_even_all_sessions_are_likely() -> None:
    """Two sessions at a baseline of one half: no limit, and no false alarm."""
    limit = binomial_limit([1, 2], 0.5)
    assert (limit.critical_value, limit.exact_false_alarm) == (None, 0.0)
    assert limit.signal_at == (None, None)
    assert walk(limit, [1, 2], [1, 2]).signal is None


def test_nothing_exposed_is_no_information() -> None:
    """Looks without sessions have no ratio, no limit and no signal."""
    for limit in (binomial_limit([0, 0], 0.1), binomial_spending([0, 0], 0.1, 100)):
        steps = walk(limit, [0, 0], [0, 0]).steps
        assert [(step.ratio, step.signal_at, step.crossed) for step in steps] == [
            (None, None, False),
            (None, None, False),
        ]
        assert limit.exact_false_alarm == 0.0


def test_the_walk_names_the_first_look_that_signals() -> None:
    """Each look is shown with its ratio; the first at its limit is the signal."""
    limit = binomial_limit([20, 40, 60, 80], 0.05)
    at = limit.signal_at[1]
    assert at is not None
    done = walk(limit, [1, at, at], [20, 40, 60])
    assert done.signal == 2
    assert [step.number for step in done.steps] == [1, 2, 3]
    assert done.steps[1].ratio == Binomial(0.05).ratio(at, 40)
    assert done.steps[1].expected == 2.0
    assert walk(limit, [1, at - 1], [20, 40]).signal is None


def test_a_count_on_the_limit_signals_and_one_fewer_does_not() -> None:
    """At every look, comparing counts and comparing ratios say the same."""
    limit = binomial_limit(SESSIONS, 0.05)
    assert limit.critical_value is not None
    model = Binomial(0.05)
    for look, at in zip(SESSIONS, limit.signal_at, strict=True):
        assert at is not None
        assert model.ratio(at, look) >= limit.critical_value
        assert model.ratio(at - 1, look) < limit.critical_value


def test_a_look_after_the_end_of_the_plan_never_signals() -> None:
    """Too many looks, or too many sessions: shown, marked and without a limit."""
    limit = binomial_limit([20, 40], 0.05)
    late = walk(limit, [0, 0, 20], [20, 40, 60]).steps[-1]
    many = walk(limit, [0, 0, 10], [20, 30, 40]).steps[-1]
    large = walk(limit, [0, 21], [20, 41]).steps[-1]
    for step in (late, many, large):
        assert (step.planned, step.crossed, step.signal_at) == (False, False, None)


def test_sizes_other_than_planned_are_compared_by_their_ratio() -> None:
    """A flat limit serves a look of 33 sessions where 40 were planned."""
    limit = binomial_limit([20, 40, 60], 0.05)
    step = walk(limit, [0, 5], [20, 33]).steps[-1]
    assert step.signal_at is not None
    assert limit.critical_value is not None
    assert Binomial(0.05).ratio(step.signal_at, 33) >= limit.critical_value
    assert Binomial(0.05).ratio(step.signal_at - 1, 33) < limit.critical_value


def test_continuous_surveillance_has_as_many_looks_as_events() -> None:
    """At T = 10, M = 4 (2.92) four events of 0.95 expected pass (2.70), five of 1.2 not (3.34)."""
    limit = poisson_limit_continuous(10, minimum=4)
    done = walk(limit, [1, 2, 3, 4, 5], [0.01, 0.02, 0.03, 0.95, 1.2])
    assert done.signal == 5
    assert [step.crossed for step in done.steps] == [False, False, False, False, True]


def test_the_horizon_alone_is_needed_ahead() -> None:
    """Later looks, of whatever size, leave the limits of earlier ones as they were."""
    early = binomial_spending([20, 45], 0.05, 500)
    for later in ([46], [300, 301], [500, 900]):
        assert binomial_spending([20, 45, *later], 0.05, 500).signal_at[:2] == early.signal_at


def test_past_the_horizon_no_more_than_alpha_is_spent() -> None:
    """Surveillance that goes on after its horizon keeps to alpha."""
    limit = binomial_spending([50 * week for week in range(1, 40)], 0.05, 500)
    assert 0.04 < limit.exact_false_alarm <= 0.05


@pytest.mark.parametrize(
    ("events", "sessions", "message"),
    [
        ([2, 1], [20, 40], "cumulative"),
        ([0, 21], [20, 40], "21 new events in 20 new sessions"),
        ([0], [20, 40], "1 counts of events for 2 looks"),
        ([0.5, 1], [20, 40], "whole"),
        ([0, 1], [20, 40.5], "whole"),
        ([0, -1], [20, 40], "0 or more"),
        ([True, 1], [20, 40], "0 or more"),
    ],
)
def test_impossible_counts_are_refused(
    events: list[int], sessions: list[int], message: str
) -> None:
    with pytest.raises(ValueError, match=message):
        walk(binomial_limit([20, 40], 0.05), events, sessions)


def test_events_that_could_not_be_expected_are_refused() -> None:
    with pytest.raises(ValueError, match="1 events where none could be expected"):
        walk(poisson_limit([1.0, 2.0]), [1], [0.0])


def test_a_spending_limit_holds_for_its_own_looks() -> None:
    with pytest.raises(ValueError, match="it was made from"):
        walk(binomial_spending([20, 40], 0.05, 100), [0, 1], [20, 41])


@pytest.mark.parametrize(
    ("make", "message"),
    [
        (lambda: binomial_limit([], 0.1), "at least one look"),
        (lambda: binomial_limit([10], 0.0), "baseline"),
        (lambda: binomial_limit([10], 1.0), "baseline"),
        (lambda: binomial_limit([10], math.nan), "baseline"),
        (lambda: binomial_limit([10], 0.1, 0.0), "alpha"),
        (lambda: binomial_limit([10], 0.1, minimum=0), "minimum"),
        (lambda: binomial_limit([10, 5], 0.1), "cumulative"),
        (lambda: poisson_limit([1.0, math.inf]), "finite"),
        (lambda: poisson_limit([-1.0]), "0 or more"),
        (lambda: poisson_limit_continuous(0.0), "end of surveillance"),
        (lambda: poisson_limit_continuous(5.0, 1.0), "alpha"),
        (lambda: poisson_spending([1.0], 0.0), "horizon"),
        (lambda: poisson_spending([], 5.0), "at least one look"),
        (lambda: binomial_spending([10], 0.1, math.nan), "horizon"),
    ],
)
def test_impossible_plans_are_refused(make: Callable[[], Limit], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()
