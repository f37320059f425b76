"""How long a session lasts, and when failures begin to cost time."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import timedelta
from typing import Final


@dataclass(frozen=True, slots=True)
class Limits:
    """Limits of sessions and tries; the defaults are Afterdose's own choice.

    ``idle`` is time without a rerun, ``absolute`` time since signing in. ``seen_every`` is how old
    the note of the last use may get before it is written again; idle time counts from that note, so
    a session can end that much early and never late. After ``free_failures`` each failure doubles
    the wait, from ``first_delay`` up to ``longest_delay``.
    """

    idle: timedelta = timedelta(minutes=10)
    absolute: timedelta = timedelta(hours=10)
    seen_every: timedelta = timedelta(seconds=30)
    free_failures: int = 5
    first_delay: timedelta = timedelta(seconds=2)
    longest_delay: timedelta = timedelta(minutes=15)


LIMITS: Final = Limits()
