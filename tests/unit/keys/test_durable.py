"""A small file is written whole, or stays what it was."""

from __future__ import annotations

import errno
from pathlib import Path
from typing import NoReturn

import pytest

from safety.errors import StoreExists, StoreUnavailable
from safety.keys import durable
from safety.keys.kdf import STANDARD, stretch


@pytest.fixture(params=["hard links", "no hard links"])
def path(request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    def refuse(*_: object) -> NoReturn:
        raise OSError(errno.EPERM, "Operation not permitted")

    if request.param == "no hard links":
        monkeypatch.setattr(Path, "hardlink_to", refuse)
    return tmp_path / "file"


def test_a_new_file_is_written_and_nothing_else(path: Path) -> None:
    durable.write_new(path, b"content")
    assert path.read_bytes() == b"content"
    assert list(path.parent.iterdir()) == [path]


def test_a_file_that_is_there_is_refused_and_kept(path: Path) -> None:
    path.write_bytes(b"old")
    with pytest.raises(StoreExists):
        durable.write_new(path, b"new")
    assert path.read_bytes() == b"old"
    assert list(path.parent.iterdir()) == [path]


def test_content_is_replaced(path: Path) -> None:
    durable.write_new(path, b"old")
    durable.replace(path, b"new")
    assert path.read_bytes() == b"new"
    assert list(path.parent.iterdir()) == [path]


def test_another_failure_is_reported_with_the_system_s_words(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> NoReturn:
        raise OSError(errno.EIO, "Input/output error")

    monkeypatch.setattr(Path, "hardlink_to", fail)
    with pytest.raises(StoreUnavailable, match="Input/output error"):
        durable.write_new(tmp_path / "file", b"content")
    assert list(tmp_path.iterdir()) == []


def test_too_little_memory_for_a_passphrase_is_said_so(monkeypatch: pytest.MonkeyPatch) -> None:
    class Exhausted:
        def derive(self, _: bytes) -> NoReturn:
            raise MemoryError

    monkeypatch.setattr("safety.keys.kdf.argon2id", lambda *_: Exhausted())
    with pytest.raises(StoreUnavailable, match="64 MiB of memory"):
        stretch(b"text", bytes(16), STANDARD)
