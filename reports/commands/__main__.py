"""``python -m reports.commands``: the command line where the script is not on the path."""

from __future__ import annotations

import sys

from reports.commands import main

if __name__ == "__main__":
    sys.exit(main())
