"""The signature over a manifest: Ed25519 (RFC 8032), raw, in base64 with a line end."""

from __future__ import annotations

import hashlib
from base64 import b64decode, b64encode

from safety.errors import Tampered


def fingerprint(public_key: bytes) -> str:
    """SHA-256 of a raw public key in groups of four, to be compared by eye or aloud."""
    digits = hashlib.sha256(public_key).hexdigest()
    return " ".join(digits[at : at + 4] for at in range(0, len(digits), 4))


def signature_bytes(signature: bytes) -> bytes:
    """Content of ``manifest.json.sig``."""
    return b64encode(signature) + b"\n"


def check_signature(public_key: bytes, manifest: bytes, file: bytes) -> None:
    """Check ``manifest.json.sig``. Raises Tampered when it was not made over these bytes."""
    from cryptography.exceptions import InvalidSignature
    from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

    try:
        signature = b64decode(file)
        genuine = signature_bytes(signature) == file  # base64 has more than one reading otherwise
        Ed25519PublicKey.from_public_bytes(public_key).verify(signature, manifest)
    except (InvalidSignature, ValueError):
        genuine = False
    if not genuine:
        raise Tampered(
            "manifest.json.sig does not fit manifest.json and the key in it. The package was "
            "changed, or was not made by the holder of the key: ask the clinic for it again."
        )
