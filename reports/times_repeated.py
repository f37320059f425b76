"""How often an event has happened so far to a person, when it can happen again and again.

The mean cumulative function (Nelson 1988) adds, at each time with events, their number divided by
the number of people at risk. It needs no model: people may differ and events may come in clusters.
The variance is the robust one of Lawless and Nadeau (1995), Technometrics 37:158-168, which lets
the events of one person depend on each other; the limits are on the log scale, so never below 0.
Follow-up must not end *because* of the events, or the people who stay are not like those who left.
"""

from __future__ import annotations

import math
from dataclasses import dataclass
from statistics import NormalDist

import numpy as np
from numpy.typing import ArrayLike, NDArray

from reports.intervals import LEVEL
from reports.times import Curve, Step
from reports.times_at_risk import Floats, check_level, entered, moments

METHOD = "mean-cumulative"


@dataclass(frozen=True, slots=True, eq=False)
class FollowUp:
    """Who was watched: a row of different subject ids, the end of each, and where it began.

    ``entries`` as in :mod:`reports.times`: the time after which each was watched, 0 or None for the
    very beginning.
    """

    subjects: ArrayLike
    ends: ArrayLike
    entries: ArrayLike | None = None


@dataclass(frozen=True, slots=True, eq=False)
class _Watched:
    begun: Floats
    ends: Floats


def mean_cumulative(
    follow_up: FollowUp,
    event_subjects: ArrayLike,
    event_times: ArrayLike,
    level: float = LEVEL,
) -> Curve:
    """Mean number of events a person so far; one entry an event.

    With a single person there is no spread to see: no limits. Raises ValueError for events outside
    the follow-up of their person and for times that cannot be.
    """
    check_level(level)
    ids = np.asarray(follow_up.subjects)
    ends = moments(follow_up.ends, "ends")
    if ids.shape != ends.shape or np.unique(ids).size != ids.size:
        raise ValueError("subjects must be a row of different ids, one an end")
    watched = _Watched(entered(follow_up.entries, ends), ends)
    times = moments(event_times, "event times")
    people = _places(ids, np.asarray(event_subjects), times)
    _check_inside(watched, people, times)
    steps = _steps(watched, people, times, NormalDist().inv_cdf((1 + level) / 2))
    last = float(ends.max()) if ends.size else None
    return Curve(steps, 0.0, ids.size, times.size, last, level, METHOD)


def _steps(
    watched: _Watched, people: NDArray[np.intp], times: Floats, z: float
) -> tuple[Step, ...]:
    """Walk over the times of events, carrying each person's part of the estimate's error."""
    steps, mean = [], 0.0
    parts = np.zeros(watched.ends.size)
    for time in np.unique(times).tolist():
        at_risk = (watched.begun < time) & (watched.ends >= time)
        own = np.bincount(people[times == time], minlength=parts.size)
        n, events = int(at_risk.sum()), int(own.sum())
        mean += events / n
        parts += at_risk * (own - events / n) / n
        error = math.sqrt(float(parts @ parts)) if parts.size > 1 else None
        steps.append(_step(time, mean, error, (n, events), z))
    return tuple(steps)


def _step(time: float, mean: float, error: float | None, counts: tuple[int, int], z: float) -> Step:
    if error is None:
        return Step(time, mean, None, None, None, *counts)
    bend = math.exp(z * error / mean)
    return Step(time, mean, mean / bend, mean * bend, error, *counts)


def _places(
    ids: NDArray[np.generic], wanted: NDArray[np.generic], times: Floats
) -> NDArray[np.intp]:
    """Where each event's person stands in ``ids``."""
    if wanted.shape != times.shape:
        raise ValueError(f"{wanted.size} subjects for {times.size} event times")
    place = {subject: number for number, subject in enumerate(ids.tolist())}
    unknown = sum(subject not in place for subject in wanted.tolist())
    if unknown:
        raise ValueError(f"{unknown} events of somebody without a follow-up")
    return np.array([place[subject] for subject in wanted.tolist()], dtype=np.intp)


def _check_inside(watched: _Watched, people: NDArray[np.intp], times: Floats) -> None:
    outside = (times <= watched.begun[people]) | (times > watched.ends[people])
    if np.any(outside):
        raise ValueError(f"{int(outside.sum())} events outside the follow-up of their person")
