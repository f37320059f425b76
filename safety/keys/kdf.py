"""Argon2id: turning what people can remember into a key, at a price for those who guess."""

from __future__ import annotations

import threading
from dataclasses import dataclass
from typing import Final

from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from safety.errors import StoreUnavailable
from safety.keys.derivation import KEY_BYTES

SALT_BYTES = 16


@dataclass(frozen=True, slots=True)
class KdfParameters:
    """The cost of one Argon2id derivation.

    ``memory_kib`` is in KiB (1024 bytes). The defaults are RFC 9106's second recommendation
    (64 MiB, three passes, four lanes).
    """

    memory_kib: int = 64 * 1024
    iterations: int = 3
    lanes: int = 4

    def __str__(self) -> str:
        return f"m={self.memory_kib},t={self.iterations},p={self.lanes}"

    def lies_between(self, floor: KdfParameters, ceiling: KdfParameters) -> bool:
        """Say whether each cost is at least the floor's and at most the ceiling's."""
        return (
            floor.memory_kib <= self.memory_kib <= ceiling.memory_kib
            and floor.iterations <= self.iterations <= ceiling.iterations
            and floor.lanes <= self.lanes <= ceiling.lanes
        )


STANDARD = KdfParameters()

FLOOR = KdfParameters(memory_kib=19 * 1024, iterations=2, lanes=1)
"""The least we accept from a file: the OWASP password storage minimum for Argon2id."""

CEILING = KdfParameters(memory_kib=1024 * 1024, iterations=16, lanes=16)
"""The most we accept from a file: 1 GiB. More would only stop the server."""


ALONE: Final = threading.Lock()
"""Held around every derivation: one at a time in a process.

Two derivations with several lanes at the same moment wait for each other for ever, or end without
memory, in the thread pool of the library underneath (seen with cryptography 50.0, OpenSSL 4.0).
People who sign in together take turns of 0.3 s.
"""


def argon2id(salt: bytes, parameters: KdfParameters) -> Argon2id:
    """Set up one derivation of 32 bytes. The object can be used once."""
    return Argon2id(
        salt=salt,
        length=KEY_BYTES,
        iterations=parameters.iterations,
        lanes=parameters.lanes,
        memory_cost=parameters.memory_kib,
    )


def stretch(text: bytes, salt: bytes, parameters: KdfParameters) -> bytes:
    """Derive 32 bytes from a passphrase.

    Raises StoreUnavailable when there is too little memory.
    """
    try:
        with ALONE:
            return argon2id(salt, parameters).derive(text)
    except MemoryError:
        raise StoreUnavailable(
            f"Deriving the key takes {parameters.memory_kib // 1024} MiB of memory, and the system "
            "has not that much left. Close other programs and try again."
        ) from None
