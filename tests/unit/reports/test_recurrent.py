"""The rate of all events: against a direct computation, and at its edges."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from scipy import stats

from reports.intervals import exact_poisson
from reports.recurrent import METHOD, rate_of_all

PATIENTS = [(0, 2.0), (3, 4.0), (1, 1.5), (0, 6.0), (7, 3.0)]


def test_the_limits_are_those_of_a_direct_computation() -> None:
    events, times = np.array(PATIENTS).T
    rate = events.sum() / times.sum()
    variance = 5 / 4 * ((events - rate * times) ** 2).sum() / times.sum() ** 2
    reach = stats.t.ppf(0.975, 4) * math.sqrt(variance) / rate
    found = rate_of_all(PATIENTS, per=100)
    assert found.method == METHOD
    assert found.value == pytest.approx(100 * rate, rel=1e-12)
    assert found.low == pytest.approx(100 * rate * math.exp(-reach), rel=1e-9)
    assert found.high == pytest.approx(100 * rate * math.exp(reach), rel=1e-9)


def test_patients_who_are_all_alike_leave_the_variance_of_a_poisson_count() -> None:
    found = rate_of_all([(2, 1.0)] * 50)
    reach = stats.t.ppf(0.975, 49) / math.sqrt(100)
    assert found.value == 2
    assert found.low == pytest.approx(2 * math.exp(-reach), rel=1e-9)


def test_without_an_event_or_with_one_patient_the_limits_are_exact_poisson() -> None:
    assert rate_of_all([(0, 2.0), (0, 3.0)]) == exact_poisson(0, 5.0)
    assert rate_of_all([(4, 2.0)]) == exact_poisson(4, 2.0)
    assert rate_of_all([]) == exact_poisson(0, 0.0)


@given(st.lists(st.tuples(st.integers(0, 30), st.floats(0.1, 50)), min_size=2, max_size=30))
def test_the_estimate_lies_in_its_interval_and_time_scales(given: list[tuple[int, float]]) -> None:
    found = rate_of_all(given)
    halved = rate_of_all([(events, time * 2) for events, time in given])
    assert found.low is not None
    assert found.low <= (found.value or 0) <= (found.high or math.inf)
    assert halved.value == pytest.approx((found.value or 0) / 2)
    assert halved.low == pytest.approx(found.low / 2)


def test_a_cluster_of_events_in_one_patient_widens_the_interval() -> None:
    spread = rate_of_all([(1, 1.0)] * 20)
    heaped = rate_of_all([(20, 1.0), *[(0, 1.0)] * 19])
    assert spread.value == heaped.value
    assert (heaped.high or 0) > (spread.high or 0)
