"""Receipts: a second file that remembers how far the audit trail had come.

After each commit one line ``seq mac check`` is appended and flushed. When the store is later
*behind* its receipts, acknowledged work was lost or an old copy was put back; nothing inside an
encrypted file can tell that by itself. ``check`` tells a damaged line from a store that was rolled
back. A torn last line is what a killed process leaves and is passed over.
"""

from __future__ import annotations

import hashlib
import os
import re
from collections.abc import Iterator
from pathlib import Path
from typing import Final

from safety.audit import Head
from safety.errors import StoreUnavailable, Tampered

_CHECK_CHARACTERS: Final = 8
_TAIL_BYTES: Final = 8192
_BEGINNING: Final = re.compile(rb"\d+( [0-9a-f]{0,64}| [0-9a-f]{64} [0-9a-f]{0,7})?")


def line_of(head: Head) -> bytes:
    """The line that acknowledges ``head``."""
    body = f"{head.seq} {head.mac.hex()}"
    return f"{body} {_check(body)}\n".encode()


def _check(body: str) -> str:
    return hashlib.sha256(b"afterdose receipt " + body.encode()).hexdigest()[:_CHECK_CHARACTERS]


class Receipts:
    """The receipts file of one store."""

    __slots__ = ("path",)

    def __init__(self, path: Path) -> None:
        self.path = path

    def append(self, *heads: Head) -> None:
        """Write heads and flush them to the disk. Raises StoreUnavailable when that fails."""
        try:
            with self.path.open("ab") as file:
                if file.tell() and not self._ends_whole():
                    file.write(b"\n")  # closes the line that a killed process left torn
                file.write(b"".join(line_of(head) for head in heads))
                file.flush()
                os.fsync(file.fileno())
        except OSError as cause:
            raise StoreUnavailable(
                f"The receipts file {self.path.name} could not be written ({cause.strerror})."
            ) from None

    def _ends_whole(self) -> bool:
        with self.path.open("rb") as file:
            file.seek(-1, os.SEEK_END)
            return file.read(1) == b"\n"

    def last(self) -> Head | None:
        """The newest acknowledged head, or None when there is no receipt yet.

        Read it before the transaction that it is compared with begins: a writer may commit and
        acknowledge meanwhile. Raises Tampered or StoreUnavailable.
        """
        try:
            size = self.path.stat().st_size
            with self.path.open("rb") as file:
                file.seek(max(0, size - _TAIL_BYTES))
                tail = file.read()
        except FileNotFoundError:
            return None
        except OSError as cause:
            raise self._unreadable(cause) from None
        lines = tail.split(b"\n")
        if size > _TAIL_BYTES:
            lines = lines[1:]  # the first may begin in the middle of a line
        heads = [head for _, head in self._parsed(lines, "near the end")]
        return max(heads, key=lambda head: head.seq, default=None)

    def all(self) -> Iterator[Head]:
        """Every receipt, in the order written. Raises Tampered at the first damaged line."""
        try:
            lines = self.path.read_bytes().split(b"\n")
        except FileNotFoundError:
            return
        except OSError as cause:
            raise self._unreadable(cause) from None
        yield from (head for _, head in self._parsed(lines, "line"))

    def set_aside(self, suffix: str) -> None:
        """Keep the file under another name, so that a new one begins with the next receipt."""
        try:
            if self.path.exists():
                self.path.replace(self.path.with_name(f"{self.path.name}.{suffix}"))
        except OSError as cause:
            raise self._unreadable(cause) from None

    def _unreadable(self, cause: OSError) -> StoreUnavailable:
        return StoreUnavailable(f"{self.path.name} cannot be opened ({cause.strerror}).")

    def _parsed(self, lines: list[bytes], where: str) -> Iterator[tuple[int, Head]]:
        for number, line in enumerate(lines, start=1):
            if not line:
                continue
            head = _parse(line)
            if head is not None:
                yield number, head
            elif not _torn(line):
                place = where if where != "line" else f"line {number}"
                raise Tampered(
                    f"{self.path.name}, {place}: a receipt is damaged. Restore it from the backup; "
                    "until then nobody can tell whether the store was rolled back."
                )


def _parse(line: bytes) -> Head | None:
    try:
        seq, mac, check = line.decode("ascii").split(" ")
        if check != _check(f"{seq} {mac}"):
            return None
        return Head(int(seq), bytes.fromhex(mac))
    except (UnicodeDecodeError, ValueError):
        return None


def _torn(line: bytes) -> bool:
    """Whether a killed process or a full disk left this line: a beginning of a whole one."""
    return _BEGINNING.fullmatch(line) is not None
