"""The page of sites and people, run in process."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import timedelta
from typing import Any

import pytest
from streamlit.testing.v1 import AppTest

from reports.group_signals import FunnelReport, GroupQuery, funnel
from reports.ui import funnel_plot
from safety.access import CONSOLE, Role
from safety.model import SessionReport
from safety.store.handle import Store
from safety.store.recording import Recorder
from safety.ui.patient_timeline import LIGHT
from tests.support.builders import DIRECTOR, SITE, STARTED, a_report, an_event
from tests.ui.conftest import SECONDS, Clinic, Texts

GROUPS = "reports.ui.groups_page"
PROTOCOL = "iv_ketamine_depression_induction"
MAINTENANCE = "iv_ketamine_depression_maintenance"
ANNEX = "Harbour Annex"


def _file(store: Store, reports: Iterable[SessionReport]) -> None:
    with store.write() as writer:
        recorder = Recorder(store, writer, CONSOLE)
        for report in reports:
            recorder.add(report)
        recorder.flush()
        writer.commit()


def _some(count: int, hits: int, **changes: Any) -> list[SessionReport]:
    """``count`` patients with a session each, ``hits`` of them with nausea."""
    prefix = changes.get("site", SITE) + str(changes.get("reported_by", ""))
    return [
        a_report(
            mrn=f"{prefix[:20]}-{at}",
            started_at=STARTED - timedelta(days=at),
            events=(an_event(),) if at < hits else (),
            **changes,
        )
        for at in range(count)
    ]


def _two_sites(clinic: Clinic) -> None:
    _file(clinic.store, [*_some(40, 4), *_some(40, 24, site=ANNEX), *_some(60, 6, site="North")])


def _lines(app: AppTest, table: int = 0) -> list[dict[str, Any]]:
    rows = app.dataframe[table].value.to_dict("records")
    return [{str(name): value for name, value in row.items()} for row in rows]


def _choose(app: AppTest, label: str, value: str) -> AppTest:
    return next(box for box in app.selectbox if box.label == label).set_value(value).run()


def test_without_a_session_the_page_says_what_will_be_here(clinic: Clinic, texts: Texts) -> None:
    app = clinic.page(GROUPS, Role.DIRECTOR)
    assert not app.exception
    assert "No session was reported in the last 12 months" in texts(app)


def test_sites_stand_side_by_side_and_the_one_outside_is_named(
    clinic: Clinic, texts: Texts
) -> None:
    _two_sites(clinic)
    app = clinic.page(GROUPS, Role.DIRECTOR)
    assert not app.exception
    by_unit = {line["Unit"]: line for line in _lines(app)}
    assert by_unit[ANNEX]["n / N"] == "24 / 40"
    assert by_unit[ANNEX]["Limits"] == "Higher"
    assert by_unit[SITE]["Limits"] == "Within"
    said = texts(app)
    assert "**Any adverse event** in the last 12 months: 34 of 140 sessions (24 %;" in said
    assert f"{ANNEX}: 24 of 40 sessions (60 %; 95 % interval" in said
    assert "Higher than chance explains" in said
    assert len(app.get("vega_lite_chart")) == 1


def test_what_is_reported_less_is_said_with_its_caveat(clinic: Clinic, texts: Texts) -> None:
    _two_sites(clinic)
    app = clinic.page(GROUPS, Role.DIRECTOR)
    lines = {(line["Unit"], line["Question"]): line for line in _lines(app, 1)}
    assert lines["North", "Sessions with an effect"]["n / N"] == "6 / 60"
    assert lines["North", "Sessions with an effect"]["Expected"] == "21.0"
    assert "North: fewer effects were recorded than the same protocols bring elsewhere" in texts(
        app
    )
    assert "not a finding about a person" in texts(app)


def test_people_have_names_for_the_director_alone(clinic: Clinic, texts: Texts) -> None:
    nurses = ("Made-up nurse", "Made-up charge")
    _file(clinic.store, [r for n in nurses for r in _some(25, 5, reported_by=n)])
    _file(clinic.store, _some(3, 0))
    app = _choose(clinic.page(GROUPS, Role.DIRECTOR), "Compare", "nurse")
    assert {line["Unit"] for line in _lines(app)} == set(nurses)
    assert "3 more sessions do not say who reported them" in texts(app).replace("\\", "")
    other = _choose(clinic.page(GROUPS, Role.COMPLIANCE), "Compare", "nurse")
    assert not other.exception
    assert all(line["Unit"].startswith("Person ") for line in _lines(other))
    assert "Made-up" not in texts(other) + str(_lines(other)) + str(_lines(other, 1))


def test_one_site_alone_is_compared_to_nothing(clinic: Clinic, texts: Texts) -> None:
    _file(clinic.store, _some(5, 1))
    app = clinic.page(GROUPS, Role.DIRECTOR)
    assert not app.exception
    assert "Only one site has sessions here" in texts(app)
    assert "Small numbers: 1 of 5 sessions; one more would make it 40 %" in texts(app)
    assert f"{SITE}: nothing is said, fewer than 20 sessions" in texts(app)


def test_filters_are_kept_in_the_address_as_ids(clinic: Clinic) -> None:
    _two_sites(clinic)
    app = clinic.page(GROUPS, Role.DIRECTOR)
    assert app.query_params == {}
    _choose(app, "Protocol", PROTOCOL)
    _choose(app, "Effect", "vomiting")
    _choose(app, "Period", "everything")
    assert app.query_params == {
        "protocol": PROTOCOL,
        "term": "vomiting",
        "period": "everything",
    }
    assert {line["n / N"] for line in _lines(app)} == {"0 / 40", "0 / 60"}
    _choose(app, "Effect", "any")
    assert "term" not in app.query_params


def test_an_address_opens_what_it_says_and_ignores_what_is_not_there(clinic: Clinic) -> None:
    _two_sites(clinic)
    asked = {"compare": "nurse", "protocol": MAINTENANCE, "term": "somebody", "period": "2025Q4"}
    app = AppTest.from_string(_PAGE, default_timeout=SECONDS)
    app.query_params.update(asked)
    clinic._signed(app, Role.DIRECTOR).run()
    assert not app.exception
    values = {box.label: box.value for box in app.selectbox}
    assert values == {
        "Compare": "nurse",
        "Effect": "any",
        "Protocol": MAINTENANCE,
        "Period": "2025Q4",
    }
    assert "term" not in app.query_params


_PAGE = """
from reports.ui.groups_page import page
from safety.ui import session

