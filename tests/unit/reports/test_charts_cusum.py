"""Thresholds and run lengths of CUSUM charts: printed values, closed forms, other ways, chance."""

from __future__ import annotations

import math
import random

import pytest

from reports.charts import (
    Annotation,
    Case,
    Chart,
    Period,
    Threshold,
    bernoulli_cusum,
    bernoulli_threshold,
    poisson_cusum,
    poisson_threshold,
)
from reports.charts.runlength import bernoulli_run_length, poisson_run_length

BERNOULLI = [(0.02, 0.04, 1_000), (0.001, 0.003, 5_000), (0.2, 0.5, 2_000), (0.01, 0.1, 500)]
POISSON = [(0.1, 0.3, 200), (4.0, 6.0, 370), (20.0, 25.0, 370), (1_000.0, 1_100.0, 370)]


def test_reproduces_the_published_poisson_run_lengths() -> None:
    """With k = 2 and h = 6: 37.2 at a mean of 1.88, and 5.49 at 3.2."""
    # Lucas 1985, Counted data CUSUMs, Technometrics 27:129-144, by the function arl of the R
    # package IAcsSPCR 1.2.1 (its documented example, with the output printed there).
    assert round(poisson_run_length(1.88, 1, 2, 6), 2) == 37.2
    assert round(poisson_run_length(1.88 + 0.9627 * math.sqrt(1.88), 1, 2, 6), 2) == 5.49


@pytest.mark.parametrize("p", [0.001, 0.02, 0.3, 0.9])
def test_run_lengths_that_can_be_written_down(p: float) -> None:
    """One event is enough: 1 / p. Two steps up by one, down by one: (1 + p) / p^2."""
    assert bernoulli_run_length(p, 5, 1, 5) == pytest.approx(1 / p, rel=1e-9)
    assert bernoulli_run_length(p, 1, 1, 2) == pytest.approx((1 + p) / p**2, rel=1e-9)
    assert poisson_run_length(p, 1, 1, 1) == pytest.approx(
        1 / -math.expm1(math.log1p(p) - p), rel=1e-9
    )


def first_passage(p: float, event: int, height: int) -> float:
    """Run length where a quiet session takes one step away: from state to state downwards.

    ``reach`` is the chance of the next lower state before the signal, ``time`` the sessions until
    either. Another way than the system of equations of the package.
    """
    q = 1 - p
    reach, time = [0.0] * height, [0.0] * height
    for state in range(height - 1, -1, -1):
        chance, waited = 1.0, 0.0
        for higher in range(min(state + event, height), state, -1):
            if higher == height:
                chance = 0.0
                continue
            waited += chance * time[higher]
            chance *= reach[higher]
        if state == 0:
            return (1 + p * waited) / (p * (1 - chance))
        reach[state] = q / (1 - p * chance)
        time[state] = (1 + p * waited) / (1 - p * chance)
    raise AssertionError


@pytest.mark.parametrize(
    ("p", "event", "height"), [(0.02, 34, 99), (0.1, 7, 40), (0.001, 692, 1_000), (0.3, 2, 15)]
)
def test_agrees_with_first_passage_times(p: float, event: int, height: int) -> None:
    """Two ways to the same run length."""
    assert bernoulli_run_length(p, event, 1, height) == pytest.approx(
        first_passage(p, event, height), rel=1e-8
    )


def found(kind: str, case: tuple[float, float, float]) -> Threshold:
    return (bernoulli_threshold if kind == "bernoulli" else poisson_threshold)(*case)


CASES = [*(("bernoulli", case) for case in BERNOULLI), *(("poisson", case) for case in POISSON)]


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_the_threshold_is_the_lowest_that_keeps_the_promise(
    kind: str, case: tuple[float, float, float]
) -> None:
    """At or above the wanted run length, and one step lower is below it."""
    length = bernoulli_run_length if kind == "bernoulli" else poisson_run_length
    made = found(kind, case)
    lower = length(made.p0, made.event, made.quiet, made.height - 1)
    assert lower < made.wanted <= made.arl0
    assert made.arl1 < made.arl0
    assert made.arl1 == length(made.p1, made.event, made.quiet, made.height)


