"""How complete a report is, by rules that a clinic can edit, and what to add to it.

After the idea of vigiGrade (Bergvall et al. 2014, Drug Safety 37:65-77): a report starts at 1, and
each rule that is not met multiplies it by 1 less the rule's weight; where a rule looks at several
things, such as every event, by the share that is missing. Rules and weights are defaults of
Afterdose (``completeness.toml``). Pure: nothing here asks a store.
"""

from __future__ import annotations

import math
import re
import tomllib
from collections.abc import Iterable, Iterator, Mapping
from dataclasses import dataclass
from enum import StrEnum
from functools import cache
from pathlib import Path
from typing import Any, Final

from safety.completeness_subjects import FIELDS, GROUPS, Condition, counts
from safety.errors import BadInputFile, InvalidReport, Problem
from safety.model import SessionReport
from safety.vocabulary.protocol import Protocol

_MOST_BYTES: Final = 100_000
_MOST_RULES: Final = 100
_LONGEST_SENTENCE: Final = 200
_SLUG: Final = re.compile(r"[a-z][a-z0-9_]{1,59}")
_DEMANDED_WEIGHT: Final = 0.5  # default of Afterdose: what no report can be without counts half
_DEMANDED: Final = ("patient.mrn", "site", "protocol", "started_at", "events.grade")


class Need(StrEnum):
    """Whether a report can be filed without it."""

    REQUIRED = "required"
    RECOMMENDED = "recommended"


@dataclass(frozen=True, slots=True)
class Rule:
    """One thing to look for; ``subject`` is the name of a field or group that can be looked at."""

    id: str
    subject: str
    need: Need
    weight: float
    applies: Condition
    add: str


@dataclass(frozen=True, slots=True)
class Rules:
    """The rules in use, in the order of the form. ``version`` 0 are the defaults of Afterdose."""

    rules: tuple[Rule, ...]
    version: int = 0


@dataclass(frozen=True, slots=True)
class Missing:
    """One thing that is missing, in the words of its rule; ``term`` is the event it is about.

    ``field`` is the name in the model, with the term for an event: ``events.nausea.outcome``.
    """

    field: str
    add: str
    rule: str | None = None
    term: str | None = None


@dataclass(frozen=True, slots=True)
class Completeness:
    """``percent`` from 0 to 100; 100 says that nothing is missing, and nothing else does."""

    percent: int
    required: tuple[Missing, ...]
    recommended: tuple[Missing, ...]


def score(report: SessionReport, rules: Rules, protocol: Protocol | None) -> Completeness:
    """Say how complete ``report`` is.

    Rules about the drug or the kind of dose do not count while ``protocol`` is None.
    """
    missing: dict[Need, list[Missing]] = {Need.REQUIRED: list(_demanded(report))}
    missing[Need.RECOMMENDED] = []
    left = 1 - _DEMANDED_WEIGHT if missing[Need.REQUIRED] else 1.0
    for rule in rules.rules:
        if not counts(rule.applies, report, protocol):
            continue
        share, gaps = _SUBJECTS[rule.subject](report, rule.applies)
        left *= 1 - rule.weight * share
        missing[rule.need] += [Missing(gap.field, rule.add, rule.id, gap.term) for gap in gaps]
    required = _once(missing[Need.REQUIRED])
    known = {each.field for each in required}
    recommended = _once(each for each in missing[Need.RECOMMENDED] if each.field not in known)
    whole = not required and not recommended
    percent = 100 if whole else min(99, math.floor(100 * left + 1e-9))
    return Completeness(percent, required, recommended)


def require(report: SessionReport, rules: Rules, protocol: Protocol | None) -> None:
    """Raise InvalidReport with a problem for each required thing that is missing."""
    missing = score(report, rules, protocol).required
    if missing:
        raise InvalidReport(Problem(each.field, each.add) for each in missing)


def _once(missing: Iterable[Missing]) -> tuple[Missing, ...]:
    """The first of those that name the same field: two rules may look at one."""
    found: dict[str, Missing] = {}
    for each in missing:
        found.setdefault(each.field, each)
    return tuple(found.values())


def _demanded(report: SessionReport) -> Iterator[Missing]:
    """What no rule can loosen. The model refuses most of it; a form may hand in the rest."""
    for field, value, add in (
        ("patient.mrn", report.patient.mrn, "Enter the MRN."),
        ("site", report.site, "Choose the site."),
        ("protocol", report.protocol, "Choose the protocol."),
        ("started_at", report.started_at, "Enter when the session began."),
    ):
        if not value:
            yield Missing(field, add)
    for event in report.events:
        if event.grade is None:
            field = f"events.{event.term}.grade"
            yield Missing(field, "Choose the worst grade it reached.", term=event.term)


