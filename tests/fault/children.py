"""What the fault tests run in processes of their own: a nurse that files, a clinic that is busy.

Each is called as ``python -m tests.fault.children NAME HOME KEY ...`` and prints one line for each
acknowledged report, after the service returned.
"""

from __future__ import annotations

import os
import resource
import signal
import sys
import threading
from collections.abc import Callable
from pathlib import Path
from typing import Final
from uuid import uuid4

from safety import service
from safety.config import read_config
from safety.errors import AfterdoseError
from safety.importing import loading
from safety.importing.preparing import Batch
from safety.keys.sources import KeyFile
from safety.store import engine, reading
from safety.store.handle import Store
from safety.store.opening import open_store
from tests.support.builders import DIRECTOR, NURSE, a_full_report, a_patient
from tests.support.clock import FakeClock


def tell(line: object) -> None:
    """Print in one system call, so that a kill leaves a whole line or none."""
    os.write(sys.stdout.fileno(), f"{line}\n".encode())


def opened(home: str, key: str) -> Store:
    return open_store(read_config(Path(home)), KeyFile(Path(key)), clock=FakeClock())


def file_one(store: Store, mrn: str, narrative: str = "Quiet session.") -> str:
    """File one report with two events for the patient ``mrn`` and return its id."""
    patient = a_patient(mrn=mrn)
    report = a_full_report(patient=patient, session_ref=uuid4().hex, narrative=narrative)
    return service.file_report(store, NURSE, report).report_id.hex


def file_for_ever(home: str, key: str) -> None:
    """File until killed; sometimes for a new patient, sometimes for a known one."""
    store = opened(home, key)
    number = 0
    while True:
        tell(file_one(store, f"M-{number % 7}", "x" * (10 + number % 5 * 2000)))
        number += 1


def file_some(home: str, key: str, count: str) -> None:
    """File ``count`` reports, as fast as it goes."""
    store = opened(home, key)
    tell("ready")
    sys.stdin.readline()
    for number in range(int(count)):
        tell(file_one(store, f"M-{number % 3}"))
    store.close()


def file_until_full(home: str, key: str, room: str) -> None:
    """File until no file may grow by more than ``room`` bytes, and print what that error says."""
    store = opened(home, key)
    limit = store.config.database_path.stat().st_size + int(room)
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, limit))
    try:
        for number in range(10_000):
            tell(file_one(store, f"M-{number}", "x" * 3000))
    except AfterdoseError as failure:
        tell(f"{type(failure).__name__}: {failure}")
    with store.read() as connection:
        tell(sum(1 for _ in reading.every_current(connection, store.ring)))


def import_until_killed(home: str, key: str, sessions: str) -> None:
    """Import with little room for pages in memory, and be killed after the third batch."""
    engine.FILL_CACHE_KIB = 64  # type: ignore[misc]
    take, taken = loading._Loading.take, iter(range(3))

    def counted(self: loading._Loading, batch: Batch) -> None:
        take(self, batch)
        if next(taken) == 2:
            os.kill(os.getpid(), signal.SIGKILL)

    loading._Loading.take = counted  # type: ignore[method-assign]
    store = opened(home, key)
    loading.import_files(store, DIRECTOR, Path(sessions))
    tell("imported")


def work_in_threads(home: str, key: str, readers: str, writers: str) -> None:
    """Read and write one store from many threads; exit status 1 when any of them fails."""
    store = opened(home, key)
    for number in range(5):
        file_one(store, f"M-{number}")
    failures: list[str] = []

    def guarded(work: Callable[[], None], rounds: int) -> None:
        try:
            for _ in range(rounds):
                work()
        except BaseException as failure:  # noqa: BLE001 - whatever it is, it is the finding
            failures.append(repr(failure))

    def read() -> None:
        with store.read() as connection:
            assert sum(1 for _ in reading.every_current(connection, store.ring)) >= 5
        assert len(service.find_patient(store, NURSE, "wilma")) >= 5

    def write() -> None:
        file_one(store, "M-1")

    threads = [threading.Thread(target=guarded, args=(read, 4)) for _ in range(int(readers))]
    threads += [threading.Thread(target=guarded, args=(write, 5)) for _ in range(int(writers))]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    store.close()
    tell("\n".join([str(len(failures)), *failures[:3]]))
    sys.exit(bool(failures))


WORK: Final[dict[str, Callable[..., None]]] = {
    "file-for-ever": file_for_ever,
    "file-some": file_some,
    "file-until-full": file_until_full,
    "import-until-killed": import_until_killed,
    "work-in-threads": work_in_threads,
}

if __name__ == "__main__":
    WORK[sys.argv[1]](*sys.argv[2:])
