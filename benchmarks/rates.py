"""How fast an incidence table is, beside pandas and DuckDB on plaintext: ``benchmarks.rates``.

A made-up clinic is imported into an encrypted store; its CSV is also written as Parquet. Then each
way makes the whole table (every protocol, every term and "any adverse event") per session and per
patient, over all sessions and over one quarter, in a process of its own. All must count the
same; ours adds intervals that know which sessions are of one patient.

``--growth`` does it at 10,000, 100,000 and 1,000,000 sessions over ten years, and prints how the
time grows: the slope of its logarithm on that of the number of sessions (1 is in proportion).
"""

from __future__ import annotations

import argparse
import json
import math
import statistics
import sys
import time
from collections.abc import Callable
from datetime import date, timedelta
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import Any, Final

from benchmarks.clinic import Size, add_size, size_of, write_clinic
from benchmarks.measuring import alone, busy, machine
from benchmarks.store import make_store, open_made
from safety.access import CONSOLE

UNITS: Final = ("session", "patient")
REPEATS: Final = 5
ANY: Final = "any adverse event"
ALL: Final = ("2000-01-01", "2099-12-31")
GROWTH: Final = (10_000, 100_000, 1_000_000)
BEGAN: Final = date(2016, 1, 4)
TEN_YEARS: Final = 3_652
Period = tuple[str, str]
Counts = dict[str, list[int]]
"""``protocol/term``: units with the event, units exposed, events. Terms that never occurred are
left out."""


def timed(run: Callable[[], Counts]) -> tuple[float, float, Counts]:
    """Seconds of the first run and of the best of the next, and what was counted."""
    spent, counts = [], Counts()
    for _ in range(REPEATS + 1):
        start = time.perf_counter()
        counts = run()
        spent.append(time.perf_counter() - start)
    return spent[0], min(spent[1:]), counts


def afterdose(folder: Path, unit: str, period: Period) -> tuple[float, float, Counts]:
    """Ours: the store is open; the first run reads and decrypts its pages."""
    from reports.rates import RateQuery, incidence

    first, last = map(date.fromisoformat, period)
    query = RateQuery(first, last, unit=unit)
    store = open_made(folder)

    def run() -> Counts:
        rows = incidence(store, CONSOLE, query)
        return {
            f"{r.protocol}/{r.term}": [r.with_event, int(r.exposed), r.events]
            for r in rows
            if r.events or r.term == ANY
        }

    found = timed(run)
    store.close()
    return found


def pandas_frames(folder: Path, unit: str, period: Period) -> tuple[float, float, Counts]:
    """Pandas on CSV: the first number is with reading the files, the second without."""
    import pandas as pd

    key = "session_ref" if unit == "session" else "patient_mrn"

    def read() -> tuple[Any, Any]:
        wanted = ["session_ref", "patient_mrn", "protocol", "started_at"]
        sessions = pd.read_csv(folder / "sessions.csv", usecols=wanted)
        return sessions, pd.read_csv(folder / "events.csv", usecols=["session_ref", "term"])

    def count(sessions: Any, events: Any) -> Counts:
        inside = sessions[sessions["started_at"].str[:10].between(*period)]
        joined = events.merge(inside, on="session_ref")
        exposed = inside.groupby("protocol")[key].nunique()
        anything = joined.groupby("protocol").agg(x=(key, "nunique"), events=("term", "size"))
        by_term = joined.groupby(["protocol", "term"]).agg(x=(key, "nunique"), events=(key, "size"))
        found = {f"{p}/{ANY}": [int(r.x), int(exposed[p]), int(r.events)] for p, r in _of(anything)}
        return found | {
            f"{p}/{t}": [int(r.x), int(exposed[p]), int(r.events)] for (p, t), r in _of(by_term)
        }

    start = time.perf_counter()
    frames = read()
    reading = time.perf_counter() - start
    first, best, counts = timed(lambda: count(*frames))
    return reading + first, best, counts


def _of(frame: Any) -> list[tuple[Any, Any]]:
    return list(zip(frame.index, frame.itertuples(), strict=True))


_DUCKDB: Final = """
WITH inside AS (
    SELECT session_ref, patient_mrn, protocol FROM '{folder}/sessions.parquet'
    WHERE started_at[:10] BETWEEN '{first}' AND '{last}'
), joined AS (
    SELECT protocol, term, {key} AS unit
    FROM '{folder}/events.parquet' JOIN inside USING (session_ref)
), exposed AS (
    SELECT protocol, count(DISTINCT {key}) AS n FROM inside GROUP BY protocol
)
SELECT protocol, coalesce(term, '{any}'), count(DISTINCT unit), any_value(n), count(*)
FROM joined JOIN exposed USING (protocol)
GROUP BY GROUPING SETS ((protocol, term), (protocol))
"""


def duckdb_parquet(folder: Path, unit: str, period: Period) -> tuple[float, float, Counts]:
    """DuckDB on Parquet; each run reads the columns it needs from the files."""
    import duckdb

    key = "session_ref" if unit == "session" else "patient_mrn"
    first, last = period
    query = _DUCKDB.format(folder=folder, first=first, last=last, key=key, any=ANY)
    connection = duckdb.connect()

    def run() -> Counts:
        rows = connection.execute(query).fetchall()
        return {f"{protocol}/{term}": [x, n, events] for protocol, term, x, n, events in rows}

    return timed(run)


