"""What the key tests share: the cheapest Argon2id cost, sources made with it, and places."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from uuid import UUID

import pytest

from safety.keys.kdf import KdfParameters
from safety.keys.sources import KeyFile, Passphrase


@pytest.fixture
def cheap() -> KdfParameters:
    """Return the least that Argon2id can do, so that the tests are fast."""
    return KdfParameters(memory_kib=8, iterations=1, lanes=1)


@pytest.fixture
def passphrase(cheap: KdfParameters) -> Callable[..., Passphrase]:
    """Make a passphrase source at the cheapest cost."""

    def make(text: str = "otter violin harbour maple") -> Passphrase:
        return Passphrase(text, kdf=cheap, floor=cheap)

    return make


@pytest.fixture
def key_file(tmp_path: Path) -> KeyFile:
    return KeyFile.create(tmp_path / "clinic.key")


@pytest.fixture
def clinic() -> UUID:
    return UUID("5b0b2f0e-0f3c-4b52-9a55-0d6c5b3f1a01")


@pytest.fixture
def keys_path(tmp_path: Path) -> Path:
    home = tmp_path / "home"
    home.mkdir()
    return home / "keys.json"
