"""A made-up quarterly package, and the key that signs it."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Final

from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PrivateKey

from reports.disclosure import SafeTables, suppress
from reports.intervals import wilson
from reports.periods import Quarter
from reports.quarterly.content import PackageContent, TermDefinition
from reports.rows import ANY_EVENT, SESSION, ExposureRow, RateRow
from safety.audit import Head

KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(range(32)))
PUBLIC_KEY: Final = KEY.public_key().public_bytes_raw()
OTHER_KEY: Final = Ed25519PrivateKey.from_private_bytes(bytes(32))
FORMULA: Final = '=HYPERLINK("http://example.org";"open")'


def tables() -> SafeTables:
    """Two protocols; one term is small, one protocol is named like a formula."""
    exposure = [
        ExposureRow("im", FORMULA, 120, 40, 12, 0),
        ExposureRow("iv", "IV ketamine, induction", 400, 80, 0, 20),
    ]
    rows = [
        *_rows("im", FORMULA, 120, nausea=30, fall=0),
        *_rows("iv", "IV ketamine, induction", 400, nausea=101, fall=7),
    ]
    return suppress(exposure, 100, rows)


def _rows(protocol: str, name: str, exposed: int, **terms: int) -> list[RateRow]:
    events = sum(terms.values())
    counts = {**terms, ANY_EVENT: max(terms.values())}
    rows = []
    for term, x in counts.items():
        found = wilson(x, exposed)
        rows.append(
            RateRow(
                protocol, name, term, term.title(), SESSION, x, exposed,
                events if term == ANY_EVENT else x,
                found.value, found.low, found.high, found.method,
            )
        )  # fmt: skip
    return rows


def content(*, signed: bool = True) -> PackageContent:
    """One quarter of a made-up clinic."""
    return PackageContent(
        clinic="Clinic Müller & Søn",
        quarter=Quarter(2026, 2),
        timezone="America/New_York",
        created_at=datetime(2026, 7, 3, 9, 30, tzinfo=UTC),
        software="afterdose 0.1.0",
        tables=tables(),
        definitions=(
            TermDefinition(
                "nausea",
                "Nausea",
                "Gastrointestinal disorders",
                "CTCAE v5.0",
                ((1, "Eats as usual"), (2, "Eats less"), (3, "Needs a drip")),
                expected=True,
            ),
            TermDefinition("fall", "Fall", "Injuries", "CTCAE v5.0", ((1, "- unhurt"),), False),
        ),
        audit_head=Head(4711, bytes(range(32))),
        public_key=PUBLIC_KEY if signed else None,
    )
