"""Trends from a store: counting by week and month, charts, looks, times and remarks."""

from __future__ import annotations

import math
from datetime import UTC, date, datetime, timedelta
from typing import Any

import pytest

from reports import trend_words
from reports.annotations import remarks_between
from reports.trend_periods import spans
from reports.trend_sequential import SequentialQuery, sequential
from reports.trend_times import TimesQuery, times
from reports.trends import CHARTS, Trend, TrendQuery, trend
from safety.access import CONSOLE, Actor
from safety.annotations import Remark, add_remark, remarks, remove_remark
from safety.errors import AccessDenied, Conflict, NotFound, Tampered, UnknownName, UserError
from safety.model import Outcome, SessionReport
from safety.store.handle import Store
from safety.store.recording import Recorder
from tests.store.test_counting import plan, statements
from tests.support.accounts import audit_of
from tests.support.builders import COMPLIANCE, DIRECTOR, NURSE, PROTOCOL, a_report, an_event
from tests.support.stores import tampering

OTHER = "iv_ketamine_depression_maintenance"
MONDAY = date(2026, 1, 5)
NAUSEA = (an_event("nausea", 2),)


def session(day: date, mrn: str, *events: Any, **changes: Any) -> SessionReport:
    at = datetime(day.year, day.month, day.day, 15, tzinfo=UTC)
    return a_report(mrn=mrn, started_at=at, events=events, **changes)


def record_all(store: Store, *reports: SessionReport) -> None:
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for report in reports:
            recorder.add(report)
        recorder.flush()
        writer.commit()


def asked(**changes: Any) -> TrendQuery:
    given: dict[str, Any] = {
        "term": "nausea",
        "protocol": PROTOCOL,
        "first": MONDAY,
        "last": date(2026, 2, 1),
    }
    return TrendQuery(**(given | changes))


def weeks(counts: list[tuple[int, int]], begin: date = MONDAY) -> list[SessionReport]:
    """Sessions of a week each on its Tuesday: so many with nausea of so many."""
    return [
        session(begin + timedelta(days=7 * week + 1), f"W{week}-{at}", *NAUSEA * (at < hit))
        for week, (hit, of) in enumerate(counts)
        for at in range(of)
    ]


def test_weeks_begin_on_monday_and_one_without_sessions_stays(store: Store) -> None:
    record_all(
        store,
        session(MONDAY, "A", *NAUSEA),
        session(MONDAY + timedelta(days=6), "B"),
        session(MONDAY + timedelta(days=7), "A", *NAUSEA),
        session(MONDAY + timedelta(days=8), "C", an_event("dizziness")),
        session(MONDAY + timedelta(days=8), "D", *NAUSEA, protocol=OTHER),
        session(MONDAY + timedelta(days=21), "A"),
    )
    rows = trend(store, CONSOLE, asked()).rows
    assert [(row.period, row.with_event, row.exposed, row.estimate) for row in rows] == [
        (date(2026, 1, 5), 1, 2, 0.5),
        (date(2026, 1, 12), 1, 2, 0.5),
        (date(2026, 1, 19), 0, 0, None),
        (date(2026, 1, 26), 0, 1, 0.0),
    ]
    assert not any(row.partial for row in rows)


def test_months_are_those_of_the_calendar_and_cut_ones_are_marked(store: Store) -> None:
    record_all(
        store,
        session(date(2025, 12, 1), "A", *NAUSEA),
        session(date(2025, 12, 31), "A", *NAUSEA),
        session(date(2026, 2, 28), "A"),
        session(date(2026, 3, 1), "A", *NAUSEA),
    )
    found = trend(
        store, CONSOLE, asked(first=date(2025, 12, 10), last=date(2026, 3, 31), every="month")
    )
    assert [(r.period, r.last, r.with_event, r.exposed, r.partial) for r in found.rows] == [
        (date(2025, 12, 1), date(2025, 12, 31), 1, 1, True),
        (date(2026, 1, 1), date(2026, 1, 31), 0, 0, False),
        (date(2026, 2, 1), date(2026, 2, 28), 0, 1, False),
        (date(2026, 3, 1), date(2026, 3, 31), 1, 1, True),
    ]
    said = " ".join(trend_words.findings(found))
    assert "Not all days are counted in the month of 1 December 2025 and of 1 March 2026." in said


