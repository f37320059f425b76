"""The words of the record: terms with their grades, groups, instruments and protocols.

Each lives in a TOML file beside this one; a new term, group, instrument or protocol is a new table
there and touches nothing else.
"""

from __future__ import annotations

from safety.vocabulary.catalogue import Vocabulary, vocabulary
from safety.vocabulary.official import OfficialWording
from safety.vocabulary.protocol import DoseUnit, Drug, Phase, Protocol
from safety.vocabulary.protocols import parse_protocols, seed_protocols
from safety.vocabulary.terms import Group, Instrument, Term
from safety.vocabulary.workbook import read_ctcae_workbook

__all__ = [
    "DoseUnit",
    "Drug",
    "Group",
    "Instrument",
    "OfficialWording",
    "Phase",
    "Protocol",
    "Term",
    "Vocabulary",
    "parse_protocols",
    "read_ctcae_workbook",
    "seed_protocols",
    "vocabulary",
]
