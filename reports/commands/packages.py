"""``afterdose export`` and ``afterdose verify``: quarterly packages, and the store itself."""

from __future__ import annotations

import json
from argparse import Namespace
from base64 import b64decode, b64encode
from pathlib import Path
from typing import Any, Final

from reports.commands.opening import open_home, read_bytes
from reports.commands.printing import print_json, print_record, tell
from safety.audit import Head
from safety.errors import BadInputFile, StoreUnavailable, UserError

INTEGRITY: Final = 3


def export(arguments: Namespace) -> int:
    """Make the package of a quarter."""
    from reports.periods import Quarter
    from reports.quarterly.assemble import export_quarter
    from reports.quarterly.verify import verify_package
    from safety.access import CONSOLE

    quarter = Quarter.parse(arguments.quarter)
    with open_home(arguments) as store:
        folder = export_quarter(store, CONSOLE, quarter, arguments.out)
    print_record(_package(folder, verify_package(folder)), arguments.format)
    return 0


def verify(arguments: Namespace) -> int:
    """Check a package, or everything in the store."""
    if arguments.store:
        return _verify_store(arguments)
    from reports.quarterly.verify import verify_package

    if arguments.anchor or arguments.checkpoint or arguments.renew_receipts:
        raise UserError("--anchor, --checkpoint and --renew-receipts go with --store.")
    found = verify_package(arguments.package, arguments.fingerprint)
    print_record(_package(arguments.package, found), arguments.format)
    tell(found.origin)
    return 0


def _package(folder: Path, found: Any) -> dict[str, Any]:
    manifest = found.manifest
    return {
        "package": str(folder),
        "clinic": manifest.clinic,
        "quarter": manifest.quarter,
        "closed": manifest.closed,
        "created_at": manifest.created_at,
        "files": len(manifest.files),
        "hidden_cells": manifest.hidden_cells,
        "threshold": manifest.threshold,
        "audit_entry": manifest.audit_head.seq,
        "fingerprint": found.fingerprint,
    }


def _verify_store(arguments: Namespace) -> int:
    from safety.access import CONSOLE
    from safety.upkeep import verify_store

    anchor = read_anchor(arguments.anchor) if arguments.anchor is not None else None
    with open_home(arguments) as store:
        found = verify_store(store, CONSOLE, anchor=anchor)
        if arguments.renew_receipts:
            found = _renewed(store, found, anchor)
        if arguments.checkpoint is not None and not found.findings:
            _write_checkpoint(store, arguments.checkpoint)
    record = {
        "audit_entries": found.entries,
        "rows": found.rows,
        "reports": found.reports,
        "receipts": found.receipts,
        "head": {"seq": found.head.seq, "mac": b64encode(found.head.mac).decode()},
        "findings": list(found.findings),
    }
    if arguments.format == "json":
        print_json(record)
    else:
        print_record(record, arguments.format)
    for finding in found.findings if arguments.format != "table" else ():
        tell(finding)
    tell("The store holds." if not found.findings else "The store cannot be trusted as it is.")
    return INTEGRITY if found.findings else 0


def _renewed(store: Any, found: Any, anchor: Head | None) -> Any:
    """Begin new receipts when they are all that is wrong, and check again."""
    from safety.access import CONSOLE
    from safety.upkeep import renew_receipts, verify_store

    name = store.receipts.path.name
    if any(name not in finding for finding in found.findings):
        tell("The receipts were left as they are: something else is wrong.")
        return found
    renew_receipts(store, CONSOLE)
    return verify_store(store, CONSOLE, anchor=anchor)


def _write_checkpoint(store: Any, path: Path) -> None:
    from safety.access import CONSOLE
    from safety.upkeep import signed_checkpoint

    try:
        path.write_bytes(signed_checkpoint(store, CONSOLE))
    except OSError as cause:
        raise StoreUnavailable(f"{path} cannot be written ({cause.strerror}).") from None
    tell(f"{path} is the checkpoint. Keep it where nobody who holds the keys can change it.")


def read_anchor(path: Path) -> Head:
    """The end of the audit trail as somebody outside keeps it.

    Read from a package's ``manifest.json``, or from the three lines of a checkpoint: origin, number
    of entries, authentication code in base64. Raises BadInputFile.
    """
    raw = read_bytes(path)
    try:
        if raw.lstrip().startswith(b"{"):
            head = json.loads(raw)["audit_head"]
            return Head(int(head["seq"]), bytes.fromhex(head["mac"]))
        _, seq, mac = raw.decode().splitlines()[:3]
        return Head(int(seq), b64decode(mac, validate=True))
    except (ValueError, KeyError, TypeError):
        raise BadInputFile(
            f"{path} is neither a checkpoint of three lines nor the manifest.json of a package."
        ) from None
