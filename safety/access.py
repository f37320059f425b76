"""Who may do what: five roles, one table.

Every function of the service layer takes the actor and asks this table before it does anything. The
pages ask the same table which of them to show; that is a convenience and not the guard.
"""

from __future__ import annotations

import contextlib
import functools
from collections.abc import Callable
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, Concatenate, Final, ParamSpec, TypeVar

from safety.errors import AccessDenied, AfterdoseError

P = ParamSpec("P")
R = TypeVar("R")
S = TypeVar("S")


class Role(StrEnum):
    """What a person is in the clinic; one a person. ``charge`` is the nurse in charge."""

    NURSE = "nurse"
    CHARGE = "charge"
    DIRECTOR = "director"
    COMPLIANCE = "compliance"
    ADMINISTRATOR = "administrator"


class Action(StrEnum):
    """What can be asked of the service. The value is the word in the audit trail."""

    FILE_REPORT = "report.file"
    AMEND_REPORT = "report.amend"
    READ_REPORT = "report.read"
    REVIEW_REPORT = "report.review"
    KEEP_DRAFT = "draft.keep"
    READ_DRAFTS = "draft.read-all"
    PLAN_SESSIONS = "session.plan"
    TRACK_REMS = "rems.track"
    READ_NOTICES = "notice.read"
    FIND_PATIENT = "patient.find"
    BREAK_GLASS = "patient.break-glass"
    IMPORT = "import"
    READ_RATES = "rates.read"
    EXPORT = "export"
    VERIFY = "store.verify"
    REBUILD = "store.rebuild"
    READ_VOCABULARY = "vocabulary.read"
    EDIT_VOCABULARY = "vocabulary.edit"
    MANAGE_ACCOUNTS = "accounts.manage"
    MANAGE_KEYS = "keys.manage"


_NURSE, _CHARGE, _DIRECTOR, _COMPLIANCE, _ADMINISTRATOR = Role
_CARE: Final = frozenset({_NURSE, _CHARGE, _DIRECTOR})

PERMITTED: Final[dict[Action, frozenset[Role]]] = {
    Action.FILE_REPORT: _CARE,
    Action.AMEND_REPORT: _CARE,
    Action.READ_REPORT: _CARE,
    Action.REVIEW_REPORT: frozenset({_DIRECTOR}),
    Action.KEEP_DRAFT: _CARE,
    Action.READ_DRAFTS: frozenset({_CHARGE}),
    Action.PLAN_SESSIONS: _CARE,
    Action.TRACK_REMS: _CARE,
    Action.READ_NOTICES: frozenset({_DIRECTOR}),
    Action.FIND_PATIENT: _CARE,
    Action.BREAK_GLASS: frozenset({_COMPLIANCE, _ADMINISTRATOR}),
    Action.IMPORT: frozenset({_DIRECTOR}),
    Action.READ_RATES: frozenset({_DIRECTOR, _COMPLIANCE}),
    Action.EXPORT: frozenset({_DIRECTOR, _COMPLIANCE}),
    Action.VERIFY: frozenset({_DIRECTOR, _COMPLIANCE, _ADMINISTRATOR}),
    Action.REBUILD: frozenset({_DIRECTOR, _ADMINISTRATOR}),
    Action.READ_VOCABULARY: frozenset(Role),
    Action.EDIT_VOCABULARY: frozenset({_DIRECTOR}),
    Action.MANAGE_ACCOUNTS: frozenset({_DIRECTOR, _ADMINISTRATOR}),
    Action.MANAGE_KEYS: frozenset({_DIRECTOR, _ADMINISTRATOR}),
}


@dataclass(frozen=True, slots=True)
class Actor:
    """Somebody who asks: an account that signed in, or the console.

    ``id`` is what the audit trail keeps (the account's id, or ``console``); ``name`` is shown.
    """

    id: str
    name: str
    role: Role

    def may(self, action: Action) -> bool:
        """Whether the role allows ``action``."""
        return self.role in PERMITTED[action]


CONSOLE: Final = Actor("console", "console", Role.DIRECTOR)
"""Whoever can open the store by its key: the director's rights, named as the console."""


def require(actor: Actor, action: Action) -> None:
    """Raise :class:`AccessDenied` unless ``actor`` may do ``action``."""
    if not actor.may(action):
        raise AccessDenied(
            f"The role {actor.role} may not do this ({action}). Ask the medical director."
        )


GUARDED: Final[dict[str, Action]] = {}
"""Every guarded function by its dotted name; the role test walks all of it."""


def guarded(
    action: Action,
) -> Callable[[Callable[Concatenate[S, Actor, P], R]], Callable[Concatenate[S, Actor, P], R]]:
    """Let a service function ``f(store, actor, ...)`` run only for roles that may do ``action``.

    A refusal is written to the audit trail before it is raised.
    """

    def wrap(
        function: Callable[Concatenate[S, Actor, P], R],
    ) -> Callable[Concatenate[S, Actor, P], R]:
        GUARDED[f"{function.__module__}.{function.__qualname__}"] = action

        @functools.wraps(function)
        def checked(store: S, actor: Actor, /, *args: P.args, **kwargs: P.kwargs) -> R:
            if not actor.may(action):
                _record_denial(store, actor, action)
                require(actor, action)
            return function(store, actor, *args, **kwargs)

        return checked

    return wrap


def _record_denial(store: Any, actor: Actor, action: Action) -> None:
    # A store that takes no writing (full disk, rolled back) must still refuse with the right words.
    with contextlib.suppress(AfterdoseError), store.write() as writer:
        writer.log(actor, "access.denied", "action", action)
        writer.commit()
