"""The sentences of the overview. Pure: numbers in, sentences out; nothing here asks a store.

Names of protocols are what somebody of the clinic typed: a page shows these sentences as text.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Final

from reports.overview import News, Overview, Quality
from reports.overview_changes import (
    DISCOVERY_RATE,
    FEWEST_AFFECTED,
    FEWEST_PATIENTS,
    FEWEST_SESSIONS,
    Change,
    Changes,
)
from reports.plain_words import counted, percent, several
from safety.notices import EMERGENCY_ACCESS, SERIOUS

MOST_SENTENCES: Final = 8
_WEEK: Final = 7
_TO_LOOK_AT: Final = 2  # of what reports can lack, the first two


class Weight(StrEnum):
    """How a page shows a sentence: red, amber or ink."""

    SERIOUS = "serious"
    LOOK = "look"
    PLAIN = "plain"


@dataclass(frozen=True, slots=True)
class Sentence:
    """One sentence; ``change`` is the rate that it is about, if it is about one."""

    text: str
    weight: Weight = Weight.PLAIN
    change: Change | None = None


def since_last_visit(news: News) -> list[Sentence]:
    """What was filed since the last visit, and what of it was serious or late."""
    if news.since is None:
        return [
            Sentence("This is your first visit. From the next one on, what is new stands here.")
        ]
    since = f"Since your last visit on {moment(news.since)}"
    if not (news.reports or news.amended):
        return [Sentence(f"{since}, no report was filed or amended.")]
    filed = several(news.reports, "report")
    amended = f", {news.amended:,} amended" if news.amended else ""
    return [Sentence(f"{since}: {filed} filed{amended}."), *_of_the_new(news)]


def _of_the_new(news: News) -> Iterator[Sentence]:
    if news.serious:
        tell = "tells" if news.serious == 1 else "tell"
        text = f"{_of(news.serious, news.reports)} {tell} of a serious event."
        yield Sentence(text, Weight.SERIOUS)
    if news.late:
        was = "was" if news.late == 1 else "were"
        text = f"{_of(news.late, news.reports)} {was} entered more than 24 hours after the session."
        yield Sentence(text, Weight.LOOK)


def _of(part: int, whole: int) -> str:
    """``2 of the 14 new reports``, ``The new report``, ``Both new reports``."""
    if part == whole == 1:
        return "The new report"
    return f"{part:,} of the {whole:,} new reports"


def waiting(notices: Mapping[str, int] | None, rems_late: int | None) -> list[Sentence]:
    """What waits for somebody: open notices by kind, and forms that are late."""
    return [*_notices(notices or {}), *_forms(rems_late or 0)]


def _notices(open_by_kind: Mapping[str, int]) -> Iterator[Sentence]:
    for kind, one, many, weight in (
        (SERIOUS, "serious report waits", "serious reports wait", Weight.SERIOUS),
        (EMERGENCY_ACCESS, "emergency access waits", "emergency accesses wait", Weight.LOOK),
    ):
        if number := open_by_kind.get(kind, 0):
            yield Sentence(f"{number:,} {one if number == 1 else many} to be seen.", weight)


def _forms(late: int) -> Iterator[Sentence]:
    if late:
        forms = "REMS form is" if late == 1 else "REMS forms are"
        text = f"{late:,} {forms} late. The page Today says whose."
        yield Sentence(text, Weight.LOOK)


def changes(found: Changes) -> list[Sentence]:
    """What stands out, in at most eight sentences; or that nothing does, and out of how much."""
    if not found.standing_out:
        return [Sentence(_nothing(found))]
    sentences = [
        Sentence(changed(each), Weight.SERIOUS if each.serious else Weight.LOOK, each)
        for each in found.standing_out[:MOST_SENTENCES]
    ]
    if more := len(found.standing_out) - len(sentences):
        rates = "rate stands out, by less" if more == 1 else "rates stand out, by less"
        sentences.append(Sentence(f"{more:,} more {rates}."))
    return sentences


def changed(change: Change) -> str:
    """``Vomiting on IM: 9 of 61 sessions this quarter (15 %) ...``: counts, shares, how far apart.

    The limits of the difference are on one side of zero, as of everything that stands out.
    """
    now, before = change.now, change.before
    serious = several(change.serious, "session")
    return (
        f"{change.term_name} on {change.protocol_name}: "
        f"{counted(now.affected, now.sessions)} this quarter ({percent(now.value)}), "
        f"{counted(before.affected, before.sessions)} in the four quarters before "
        f"({percent(before.value)}). {_difference(change)}"
        f"{f' Serious in {serious} of this quarter.' if change.serious else ''}"
    )


def _difference(change: Change) -> str:
    limits = change.difference.low, change.difference.high or 0.0
    least, most = sorted(abs(limit) for limit in limits)
    chance, more = ("More", "more") if change.size > 0 else ("Less", "fewer")
    return (
        f"{chance} than chance explains: {_points(least)} to {_points(most)} {more} in a hundred "
        "sessions (95 % interval)."
    )


def _points(difference: float) -> str:
    """In a hundred sessions: ``3.1``, ``22``, ``0.4``."""
    number = 100 * abs(difference)
    return f"{number:.0f}" if number >= 9.95 else f"{number:.1f}"


def _nothing(found: Changes) -> str:
    if not found.sessions_now:
        return "No session was reported in this quarter yet, so there is nothing to compare."
    if not found.sessions_before:
        return "The four quarters before have no session, so there is nothing to compare with."
    if not found.compared:
        return (
            f"Too few to compare yet: {several(found.sessions_now, 'session')} this quarter. A "
            f"rate is compared once its protocol has {FEWEST_SESSIONS} sessions of "
            f"{FEWEST_PATIENTS} patients in this quarter and before it, and "
            f"{FEWEST_AFFECTED} sessions had the event."
        )
    rates = "1 rate was" if found.compared == 1 else f"{found.compared:,} rates were"
    return (
        f"No rate stands out. {rates} compared with the four quarters before; what differs is "
        "within what chance explains."
    )


def how(found: Changes) -> str:
    """How it was decided what stands out, in one line for whoever wants to know."""
    left = f" {found.too_few:,} more had too little behind them." if found.too_few else ""
    return (
        f"{several(found.compared, 'rate')} compared, by protocol and effect.{left} "
        "Sessions of one patient count as alike (sandwich test over patients, Fisher's where a "
        "period has none; interval newcombe-clustered). Of the rates that are named, at most "
        f"{percent(DISCOVERY_RATE)} are expected to be chance "
        "(Benjamini-Hochberg)."
    )


def exposure(found: Overview) -> str:
    """Sessions and patients of the quarter so far, and how many a week now and before."""
    now = sum(each.sessions for each in found.exposure)
    before = sum(each.sessions_before for each in found.exposure)
    days = (min(found.day, found.quarter.last) - found.quarter.first).days + 1
    earlier = found.quarter.previous()
    all_days = (earlier.last - earlier.first).days + 1
    so_far = f"in the {several(days, 'day')} of this quarter so far"
    return (
        f"{_done(now, found.patients, days)} {so_far}. The quarter before: "
        f"{_done(before, found.patients_before, all_days)}."
    )


def _done(sessions: int, patients: int, days: int) -> str:
    if not sessions:
        return "No session"
    who = several(patients, "patient")
    return f"{several(sessions, 'session')} of {who} ({_a_week(sessions, days)} a week)"


def _a_week(sessions: int, days: int) -> str:
    return f"{_WEEK * sessions / days:,.1f}"


def quality(found: Quality) -> list[Sentence]:
    """What reports of the quarter lack, each with how many of how many; or that they lack nothing.

    Silence and late entries are amber: both make rates wrong, and both can be mended.
    """
    if not found.sessions:
        return []
    lacking = (
        (found.nothing_said, "says", "say", 'neither an event nor "nothing happened"'),
        (found.late, "was", "were", "entered more than 24 hours after the session"),
        (found.no_peak_pressure, "has", "have", "no highest blood pressure"),
        (found.no_leaving_time, "does", "do", "not say when the patient left"),
        (found.lag_unknown, "does", "do", "not say when the report was entered"),
    )
    sentences = [
        Sentence(
            f"{counted(number, found.sessions)} ({percent(number / found.sessions)}) "
            f"{one if number == 1 else many} {what}.",
            Weight.LOOK if at < _TO_LOOK_AT else Weight.PLAIN,
        )
        for at, (number, one, many, what) in enumerate(lacking)
        if number
    ]
    whole = (
        "Every report of this quarter says what happened, how high the blood pressure rose and "
        "when the patient left, and none was late."
    )
    return sentences or [Sentence(whole)]


def moment(at: datetime) -> str:
    """``3 May 2026, 14:05``, on the clock that ``at`` is given in."""
    return f"{at.day} {at:%B %Y, %H:%M}"
