"""Curves over time against published values, statsmodels and their definitions."""

from __future__ import annotations

import math
from collections.abc import Callable
from fractions import Fraction

import numpy as np
import pytest
from numpy.typing import ArrayLike

from reports.intervals import Estimate
from reports.times import (
    Curve,
    Step,
    cumulative_incidence,
    kaplan_meier,
    median_time,
    time_to_resolution,
)
from reports.times_repeated import FollowUp, mean_cumulative

# Weeks of remission of 42 children with leukaemia (Freireich et al. 1963, Blood 21:699-716),
# + for still in remission.
SIX_MP = "6 6 6 6+ 7 9+ 10 10+ 11+ 13 16 17+ 19+ 20+ 22 23 25+ 32+ 32+ 34+ 35+"
PLACEBO = "1 1 2 2 3 4 4 5 5 8 8 8 8 11 11 12 12 15 17 22 23"

# Time, at risk, relapses, estimate and standard error as printed in textbooks for 6-MP.
SIX_MP_PRINTED = """
    6  21 3 0.857 0.0764
    7  17 1 0.807 0.0869
    10 15 1 0.753 0.0963
    13 12 1 0.690 0.1068
    16 11 1 0.627 0.1141
    22  7 1 0.538 0.1282
    23  6 1 0.448 0.1346
"""

# Ages in days of 41 diesel engines at the replacement of valve seats, and after the stroke the age
# last seen (Nelson 1995; data set VALVE in the SAS/QC guide, procedure RELIABILITY).
VALVE_SEATS = """
    /761  /759  98/667  326 653 653/667  /665  84/667  87/663  646/653  92/653  /651
    258 328 377 621/650  61 539/648  254 276 298 640/644  76 538/642  635/641  349 404 561/649
    /631  /596  120 479/614  323 449/582  139 139/589  /593  573/589  165 408 604/606  249/594
    344 497/613  265 586/595  166 206 348/389  /601  410 581/601  /611  /608  /587  367/603
    202 563 570/585  /587  /578  /578  /586  /585  /582
"""


def remissions(weeks: str) -> tuple[list[int], list[bool]]:
    found = weeks.split()
    return [int(week.rstrip("+")) for week in found], [not week.endswith("+") for week in found]


def engines() -> list[tuple[list[int], int]]:
    found = [part.strip().split("/") for part in VALVE_SEATS.replace("\n", "  ").split("  ")]
    return [
        ([int(age) for age in ages.split()], int(end))
        for ages, end in (f for f in found if f != [""])
    ]


def of_engines(histories: list[tuple[list[int], int]]) -> Curve:
    owners = [place for place, (ages, _) in enumerate(histories) for _ in ages]
    ages = [age for ages, _ in histories for age in ages]
    ends = [end for _, end in histories]
    return mean_cumulative(FollowUp(range(len(ends)), ends), owners, ages)


@pytest.mark.parametrize("row", SIX_MP_PRINTED.strip().splitlines())
def test_reproduces_the_printed_remissions(row: str) -> None:
    """Kaplan-Meier of the 6-MP arm, to the printed digit."""
    week, at_risk, events, value, error = row.split()
    step = next(s for s in kaplan_meier(*remissions(SIX_MP)).steps if s.time == int(week))
    assert (step.at_risk, step.events) == (int(at_risk), int(events))
    assert f"{step.value:.3f}" == value
    assert f"{step.error:.4f}" == error


def test_the_curve_carries_its_counts_and_method() -> None:
    curve = kaplan_meier(*remissions(SIX_MP))
    assert (curve.events, curve.subjects, curve.last) == (9, 21, 35.0)
    assert (curve.method, curve.start, len(curve.steps)) == ("kaplan-meier", 1.0, 7)


def test_medians_of_the_remissions() -> None:
    """23 weeks on 6-MP, with no upper limit; 8 weeks on placebo."""
    six_mp = median_time(kaplan_meier(*remissions(SIX_MP)))
    placebo = median_time(kaplan_meier(*remissions(PLACEBO)))
    assert six_mp == Estimate(23.0, 13.0, None, "kaplan-meier median")
    assert placebo == Estimate(8.0, 4.0, 11.0, "kaplan-meier median")


