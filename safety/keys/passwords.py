"""Account passwords: who is asking. They open no key.

Hashes are PHC strings of Argon2id. Passwords are compared after NFKC, so that the same letters
typed on another keyboard are the same password. The rules for new ones follow NIST SP 800-63B:
length, no composition rules, nothing obvious.
"""

from __future__ import annotations

import base64
import re
import secrets
import unicodedata
from typing import Final, Literal

from cryptography.exceptions import InvalidKey
from cryptography.hazmat.primitives.kdf.argon2 import Argon2id

from safety.errors import SignInFailed, Tampered, WeakPassword
from safety.keys.derivation import KEY_BYTES
from safety.keys.kdf import ALONE, CEILING, SALT_BYTES, STANDARD, KdfParameters, argon2id
from safety.keys.obvious import hard_to_guess_characters

SHORTEST: Final = 15
LONGEST: Final = 256
_FEWEST_HARD_CHARACTERS = 10
# NFKC can shorten a text, but not by more than this; anything longer is no password of ours.
_LONGEST_TYPED = 4 * LONGEST

_PHC = re.compile(
    r"\$argon2id\$v=19\$m=(\d{1,8}),t=(\d{1,3}),p=(\d{1,3})\$[A-Za-z0-9+/]{22}\$[A-Za-z0-9+/]{43}"
)
_LEAST = KdfParameters(memory_kib=8, iterations=1, lanes=1)


def hash_password(text: str, parameters: KdfParameters = STANDARD) -> str:
    """Return the PHC string to store for a password. ``check_new_password`` judges its strength.

    Raises WeakPassword for a text that is longer than any password.
    """
    if len(text) > _LONGEST_TYPED:
        raise WeakPassword(f"The password can have at most {LONGEST} characters.")
    salt = secrets.token_bytes(SALT_BYTES)
    with ALONE:
        return argon2id(salt, parameters).derive_phc_encoded(_typed(text))


def verify_password(
    phc: str | None, text: str, parameters: KdfParameters = STANDARD
) -> Literal[True]:
    """Check a typed password against a stored PHC string.

    Give None for a user who is not known: it takes the same time, with ``parameters``, and fails
    with the same words. Raises SignInFailed when the password is not right, and Tampered when the
    stored string is not one that Afterdose wrote.
    """
    if phc is None or len(text) > _LONGEST_TYPED:
        phc = _hash_that_nothing_fits(parameters)
    _parameters(phc)
    try:
        with ALONE:
            Argon2id.verify_phc_encoded(_typed(text[:_LONGEST_TYPED]), phc)
    except InvalidKey:
        raise SignInFailed(
            "User name and password do not belong together. Check both and try again."
        ) from None
    return True


def needs_rehash(phc: str, parameters: KdfParameters = STANDARD) -> bool:
    """Say whether a stored PHC string was made at another cost than today's.

    Raises Tampered when the string is not one that Afterdose wrote.
    """
    return _parameters(phc) != parameters


def check_new_password(text: str, username: str, clinic: str) -> None:
    """Refuse a new password that is too short, too long, or easy to guess.

    ``username`` and ``clinic`` (its name) must not make up the bulk of it. Raises WeakPassword.
    """
    normalised = unicodedata.normalize("NFKC", text)
    if len(normalised) < SHORTEST:
        raise WeakPassword(
            f"The password needs {SHORTEST} characters or more. "
            "A few unrelated words are easy to remember; spaces are welcome."
        )
    if len(normalised) > LONGEST:
        raise WeakPassword(f"The password can have at most {LONGEST} characters.")
    if hard_to_guess_characters(normalised, (username, clinic)) < _FEWEST_HARD_CHARACTERS:
        raise WeakPassword(
            "The password is easy to guess: most of it is a common word, a row of keys, a "
            "repetition, the user name or the clinic's name. Add a few unrelated words."
        )


def _typed(text: str) -> bytes:
    return unicodedata.normalize("NFKC", text).encode(errors="surrogatepass")


def _parameters(phc: str) -> KdfParameters:
    match = _PHC.fullmatch(phc)
    if match is None:
        raise Tampered(
            "The stored password hash of an account was changed. "
            "Restore the last backup that passes `afterdose verify --store`."
        )
    memory, iterations, lanes = (int(number) for number in match.groups())
    parameters = KdfParameters(memory, iterations, lanes)
    if not parameters.lies_between(_LEAST, CEILING) or memory < 8 * lanes:  # RFC 9106, 3.1
        raise Tampered("The stored password hash of an account asks for an impossible cost.")
    return parameters


def _hash_that_nothing_fits(parameters: KdfParameters) -> str:
    """Make a PHC string whose hash is random, so that no password is known to give it."""
    salt, digest = (
        base64.b64encode(secrets.token_bytes(size)).decode().rstrip("=")
        for size in (SALT_BYTES, KEY_BYTES)
    )
    return f"$argon2id$v=19${parameters}${salt}${digest}"
