"""Writing a small file so that a power cut leaves the old one or the new one, never half of it."""

from __future__ import annotations

import errno
import os
import sys
import tempfile
from collections.abc import Callable
from pathlib import Path
from typing import IO

from safety.errors import StoreExists, StoreUnavailable


def write_new(path: Path, content: bytes) -> None:
    """Write a file that is not there yet.

    Raises StoreExists when it is there, StoreUnavailable when it cannot be written.
    """
    try:
        _publish(path, content, _rename_unless_there)
    except FileExistsError:
        raise StoreExists(f"{path} is there already and is never overwritten.") from None


def replace(path: Path, content: bytes) -> None:
    """Put new content in the place of a file. Raises StoreUnavailable when it cannot be written."""
    _publish(path, content, os.replace)


def flush(file: IO[bytes]) -> None:
    """Return only when the content of an open file is on the disk."""
    file.flush()
    if sys.platform == "darwin":
        import fcntl

        # On macOS fsync stops at the drive's own cache.
        fcntl.fcntl(file.fileno(), fcntl.F_FULLFSYNC)
    else:
        os.fsync(file.fileno())


def flush_folder(folder: Path) -> None:
    """Return only when the names in a folder are on the disk. Windows has no such call."""
    if sys.platform == "win32":
        return
    handle = os.open(folder, os.O_RDONLY)
    try:
        os.fsync(handle)
    finally:
        os.close(handle)


def _publish(path: Path, content: bytes, move: Callable[[Path, Path], None]) -> None:
    try:
        handle, name = tempfile.mkstemp(prefix=f".{path.name}-", dir=path.parent)
        temporary = Path(name)
        try:
            with os.fdopen(handle, "wb") as file:
                file.write(content)
                flush(file)
            move(temporary, path)
        finally:
            temporary.unlink(missing_ok=True)
        flush_folder(path.parent)
    except FileExistsError:
        raise
    except OSError as error:
        raise StoreUnavailable(f"{path} cannot be written: {error.strerror}.") from None


def _rename_unless_there(temporary: Path, path: Path) -> None:
    if sys.platform == "win32":
        temporary.rename(path)  # refuses there when the target exists
        return
    try:
        path.hardlink_to(temporary)  # refuses when the target exists, also in a race
    except OSError as error:
        if error.errno not in {errno.EPERM, errno.ENOTSUP, errno.EOPNOTSUPP}:
            raise
        # A file system without hard links (USB sticks): the check is the best there is.
        if path.exists():
            raise FileExistsError(path) from None
        temporary.rename(path)
