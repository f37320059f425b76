"""From the store to a package: counted in one snapshot, suppressed, signed, and on record."""

from __future__ import annotations

import hashlib
import shutil
from datetime import datetime
from pathlib import Path

from sqlalchemy import Connection

from reports.disclosure import SafeTables, suppress
from reports.periods import Quarter
from reports.quarterly.content import PackageContent, TermDefinition
from reports.quarterly.manifest import MANIFEST
from reports.quarterly.package import write_package
from reports.rates import RateQuery, exposure_rows, incidence_rows, patients_in_all
from reports.rows import PATIENT, SESSION
from safety import __version__
from safety.access import Action, Actor, guarded
from safety.errors import UserError
from safety.protocols import clinic_vocabulary
from safety.store.handle import Store
from safety.store.opening import trust_failure
from safety.vocabulary import Term


@guarded(Action.EXPORT)
def export_quarter(store: Store, actor: Actor, quarter: Quarter, out: Path) -> Path:
    """Write the signed package of ``quarter`` as the new folder ``out`` and return its path.

    Small counts are withheld (:mod:`reports.disclosure`). The end of the audit trail is checked
    first, and the export is on record under the SHA-256 of its manifest: either both are there or
    neither. A quarter that is not over is marked so in the manifest; one that has not begun is
    refused. Raises UserError, StoreUnavailable and the integrity failure that was found.
    """
    if (failure := trust_failure(store)) is not None:
        raise failure
    content = quarter_content(store, actor, quarter)
    with store.write() as writer:
        folder = write_package(out, content, store.ring.checkpoint_key.sign)
        try:
            manifest = hashlib.sha256((folder / MANIFEST).read_bytes()).hexdigest()
            writer.log(actor, "export", "package", manifest, note=quarter.label)
            writer.commit()
        except BaseException:
            shutil.rmtree(folder, ignore_errors=True)  # a package that is not on record must not go
            raise
    return folder


@guarded(Action.EXPORT)
def quarter_content(store: Store, actor: Actor, quarter: Quarter) -> PackageContent:
    """Everything that the package of ``quarter`` says, as of now. Raises UserError."""
    made_at: datetime = store.clock()
    today = made_at.astimezone(store.clinic.timezone).date()
    if quarter.first > today:
        raise UserError(f"{quarter.label} has not begun. Name a quarter that has.")
    definitions = tuple(map(_definition, clinic_vocabulary(store, actor).terms))
    with store.read() as connection:
        head = store.audit_head(connection)
        tables = _tables(connection, quarter)
    return PackageContent(
        clinic=store.clinic.name,
        quarter=quarter,
        timezone=store.clinic.timezone.key,
        created_at=made_at,
        software=f"afterdose {__version__}",
        tables=tables,
        definitions=definitions,
        audit_head=head,
        public_key=store.ring.checkpoint_public,
    )


def _tables(connection: Connection, quarter: Quarter) -> SafeTables:
    period = RateQuery(quarter.first, quarter.last)
    rates = [
        row
        for unit in (SESSION, PATIENT)
        for row in incidence_rows(
            # Limits that know the patients could tell more of them than the counts do.
            connection,
            RateQuery(quarter.first, quarter.last, unit, method="wilson"),
            quarter.last,
        )
    ]
    return suppress(exposure_rows(connection, period), patients_in_all(connection, period), rates)


def _definition(term: Term) -> TermDefinition:
    return TermDefinition(
        term=term.id,
        name=term.name,
        system_organ_class=term.soc,
        scale=f"{term.scale} {term.scale_version}",
        grades=tuple((grade, term.wording_for(grade)) for grade in term.grades),
        expected=term.expected,
    )
