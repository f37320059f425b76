"""Many nurses at once, over the wire: nothing is lost, doubled, or shown to somebody else."""

from __future__ import annotations

import re
import sys
import threading
import time
from collections import Counter
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import date, timedelta
from pathlib import Path
from statistics import quantiles
from typing import Final

import pytest
from sqlalchemy import func, select

from safety import service
from safety.access import CONSOLE
from safety.clock import now
from safety.store import tables
from safety.store.handle import Store
from tests.load.wire import Tab
from tests.support.accounts import PASSWORD, an_account
from tests.support.stores import made_store, reopened
from tests.ui.browsing import served

P95_SECONDS: Final = 1.0
PACE_SECONDS: Final = 60.0
"""One report a minute and nurse: faster than anybody writes, for as long as the run takes."""

# The words of the pages that have no key of their own. Everything else is found by its key.
NEW_PATIENT, FIND, CHOOSE = "New patient", "Find", "Choose"
_PROTOCOL: Final = "IV ketamine, depression, induction"
_MARKER: Final = re.compile(rb"heron-(\d\d)-\d\d")


@dataclass(slots=True)
class Nurse:
    """One person at one screen: what she files, and whose words her screen was ever sent."""

    number: int
    reports: int
    pace: float = 0.0
    filing: list[float] = field(default_factory=list)
    heard_of: set[int] = field(default_factory=set)

    @property
    def username(self) -> str:
        """Her user name."""
        return f"nurse-{self.number:02d}"

    @property
    def mrn(self) -> str:
        """The MRN of her own patient."""
        return f"WIRE-{self.number:02d}"

    def marker(self, report: int) -> str:
        """The word that only this report has."""
        return f"heron-{self.number:02d}-{report:02d}"

    def hears(self, message: bytes) -> None:
        """Remember whose markers came over this connection."""
        self.heard_of |= {int(found) for found in _MARKER.findall(message)}

    def works(self, address: str, all_there: threading.Barrier) -> None:
        """Sign in, wait for the others, file every report."""
        with Tab(address, self.hears) as tab:
            try:
                self._signs_in(tab)
            except BaseException:
                all_there.abort()  # nobody waits for who does not come
                raise
            all_there.wait(timeout=300)
            self._files_all(tab, self.pace * self.number / all_there.parties)

    def _signs_in(self, tab: Tab) -> None:
        tab.put(self.username, "sign-in.username")
        tab.put(PASSWORD, "sign-in.password")
        tab.press(label="Sign in")
        assert tab.has("new-report"), tab.texts()

    def _files_all(self, tab: Tab, wait: float) -> None:
        time.sleep(wait)  # spread over the first interval, as people are
        tab.press("new-report")
        for report in range(self.reports):
            due = time.monotonic() + self.pace
            self._files(tab, report)
            time.sleep(max(0.0, due - time.monotonic()))
            if report + 1 < self.reports:
                tab.press("next")

    def _files(self, tab: Tab, report: int) -> None:
        self._chooses_the_patient(tab, known=report > 0)
        self._writes(tab, report)
        tab.press("review")
        took = tab.press("file")
        assert tab.headings() == ["Filed"], tab.texts()
        self.filing.append(took)

    def _chooses_the_patient(self, tab: Tab, *, known: bool) -> None:
        if not known:
            tab.press(label=NEW_PATIENT)
            tab.put(self.mrn, "patient.mrn")
            tab.put(f"Patient {self.number}", "patient.name")
            return
        tab.put(self.mrn, "sought")
        tab.press(label=FIND)
        tab.press(label=CHOOSE)

    def _writes(self, tab: Tab, report: int) -> None:
        """Each report on a day of its own, so that none is taken for another."""
        day = date.today() - timedelta(days=report + 1)  # noqa: DTZ011 - as the server's clock
        tab.put(f"{day:%Y/%m/%d}", "start_date")
        tab.put("09:00", "start_time")
        tab.put(_PROTOCOL, "protocol")
        tab.put(40, "dose_mg")
        tab.put(80, "weight_kg")
        tab.put("Nothing happened", "nothing")
        tab.put(self.marker(report), "narrative")


@contextmanager
def a_served_clinic(folder: Path, nurses: list[Nurse]) -> Iterator[tuple[Store, str]]:
    """A clinic with an account a nurse, served; the store is open beside the server."""
    store = made_store(folder, now)
    for nurse in nurses:
        an_account(store, username=nurse.username)
    store.close()
    with served(folder / "home", folder / "server.log") as address:
        store = reopened(store)
        try:
            yield store, address
        finally:
            store.close()


def all_work(nurses: list[Nurse], address: str) -> None:
    """Let all of them work at once; an error of one is the error of the test."""
    all_there = threading.Barrier(len(nurses))
    with ThreadPoolExecutor(len(nurses)) as pool:
        for done in [pool.submit(nurse.works, address, all_there) for nurse in nurses]:
            done.result()


def _nothing_lost_doubled_or_shown(store: Store, nurses: list[Nurse]) -> None:
    expected = {n.marker(r): n.mrn for n in nurses for r in range(n.reports)}
    filed = service.recent_reports(store, CONSOLE, most=2 * len(expected))
    reports = [service.read_report(store, CONSOLE, line.report_id).report for line in filed]
    counted = Counter((report.narrative, report.patient.mrn) for report in reports)
    assert counted == Counter(expected.items())
    assert len({report.session_ref for report in reports}) == len(expected)
    with store.read() as connection:
        left = connection.execute(select(func.count()).select_from(tables.drafts)).scalar_one()
    assert left == 0
    for nurse in nurses:
        assert nurse.heard_of == {nurse.number}


def test_three_nurses_at_once_lose_double_and_see_nothing(tmp_path: Path) -> None:
    nurses = [Nurse(number, reports=2) for number in range(1, 4)]
    with a_served_clinic(tmp_path, nurses) as (store, address):
        all_work(nurses, address)
        _nothing_lost_doubled_or_shown(store, nurses)


@pytest.mark.slow
def test_thirty_nurses_file_twenty_reports_each(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    """The bar: 95 of 100 filings are answered within a second."""
    nurses = [Nurse(number, reports=20, pace=PACE_SECONDS) for number in range(1, 31)]
    with a_served_clinic(tmp_path, nurses) as (store, address):
        all_work(nurses, address)
        _nothing_lost_doubled_or_shown(store, nurses)
    took = sorted(seconds for nurse in nurses for seconds in nurse.filing)
    p95 = quantiles(took, n=20)[-1]
    said = (
        f"{len(took)} reports filed by {len(nurses)} nurses: median "
        f"{took[len(took) // 2]:.3f} s, p95 {p95:.3f} s, worst {took[-1]:.3f} s"
    )
    with capsys.disabled():
        sys.stdout.write(f"\n{said}\n")
    assert p95 < P95_SECONDS
