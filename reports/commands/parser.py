"""What can be typed: every command with its options. Imports no part that takes time."""

from __future__ import annotations

import argparse
from collections.abc import Callable
from datetime import date
from pathlib import Path
from typing import Any, Final

from reports.rows import BY, UNITS
from safety import __version__

FORMATS: Final = ("table", "csv", "json")
METHODS: Final = ("wilson", "clopper-pearson", "jeffreys")
DIFFERENCES: Final = ("newcombe", "miettinen-nurminen", "wald")
TREND_CHARTS: Final = ("p", "p-exact", "u", "u-exact", "laney", "ewma", "g", "t", "cusum")
TREND_RULES: Final = ("limits", "sparing", "sparing-nelson", "western-electric", "nelson")
ROLES: Final = ("nurse", "charge", "director", "compliance", "administrator")

Subparsers = Any  # argparse keeps this type to itself
Parser = argparse.ArgumentParser


def make_parser() -> Parser:
    """The parser of the whole command line; ``run`` of its result names what to run."""
    parser = Parser(
        prog="afterdose",
        description="The safety record of a ketamine or esketamine clinic.",
        epilog="Exit status: 0 done, 1 you can mend it, 2 usage, 3 integrity failure.",
    )
    parser.add_argument(
        "--home",
        type=Path,
        metavar="DIR",
        help="folder of the clinic's data (default: $AFTERDOSE_HOME, else the user's data folder)",
    )
    parser.add_argument("--version", action="version", version=f"afterdose {__version__}")
    _add_key(parser, default=None)
    commands = parser.add_subparsers(metavar="COMMAND", dest="command", required=True)
    for add in _COMMANDS:
        add(commands)
    return parser


def _add_init(commands: Subparsers) -> None:
    parser = _command(commands, "init", "founding", "make an empty store for a clinic")
    parser.add_argument("--clinic", required=True, metavar="NAME", help="name of the clinic")
    parser.add_argument("--site", required=True, metavar="NAME", help="name of the first site")
    parser.add_argument(
        "--director", required=True, metavar="USER", help="user name of the medical director"
    )
    parser.add_argument(
        "--display-name", metavar="NAME", help="the director's name as pages show it"
    )
    _add_password_file(parser)
    _add_key(parser, default=argparse.SUPPRESS)
    parser.add_argument(
        "--timezone", default="UTC", metavar="ZONE", help="such as America/New_York (default: UTC)"
    )
    parser.add_argument(
        "--database", metavar="URL", help="a PostgreSQL database in place of the encrypted file"
    )


def _add_unlock(commands: Subparsers) -> None:
    parser = _command(commands, "unlock", "unlocking", "say what opens, and how; add a key")
    code = parser.add_mutually_exclusive_group()
    code.add_argument("--recovery", action="store_true", help="ask for the recovery code")
    code.add_argument(
        "--recovery-code-file", type=Path, metavar="PATH", help="read the recovery code from a file"
    )
    fresh = parser.add_mutually_exclusive_group()
    fresh.add_argument(
        "--new-key-file", type=Path, metavar="PATH", help="let this key file open the store too"
    )
    fresh.add_argument(
        "--new-passphrase-file",
        type=Path,
        metavar="PATH",
        help="let the passphrase in this file open the store too",
    )
    _add_format(parser)


def _add_import(commands: Subparsers) -> None:
    parser = _command(commands, "import", "importing", "import sessions and their events from CSV")
    parser.add_argument("sessions", type=Path, metavar="SESSIONS.csv")
    parser.add_argument("events", type=Path, nargs="?", metavar="EVENTS.csv")
    parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
    _add_format(parser)


def _add_plan(commands: Subparsers) -> None:
    parser = _command(commands, "plan", "plan", "import planned sessions from CSV")
    parser.add_argument("file", type=Path, metavar="FILE.csv", help="the planned sessions")
    parser.add_argument("--dry-run", action="store_true", help="check everything, write nothing")
    _add_format(parser)


def _add_period(parser: Parser) -> None:
    """The days that are counted, both ends included."""
    parser.add_argument(
        "--from", dest="first", type=_day, required=True, metavar="DATE", help="first day"
    )
    parser.add_argument(
        "--to", dest="last", type=_day, required=True, metavar="DATE", help="last day"
    )


def _add_events(parser: Parser) -> None:
    """Which events count."""
    parser.add_argument(
        "--min-grade", type=int, default=1, choices=range(1, 6), help="leave out milder events"
    )
    parser.add_argument(
        "--treatment-emergent", action="store_true", help="leave out what was there before the dose"
    )


