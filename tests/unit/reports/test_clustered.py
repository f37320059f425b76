"""The variance over patients against other implementations, the stated rules, and coverage."""

from __future__ import annotations

from collections.abc import Iterator
from itertools import product

import numpy as np
import pytest
from numpy.typing import NDArray

from reports.clustered import (
    PatientSums,
    design_effect,
    sandwich_variance,
    wilson_clustered,
)
from reports.intervals import Estimate, clopper_pearson, wilson

Counts = NDArray[np.int64]

PATIENTS = {
    "few": ([3, 8, 1], [1, 0, 1]),
    "alike": ([6, 6, 6, 6], [6, 0, 0, 6]),
    "skewed": ([40, 1, 2, 1, 7, 3], [12, 0, 1, 1, 0, 0]),
    "evenly spread": ([4, 4, 4, 4], [1, 1, 1, 1]),
    "one session each": ([1] * 9, [1, 0, 0, 1, 0, 0, 0, 1, 0]),
}
LEVELS = [0.5, 0.95, 0.999]
every_clinic = pytest.mark.parametrize(("m", "x"), PATIENTS.values(), ids=PATIENTS)


@every_clinic
def test_the_variance_is_the_one_of_the_definition(m: list[int], x: list[int]) -> None:
    """The sums give what the squared distances of all patients give."""
    sessions, affected = np.array(m, dtype=float), np.array(x, dtype=float)
    k, n, p = len(m), sessions.sum(), affected.sum() / sessions.sum()
    direct = k / (k - 1) * ((affected - p * sessions) ** 2).sum() / n**2
    sums = PatientSums.of(m, x)
    assert sandwich_variance(sums) == pytest.approx(direct, rel=1e-9, abs=1e-15)
    assert design_effect(sums) == pytest.approx(direct / (p * (1 - p) / n), rel=1e-9, abs=1e-12)


@every_clinic
def test_the_variance_agrees_with_a_gee(m: list[int], x: list[int]) -> None:
    """statsmodels: independence, robust; its scale is the logit, and it has no k / (k - 1)."""
    from statsmodels.genmod.families import Binomial
    from statsmodels.genmod.generalized_estimating_equations import GEE

    patient = np.repeat(np.arange(len(m)), m)
    event = np.concatenate([np.arange(of) < some for of, some in zip(m, x, strict=True)])
    ones = np.ones((len(event), 1))
    model = GEE(event.astype(float), ones, groups=patient, family=Binomial())
    fit = model.fit(ctol=1e-13, cov_type="robust")
    k, p = len(m), event.mean()
    theirs = fit.cov_params()[0, 0] * (p * (1 - p)) ** 2 * k / (k - 1)
    assert sandwich_variance(PatientSums.of(m, x)) == pytest.approx(theirs, rel=1e-9, abs=1e-15)


def test_huge_sums_lose_no_digits() -> None:
    """A million patients, each with one affected session of 40: no variance at all, exactly."""
    k = 10**6
    even = PatientSums(k, 40 * k, k, 1_600 * k, 40 * k, k)
    assert sandwich_variance(even) == 0.0
    # One patient has another session with it: sum of squared distances is 1 - 1 / k.
    odd = PatientSums(k, 40 * k, k + 1, 1_600 * k, 40 * k + 40, k + 3)
    expected = k / (k - 1) * (1 - 1 / k) / (40 * k) ** 2
    assert sandwich_variance(odd) == pytest.approx(expected, rel=1e-12, abs=0)


def test_one_session_each_is_the_ordinary_case() -> None:
    """The design effect is k / (k - 1), and with many patients the limits are Wilson's."""
    sums = PatientSums.of([1] * 5_000, [1] * 700 + [0] * 4_300)
    ours, plain = wilson_clustered(sums), wilson(700, 5_000)
    assert ours.design_effect == pytest.approx(5_000 / 4_999, rel=1e-12)
    assert ours.value == plain.value
    assert (ours.low, ours.high) == pytest.approx((plain.low, plain.high), abs=1e-5)


@pytest.mark.parametrize("level", LEVELS)
def test_the_limits_are_the_ones_of_the_decision(level: float) -> None:
    """Worked by hand for 1 of 3, 0 of 8 and 1 of 1 sessions, and solved as Wilson wrote it."""
    from scipy.stats import t

    measured = 3 / 2 * ((1 - 0.5) ** 2 + (8 / 6) ** 2 + (1 - 1 / 6) ** 2) / (12 * 1 / 6 * 5 / 6)
    seen = 10**2 / (2**2 + 8**2 + 0**2)  # fewer than the (1 + 1)^2 / 2 patients with the event
    allowed = (seen * measured + (9 + 64 + 1) / 12) / (seen + 1)
    ours = wilson_clustered(PatientSums.of([3, 8, 1], [1, 0, 1]), level)
    assert ours.design_effect == pytest.approx(measured, rel=1e-12)
    assert ours.independent == pytest.approx(12 / allowed, rel=1e-12)
    weight = t.isf((1 - level) / 2, 12**2 / 74 - 1) ** 2 * allowed / 12
    # (share - 1/6)^2 = weight share (1 - share), both ways.
    roots = np.roots([1 + weight, -(1 / 3 + weight), 1 / 36])
    assert (ours.high, ours.low) == pytest.approx(tuple(roots), rel=1e-9)


