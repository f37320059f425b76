"""Writes the tables of the documentation that come out of the code.

``python -m docs.tables`` rewrites what stands between the marks ``<!-- begin: NAME -->`` and
``<!-- end: NAME -->`` in every Markdown file; a test fails while one of them is out of date.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Final

from docs.command_line import command_text
from docs.import_columns import events_table, sessions_table
from docs.markdown import table
from safety.access import PERMITTED, Action, Role
from safety.vocabulary import seed_protocols, vocabulary

ROOT: Final = Path(__file__).parents[1]
MARKS: Final = re.compile(
    r"(?P<begin><!-- begin: (?P<name>[a-z -]+) -->\n)(?P<body>.*?)(?P<end><!-- end: (?P=name) -->)",
    re.DOTALL,
)

ACTIONS: Final[Mapping[Action, str]] = {
    Action.FILE_REPORT: "file a session report",
    Action.AMEND_REPORT: "amend a report, with a reason",
    Action.READ_REPORT: "read reports and their history",
    Action.REVIEW_REPORT: "review a report, with a word to who filed it",
    Action.KEEP_DRAFT: "keep drafts; each person sees their own",
    Action.READ_DRAFTS: "see the drafts of all",
    Action.PLAN_SESSIONS: "plan sessions, see the worklist",
    Action.TRACK_REMS: "see which REMS forms are due, note that one was sent",
    Action.READ_NOTICES: "be told of serious events and of emergency access",
    Action.FIND_PATIENT: "find a patient by MRN or name",
    Action.BREAK_GLASS: "see one patient in an emergency, with a reason",
    Action.IMPORT: "import CSV files",
    Action.READ_RATES: "see exact counts and rates",
    Action.EXPORT: "make the package of a quarter",
    Action.VERIFY: "verify the store",
    Action.REBUILD: "rebuild the index rows",
    Action.READ_VOCABULARY: "list terms, protocols and sites",
    Action.EDIT_VOCABULARY: "add protocols, load the official wording, set the completeness rules",
    Action.MANAGE_ACCOUNTS: "add, close and change accounts",
    Action.MANAGE_KEYS: "manage keys and receipts",
}


def access_table() -> str:
    """Who may do what, from the table that the service layer asks."""
    rows = [
        (f"`{action}`", ACTIONS[action], *("yes" if r in allowed else "" for r in Role))
        for action, allowed in PERMITTED.items()
    ]
    return table(("action", "what it is", *Role), rows)


def protocols_table() -> str:
    """The protocols that a new store begins with."""
    rows = [
        (
            f"`{p.id}`",
            p.name,
            p.dose_in_words(),
            str(p.planned_interval_days),
            str(p.max_sessions_28_days),
            str(p.max_sessions_90_days),
            p.source,
        )
        for p in seed_protocols()
    ]
    heading = ("id", "name", "dose", "planned days", "most in 28 days", "most in 90 days", "source")
    return table(heading, rows)


def groups_table() -> str:
    """The groups of terms with their members."""
    rows = [
        (f"`{g.id}`", g.name, ", ".join(f"`{m}`" for m in g.members)) for g in vocabulary().groups
    ]
    return table(("id", "name", "counts any of"), rows)


def instruments_table() -> str:
    """Scales with range and direction; a number that no source confirms is marked as such."""
    rows = [
        (
            each.name,
            f"{each.low:g} to {each.high:g}{_mark(each.range_mark)}",
            each.direction,
            f"{each.threshold_rule}{_mark(each.threshold_mark)}" if each.threshold_rule else "none",
            each.source,
        )
        for each in vocabulary().instruments
    ]
    return table(("scale", "range", "direction", "threshold", "source"), rows)


TABLES: Final[Mapping[str, Callable[[], str]]] = {
    "sessions": sessions_table,
    "events": events_table,
    "access": access_table,
    "protocols": protocols_table,
    "groups": groups_table,
    "instruments": instruments_table,
}


def pages() -> list[Path]:
    """Every Markdown file of the project."""
    folders = (ROOT / "docs", ROOT / "examples", ROOT / "benchmarks")
    return sorted([*ROOT.glob("*.md"), *(page for each in folders for page in each.rglob("*.md"))])


def renewed(text: str) -> str:
    """``text`` with every marked table made anew."""
    return MARKS.sub(lambda m: f"{m['begin']}{_made(m['name'])}\n{m['end']}", text)


def main() -> None:
    """Rewrite the marked tables of every page."""
    for page in pages():
        before = page.read_text(encoding="utf-8")
        after = renewed(before)
        if after != before:
            page.write_text(after, encoding="utf-8")
            print(f"written: {page.relative_to(ROOT)}")


def _made(name: str) -> str:
    kind, _, command = name.partition(" ")
    return command_text(command) if kind == "command" else TABLES[name]()


def _mark(mark: str) -> str:
    return {"unconfirmed": " (unconfirmed)", "default": " (default of Afterdose)"}.get(mark, "")


if __name__ == "__main__":
    main()
