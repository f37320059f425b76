"""The demonstration clinic: apart from the clinic's store, whole, and the same each time."""

from __future__ import annotations

from collections.abc import Iterator
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from sqlalchemy import func, select

from reports.rates import RateQuery, exposure, incidence
from safety import notices, planning, reviewing
from safety.access import CONSOLE, Actor, Role
from safety.demonstration import open_demonstration
from safety.keys.kdf import KdfParameters
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.clock import FakeClock


@pytest.fixture(scope="module")
def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """Where the demonstration of this module lies; made once."""
    return tmp_path_factory.mktemp("demonstration") / "clinic"


@pytest.fixture
def demonstration(folder: Path, clock: FakeClock, cheap_kdf: KdfParameters) -> Iterator[Store]:
    store, _ = open_demonstration(folder, clock=clock)
    yield store
    store.close()


def count(store: Store, column: Any) -> int:
    with store.read() as connection:
        return int(connection.execute(select(func.count(func.distinct(column)))).scalar_one())


def test_it_lies_beside_the_clinics_folder_with_its_key_in_a_third(
    demonstration: Store, folder: Path
) -> None:
    home, key = demonstration.config.home, demonstration.config.key_file
    assert not folder.exists()
    assert key is not None
    assert folder not in home.parents
    assert home not in key.parents
    assert demonstration.clinic.demonstration


def test_two_years_up_to_yesterday_at_two_sites_under_six_protocols(
    demonstration: Store, clock: FakeClock
) -> None:
    columns = tables.sessions.c
    assert 2_000 <= count(demonstration, columns.no) <= 3_000
    assert 55 <= count(demonstration, columns.patient_no) <= 70
    assert count(demonstration, columns.site_no) == 2
    yesterday = clock().date() - timedelta(days=1)
    rows = exposure(demonstration, CONSOLE, yesterday - timedelta(days=800), yesterday)
    assert len(rows) == 6
    assert sum(row.sessions for row in rows) == count(demonstration, columns.no)


def test_effects_fade_with_repetition(demonstration: Store, clock: FakeClock) -> None:
    until = clock().date()
    query = RateQuery(until - timedelta(days=800), until, term="dissociation")
    found = {
        row.protocol: row.estimate or 0
        for row in incidence(demonstration, CONSOLE, query)
        if row.term == "dissociation"
    }
    for kind in ("iv_ketamine_depression", "esketamine_nasal"):
        assert found[f"{kind}_induction"] > 1.3 * found[f"{kind}_maintenance"]


def test_there_are_pressure_spikes_and_a_serious_event(demonstration: Store) -> None:
    columns = tables.sessions.c
    query = select(func.sum(columns.spike_absolute), func.sum(columns.serious))
    with demonstration.read() as connection:
        spikes, serious = connection.execute(query).one()
    assert spikes > 0
    assert serious == 2  # one in the history, one filed by the nurse


def test_everything_in_it_verifies(demonstration: Store) -> None:
    assert verify(demonstration).findings == []


def test_it_has_an_account_for_each_role_and_opens_again_as_it_was(
    demonstration: Store, folder: Path, clock: FakeClock
) -> None:
    sessions = count(demonstration, tables.sessions.c.no)
    clock.advance(days=30)
    again, accounts = open_demonstration(folder, clock=clock)
    assert {account.role for account in accounts} == set(Role)
    assert count(again, tables.sessions.c.no) == sessions
    again.close()


def test_the_desk_has_a_plan_for_today_and_a_report_that_was_heard(
    demonstration: Store, clock: FakeClock
) -> None:
    today = clock().astimezone(demonstration.clinic.timezone).date()
    assert len(planning.appointments_on(demonstration, CONSOLE, today)) == 7
    with demonstration.read() as connection:
        nurse = connection.execute(
            select(tables.accounts.c.id).where(tables.accounts.c.role == Role.NURSE)
        ).scalar_one()
    actor = Actor(bytes(nurse).hex(), "Nora Nurse", Role.NURSE)
    (heard,) = reviewing.heard_back(demonstration, actor)
    assert heard.text is not None
    assert heard.text.startswith("Thank you.")
    assert len(notices.open_notices(demonstration, CONSOLE)) == 1
