"""The EWMA of shares and rates: a printed example, its exact variance, its run length."""

from __future__ import annotations

import math
from collections.abc import Sequence

import pytest

from reports.charts import Chart, Period, Settings, Smoothing, ewma_p, ewma_u, p_chart


def periods(counts: Sequence[int], exposed: Sequence[float]) -> list[Period]:
    pairs = zip(counts, exposed, strict=True)
    return [Period(f"{at}", count, size) for at, (count, size) in enumerate(pairs, start=1)]


def labels(chart: Chart) -> list[str]:
    return [point.label for point in chart.flagged]


UNEVEN = periods(
    [3, 5, 0, 2, 7, 4, 1, 6, 3, 2, 4, 12, 5, 3, 2, 6, 1, 4, 5, 3, 14, 2],
    [80, 95, 20, 61, 110, 70, 45, 100, 77, 52, 66, 98, 105, 64, 40, 120, 33, 71, 90, 58, 97, 60],
)


# NIST/SEMATECH handbook 6.3.2.4: EWMA with weight 0.3 and 3 sigma, started at 50, s = 2.0539;
# printed averages and limits of the settled chart.
READ = """52.0 47.0 53.0 49.3 50.1 47.0 51.0 50.1 51.2 50.5 49.6 47.6 49.9 51.3 47.8 51.2 52.6 52.4
53.6 52.1"""
AVERAGED = """50.60 49.52 50.56 50.18 50.16 49.21 49.75 49.85 50.26 50.33 50.11 49.36 49.52 50.05
49.38 49.92 50.73 51.23 51.94 51.99"""


def test_reproduces_the_ewma_of_the_handbook() -> None:
    """Averages to the printed digits, and the limits to which the exact variance settles."""
    smoothing, level, variance, found = Smoothing(0.3, 3.0), 50.0, 0.0, []
    for value in READ.split():
        level = smoothing.follow(level, float(value))
        variance = smoothing.spread(variance, 2.0539**2)
        found.append(level)
    assert found == pytest.approx([float(value) for value in AVERAGED.split()], abs=0.00501)
    assert 50 + 3 * math.sqrt(variance) == pytest.approx(52.5884, abs=0.0001)


@pytest.mark.parametrize("letter", ["p", "u"])
def test_the_variance_of_the_ewma_is_exact_for_uneven_periods(letter: str) -> None:
    """Limits equal those of the sum of all weights squared, written out."""
    import numpy as np

    chart = (ewma_p if letter == "p" else ewma_u)(UNEVEN, Smoothing(0.2, 2.86))
    x, n = (np.array([getattr(p, name) for p in UNEVEN]) for name in ("count", "exposed"))
    centre = x[:20].sum() / n[:20].sum()
    one = centre * (1 - centre if letter == "p" else 1) / n
    for at, point in enumerate(chart.points):
        weights = 0.2 * 0.8 ** np.arange(at, -1, -1)
        level = (weights * (x / n)[: at + 1]).sum() + 0.8 ** (at + 1) * centre
        spread = math.sqrt((weights**2 * one[: at + 1]).sum())
        assert point.value == pytest.approx(level, rel=1e-12)
        assert point.upper == pytest.approx(centre + 2.86 * spread, rel=1e-12)
        assert point.flag == (abs(level - centre) > 2.86 * spread)


def test_the_ewma_finds_a_small_lasting_shift_that_the_p_chart_misses() -> None:
    """From 10 % to 16 % of 100: never beyond 3 sigma, soon beyond the limits of the EWMA."""
    series = periods([10] * 10 + [9, 11] * 5 + [16] * 8, [100] * 28)
    assert labels(p_chart(series, settings=Settings(rules="limits"))) == []
    assert labels(ewma_p(series))[0] == "23"
    assert ewma_p(series).method == "ewma p, weight 0.2, 2.86 sigma"


def ewma_run_length(weight: float, reach: float, states: int = 301) -> float:
    """Average run length in control of the settled limits, by a chain of ``states`` slices."""
    import numpy as np
    from scipy.special import ndtr

    edge = reach * math.sqrt(weight / (2 - weight))
    cuts = np.linspace(-edge, edge, states + 1)
    middles = (cuts[1:] + cuts[:-1]) / 2
    reached = ndtr((cuts[None, :] - (1 - weight) * middles[:, None]) / weight)
    lengths = np.linalg.solve(np.eye(states) - np.diff(reached, axis=1), np.ones(states))
    return float(lengths[states // 2])


def test_the_default_ewma_has_the_run_length_of_three_sigma() -> None:
    """Weight 0.2 with 2.86 sigma gives about 370, as weight 1 with 3 sigma does."""
    usual = Smoothing()
    assert ewma_run_length(usual.weight, usual.reach) == pytest.approx(370.4, rel=0.01)
