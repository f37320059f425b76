"""Many processes and many threads on one store: nothing lost, no gap, no crash."""

from __future__ import annotations

import subprocess

import pytest
from sqlalchemy import select

from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.processes import child
from tests.support.stores import reopened


@pytest.mark.parametrize("count", [5, pytest.param(25, marks=pytest.mark.slow)])
def test_eight_processes_file_at_once(store: Store, count: int) -> None:
    """Promise 14: no report lost, no gap and no fork in the trail, no receipt ahead of it."""
    children = [child(store, "file-some", count) for _ in range(8)]
    for process in children:
        assert process.stdout is not None
        assert process.stdout.readline() == "ready\n"
    told = acknowledged(children)
    assert len(told) == len(set(told)) == 8 * count
    with store.read() as connection:
        trail = connection.execute(
            select(tables.audit.c.seq).order_by(tables.audit.c.seq)
        ).scalars()
        assert list(trail) == list(range(1, store.audit_head(connection).seq + 1))
        stored = connection.execute(select(tables.reports.c.report_id)).scalars()
        assert {bytes(report_id).hex() for report_id in stored} == set(told)
    found = verify(store)
    assert (found.findings, found.reports, found.receipts) == ([], 8 * count, 8 * count + 1)
    again = reopened(store)
    assert again.distrust is None
    again.close()


def acknowledged(children: list[subprocess.Popen[str]]) -> list[str]:
    """Let all of them go on at once; return every report that any of them acknowledged."""
    for process in children:
        assert process.stdin is not None
        process.stdin.write("go\n")
        process.stdin.flush()
    told: list[str] = []
    for process in children:
        out, err = process.communicate(timeout=300)
        assert (process.returncode, err) == (0, "")
        told += out.split()
    return told


@pytest.mark.parametrize(
    ("readers", "writers"), [(12, 4), pytest.param(24, 8, marks=pytest.mark.slow)]
)
def test_many_threads_share_one_store(store: Store, readers: int, writers: int) -> None:
    """Promise 16: in a process of its own, so that a crash is a failure and not an abort."""
    process = child(store, "work-in-threads", readers, writers)
    out, err = process.communicate(timeout=300)
    assert (process.returncode, out, err) == (0, "0\n", "")
    assert verify(store).reports == 5 + writers * 5
    assert verify(store).findings == []
