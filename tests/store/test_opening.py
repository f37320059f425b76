"""Making and opening a store: obstacles are told apart, and nothing is left half made."""

from __future__ import annotations

import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest
from sqlalchemy import text

from safety import service
from safety.config import Config, read_config, write_config
from safety.errors import (
    BadInputFile,
    MissingLibrary,
    StoreExists,
    StoreMissing,
    StoreUnavailable,
    Truncated,
    UnknownName,
    WrongKey,
)
from safety.keys.recovery import RecoveryCode
from safety.keys.ring import create_keys
from safety.keys.sources import KeyFile
from safety.store import engine, opening, seeding
from safety.store.handle import Store
from safety.store.opening import create_store, open_store
from safety.store.verifying import verify
from tests.support.builders import CLINIC, NURSE, SITE, a_full_report, a_report
from tests.support.clock import FakeClock
from tests.support.postgresql import Server
from tests.support.stores import Template, key_of, made_store, reopened

ROOT = Path(__file__).parents[2]


def test_a_reopened_store_holds_what_was_filed_and_is_trusted(store: Store) -> None:
    filed = service.file_report(store, NURSE, a_full_report())
    again = reopened(store)
    assert again.distrust is None
    assert service.read_report(again, NURSE, filed.report_id).version == 1
    assert again.clinic.name == CLINIC
    again.close()


def test_the_recovery_code_opens_the_store(tmp_path: Path, clock: FakeClock) -> None:
    source = KeyFile.create(tmp_path / "clinic.key")
    config = Config(tmp_path / "home", key_file=source.path)
    made, code = create_store(config, source, clinic=CLINIC, site=SITE, clock=clock)
    made.close()
    opened = open_store(config, RecoveryCode.parse(code.printed()), clock=clock)
    assert opened.distrust is None
    opened.close()


