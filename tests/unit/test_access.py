"""Five roles, one table; and no function of the service that does not ask it."""

from __future__ import annotations

import importlib
import inspect
import pkgutil
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any, Final

import pytest

import reports
import safety
from safety import access
from safety.access import CONSOLE, GUARDED, PERMITTED, Action, Actor, Role, guarded, require
from safety.errors import AccessDenied
from safety.signing_in.tries import NOBODY

TABLE: Final = """
                        nurse  charge  director  compliance  administrator
    report.file         yes    yes     yes       no          no
    report.amend        yes    yes     yes       no          no
    report.read         yes    yes     yes       no          no
    report.review       no     no      yes       no          no
    draft.keep          yes    yes     yes       no          no
    draft.read-all      no     yes     no        no          no
    session.plan        yes    yes     yes       no          no
    rems.track          yes    yes     yes       no          no
    notice.read         no     no      yes       no          no
    patient.find        yes    yes     yes       no          no
    patient.break-glass no     no      no        yes         yes
    import              no     no      yes       no          no
    rates.read          no     no      yes       yes         no
    export              no     no      yes       yes         no
    store.verify        no     no      yes       yes         yes
    store.rebuild       no     no      yes       no          yes
    vocabulary.read     yes    yes     yes       yes         yes
    vocabulary.edit     no     no      yes       no          no
    accounts.manage     no     no      yes       no          yes
    keys.manage         no     no      yes       no          yes
"""

OPEN: Final = {
    "safety.signing_in.confirming.change_own_password": "one's own account only",
    "safety.signing_in.confirming.confirm_password": "one's own account only",
    "safety.signing_in.sessions.end_all": "one's own sessions; those of others are guarded inside",
    "safety.store.rebuilding.rebuild": "below the service: safety.upkeep guards it",
    "safety.store.verifying.renew_receipts": "below the service: safety.upkeep guards it",
}
"""Functions of (store, actor) that every role may call, each with its reason."""

NOT_SERVICE: Final = ("safety.ui", "reports.ui", "safety.store.migrations")
"""Pages draw and migrations run by themselves; importing them here would start them."""


class FakeStore:
    """Keeps what was logged and committed, and can do nothing else."""

    def __init__(self) -> None:
        self.entries: list[tuple[Actor, str, str, str]] = []
        self._begun: list[tuple[Actor, str, str, str]] = []

    @contextmanager
    def write(self) -> Iterator[FakeStore]:
        self._begun = []
        yield self

    def log(self, actor: Actor, action: str, kind: str, object_id: str) -> None:
        self._begun.append((actor, action, kind, object_id))

    def commit(self) -> None:
        self.entries += self._begun


def an_actor(role: Role) -> Actor:
    return Actor(f"{role}-1", "Somebody", role)


def parsed() -> dict[str, dict[str, bool]]:
    heading, *lines = [line.split() for line in TABLE.strip().splitlines()]
    return {
        action: {role: word == "yes" for role, word in zip(heading, words, strict=True)}
        for action, *words in lines
    }


def named(name: str) -> Callable[..., Any]:
    module, _, function = name.rpartition(".")
    found: Callable[..., Any] = getattr(importlib.import_module(module), function)
    return found


def modules(package: ModuleType) -> Iterator[ModuleType]:
    yield package
    for found in pkgutil.iter_modules(package.__path__, f"{package.__name__}."):
        if found.name.startswith(NOT_SERVICE):
            continue
        module = importlib.import_module(found.name)
        yield from modules(module) if found.ispkg else (module,)


def takes_an_actor(function: Callable[..., Any]) -> bool:
    return list(inspect.signature(function).parameters)[:2] == ["store", "actor"]


def service_functions() -> Iterator[str]:
    for package in (safety, reports):
        for module in modules(package):
            for name, function in inspect.getmembers(module, inspect.isfunction):
                own = function.__module__ == module.__name__ and not name.startswith("_")
                if own and takes_an_actor(function):
                    yield f"{module.__name__}.{name}"


FOUND: Final = tuple(service_functions())


@pytest.mark.parametrize("role", Role)
@pytest.mark.parametrize("action", Action)
def test_each_role_may_do_what_the_table_says_and_nothing_else(action: Action, role: Role) -> None:
    expected = parsed()[action][role]
    assert an_actor(role).may(action) is expected
    if expected:
        require(an_actor(role), action)
    else:
        with pytest.raises(AccessDenied, match=rf"The role {role} may not do this \({action}\)"):
            require(an_actor(role), action)


def test_the_table_has_a_line_for_every_action_and_a_column_for_every_role() -> None:
    assert list(parsed()) == list(Action) == list(PERMITTED)
    assert all(list(line) == list(Role) for line in parsed().values())


def test_the_console_has_the_rights_of_a_director() -> None:
    assert CONSOLE.role is Role.DIRECTOR


@pytest.mark.parametrize("action", Action)
def test_whoever_failed_to_sign_in_may_do_nothing(action: Action) -> None:
    assert not NOBODY.may(action)


@pytest.mark.parametrize("name", FOUND)
def test_every_function_that_takes_an_actor_asks_the_table(name: str) -> None:
    assert name in GUARDED or name in OPEN


def test_the_walk_finds_the_service() -> None:
    assert {
        "safety.service.file_report",
        "safety.drafts.save_draft",
        "safety.protocols.add_protocols",
        "safety.accounts.set_role",
    } <= set(FOUND)


def test_no_exception_outlives_its_function() -> None:
    assert set(OPEN) <= set(FOUND)
    assert not set(OPEN) & set(GUARDED)


@pytest.mark.parametrize(
    ("name", "role"),
    [
        (name, role)
        for name, action in GUARDED.items()
        for role in Role
        if role not in PERMITTED[action]
    ],
)
def test_a_role_without_the_right_is_refused_on_record(name: str, role: Role) -> None:
    action, actor, store = GUARDED[name], an_actor(role), FakeStore()
    with pytest.raises(AccessDenied):
        named(name)(store, actor)
    assert store.entries == [(actor, "access.denied", "action", action)]


@pytest.mark.parametrize("role", Role)
def test_the_guard_lets_pass_who_may_and_only_him(
    role: Role, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(access, "GUARDED", {})

    @guarded(Action.EXPORT)
    def exported(store: FakeStore, actor: Actor, text: str) -> str:
        return f"{text} by {actor.role}"

    store = FakeStore()
    if role in {Role.DIRECTOR, Role.COMPLIANCE}:
        assert exported(store, an_actor(role), "done") == f"done by {role}"
        assert store.entries == []
    else:
        with pytest.raises(AccessDenied):
            exported(store, an_actor(role), "done")
        assert len(store.entries) == 1
