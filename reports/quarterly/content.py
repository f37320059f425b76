"""What goes into a package, before it is written in any format."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime
from zoneinfo import ZoneInfo

from reports.disclosure import SafeTables
from reports.periods import Quarter
from safety.audit import Head


@dataclass(frozen=True, slots=True)
class TermDefinition:
    """One term of the vocabulary as the clinic used it.

    ``scale`` names the grading scale and its version; ``grades`` holds the grades that exist, each
    with its short wording; ``expected`` says whether the event is on the product label.
    """

    term: str
    name: str
    system_organ_class: str
    scale: str
    grades: tuple[tuple[int, str], ...]
    expected: bool


@dataclass(frozen=True, slots=True)
class PackageContent:
    """Everything that a package says. Two equal contents give equal bytes.

    ``timezone`` is the zone in which the days of the quarter were counted (``America/New_York``),
    ``software`` names the program and its version, ``audit_head`` is the end of the audit trail
    when the numbers were read, ``public_key`` is the raw Ed25519 key (32 bytes) of the signature,
    if the package is signed. Raises ValueError for a time without zone or a key of another length.
    """

    clinic: str
    quarter: Quarter
    timezone: str
    created_at: datetime
    software: str
    tables: SafeTables
    definitions: tuple[TermDefinition, ...]
    audit_head: Head
    public_key: bytes | None = None

    def __post_init__(self) -> None:
        if self.created_at.utcoffset() is None:
            raise ValueError("created_at needs a time zone")
        if self.public_key is not None and len(self.public_key) != 32:
            raise ValueError("an Ed25519 public key has 32 bytes")

    @property
    def closed(self) -> bool:
        """Whether the quarter was over at the clinic when the package was made."""
        day = self.created_at.astimezone(ZoneInfo(self.timezone)).date()
        return self.quarter.has_ended(day)
