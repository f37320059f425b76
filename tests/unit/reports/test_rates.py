"""What a question for rates may be, and who may ask it."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest

from reports.at_risk import end_of_follow_up
from reports.rates import RateQuery, exposure, incidence
from safety.errors import AccessDenied, UnknownName, UserError
from safety.store.handle import Store
from tests.support.builders import ADMINISTRATOR, COMPLIANCE, NURSE

DAY = date(2026, 1, 1)


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (
            {"last": date(2025, 12, 31)},
            "The period ends (2025-12-31) before it begins (2026-01-01). Swap the dates.",
        ),
        ({"unit": "week"}, "unit must be one of: session, patient, patient-month."),
        (
            {"by": "nurse"},
            (
                "by must be one of: protocol, protocol-version, site, route, dose-band, "
                "session-number, setting, age-band, sex, elicitation."
            ),
        ),
        (
            {"all_events": True},
            "Every event counts anew only per patient-month. Choose that unit.",
        ),
        (
            {"unit": "patient-month", "by": "session-number"},
            "Nobody is at risk over time by session-number. Count per session or per patient.",
        ),
        (
            {"unit": "patient", "method": "wilson-clustered"},
            "wilson-clustered is for sessions, which belong to patients.",
        ),
        (
            {"method": "wald"},
            "method must be one of: default, wilson-clustered, wilson, clopper-pearson, jeffreys.",
        ),
        ({"min_grade": 0}, "There is no grade 0: grades go from 1 to 5."),
        ({"min_grade": 6}, "There is no grade 6: grades go from 1 to 5."),
        ({"level": 95}, "The level 95 must lie between 0 and 1, such as 0.95."),
    ],
)
def test_a_question_that_cannot_be_answered_says_why(change: dict[str, Any], message: str) -> None:
    with pytest.raises(UserError) as caught:
        RateQuery(**({"first": DAY, "last": DAY} | change))
    assert str(caught.value) == message


def test_an_unknown_term_is_named_only_when_it_resembles_one_of_ours(embedded_store: Store) -> None:
    with pytest.raises(UnknownName, match="Did you mean Nausea"):
        incidence(embedded_store, COMPLIANCE, RateQuery(DAY, DAY, term="nausia"))
    with pytest.raises(UnknownName) as caught:
        incidence(embedded_store, COMPLIANCE, RateQuery(DAY, DAY, term="Wilma Testcase"))
    assert "Wilma" not in str(caught.value)


@pytest.mark.parametrize("actor", [NURSE, ADMINISTRATOR])
def test_rates_are_for_directors_and_compliance_officers(embedded_store: Store, actor: Any) -> None:
    with pytest.raises(AccessDenied):
        incidence(embedded_store, actor, RateQuery(DAY, DAY))
    with pytest.raises(AccessDenied):
        exposure(embedded_store, actor, DAY, DAY)


def test_a_store_without_sessions_has_no_rows(embedded_store: Store) -> None:
    assert incidence(embedded_store, COMPLIANCE, RateQuery(DAY, DAY)) == ()
    assert exposure(embedded_store, COMPLIANCE, DAY, DAY) == ()


@pytest.mark.parametrize(
    ("last_session", "planned", "latest", "end"),
    [(10, 17, 30, 17), (28, 35, 30, 30), (30, 37, 30, 30), (35, 42, 30, 35)],
)
def test_follow_up_ends_one_interval_after_the_last_session_unless_cut(
    last_session: int, planned: int, latest: int, end: int
) -> None:
    assert end_of_follow_up(last_session, planned, latest) == end
