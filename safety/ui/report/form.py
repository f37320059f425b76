"""The open form: its fields, its draft, and which step it is at. One in each browser session."""

from __future__ import annotations

from collections import Counter
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from time import monotonic
from typing import Any, Final, TypeVar
from uuid import UUID, uuid4

import streamlit as st

from safety import drafts
from safety.duplicates import Likely
from safety.errors import AfterdoseError, Conflict
from safety.service import Filed, Match
from safety.store.reading import Stored
from safety.ui.session import Visit

T = TypeVar("T")
_OPEN: Final = "form"
_SETTLED_SECONDS: Final = 3.0
_SETTLED_RUNS: Final = 2


class Step(StrEnum):
    """Where a form is on its way."""

    WRITE = "write"
    REVIEW = "review"
    FILED = "filed"


@dataclass(slots=True, repr=False)
class Form:
    """A report being written. ``id`` is the id the report will have; ``version`` counts drafts.

    ``draft_id`` is that of a copy, which a tab keeps when another one went on with the draft.
    ``amends`` is the filed version that an amendment starts from. ``asked`` is whether the review
    was asked for, after which what is missing is pointed out. ``likely`` are reports that may be
    the same session; ``known`` holds what was asked of the store once for this form.

    ``runs`` counts how often each band was drawn to its end, ``drawing`` is the one that is being
    drawn ("" for those that only come with the whole page, which ``whole`` says is being drawn).
    ``across`` is what the bands showed of one another in the last run of the whole page, ``made``
    what the fields made when they were looked at last.
    """

    id: UUID
    fields: dict[str, Any]
    version: int = 0
    draft_id: UUID | None = None
    amends: Stored | None = None
    step: Step = Step.WRITE
    asked: bool = False
    turns: dict[str, int] = field(default_factory=dict)
    begun: dict[str, tuple[float, int, Any]] = field(default_factory=dict)
    runs: Counter[str] = field(default_factory=Counter)
    drawing: str = ""
    whole: bool = True
    across: object = None
    made: tuple[object, Any] | None = None
    kept: Mapping[str, Any] = field(default_factory=dict)
    kept_at: datetime | None = None
    unsaved: str | None = None
    matches: tuple[Match, ...] | None = None
    likely: tuple[Likely, ...] = ()
    known: dict[str, Any] = field(default_factory=dict)
    filed: Filed | None = None

    def __post_init__(self) -> None:
        self.kept = dict(self.fields)

    def once(self, name: str, ask: Callable[[], T]) -> T:
        """What ``ask`` said the first time it was asked for this form under ``name``."""
        if name not in self.known:
            self.known[name] = ask()
        answer: T = self.known[name]
        return answer

    @contextmanager
    def drawn_whole(self) -> Iterator[None]:
        """While the whole page is drawn; runs that are cut short do not count."""
        self.whole, self.drawing = True, ""
        try:
            yield
            self.runs[""] += 1
        finally:
            self.whole = False

    def key(self, name: str) -> str:
        """The key of the widget that shows the field ``name``."""
        return f"{self.id.hex}:{self.turns.get(name, 0)}:{name}"

    def put(self, name: str, value: Any) -> None:
        """Set a field from the program; it is drawn as a new widget that begins with ``value``."""
        self.set(name, value)
        self.turns[name] = self.turns.get(name, 0) + 1

    def set(self, name: str, value: Any) -> None:
        """Set a field to what a widget holds; None and blank text take it away."""
        plain = _plain(value)
        if plain is None or plain == "":
            self.fields.pop(name, None)
        else:
            self.fields[name] = plain

    def beginning(self, name: str) -> Any:
        """What the widget of ``name`` begins with, or None once it is surely on the screen.

        A value set through the session reaches the browser once, and is lost when that run is
        overtaken by the next. A default arrives with every run, but a widget with a default cannot
        be emptied. So a widget has its value as default until it had ample time to be drawn.
        """
        key = self.key(name)
        if key not in st.session_state or key not in self.begun:
            self.begun[key] = (monotonic(), self.runs[self.drawing], self.fields.get(name))
        at, run, value = self.begun[key]
        settled = (
            monotonic() - at > _SETTLED_SECONDS and self.runs[self.drawing] - run >= _SETTLED_RUNS
        )
        return None if settled else value

    def collect(self) -> None:
        """Take over what the widgets hold now."""
        start = f"{self.id.hex}:"
        for key in list(st.session_state):
            if isinstance(key, str) and key.startswith(start):
                name = key.split(":", 2)[2]
                if key == self.key(name):
                    self.set(name, st.session_state[key])
        if self.fields.get("events") and self.fields.get("nothing"):
            self.put("nothing", None)

    def keep(self, visit: Visit) -> None:
        """Save the draft when a field changed; ``unsaved`` says why that did not work.

        When another tab went on with the same draft, this one keeps what it has as a copy.
        """
        if self.amends is not None or self.fields == self.kept:
            return
        try:
            self._save(visit)
        except AfterdoseError as error:
            self.unsaved = str(error)
            return
        self.kept, self.kept_at, self.unsaved = dict(self.fields), visit.store.clock(), None

    def _save(self, visit: Visit) -> None:
        try:
            self.version = drafts.save_draft(
                visit.store,
                visit.actor,
                self.draft_id or self.id,
                self.fields,
                base_version=self.version,
            )
        except Conflict:
            copy = uuid4()
            self.version = drafts.save_draft(visit.store, visit.actor, copy, self.fields)
            self.draft_id = copy

    @property
    def is_copy(self) -> bool:
        """Whether another tab has the draft that this form began as."""
        return self.draft_id is not None

    def drop_copy(self, visit: Visit) -> None:
        """Throw the copy of this tab away, once its report is filed."""
        if self.draft_id is not None:
            drafts.discard_draft(visit.store, visit.actor, self.draft_id)


def current() -> Form | None:
    """The form that is open in this browser session."""
    form: Form | None = st.session_state.get(_OPEN)
    return form


def open_new(fields: Mapping[str, Any]) -> Form:
    """Open an empty form; its report's id is chosen now."""
    return _opened(Form(uuid4(), dict(fields)))


def open_draft(draft: drafts.Draft) -> Form:
    """Go on with a draft."""
    form = Form(draft.id, dict(draft.fields), draft.version)
    form.kept_at = draft.saved_at
    return _opened(form)


def open_amendment(stored: Stored, fields: Mapping[str, Any]) -> Form:
    """Open the form on a filed report. Widgets get keys of their own, unlike those of its draft."""
    return _opened(Form(uuid4(), dict(fields), amends=stored))


def close() -> None:
    """Put the form away; a draft stays in the store."""
    st.session_state.pop(_OPEN, None)


def _opened(form: Form) -> Form:
    st.session_state[_OPEN] = form
    return form


def _plain(value: Any) -> Any:
    if isinstance(value, time):
        return f"{value:%H:%M}"
    if isinstance(value, date):
        return value.isoformat()
    if isinstance(value, list | tuple):
        return [str(part) for part in value]
    return value.strip() if isinstance(value, str) else value
