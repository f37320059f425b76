"""A key source in memory, as an adapter for a key service would be."""

from __future__ import annotations

import hmac

from safety.keys.kdf import KdfParameters
from safety.keys.sources import SlotTerms


class FakeKeyService:
    """A key service that offers a keyed hash, and counts how often it was asked."""

    kind = "fake-service"
    kdf: KdfParameters | None = None

    def __init__(self, secret: bytes) -> None:
        self._secret = secret
        self.calls = 0

    def slot_key(self, terms: SlotTerms) -> bytes:
        self.calls += 1
        return hmac.digest(self._secret, terms.context() + terms.salt, "sha256")