def _add_rates(commands: Subparsers) -> None:
    parser = _command(commands, "rates", "rates", "incidence by protocol and term")
    _add_period(parser)
    parser.add_argument("--by", choices=BY, default="protocol", help="one row a value of this")
    parser.add_argument("--unit", choices=UNITS, default="session", help="what is counted")
    parser.add_argument("--term", metavar="T", help="one term or group, by id, name or synonym")
    _add_events(parser)
    parser.add_argument("--serious", action="store_true", help="only serious events")
    parser.add_argument(
        "--related", action="store_true", help="only events certainly, probably or possibly related"
    )
    parser.add_argument(
        "--all-events", action="store_true", help="per patient-month: each event counts anew"
    )
    parser.add_argument(
        "--protocol", action="append", metavar="P", help="only this protocol; may be repeated"
    )
    parser.add_argument(
        "--site", action="append", metavar="S", help="only this site; may be repeated"
    )
    parser.add_argument(
        "--method",
        choices=("default", "wilson-clustered", *METHODS),
        default="default",
        help="interval of a proportion; default: wilson-clustered per session, wilson per patient",
    )
    _add_format(parser)


def _add_compare(commands: Subparsers) -> None:
    parser = _command(commands, "compare", "compare", "one protocol against another, by term")
    parser.add_argument(
        "--reference", required=True, metavar="P", help="protocol to compare with: id or name"
    )
    parser.add_argument("--against", required=True, metavar="P", help="protocol that is compared")
    _add_period(parser)
    parser.add_argument(
        "--unit", choices=("session", "patient"), default="session", help="what is counted"
    )
    parser.add_argument("--term", metavar="T", help="one term or group, by id, name or synonym")
    _add_events(parser)
    parser.add_argument(
        "--difference",
        choices=DIFFERENCES,
        default="default",
        help="limits of the difference (default: clustered by session, newcombe by patient)",
    )
    parser.add_argument(
        "--stratify", choices=("site", "dose-band"), help="compare within strata, by patient"
    )
    _add_format(parser)


def _add_trend(commands: Subparsers) -> None:
    parser = _command(commands, "trend", "trend", "one rate over time on a control chart")
    parser.add_argument(
        "--term",
        default="any adverse event",
        metavar="T",
        help="one term or group, by id, name or synonym (default: any adverse event)",
    )
    parser.add_argument(
        "--protocol", required=True, metavar="P", help="protocol: id, name or synonym"
    )
    _add_period(parser)
    parser.add_argument(
        "--every", choices=("week", "month"), default="week", help="a point is (default: week)"
    )
    parser.add_argument("--chart", choices=TREND_CHARTS, default="p", help="kind (default: p)")
    parser.add_argument(
        "--rules", choices=TREND_RULES, default="sparing", help="of a signal (default: sparing)"
    )
    parser.add_argument(
        "--baseline",
        type=int,
        default=20,
        metavar="N",
        help="periods that centre and limits come from, the first ones (default: 20)",
    )
    parser.add_argument(
        "--unit", choices=("session", "patient"), default="session", help="what is counted"
    )
    _add_events(parser)
    parser.add_argument("--site", metavar="S", help="only this site")
    _add_format(parser)


def _add_export(commands: Subparsers) -> None:
    parser = _command(commands, "export", "packages", "make the package of a quarter")
    parser.set_defaults(run="packages:export")
    parser.add_argument("quarter", metavar="QUARTER", help="such as 2026Q2")
    parser.add_argument("--out", type=Path, required=True, metavar="DIR", help="a new folder")
    _add_format(parser)


def _add_verify(commands: Subparsers) -> None:
    parser = _command(commands, "verify", "packages", "check a package, or the store")
    parser.set_defaults(run="packages:verify")
    what = parser.add_mutually_exclusive_group(required=True)
    what.add_argument("package", type=Path, nargs="?", metavar="DIR", help="a package (or its ZIP)")
    what.add_argument("--store", action="store_true", help="check everything in the store")
    parser.add_argument(
        "--fingerprint", metavar="TEXT", help="of the key that must have signed the package"
    )
    parser.add_argument(
        "--anchor",
        type=Path,
        metavar="FILE",
        help="a checkpoint kept outside: its three lines, or the manifest.json of a package",
    )
    parser.add_argument(
        "--checkpoint",
        metavar="FILE",
        type=Path,
        help="write the signed end of the audit trail, to be kept outside",
    )
    parser.add_argument(
        "--renew-receipts",
        action="store_true",
        help="begin new receipts after theirs were lost, when all else holds",
    )
    _add_format(parser)


def _add_rebuild(commands: Subparsers) -> None:
    parser = _command(commands, "rebuild", "rebuilding", "compare the tables with the reports")
    parser.add_argument("--write", action="store_true", help="replace the rows that differ")
    _add_format(parser)


