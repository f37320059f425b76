"""A process that is killed while it writes loses nothing that it acknowledged."""

from __future__ import annotations

import random
import signal
import time
from collections import Counter
from pathlib import Path

import pytest
from sqlalchemy import select

from safety.access import CONSOLE
from safety.importing import import_files
from safety.store import reading, tables
from safety.store.handle import Store
from safety.store.rebuilding import rebuild
from safety.store.verifying import verify
from tests.support.builders import DIRECTOR
from tests.support.csv_pairs import a_bare_session, write_pair
from tests.support.footprint import reports_of
from tests.support.processes import child
from tests.support.stores import reopened


@pytest.mark.parametrize(
    ("kills", "acknowledged"),
    [(4, 8), pytest.param(20, 200, marks=pytest.mark.slow)],
    ids=["short", "long"],
)
def test_what_was_acknowledged_survives_a_kill(store: Store, kills: int, acknowledged: int) -> None:
    """Promise 1: kill -9 at random moments while a child files and prints after each commit."""
    chance = random.Random(1)
    told: list[str] = []
    while kills > 0 or len(told) < acknowledged:
        told += filed_until_killed(store, chance.uniform(0.05, 0.5))
        check(store, told)
        kills -= 1


def test_an_import_that_is_killed_after_it_wrote_pages_leaves_the_store_as_it_was(
    embedded_store: Store, tmp_path: Path
) -> None:
    """Filling an empty store writes pages before the commit; the journal takes them back."""
    database = embedded_store.config.database_path
    rows = [a_bare_session(session_ref=f"V-{number}") for number in range(1_000)]
    sessions, _ = write_pair(tmp_path / "in", rows)
    before = database.stat().st_size
    process = child(embedded_store, "import-until-killed", sessions)
    told, wrong = process.communicate()
    assert (process.returncode, told) == (-signal.SIGKILL, ""), wrong
    assert database.stat().st_size > before
    again = reopened(embedded_store)
    assert verify(again).findings == []
    assert reports_of(again) == []
    assert import_files(again, DIRECTOR, sessions).sessions == len(rows)
    assert verify(again).findings == []
    again.close()


def filed_until_killed(store: Store, seconds: float) -> list[str]:
    """Let a child file, kill it ``seconds`` after its first report, return what it acknowledged."""
    process = child(store, "file-for-ever")
    assert process.stdout is not None
    assert process.stderr is not None
    first = process.stdout.readline()
    assert first, process.stderr.read()
    time.sleep(seconds)
    process.kill()
    rest = process.stdout.read()
    process.communicate()
    # A last line without its end was not printed whole: the kill came while it was printed.
    whole = rest[: rest.rfind("\n") + 1]
    return [first.strip(), *whole.split()]


def check(store: Store, told: list[str]) -> None:
    again = reopened(store)
    assert again.distrust is None  # receipts are not ahead
    found = verify(again)
    assert found.findings == []
    with again.read() as connection:
        stored = Counter(s.report_id.hex for _, s in reading.every_current(connection, again.ring))
        sessions = connection.execute(select(tables.sessions.c.event_count)).scalars().all()
        events = connection.execute(select(tables.events.c.grade)).scalars().all()
        filings = connection.execute(
            select(tables.audit.c.object).where(tables.audit.c.action == "report.file")
        ).scalars()
        assert sorted(filings) == sorted(stored)
    assert set(told) <= set(stored)  # none lost
    assert set(stored.values()) <= {1}
    assert (len(sessions), sum(sessions), len(events)) == (
        len(stored),
        2 * len(stored),
        2 * len(stored),
    )
    assert rebuild(again, CONSOLE).differing == ()  # none half written
    again.close()
