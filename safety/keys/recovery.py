"""The recovery code: 256 random bits on a sheet of paper in the safe."""

from __future__ import annotations

import base64
import hashlib
import re
import secrets
import unicodedata
from hmac import compare_digest
from typing import Final

from safety.errors import MistypedCode
from safety.keys.derivation import KEY_BYTES, derive_slot_key, label
from safety.keys.kdf import KdfParameters
from safety.keys.silent import Silent
from safety.keys.slots import SlotTerms

# Crockford's base 32 leaves out I, L, O and U, so that no two symbols look alike on paper.
_RFC_4648 = "ABCDEFGHIJKLMNOPQRSTUVWXYZ234567"
_CROCKFORD = "0123456789ABCDEFGHJKMNPQRSTVWXYZ"
_TO_CROCKFORD = str.maketrans(_RFC_4648, _CROCKFORD)
_FROM_CROCKFORD = str.maketrans(_CROCKFORD, _RFC_4648)
_LOOK_ALIKE = str.maketrans("OIL", "011")
_IGNORED = re.compile(r"[\W_]+")

# 32 bytes and 3 of checksum are 280 bits: 56 symbols and no bit over.
_CHECKSUM_BYTES = 3
_SYMBOLS = 56
_GROUP = 4


class RecoveryCode(Silent):
    """The key source for the day on which the passphrase or the key file is lost.

    It is shown once, by ``printed()``, and stored nowhere.
    """

    __slots__ = ("_secret",)

    kind: Final = "recovery"
    kdf: Final[KdfParameters | None] = None

    def __init__(self, secret: bytes) -> None:
        if len(secret) != KEY_BYTES:
            raise ValueError(f"A recovery code stands for {KEY_BYTES} bytes, not {len(secret)}.")
        self._secret = secret

    @classmethod
    def new(cls) -> RecoveryCode:
        """Make a code from the system's random source."""
        return cls(secrets.token_bytes(KEY_BYTES))

    @classmethod
    def parse(cls, text: str) -> RecoveryCode:
        """Read a typed code. Case, spaces and hyphens do not matter; O is 0, I and L are 1.

        Raises MistypedCode when symbols are missing, too many or not in use, or when the checksum
        does not fit. A code that was copied right but belongs to another store passes here, and
        raises WrongKey when it is used.
        """
        symbols = _IGNORED.sub("", unicodedata.normalize("NFKC", text).upper())
        symbols = symbols.translate(_LOOK_ALIKE)
        _check_symbols(symbols)
        raw = base64.b32decode(symbols.translate(_FROM_CROCKFORD))
        secret, checksum = raw[:KEY_BYTES], raw[KEY_BYTES:]
        if not compare_digest(checksum, _checksum(secret)):
            raise MistypedCode(
                "The recovery code was not copied right: its checksum does not fit. "
                "Compare it with the sheet, group by group."
            )
        return cls(secret)

    def printed(self) -> str:
        """Return the code for the sheet: 14 groups of four symbols, checksum included."""
        raw = self._secret + _checksum(self._secret)
        symbols = base64.b32encode(raw).decode().translate(_TO_CROCKFORD)
        return "-".join(symbols[at : at + _GROUP] for at in range(0, _SYMBOLS, _GROUP))

    def slot_key(self, terms: SlotTerms) -> bytes:
        """Derive the key of one slot; see ``KeySource``."""
        return derive_slot_key(self._secret, terms.salt, self.kind)


def _checksum(secret: bytes) -> bytes:
    return hashlib.sha256(label("recovery-checksum") + secret).digest()[:_CHECKSUM_BYTES]


def _check_symbols(symbols: str) -> None:
    strange = next((at for at, symbol in enumerate(symbols) if symbol not in _CROCKFORD), None)
    if strange is not None:
        raise MistypedCode(
            f"Group {strange // _GROUP + 1} of the recovery code holds a sign that is never used. "
            "The code is made of digits and letters without I, L, O and U."
        )
    if len(symbols) != _SYMBOLS:
        raise MistypedCode(
            f"The recovery code has {_SYMBOLS} letters and digits in groups of {_GROUP}; "
            f"{len(symbols)} were typed. Compare it with the sheet, group by group."
        )