@cache
def default_rules() -> Rules:
    """Return the rules that come with Afterdose, read once."""
    return parse_rules(default_text())


def default_text() -> str:
    """Return the file of the default rules, with what each key means."""
    return Path(__file__).with_name("completeness.toml").read_text(encoding="utf-8")


def parse_rules(text: str, version: int = 0) -> Rules:
    """Return the rules of a TOML text, one table each, headed by the id.

    Raises :class:`BadInputFile` that names the rule and the key of everything that is wrong.
    """
    found: list[Rule] = []
    wrong: list[str] = []
    for place, (rule_id, table) in enumerate(_tables(text).items(), start=1):
        named = rule_id if _SLUG.fullmatch(rule_id) else f"rule {place}"
        problems = list(_problems(rule_id, table))
        wrong += [f"{named}: {problem}" for problem in problems]
        if not problems:
            found.append(_rule(rule_id, table))
    if wrong:
        raise BadInputFile("\n".join(wrong))
    return Rules(tuple(found), version)


def _tables(text: str) -> dict[str, Any]:
    if len(text) > _MOST_BYTES:
        raise BadInputFile("The file is larger than 100 kB. The default rules take 6 kB.")
    try:
        text.encode()  # half a character cannot be stored
        tables = tomllib.loads(text)
    except (ValueError, RecursionError) as error:
        place = re.search(r"\(at .*\)$", str(error))
        raise BadInputFile(f"The file is not TOML{f' {place[0]}' if place else ''}.") from None
    if not tables:
        raise BadInputFile("The file holds no rule. Start from: afterdose completeness --template")
    if len(tables) > _MOST_RULES:
        raise BadInputFile(f"The file holds more than {_MOST_RULES} rules. Keep the ones in use.")
    return tables


def _rule(rule_id: str, table: Mapping[str, Any]) -> Rule:
    return Rule(
        rule_id,
        table["field"] if "field" in table else table["group"],
        Need(table["need"]),
        float(table["weight"]),
        Condition(table.get("applies", Condition.ALWAYS)),
        table["add"],
    )


def _problems(rule_id: str, table: Any) -> Iterator[Problem]:
    if not _SLUG.fullmatch(rule_id):
        yield Problem("id", "must be lower-case letters, digits and underscores.")
    if not isinstance(table, dict):
        yield Problem("table", "is missing. Start it with the id in square brackets.")
        return
    if any(key not in _KEYS for key in table):
        yield Problem("keys", f"holds a key that no rule has. The keys: {', '.join(_KEYS)}.")
    yield from _subject_problems(table)
    yield from _choice_problems("need", table.get("need"), Need)
    yield from _choice_problems("applies", table.get("applies", Condition.ALWAYS), Condition)
    if not _is_weight(table.get("weight")):
        yield Problem("weight", "must be a number above 0 and at most 1, such as 0.10.")
    add = table.get("add")
    if not isinstance(add, str) or not add.strip() or not add.isprintable():
        yield Problem("add", "must be one line of text that says what to add.")
    elif len(add) > _LONGEST_SENTENCE:
        yield Problem("add", f"is longer than {_LONGEST_SENTENCE} characters. Shorten it.")


def _is_weight(value: Any) -> bool:
    # An exact type: true is an int to Python and no weight. The comparison leaves out nan.
    return type(value) in {int, float} and 0 < value <= 1


def _subject_problems(table: Mapping[str, Any]) -> Iterator[Problem]:
    if ("field" in table) == ("group" in table):
        yield Problem("field", "or group, one of the two, must say what is looked at.")
        return
    key, known = ("field", FIELDS) if "field" in table else ("group", GROUPS)
    subject = table[key]
    if subject in _DEMANDED:
        yield Problem(key, "is demanded of every report and needs no rule. Take the rule out.")
    elif not isinstance(subject, str) or subject not in known:
        yield Problem(key, f"must be one of: {', '.join(known)}.")


def _choice_problems(key: str, value: Any, choices: type[StrEnum]) -> Iterator[Problem]:
    if value not in list(choices):
        yield Problem(key, f"must be one of: {', '.join(choices)}.")


_KEYS: Final = ("field", "group", "need", "weight", "applies", "add")
_SUBJECTS: Final = {**FIELDS, **GROUPS}