@pytest.mark.parametrize(("kind", "case"), CASES)
def test_steps_are_near_the_log_likelihood(kind: str, case: tuple[float, float, float]) -> None:
    """An event weighs exactly its log-likelihood, the rest within 1 %."""
    made = found(kind, case)
    a, b = case[:2]
    quiet = math.log((1 - a) / (1 - b)) if kind == "bernoulli" else b - a
    assert made.event * made.step == pytest.approx(math.log(b / a), rel=1e-12)
    assert made.quiet * made.step == pytest.approx(quiet, rel=1e-2)
    assert made.h == made.height * made.step


def test_the_same_question_has_the_same_answer_without_being_worked_out_again() -> None:
    """Results are kept."""
    assert bernoulli_threshold(0.02, 0.04, 1_000) is bernoulli_threshold(0.02, 0.04, 1_000)


def simulated(made: Threshold, rate: float, runs: int, seed: int) -> tuple[float, float]:
    """Mean run length of charts drawn by the package, and its standard error."""
    import numpy as np

    generator = np.random.default_rng(seed)
    lengths: list[int] = []
    watched = 0
    while len(lengths) < runs:
        if made.kind == "bernoulli":
            events = generator.random(20_000) < rate
            chart = bernoulli_cusum([Case("", bool(event)) for event in events], made)
        else:
            counts = generator.poisson(rate, 5_000).tolist()
            chart = poisson_cusum([Period("", count, 1.0) for count in counts], made)
        # Sessions over signals: the mean of ended runs alone would leave out the longest ones.
        watched += len(chart.points)
        run = 0
        for point in chart.points:
            run += 1
            if point.flag:
                lengths.append(run)
                run = 0
    mean = math.fsum(lengths) / len(lengths)
    spread = math.sqrt(math.fsum((length - mean) ** 2 for length in lengths) / (len(lengths) - 1))
    return watched / len(lengths), spread / math.sqrt(len(lengths))


SIMULATED = [("bernoulli", (0.05, 0.1, 300)), ("bernoulli", (0.25, 0.5, 200)),
             ("poisson", (0.5, 1.0, 100)), ("poisson", (6.0, 8.0, 100))]  # fmt: skip


@pytest.mark.parametrize(("kind", "case"), SIMULATED)
def test_simulated_charts_have_the_run_lengths(kind: str, case: tuple[float, float, float]) -> None:
    """In control and at the worse rate, charts as drawn signal as often as promised."""
    made = found(kind, case)
    for rate, promised in ((made.p0, made.arl0), (made.p1, made.arl1)):
        mean, error = simulated(made, rate, 200, seed=1954)
        assert abs(mean - promised) < 3.5 * error, (rate, mean, promised, error)


@pytest.mark.slow
@pytest.mark.parametrize(("kind", "case"), SIMULATED)
def test_simulated_charts_have_the_run_lengths_in_many_runs(
    kind: str, case: tuple[float, float, float]
) -> None:
    """The same with 6,000 runs."""
    made = found(kind, case)
    for rate, promised in ((made.p0, made.arl0), (made.p1, made.arl1)):
        mean, error = simulated(made, rate, 6_000, seed=1999)
        assert abs(mean - promised) < 3.5 * error, (rate, mean, promised, error)


def cases(text: str) -> list[Case]:
    return [Case(f"{at}", {"x": True, ".": False, "?": None}[mark]) for at, mark in enumerate(text)]


def by_hand(kind: str = "bernoulli") -> Threshold:
    """An event adds 3 steps, a quiet session takes 1, 5 steps signal; a step is 0.5."""
    return Threshold(kind, 0.1, 0.2, 3, 1, 5, 0.5, 100, 100, 20)


def values(chart: Chart) -> list[float | None]:
    return [point.value for point in chart.points]


def test_a_cusum_by_hand() -> None:
    """Never below 0, a signal at the threshold, and from 0 again."""
    chart = bernoulli_cusum(cases("..x.xx..?x"), by_hand())
    assert values(chart) == [0, 0, 1.5, 1.0, 2.5, 1.5, 1.0, 0.5, None, 2.0]
    assert [point.label for point in chart.flagged] == ["4"]
    assert chart.points[4].rules == ("threshold",)
    assert {(point.lower, point.upper) for point in chart.points} == {(0.0, 2.5)}
    assert [(point.numerator, point.denominator) for point in chart.points[7:]] == [
        (0, 1), (0, 0), (1, 1)]  # fmt: skip


