"""The words of a package: README.txt and the About sheet."""

from __future__ import annotations

import textwrap
from typing import Final

from reports.quarterly.content import PackageContent
from reports.quarterly.signature import fingerprint

_NATURE: Final = (
    "This is a quality and safety report of a clinic about its own treatments. It is not a "
    "submission to a regulator and replaces none. The numbers are what staff reported: a rate says "
    "how often an event was reported after a treatment, not that the treatment caused it."
)
_NOT_CLOSED: Final = (
    ". NOT CLOSED: the quarter was not over when this was made, so sessions are still to come."
)
_SUPPRESSION: Final = (
    "Counts of 1 to {threshold} are not shown. Neither is any number from which such a count could "
    "be worked out, so larger numbers are hidden too: the rest of a total, repeats, percentages "
    "and their limits. Both kinds say hidden and cannot be told apart. Zero is shown unless it "
    "would give another number away. A protocol with {threshold} patients or sessions or fewer is "
    "hidden as a whole, zeros too. In this package {cells} cells are hidden. The rule follows the "
    "Cell Size Suppression Policy of the US Centers for Medicare & Medicaid Services (published by "
    "ResDAC, 26 January 2024). It protects this package by itself. It does not protect against "
    "comparing it with other packages or with what a reader knows from elsewhere."
)
_UNSIGNED: Final = (
    "This package is not signed. The check below shows that files and manifest fit each other; it "
    "does not show who made them."
)
_SIGNED: Final = (
    "manifest.json.sig is an Ed25519 signature (base64) over the bytes of manifest.json, made with "
    "the clinic's key. Fingerprint of the key: {fingerprint}. Anyone can put a fingerprint into a "
    "file: compare it with the one that the clinic gave you in another way, on paper or by "
    "telephone."
)
_VERIFY: Final = (
    "With Afterdose: `afterdose verify DIR`, where DIR is this folder. It finds changed, missing "
    "and added files and checks the signature. Without it: `sha256sum -c SHA256SUMS` in this "
    "folder compares the files of the report with their sums; the same sums are in manifest.json."
)
_FILES: Final = (
    ("exposure.csv", "sessions and patients by protocol"),
    ("incidence.csv", "adverse events by protocol and term, with limits"),
    ("definitions.csv", "the terms and what their grades mean"),
    ("quality-and-safety-report.xlsx", "the same tables as a workbook"),
    ("data_dictionary.csv", "what each column means"),
    ("manifest.json", "what this package is; size and SHA-256 of each file"),
    ("SHA256SUMS", "the same sums for sha256sum"),
)


def about(content: PackageContent) -> tuple[tuple[str, str], ...]:
    """What the package is, as pairs of heading and text."""
    quarter, tables = content.quarter, content.tables
    period = f"{quarter.first} to {quarter.last}, both days included, in {content.timezone}"
    if not content.closed:
        period += _NOT_CLOSED
    suppression = _SUPPRESSION.format(threshold=tables.threshold, cells=tables.hidden_cells)
    return (
        ("Report", f"Quality and safety report, {quarter.label}"),
        ("Clinic", content.clinic),
        ("Period", period),
        ("Made at", content.created_at.isoformat()),
        ("Made with", content.software),
        ("What it is", _NATURE),
        ("Hidden numbers", suppression),
        ("Audit trail", _audit(content)),
        ("Origin", _origin(content)),
        ("How to verify", _VERIFY),
    )


def readme_bytes(content: PackageContent) -> bytes:
    """README.txt: the About sheet in plain text, and a list of the files."""
    parts = [f"{heading}\n\n{_filled(text)}" for heading, text in about(content)]
    names = [f"    {name:<34}{meaning}" for name, meaning in _FILES]
    return "\n\n".join([*parts, "Files", "\n".join(names)]).encode() + b"\n"


def _audit(content: PackageContent) -> str:
    head = content.audit_head
    return (
        f"The numbers were read when the clinic's audit trail ended at entry {head.seq} with "
        f"authentication code {head.mac.hex()}. A later copy of the trail must still contain it."
    )


def _origin(content: PackageContent) -> str:
    if content.public_key is None:
        return _UNSIGNED
    return _SIGNED.format(fingerprint=fingerprint(content.public_key))


def _filled(text: str) -> str:
    return textwrap.fill(
        text,
        width=92,
        initial_indent="    ",
        subsequent_indent="    ",
        break_long_words=False,
        break_on_hyphens=False,
    )
