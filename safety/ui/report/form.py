"""The open form: its fields, its draft, and which step it is at. One in each browser session."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime, time
from enum import StrEnum
from typing import Any, Final
from uuid import UUID, uuid4

import streamlit as st

from safety import drafts
from safety.errors import Conflict
from safety.service import Filed, Match
from safety.store.reading import Stored
from safety.ui.session import Visit

_OPEN: Final = "form"


class Step(StrEnum):
    """Where a form is on its way."""

    """Where a form is on its way."""

    WRITE = "write"
    REVIEW = "review"
    FILED = "filed"


@dataclass(slots=True, repr=False)
class Form:
    """A report being written. ``id`` is the id the report will have; ``version`` counts drafts.

    ``amends`` is the filed version that an amendment starts from. ``asked`` is whether the review
    was asked for, after which what is missing is pointed out.
    """

    id: UUID
    fields: dict[str, Any]
    version: int = 0
    amends: Stored | None = None
    step: Step = Step.WRITE
    asked: bool = False
    kept: Mapping[str, Any] = field(default_factory=dict)
    kept_at: datetime | None = None
    stuck: str | None = None
    matches: tuple[Match, ...] | None = None
    filed: Filed | None = None

    def __post_init__(self) -> None:
        self.kept = dict(self.fields)

    def key(self, name: str) -> str:
        """The key of the widget that shows the field ``name``."""
        return f"{self.id.hex}:{name}"

    def put(self, name: str, value: Any) -> None:
        """Set a field from the program; its widget follows when it is drawn next."""
        self.set(name, value)
        st.session_state.pop(self.key(name), None)

    def set(self, name: str, value: Any) -> None:
        """Set a field to what a widget holds; None and blank text take it away."""
        plain = _plain(value)
        if plain is None or plain == "":
            self.fields.pop(name, None)
        else:
            self.fields[name] = plain

    def collect(self) -> None:
        """Take over what the widgets hold now."""
        start = self.key("")
        for key in list(st.session_state):
            if isinstance(key, str) and key.startswith(start):
                self.set(key.removeprefix(start), st.session_state[key])
        if self.fields.get("events") and self.fields.get("nothing"):
            self.put("nothing", None)

    def keep(self, visit: Visit) -> None:
        """Save the draft when a field changed. Once another tab was first, saving stops."""
        if self.amends is not None or self.stuck or self.fields == self.kept:
            return
        store, actor = visit.store, visit.actor
        try:
            self.version = drafts.save_draft(
                store, actor, self.id, self.fields, base_version=self.version
            )
        except Conflict as conflict:
            self.stuck = str(conflict)
            return
        self.kept, self.kept_at = dict(self.fields), store.clock()


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
