"""What every test may ask for: stores on both engines, a clock, cheap passwords, --run-slow."""

from __future__ import annotations

import os
from collections.abc import Iterator
from pathlib import Path

import pytest
from hypothesis import settings

from safety.keys import passwords
from safety.keys.kdf import KdfParameters
from safety.keys.sources import Passphrase
from safety.store.handle import Store
from tests.support.clock import FakeClock
from tests.support.postgresql import Server
from tests.support.stores import Template

CHEAP = KdfParameters(memory_kib=8, iterations=1, lanes=1)


# No deadline: a loaded machine is no bug. The same examples in every run of CI.
settings.register_profile(
    "short", max_examples=40, deadline=None, derandomize=os.environ.get("CI") == "true"
)
settings.register_profile("long", max_examples=1_000, deadline=None)


def pytest_configure(config: pytest.Config) -> None:
    settings.load_profile("long" if config.getoption("--run-slow") else "short")


def pytest_addoption(parser: pytest.Parser) -> None:
    parser.addoption("--run-slow", action="store_true", help="also run the tests marked slow")


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    if config.getoption("--run-slow"):
        return
    skip = pytest.mark.skip(reason="slow: runs with --run-slow")
    for item in items:
        if item.get_closest_marker("slow"):
            item.add_marker(skip)


@pytest.fixture
def clock() -> FakeClock:
    """The clock of every store: 2026-03-02 15:00 UTC until the test moves it."""
    return FakeClock()


@pytest.fixture
def cheap_kdf(monkeypatch: pytest.MonkeyPatch) -> KdfParameters:
    """Make the default cost of passphrases and account passwords the least that Argon2id can do."""
    monkeypatch.setattr(passwords.hash_password, "__defaults__", (CHEAP,))
    monkeypatch.setattr(passwords.verify_password, "__defaults__", (CHEAP,))
    monkeypatch.setattr(passwords.needs_rehash, "__defaults__", (CHEAP,))
    costs = {"kdf": CHEAP, "floor": CHEAP}
    monkeypatch.setattr(Passphrase.__init__, "__kwdefaults__", costs)
    from_file = Passphrase.__dict__["from_file"].__func__  # the function inside the class method
    monkeypatch.setattr(from_file, "__kwdefaults__", costs)
    return CHEAP


@pytest.fixture(params=["embedded", pytest.param("postgresql", marks=pytest.mark.postgresql)])
def engine_name(request: pytest.FixtureRequest) -> str:
    """Run the test once on each engine."""
    return str(request.param)


@pytest.fixture(scope="session")
def postgresql() -> Iterator[Server]:
    """A PostgreSQL server; without one, skip on a desk and fail in CI."""
    try:
        server = Server.start()
    except Exception as cause:  # noqa: BLE001 - whatever it is, it goes into the reason
        reason = f"no PostgreSQL server could be started here ({type(cause).__name__}: {cause})"
        if os.environ.get("CI") == "true":
            pytest.fail(f"{reason}; CI must run these tests")
        pytest.skip(reason)
    yield server
    server.stop()


@pytest.fixture(scope="session")
def embedded_template(tmp_path_factory: pytest.TempPathFactory) -> Template:
    return Template(tmp_path_factory.mktemp("embedded"))


@pytest.fixture(scope="session")
def server_template(tmp_path_factory: pytest.TempPathFactory, postgresql: Server) -> Template:
    return Template(tmp_path_factory.mktemp("server"), postgresql)


@pytest.fixture
def embedded_store(
    embedded_template: Template, tmp_path: Path, clock: FakeClock
) -> Iterator[Store]:
    """A new store in an encrypted file, for what only SQLCipher does."""
    with embedded_template.copy(tmp_path, clock) as store:
        yield store


@pytest.fixture
def server_store(server_template: Template, tmp_path: Path, clock: FakeClock) -> Iterator[Store]:
    """A new store in a PostgreSQL database."""
    with server_template.copy(tmp_path, clock) as store:
        yield store


@pytest.fixture
def store(engine_name: str, request: pytest.FixtureRequest) -> Store:
    """A new store on each engine, with one clinic, one site and the seeded protocols."""
    fixture = "embedded_store" if engine_name == "embedded" else "server_store"
    made: Store = request.getfixturevalue(fixture)
    return made
