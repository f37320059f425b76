"""Run rules: what fires each of them, what just does not, and how often they cry wolf."""

from __future__ import annotations

import math
from collections.abc import Iterator
from statistics import NormalDist

import pytest

from reports.charts.rules import RULE_SETS, RULES, broken_rules

UP_AND_DOWN = [0.5, -0.5] * 7
ALL = "nelson"

FIRES = [
    ("beyond", ALL, [3.1]),
    ("beyond", ALL, [0.0, math.inf]),
    ("8-one-side", "western-electric", [0.2] * 8),
    ("9-one-side", ALL, [0.2] * 9),
    ("2-of-3", ALL, [2.1, 0.0, 2.1]),
    ("2-of-3", ALL, [2.1, 2.1]),
    ("4-of-5", ALL, [1.1, 1.1, -2.0, 1.1, 1.1]),
    ("6-trend", ALL, [-1.0, -0.9, -0.3, 0.1, 0.2, 0.9]),
    ("14-alternating", ALL, UP_AND_DOWN),
    ("15-hugging", ALL, [0.9, -0.9, 0.1] * 5),
    ("8-avoiding", ALL, [1.1, -1.1] * 4),
]

JUST_NOT = [
    ("beyond", ALL, [3.0]),
    ("8-one-side", "western-electric", [0.2] * 7),
    ("8-one-side", "western-electric", [0.2] * 4 + [0.0] + [0.2] * 4),
    ("9-one-side", ALL, [0.2] * 8),
    ("2-of-3", ALL, [2.1, -2.1]),
    ("2-of-3", ALL, [2.1, 0.0, 0.0, 2.1]),
    ("2-of-3", ALL, [2.1, 2.1, 1.9]),
    ("4-of-5", ALL, [1.1, 1.1, 0.9, 0.9, 1.1, 1.1]),
    ("6-trend", ALL, [-1.0, -0.9, -0.3, -0.3, 0.2, 0.9]),
    ("6-trend", ALL, [-1.0, -0.9, -0.3, 0.1, 0.2]),
    ("14-alternating", ALL, UP_AND_DOWN[1:]),
    ("15-hugging", ALL, [0.9, -0.9] * 7),
    ("15-hugging", ALL, [0.9, -0.9] * 7 + [1.0]),
    ("8-avoiding", ALL, [1.1, -1.1] * 3 + [1.0, 1.1]),
]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("name", "chosen", "values"), FIRES)
def test_a_rule_flags_the_point_that_completes_it(
    name: str, chosen: str, values: list[float], sign: int
) -> None:
    """The last point is flagged and no earlier one, on either side."""
    found = broken_rules([sign * value for value in values], chosen)
    assert [name in rules for rules in found] == [False] * (len(values) - 1) + [True]


@pytest.mark.parametrize("sign", [1, -1])
@pytest.mark.parametrize(("name", "chosen", "values"), JUST_NOT)
def test_a_near_miss_flags_nothing(name: str, chosen: str, values: list[float], sign: int) -> None:
    """One point fewer, a tie with the limit or a point in between, and the rule is silent."""
    found = broken_rules([sign * value for value in values], chosen)
    assert not any(name in rules for rules in found[-1:])


@pytest.mark.parametrize(
    ("name", "chosen", "values"),
    [case for case in FIRES if len(case[2]) > 1 and case[0] != "beyond"],
)
def test_a_point_without_a_value_breaks_the_run(
    name: str, chosen: str, values: list[float]
) -> None:
    """The same points with a gap before the last one flag nothing by this rule."""
    found = broken_rules([*values[:-1], None, values[-1]], chosen)
    assert name not in found[-1]
    assert found[-2] == ()


def test_a_run_goes_on_being_flagged() -> None:
    """Each further point on the side is flagged too."""
    assert [bool(rules) for rules in broken_rules([0.1] * 10)] == [False] * 7 + [True] * 3


def test_the_default_is_sparing() -> None:
    """Limits and eight on one side, nothing else."""
    assert [rule.name for rule in RULE_SETS["sparing"]] == ["beyond", "8-one-side"]
    assert broken_rules([2.9, 2.9, 2.9]) == [(), (), ()]
    assert (len(RULE_SETS["western-electric"]), len(RULE_SETS["nelson"])) == (4, 8)


def test_each_rule_has_a_plain_sentence() -> None:
    """A sentence that starts with a capital and ends with a full stop."""
    for sentence in RULES.values():
        assert sentence[0].isupper()
        assert sentence.endswith(".")


def test_an_unknown_set_is_refused() -> None:
    """The message lists what there is."""
    with pytest.raises(ValueError, match="sparing, sparing-nelson, western-electric"):
        broken_rules([], "all")


def chain(rows: int) -> float:
    """Average run length in control of "beyond the limits" with ``rows`` on one side, exactly."""
    normal = NormalDist()
    inside = 2 * normal.cdf(3) - 1
    half = inside / 2
    # From a run of r: to r + 1 with half the inside chance, to a run of 1 on the other side too.
    # length(r) = 1 + half length(r + 1) + half length(1), solved from the longest run down.
    weight, fixed = 0.0, 0.0
    for _ in range(rows - 1):
        weight, fixed = half * weight + half, 1 + half * fixed
    first = fixed / (1 - weight)
    return 1 + inside * first


def run_lengths(chosen: str, runs: int, seed: int) -> Iterator[int]:
    import numpy as np

    generator = np.random.default_rng(seed)
    for _ in range(runs):
        before, length = 0, None
        values: list[float | None] = []
        while length is None:
            values += generator.standard_normal(200).tolist()
            found = broken_rules(values[max(0, before - 14) :], chosen)
            fresh = found[min(before, 14) :]
            length = next((before + i + 1 for i, rules in enumerate(fresh) if rules), None)
            before = len(values)
        yield length


def within(chosen: str, expected: float, runs: int, seed: int) -> None:
    import numpy as np

    lengths = np.array(list(run_lengths(chosen, runs, seed)))
    error = lengths.std(ddof=1) / math.sqrt(runs)
    assert abs(lengths.mean() - expected) < 3.5 * error, (chosen, lengths.mean(), error)


# Champ and Woodall 1987, table 1: rule 1 alone 370.40, with 8 on one side 152.73, all four 91.75.
PUBLISHED = {"limits": 370.40, "sparing": 152.73, "western-electric": 91.75}


def test_the_chain_has_the_published_run_length() -> None:
    """Our own arithmetic agrees with the printed figure before anything is compared with it."""
    assert chain(8) == pytest.approx(PUBLISHED["sparing"], abs=0.01)


@pytest.mark.parametrize("chosen", PUBLISHED)
def test_false_alarms_come_as_often_as_published(chosen: str) -> None:
    """The average run length in control lies within the error of 400 simulated runs."""
    within(chosen, PUBLISHED[chosen], runs=400, seed=1987)


def test_nine_on_one_side_agrees_with_the_chain() -> None:
    """Nelson's nine in a row, against the chain."""
    within("sparing-nelson", chain(9), runs=400, seed=1984)


@pytest.mark.slow
@pytest.mark.parametrize("chosen", PUBLISHED)
def test_false_alarms_come_as_often_as_published_in_many_runs(chosen: str) -> None:
    """The same with 10,000 runs."""
    within(chosen, PUBLISHED[chosen], runs=10_000, seed=87)
