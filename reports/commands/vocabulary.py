"""``afterdose vocabulary``: what can be named in the column ``term``, and its grades."""

from __future__ import annotations

from argparse import Namespace
from typing import Any, Final

from reports.commands.opening import open_home
from reports.commands.printing import print_rows, tell
from safety.access import CONSOLE
from safety.errors import StoreMissing
from safety.protocols import clinic_vocabulary, keep_official_wording
from safety.vocabulary import Group, Term, Vocabulary, read_ctcae_workbook, vocabulary

_TERM: Final = ("id", "name", "synonyms", "grades", "soc", "scale", "expected", "elicitation")
_SHORT: Final = ("id", "name", "grades", "scale", "synonyms")
_GROUP: Final = ("id", "name", "members", "note")


def list_terms(arguments: Namespace) -> int:
    """List the terms. Only the wording asks for the store: it may hold the official one."""
    columns = _SHORT if arguments.format == "table" else _TERM
    if arguments.wording:
        print_rows(_worded(_clinics(arguments)), ("id", "grade", "wording"), arguments.format)
    else:
        print_rows(map(_term, vocabulary().terms), columns, arguments.format)
    return 0


def list_groups(arguments: Namespace) -> int:
    """List the groups that `rates --term` can count."""
    columns = _GROUP[:-1] if arguments.format == "table" else _GROUP
    print_rows(map(_group, vocabulary().groups), columns, arguments.format)
    return 0


def load(arguments: Namespace) -> int:
    """Load the official wording, and say where it does not fit the vocabulary."""
    wording = read_ctcae_workbook(arguments.file)
    compared = wording.compared_with(vocabulary().terms)
    with open_home(arguments) as store:
        texts = keep_official_wording(store, CONSOLE, wording)
    tell(f"CTCAE {wording.version}: {len(compared.matched)} terms found, {texts} texts kept.")
    if not wording.fits():
        tell("The vocabulary grades by another version; its grades and rates stay as they are.")
    for term in compared.missing:
        tell(f"{term.name}: not in the workbook, keeps its own wording")
    for mismatch in compared.mismatches:
        tell(str(mismatch))
    return 0


def _clinics(arguments: Namespace) -> Vocabulary:
    try:
        with open_home(arguments) as store:
            return clinic_vocabulary(store, CONSOLE)
    except StoreMissing:
        return vocabulary()


def _worded(words: Vocabulary) -> list[dict[str, Any]]:
    return [
        {"id": term.id, "grade": grade, "wording": term.wording_for(grade)}
        for term in words.terms
        for grade in term.grades
    ]


def _term(term: Term) -> dict[str, Any]:
    return {
        "id": term.id,
        "name": term.name,
        "synonyms": list(term.synonyms),
        "grades": list(term.grades),
        "soc": term.soc,
        "scale": f"{term.scale} {term.scale_version}",
        "expected": term.expected,
        "elicitation": str(term.elicitation),
    }


def _group(group: Group) -> dict[str, Any]:
    return {
        "id": group.id,
        "name": group.name,
        "members": list(group.members),
        "note": group.note,
    }
