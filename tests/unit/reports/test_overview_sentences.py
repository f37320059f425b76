"""The sentences of the overview: what a person would write, with the counts they rest on."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, date, datetime
from typing import Any, Final

import pytest

from reports import overview_changes
from reports.clustered import PatientSums, wilson_clustered
from reports.comparing.arms import Arm, Contrast
from reports.overview import Compared, News, Overview, Quality
from reports.overview_changes import Change, Changes
from reports.overview_sentences import (
    MOST_SENTENCES,
    Weight,
    changed,
    changes,
    exposure,
    how,
    quality,
    since_last_visit,
    waiting,
)
from reports.periods import Quarter
from safety.notices import EMERGENCY_ACCESS, SERIOUS

VISIT: Final = datetime(2026, 5, 3, 14, 5, tzinfo=UTC)
NOTHING: Final = Changes((), 12, 3, 61, 287)


def a_change(
    now: tuple[int, int] = (9, 61), before: tuple[int, int] = (12, 287), **more: Any
) -> Change:
    """Every session of another patient; limits of the difference as given."""
    arms = [Arm(x, n) for x, n in (now, before)]
    estimates = [wilson_clustered(PatientSums(a.n, a.n, a.x, a.n, a.x, a.x)) for a in arms]
    value = arms[0].x / arms[0].n - arms[1].x / arms[1].n
    low, high = more.pop("limits", (0.031, 0.221))
    difference = Contrast(arms[0], arms[1], value, low, high, "newcombe-clustered")
    given: dict[str, Any] = {
        "protocol": "im",
        "protocol_name": "IM maintenance",
        "term": "vomiting",
        "term_name": "Vomiting",
        "now": estimates[0],
        "before": estimates[1],
        "difference": difference,
        "q": 0.01,
        "method": "sandwich-t",
    }
    return Change(**(given | more))


def test_a_rise_is_told_with_both_counts_and_how_much_more_it_is() -> None:
    assert changed(a_change()) == (
        "Vomiting on IM maintenance: 9 of 61 sessions this quarter (15 %), 12 of 287 sessions in "
        "the four quarters before (4.2 %). More than chance explains: 3.1 to 22 more in a hundred "
        "sessions (95 % interval)."
    )


def test_a_fall_is_told_as_one_and_what_was_serious_is_said() -> None:
    fallen = a_change((0, 61), (42, 287), limits=(-0.19, -0.05), serious=1)
    text = changed(fallen)
    assert "0 of 61 sessions this quarter (0 %)" in text
    assert "Less than chance explains: 5.0 to 19 fewer in a hundred sessions" in text
    assert text.endswith("Serious in 1 session of this quarter.")


def test_at_most_eight_rates_are_sentences_and_the_rest_is_counted() -> None:
    many = Changes((a_change(),) * (MOST_SENTENCES + 2), 50, 0, 61, 287)
    said = changes(many)
    assert len(said) == MOST_SENTENCES + 1
    assert said[-1].text == "2 more rates stand out, by less."
    assert all(each.change for each in said[:-1])
    assert changes(replace(many, standing_out=many.standing_out[:9]))[-1].text == (
        "1 more rate stands out, by less."
    )


def test_red_is_for_the_serious() -> None:
    said = changes(Changes((a_change(serious=2), a_change()), 5, 0, 61, 287))
    assert [each.weight for each in said] == [Weight.SERIOUS, Weight.LOOK]


def test_the_serious_stands_before_what_rose_and_that_before_what_fell() -> None:
    small = a_change((9, 61), (30, 287), term="small")
    fallen = a_change((1, 61), (200, 287), term="fallen")
    serious = a_change((9, 61), (40, 287), term="serious", serious=1)
    given = sorted([fallen, small, a_change(), serious], key=overview_changes._rank)
    assert [each.term for each in given] == ["serious", "vomiting", "small", "fallen"]


@pytest.mark.parametrize(
    ("found", "text"),
    [
        (NOTHING, "No rate stands out. 12 rates were compared with the four quarters before"),
        (replace(NOTHING, compared=1), "1 rate was compared"),
        (replace(NOTHING, compared=0), "Too few to compare yet: 61 sessions this quarter."),
        (replace(NOTHING, sessions_now=0), "No session was reported in this quarter yet"),
        (replace(NOTHING, compared=0, sessions_before=0), "nothing to compare with"),
    ],
)
def test_when_nothing_stands_out_it_says_so_and_out_of_how_much(found: Changes, text: str) -> None:
    (said,) = changes(found)
    assert text in said.text
    assert said.weight is Weight.PLAIN


def test_how_it_was_decided_can_be_read() -> None:
    text = how(NOTHING)
    assert text.startswith("12 rates compared, by protocol and effect. 3 more had too little")
    assert "at most 10 % are expected to be chance (Benjamini-Hochberg)" in text


@pytest.mark.parametrize(
    ("news", "texts"),
    [
        (News(None), ["This is your first visit. From the next one on, what is new stands here."]),
        (
            News(VISIT),
            ["Since your last visit on 3 May 2026, 14:05, no report was filed or amended."],
        ),
        (News(VISIT, 1), ["Since your last visit on 3 May 2026, 14:05: 1 report filed."]),
        (
            News(VISIT, amended=2),
            ["Since your last visit on 3 May 2026, 14:05: no reports filed, 2 amended."],
        ),
        (
            News(VISIT, 14, 2, 1, 3),
            [
                "Since your last visit on 3 May 2026, 14:05: 14 reports filed, 2 amended.",
                "1 of the 14 new reports tells of a serious event.",
                "3 of the 14 new reports were entered more than 24 hours after the session.",
            ],
        ),
        (
            News(VISIT, 1, 0, 1, 1),
            [
                "Since your last visit on 3 May 2026, 14:05: 1 report filed.",
                "The new report tells of a serious event.",
                "The new report was entered more than 24 hours after the session.",
            ],
        ),
    ],
)
def test_what_is_new_is_told_in_its_order(news: News, texts: list[str]) -> None:
    assert [each.text for each in since_last_visit(news)] == texts


def test_what_waits_is_told_and_silence_is_nothing() -> None:
    said = waiting({SERIOUS: 1, EMERGENCY_ACCESS: 2}, 4)
    assert [(each.text, each.weight) for each in said] == [
        ("1 serious report waits to be seen.", Weight.SERIOUS),
        ("2 emergency accesses wait to be seen.", Weight.LOOK),
        ("4 REMS forms are late. The page Today says whose.", Weight.LOOK),
    ]
    assert waiting(None, None) == waiting({}, 0) == []


def an_overview(day: date, *rows: Compared) -> Overview:
    return Overview(
        day=day,
        quarter=Quarter(2026, 2),
        ever=True,
        news=News(None),
        notices={},
        rems_late=0,
        exposure=rows,
        patients=40,
        patients_before=1,
        quality=Quality(),
        changes=NOTHING,
    )


def test_exposure_is_told_by_week_because_the_quarter_still_runs() -> None:
    rows = (Compared("a", "A", 61, 40, 1, 1), Compared("b", "B", 0, 0, 89, 1))
    assert exposure(an_overview(date(2026, 5, 23), *rows)) == (
        "61 sessions of 40 patients (8.1 a week) in the 53 days of this quarter so far. "
        "The quarter before: 90 sessions of 1 patient (7.0 a week)."
    )
    assert exposure(an_overview(date(2026, 4, 1))) == (
        "No session in the 1 day of this quarter so far. The quarter before: No session."
    )


def test_what_reports_lack_is_told_with_its_share() -> None:
    said = quality(Quality(200, nothing_said=3, late=1))
    assert [(each.text, each.weight) for each in said] == [
        ('3 of 200 sessions (1.5 %) say neither an event nor "nothing happened".', Weight.LOOK),
        (
            "1 of 200 sessions (0.5 %) was entered more than 24 hours after the session.",
            Weight.LOOK,
        ),
    ]
    (whole,) = quality(Quality(200))
    assert whole.text.startswith("Every report of this quarter says")
    assert quality(Quality()) == []
