"""Time: one place that asks the clock, and the text form in which times are stored."""

from __future__ import annotations

from collections.abc import Callable
from datetime import UTC, date, datetime
from typing import Final

Clock = Callable[[], datetime]
EPOCH: Final = date(1970, 1, 1).toordinal()


def now() -> datetime:
    """The present, in UTC."""
    return datetime.now(UTC)


def utc_text(at: datetime) -> str:
    """Sortable UTC text with microseconds. A naive time is a programming error."""
    if at.tzinfo is None:
        raise ValueError("a time without a zone cannot be stored")
    return at.astimezone(UTC).strftime("%Y-%m-%dT%H:%M:%S.%fZ")


def from_utc_text(text: str) -> datetime:
    """Read :func:`utc_text` back."""
    return datetime.fromisoformat(text)


def day_number(day: date) -> int:
    """Days since 1970-01-01."""
    return day.toordinal() - EPOCH


def day_of(number: int) -> date:
    """The day of :func:`day_number`."""
    return date.fromordinal(number + EPOCH)