page(session.visit(session.store()))
"""


def test_disproportionality_stands_behind_its_warning(clinic: Clinic, texts: Texts) -> None:
    _two_sites(clinic)
    _file(clinic.store, _some(5, 2, site="West", protocol=MAINTENANCE))
    app = clinic.page(GROUPS, Role.DIRECTOR)
    assert "compare rates instead" in texts(app)
    assert len(app.dataframe) == 2
    app.checkbox[0].check().run()
    assert "Choose one effect" in texts(app)
    _choose(app, "Effect", "nausea")
    assert [line["n / N events"] for line in _lines(app, 2)] == ["34 / 34", "2 / 2"]


@pytest.mark.parametrize("role", [Role.NURSE, Role.ADMINISTRATOR])
def test_a_role_without_counts_gets_none(clinic: Clinic, role: Role) -> None:
    _two_sites(clinic)
    app = clinic.page(GROUPS, role)
    assert app.exception
    assert not app.dataframe


def _found(store: Store) -> FunnelReport:
    return funnel(store, DIRECTOR, GroupQuery(STARTED.date() - timedelta(days=99), STARTED.date()))


def test_a_unit_outside_has_a_shape_and_words_of_its_own(clinic: Clinic) -> None:
    _two_sites(clinic)
    found = _found(clinic.store)
    points = {point["unit"]: point for point in funnel_plot.points(found)}
    assert points[ANNEX]["label"] == f"{ANNEX}: higher"
    assert points[SITE]["label"] == ""
    assert points[ANNEX]["counts"].startswith("24 of 40 sessions (60 %;")
    drawn = funnel_plot.draw(found, LIGHT).to_dict()
    dots = drawn["layer"][2]["encoding"]
    assert dots["shape"]["scale"]["range"] == ["circle", "triangle-up", "triangle-down"]
    assert "n = 140 sessions of 3 units" in dots["x"]["title"]
    texts = [layer["encoding"]["text"] for layer in drawn["layer"] if "text" in layer["encoding"]]
    assert len(texts) == 1


def test_the_curves_are_the_exact_limits_in_percent(clinic: Clinic) -> None:
    _two_sites(clinic)
    found = _found(clinic.store)
    last = found.limits[-1]
    curves = [line for line in funnel_plot.limits(found) if line["at"] == last.n]
    assert [(line["limit"], line["side"]) for line in curves] == [
        ("99.8 %", "low"),
        ("95 %", "low"),
        ("95 %", "high"),
        ("99.8 %", "high"),
    ]
    assert [line["share"] for line in curves] == [
        100 * value for value in (last.low_998, last.low_95, last.high_95, last.high_998)
    ]
    assert last.n == 60