def test_limits_are_those_of_the_formula_on_a_frozen_baseline(store: Store) -> None:
    record_all(store, *weeks([(1, 4), (0, 6), (2, 5), (6, 6)]))
    found = trend(store, CONSOLE, asked(baseline=3))
    centre = 3 / 15
    reach = 3 * math.sqrt(centre * (1 - centre) / 6)
    last = found.rows[-1]
    assert last.centre == pytest.approx(centre)
    assert last.lower == 0
    assert last.upper == pytest.approx(centre + reach)
    assert (last.flag, last.rule) == (True, "beyond")
    assert [row.baseline for row in found.rows] == [True, True, True, False]
    assert (found.method, found.baseline, found.provisional) == ("p, 3 sigma", "3 points", False)
    assert "A point lies beyond the limits: 26 January 2026 (more events than usual)." in (
        trend_words.findings(found)
    )


def test_a_short_baseline_is_provisional_and_says_so(embedded_store: Store) -> None:
    record_all(embedded_store, *weeks([(1, 4), (1, 4)]))
    found = trend(embedded_store, CONSOLE, asked())
    assert found.provisional
    assert "Provisional: the baseline has 2 of 20 points." in found.warnings


def test_a_baseline_can_be_named_by_its_days(embedded_store: Store) -> None:
    record_all(embedded_store, *weeks([(4, 4), (1, 4), (0, 4), (1, 4)]))
    chosen = (date(2026, 1, 12), date(2026, 1, 25))
    found = trend(embedded_store, CONSOLE, asked(baseline=chosen))
    assert [row.baseline for row in found.rows] == [False, True, True, False]
    assert found.rows[0].centre == pytest.approx(1 / 8)
    assert found.baseline_days == chosen
    with pytest.raises(UserError, match="nothing to compare"):
        trend(embedded_store, CONSOLE, asked(baseline=(date(2026, 1, 13), date(2026, 1, 15))))


def test_group_grade_emergence_site_and_unit_reach_the_counts(store: Store) -> None:
    before = an_event("nausea", 3, onset_minutes=-60)
    record_all(
        store,
        session(MONDAY, "A", an_event("nausea", 1), an_event("vomiting", 2)),
        session(MONDAY, "A", an_event("dizziness", 1)),
        session(MONDAY, "B", before),
        session(MONDAY, "C"),
    )

    def first(**changes: Any) -> tuple[int, int]:
        row = trend(store, CONSOLE, asked(**changes)).rows[0]
        return row.with_event, row.exposed

    assert first(term="any adverse event") == (3, 4)
    assert first(term="any adverse event", min_grade=2) == (2, 4)
    assert first(term="any adverse event", treatment_emergent=True) == (2, 4)
    assert first(term="any adverse event", unit="patient") == (2, 3)
    assert first(term="any adverse event", chart="u") == (4, 4)
    assert first(term="feeling sick") == (2, 4)
    assert first(site="main street") == (2, 4)


@pytest.mark.parametrize("chart", [c for c in CHARTS if c not in {"g", "t"}])
def test_every_chart_has_a_row_a_period(embedded_store: Store, chart: str) -> None:
    record_all(embedded_store, *weeks([(1, 4), (0, 4), (0, 0), (2, 4)]))
    found = trend(embedded_store, CONSOLE, asked(chart=chart))
    assert [row.exposed for row in found.rows] == [4, 4, 0, 4]
    assert [row.estimate is None for row in found.rows] == [False, False, True, False]
    assert trend_words.findings(found)


def test_a_cusum_rises_with_twice_the_rate_and_signals(embedded_store: Store) -> None:
    record_all(embedded_store, *weeks([(1, 8)] * 4 + [(6, 8)] * 3))
    found = trend(embedded_store, CONSOLE, asked(chart="cusum", baseline=4, last=date(2026, 2, 22)))
    assert found.rows[0].upper == found.rows[-1].upper
    assert [row.flag for row in found.rows[:4]] == [False] * 4
    assert "threshold" in [row.rule for row in found.rows[4:]]


