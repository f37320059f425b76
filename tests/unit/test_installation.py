"""The files that install and start Afterdose keep what they promise."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any, Final

import pytest
from packaging.requirements import Requirement
from packaging.utils import canonicalize_name
from streamlit import config as streamlit_config

ROOT: Final = Path(__file__).parents[2]
LOCKS: Final = ("requirements.lock", "requirements-dev.lock")
PIN: Final = re.compile(r"^(?P<name>[a-z0-9-]+)==(?P<version>[^ ;]+)", re.MULTILINE)

# The table "Streamlit settings" of the threat model, and three of its neighbours.
PROMISED_SETTINGS: Final = {
    "client.showErrorDetails": "none",
    "client.showErrorLinks": False,
    "client.toolbarMode": "minimal",
    "client.disableDataExport": True,
    "browser.gatherUsageStats": False,
    "server.address": "127.0.0.1",
    "server.allowedHosts": ["127.0.0.1", "localhost"],
    "server.enableCORS": True,
    "server.enableXsrfProtection": True,
    "server.maxUploadSize": 2,
    "server.maxMessageSize": 20,
    "server.enableStaticServing": False,
    "server.enableAgentApi": False,
    "server.trustedUserHeaders": "{}",
    "runner.magicEnabled": False,
}


def project() -> dict[str, Any]:
    return tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))


def pins(lock: str) -> set[tuple[str, str]]:
    text = (ROOT / lock).read_text(encoding="utf-8")
    return {(match["name"], match["version"]) for match in PIN.finditer(text)}


def settings_of(path: Path) -> dict[str, Any]:
    """Flatten a Streamlit configuration to the dotted names that Streamlit gives its options."""
    flat: dict[str, Any] = {}

    def walk(prefix: str, table: dict[str, Any]) -> None:
        for key, value in table.items():
            if isinstance(value, dict):
                walk(f"{prefix}{key}.", value)
            else:
                flat[f"{prefix}{key}"] = value

    walk("", tomllib.loads(path.read_text(encoding="utf-8")))
    return flat


@pytest.mark.parametrize("lock", LOCKS)
def test_every_pin_of_a_lock_carries_hashes_and_no_line_names_a_host_or_a_path(lock: str) -> None:
    lines = [
        line.removesuffix("\\").strip()
        for line in (ROOT / lock).read_text(encoding="utf-8").splitlines()
        if not line.startswith("#")
    ]
    assert all(re.fullmatch(r"--hash=sha256:[0-9a-f]{64}|[^/\\@]+==[^/\\@]+", s) for s in lines)
    followers = zip(lines, [*lines[1:], ""], strict=True)
    assert [line for line, after in followers if "==" in line and "--hash" not in after] == []


def test_the_development_lock_holds_every_pin_of_the_run_lock() -> None:
    assert pins("requirements.lock") - pins("requirements-dev.lock") == set()


def test_every_declared_dependency_is_pinned_within_its_bounds() -> None:
    metadata = project()["project"]
    wanted = [*metadata["dependencies"], *metadata["optional-dependencies"]["postgresql"]]
    locked: dict[str, list[str]] = {}
    for name, version in pins("requirements.lock"):
        locked.setdefault(name, []).append(version)
    for requirement in map(Requirement, wanted):
        versions = locked[canonicalize_name(requirement.name)]
        assert all(requirement.specifier.contains(version) for version in versions), requirement


def test_the_run_lock_brings_no_tool_of_development() -> None:
    run = {name for name, _ in pins("requirements.lock")}
    assert run.isdisjoint({"duckdb", "hypothesis", "mypy", "pgserver", "pytest", "ruff"})


def test_every_dependency_is_explained() -> None:
    metadata = project()
    groups = metadata["dependency-groups"]
    declared = [
        *metadata["project"]["dependencies"],
        *metadata["project"]["optional-dependencies"]["postgresql"],
        *(entry for group in groups.values() for entry in group if isinstance(entry, str)),
    ]
    explained = (ROOT / "docs" / "dependencies.md").read_text(encoding="utf-8")
    names = {Requirement(entry).name for entry in declared}
    assert {name for name in names if f"| `{name}" not in explained} == set()


@pytest.mark.parametrize(("setting", "promised"), PROMISED_SETTINGS.items())
def test_the_shipped_setting_is_the_promised_one(setting: str, promised: object) -> None:
    assert settings_of(ROOT / ".streamlit" / "config.toml")[setting] == promised


def test_every_shipped_setting_is_one_that_streamlit_knows() -> None:
    known = set(streamlit_config.get_config_options())
    assert set(settings_of(ROOT / ".streamlit" / "config.toml")) - known == set()


def test_no_font_or_theme_is_fetched_from_another_machine() -> None:
    values = settings_of(ROOT / ".streamlit" / "config.toml")
    theme = {key: value for key, value in values.items() if key.startswith("theme.")}
    assert [key for key, value in theme.items() if "//" in str(value)] == []
