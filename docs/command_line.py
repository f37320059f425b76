"""The command line as the parser has it: how each command is called, and what it takes."""

from __future__ import annotations

import argparse
from collections.abc import Mapping
from typing import Final

from docs.markdown import table
from reports.commands.parser import make_parser

BEFORE: Final = "before"
"""Stands for what is typed before a command."""

# What the parser leaves to its heading.
_PLAIN: Final[Mapping[str, str]] = {
    "SESSIONS.csv": "the sessions",
    "EVENTS.csv": "their events",
    "FILE.toml": "the file to load",
    "FILE.xlsx": "the workbook to load",
    "USER": "the user name",
    "--by": "what the rows are counted by",
    "--role": "what the account may do",
    "--version": "say which version this is",
}


def command_text(name: str) -> str:
    """How the command ``name`` is called, and a table of its arguments and options."""
    parser = commands()[name]
    rows = [(f"`{_spelling(each)}`", _meaning(each)) for each in arguments(parser)]
    usage = [] if name == BEFORE else [f"```text\n{_usage(name, parser)}\n```"]
    return "\n\n".join([*usage, *([table(("argument", "meaning"), rows)] if rows else [])])


def commands() -> dict[str, argparse.ArgumentParser]:
    """The parser of every command by its full name, and what comes before a command."""
    parser = make_parser()
    return {BEFORE: parser} | _within(parser, "")


def arguments(parser: argparse.ArgumentParser) -> list[argparse.Action]:
    """Arguments and options of one command, without ``--help`` and without its commands."""
    skipped = (argparse._SubParsersAction, argparse._HelpAction)  # noqa: SLF001
    return [each for each in parser._actions if not isinstance(each, skipped)]  # noqa: SLF001


def _within(parser: argparse.ArgumentParser, before: str) -> dict[str, argparse.ArgumentParser]:
    found: dict[str, argparse.ArgumentParser] = {}
    for action in parser._actions:  # noqa: SLF001 - argparse has no other way to list them
        if isinstance(action, argparse._SubParsersAction):  # noqa: SLF001
            for name, each in action.choices.items():
                found[f"{before}{name}"] = each
                found |= _within(each, f"{before}{name} ")
    return found


def _usage(name: str, parser: argparse.ArgumentParser) -> str:
    """Written here and not by argparse, whose own wording differs between versions of Python."""
    parts = []
    for each in sorted(arguments(parser), key=lambda a: bool(a.option_strings)):
        optional = not each.required or each.nargs == "?"
        parts.append(f"[{_called(each)}]" if optional else _called(each))
    return " ".join(["afterdose", name, *parts])


def _called(action: argparse.Action) -> str:
    name = str(action.metavar or action.dest.upper())
    if not action.option_strings:
        return name
    return action.option_strings[0] if action.nargs == 0 else f"{action.option_strings[0]} {name}"


def _spelling(action: argparse.Action) -> str:
    if action.choices and not action.metavar:
        return f"{action.option_strings[0]} {' or '.join(_listed(action))}"
    return _called(action)


def _listed(action: argparse.Action) -> list[str]:
    choices = list(map(str, action.choices or ()))
    return choices if len(choices) < 3 else [", ".join(choices[:-1]), choices[-1]]


def _meaning(action: argparse.Action) -> str:
    name = action.option_strings[0] if action.option_strings else str(action.metavar or action.dest)
    return _PLAIN.get(name) or (action.help or "").replace("%%", "%")
