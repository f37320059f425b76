"""The rate of all events, each time anew, with limits that allow for patients who have it often."""

from __future__ import annotations

import math
from collections.abc import Sequence
from typing import Final

from reports.intervals import LEVEL, Estimate, check_level, exact_poisson

METHOD: Final = "log-rate by patients"


def rate_of_all(
    patients: Sequence[tuple[int, float]], level: float = LEVEL, *, per: float = 1.0
) -> Estimate:
    """Events per ``per`` units of time; ``patients`` are (events, time followed), one each.

    Events of one patient come in clusters, so Poisson limits are too narrow. The variance is taken
    over patients, as for a share of sessions (see :mod:`reports.clustered`): with k patients, rate
    r and total time T, v = k / (k - 1) * sum (e_i - r t_i)^2 / T^2, at least that of a Poisson
    count, r / T. The limits are r * exp(-/+ t * sqrt(v) / r) with Student's t on k - 1 degrees.
    Without an event, and with one patient, they are the exact Poisson limits, which know nothing of
    patients: the method says so. Raises ValueError for counts or times that cannot be.
    """
    check_level(level)
    events, total = sum(e for e, _ in patients), math.fsum(t for _, t in patients)
    followed = [(e, t) for e, t in patients if t > 0]
    poisson = exact_poisson(events, total, level, per=per)
    if events == 0 or len(followed) < 2 or poisson.value is None:
        return poisson
    from scipy.special import stdtrit

    k, rate = len(followed), events / total
    spread = math.fsum((e - rate * t) ** 2 for e, t in followed)
    variance = max(k / (k - 1) * spread / total**2, rate / total)
    reach = float(stdtrit(k - 1, (1 + level) / 2)) * math.sqrt(variance) / rate
    value = poisson.value
    return Estimate(value, value * math.exp(-reach), value * math.exp(min(reach, 700.0)), METHOD)
