"""The command line: ``afterdose [--home DIR] COMMAND``.

Results go to standard output, everything else to standard error. Exit status: 0 done, 1 the user
can mend it, 2 usage, 3 integrity failure. Only the parser is imported before a command is known:
help must not wait for the database library.
"""

from __future__ import annotations

import os
import sys
from collections.abc import Sequence
from contextlib import suppress
from importlib import import_module
from typing import Final

from reports.commands.parser import make_parser

INTERRUPTED: Final = 130
"""What a shell expects of a program that Ctrl-C ended (128 + SIGINT)."""


def main(argv: Sequence[str] | None = None) -> int:
    """Run one command and return its exit status."""
    for stream in (sys.stdout, sys.stderr):
        if hasattr(stream, "reconfigure"):
            stream.reconfigure(errors="backslashreplace")  # a name must not break a narrow terminal
    arguments = make_parser().parse_args(argv)
    try:
        status = _run(arguments)
        sys.stdout.flush()
    except KeyboardInterrupt:
        sys.stderr.write("afterdose: stopped\n")
        return INTERRUPTED
    except BrokenPipeError:
        # The reader has seen enough (`| head`). Python would complain once more at its exit.
        with suppress(OSError, ValueError):
            os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        return 0
    return status


def _run(arguments: object) -> int:
    from safety.errors import AfterdoseError

    module, function = str(getattr(arguments, "run", "")).split(":")
    try:
        status: int = getattr(import_module(f"reports.commands.{module}"), function)(arguments)
    except AfterdoseError as error:
        sys.stderr.write(f"afterdose: {error}\n")
        return error.exit_status
    except (KeyboardInterrupt, BrokenPipeError):
        raise
    except Exception as error:  # noqa: BLE001 - its message may hold a patient's data
        sys.stderr.write(f"afterdose: {_incident(error)}\n")
        return 1
    return status


def _incident(error: Exception) -> str:
    """What may be told of an unexpected error: its type and place, never its message."""
    trace, place = error.__traceback__, "an unknown place"
    while trace is not None:
        module = str(trace.tb_frame.f_globals.get("__name__", ""))
        if module.split(".", maxsplit=1)[0] in {"safety", "reports"}:
            place = f"{module}, line {trace.tb_lineno}"
        trace = trace.tb_next
    return (
        f"Something happened that Afterdose does not expect: {type(error).__name__} in {place}. "
        "Nothing more is shown, because it could hold a patient's data. Please report this line."
    )
