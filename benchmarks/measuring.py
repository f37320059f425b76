"""What a piece of work cost: time on the clock, time of the processor, memory at its peak."""

from __future__ import annotations

import json
import os
import platform
import resource
import subprocess
import sys
import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager, suppress
from dataclasses import asdict, dataclass
from pathlib import Path
from threading import Event, Thread
from typing import Any, Final

_EVERY_SECONDS: Final = 0.05


@dataclass(slots=True)
class Spent:
    """Seconds and mebibytes; ``helper`` is the process that was started meanwhile, if any."""

    seconds: float = 0.0
    cpu: float = 0.0
    helper_cpu: float = 0.0
    peak_mib: float = 0.0
    helper_peak_mib: float = 0.0


@contextmanager
def measured() -> Iterator[Spent]:
    """Measure what happens inside; the result is filled in at its end.

    The peak of this process counts from its start: give each measurement a process of its own.
    """
    spent, stop = Spent(), Event()
    watch = Thread(target=_watch_helpers, args=(spent, stop), daemon=True)
    watch.start()
    clock, cpu, helper = time.perf_counter(), time.process_time(), _helper_cpu()
    try:
        yield spent
    finally:
        spent.seconds = time.perf_counter() - clock
        spent.cpu = time.process_time() - cpu
        spent.helper_cpu = _helper_cpu() - helper
        spent.peak_mib = _peak_mib("self")
        stop.set()
        watch.join()


def _helper_cpu() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def _peak_mib(process: str) -> float:
    """The high-water mark of resident memory. Where there is no /proc: what getrusage says."""
    with suppress(OSError):
        for line in Path(f"/proc/{process}/status").read_text(encoding="ascii").splitlines():
            if line.startswith("VmHWM:"):
                return int(line.split()[1]) / 1024
        return 0.0
    unit = 1024**2 if sys.platform == "darwin" else 1024
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / unit


def _watch_helpers(spent: Spent, stop: Event) -> None:
    """Look at the children again and again: a process takes its high-water mark with it."""
    while not stop.wait(_EVERY_SECONDS):
        for task in Path("/proc/self/task").glob("*/children"):
            with suppress(OSError):
                for child in task.read_text(encoding="ascii").split():
                    spent.helper_peak_mib = max(spent.helper_peak_mib, _peak_mib(child))


def alone(module: str, arguments: Sequence[str | Path]) -> dict[str, Any]:
    """Run ``python -m module ARGUMENTS`` and return the JSON object it prints last."""
    command = [sys.executable, "-m", module, *map(str, arguments)]
    done = subprocess.run(command, check=True, stdout=subprocess.PIPE, text=True)
    found: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return found


def as_json(spent: Spent, **more: Any) -> str:
    """What a measurement prints for :func:`alone` to read."""
    return json.dumps({**asdict(spent), **more})


def machine() -> str:
    """The class of machine, without its name."""
    return f"{os.cpu_count()} processors, {platform.machine()}, Python {platform.python_version()}"


def busy() -> str:
    """A warning when other work would blur the numbers, else nothing."""
    try:
        load = os.getloadavg()[0]
    except OSError:
        return ""
    return f"Load before the start: {load:.1f}. Times mean little; see CPU." if load > 0.5 else ""
