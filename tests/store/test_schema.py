"""Tables and migrations: what is migrated equals what is declared, on both engines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import text

from safety import service, signing_in
from safety.access import Role
from safety.errors import NewerFormat, Tampered
from safety.store import schema, tables
from safety.store.handle import Store
from safety.store.opening import open_store
from safety.store.verifying import verify
from tests.support.accounts import PASSWORD, an_account, audit_of
from tests.support.builders import NURSE, a_report
from tests.support.clock import FakeClock
from tests.support.postgresql import Server
from tests.support.recorded import record
from tests.support.stores import key_of, made_store, raw_connection, reopened


def scripts() -> Any:
    from alembic.config import Config
    from alembic.script import ScriptDirectory

    config = Config()
    folder = Path(schema.__file__).parent / "migrations"
    config.set_main_option("script_location", str(folder))
    return ScriptDirectory.from_config(config)


def test_there_is_one_head_and_it_is_the_one_the_program_knows() -> None:
    found = scripts()
    assert found.get_heads() == [schema.HEAD]
    assert {script.revision for script in found.walk_revisions()} == set(schema.KNOWN)


def test_a_new_store_is_at_the_head(store: Store) -> None:
    with store.read() as connection:
        assert schema.revision(connection) == schema.HEAD


def test_migrated_tables_are_the_declared_tables(store: Store) -> None:
    from alembic.autogenerate import compare_metadata
    from alembic.migration import MigrationContext

    with store.read() as connection:
        options = {"compare_type": True, "compare_server_default": True}
        context = MigrationContext.configure(connection, opts=options)
        assert compare_metadata(context, tables.metadata) == []


def test_check_constraints_are_in_the_database_by_name(store: Store) -> None:
    """Autogenerate does not compare them, so they are counted here."""
    from sqlalchemy import CheckConstraint, inspect

    with store.read() as connection:
        for table in tables.metadata.sorted_tables:
            declared = {str(c.name) for c in table.constraints if isinstance(c, CheckConstraint)}
            found = {str(c["name"]) for c in inspect(connection).get_check_constraints(table.name)}
            assert found == declared, table.name


def test_every_table_is_strict(embedded_store: Store) -> None:
    with embedded_store.read() as connection:
        rows = connection.exec_driver_sql("PRAGMA table_list").all()
    ours = set(tables.metadata.tables)
    strict = {row.name for row in rows if row.strict}
    assert ours <= strict


def test_a_wrong_kind_of_value_is_refused_by_the_table(embedded_store: Store) -> None:
    service.file_report(embedded_store, NURSE, a_report())
    words = "cannot store TEXT value in INTEGER"
    with raw_connection(embedded_store) as raw, pytest.raises(Exception, match=words):
        raw.execute("UPDATE patients SET version = 'one'")


@pytest.mark.parametrize(
    "sql",
    [
        "UPDATE clinic SET demonstration = 2",
        "UPDATE protocols SET retired = -1",
        "INSERT INTO sign_ins VALUES ({b}, {b}, 1, 'x', 'x', 'x', NULL)",
    ],
)
def test_flags_and_pairs_are_checked_by_the_database(store: Store, sql: str) -> None:
    blob = "x'00'" if store.embedded else "'\\x00'::bytea"
    with raw_connection(store) as connection, pytest.raises(Exception, match=r"(?i)check|ended"):
        connection.execute(sql.format(b=blob))


@pytest.mark.parametrize("revision", ["0003", "9999", "abcd"])
def test_tables_of_a_later_version_are_refused_and_left_alone(store: Store, revision: str) -> None:
    with raw_connection(store) as connection:
        connection.execute(f"UPDATE alembic_version SET version_num = '{revision}'")
    with pytest.raises(NewerFormat, match=f"table version {revision}; this Afterdose knows up to"):
        reopened(store)
    with raw_connection(store) as connection:
        found = connection.execute("SELECT version_num FROM alembic_version").fetchone()
    assert found[0] == revision


def test_a_store_of_the_first_version_is_brought_up_with_all_it_holds(
    engine_name: str,
    tmp_path: Path,
    clock: FakeClock,
    cheap_kdf: object,
    monkeypatch: pytest.MonkeyPatch,
    request: pytest.FixtureRequest,
) -> None:
    """Its accounts move to a new table on SQLite; the sessions that point to them stay."""
    database = None
    if engine_name == "postgresql":
        server: Server = request.getfixturevalue("postgresql")
        database = server.url(server.create_database())
    monkeypatch.setattr(schema, "HEAD", "0001")
    old = made_store(tmp_path, clock, database=database)
    filed = record(old, a_report())  # as the first version did, which had no settings
    account = an_account(old)
    signed = signing_in.sign_in(old, account.username, PASSWORD)
    monkeypatch.undo()
    new = reopened(old)
    assert signing_in.session_actor(new, signed.token).id == account.id.hex
    assert service.read_report(new, NURSE, filed.report_id).version == 1
    assert an_account(new, Role.CHARGE).role is Role.CHARGE
    assert verify(new).findings == []
    assert [row[5] for row in audit_of(new, "store.upgrade")] == ["from 0001"]
    new.close()


def test_a_database_without_our_tables_is_refused(store: Store) -> None:
    with raw_connection(store) as connection:
        connection.execute("DROP TABLE alembic_version")
    with pytest.raises(Tampered, match="holds no Afterdose tables"):
        reopened(store)


def test_both_append_only_tables_have_both_triggers(store: Store) -> None:
    """They are made by hand in the migration; a rename of a table must not lose them."""
    assert tables.APPEND_ONLY == ("audit", "reports")
    with raw_connection(store) as raw:
        for table in tables.APPEND_ONLY:
            for change in ("update", "delete"):
                on_table = "" if store.embedded else f" ON {table}"
                raw.execute(f"DROP TRIGGER {table}_no_{change}{on_table}")  # fails without one


def test_reopening_runs_no_migration_when_there_is_none(store: Store) -> None:
    with store.read() as connection:
        before = connection.execute(text("SELECT count(*) FROM audit")).scalar()
    again = open_store(store.config, key_of(store), clock=store.clock)
    with again.read() as connection:
        assert connection.execute(text("SELECT count(*) FROM audit")).scalar() == before
    again.close()