def _add_protocols(commands: Subparsers) -> None:
    parser = _command(commands, "protocols", "protocols", "list, edit and load protocols")
    parser.set_defaults(run="protocols:list_all")
    _add_format(parser)
    parts = parser.add_subparsers(metavar="list | template | load")
    listed = _part(parts, "list", "protocols:list_all", "list the protocols in use (default)")
    _add_format(listed, default=argparse.SUPPRESS)
    _part(parts, "template", "protocols:template", "print a file to edit and load")
    load = _part(parts, "load", "protocols:load", "add protocols, or new versions of them")
    load.add_argument("file", type=Path, metavar="FILE.toml")


def _add_vocabulary(commands: Subparsers) -> None:
    parser = _command(commands, "vocabulary", "vocabulary", "list terms; load official wording")
    parser.set_defaults(run="vocabulary:list_terms", wording=False)
    _add_format(parser)
    parts = parser.add_subparsers(metavar="list | groups | load")
    listed = _part(parts, "list", "vocabulary:list_terms", "list the terms (default)")
    listed.add_argument(
        "--wording", action="store_true", help="with a text for each grade, the official if loaded"
    )
    _add_format(listed, default=argparse.SUPPRESS)
    groups = _part(parts, "groups", "vocabulary:list_groups", "list terms that count together")
    _add_format(groups, default=argparse.SUPPRESS)
    load = _part(parts, "load", "vocabulary:load", "load the official CTCAE workbook")
    load.add_argument("file", type=Path, metavar="FILE.xlsx")


def _add_completeness(commands: Subparsers) -> None:
    parser = _command(
        commands, "completeness", "completeness", "list and load the rules of a complete report"
    )
    what = parser.add_mutually_exclusive_group()
    what.add_argument(
        "--load", type=Path, metavar="FILE.toml", help="put the rules of a file in place of these"
    )
    what.add_argument("--template", action="store_true", help="print a file to edit and load")
    _add_format(parser)


def _add_users(commands: Subparsers) -> None:
    parser = _command(commands, "users", "users", "list and change accounts")
    parser.set_defaults(run="users:list_all")
    _add_format(parser)
    parts = parser.add_subparsers(metavar="list | add | close | password")
    listed = _part(parts, "list", "users:list_all", "list the accounts (default)")
    _add_format(listed, default=argparse.SUPPRESS)
    add = _part(parts, "add", "users:add", "add an account")
    add.add_argument("username", metavar="USER")
    add.add_argument("--role", required=True, choices=ROLES)
    add.add_argument("--display-name", metavar="NAME", help="the name as pages show it")
    _add_password_file(add)
    close = _part(parts, "close", "users:close", "let somebody sign in no more")
    close.add_argument("username", metavar="USER")
    password = _part(parts, "password", "users:set_password", "set a new password")
    password.add_argument("username", metavar="USER")
    _add_password_file(password)


def _add_demo(commands: Subparsers) -> None:
    parser = _command(commands, "demo", "demonstration", "make and open a made-up clinic")
    _add_format(parser)


def _add_version(commands: Subparsers) -> None:
    _command(commands, "version", "version", "say which version this is")


_COMMANDS: Final[tuple[Callable[[Subparsers], None], ...]] = (
    _add_init,
    _add_unlock,
    _add_import,
    _add_plan,
    _add_rates,
    _add_compare,
    _add_trend,
    _add_export,
    _add_verify,
    _add_rebuild,
    _add_protocols,
    _add_vocabulary,
    _add_completeness,
    _add_users,
    _add_demo,
    _add_version,
)


def _command(commands: Subparsers, name: str, module: str, summary: str) -> Parser:
    return _part(commands, name, f"{module}:run", summary)


def _part(parts: Subparsers, name: str, run: str, summary: str) -> Parser:
    parser: Parser = parts.add_parser(name, help=summary, description=f"{_sentence(summary)}.")
    parser.set_defaults(run=run)
    return parser


def _sentence(text: str) -> str:
    return text[:1].upper() + text[1:].removesuffix(" (default)")


def _add_key(parser: Parser, default: Any) -> None:
    key = parser.add_mutually_exclusive_group()
    key.add_argument(
        "--key-file",
        type=Path,
        default=default,
        metavar="PATH",
        help="the key file that opens the store",
    )
    key.add_argument(
        "--passphrase-file",
        type=Path,
        default=default,
        metavar="PATH",
        help="a file with the passphrase that opens the store",
    )


def _add_password_file(parser: Parser) -> None:
    parser.add_argument(
        "--password-file",
        type=Path,
        metavar="PATH",
        help="read the password from a file (default: ask for it)",
    )


def _add_format(parser: Parser, default: Any = "table") -> None:
    parser.add_argument(
        "--format", choices=FORMATS, default=default, help="of the result (default: table)"
    )


def _day(text: str) -> date:
    try:
        return date.fromisoformat(text)
    except ValueError:
        raise argparse.ArgumentTypeError(
            f"{text!r} is not a day. Write it as YYYY-MM-DD."
        ) from None