WAYS: Final[dict[str, Callable[[Path, str, Period], tuple[float, float, Counts]]]] = {
    "afterdose": afterdose,
    "pandas": pandas_frames,
    "duckdb": duckdb_parquet,
}
NAMES: Final = {
    "afterdose": ("Afterdose, encrypted store, with intervals", "first run", "again"),
    "pandas": ("pandas, CSV", "reading included", "frames in memory"),
    "duckdb": ("DuckDB, Parquet", "first run", "again"),
}


def main() -> None:
    """Make the clinic, measure every way, compare the counts."""
    arguments = _arguments()
    if arguments.way:
        period = tuple(arguments.period.split(":"))
        first, again, counts = WAYS[arguments.way](arguments.folder, arguments.unit, period)
        print(json.dumps({"first": first, "again": again, "counts": counts}))
        return
    print(machine())
    print(busy(), end="\n\n")
    sizes = [size_of(arguments)]
    if arguments.growth:
        sizes = [Size(n, n * 3 // 2, n // 12, BEGAN, TEN_YEARS) for n in GROWTH]
    spent: dict[str, list[float]] = {}
    for size in sizes:
        for what, seconds in _measured(size).items():
            spent.setdefault(what, []).append(seconds)
    if len(sizes) > 1:
        _growth([size.sessions for size in sizes], spent)


def _measured(size: Size) -> dict[str, float]:
    """Print how each way does at one size; give our seconds by what was counted."""
    with TemporaryDirectory(prefix="afterdose-benchmark-") as made:
        folder = Path(made)
        _fill(folder, size)
        print(f"{size.sessions:,} sessions, {size.events:,} events, {size.patients:,} patients")
        return {
            f"{name}, per {unit}": _compare(folder, unit, name, period)
            for name, period in (("all", ALL), ("one quarter", _a_quarter(size)))
            for unit in UNITS
        }


def _a_quarter(size: Size) -> Period:
    """Three months in the middle: few patients begin towards the end of a made-up clinic."""
    first = size.first_day + timedelta(days=size.days // 2)
    return first.isoformat(), (first + timedelta(days=91)).isoformat()


def _growth(sessions: list[int], spent: dict[str, list[float]]) -> None:
    print("\nslope of log(seconds) on log(sessions), ours:")
    x = [math.log(number) for number in sessions]
    for what, seconds in spent.items():
        slope = statistics.linear_regression(x, [math.log(each) for each in seconds]).slope
        times = ", ".join(f"{each * 1e3:.0f} ms" for each in seconds)
        print(f"  {what:28} {slope:5.2f}   ({times})")


def _fill(folder: Path, size: Size) -> None:
    """Write the clinic, import it, and write it as Parquet."""
    import duckdb

    from safety.importing import import_files

    sessions, events = write_clinic(folder, size)
    store = make_store(folder)
    result = import_files(store, CONSOLE, sessions, events)
    store.close()
    if result.errors:
        sys.exit(f"The import failed: {result.errors[0]}")
    for path in (sessions, events):
        duckdb.sql(
            f"COPY (FROM read_csv('{path}', all_varchar=true)) "
            f"TO '{path.with_suffix('.parquet')}' (FORMAT parquet)"
        )


def _compare(folder: Path, unit: str, name_of_period: str, period: Period) -> float:
    asked: list[str | Path] = ["--unit", unit, "--folder", folder, "--period", ":".join(period)]
    found = {way: alone("benchmarks.rates", ["--way", way, *asked]) for way in WAYS}
    ours = found["afterdose"]
    print(f"\n{name_of_period}, per {unit}: {len(ours['counts'])} rows that are not zero")
    for way, each in found.items():
        name, first, again = NAMES[way]
        print(
            f"  {name:44}{first:>17} {each['first'] * 1e3:7.0f} ms "
            f"({each['first'] / ours['first']:5.2f}x) {again:>17} {each['again'] * 1e3:7.0f} ms "
            f"({each['again'] / ours['again']:5.2f}x)"
        )
        if each["counts"] != ours["counts"]:
            sys.exit(f"{name} counted otherwise: {_difference(ours['counts'], each['counts'])}")
    print("  All counts agree.")
    return float(ours["again"])


def _difference(ours: Counts, theirs: Counts) -> str:
    names = sorted(
        name for name in ours.keys() | theirs.keys() if ours.get(name) != theirs.get(name)
    )
    first = names[0]
    return f"{len(names)} rows, the first is {first}: {ours.get(first)} and {theirs.get(first)}"


def _arguments() -> argparse.Namespace:
    parser = argparse.ArgumentParser(description=(__doc__ or "").split(":", maxsplit=1)[0])
    add_size(parser)
    parser.add_argument("--way", choices=tuple(WAYS), help=argparse.SUPPRESS)
    parser.add_argument("--unit", choices=UNITS, default="session", help=argparse.SUPPRESS)
    parser.add_argument("--growth", action="store_true", help="three sizes over ten years")
    parser.add_argument("--period", default=":".join(ALL), help=argparse.SUPPRESS)
    parser.add_argument("--folder", type=Path, help=argparse.SUPPRESS)
    return parser.parse_args()


if __name__ == "__main__":
    main()