def test_a_g_chart_counts_the_sessions_between_and_the_running_ones(store: Store) -> None:
    days = [MONDAY + timedelta(days=at) for at in range(10)]
    hit = {0, 3, 4}
    record_all(
        store, *(session(day, f"P{at}", *NAUSEA * (at in hit)) for at, day in enumerate(days))
    )
    found = trend(store, CONSOLE, asked(chart="g"))
    assert [(r.period, r.estimate, r.exposed, r.with_event, r.running) for r in found.rows] == [
        (days[3], 2, 3, 1, False),
        (days[4], 0, 1, 1, False),
        (date(2026, 2, 1), 5, 5, 0, True),
    ]
    assert found.bad == "below"
    by_days = trend(store, CONSOLE, asked(chart="t"))
    assert [row.estimate for row in by_days.rows] == [3, 1, 18 + 5]


@pytest.mark.parametrize("chart", CHARTS)
def test_an_empty_store_has_a_chart_without_points(embedded_store: Store, chart: str) -> None:
    found = trend(embedded_store, CONSOLE, asked(chart=chart))
    assert all(row.estimate is None and not row.flag for row in found.rows)
    assert found.warnings
    begins = "No gaps between" if chart in {"g", "t"} else "Nobody was treated"
    assert trend_words.headline(found).startswith(begins)


@pytest.mark.parametrize("chart", ["p", "g"])
@pytest.mark.parametrize("term", ["nausea", "any adverse event"])
def test_counting_reads_covering_indexes_alone(
    embedded_store: Store, chart: str, term: str
) -> None:
    record_all(embedded_store, *weeks([(1, 4)] * 3))
    with statements(embedded_store) as seen:
        trend(embedded_store, CONSOLE, asked(chart=chart, term=term))
    plans = [line for statement, given in seen for line in plan(embedded_store, statement, given)]
    assert len(plans) >= 4
    assert [line for line in plans if "COVERING INDEX" not in line] == []


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        ({"last": date(2025, 1, 1)}, "Swap the dates"),
        ({"every": "day"}, "every must be one of"),
        ({"chart": "x"}, "chart must be one of"),
        ({"rules": "all"}, "rules must be one of"),
        ({"unit": "patient", "chart": "g"}, "counts sessions"),
        ({"min_grade": 6}, "grades go from 1 to 5"),
        ({"baseline": 0}, "1 period or more"),
        ({"baseline": (date(2020, 1, 1), date(2020, 2, 1))}, "within the period"),
    ],
)
def test_what_cannot_be_asked_is_refused_in_words(changes: dict[str, Any], words: str) -> None:
    with pytest.raises(UserError, match=words):
        asked(**changes)


def test_unknown_names_and_roles_are_refused(embedded_store: Store) -> None:
    for changes in ({"term": "xyz"}, {"protocol": "xyz"}, {"site": "xyz"}):
        with pytest.raises(UnknownName):
            trend(embedded_store, CONSOLE, asked(**changes))
    with pytest.raises(AccessDenied):
        trend(embedded_store, NURSE, asked())


def test_more_periods_than_a_chart_can_show_are_refused() -> None:
    with pytest.raises(UserError, match="more than 1000 weeks"):
        spans(date(1990, 1, 1), date(2026, 1, 1), "week", MONDAY)


# --- weekly looks ---------------------------------------------------------------------------


def watching(**changes: Any) -> SequentialQuery:
    given: dict[str, Any] = {
        "term": "nausea",
        "protocol": PROTOCOL,
        "first": date(2026, 2, 2),
        "last": date(2026, 3, 1),
        "baseline": (MONDAY, date(2026, 2, 1)),
    }
    return SequentialQuery(**(given | changes))


