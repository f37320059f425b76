"""What an amendment changed: two versions of a report compared field by field. Pure functions."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass, fields, is_dataclass
from typing import Any, Final

from safety.model import AdverseEvent, BloodPressure, SessionReport

ADDED_BY_FILING: Final = frozenset(
    {"amendment_reason", "protocol_version", "scale", "scale_version"}
)
"""What an amendment says or is given by itself: no change of what was reported."""


@dataclass(frozen=True, slots=True)
class Change:
    """One field that differs. ``field`` is its dotted path (``events.nausea.grade``).

    An event that was added or removed is one change of ``events.<term>``, its other side None.
    """

    field: str
    before: Any
    after: Any

    def __repr__(self) -> str:
        return f"Change({self.field!r})"  # the values may be what somebody typed


def changes(before: SessionReport, after: SessionReport) -> list[Change]:
    """The fields in which ``after`` differs from ``before``, in the order of the model.

    Events are matched by their term; their order says nothing.
    """
    return list(_of_parts(before, after, ""))


def _of_parts(before: Any, after: Any, path: str) -> Iterator[Change]:
    for field in fields(before):
        if field.name in ADDED_BY_FILING:
            continue
        old, new = getattr(before, field.name), getattr(after, field.name)
        if field.name == "events":
            yield from _of_events(old, new)
        elif old != new:
            yield from _of_values(old, new, path + field.name)


def _of_values(old: Any, new: Any, path: str) -> Iterator[Change]:
    if isinstance(old, BloodPressure) or isinstance(new, BloodPressure):
        yield from _of_readings(old, new, path)
    elif is_dataclass(old):
        yield from _of_parts(old, new, f"{path}.")
    else:
        yield Change(path, old, new)


def _of_readings(
    old: BloodPressure | None, new: BloodPressure | None, path: str
) -> Iterator[Change]:
    """Half by half, also where the whole reading was added or taken away."""
    for field in fields(BloodPressure):
        was, now = getattr(old, field.name, None), getattr(new, field.name, None)
        if was != now:
            yield Change(f"{path}.{field.name}", was, now)


def _of_events(old: tuple[AdverseEvent, ...], new: tuple[AdverseEvent, ...]) -> Iterator[Change]:
    before = {event.term: event for event in old}
    after = {event.term: event for event in new}
    for term in dict.fromkeys((*before, *after)):
        path = f"events.{term}"
        if term in before and term in after:
            yield from _of_parts(before[term], after[term], f"{path}.")
        else:
            yield Change(path, before.get(term), after.get(term))
