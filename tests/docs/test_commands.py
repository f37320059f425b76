"""Commands in the documentation parse, and those of the README do what it says."""

from __future__ import annotations

import os
import re
import shlex
import shutil
import subprocess
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from docs import tables
from reports.commands import main
from reports.commands.parser import make_parser
from reports.quarterly.package import write_package
from reports.quarterly.signature import fingerprint
from tests.support import packages

ROOT: Final = tables.ROOT
SHELL: Final = re.compile(r"^```sh\n(?P<body>.*?)^```", re.DOTALL | re.MULTILINE)
RUN: Final = "<!-- run: {name} -->\n```sh\n"
PAGES: Final = [page.relative_to(ROOT).as_posix() for page in tables.pages()]
PASSWORD: Final = "seven purple lamps walk\n"


def shell_lines(page: str) -> Iterator[str]:
    """The lines of every shell block of a page."""
    for match in SHELL.finditer((ROOT / page).read_text(encoding="utf-8")):
        yield from match["body"].splitlines()


def block(page: str, name: str) -> str:
    """The shell block that is marked to be run under ``name``."""
    text = (ROOT / page).read_text(encoding="utf-8")
    return text.partition(RUN.format(name=name))[2].partition("```")[0]


@pytest.mark.parametrize("page", PAGES)
def test_every_afterdose_command_of_a_page_parses(page: str) -> None:
    for line in shell_lines(page):
        if not line.startswith("afterdose "):
            continue
        words = shlex.split(line, comments=True)
        typed = words[1 : words.index(">")] if ">" in words else words[1:]
        try:
            make_parser().parse_args(typed)
        except SystemExit:
            pytest.fail(f"not a command: {line}")


def test_every_make_target_of_a_page_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", (ROOT / "Makefile").read_text("utf-8"), re.MULTILINE))
    for page in PAGES:
        for line in shell_lines(page):
            if line.startswith("make "):
                words = shlex.split(line, comments=True)[1:]
                assert {word for word in words if "=" not in word} <= targets, line


def test_the_first_ten_minutes_work_as_they_are_written(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    shutil.copytree(ROOT / "docs/sample", tmp_path / "docs/sample")
    (tmp_path / "password").write_text(PASSWORD, encoding="utf-8")
    monkeypatch.chdir(tmp_path)
    monkeypatch.setenv("HOME", str(tmp_path))
    printed = []
    for line in block("README.md", "first-ten-minutes").splitlines():
        words = [os.path.expanduser(word) for word in shlex.split(line)]  # noqa: PTH111
        if words[0] == "export":
            name, _, value = words[1].partition("=")
            monkeypatch.setenv(name, os.path.expanduser(value))  # noqa: PTH111
            continue
        with Path("password").open(encoding="utf-8") as typed:
            monkeypatch.setattr("sys.stdin", typed)
            assert main(words[1:]) == 0, line
        printed.append(capsys.readouterr().out)
    shown = (ROOT / "README.md").read_text(encoding="utf-8")
    counted = next(text for text in printed if text.startswith("protocol"))
    assert f"```text\n{counted}```" in shown
    assert "Imported 6 sessions with 5 events" in printed[3]


def test_an_outsider_can_check_a_package_with_standard_tools(tmp_path: Path) -> None:
    needed = ("sh", "openssl", "sha256sum", "xxd", "python3")
    if missing := [tool for tool in needed if shutil.which(tool) is None]:
        pytest.skip(f"not installed here: {', '.join(missing)}")
    commands = f"set -e\n{block('docs/export.md', 'verify-by-hand')}"
    folder = write_package(tmp_path / "package", packages.content(), packages.KEY.sign)

    def run() -> subprocess.CompletedProcess[str]:
        return subprocess.run(
            ["sh", "-c", commands], cwd=folder, capture_output=True, text=True, check=False
        )

    done = run()
    assert done.returncode == 0, done.stderr
    assert "Signature Verified Successfully" in done.stdout + done.stderr
    key = fingerprint(packages.PUBLIC_KEY).replace(" ", "")
    assert done.stdout.splitlines()[-1].startswith(key)
    (folder / "incidence.csv").write_bytes(b"changed")
    assert run().returncode != 0
