"""Thresholds of CUSUM charts, for a stated average run length in control.

The score of an event and of a session (or period) are the two parts of the log-likelihood ratio of
the rate to be found against the rate in control (Page 1954, Biometrika 41:100-115; Reynolds and
Stoumbos 1999, Journal of Quality Technology 31:87-108):

- Bernoulli, for each session: ln(p1 / p0) with the event, ln((1 - p1) / (1 - p0)) without;
- Poisson, for each period: x ln(m1 / m0) - (m1 - m0) with x events.

**The run length is exact, not simulated.** The ratio of the two scores is replaced by a ratio of
whole numbers within one per cent of it, and the chart is drawn with these whole numbers. The sum
then moves on a grid, is a Markov chain, and its average run length solves a system of linear
equations (Brook and Evans 1972, Biometrika 59:539-549). Tests repeat it by simulation.

A run length is counted from a sum of 0 to the signal, in sessions or in periods. It holds if the
rate in control is known; with a rate estimated from a short baseline it is itself uncertain.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from dataclasses import dataclass
from fractions import Fraction
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    import numpy as np
    import numpy.typing as npt

_RAREST: Final = 1500
_LONGEST: Final = 1e7
_ENDLESS: Final = 1e14
_LARGEST: Final = 10**7  # numbers in the system of equations: 80 MB


@dataclass(frozen=True, slots=True)
class Threshold:
    """A CUSUM that is ready to be drawn.

    ``p0`` and ``p1`` are the chance of the event in a session, or the events expected in a period:
    in control, and to be found. An event adds ``event`` steps, a session without it (or a period)
    takes ``quiet`` steps away, ``height`` steps signal; a step is ``step`` of log-likelihood.
    ``arl0`` and ``arl1`` are the average run lengths at ``p0`` and at ``p1``.
    """

    kind: str
    p0: float
    p1: float
    event: int
    quiet: int
    height: int
    step: float
    wanted: float
    arl0: float
    arl1: float
    method: str = "markov chain"

    @property
    def h(self) -> float:
        """The threshold in log-likelihood."""
        return self.height * self.step


@lru_cache(maxsize=256)
def bernoulli_threshold(p0: float, p1: float, arl0: float) -> Threshold:
    """Find the lowest threshold with an average run length in control of ``arl0`` sessions or more.

    Raises ValueError unless 0 < p0 < p1 < 1 and ``arl0`` lies between 1 and ten million, and for
    events too rare to be followed session by session, or chances too near each other.
    """
    if not 0 < p0 < p1 < 1:
        raise ValueError(f"the chances must be 0 < p0 < p1 < 1, not {p0!r} and {p1!r}")
    parts = math.log(p1 / p0), -(math.log1p(-p1) - math.log1p(-p0))
    return _found("bernoulli", (p0, p1), parts, arl0, bernoulli_run_length)


@lru_cache(maxsize=256)
def poisson_threshold(mean0: float, mean1: float, arl0: float) -> Threshold:
    """Find the lowest threshold with an average run length in control of ``arl0`` periods or more.

    ``mean0`` and ``mean1`` are events expected in a period. Raises ValueError unless
    0 < mean0 < mean1 and ``arl0`` lies between 1 and ten million, and for means too near.
    """
    if not 0 < mean0 < mean1 < math.inf:
        raise ValueError(f"the means must be 0 < mean0 < mean1, not {mean0!r} and {mean1!r}")
    parts = math.log(mean1 / mean0), mean1 - mean0
    return _found("poisson", (mean0, mean1), parts, arl0, poisson_run_length)


def bernoulli_run_length(p: float, event: int, quiet: int, height: int) -> float:
    """Average number of sessions to ``height`` steps at chance ``p``, infinite at worst."""
    import numpy as np
    from scipy.linalg import solve_banded

    # Row by row: length(s) - p length(s + event) - (1 - p) length(max(s - quiet, 0)) = 1.
    states = np.arange(height)
    up, down = min(event, height - 1), min(quiet, height - 1)
    bands = np.zeros((up + down + 1, height))
    bands[up] = 1.0
    fallen = np.maximum(states - quiet, 0)
    bands[up + states - fallen, fallen] -= 1 - p
    if event < height:
        bands[up - event, event:] -= p
    return _length(lambda: solve_banded((down, up), bands, np.ones(height)))


def poisson_run_length(mean: float, event: int, quiet: int, height: int) -> float:
    """Average number of periods to ``height`` steps with ``mean`` events, infinite at worst."""
    import numpy as np

    matrix = np.eye(height) - _poisson_moves(mean, event, quiet, height)
    return _length(lambda: np.linalg.solve(matrix, np.ones(height)))


def _length(solved: Callable[[], npt.NDArray[np.floating[Any]]]) -> float:
    """First of the solutions, or infinity where it is too long for the digits of a float."""
    import numpy as np

    try:
        length = float(solved()[0])
    except np.linalg.LinAlgError:
        return math.inf
    return length if 0 < length < _ENDLESS else math.inf


def _poisson_moves(mean: float, event: int, quiet: int, height: int) -> npt.NDArray[np.float64]:
    import numpy as np
    from scipy.special import gammaln, xlogy

    states = np.arange(height)
    moves = np.zeros((height, height))
    for x in range((height + quiet) // event + 1):
        to = np.maximum(states + event * x - quiet, 0)
        stays = to < height
        moves[states[stays], to[stays]] += np.exp(xlogy(x, mean) - mean - gammaln(x + 1))
    return moves


def _found(
    kind: str,
    rates: tuple[float, float],
    parts: tuple[float, float],
    arl0: float,
    run_length: Callable[[float, int, int, int], float],
) -> Threshold:
    if not 1 <= arl0 <= _LONGEST:
        raise ValueError(f"arl0 must lie between 1 and {_LONGEST:,.0f}, not {arl0!r}")
    if parts[0] / parts[1] > _RAREST:
        raise ValueError("the event is too rare for a CUSUM: use a g chart or a longer period")
    event, quiet = _whole_steps(parts[0] / parts[1])
    step = parts[0] / event
    # One doubling of the run length or so at a time: far above the wanted one it loses its digits.
    stride = max(1, round(math.log(2) / step))
    most = _LARGEST // (event + quiet) if kind == "bernoulli" else math.isqrt(_LARGEST)
    height = _lowest(lambda tried: run_length(rates[0], event, quiet, tried) >= arl0, stride, most)
    found0, found1 = (run_length(rate, event, quiet, height) for rate in rates)
    return Threshold(kind, *rates, event, quiet, height, step, arl0, found0, found1)


def _whole_steps(ratio: float) -> tuple[int, int]:
    """Two whole numbers with this ratio within one per cent, and no larger than they need be.

    Larger ones would come nearer, but the system of equations grows with them.
    """
    if ratio < 1:
        quiet, event = _whole_steps(1 / ratio)
        return event, quiet
    finest = 60 if ratio < 10 else 200
    near = Fraction(ratio).limit_denominator(max(1, int(finest / ratio)))
    return near.numerator, near.denominator


def _lowest(enough: Callable[[int], bool], stride: int, most: int) -> int:
    low, high = 0, min(stride, most)
    while not enough(high):
        if high == most:
            raise ValueError("the two rates lie too near for this run length: take them apart")
        low, high = high, min(high + stride, most)
    while high - low > 1:
        middle = (low + high) // 2
        low, high = (low, middle) if enough(middle) else (middle, high)
    return high
