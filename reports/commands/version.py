"""``afterdose version``."""

from __future__ import annotations

from argparse import Namespace

from reports.commands.printing import say
from safety import __version__


def run(_arguments: Namespace) -> int:
    """Say which version this is."""
    say(f"afterdose {__version__}")
    return 0
