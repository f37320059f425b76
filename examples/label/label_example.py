"""The published table of reactions, filed as reports and counted again.

Takes the counts of the US prescribing information of esketamine nasal spray (pooled short-term
trials in treatment-resistant depression; see README.md), makes SESSIONS.csv and EVENTS.csv of 346
and 222 patients with one session each, imports them into a fresh store and prints incidence by
patient beside the published percentage. Ends with status 1 when a printed digit differs.

    python examples/label/label_example.py
"""

from __future__ import annotations

import csv
import json
import secrets
import subprocess
import sys
import tempfile
from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from itertools import count
from pathlib import Path
from typing import Any, Final

HERE: Final = Path(__file__).parent
DAY: Final = "2024-03-01"


@dataclass(frozen=True, slots=True)
class Arm:
    """One arm of the pooled trials: its column in the table, its protocol and its patients."""

    column: str
    protocol: str
    patients: int

    def references(self) -> list[str]:
        """One session reference a patient, and the patient's number at the same time."""
        return [f"{self.column}-{number:03}" for number in range(1, self.patients + 1)]


ARMS: Final = (
    Arm("esketamine", "esketamine_nasal_induction", 346),
    Arm("placebo", "placebo_spray_with_oral_antidepressant", 222),
)


def published() -> list[dict[str, str]]:
    """The table as published: reaction, patients with it and percentage in each arm."""
    with (HERE / "us_label_reactions.csv").open(encoding="utf-8", newline="") as file:
        return list(csv.DictReader(file))


def events(arm: Arm, table: Iterable[Mapping[str, str]]) -> Iterator[dict[str, Any]]:
    """Rows of EVENTS.csv that give every reaction its published number of patients.

    Who had which reactions together is not published: each reaction goes on with the next patient
    in turn. Grades by reaction are not published either: all are grade 1.
    """
    references, turn = arm.references(), count()
    for row in table:
        for _ in range(int(row[f"{arm.column}_n"])):
            reference = references[next(turn) % arm.patients]
            yield {"session_ref": reference, "term": row["reaction"], "grade": 1}


def sessions(arm: Arm, with_event: set[str]) -> Iterator[dict[str, Any]]:
    """Rows of SESSIONS.csv: one session a patient."""
    for reference in arm.references():
        yield {
            "session_ref": reference,
            "site": "Pooled trials",
            "patient_mrn": reference,
            "protocol": arm.protocol,
            "started_at": f"{DAY}T09:00",
            "no_adverse_event": 0 if reference in with_event else 1,
        }


def write(path: Path, rows: Sequence[Mapping[str, Any]]) -> Path:
    """Write rows as CSV."""
    with path.open("w", encoding="utf-8", newline="") as file:
        writer = csv.DictWriter(file, list(rows[0]))
        writer.writeheader()
        writer.writerows(rows)
    return path


def afterdose(home: Path, *arguments: str | Path) -> str:
    """Run the command line as anybody would, and return its result."""
    command = [sys.executable, "-m", "reports.commands", "--home", home, *arguments]
    done = subprocess.run(command, capture_output=True, text=True, check=False, encoding="utf-8")
    if done.returncode != 0:
        sys.exit(f"afterdose {arguments[0]} ended with {done.returncode}:\n{done.stderr}")
    return done.stdout


def counted(folder: Path, table: Sequence[Mapping[str, str]]) -> list[dict[str, Any]]:
    """Import the table into a fresh store in ``folder`` and return the rows of ``rates``."""
    home, password = folder / "clinic", folder / "password"
    password.write_text(secrets.token_urlsafe(24), encoding="utf-8")
    found = [event for arm in ARMS for event in events(arm, table)]
    with_event = {event["session_ref"] for event in found}
    given = [session for arm in ARMS for session in sessions(arm, with_event)]
    afterdose(
        home,
        *("init", "--clinic", "Published trials", "--site", "Pooled trials"),
        *("--director", "example", "--password-file", password),
        *("--key-file", folder / "keys" / "clinic.key"),
    )
    afterdose(home, "protocols", "load", HERE / "placebo.toml")
    files = write(folder / "SESSIONS.csv", given), write(folder / "EVENTS.csv", found)
    afterdose(home, "import", *files)
    period = ("--from", DAY, "--to", DAY)
    rows: list[dict[str, Any]] = json.loads(
        afterdose(home, "rates", *period, "--unit", "patient", "--format", "json")
    )
    return rows


def compare(table: Sequence[Mapping[str, str]], rates: Iterable[Mapping[str, Any]]) -> int:
    """Print every reaction of both arms; return how many differ from the printed digit."""
    found = {(row["protocol"], row["term"]): row for row in rates}
    names = {
        name: term["id"] for term in vocabulary() for name in [term["name"], *term["synonyms"]]
    }
    names = {name.casefold(): term for name, term in names.items()}
    wrong = 0
    print(f"{'reaction':<26}{'arm':<12}{'published':>10}{'counted':>10}  95 % interval    patients")
    for row in table:
        for arm in ARMS:
            rate = found[arm.protocol, names[row["reaction"].casefold()]]
            printed, percent = row[f"{arm.column}_percent"], f"{100 * rate['estimate']:.1f}"
            wrong += printed != percent
            print(
                f"{row['reaction']:<26}{arm.column:<12}{printed:>9}%{percent:>9}%"
                f"  {100 * rate['low']:4.1f} to {100 * rate['high']:4.1f}"
                f"    {rate['with_event']} of {rate['exposed']}"
                f"{'' if printed == percent else '   DIFFERS'}"
            )
    return wrong


def vocabulary() -> list[dict[str, Any]]:
    """The terms with their names, as the command line lists them."""
    terms: list[dict[str, Any]] = json.loads(afterdose(HERE, "vocabulary", "--format", "json"))
    return terms


def main() -> int:
    """Run the example; 0 when every percentage is the published one."""
    table = published()
    with tempfile.TemporaryDirectory(prefix="afterdose-label-") as folder:
        wrong = compare(table, counted(Path(folder), table))
    print(f"\n{2 * len(table)} percentages, {wrong} that differ from the published digit.")
    print(
        "Only how many patients had each reaction is published, not which ones had several, so\n"
        "the rows `any adverse event` of this store mean nothing. Nor do its grades."
    )
    return 1 if wrong else 0


if __name__ == "__main__":
    sys.exit(main())