def test_without_a_new_start_the_signal_lasts() -> None:
    """Every point at or above the threshold is flagged until the sum has fallen below it."""
    chart = bernoulli_cusum(cases("x.xx..."), by_hand(), reset=False)
    assert values(chart) == [1.5, 1.0, 2.5, 4.0, 3.5, 3.0, 2.5]
    assert [point.label for point in chart.flagged] == ["2", "3", "4", "5", "6"]


def test_a_poisson_cusum_by_hand() -> None:
    """Twice the exposure takes twice the steps; an empty period changes nothing."""
    counted = [Period("a", 2, 1), Period("b", 1, 2), Period("shut", 0, 0), Period("c", 0, 1)]
    chart = poisson_cusum(counted, by_hand("poisson"), usual=1.0, reset=False)
    assert values(chart) == [2.5, 3.0, None, 2.5]
    assert chart.warnings == (
        "Periods differ in size: the average run length is an approximation.",
    )
    even = poisson_cusum([Period("a", 2, 7.0), Period("b", 0, 7.0)], by_hand("poisson"))
    assert (values(even), even.warnings) == ([2.5, 0.0], ())


def test_a_shift_is_found_and_calm_is_calm() -> None:
    """2 % for 1,000 sessions, then 6 %: the first signal comes after the change, and soon."""
    made = bernoulli_threshold(0.02, 0.06, 20_000)
    generator = random.Random(3)
    events = [generator.random() < (0.02 if at < 1_000 else 0.06) for at in range(2_000)]
    first = bernoulli_cusum([Case(f"{at}", event) for at, event in enumerate(events)], made)
    assert 1_000 <= int(first.flagged[0].label) < 1_000 + 4 * made.arl1


def test_the_legend_says_what_was_promised() -> None:
    """Threshold, rates and both run lengths are in words."""
    made = bernoulli_threshold(0.02, 0.04, 1_000)
    chart = bernoulli_cusum([], made, annotations=(Annotation("a", "b"),))
    assert chart.method == f"bernoulli cusum, h = {made.h:.3f}, markov chain"
    assert chart.sigma == "0.02 against 0.04, run lengths 1,003 and 174"
    assert chart.annotations == (Annotation("a", "b"),)
    assert not chart.provisional


def test_nothing_watched_is_no_information() -> None:
    """No session, or none that is known: no value and no signal."""
    assert values(bernoulli_cusum(cases("??"), by_hand())) == [None, None]
    assert poisson_cusum([], by_hand("poisson")).points == ()
    assert values(poisson_cusum([Period("a", 0, 0)], by_hand("poisson"))) == [None]


@pytest.mark.parametrize("wrong", [(0, 0.1, 9), (0.1, 0.1, 9), (0.2, 0.1, 9), (0.1, 1, 9)])
def test_impossible_chances_are_refused(wrong: tuple[float, float, float]) -> None:
    """Chances must rise within 0 to 1, and means above 0."""
    with pytest.raises(ValueError, match="must be 0 < p0 < p1 < 1"):
        bernoulli_threshold(*wrong)
    with pytest.raises(ValueError, match="must be 0 < mean0 < mean1"):
        poisson_threshold(wrong[0], min(wrong[1], wrong[0]), wrong[2])


def test_questions_without_an_answer_are_refused() -> None:
    """Run lengths out of range, events too rare, rates too near, thresholds of the other kind."""
    for arl0 in (0.5, 2e7, math.nan):
        with pytest.raises(ValueError, match="arl0 must lie between 1 and 10,000,000"):
            bernoulli_threshold(0.1, 0.2, arl0)
    with pytest.raises(ValueError, match="too rare for a CUSUM: use a g chart"):
        bernoulli_threshold(0.0001, 0.0002, 1_000)
    with pytest.raises(ValueError, match="too near for this run length"):
        bernoulli_threshold(0.001, 0.00101, 1e7)
    assert bernoulli_threshold(1e-9, 0.9, 1e6).arl0 >= 1e6
    with pytest.raises(ValueError, match="must be a bernoulli one, not poisson"):
        bernoulli_cusum([], by_hand("poisson"))
    with pytest.raises(ValueError, match="must be a poisson one, not bernoulli"):
        poisson_cusum([], by_hand())
    with pytest.raises(ValueError, match="usual exposure must be above 0"):
        poisson_cusum([], by_hand("poisson"), usual=0.0)
