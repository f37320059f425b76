"""Key sources: what opens a slot of keys.json.

A new kind of source (a key management service, a smart card) is one more class that follows
``KeySource``; nothing else changes. A service that offers a keyed hash derives the slot key from
``terms.context()``; one that only wraps keeps 32 wrapped bytes in its own configuration, has them
unwrapped with ``terms.context()`` as context, and goes on as ``KeyFile`` does.
"""

from __future__ import annotations

import unicodedata
from pathlib import Path
from typing import Final, Protocol

from safety.errors import BadInputFile, Tampered, UnsafeKeySource
from safety.keys.derivation import derive_slot_key
from safety.keys.kdf import CEILING, FLOOR, STANDARD, KdfParameters, stretch
from safety.keys.keyfile import check_apart, create_key_file, read_key_file
from safety.keys.recovery import RecoveryCode
from safety.keys.silent import Silent
from safety.keys.slots import SlotTerms

__all__ = ["KeyFile", "KeySource", "Passphrase", "RecoveryCode", "SlotTerms", "check_apart"]

SHORTEST_PASSPHRASE = 15
"""Characters, after NFKC."""


class KeySource(Protocol):
    """Something that gives the key of the slots of its kind, or refuses."""

    @property
    def kind(self) -> str:
        """The slots this source opens: ``passphrase``, ``key-file``, ``recovery``, or another."""

    @property
    def kdf(self) -> KdfParameters | None:
        """The Argon2id costs for a new slot; None when the secret is random already."""

    def slot_key(self, terms: SlotTerms) -> bytes:
        """Return the 32-byte key of the slot with these terms, always the same for one slot.

        Raises UserError when the source cannot be used (a missing file, loose permissions).
        A secret that is simply the wrong one is not found out here but by the slot's key id.
        """


class KeyFile:
    """A file of 32 random bytes, kept apart from the data and from its backup."""

    __slots__ = ("path",)

    kind: Final = "key-file"
    kdf: Final[KdfParameters | None] = None

    def __init__(self, path: Path) -> None:
        self.path = path

    @classmethod
    def create(cls, path: Path) -> KeyFile:
        """Make a key file, readable by its owner alone. It never overwrites a file.

        Raises UnsafeKeySource when there is a file already, BadInputFile when it cannot be written.
        """
        create_key_file(path)
        return cls(path)

    def slot_key(self, terms: SlotTerms) -> bytes:
        """Read the file and derive the key of one slot.

        Raises BadInputFile when it cannot be read, and UnsafeKeySource when it is not what a key
        file must be.
        """
        return derive_slot_key(read_key_file(self.path), terms.salt, self.kind)


class Passphrase(Silent):
    """Words that somebody types after each restart.

    ``floor`` is the least Argon2id cost that is accepted from keys.json: a file that asks for less
    was not written by Afterdose. Only tests lower it.
    Raises UnsafeKeySource for fewer than 15 characters after NFKC.
    """

    __slots__ = ("_floor", "_text", "kdf")

    kind: Final = "passphrase"

    def __init__(
        self, text: str, *, kdf: KdfParameters = STANDARD, floor: KdfParameters = FLOOR
    ) -> None:
        self.kdf = kdf
        self._floor = floor
        self._text = _encoded(text)
        if not kdf.lies_between(floor, CEILING):
            raise UnsafeKeySource(f"The Argon2id cost {kdf} is outside {floor} to {CEILING}.")

    @classmethod
    def from_file(
        cls, path: Path, *, kdf: KdfParameters = STANDARD, floor: KdfParameters = FLOOR
    ) -> Passphrase:
        """Read a passphrase from a UTF-8 text file. One newline at its end is not part of it.

        Raises BadInputFile when the file cannot be read as text, else as the class does.
        """
        try:
            text = path.read_bytes().decode("utf-8-sig")
        except OSError as error:
            raise BadInputFile(
                f"The passphrase file {path} cannot be read: {error.strerror}."
            ) from None
        except UnicodeDecodeError:
            raise BadInputFile(
                f"The passphrase file {path} is not UTF-8 text. Save it as UTF-8."
            ) from None
        return cls(text.removesuffix("\n").removesuffix("\r"), kdf=kdf, floor=floor)

    def slot_key(self, terms: SlotTerms) -> bytes:
        """Derive the key of one slot with Argon2id.

        Raises Tampered when the slot asks for a cost outside what Afterdose writes.
        """
        if terms.kdf is None or not terms.kdf.lies_between(self._floor, CEILING):
            raise Tampered(
                "keys.json asks for a passphrase derivation that Afterdose never writes "
                f"({terms.kdf}). Restore keys.json from the backup."
            )
        return stretch(self._text, terms.salt, terms.kdf)


def _encoded(text: str) -> bytes:
    normalised = unicodedata.normalize("NFKC", text)
    if len(normalised) < SHORTEST_PASSPHRASE:
        raise UnsafeKeySource(
            f"A passphrase has {SHORTEST_PASSPHRASE} characters or more; this one has "
            f"{len(normalised)}. Five or six unrelated words are easy to type."
        )
    return normalised.encode(errors="surrogatepass")
