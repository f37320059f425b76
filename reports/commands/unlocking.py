"""``afterdose unlock``: whether the store opens, with what, and one key more."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import replace
from typing import Any

from sqlalchemy import Table, func, select

from reports.commands.founding import key_file
from reports.commands.opening import ask, daily_source, home_of, open_home, read_secret
from reports.commands.printing import print_record, tell
from safety.access import CONSOLE
from safety.config import Config, read_config, write_config
from safety.keys.recovery import RecoveryCode
from safety.keys.ring import add_slot, describe
from safety.keys.sources import KeySource, Passphrase
from safety.store import tables
from safety.store.handle import Store


def run(arguments: Namespace) -> int:
    """Open the store, add the key that was asked for, and say what is there."""
    config = read_config(home_of(arguments))
    source = _recovery(arguments) or daily_source(arguments, config)
    with open_home(arguments, source) as store:
        _add_key(store, arguments, opened_by=source)
        print_record(_about(store, source), arguments.format)
    return 0


def _recovery(arguments: Namespace) -> RecoveryCode | None:
    if arguments.recovery_code_file is not None:
        return RecoveryCode.parse(read_secret(arguments.recovery_code_file))
    if arguments.recovery:
        return RecoveryCode.parse(ask("Recovery code", "--recovery-code-file"))
    return None


def _add_key(store: Store, arguments: Namespace, *, opened_by: KeySource) -> None:
    """Add a slot, on record, and let ``config.toml`` name the file that opens it."""
    config = store.config
    fresh: KeySource
    if arguments.new_key_file is not None:
        path = arguments.new_key_file.expanduser().absolute()
        fresh = key_file(path, config.home)
        remembered = replace(config, key_file=path)
    elif arguments.new_passphrase_file is not None:
        fresh = Passphrase.from_file(arguments.new_passphrase_file)
        remembered = _without_lost_key_file(config, opened_by)
    else:
        return
    with store.write() as writer:
        slot = add_slot(config.keys_path, store.ring, fresh)
        writer.log(CONSOLE, "keys.add", "slot", slot.hex, note=fresh.kind)
        writer.commit()
    if remembered != config:
        write_config(remembered)
    tell(f"A slot of the kind {fresh.kind} was added. The older ones open the store too.")


def _without_lost_key_file(config: Config, opened_by: KeySource) -> Config:
    """Forget a key file that is lost: commands would go on asking for it."""
    lost = isinstance(opened_by, RecoveryCode) or not (config.key_file and config.key_file.exists())
    return replace(config, key_file=None) if lost else config


def _about(store: Store, source: KeySource) -> dict[str, Any]:
    return {
        "clinic": store.clinic.name,
        "home": str(store.config.home),
        "engine": "encrypted file" if store.embedded else "PostgreSQL",
        "opened_by": source.kind,
        "slots": [f"{slot.kind}, made {slot.created}" for slot in describe(store.config.keys_path)],
        "sites": _count(store, tables.sites),
        "sessions": _count(store, tables.sessions),
        "patients": _count(store, tables.patients),
        "accounts": _count(store, tables.accounts),
        "audit_entries": _count(store, tables.audit),
        "writable": store.distrust is None,
    }


def _count(store: Store, table: Table) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count()).select_from(table)).scalar_one())
