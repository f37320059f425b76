"""``afterdose demo``: a made-up clinic in a store of its own, and its accounts."""

from __future__ import annotations

from argparse import Namespace
from dataclasses import asdict

from reports.commands.opening import home_of
from reports.commands.printing import print_json, print_rows, say, tell
from safety.demonstration import open_demonstration


def run(arguments: Namespace) -> int:
    """Make the demonstration clinic, or open the one that is there, and say how to use it."""
    store, accounts = open_demonstration(home_of(arguments) if arguments.home else None)
    try:
        home, key = store.config.home, store.config.key_file
    finally:
        store.close()
    listed = [{**asdict(account), "role": str(account.role)} for account in accounts]
    if arguments.format == "json":
        print_json({"home": str(home), "key_file": str(key), "accounts": listed})
        return 0
    if arguments.format == "table":
        say(f"The demonstration clinic is in {home}\n")
    print_rows(listed, ("username", "password", "role"), arguments.format)
    tell(f"Nothing in it is real. Try: afterdose --home {home} unlock")
    return 0
