"""An import into an empty store indexes at its end, and leaves the store as migrations made it."""

from __future__ import annotations

from pathlib import Path

from sqlalchemy import inspect

from safety.importing import import_files
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.builders import DIRECTOR
from tests.support.csv_pairs import EVENT, SESSION, write_pair


def indexes_of(store: Store) -> dict[str, list[tuple[str | None, list[str | None]]]]:
    with store.read() as connection:
        found = inspect(connection)
        return {
            table: sorted(
                (index["name"], index["column_names"]) for index in found.get_indexes(table)
            )
            for table in ("sessions", "events")
        }


def test_the_indexes_are_there_again_after_the_first_import(store: Store, tmp_path: Path) -> None:
    before = indexes_of(store)
    assert sum(map(len, before.values())) >= 5
    assert import_files(store, DIRECTOR, *write_pair(tmp_path, [SESSION], [EVENT])).errors == []
    assert indexes_of(store) == before
    assert verify(store).findings == []


def test_the_indexes_are_there_after_an_import_that_was_refused(
    store: Store, tmp_path: Path
) -> None:
    before = indexes_of(store)
    pair = write_pair(tmp_path, [SESSION, SESSION | {"session_ref": "B-1", "dose_mg": "much"}])
    assert import_files(store, DIRECTOR, *pair).errors
    assert indexes_of(store) == before


def test_the_indexes_are_there_after_a_dry_run(store: Store, tmp_path: Path) -> None:
    before = indexes_of(store)
    import_files(store, DIRECTOR, *write_pair(tmp_path, [SESSION], [EVENT]), dry_run=True)
    assert indexes_of(store) == before
