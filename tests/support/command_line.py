"""The command line in this process: what a command printed, said, and ended with."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

import pytest

from reports.commands import main
from safety.config import read_config
from safety.keys.sources import KeyFile
from safety.store.handle import Store
from safety.store.opening import open_store

PASSWORD: Final = "lantern gravel otter 58"


@dataclass(frozen=True, slots=True)
class Done:
    """One finished command. ``out`` is the result, ``err`` what was said beside it."""

    status: int
    out: str
    err: str

    def json(self) -> Any:
        """The result as JSON; fails when anything else is on standard output."""
        return json.loads(self.out)


class Desk:
    """Somebody at a terminal: a folder for the clinic's data, one for the key, one for files."""

    def __init__(self, folder: Path, capsys: pytest.CaptureFixture[str]) -> None:
        self.folder = folder
        self.home = folder / "home"
        self.key = folder / "keys" / "clinic.key"
        self.password = self.file("password", f"{PASSWORD}\n")
        self._capsys = capsys

    def run(self, *arguments: str | Path) -> Done:
        """Run ``afterdose --home HOME ARGUMENTS``."""
        self._capsys.readouterr()
        try:
            status = main(["--home", str(self.home), *map(str, arguments)])
        except SystemExit as stop:  # argparse
            status = int(stop.code or 0)
        said = self._capsys.readouterr()
        return Done(status, said.out, said.err)

    def init(self, *more: str | Path) -> Done:
        """Make the clinic with a key file."""
        return self.run("init", *self.founding(), "--key-file", self.key, *more)

    def founding(self, **changes: str | Path) -> list[str | Path]:
        """The options of ``init`` but for the key, some of them changed."""
        given: dict[str, str | Path] = {
            "clinic": "Alder Clinic",
            "site": "Main Street",
            "director": "ida",
            "password-file": self.password,
        }
        return [part for name, value in (given | changes).items() for part in (f"--{name}", value)]

    @contextmanager
    def store(self) -> Iterator[Store]:
        """The store as a program of ours opens it, to look behind the command line."""
        found = open_store(read_config(self.home), KeyFile(self.key))
        try:
            yield found
        finally:
            found.close()

    def file(self, name: str, content: str) -> Path:
        """Write a text file beside the home folder."""
        path = self.folder / name
        path.write_text(content, encoding="utf-8")
        return path
