"""Reading and checking in a process of its own, so that one core does it while another seals.

Only large files are worth the start of a process. What comes back crosses the pipe as bare tuples.
"""

from __future__ import annotations

import os
import pickle
import subprocess
import sys
from collections.abc import Generator, Iterator
from contextlib import contextmanager, suppress
from datetime import date
from queue import Empty, Queue
from threading import Thread
from typing import IO, Any, Final

from safety.errors import StoreUnavailable
from safety.importing.preparing import Batch, Order, Reading, Ready, read
from safety.importing.sheets import RowError
from safety.model import PatientIdentity, Sex
from safety.store.preparing import Prepared

LARGE_BYTES: Final = 3_000_000
_AHEAD_BYTES: Final = 1 << 20  # about two batches; where the system cannot, it stays smaller
_AHEAD_BATCHES: Final = 32  # about 20 MiB: neither process then waits for a slow batch of the other
_LENGTH_BYTES: Final = 8


def batches(order: Order) -> Generator[Batch]:
    """Read and check the files of ``order``; large ones in a process of their own."""
    files = [path for path in (order.sessions, order.events) if path is not None]
    size = sum(path.stat().st_size for path in files if path.is_file())
    if size >= LARGE_BYTES and (os.cpu_count() or 1) > 1:
        return from_worker(order)
    return read(order)


_WORKER: Final = (
    "import pickle, sys; sys.path[:] = pickle.load(sys.stdin.buffer); "
    "from safety.importing.worker import work; work()"
)


def from_worker(order: Order) -> Generator[Batch]:
    """Batches from a process that reads ahead.

    It is given our path before it imports anything of ours, so that the current folder has no say.
    Its standard error goes nowhere: a traceback could show a cell.
    """
    command = [sys.executable, "-P", "-c", _WORKER]
    with subprocess.Popen(  # noqa: S603 - our own interpreter, nothing in it from outside
        command,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.DEVNULL,
        pipesize=_AHEAD_BYTES,
    ) as worker:
        if worker.stdin is None or worker.stdout is None:
            raise RuntimeError("the worker has no pipes")
        try:
            _send(worker.stdin, order)
            with _read_ahead(worker.stdout) as frames:
                try:
                    yield from _received(frames)
                finally:
                    worker.kill()
        except (EOFError, OSError, pickle.UnpicklingError):
            raise _stopped("Is there enough memory?") from None


def _send(pipe: IO[bytes], order: Order) -> None:
    with pipe:
        pickle.dump(sys.path, pipe)
        pickle.dump(order, pipe)


@contextmanager
def _read_ahead(pipe: IO[bytes]) -> Iterator[Queue[bytes]]:
    """The frames of ``pipe``, taken off it by a thread; an empty one says that it ended.

    Whoever leaves the block has ended the process at the other end.
    """
    frames: Queue[bytes] = Queue(_AHEAD_BATCHES)
    thread = Thread(target=_fill, args=(pipe, frames), daemon=True)
    thread.start()
    try:
        yield frames
    finally:
        while thread.is_alive():
            with suppress(Empty):
                frames.get(timeout=0.01)  # it may wait for a place in the queue


def _fill(pipe: IO[bytes], frames: Queue[bytes]) -> None:
    frame = b"-"
    while frame:
        size = int.from_bytes(pipe.read(_LENGTH_BYTES), "big")
        frame = pipe.read(size)
        frames.put(frame)


def _received(frames: Queue[bytes]) -> Iterator[Batch]:
    """What :func:`work` sent; it comes from our own process and from nowhere else."""
    identities: Identities = {}
    while (found := pickle.loads(frames.get())) is not None:  # noqa: S301
        if isinstance(found, str):
            raise _stopped(f"It met a {found}, which it should not have.")
        yield unpacked(found, identities)


def _stopped(why: str) -> StoreUnavailable:
    return StoreUnavailable(
        f"The process that reads the files stopped before the end. Nothing was written. {why}"
    )


def work() -> None:
    """Serve one order from standard input; the other end of :func:`from_worker`."""
    order = pickle.load(sys.stdin.buffer)  # noqa: S301 - from our own process
    try:
        reading = Reading(order)  # stands until the end: freeing it would keep the other waiting
        for batch in reading.batches():
            _put(packed(batch))
        _put(None)
    except Exception as failure:  # noqa: BLE001 - its name goes back; its text could show a cell
        _put(type(failure).__name__)


Packed = tuple[list[tuple[Any, ...]], list[RowError], int, list[RowError]]


def packed(batch: Batch) -> Packed:
    """A batch as bare tuples, which cross from process to process in a quarter of the time."""
    return ([_packed_row(row) for row in batch.rows], batch.errors, batch.unusual, batch.warnings)


def _packed_row(row: Ready) -> tuple[Any, ...]:
    patient, *others, session, events = row.prepared
    return (
        row.number,
        row.comparable,
        (
            patient.mrn,
            patient.name,
            patient.birth_date and patient.birth_date.isoformat(),
            patient.sex and patient.sex.value,
        ),
        others,
        tuple(session),
        [(term, tuple(facts)) for term, facts in events],
    )


Identities = dict[tuple[Any, ...], PatientIdentity]
"""Who came already. It lasts as long as the import: no name stays in memory after it."""


def unpacked(found: Packed, identities: Identities) -> Batch:
    """What was packed."""
    rows, errors, unusual, warnings = found
    return Batch([_unpacked_row(row, identities) for row in rows], errors, unusual, warnings)


def _unpacked_row(row: tuple[Any, ...], identities: Identities) -> Ready:
    number, comparable, patient, others, session, events = row
    identity = identities.get(patient)
    if identity is None:
        identity = identities[patient] = _identity(*patient)
    return Ready(number, Prepared._make((identity, *others, session, events)), comparable)


def _identity(mrn: str, name: str | None, born: str | None, sex: str | None) -> PatientIdentity:
    return PatientIdentity(
        mrn, name, date.fromisoformat(born) if born else None, Sex(sex) if sex else None
    )


def _put(item: object) -> None:
    frame = pickle.dumps(item, protocol=pickle.HIGHEST_PROTOCOL)
    sys.stdout.buffer.write(len(frame).to_bytes(_LENGTH_BYTES, "big"))
    sys.stdout.buffer.write(frame)
    sys.stdout.buffer.flush()
