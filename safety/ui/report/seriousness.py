"""When to ask whether an event was serious: severity is not seriousness, most need no question."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from safety.model import Outcome
from safety.vocabulary import Term

ASKED_FROM_GRADE: Final = 3
"""A default of ours: CTCAE grade 3 is "severe or medically significant", often with hospital care.

The criteria are those of ICH E2A and 21 CFR 312.32; they are asked for below this grade when an
outcome or the kind of event makes one likely, and can always be opened by hand.
"""

_BY_KIND: Final = frozenset(
    {
        # Listed in 21 CFR 312.32(a) as an example of an important medical event.
        "drug_abuse",
        "drug_dependence",
        # Can be serious at any grade.
        "suicidal_ideation",
        "suicide_attempt",
        "psychosis",
        "seizure",
        "syncope",
        "respiratory_depression",
        "apnoea",
        "laryngospasm",
        "bronchospasm",
        "anaphylaxis",
        "overdose",
    }
)
_BY_OUTCOME: Final = frozenset({Outcome.FATAL.value, Outcome.RECOVERED_WITH_SEQUELAE.value})


def can_apply(fields: Mapping[str, Any], term: Term) -> bool:
    """Whether a criterion can apply to the event of ``term`` as it is filled in so far."""
    start = f"events.{term.id}."
    grade, outcome = fields.get(f"{start}grade"), fields.get(f"{start}outcome")
    return (
        bool(fields.get(f"{start}serious"))
        or (grade or 0) >= ASKED_FROM_GRADE
        or outcome in _BY_OUTCOME
        or term.id in _BY_KIND
    )
