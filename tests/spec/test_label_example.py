"""The published table of the US label comes back from the store digit by digit."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

EXAMPLE = Path(__file__).parents[2] / "examples" / "label" / "label_example.py"


def test_every_published_percentage_is_counted_to_its_printed_digit() -> None:
    done = subprocess.run(
        [sys.executable, EXAMPLE], capture_output=True, text=True, check=False, timeout=120
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "56 percentages, 0 that differ" in done.stdout
    lines = [" ".join(line.split()) for line in done.stdout.splitlines()]
    assert "Dissociation esketamine 41.0% 41.0% 36.0 to 46.3 142 of 346" in lines
    assert "Feeling abnormal placebo 0.0% 0.0% 0.0 to 1.7 0 of 222" in lines