@pytest.mark.parametrize("level", LEVELS)
def test_none_and_all_count_patients(level: float) -> None:
    """The exact limits of 0 of 6 patients, whatever their sessions; mirrored for all."""
    m = [40, 1, 2, 1, 7, 3]
    none = wilson_clustered(PatientSums.of(m, [0] * 6), level)
    everything = wilson_clustered(PatientSums.of(m, m), level)
    exact = clopper_pearson(0, 6, level)
    assert (none.value, none.low, none.high) == pytest.approx((0, 0, exact.high), rel=1e-12)
    assert (everything.value, everything.high) == (1.0, 1.0)
    assert everything.low == pytest.approx(clopper_pearson(6, 6, level).low, rel=1e-9)
    assert none.method == everything.method == "clopper-pearson by patients"
    assert none.design_effect is everything.design_effect is None
    assert (none.affected, none.sessions, none.patients) == (0, 54, 6)


def test_one_patient_says_nothing_about_others() -> None:
    """Some of the sessions of one patient: any share is possible elsewhere."""
    one = wilson_clustered(PatientSums.of([20], [3]))
    assert (one.value, one.low, one.high, one.method) == (0.15, 0.0, 1.0, "one patient")
    assert one.design_effect is None
    none = wilson_clustered(PatientSums.of([20], [0]))
    assert none.high == pytest.approx(0.975, rel=1e-12)


@pytest.mark.parametrize("patients", [([], []), ([0, 0], [0, 0])])
def test_nothing_exposed_is_no_information(patients: tuple[list[int], list[int]]) -> None:
    """No session, no value, every share possible; patients without a session do not count."""
    nothing = wilson_clustered(PatientSums.of(*patients))
    assert (nothing.value, nothing.low, nothing.high) == (None, 0.0, 1.0)
    assert (nothing.affected, nothing.sessions, nothing.patients) == (0, 0, 0)
    assert nothing.design_effect is nothing.independent is None


def test_evenly_spread_events_do_not_narrow_the_interval() -> None:
    """A measured design effect below 1 is shown, and taken as 1."""
    even = wilson_clustered(PatientSums.of([4] * 50, [1] * 50))
    assert even.design_effect == 0.0
    assert even.independent is not None
    assert even.independent <= 200
    naive = wilson(50, 200)
    assert (even.low or 1) < (naive.low or 0)
    assert (even.high or 0) > (naive.high or 1)


def test_a_measured_effect_past_the_greatest_one_is_taken_as_it_is() -> None:
    """Two patients, always and never: k / (k - 1) times their five sessions."""
    opposite = wilson_clustered(PatientSums.of([5, 5], [5, 0]))
    assert (opposite.design_effect, opposite.independent) == (10.0, 1.0)


def test_it_is_an_estimate() -> None:
    """Whatever shows an estimate can show this one."""
    ours = wilson_clustered(PatientSums.of([3, 8, 1], [1, 0, 1]))
    assert isinstance(ours, Estimate)
    assert ours.method == "wilson-clustered"
    assert (ours.affected, ours.sessions, ours.patients) == (2, 12, 3)


def test_it_says_whether_somebody_had_it_again() -> None:
    """The same two sessions with the event, of two patients and of one."""
    assert not wilson_clustered(PatientSums.of([3, 8, 1], [1, 0, 1])).recurring
    assert wilson_clustered(PatientSums.of([3, 8, 1], [2, 0, 0])).recurring


def test_a_patient_with_nearly_all_sessions_is_nearly_one_patient() -> None:
    """Nothing overflows on the way to knowing nothing."""
    nearly = wilson_clustered(PatientSums.of([10**9, 1], [10**8, 0]))
    assert nearly.low == pytest.approx(0.0, abs=1e-6)
    assert nearly.high == pytest.approx(1.0, abs=1e-6)


@pytest.mark.parametrize("level", [1e-300, 1e-9, 1 - 1e-9, 1 - 1e-16])
@pytest.mark.parametrize("other", [1, 15, 100, 3_000])
def test_levels_at_their_ends_give_limits_all_the_same(level: float, other: int) -> None:
    """From the estimate alone to everything, however few degrees of freedom there are."""
    ours = wilson_clustered(PatientSums.of([3_000, other], [5, 1]), level)
    assert ours.low is not None
    assert ours.value is not None
    assert ours.high is not None
    assert 0 <= ours.low <= ours.value <= ours.high <= 1
    nearly_one_patient = other < 100
    assert (ours.high - ours.low > 0.5) == (level > 0.5 or nearly_one_patient)


