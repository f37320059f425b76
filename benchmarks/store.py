"""How fast and how lean an import is, beside two ways that do less: ``python -m benchmarks.store``.

A made-up clinic is written as CSV once. Then each way gets a process of its own: Afterdose with
every check, seal, digest and audit entry; plain SQLAlchemy to plain SQLite; SQLAlchemy with
SQLAlchemy-Utils' encrypted columns. Reading the CSV is part of each.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.clinic import Size, add_size, size_of, write_clinic
from benchmarks.measuring import alone, as_json, busy, machine, measured
from benchmarks.peers import write_encrypted, write_plain
from safety.access import CONSOLE
from safety.config import Config
from safety.importing import import_files
from safety.keys.sources import KeyFile
from safety.store.handle import Store
from safety.store.opening import create_store, open_store

BAR_PER_SECOND: Final = 5_000
BAR_MIB: Final = 1_024
Found = dict[str, Any]


def make_store(folder: Path) -> Store:
    """A new embedded store in ``folder``."""
    (folder / "keys").mkdir()
    source = KeyFile.create(folder / "keys" / "clinic.key")
    config = Config(folder / "home", key_file=source.path)
    store, _ = create_store(
        config, source, clinic="Alder Clinic", site="Main Street", timezone="America/New_York"
    )
    return store


def open_made(folder: Path) -> Store:
    """The store of :func:`make_store`, opened again."""
    key = folder / "keys" / "clinic.key"
    return open_store(Config(folder / "home", key_file=key), KeyFile(key))


def afterdose(folder: Path) -> str:
    """Import into a new store; fails unless everything arrived."""
    store = make_store(folder)
    sessions, events = folder / "sessions.csv", folder / "events.csv"
    with measured() as spent:
        result = import_files(store, CONSOLE, sessions, events)
    store.close()
    if result.errors:
        sys.exit(f"The import failed: {result.errors[0]}")
    bytes_written = store.config.database_path.stat().st_size
    return as_json(spent, sessions=result.sessions, events=result.events, bytes=bytes_written)


def peer(write: Callable[[Path, Path, Path], None]) -> Callable[[Path], str]:
    """A measurement of one other way."""

    def measure(folder: Path) -> str:
        path = folder / f"{write.__name__}.db"
        with measured() as spent:
            write(path, folder / "sessions.csv", folder / "events.csv")
        return as_json(spent, bytes=path.stat().st_size)

    return measure


WAYS: Final[dict[str, Callable[[Path], str]]] = {
    "afterdose": afterdose,
    "plain": peer(write_plain),
    "encrypted": peer(write_encrypted),
}
NAMES: Final = {
    "afterdose": "Afterdose, sealed and audited",
    "plain": "SQLAlchemy, plain SQLite",
    "encrypted": "SQLAlchemy-Utils, encrypted columns",
}


def main() -> None:
    """Measure every way and print the table."""
    arguments = _arguments()
    if arguments.way:
        print(WAYS[arguments.way](arguments.folder))
        return
    size = size_of(arguments)
    print(machine())
    print(busy(), end="\n\n")
    with TemporaryDirectory(prefix="afterdose-benchmark-") as made:
        folder = arguments.folder or Path(made)
        folder.mkdir(parents=True, exist_ok=True)
        write_clinic(folder, size)
        found = {way: _run(way, folder) for way in WAYS}
    _print(found, size)


def _run(way: str, folder: Path) -> Found:
    return alone("benchmarks.store", ["--way", way, "--folder", folder])


def _print(found: dict[str, Found], size: Size) -> None:
    ours = found["afterdose"]["seconds"]
    print(f"{size.sessions:,} sessions with {size.events:,} events of {size.patients:,} patients\n")
    print(f"{'':38}{'s':>7}{'sessions/s':>12}{'CPU s':>8}{'peak MiB':>10}{'MB':>7}{'to ours':>9}")
    for way, each in found.items():
        cpu = each["cpu"] + each["helper_cpu"]
        print(
            f"{NAMES[way]:38}{each['seconds']:7.1f}{size.sessions / each['seconds']:12,.0f}"
            f"{cpu:8.1f}{each['peak_mib'] + each['helper_peak_mib']:10.0f}"
            f"{each['bytes'] / 1e6:7.0f}{each['seconds'] / ours:8.2f}x"
        )
    _print_ours(found["afterdose"], size)


def _print_ours(found: Found, size: Size) -> None:
    rate = size.sessions / found["seconds"]
    memory = found["peak_mib"] + found["helper_peak_mib"]
    micro = 1e6 / size.sessions
    print(
        f"\nAfterdose, CPU a session: {found['cpu'] * micro:.0f} us sealing and writing, "
        f"{found['helper_cpu'] * micro:.0f} us reading and checking (two processes at once).\n"
        f"Peak: {found['peak_mib']:.0f} MiB and {found['helper_peak_mib']:.0f} MiB.\n"
        f"{_verdict(held=rate >= BAR_PER_SECOND)}: at least {BAR_PER_SECOND:,} sessions a second "
        f"({rate:,.0f}).\n"
        f"{_verdict(held=memory < BAR_MIB)}: less than {BAR_MIB:,} MiB in both processes "
        f"({memory:.0f})."
    )


def _verdict(*, held: bool) -> str:
    return "Held" if held else "MISSED"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":", maxsplit=1)[0])
    add_size(parser)
    parser.add_argument("--folder", type=Path, help="keep the files here (an empty folder)")
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
