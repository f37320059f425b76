"""Promise 21 on the command line, and in the log of a database server.

Commands run in processes of their own, with good and bad input full of markers; what they print,
the package that they write and the folder of the store are searched. See ``test_marker.py``.
"""

from __future__ import annotations

import logging
import subprocess
import sys
from pathlib import Path
from typing import Any, Final

import pytest

from reports.commands import main
from safety import service
from safety.store import recording
from safety.store.handle import Store
from tests.support.builders import NURSE
from tests.support.csv_pairs import write_pair
from tests.support.marked import HALF, a_marked_report, marked_events, marked_pairs, marked_rows
from tests.support.markers import LOT, MRN, NAME, NARRATIVE, Hunt
from tests.support.stores import tampering


def files_for_commands(folder: Path) -> dict[str, Path]:
    """Input files full of markers, for every command that reads one."""
    folder.mkdir()
    given = {
        "toml": f'[{NARRATIVE}]\nname = "{NAME}"\n'.encode(),
        "protocol": f'[protocol.x]\nname = "{NAME}"\ndrug = "{NAME}"\n'.encode(),
        "not toml": f"{NAME} = = {MRN}".encode(),
        "no workbook": f"{NAME}\n{MRN}".encode(),
        "no key": f"{NAME}{MRN}".encode(),
        "anchor": f"{NAME}\n{MRN}\n{LOT}\n".encode(),
        "json anchor": f'{{"audit_head": {{"seq": "{NAME}", "mac": "{MRN}"}}}}'.encode(),
    }
    for name, content in given.items():
        (folder / name.replace(" ", "-")).write_bytes(content)
    (folder / "package").mkdir()
    (folder / "package" / "manifest.json").write_bytes(f'{{"{NAME}": "{MRN}"}}'.encode())
    (folder / "no-key").chmod(0o600)
    return {name: folder / name.replace(" ", "-") for name in (*given, "package")}


def commands(files: dict[str, Path], pairs: list[list[Path]], out: Path) -> list[list[str | Path]]:
    period: list[str | Path] = ["--from", "2026-01-01", "--to", "2026-03-31"]
    return [
        *(["import", *pair, "--format", form] for pair in pairs for form in ("table", "json")),
        ["rates", *period, "--format", "json"],
        ["rates", *period, "--unit", "patient-month", "--term", NAME],
        ["export", "2026Q1", "--out", out],
        ["verify", out],
        ["verify", files["package"]],
        ["verify", "--store", "--format", "json"],
        ["verify", "--store", "--anchor", files["anchor"]],
        ["verify", "--store", "--anchor", files["json anchor"]],
        ["rebuild", "--write", "--format", "json"],
        ["protocols", "load", files["toml"]],
        ["protocols", "load", files["protocol"]],
        ["protocols", "load", files["not toml"]],
        ["protocols", "list"],
        ["vocabulary", "load", files["no workbook"]],
        ["vocabulary", "list"],
        ["users", "list"],
        ["--key-file", files["no key"], "verify", "--store"],
    ]


@pytest.fixture
def prepared(store: Store, tmp_path: Path) -> tuple[list[list[str | Path]], list[str]]:
    """A closed store with one report; every command with its files, and how to call one."""
    service.file_report(store, NURSE, a_marked_report())
    store.close()
    pairs = [
        [path for path in write_pair(tmp_path / f"in-{number}", *pair) if path]
        for number, pair in enumerate(_some(marked_pairs()))
    ]
    tried = commands(files_for_commands(tmp_path / "files"), pairs, tmp_path / "out")
    return tried, [sys.executable, "-m", "reports.commands", "--home", str(store.config.home)]


def _some(pairs: dict[str, tuple[Any, Any]]) -> list[tuple[Any, Any]]:
    """A good pair and broken ones: each command takes a second."""
    chosen = ("no heading", "Latin-1", "another birth date", "a name as dose_mg")
    return [(marked_rows(), marked_events()), *(pairs[name] for name in chosen)]


EVERY: Final = 1


@pytest.mark.parametrize(
    "step",
    [pytest.param(7, id="some"), pytest.param(EVERY, id="every one", marks=pytest.mark.slow)],
)
def test_commands_in_processes_of_their_own_say_nothing(
    store: Store, tmp_path: Path, prepared: tuple[list[list[str | Path]], list[str]], step: int
) -> None:
    """Good input and bad; at the end also on a store that was tampered with."""
    tried, afterdose = prepared
    hunt = Hunt()
    for command in tried[::step]:
        _run(hunt, afterdose, command, tmp_path)
    with tampering(store) as raw:
        raw.execute("UPDATE sessions SET dose_mg = 1")
        raw.execute("UPDATE reports SET document = ?", b"\x01" + NAME.encode() * 20)
    tampered: list[list[str | Path]] = [["rebuild"], ["verify", "--store"], tried[0]]
    for command in tampered[::step]:
        _run(hunt, afterdose, command, tmp_path)
    hunt.folder(tmp_path / "out", tmp_path / "home")
    hunt.assert_nothing()


def _run(hunt: Hunt, afterdose: list[str], command: list[str | Path], folder: Path) -> None:
    name = " ".join(Path(word).name for word in map(str, command))
    done = subprocess.run(
        [*afterdose, *command], check=False, capture_output=True, cwd=folder, timeout=120
    )
    assert done.stderr or done.stdout, name
    assert b"Traceback" not in done.stderr, done.stderr
    hunt.data(f"{name}: standard output", done.stdout)
    hunt.data(f"{name}: standard error", done.stderr)


@pytest.mark.parametrize(
    "error",
    [
        ValueError(f"could not convert string to float: {NAME!r}"),
        KeyError(MRN),
        UnicodeEncodeError("utf-8", HALF, 3, 4, "surrogates not allowed"),
        OSError(5, NAME, NARRATIVE),
    ],
    ids=lambda error: type(error).__name__,
)
def test_an_error_that_nobody_expected_is_told_without_its_text(
    embedded_store: Store,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    capfd: pytest.CaptureFixture[str],
    caplog: pytest.LogCaptureFixture,
    error: Exception,
) -> None:
    """A library raises with the value in its message; the command line names type and place."""
    caplog.set_level(logging.DEBUG)
    sessions, events = write_pair(tmp_path / "in", marked_rows(), marked_events())

    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr(recording, "reference_index", fail)
    embedded_store.close()
    home = str(embedded_store.config.home)
    assert main(["--home", home, "import", str(sessions), str(events)]) == 1
    said = capfd.readouterr()
    assert type(error).__name__ in said.err
    hunt = Hunt()
    hunt.text("standard output and error", *said)
    hunt.text("the log", caplog.text)
    hunt.assert_nothing()
