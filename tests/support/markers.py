"""Marker strings, every form in which one could come out, and a hunt through what did come out.

A marker is a word that occurs nowhere else. Some have letters outside ASCII, because a leak often
hides behind an encoding.
"""

from __future__ import annotations

import base64
import io
import json
import traceback
import unicodedata
import zipfile
from collections.abc import Iterator
from functools import cache
from pathlib import Path
from typing import Final
from urllib.parse import quote

from sqlalchemy import select

from safety.store import tables
from safety.store.handle import Store
from tests.support.stores import raw_connection

FIRST_NAME: Final = "Quixotína"
LAST_NAME: Final = "Zanzibarré"
NAME: Final = f"{FIRST_NAME} {LAST_NAME}"
MRN: Final = "QZX-7731-Ж94"
LOT: Final = "LOT-QVX-88213"
NARRATIVE: Final = "Brambleyärd"
EVENT_NARRATIVE: Final = "Thistlewhïff 三日月"
ACTION: Final = "Snorkelhüpf"
DRAFT: Final = "Draftzwölf"
REASON: Final = "Amendgrünspan"
BIRTH_DATE: Final = "1931-07-19"

MARKERS: Final = (
    FIRST_NAME,
    LAST_NAME,
    MRN,
    "QZX7731Ж94",  # as its blind index spells it
    LOT,
    NARRATIVE,
    EVENT_NARRATIVE,
    ACTION,
    DRAFT,
    REASON,
    BIRTH_DATE,
)
"""Whole words: a part that is cut off is still found by the others."""


@cache
def forms(marker: str) -> tuple[bytes, ...]:
    """The bytes that would show ``marker``: spellings, encodings, escapes, base64, hexadecimal."""
    spellings = {unicodedata.normalize(form, marker) for form in ("NFC", "NFD", "NFKC", "NFKD")}
    spellings |= {spelt for text in spellings for spelt in (text.lower(), text.upper())}
    found: set[bytes] = set()
    for text in spellings:
        found |= {text.encode(encoding) for encoding in ("utf-8", "utf-16-le", "utf-16-be")}
        found |= {text.encode("utf-32-le"), text.encode("utf-8").decode("latin-1").encode()}
        found |= {text.encode("latin-1", "ignore"), text.encode("ascii", "ignore")}
        found |= {text.encode("ascii", how) for how in ("replace", "xmlcharrefreplace")}
        found |= {ascii(text)[1:-1].encode(), json.dumps(text)[1:-1].encode()}
        found |= {quote(text).encode(), text.encode().hex().encode()}
        found |= set(_in_base64(text.encode()))
    return tuple(sorted(form for form in found if len(form) >= 6))


def _in_base64(text: bytes) -> Iterator[bytes]:
    """``text`` inside a longer base64 text, at each of the three places it can begin."""
    for before in range(3):
        whole = base64.b64encode(bytes(before) + text)
        yield whole[-(-before * 8 // 6) : (before + len(text)) * 8 // 6]


def markers_in(data: bytes) -> list[str]:
    """The markers that ``data`` shows in any form, with the form."""
    folded = data.lower()
    return [
        f"{marker} as {form[:40]!r}"
        for marker, form, lower in _all_forms()
        if form in (folded if lower else data)
    ]


@cache
def _all_forms() -> tuple[tuple[str, bytes, bool], ...]:
    """Every form of every marker, and whether to look for it in lower case."""
    given = [(marker, form) for marker in MARKERS for form in forms(marker)]
    kept = [(marker, form, form == form.lower()) for marker, form in given]
    known = {form for _, form, lower in kept if lower}
    return tuple(each for each in kept if each[2] or each[1].lower() not in known)


class Hunt:
    """Looks for markers in whatever it is given, and remembers where one was."""

    def __init__(self) -> None:
        self.found: list[str] = []
        self.looked_at = 0

    def data(self, where: str, data: bytes) -> None:
        """Bytes from anywhere; archives are opened."""
        self.looked_at += len(data)
        self.found += [f"{where}: {each}" for each in markers_in(data)]
        if data[:2] == b"PK":
            with zipfile.ZipFile(io.BytesIO(data)) as archive:
                for name in archive.namelist():
                    self.data(f"{where}/{name}", archive.read(name))

    def text(self, where: str, *texts: str) -> None:
        """Text; what cannot be encoded is escaped."""
        for text in texts:
            self.data(where, text.encode(errors="backslashreplace"))

    def value(self, where: str, value: object) -> None:
        """How an object shows itself, alone and in a list, as a log line would show it."""
        self.text(where, repr(value), str(value), f"{[value]}")

    def folder(self, *folders: Path) -> None:
        """Every file below these folders, and its name."""
        for folder in folders:
            for path in sorted(folder.rglob("*")):
                self.text(f"the name of {path.name}", str(path))
                if path.is_file():
                    self.data(path.name, path.read_bytes())

    def error(self, where: str, error: BaseException) -> None:
        """What an exception says in any way, with all that it was raised from or during."""
        self.text(where, *traceback.format_exception(error))
        known: list[BaseException] = []
        _chain(error, known)
        for link in known:
            name = f"{where}, {type(link).__name__}"
            self.value(name, link)
            self.value(name, link.args)
            self.value(name, vars(link) if hasattr(link, "__dict__") else None)
            self.value(name, getattr(link, "__notes__", None))

    def rows(self, store: Store) -> None:
        """Every row of every table, as somebody with the file's key or the server sees it."""
        with store.read() as connection:
            for name, table in tables.metadata.tables.items():
                for row in connection.execute(select(table)):
                    self.value(f"a row of {name}", tuple(row))
                    for cell in row:
                        if isinstance(cell, bytes):
                            self.data(f"a cell of {name}", cell)
        if not store.embedded:
            self._copied(store)

    def _copied(self, store: Store) -> None:
        """On PostgreSQL every table as the server writes it out, in both of its forms."""
        with raw_connection(store) as raw:
            for name in tables.metadata.tables:
                for form in ("text", "binary"):
                    sql = f"COPY {name} TO STDOUT (FORMAT {form})"
                    with raw._connection.cursor() as cursor, cursor.copy(sql) as copy:
                        self.data(f"{name}, copied as {form}", b"".join(map(bytes, copy)))

    def assert_nothing(self) -> None:
        """Fail with every place where a marker was found, and when nothing was looked at."""
        if not self.looked_at:
            raise AssertionError("Nothing was looked at.")
        if self.found:
            raise AssertionError("\n".join(["Markers came out:", *self.found[:40]]))


def _chain(error: BaseException | None, known: list[BaseException]) -> None:
    if error is None or any(error is each for each in known):
        return
    known.append(error)
    _chain(error.__cause__, known)
    _chain(error.__context__, known)  # also one that "from None" keeps out of sight
