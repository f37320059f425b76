"""The invented history as the pair of files that any clinic could import."""

from __future__ import annotations

import csv
from collections.abc import Iterable
from datetime import date, timedelta
from pathlib import Path
from random import Random
from typing import Final

from safety.demonstration.people import people
from safety.demonstration.sessions import Cells, sessions
from safety.importing import columns

_SEED: Final = 20_190_305


def write_files(folder: Path, today: date) -> tuple[Path, Path]:
    """Write SESSIONS.csv and EVENTS.csv into ``folder``: two years up to yesterday."""
    random = Random(_SEED)  # noqa: S311 - made-up people need no secret randomness
    until = today - timedelta(days=1)
    found = [
        session for person in people(random, today) for session in sessions(random, person, until)
    ]
    return (
        _write(folder / "SESSIONS.csv", columns.SESSIONS_COLUMNS, (each.cells for each in found)),
        _write(
            folder / "EVENTS.csv",
            columns.EVENTS_COLUMNS,
            (event for each in found for event in each.events),
        ),
    )


def _write(path: Path, names: Iterable[str], rows: Iterable[Cells]) -> Path:
    with path.open("w", newline="", encoding="utf-8") as file:
        writer = csv.DictWriter(file, sorted(names), restval="")
        writer.writeheader()
        writer.writerows(rows)
    return path