@pytest.mark.parametrize(
    ("sums", "message"),
    [
        ((3, 2, 0, 2, 0, 0), "patients 3 is more than sessions 2"),
        ((2, 5, 6, 13, 15, 18), "affected 6 is more than sessions 5"),
        ((-1, 2, 0, 2, 0, 0), "patients must be"),
        ((2, 5.0, 0, 13, 0, 0), "sessions must be"),
        ((0, 1, 0, 1, 0, 0), "no patients have"),  # a session of nobody
        ((2, 5, 2, 12, 5, 2), "no patients have"),  # 5 sessions of 2 patients: 13 or 17
        ((2, 5, 2, 26, 5, 2), "no patients have"),  # more than one patient alone would give
        ((2, 5, 2, 13, 1, 2), "no patients have"),  # sessions x affected below affected squared
        ((2, 5, 3, 13, 7, 4), "no patients have"),  # 3 affected of 2 patients: 5 or 9
        ((2, 5, 2, 13, 5, 6), "no patients have"),
        ((2, 10, 5, 50, 26, 13), "no patients have"),  # 5 sessions each, so 25
        ((2, 5, 2, 13, 4, 1), "no patients have"),  # as if less than one patient had both
        ((10, 20, 4, 50, 6, 3), "no patients have"),  # 4 affected, their squares 3
        ((10, 20, 15, 40, 30, 23), "no patients have"),  # 5 spared, their squares 3
        ((2, 10, 5, 68, 10, 25), "no patients have"),  # all 5 affected of the patient who had 2
    ],
)
def test_sums_that_no_patients_have_are_refused(sums: tuple[int, ...], message: str) -> None:
    """Sums of different selections, mixed up, do not make an interval."""
    with pytest.raises(ValueError, match=message):
        PatientSums(*sums)


@pytest.mark.parametrize(
    ("m", "x", "message"),
    [([3], [4], "4 affected of 3"), ([3], [-1], "must be"), ([3.0], [1], "must be"),
     ([3, 1], [1], "argument 2 is shorter"), ([0], [1], "1 affected of 0")],
)  # fmt: skip
def test_patients_that_cannot_be_are_refused(m: list[int], x: list[int], message: str) -> None:
    """More affected than sessions, negative or broken counts, and lists of different length."""
    with pytest.raises(ValueError, match=message):
        PatientSums.of(m, x)


@pytest.mark.parametrize("level", [0.0, 1.0, float("nan")])
def test_impossible_levels_are_refused(level: float) -> None:
    with pytest.raises(ValueError, match="level must"):
        wilson_clustered(PatientSums.of([3, 2], [1, 0]), level)


# Coverage. Beta-binomial patients: each has a share of his own, Beta with mean p and intraclass
# correlation icc. Session numbers are lognormal with median 6, cut to 1 to 40: a few patients on
# maintenance have most of the sessions.


def clinics(patients: int, p: float, icc: float, times: int) -> Iterator[PatientSums]:
    """``times`` made-up clinics, the same in every run."""
    random = np.random.default_rng([patients, round(1000 * p), round(1000 * icc)])
    shape = (times, patients)
    m: Counts = np.clip(np.rint(random.lognormal(np.log(6), 0.9, shape)), 1, 40).astype(np.int64)
    both = 1 / icc - 1
    x: Counts = random.binomial(m, random.beta(p * both, (1 - p) * both, shape))
    columns = (m, x, m * m, m * x, x * x)
    for row in zip(*(column.sum(axis=1) for column in columns), strict=True):
        yield PatientSums(patients, *row)


def coverage(patients: int, p: float, icc: float, times: int) -> tuple[float, float]:
    """Per cent of clinics whose interval contains p: naive Wilson, and clustered."""
    hits = np.zeros(2)
    for sums in clinics(patients, p, icc, times):
        intervals = wilson(sums.affected, sums.sessions), wilson_clustered(sums)
        hits += [(each.low or 0) <= p <= (each.high or 0) for each in intervals]
    naive, clustered = 100 * hits / times
    return float(naive), float(clustered)


@pytest.mark.parametrize("cell", [(8, 0.2, 0.3), (40, 0.2, 0.3), (200, 0.01, 0.6)])
def test_covers_where_the_naive_interval_does_not(cell: tuple[int, float, float]) -> None:
    """95 % means 95 %: few patients, many, and a rare effect that a few have every time."""
    naive, clustered = coverage(*cell, times=500)
    assert naive < 80
    assert clustered > 92.5  # 93.5, less what 500 clinics can differ by


@pytest.mark.slow
def test_coverage_over_the_whole_range(capsys: pytest.CaptureFixture[str]) -> None:
    """The table of ADR 0014: run with ``--run-slow`` to see it."""
    grid = list(product((5, 10, 20, 50, 200), (0.01, 0.05, 0.2, 0.5), (0.05, 0.2, 0.6)))
    table = {cell: coverage(*cell, times=2_000) for cell in grid}
    with capsys.disabled():
        print("\npatients     p   icc   naive  clustered")  # noqa: T201
        for (k, p, icc), (naive, clustered) in table.items():
            print(f"{k:8} {p:5} {icc:5} {naive:7.1f} {clustered:10.1f}")  # noqa: T201
    assert min(naive for naive, _ in table.values()) < 60
    assert min(clustered for _, clustered in table.values()) > 92.5