def test_the_first_look_that_crosses_is_named(store: Store) -> None:
    record_all(store, *weeks([(1, 10)] * 4 + [(1, 10), (7, 10), (8, 10), (0, 10)]))
    found = sequential(store, DIRECTOR, watching())
    assert (found.baseline_with_event, found.baseline_sessions, found.share) == (4, 40, 0.1)
    assert [(k.with_event, k.sessions) for k in found.looks] == [
        (1, 10),
        (8, 20),
        (16, 30),
        (16, 40),
    ]
    assert [look.expected for look in found.looks] == pytest.approx([1, 2, 3, 4])
    assert found.signal == found.looks[1]
    assert trend_words.crossing(found) == (
        "The run crosses its sequential limit on 15 February 2026: 8 of 20 sessions where 2.0 were "
        "expected."
    )
    assert found.horizon == 520
    assert 0 < found.spent <= 0.05
    said = trend_words.promise(found)
    assert "4 looks so far, planned up to 520 sessions" in said
    assert "at most 5 %" in said


def test_later_weeks_never_change_an_earlier_look(embedded_store: Store, clock: Any) -> None:
    record_all(embedded_store, *weeks([(1, 10)] * 4 + [(1, 10), (2, 10), (3, 10)]))
    two = sequential(embedded_store, DIRECTOR, watching(last=date(2026, 2, 15)))
    three = sequential(embedded_store, DIRECTOR, watching())
    assert three.looks[:2] == two.looks
    assert three.signal is None
    assert "has not crossed its sequential limit by 1 March 2026" in trend_words.crossing(three)


def test_a_week_that_is_not_over_is_no_look(embedded_store: Store, clock: Any) -> None:
    record_all(embedded_store, *weeks([(1, 10)] * 5))
    clock.now = datetime(2026, 2, 8, 15, tzinfo=UTC)
    assert sequential(embedded_store, DIRECTOR, watching()).looks == ()
    assert "no look yet" in trend_words.crossing(sequential(embedded_store, DIRECTOR, watching()))


def test_a_baseline_must_be_before_and_hold_sessions(embedded_store: Store) -> None:
    with pytest.raises(UserError, match="before the watch begins"):
        watching(first=MONDAY)
    with pytest.raises(UserError, match="Nobody was treated in the baseline"):
        sequential(embedded_store, DIRECTOR, watching())


def test_a_baseline_without_an_event_is_no_share_of_zero(embedded_store: Store) -> None:
    record_all(embedded_store, *weeks([(0, 10)] * 4 + [(5, 10)]))
    found = sequential(embedded_store, DIRECTOR, watching(last=date(2026, 2, 8)))
    assert found.share == pytest.approx(0.5 / 41)
    assert found.signal is not None


# --- times ----------------------------------------------------------------------------------


def by(scale: str, **changes: Any) -> TimesQuery:
    given: dict[str, Any] = {
        "term": "nausea",
        "protocol": PROTOCOL,
        "first": MONDAY,
        "last": date(2026, 3, 1),
    }
    return TimesQuery(**(given | {"scale": scale} | changes))


def a_course(mrn: str, hits: set[int], sessions: int, begin: date = MONDAY) -> list[SessionReport]:
    return [
        session(begin + timedelta(days=3 * at), mrn, *NAUSEA * (at + 1 in hits))
        for at in range(sessions)
    ]


def test_the_first_event_and_the_mean_by_session_number(store: Store) -> None:
    record_all(
        store,
        *a_course("A", {1, 3}, 3),
        *a_course("B", {2}, 2),
        *a_course("C", set(), 1),
        *a_course("D", {1}, 20, begin=MONDAY - timedelta(days=30)),
    )
    found = times(store, CONSOLE, by("session"))
    assert (found.patients, found.began_before) == (3, 1)
    steps = [(s.time, s.at_risk, s.events) for s in found.first_event.steps]
    assert steps == [(1, 3, 1), (2, 1, 1)]
    assert [s.value for s in found.first_event.steps] == pytest.approx([1 / 3, 1.0])
    assert [s.time for s in found.repeated.steps] == [1, 2, 3]
    mean = [s.value for s in found.repeated.steps]
    assert mean == pytest.approx([1 / 3, 1 / 3 + 1 / 2, 1 / 3 + 1 / 2 + 1])
    assert "2 of 3 patients had it at least once" in trend_words.first_event(found)
    assert "1 patient who began before" in trend_words.first_event(found)