def made_up(seed: int, people: int = 60) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Times with ties, codes 0 to 2 and late entries; the last to leave has no event."""
    random = np.random.default_rng(seed)
    times = random.integers(1, 25, people)
    codes = random.choice([0, 1, 2], people, p=[0.3, 0.5, 0.2])
    times[0], codes[0] = 25, 0
    entries = np.minimum(random.integers(0, 8, people), times - 1)
    entries[:5] = 0
    return times, codes, entries


def limits_by_hand(value: float, error: float, level: float) -> tuple[float, float]:
    """Limits for a proportion without the event, straight from log(-log)."""
    from scipy.stats import norm

    middle = math.log(-math.log(value))
    width = norm.isf((1 - level) / 2) * error / (value * -math.log(value))
    return math.exp(-math.exp(middle + width)), math.exp(-math.exp(middle - width))


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("level", [0.8, 0.95])
@pytest.mark.parametrize("seed", range(4))
def test_kaplan_meier_agrees_with_statsmodels(seed: int, level: float, late: bool) -> None:
    """Estimate, error, at risk and limits, with and without delayed entry, to 1e-9."""
    from statsmodels.duration.survfunc import SurvfuncRight

    times, codes, entries = made_up(seed)
    entry = entries if late else None
    theirs = SurvfuncRight(times, codes == 1, entry=entry)
    ours = kaplan_meier(times, codes == 1, entry, level)
    assert [s.time for s in ours.steps] == theirs.surv_times.tolist()
    assert [s.at_risk for s in ours.steps] == theirs.n_risk.tolist()
    assert [s.events for s in ours.steps] == theirs.n_events.tolist()
    assert [s.value for s in ours.steps] == pytest.approx(theirs.surv_prob.tolist(), abs=1e-9)
    assert [s.error for s in ours.steps] == pytest.approx(theirs.surv_prob_se.tolist(), abs=1e-9)
    for step in ours.steps:
        assert step.error is not None
        assert (step.low, step.high) == pytest.approx(
            limits_by_hand(step.value, step.error, level), abs=1e-9
        )


@pytest.mark.parametrize("code", [1, 2])
@pytest.mark.parametrize("seed", range(4))
def test_incidence_agrees_with_statsmodels(seed: int, code: int) -> None:
    """Aalen-Johansen and its standard error, at every time with the event, to 1e-9."""
    from statsmodels.duration.survfunc import CumIncidenceRight

    times, codes, _ = made_up(seed)
    theirs = CumIncidenceRight(times, codes)
    ours = cumulative_incidence(times, codes, code=code)
    places = np.searchsorted(theirs.times, [step.time for step in ours.steps])
    assert [s.value for s in ours.steps] == pytest.approx(
        theirs.cinc[code - 1][places].tolist(), abs=1e-9
    )
    assert [s.error for s in ours.steps] == pytest.approx(
        theirs.cinc_se[code - 1][places].tolist(), abs=1e-9
    )
    assert sum(step.events for step in ours.steps) == np.count_nonzero(codes == code)


@pytest.mark.parametrize("late", [False, True])
@pytest.mark.parametrize("seed", range(4))
def test_incidence_without_competition_is_one_minus_kaplan_meier(seed: int, late: bool) -> None:
    """Value, error and limits agree when nothing else can happen."""
    times, codes, entries = made_up(seed)
    entry = entries if late else None
    alone = cumulative_incidence(times, codes == 1, entry)
    survival = kaplan_meier(times, codes == 1, entry)
    for ours, other in zip(alone.steps, survival.steps, strict=True):
        assert other.low is not None
        assert other.high is not None
        assert (ours.value, ours.low, ours.high, ours.error) == pytest.approx(
            (1 - other.value, 1 - other.high, 1 - other.low, other.error), abs=1e-9
        )


@pytest.mark.parametrize("late", [False, True])
def test_the_incidences_and_those_left_make_one(late: bool) -> None:
    """At any time: had it, had the other, had neither."""
    times, codes, entries = made_up(5)
    entry = entries if late else None
    for day in (0, 3, 10, 25):
        parts = [
            cumulative_incidence(times, codes, entry, code=1).at(day).value,
            cumulative_incidence(times, codes, entry, code=2).at(day).value,
            kaplan_meier(times, codes > 0, entry).at(day).value,
        ]
        assert sum(part for part in parts if part is not None) == pytest.approx(1, abs=1e-12)


def test_without_anybody_leaving_the_incidence_is_the_proportion() -> None:
    """3 of 8 by the second day, with the standard error of a proportion."""
    times = [1, 1, 2, 2, 3, 9, 9, 9]
    codes = [1, 2, 1, 1, 2, 0, 0, 0]
    step = cumulative_incidence(times, codes).steps[-1]
    assert (step.time, step.at_risk, step.events) == (2.0, 6, 2)
    assert step.value == pytest.approx(3 / 8, abs=1e-15)
    assert step.error == pytest.approx(math.sqrt(3 / 8 * 5 / 8 / 8), abs=1e-15)


@pytest.mark.parametrize("seed", range(6))
def test_order_and_units_of_time_do_not_matter(seed: int) -> None:
    """Shuffled people, and weeks for days, give the same steps at the same moments."""
    times, codes, entries = made_up(seed)
    order = np.random.default_rng(seed).permutation(times.size)
    plain = cumulative_incidence(times, codes, entries)
    other = cumulative_incidence(7 * times[order], codes[order], 7 * entries[order])
    assert [(s.time * 7, s.value, s.low, s.high) for s in plain.steps] == [
        (s.time, s.value, s.low, s.high) for s in other.steps
    ]


@pytest.mark.parametrize("seed", range(6))
def test_every_step_lies_within_its_limits_and_steps_go_one_way(seed: int) -> None:
    """Those without the event only fall, those with it only rise, inside limits inside 0 to 1."""
    times, codes, entries = made_up(seed, people=15)
    falling = kaplan_meier(times, codes == 1, entries)
    rising = cumulative_incidence(times, codes, entries)
    for step in (*falling.steps, *rising.steps):
        if step.low is not None and step.high is not None:
            assert 0 <= step.low <= step.value <= step.high <= 1
    values = [step.value for step in falling.steps]
    assert values == sorted(values, reverse=True)
    values = [step.value for step in rising.steps]
    assert values == sorted(values)


def test_those_who_enter_late_are_not_at_risk_before() -> None:
    """Two of four are watched from the start; of the two, one has the event on day 2."""
    curve = kaplan_meier([2, 8, 6, 7], [1, 0, 1, 0], [0, 0, 2, 3])
    assert [(s.time, s.at_risk) for s in curve.steps] == [(2.0, 2), (6.0, 3)]
    assert curve.steps[1].value == pytest.approx(1 / 2 * 2 / 3)


def test_an_early_handful_can_use_up_the_estimate() -> None:
    """If the only one watched early has the event nobody counts as left, and at_risk shows it."""
    curve = kaplan_meier([2, 8, 9], [1, 1, 0], [0, 3, 3])
    assert [(s.value, s.at_risk) for s in curve.steps] == [(0.0, 1), (0.0, 2)]
    incidence = cumulative_incidence([2, 8, 9], [2, 1, 0], [0, 3, 3])
    assert [(s.value, s.low, s.error) for s in incidence.steps] == [(0.0, None, None)]


def test_nobody_is_no_information() -> None:
    """Without people there is no value, no step and no median."""
    for curve in (kaplan_meier([], []), cumulative_incidence([], [])):
        assert (curve.steps, curve.subjects, curve.events, curve.last) == ((), 0, 0, None)
        assert curve.at(0).value is None
    assert mean_cumulative(FollowUp([], []), [], []).at(1).value is None
    assert median_time(kaplan_meier([], [])).value is None


def test_no_event_leaves_the_curve_at_its_start() -> None:
    """All left without the event: no steps and no limits until the last of them left."""
    curve = kaplan_meier([3, 5, 5], [0, 0, 0])
    assert curve.steps == ()
    assert curve.at(5) == Estimate(1.0, None, None, "kaplan-meier")
    assert curve.at(5.1).value is None
    assert median_time(curve) == Estimate(None, None, None, "kaplan-meier median")
    assert cumulative_incidence([3, 5], [0, 2]).at(4) == Estimate(0.0, None, None, "aalen-johansen")


def test_everyone_with_the_event_at_time_zero() -> None:
    """The estimate is used up at once and has no limits."""
    assert kaplan_meier([0] * 4, [1] * 4).steps == (Step(0.0, 0.0, None, None, None, 4, 4),)
    assert cumulative_incidence([0] * 4, [1] * 4, [0] * 4).steps == (
        Step(0.0, 1.0, None, None, None, 4, 4),
    )
    median = median_time(kaplan_meier([0] * 4, [1] * 4))
    assert (median.value, median.low, median.high) == (0.0, 0.0, None)


def test_the_median_is_reached_when_just_half_are_left() -> None:
    """Half is enough, also where the steps multiply to a half that rounding has touched."""
    assert median_time(kaplan_meier([1, 2], [1, 1])).value == 1.0
    days = list(range(1, 21))
    assert median_time(kaplan_meier(days, [1] * 20)).value == 10.0


def test_one_person() -> None:
    """With the event: used up. Without: nothing known after they left."""
    assert kaplan_meier([4], [True]).at(4).value == 0.0
    assert kaplan_meier([4], [True]).at(3).value == 1.0
    assert kaplan_meier([4], [False]).at(4).value == 1.0


def test_a_tie_of_event_and_leaving_counts_the_leaver_as_at_risk() -> None:
    """Who leaves on the day of an event was there when it happened."""
    (step,) = kaplan_meier([5, 5, 9], [1, 0, 0]).steps
    assert step.at_risk == 3
    assert step.value == pytest.approx(2 / 3)


def test_how_long_events_last() -> None:
    """Minutes to resolution; two were not over when last seen."""
    found = time_to_resolution([20, 30, 30, 40, 55, 60, 90], [1, 1, 1, 1, 0, 1, 0])
    assert (found.resolved, found.total) == (5, 7)
    assert found.median.value == 40.0
    assert found.median.low == 20.0
    assert found.median.method == "kaplan-meier median"


def test_a_median_is_of_those_without_the_event() -> None:
    with pytest.raises(ValueError, match="needs a kaplan-meier curve, not aalen-johansen"):
        median_time(cumulative_incidence([1, 2], [1, 0]))


def test_the_valve_seats_are_all_there() -> None:
    histories = engines()
    assert len(histories) == 41
    assert sum(len(ages) for ages, _ in histories) == 48


def test_mean_cumulative_valve_seats() -> None:
    """Replacements over engines still watched, summed as fractions."""
    histories = engines()
    curve = of_engines(histories)
    total = Fraction(0)
    for step in curve.steps:
        total += Fraction(
            sum(ages.count(int(step.time)) for ages, _ in histories),
            sum(end >= step.time for _, end in histories),
        )
        assert step.value == pytest.approx(float(total), abs=1e-12)
    assert [f"{step.value:.3f}" for step in curve.steps[:3]] == ["0.024", "0.049", "0.073"]
    assert (curve.events, curve.subjects, curve.method) == (48, 41, "mean-cumulative")


def robust_variance(histories: list[tuple[list[int], int]], time: float) -> float:
    """The sum over engines of squared sums over times (Lawless and Nadeau 1995), term by term."""
    every = sorted({age for ages, _ in histories for age in ages if age <= time})
    total = 0.0
    for ages, end in histories:
        part = 0.0
        for age in every:
            watched = sum(other >= age for _, other in histories)
            happened = sum(other.count(age) for other, _ in histories)
            if end >= age:
                part += (ages.count(age) - happened / watched) / watched
        total += part**2
    return total


def test_mean_cumulative_has_the_robust_variance() -> None:
    """Error and limits on the log scale follow from the definition."""
    histories = engines()
    for step in of_engines(histories).steps[::6]:
        error = math.sqrt(robust_variance(histories, step.time))
        bend = math.exp(1.959963984540054 * error / step.value)
        assert (step.error, step.low, step.high) == pytest.approx(
            (error, step.value / bend, step.value * bend), abs=1e-9
        )


def test_one_event_at_most_and_nobody_leaving_is_a_proportion() -> None:
    """Then the mean is x / n and its error that of a proportion."""
    curve = mean_cumulative(FollowUp(range(10), [9] * 10), [2, 5, 7], [1, 4, 4])
    assert [step.value for step in curve.steps] == pytest.approx([0.1, 0.3])
    assert curve.steps[-1].error == pytest.approx(math.sqrt(0.3 * 0.7 / 10))


def test_events_that_cluster_in_people_widen_the_limits() -> None:
    """Six events of one person are less certain than one event each of six."""
    people = FollowUp(range(6), [9] * 6)
    one = mean_cumulative(people, [0] * 6, range(1, 7)).steps[-1]
    each = mean_cumulative(people, range(6), range(1, 7)).steps[-1]
    assert one.value == pytest.approx(each.value) == pytest.approx(1)
    assert one.error == pytest.approx(math.sqrt(5 / 6))
    assert each.error == pytest.approx(0, abs=1e-12)


def test_mean_cumulative_with_late_entry_and_one_person() -> None:
    """Who came later is not at risk before; one person alone shows no spread."""
    late = mean_cumulative(FollowUp(["a", "b"], [9, 9], [0, 3]), ["a", "a"], [2, 5])
    assert [(step.value, step.at_risk) for step in late.steps] == [(1.0, 1), (1.5, 2)]
    on_entry = mean_cumulative(FollowUp(["a", "b"], [9, 9], [0, 3]), ["a"], [3])
    assert [step.at_risk for step in on_entry.steps] == [1]
    alone = mean_cumulative(FollowUp(["a"], [9]), ["a", "a"], [2, 2]).steps
    assert alone == (Step(2.0, 2.0, None, None, None, 1, 2),)


CURVES: list[tuple[Callable[[], Curve], str]] = [
    (lambda: kaplan_meier([1, 2], [1]), "1 codes for 2 times"),
    (lambda: kaplan_meier([1, -2], [1, 0]), "times must be"),
    (lambda: kaplan_meier([1, math.nan], [1, 0]), "times must be"),
    (lambda: kaplan_meier([1, math.inf], [1, 0]), "times must be"),
    (lambda: kaplan_meier([[1, 2]], [1, 0]), "times must be a row"),
    (lambda: kaplan_meier([1, 2], [1, 2]), "true or false"),
    (lambda: kaplan_meier([1, 2], [1.0, 0.5]), "whole numbers"),
    (lambda: kaplan_meier([1, 2], [1, -1]), "0 or more"),
    (lambda: kaplan_meier([1, 2], [1, 0], [0]), "1 entries for 2 times"),
    (lambda: kaplan_meier([1, 2], [1, 0], [0, 2]), "before being watched"),
    (lambda: kaplan_meier([1, 2], [1, 0], level=1.0), "level"),
    (lambda: cumulative_incidence([1, 2], [1, 0], code=0), "code must be 1 or more"),
    (lambda: mean_cumulative(FollowUp([1, 1], [5, 5]), [], []), "different ids"),
    (lambda: mean_cumulative(FollowUp([1], [5, 6]), [], []), "one an end"),
    (lambda: mean_cumulative(FollowUp([1], [5]), [2, 3], [1, 1]), "2 events of somebody"),
    (lambda: mean_cumulative(FollowUp([1], [5]), [1], [6]), "1 events outside"),
    (lambda: mean_cumulative(FollowUp([1], [5], [2]), [1], [2]), "1 events outside"),
    (lambda: mean_cumulative(FollowUp([1], [5]), [1, 1], [2]), "2 subjects for 1 event times"),
    (lambda: mean_cumulative(FollowUp([1], [5]), [1], [2], 0.0), "level"),
]


@pytest.mark.parametrize(("make", "message"), CURVES)
def test_what_cannot_be_is_refused(make: Callable[[], Curve], message: str) -> None:
    with pytest.raises(ValueError, match=message):
        make()


def rows_of(kind: Callable[[list[int]], ArrayLike], values: list[int]) -> ArrayLike:
    return kind(values)


@pytest.mark.parametrize("kind", [list, tuple, np.array])
def test_rows_may_be_lists_tuples_or_arrays(kind: Callable[[list[int]], ArrayLike]) -> None:
    assert kaplan_meier(rows_of(kind, [1, 2, 3]), rows_of(kind, [1, 0, 1])) == kaplan_meier(
        [1, 2, 3], [1, 0, 1]
    )
