"""Remarks on a day, such as "new form in use": what a trend chart shows beside its points.

A change in how events are reported looks like a change in safety, so the director writes down when
reporting changed. All remarks are one setting of the clinic; each change is a version on record.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from datetime import date
from typing import Final

from safety.access import Action, Actor, guarded
from safety.errors import Conflict, NotFound, UserError
from safety.settings import keep_document, trusted_document
from safety.store.handle import Store

LONGEST: Final = 60
"""Characters of a remark (default): it must fit beside a line of a chart."""

MOST: Final = 500
_NAME: Final = "trend-annotations"


@dataclass(frozen=True, slots=True, order=True)
class Remark:
    """One remark: a day and a short text in one line. Raises UserError for another text."""

    day: date
    text: str

    def __post_init__(self) -> None:
        if not (0 < len(self.text) <= LONGEST and self.text.isprintable()):
            raise UserError(
                f"A remark is one line of 1 to {LONGEST} characters, such as: new form in use."
            )


@guarded(Action.READ_RATES)
def remarks(store: Store, actor: Actor) -> tuple[Remark, ...]:  # noqa: ARG001 - guarded
    """Every remark in the order of the days. Raises Tampered."""
    with store.read() as connection:
        row = trusted_document(store, connection, _NAME)
    return () if row is None else _read(row["content"])


@guarded(Action.EDIT_VOCABULARY)
def add_remark(store: Store, actor: Actor, remark: Remark) -> None:
    """Add a remark. Raises Conflict for one that is there, and UserError when there are too many.

    The text is for the whole clinic: it must say nothing about a patient.
    """

    def added(known: tuple[Remark, ...]) -> Iterable[Remark]:
        if remark in known:
            raise Conflict("This remark is there already, on the same day.")
        if len(known) >= MOST:
            raise UserError(f"There are {MOST} remarks. Take an old one away first.")
        return sorted((*known, remark))

    _change(store, actor, added)


@guarded(Action.EDIT_VOCABULARY)
def remove_remark(store: Store, actor: Actor, remark: Remark) -> None:
    """Take a remark away; that it was there stays on record. Raises NotFound."""

    def left(known: tuple[Remark, ...]) -> Iterable[Remark]:
        if remark not in known:
            raise NotFound("This remark is not there any more.")
        return (each for each in known if each != remark)

    _change(store, actor, left)


def _change(
    store: Store, actor: Actor, change: Callable[[tuple[Remark, ...]], Iterable[Remark]]
) -> None:
    with store.write() as writer:
        row = trusted_document(store, writer.connection, _NAME)
        known = () if row is None else _read(row["content"])
        content = _written(change(known))
        keep_document(writer, actor, _NAME, content, (row["version"] if row else 0) + 1)
        writer.commit()


def _written(all_of_them: Iterable[Remark]) -> str:
    listed = [{"day": each.day.isoformat(), "text": each.text} for each in all_of_them]
    return json.dumps(listed, ensure_ascii=False)


def _read(content: str) -> tuple[Remark, ...]:
    listed = json.loads(content)
    return tuple(Remark(date.fromisoformat(each["day"]), each["text"]) for each in listed)
