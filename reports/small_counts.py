"""Which cells must be withheld: the decisions behind :mod:`reports.disclosure`, as pure functions.

The rules are numbered in that module's docstring. ``limit`` is the largest count that is small. It
is a plain number here so that tests can search small tables to the end with a limit of 2.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from itertools import combinations

from reports.blocks import Block, ByUnit
from reports.rows import PATIENT_MONTH, SESSION


@dataclass(frozen=True, slots=True)
class Withheld:
    """What must not be shown of one block. ``whole`` says: nothing at all.

    ``any_event`` holds the units in which the row of all events is withheld. Its number of events
    is withheld whenever ``terms`` has a member, and otherwise it is the sum of what is shown.
    """

    whole: bool = False
    terms: frozenset[str] = frozenset()
    any_event: frozenset[str] = frozenset()
    amended: bool = False
    nothing_said: bool = False


def decide_block(block: Block, limit: int) -> Withheld:
    """Apply rules 1 to 4 to one protocol."""
    exposure = block.exposure
    if is_small(exposure.patients, limit) or is_small(exposure.sessions, limit):
        return Withheld(whole=True)
    terms = frozenset(term for term, rows in block.terms.items() if _own_cells(rows, limit))
    any_event = _any_event_units(block, terms, limit)
    return Withheld(
        terms=terms,
        any_event=any_event,
        amended=_part_tells(exposure.reports_amended, exposure.sessions, limit),
        nothing_said=_silence_tells(block, limit, any_event_hidden=bool(any_event)),
    )


def decide_total(
    blocks: Sequence[Block], withheld: Sequence[Withheld], patients: int, limit: int
) -> tuple[bool, bool]:
    """Apply rule 5: whether the sessions and the patients of all protocols must be withheld."""
    shown = [b.exposure for b, w in zip(blocks, withheld, strict=True) if not w.whole]
    parts = [row.patients for row in shown]
    hidden = len(blocks) - len(shown)
    patients_tell = is_small(patients, limit) or _union_tells(patients, parts, hidden, limit)
    if not hidden:
        return False, patients_tell  # the sum of what is shown needs no hiding
    rest = sum(b.exposure.sessions for b in blocks) - sum(row.sessions for row in shown)
    # Hidden sessions add up to ``rest``: one of them can be anything up to limit only when the
    # others, at least one each, still fit in what it leaves. Both totals go together, because one
    # that stayed would say why the other went.
    both = patients_tell or hidden == 1 or rest < limit + hidden - 1
    return both, both


def is_small(count: float, limit: int) -> bool:
    """Whether a count must not be known: 1 to ``limit``. Zero may be."""
    return 0 < count <= limit


def _part_tells(part: int, whole: int, limit: int) -> bool:
    return is_small(part, limit) or is_small(whole - part, limit)


def _own_cells(rows: ByUnit, limit: int, *, with_events: bool = True) -> bool:
    """Whether a row, its complement or its repeats are small in any unit."""
    for row in rows.values():
        counted_units = row.exposed if row.unit != PATIENT_MONTH else 0
        if is_small(row.with_event, limit) or is_small(counted_units - row.with_event, limit):
            return True
    counts = {row.with_event for row in rows.values()}
    if with_events:
        counts |= {row.events for row in rows.values()}
    return any(is_small(abs(a - b), limit) for a, b in combinations(counts, 2))


def _any_event_units(block: Block, hidden: frozenset[str], limit: int) -> frozenset[str]:
    if not _any_event_tells(block, hidden, limit):
        return frozenset()
    # Where a shown term happened to everybody, the number is plain to see; hiding it would be a
    # claim that does not hold.
    return frozenset(
        unit
        for unit, row in block.any_event.items()
        if not any(
            rows[unit].with_event == row.exposed
            for term, rows in block.terms.items()
            if term not in hidden
        )
    )


def _any_event_tells(block: Block, hidden: frozenset[str], limit: int) -> bool:
    # With a hidden term nobody can add up the events, so they cannot be set against the row.
    if _own_cells(block.any_event, limit, with_events=not hidden):
        return True
    shown = [rows for term, rows in block.terms.items() if term not in hidden]
    for unit, row in block.any_event.items():
        parts = [rows[unit].with_event for rows in shown]
        # The sessions can show that terms came together in one session, and so in one patient. One
        # who had them all explains that, and is in the sum once too often for each but the first.
        shared = max(sum(part > 0 for part in parts) - 1, 0)
        if _union_tells(row.with_event, parts, len(hidden), limit, shared=shared):
            return True
    return False


def _union_tells(
    union: int, shown: Sequence[int], hidden: int, limit: int, *, shared: int = 0
) -> bool:
    """Whether a count of units in at least one part says too much about the parts.

    ``shown`` are the parts that a reader sees, ``hidden`` is how many others have at least one
    unit. ``shared`` is how much too high the sum of the shown may be known to be, because a unit
    had several of them. The hidden ones cover at least ``union`` less the sum of the shown, and
    ``shared`` more. Each can be as low as 1 when the others reach that with ``limit`` at most.
    """
    if any(is_small(union - part, limit) for part in shown):
        return True
    rest = union - sum(shown)
    if hidden:
        return rest + shared > (hidden - 1) * limit + 1
    return is_small(-rest, limit)


def _silence_tells(block: Block, limit: int, *, any_event_hidden: bool) -> bool:
    sessions, silent = block.exposure.sessions, block.exposure.sessions_nothing_said
    # A zero would say that the hidden row may reach all sessions, a number above it that it may
    # not.
    if any_event_hidden or _part_tells(silent, sessions, limit):
        return True
    row = block.any_event.get(SESSION)
    said_none = sessions - silent - row.with_event if row else 0
    return silent > 0 and is_small(said_none, limit)
