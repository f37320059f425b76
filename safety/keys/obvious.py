"""What makes a password easy to guess, in a few rules instead of a long list.

Published lists of common passwords hold few of 15 characters or more; those that are, are made of
the same pieces: a common word, a row of keys, a repetition, a name. So we count what is left when
such pieces are taken out.
"""

from __future__ import annotations

from collections.abc import Iterable

_COMMON = (
    "password passwort passwords passcode passphrase motdepasse contrasena kennwort welcome "
    "letmein iloveyou changeme changeit default administrator admin superuser root login logon "
    "signin username user test testing temporary temp secret trustno monkey dragon sunshine "
    "princess football baseball superman batman master hello whatever freedom starwars "
    "afterdose ketamine esketamine spravato ketalar clinic hospital medical medicine nurse nursing "
    "doctor director compliance officer patient health anesthesia anaesthesia therapy infusion "
    "spring summer autumn winter monday tuesday wednesday thursday friday saturday sunday "
    "january february march april june july august september october november december "
    "correcthorsebatterystaple thequickbrownfoxjumpsoverthelazydog "
    "loremipsumdolorsitamet tobeornottobethatisthequestion maytheforcebewithyou"
)
_ROWS = (
    "abcdefghijklmnopqrstuvwxyz",
    "01234567890123456789",
    "qwertyuiop[]",
    "asdfghjkl;'",
    "zxcvbnm,./",
    "1qaz2wsx3edc4rfv5tgb6yhn7ujm8ik,9ol.0p;/",
    "1q2w3e4r5t6y7u8i9o0p",
    "qazwsxedcrfvtgbyhnujmikolp",
    "!@#$%^&*()",
    "azertyuiop",
    "qwertzuiop",
)
_LOOKS_LIKE = str.maketrans("013457@$!|", "oieastasii")
_RUN = 4
_SHORTEST_NAME = 3


def hard_to_guess_characters(text: str, names: Iterable[str]) -> int:
    """Count the characters that no obvious piece explains; a repeated stretch counts once."""
    plain = "".join(text.casefold().split())
    plain = plain[: _period(plain)]
    covered = [False] * len(plain)
    for start, end in _runs(plain):
        covered[start:end] = [True] * (end - start)
    _cover_words(covered, plain.translate(_LOOKS_LIKE), _words(names))
    left = [character for character, known in zip(plain, covered, strict=True) if not known]
    # A text of few different characters is no harder than those characters, each typed twice.
    return min(len(left), 2 * len(set(left)))


def _words(names: Iterable[str]) -> list[str]:
    parts = [part for name in names for part in (name, *name.replace("-", " ").split())]
    squeezed = {"".join(part.casefold().split()).translate(_LOOKS_LIKE) for part in parts}
    return [*_COMMON.split(), *(word for word in squeezed if len(word) >= _SHORTEST_NAME)]


def _cover_words(covered: list[bool], text: str, words: Iterable[str]) -> None:
    for word in words:
        start = text.find(word)
        while start >= 0:
            covered[start : start + len(word)] = [True] * len(word)
            start = text.find(word, start + 1)


def _period(text: str) -> int:
    """Return the length of the shortest stretch whose repetition gives the text."""
    return next(
        (size for size in range(1, len(text) // 2 + 1) if text[size:] == text[: len(text) - size]),
        len(text),
    )


def _runs(text: str) -> Iterable[tuple[int, int]]:
    """Yield the stretches of four and more characters that follow a row, forward or backward."""
    rows = [direction for row in _ROWS for direction in (row, row[::-1])]
    for start in range(len(text) - _RUN + 1):
        piece = text[start : start + _RUN]
        if len(set(piece)) == 1 or any(piece in row for row in rows):
            yield start, start + _RUN