def test_a_store_with_the_smaller_pages_of_an_earlier_version_stays_readable(
    tmp_path: Path, clock: FakeClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    source = KeyFile.create(tmp_path / "clinic.key")
    config = Config(tmp_path / "home", key_file=source.path)
    monkeypatch.setattr(engine, "PAGE_BYTES", 4096)
    made, _ = create_store(config, source, clinic=CLINIC, site=SITE, clock=clock)
    filed = service.file_report(made, NURSE, a_full_report())
    made.close()
    monkeypatch.undo()
    again = open_store(config, source, clock=clock)
    assert engine.page_bytes_of(config.database_path, again.ring.file_key) == 4096
    assert again.distrust is None
    assert service.read_report(again, NURSE, filed.report_id).version == 1
    assert verify(again).findings == []
    again.close()
    with config.database_path.open("r+b") as file:
        file.truncate(5 * 4096)
    with pytest.raises(Truncated):
        open_store(config, source, clock=clock)


def test_a_second_store_in_one_folder_is_refused_and_the_first_stays(store: Store) -> None:
    with pytest.raises(StoreExists, match="Name an empty folder"):
        create_store(store.config, key_of(store), clinic=CLINIC, site=SITE)
    again = reopened(store)
    assert again.distrust is None
    again.close()


def test_old_receipts_are_not_taken_over_by_a_new_store(tmp_path: Path) -> None:
    """They would make a new store look rolled back."""
    source = KeyFile.create(tmp_path / "clinic.key")
    receipts = tmp_path / "other-disk.log"
    receipts.write_text("left over\n")
    config = Config(tmp_path / "home", key_file=source.path, receipts=receipts)
    with pytest.raises(StoreExists, match=r"other-disk\.log"):
        create_store(config, source, clinic=CLINIC, site=SITE)
    assert receipts.read_text() == "left over\n"


def test_a_database_that_holds_a_store_is_refused(server_store: Store, tmp_path: Path) -> None:
    config = replace(server_store.config, home=tmp_path / "second")
    with pytest.raises(StoreExists, match="holds an Afterdose store already"):
        create_store(config, key_of(server_store), clinic=CLINIC, site=SITE)
    assert list((tmp_path / "second").glob("*.*")) in ([], [tmp_path / "second" / "writer.lock"])
    assert verify(server_store).findings == []


@pytest.mark.parametrize("step", ["seed", "write_config"])
def test_what_was_begun_is_removed_when_making_fails(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, step: str
) -> None:
    def fail(*_: object, **__: object) -> None:
        raise StoreUnavailable("the disk is full")

    source = KeyFile.create(tmp_path / "clinic.key")
    config = Config(tmp_path / "home", key_file=source.path)
    with monkeypatch.context() as patch:
        patch.setattr(seeding if step == "seed" else opening, step, fail)
        with pytest.raises(StoreUnavailable):
            create_store(config, source, clinic=CLINIC, site=SITE)
    assert {path.name for path in config.home.iterdir()} <= {"writer.lock"}
    made, _ = create_store(config, source, clinic=CLINIC, site=SITE)
    made.close()


def test_an_unknown_time_zone_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    source = KeyFile.create(tmp_path / "clinic.key")
    for zone in ("Mars/Olympus", "../../etc/passwd", ""):
        with pytest.raises(UnknownName, match="no time zone"):
            create_store(Config(tmp_path / "home"), source, clinic="C", site="S", timezone=zone)
    assert not (tmp_path / "home").exists()


def test_a_folder_without_a_store_says_so(tmp_path: Path) -> None:
    with pytest.raises(StoreMissing, match="afterdose init"):
        read_config(tmp_path)


def test_a_missing_database_file_is_not_made_anew(embedded_store: Store) -> None:
    embedded_store.close()
    embedded_store.config.database_path.unlink()
    with pytest.raises(StoreMissing, match=r"store\.db is missing"):
        open_store(embedded_store.config, key_of(embedded_store))
    assert not embedded_store.config.database_path.exists()


def test_the_key_of_another_store_is_refused(store: Store, tmp_path: Path) -> None:
    """Promise 9: wrong key, told apart, and nothing written."""
    other = KeyFile.create(tmp_path / "other.key")
    before = store.receipts.path.read_bytes()
    store.close()
    with pytest.raises(WrongKey, match="does not open this store"):
        open_store(store.config, other)
    assert store.receipts.path.read_bytes() == before


def test_keys_json_of_another_clinic_is_refused(
    store: Store, tmp_path: Path, clock: FakeClock
) -> None:
    """Promise 9: on SQLCipher the file does not open; on PostgreSQL the clinic's id tells."""
    store.close()
    store.config.keys_path.unlink()
    source = KeyFile.create(tmp_path / "other.key")
    from uuid import uuid4

    create_keys(store.config.keys_path, uuid4(), source)
    with pytest.raises(WrongKey, match="Restore both from the same backup"):
        open_store(store.config, source, clock=clock)


def test_the_database_of_another_clinic_is_refused(
    embedded_store: Store, tmp_path: Path, clock: FakeClock
) -> None:
    other = made_store(tmp_path / "other", clock)
    other.close()
    embedded_store.close()
    other.config.database_path.replace(embedded_store.config.database_path)
    with pytest.raises(WrongKey, match=r"belongs to other keys than keys\.json"):
        open_store(embedded_store.config, key_of(embedded_store), clock=clock)


@pytest.mark.parametrize(
    "url",
    [
        "postgresql+psycopg://ada:Secret77@localhost/x",
        "postgresql+psycopg:///x?host=/tmp&user=postgres&password=Secret77",
    ],
)
def test_a_database_url_with_a_password_is_refused_without_repeating_it(
    tmp_path: Path, url: str
) -> None:
    source = KeyFile.create(tmp_path / "clinic.key")
    config = Config(tmp_path / "home", key_file=source.path, database=url)
    with pytest.raises(BadInputFile, match="holds a password") as caught:
        create_store(config, source, clinic=CLINIC, site=SITE)
    assert "Secret77" not in str(caught.value)
    assert not config.keys_path.exists()


@pytest.mark.parametrize("url", ["mysql://x/y", "sqlite:///plain.db", "nonsense", ""])
def test_a_database_url_of_another_kind_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, url: str
) -> None:
    """Also a plain SQLite file: there is no store without encryption."""
    monkeypatch.chdir(tmp_path)
    source = KeyFile.create(tmp_path / "clinic.key")
    config = Config(tmp_path / "home", key_file=source.path, database=url)
    with pytest.raises(BadInputFile, match=r"config\.toml"):
        create_store(config, source, clinic=CLINIC, site=SITE)
    assert not Path("plain.db").exists()


def test_a_server_that_is_away_is_told_plainly(tmp_path: Path) -> None:
    source = KeyFile.create(tmp_path / "clinic.key")
    url = f"postgresql+psycopg:///x?host={tmp_path}&user=postgres"
    config = Config(tmp_path / "home", key_file=source.path, database=url)
    with pytest.raises(StoreUnavailable):
        create_store(config, source, clinic=CLINIC, site=SITE)
    assert not config.keys_path.exists()


