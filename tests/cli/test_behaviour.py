"""What holds for every command: help, quick start, exit status, and silence about patients."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
from collections.abc import Sequence
from importlib import import_module
from pathlib import Path
from typing import Any

import pytest

from reports.commands import main
from reports.commands.parser import make_parser
from safety.errors import UserError
from tests.support.command_line import Desk

COMMANDS = (
    "init", "unlock", "import", "rates", "compare", "trend", "export", "verify", "rebuild",
    "protocols", "vocabulary", "users", "demo", "version",
)  # fmt: skip
LATER = ("signals",)


def afterdose(*arguments: str | Path, **more: Any) -> subprocess.CompletedProcess[str]:
    """The command line as a process of its own."""
    command: Sequence[str | Path] = [sys.executable, "-m", "reports.commands", *arguments]
    return subprocess.run(command, capture_output=True, text=True, check=False, **more)


def test_help_lists_every_command_and_none_that_is_not_there(desk: Desk) -> None:
    done = desk.run("--help")
    assert done.status == 0
    listed = [line.split()[0] for line in done.out.splitlines() if line.startswith("    ")]
    assert [name for name in listed if name in COMMANDS] == list(COMMANDS)
    assert not set(LATER) & set(listed)


@pytest.mark.parametrize("command", COMMANDS)
def test_every_command_explains_itself(desk: Desk, command: str) -> None:
    done = desk.run(command, "--help")
    assert (done.status, done.err) == (0, "")
    assert f"afterdose {command}" in done.out


def test_every_command_leads_to_a_function_that_is_there() -> None:
    needed = {
        "init": ["--clinic", "a", "--site", "b", "--director", "c"],
        "import": ["x.csv"],
        "rates": ["--from", "2026-01-01", "--to", "2026-01-01"],
        "compare": [
            *("--reference", "a", "--against", "b"),
            *("--from", "2026-01-01", "--to", "2026-01-01"),
        ],
        "trend": ["--protocol", "a", "--from", "2026-01-01", "--to", "2026-01-01"],
        "export": ["2026Q1", "--out", "x"],
        "verify": ["--store"],
    }
    for command in COMMANDS:
        run = make_parser().parse_args([command, *needed.get(command, [])]).run
        module, function = run.split(":")
        assert callable(getattr(import_module(f"reports.commands.{module}"), function))


def test_without_a_command_the_usage_is_shown(desk: Desk) -> None:
    done = desk.run()
    assert (done.status, done.out) == (2, "")
    assert "COMMAND" in done.err


def test_help_waits_for_no_library() -> None:
    """The best of five takes under 150 ms of processor time, and loads none of the slow modules."""
    script = (
        "import sys\n"
        "from reports.commands import main\n"
        "try:\n    main(['--help'])\nexcept SystemExit:\n    pass\n"
        "slow = {'sqlalchemy', 'sqlcipher3', 'cryptography', 'scipy', 'pandas'}\n"
        "print(sorted(slow & set(sys.modules)))"
    )
    took = []
    for _ in range(5):
        before = _processor_seconds()
        done = subprocess.run(
            [sys.executable, "-c", script], capture_output=True, text=True, check=True
        )
        took.append(_processor_seconds() - before)
    assert done.stdout.splitlines()[-1] == "[]"
    assert min(took) < 0.15


def _processor_seconds() -> float:
    """What finished child processes have used; the clock on the wall would count our neighbours."""
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime


def test_home_comes_from_the_environment_when_it_is_not_named(
    clinic: Desk, monkeypatch: pytest.MonkeyPatch, capsys: pytest.CaptureFixture[str]
) -> None:
    monkeypatch.setenv("AFTERDOSE_HOME", str(clinic.home))
    assert main(["unlock"]) == 0
    assert "Alder Clinic" in capsys.readouterr().out


def test_an_unexpected_error_tells_type_and_place_but_not_its_message(
    clinic: Desk, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(*_: object) -> None:
        raise LookupError("Wilma Testcase, MRN-0001")

    monkeypatch.setattr("reports.commands.protocols.list_protocols", fail)
    done = clinic.run("protocols")
    assert (done.status, done.out) == (1, "")
    assert "LookupError in reports.commands.protocols, line" in done.err
    assert "Wilma" not in done.err
    assert "Traceback" not in done.err


@pytest.mark.parametrize(
    ("error", "status", "said"),
    [
        (UserError("Mend this."), 1, "afterdose: Mend this.\n"),
        (KeyboardInterrupt(), 130, "stopped"),
    ],
    ids=["user error", "Ctrl-C"],
)
def test_a_command_that_is_stopped_ends_with_its_status(
    desk: Desk, monkeypatch: pytest.MonkeyPatch, error: BaseException, status: int, said: str
) -> None:
    def fail(*_: object) -> None:
        raise error

    monkeypatch.setattr("reports.commands.version.say", fail)
    done = desk.run("version")
    assert (done.status, done.out) == (status, "")
    assert said in done.err


def test_a_whole_day_in_processes_of_their_own(desk: Desk) -> None:
    home = ("--home", desk.home)
    founded = afterdose(*home, "init", *desk.founding(), "--key-file", desk.key)
    assert founded.returncode == 0, founded.stderr
    sessions = desk.file(
        "SESSIONS.csv",
        "session_ref,site,patient_mrn,protocol,started_at\n"
        "s1,Main Street,A,IM ketamine,2026-01-05T10:00\n",
    )
    imported = afterdose(*home, "import", sessions, "--format", "json")
    assert '"sessions": 1' in imported.stdout
    missing = afterdose(*home, "import", desk.folder / "none.csv")
    assert missing.returncode == 1
    verified = afterdose(*home, "verify", "--store")
    assert (verified.returncode, verified.stderr) == (0, "The store holds.\n")


def test_a_reader_that_has_seen_enough_is_no_error() -> None:
    process = subprocess.Popen(
        [sys.executable, "-m", "reports.commands", "vocabulary", "--format", "json"],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
    )
    assert process.stdout is not None
    assert process.stderr is not None
    process.stdout.close()
    said = process.stderr.read()
    process.stderr.close()
    assert (process.wait(), said) == (0, b"")


def test_a_narrow_terminal_gets_every_letter_in_some_form() -> None:
    done = afterdose("vocabulary", "groups", env=os.environ | {"PYTHONIOENCODING": "ascii"})
    assert done.returncode == 0
