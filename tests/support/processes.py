"""Child processes of the fault tests."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

from safety.store.handle import Store

ROOT = Path(__file__).parents[2]


def child(store: Store, name: str, *arguments: object) -> subprocess.Popen[str]:
    """Start ``name`` of tests/fault/children.py on the folder of ``store``."""
    home, key = str(store.config.home), str(store.config.key_file)
    return subprocess.Popen(
        [sys.executable, "-m", "tests.fault.children", name, home, key, *map(str, arguments)],
        cwd=ROOT,
        stdin=subprocess.PIPE,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