def test_without_sqlcipher_nothing_opens(embedded_store: Store) -> None:
    """Promise 30, in a process of its own: the import fails, and there is no fallback."""
    embedded_store.close()
    code = """
import sys
sys.modules["sqlcipher3"] = sys.modules["sqlcipher3.dbapi2"] = None
from pathlib import Path
from safety.config import read_config
from safety.keys.sources import KeyFile
from safety.store.opening import create_store, open_store
from safety.errors import MissingLibrary
home, key, fresh = map(Path, sys.argv[1:])
for attempt in (
    lambda: open_store(read_config(home), KeyFile(key)),
    lambda: create_store(read_config(home).__class__(fresh), KeyFile(key), clinic="C", site="S"),
):
    try:
        attempt()
    except MissingLibrary as refusal:
        print(refusal)
print(fresh.exists())
"""
    home, key = embedded_store.config.home, str(embedded_store.config.key_file)
    fresh = home.parent / "fresh"
    done = subprocess.run(
        [sys.executable, "-c", code, str(home), key, str(fresh)],
        capture_output=True,
        text=True,
        check=True,
        cwd=ROOT,
    )
    lines = done.stdout.splitlines()
    assert lines[:2] == [str(refused())] * 2
    assert lines[2] == "False"


def refused() -> MissingLibrary:
    return MissingLibrary(
        "SQLCipher (the package sqlcipher3) is not installed. Afterdose does not run without "
        "encryption: run `make install`."
    )


MARKERS = ("Xylophia", "QX-MRN-77", "zwölfunddreissig", "Quorn", "LOT-ZZTOP")


def marked_report() -> object:
    return a_full_report(
        patient=replace(a_full_report().patient, mrn="QX-MRN-77", name="Xylophia Quorn"),
        narrative="It was zwölfunddreissig o'clock.",
        lot="LOT-ZZTOP",
        session_ref="QX-MRN-77/1",
        reported_by="Quorn",
    )


def test_no_file_of_the_store_shows_a_word_of_a_report(embedded_store: Store) -> None:
    """Promise of the whole-file encryption: SQLCipher's header and every page are random."""
    filed = service.file_report(embedded_store, NURSE, marked_report())  # type: ignore[arg-type]
    service.read_report(embedded_store, NURSE, filed.report_id)
    embedded_store.close()
    found = {p.name: p.read_bytes() for p in embedded_store.config.home.iterdir() if p.is_file()}
    assert not found["store.db"].startswith(b"SQLite")
    for name, content in found.items():
        for marker in (*MARKERS, "CREATE TABLE", "nausea"):
            assert marker.encode() not in content, name
            assert marker.encode().hex().encode() not in content, name


def test_no_table_shows_a_word_of_a_report(store: Store) -> None:
    """What a database user sees (A3): identities, texts and references only sealed or hashed."""
    service.file_report(store, NURSE, marked_report())  # type: ignore[arg-type]
    from safety.store import tables

    with store.read() as connection:
        for name in tables.metadata.tables:
            for row in connection.execute(text(f"SELECT * FROM {name}")):
                for value in row:
                    shown = (
                        bytes(value)
                        if isinstance(value, bytes | memoryview)
                        else str(value).encode()
                    )
                    for marker in MARKERS:
                        assert marker.encode() not in shown, name


def test_config_reads_back_as_it_was_written(tmp_path: Path) -> None:
    for config in (
        Config(tmp_path),
        Config(tmp_path, key_file=tmp_path / "k", database="postgresql+psycopg:///x"),
        Config(tmp_path, key_file=tmp_path / 'quoted " name', receipts=tmp_path / "ü" / "r.log"),
    ):
        write_config(config)
        assert read_config(tmp_path) == config


@pytest.mark.parametrize("content", ["keys = [", "[keys]\nfile = 7\n", "\xff", "keys = 7\n"])
def test_a_damaged_config_is_told_by_name(tmp_path: Path, content: str) -> None:
    (tmp_path / "config.toml").write_bytes(content.encode("latin-1"))
    with pytest.raises(BadInputFile, match=r"config\.toml"):
        read_config(tmp_path)


def test_a_copy_of_a_template_has_files_of_its_own(
    embedded_template: Template, tmp_path: Path, clock: FakeClock
) -> None:
    """Every test of this folder rests on it."""
    with embedded_template.copy(tmp_path / "a", clock) as one:
        service.file_report(one, NURSE, a_report())
        with embedded_template.copy(tmp_path / "b", clock) as other:
            assert service.recent_reports(other, NURSE) == []


def test_each_database_is_a_copy_of_its_own(
    server_template: Template, postgresql: Server, tmp_path: Path, clock: FakeClock
) -> None:
    with server_template.copy(tmp_path / "a", clock) as one:
        service.file_report(one, NURSE, a_report())
        with server_template.copy(tmp_path / "b", clock) as other:
            assert service.recent_reports(other, NURSE) == []