def test_by_days_follow_up_ends_with_the_planned_interval(store: Store) -> None:
    record_all(store, *a_course("A", set(), 1), *a_course("B", {2}, 2))
    found = times(store, CONSOLE, by("day"))
    assert [(s.time, s.at_risk, s.events) for s in found.first_event.steps] == [(4, 2, 1)]
    assert found.first_event.last == 4


def test_how_long_events_last_knows_those_that_were_not_over(store: Store) -> None:
    def lasting(minutes: int | None, outcome: Outcome | None) -> Any:
        return an_event("nausea", 1, duration_minutes=minutes, outcome=outcome)

    record_all(
        store,
        session(MONDAY, "A", lasting(20, Outcome.RECOVERED)),
        session(MONDAY, "B", lasting(40, None)),
        session(MONDAY, "C", lasting(60, Outcome.NOT_RECOVERED)),
        session(MONDAY, "D", lasting(None, Outcome.RECOVERED)),
    )
    found = times(store, CONSOLE, by("session"))
    assert (found.resolution.resolved, found.resolution.total) == (2, 3)
    assert found.resolution.median.value == 40
    assert found.without_duration == 1
    assert trend_words.lasting(found) == (
        "Half of the events were over after 40 minutes (2 of 3 events were over). Left out: 1 "
        "event without a duration."
    )


def test_nobody_is_nobody(store: Store) -> None:
    found = times(store, CONSOLE, by("session"))
    assert (found.patients, found.first_event.steps, found.repeated.steps) == (0, (), ())
    assert trend_words.first_event(found) == "Nobody began this protocol in the period."


# --- remarks --------------------------------------------------------------------------------

FORM = Remark(date(2026, 1, 13), "new form in use")


def test_a_remark_is_kept_on_record_and_shown_in_its_period(store: Store) -> None:
    add_remark(store, DIRECTOR, FORM)
    add_remark(store, DIRECTOR, Remark(date(2025, 1, 1), "first day"))
    assert [each.text for each in remarks(store, COMPLIANCE)] == ["first day", "new form in use"]
    assert remarks_between(store, DIRECTOR, MONDAY, FORM.day) == (FORM,)
    assert trend(store, CONSOLE, asked()).remarks == (FORM,)
    assert audit_of(store, "setting.change")[-1][4:] == ("trend-annotations", "v2")


def test_a_remark_can_be_taken_away_once(embedded_store: Store) -> None:
    add_remark(embedded_store, DIRECTOR, FORM)
    with pytest.raises(Conflict):
        add_remark(embedded_store, DIRECTOR, FORM)
    remove_remark(embedded_store, DIRECTOR, FORM)
    assert remarks(embedded_store, DIRECTOR) == ()
    with pytest.raises(NotFound):
        remove_remark(embedded_store, DIRECTOR, FORM)


@pytest.mark.parametrize("actor", [NURSE, COMPLIANCE])
def test_only_the_director_writes_remarks(embedded_store: Store, actor: Actor) -> None:
    with pytest.raises(AccessDenied):
        add_remark(embedded_store, actor, FORM)


@pytest.mark.parametrize("text", ["", "two\nlines", "x" * 61])
def test_a_remark_is_one_short_line(text: str) -> None:
    with pytest.raises(UserError, match="one line"):
        Remark(MONDAY, text)


def test_a_remark_changed_outside_is_not_believed(store: Store) -> None:
    add_remark(store, DIRECTOR, FORM)
    with tampering(store) as raw:
        raw.execute("UPDATE settings SET content = '[]'")
    with pytest.raises(Tampered):
        remarks(store, DIRECTOR)
    with pytest.raises(Tampered):
        add_remark(store, DIRECTOR, FORM)


def test_the_words_of_a_trend_carry_its_counts(embedded_store: Store) -> None:
    record_all(embedded_store, *weeks([(1, 4), (0, 4), (0, 0), (2, 4)]))
    found: Trend = trend(embedded_store, CONSOLE, asked())
    assert trend_words.headline(found) == (
        "3 of 12 sessions (25 %) from 5 January 2026 to 1 February 2026."
    )
    assert any("None of the 3 points breaks a rule" in said for said in trend_words.findings(found))
    assert any("1 week without a session" in said for said in trend_words.findings(found))
