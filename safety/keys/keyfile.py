"""Key files: making one, reading one, and refusing one that others could have read."""

from __future__ import annotations

import os
import secrets
import stat
import sys
from pathlib import Path

from safety.errors import BadInputFile, UnsafeKeySource
from safety.keys.derivation import KEY_BYTES
from safety.keys.durable import flush, flush_folder

# Names that some systems lack. O_NONBLOCK keeps a named pipe from holding us up for ever.
_READ_FLAGS = (
    os.O_RDONLY
    | getattr(os, "O_NOFOLLOW", 0)
    | getattr(os, "O_NONBLOCK", 0)
    | getattr(os, "O_BINARY", 0)
)
_CREATE_FLAGS = os.O_WRONLY | os.O_CREAT | os.O_EXCL | getattr(os, "O_BINARY", 0)
_OTHERS = stat.S_IRWXG | stat.S_IRWXO
_FEWEST_DIFFERENT_BYTES = 8


def create_key_file(path: Path) -> None:
    """Write 32 random bytes to a new file that only its owner can read.

    Raises UnsafeKeySource when the file is there already, BadInputFile when it cannot be written.
    """
    try:
        handle = os.open(path, _CREATE_FLAGS, 0o600)
    except FileExistsError:
        raise UnsafeKeySource(
            f"{path} is there already, and a key file is never overwritten. Name another file."
        ) from None
    except OSError as error:
        raise _unusable(path, "written", error) from None
    with os.fdopen(handle, "wb") as file:
        file.write(secrets.token_bytes(KEY_BYTES))
        flush(file)
    flush_folder(path.parent)


def read_key_file(path: Path) -> bytes:
    """Return the 32 bytes of a key file.

    Raises BadInputFile when it cannot be read, and UnsafeKeySource when it is not a regular file
    of 32 random bytes, owned by this user or by root, that nobody else may touch.
    """
    _check_link(path)
    try:
        handle = os.open(path.resolve(), _READ_FLAGS)
    except OSError as error:
        raise _unusable(path, "read", error) from None
    try:
        _check_status(path, os.fstat(handle))
        key = os.read(handle, KEY_BYTES + 1)
    finally:
        os.close(handle)
    _check_content(path, key)
    return key


def check_apart(path: Path, home: Path) -> None:
    """Refuse a key file that lies in the data folder, where one theft takes both.

    Raises UnsafeKeySource.
    """
    inner, outer = path.resolve(), home.resolve()
    if any(_same_folder(parent, outer) for parent in inner.parents):
        raise UnsafeKeySource(
            f"The key file {path} lies in the data folder {home}: whoever takes the folder, or its "
            "backup, has the key too. Keep the key file in another place, with a backup of its own."
        )


def _same_folder(one: Path, other: Path) -> bool:
    # samefile sees through letter case and mounts, where the names do not tell.
    if one.exists() and other.exists():
        return one.samefile(other)
    return os.path.normcase(one) == os.path.normcase(other)


def _check_link(path: Path) -> None:
    """Let a link pass only inside its own folder, as container platforms mount secrets."""
    try:
        astray = path.is_symlink() and path.parent.resolve() not in path.resolve().parents
    except (OSError, RuntimeError):  # a ring of links
        astray = True
    if astray:
        raise UnsafeKeySource(
            f"The key file {path} is a link to another folder. Name the file itself."
        )


def _check_status(path: Path, status: os.stat_result) -> None:
    if not stat.S_ISREG(status.st_mode):
        raise UnsafeKeySource(f"The key file {path} is not a regular file.")
    if sys.platform == "win32":
        return  # Windows has access lists; the mode bits and the owner say nothing there.
    if status.st_uid not in {os.geteuid(), 0}:
        raise UnsafeKeySource(
            f"The key file {path} belongs to another user. Give it to the user that runs Afterdose."
        )
    if status.st_mode & _OTHERS:
        raise UnsafeKeySource(
            f"The key file {path} can be reached by other users "
            f"(mode {stat.S_IMODE(status.st_mode):04o}). Run: chmod 600 {path}"
        )


def _check_content(path: Path, key: bytes) -> None:
    """Refuse what is surely not random: a wrong size, zeros, typed text.

    Of 32 random bytes fewer than 8 are different, or all are printable, about once in 10^13 files.
    """
    if len(key) != KEY_BYTES:
        size = "more" if len(key) > KEY_BYTES else str(len(key))
        raise UnsafeKeySource(
            f"A key file holds exactly {KEY_BYTES} random bytes; {path} holds {size}. "
            "Restore it from its own backup."
        )
    printable = all(0x20 <= byte < 0x7F for byte in key)
    if printable or len(set(key)) < _FEWEST_DIFFERENT_BYTES:
        raise UnsafeKeySource(
            f"The content of the key file {path} is not random. "
            "Restore it from its own backup, or make one that is random."
        )


def _unusable(path: Path, verb: str, error: OSError) -> BadInputFile:
    return BadInputFile(f"The key file {path} cannot be {verb}: {error.strerror}.")
