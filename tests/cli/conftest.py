"""A desk with and without a clinic. The clinic is made once, by ``init``, and copied."""

from __future__ import annotations

import io
import shutil
from contextlib import redirect_stdout
from pathlib import Path

import pytest

from reports.commands import main
from safety.config import CONFIG, HOME_VARIABLE
from safety.keys.kdf import KdfParameters
from tests.support.command_line import PASSWORD, Desk


@pytest.fixture
def desk(
    tmp_path: Path,
    capsys: pytest.CaptureFixture[str],
    cheap_kdf: KdfParameters,
    monkeypatch: pytest.MonkeyPatch,
) -> Desk:
    """A desk without a clinic."""
    monkeypatch.delenv(HOME_VARIABLE, raising=False)
    return Desk(tmp_path, capsys)


@pytest.fixture(scope="session")
def made_clinic(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Home, key and recovery code of a clinic as ``init`` makes it."""
    folder = tmp_path_factory.mktemp("clinic")
    (folder / "password").write_text(PASSWORD, encoding="utf-8")
    said = io.StringIO()
    with redirect_stdout(said):
        status = main(
            [
                *("--home", str(folder / "home"), "init", "--clinic", "Alder Clinic"),
                *("--site", "Main Street", "--director", "ida"),
                *("--password-file", str(folder / "password")),
                *("--key-file", str(folder / "keys" / "clinic.key")),
            ]
        )
    assert status == 0
    code = next(word for word in said.getvalue().split() if word.count("-") == 13)
    (folder / "code").write_text(code, encoding="utf-8")
    return folder


@pytest.fixture
def clinic(desk: Desk, made_clinic: Path) -> Desk:
    """A desk with a clinic: one site, the seeded protocols, the director ``ida``."""
    shutil.copytree(made_clinic, desk.folder, dirs_exist_ok=True)
    config = desk.home / CONFIG
    moved = config.read_text(encoding="utf-8").replace(str(made_clinic), str(desk.folder))
    config.write_text(moved, encoding="utf-8")
    return desk
