"""Making the package of a quarter from a store, on both engines."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest

from reports.periods import Quarter
from reports.quarterly.assemble import export_quarter, quarter_content
from reports.quarterly.package import package_files
from reports.quarterly.verify import verify_package
from safety import service
from safety.access import CONSOLE, Actor
from safety.errors import AccessDenied, RolledBack, StoreUnavailable, UserError
from safety.store.handle import Store
from safety.store.writing import Writer
from tests.support.accounts import audit_of
from tests.support.builders import ADMINISTRATOR, COMPLIANCE, NURSE, a_report, an_event
from tests.support.clock import FakeClock

QUARTER = Quarter(2026, 1)


def filed(store: Store, count: int, **changes: Any) -> None:
    """File ``count`` sessions of as many patients."""
    for number in range(count):
        at = datetime(2026, 1, 5, 15, tzinfo=UTC) + timedelta(hours=number)
        service.file_report(store, CONSOLE, a_report(mrn=f"M{number}", started_at=at, **changes))


def test_a_package_is_signed_with_the_clinics_key_and_on_record(
    store: Store, tmp_path: Path
) -> None:
    filed(store, 3)
    folder = export_quarter(store, COMPLIANCE, QUARTER, tmp_path / "package")
    found = verify_package(folder)
    assert found.manifest.public_key == store.ring.checkpoint_public
    [(actor, role, *_, note)] = audit_of(store, "export")
    assert (actor, role, note) == (COMPLIANCE.id, "compliance", "2026Q1")


def test_what_is_counted_reaches_the_tables(store: Store) -> None:
    filed(store, 12, events=(an_event(),))
    tables = quarter_content(store, COMPLIANCE, QUARTER).tables
    [row, total] = tables.exposure
    assert (row.sessions, row.patients, total.sessions, total.patients) == (12, 12, 12, 12)
    nausea = [row for row in tables.incidence if row.term == "nausea"]
    assert [(row.unit, row.with_event, row.exposed) for row in nausea] == [
        ("session", 12, 12),
        ("patient", 12, 12),
    ]


def test_equal_stores_at_the_same_moment_give_the_same_bytes(store: Store) -> None:
    filed(store, 2)
    once, again = (quarter_content(store, COMPLIANCE, QUARTER) for _ in range(2))
    sign = store.ring.checkpoint_key.sign
    assert package_files(once, sign) == package_files(again, sign)


def test_a_quarter_closes_at_midnight_of_the_clinic(store: Store, clock: FakeClock) -> None:
    clock.now = datetime(2026, 4, 1, 3, 59, tzinfo=UTC)  # 23:59 on 31 March in New York
    assert not quarter_content(store, COMPLIANCE, QUARTER).closed
    clock.advance(minutes=1)
    assert quarter_content(store, COMPLIANCE, QUARTER).closed


def test_a_quarter_to_come_is_refused(store: Store, tmp_path: Path) -> None:
    with pytest.raises(UserError, match="2026Q2 has not begun"):
        export_quarter(store, COMPLIANCE, Quarter(2026, 2), tmp_path / "package")


@pytest.mark.parametrize("actor", [NURSE, ADMINISTRATOR], ids=lambda actor: str(actor.role))
def test_nurses_and_administrators_may_not_export(
    embedded_store: Store, tmp_path: Path, actor: Actor
) -> None:
    with pytest.raises(AccessDenied):
        export_quarter(embedded_store, actor, QUARTER, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_nothing_is_exported_from_a_store_that_was_rolled_back(
    embedded_store: Store, tmp_path: Path
) -> None:
    embedded_store.config.receipts_path.unlink()
    with pytest.raises(RolledBack):
        export_quarter(embedded_store, COMPLIANCE, QUARTER, tmp_path / "package")
    assert not (tmp_path / "package").exists()


def test_a_package_that_cannot_be_put_on_record_is_taken_back(
    embedded_store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def refuse(_: Writer) -> None:
        raise StoreUnavailable("The disk is full.")

    monkeypatch.setattr(Writer, "commit", refuse)
    with pytest.raises(StoreUnavailable):
        export_quarter(embedded_store, COMPLIANCE, QUARTER, tmp_path / "package")
    assert list(tmp_path.glob("package*")) == []
