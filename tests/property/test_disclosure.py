"""Attacks on suppressed tables.

The attacker knows the rules. Two clinics that give the same package cannot be told apart, so what
the package tells about a number is the set of values it has in all clinics that give it. Small
clinics are searched to the end: patients, their sessions, and the terms in each session. Large
ones are made at random, and another clinic that gives the same package is looked for by integer
programming, which finds one if there is any.
"""

from __future__ import annotations

import random
from collections import Counter, defaultdict
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, replace
from itertools import chain, combinations_with_replacement, product

import pytest
from hypothesis import example, given, settings
from hypothesis import strategies as st

from reports.disclosure import HIDDEN, Hidden, SafeTables, _suppress
from reports.rows import ANY_EVENT, PATIENT, SESSION, ExposureRow, RateRow
from tests.support.possible_clinics import Cell, Clinic, Package, Patient, equal

BOTH = (SESSION, PATIENT)
Quantity = tuple[str, ...]


@dataclass(frozen=True)
class Counts:
    """Everything that is counted under one protocol, one number a term in the tuples."""

    sessions: int
    patients: int
    silent: int
    amended: int
    by_session: tuple[int, ...]
    by_patient: tuple[int, ...]
    any_session: int
    any_patient: int

    def tables(
        self, units: Iterable[str] = BOTH, protocol: str = "p"
    ) -> tuple[ExposureRow, list[RateRow]]:
        rows = []
        for unit in units:
            exposed = self.sessions if unit == SESSION else self.patients
            found = self.by_session if unit == SESSION else self.by_patient
            union = self.any_session if unit == SESSION else self.any_patient
            terms = [*((f"t{i}", x, self.by_session[i]) for i, x in enumerate(found))]
            for term, x, events in [*terms, (ANY_EVENT, union, sum(self.by_session))]:
                share = x / exposed if exposed else None
                rows.append(
                    RateRow(protocol, protocol, term, term, unit, x, exposed, events, share, share,
                            share, "wilson")
                )  # fmt: skip
        exposure = ExposureRow(
            protocol, protocol, self.sessions, self.patients, self.amended, self.silent
        )
        return exposure, rows

    def quantities(self, units: Iterable[str]) -> dict[Quantity, int]:
        """Every number that the rules protect."""
        names = [f"t{i}" for i in range(len(self.by_session))]
        found = {
            SESSION: dict(zip(names, self.by_session, strict=True)),
            PATIENT: dict(zip(names, self.by_patient, strict=True)),
        }
        unions = {SESSION: self.any_session, PATIENT: self.any_patient}
        exposed = {SESSION: self.sessions, PATIENT: self.patients}
        told: dict[Quantity, int] = {
            ("sessions",): self.sessions,
            ("patients",): self.patients,
            ("silent",): self.silent,
            ("not silent",): self.sessions - self.silent,
        }
        for unit in units:
            for term, x in (*found[unit].items(), (ANY_EVENT, unions[unit])):
                told[term, unit, "with event"] = x
                told[term, unit, "without event"] = exposed[unit] - x
            for term, x in found[unit].items():
                told[term, unit, "events"] = found[SESSION][term]
                told[term, unit, "repeats"] = found[SESSION][term] - x
                told[term, unit, "others"] = unions[unit] - x
            told[unit, "overlap"] = sum(found[unit].values()) - unions[unit]
            told[unit, "more events"] = sum(self.by_session) - unions[unit]
        if SESSION in units:
            told["said none",] = self.sessions - self.silent - self.any_session
            if PATIENT in units:
                told["any", "repeats"] = self.any_session - self.any_patient
        return told


def count(clinic: Clinic, terms: int, silent: int = 0, amended: int = 0) -> Counts:
    """Count a clinic's sessions, patients and terms."""
    sessions = [session for patient in clinic for session in patient]
    had = [frozenset[int]().union(*patient) for patient in clinic]
    return Counts(
        sessions=len(sessions),
        patients=len(clinic),
        silent=silent,
        amended=amended,
        by_session=tuple(sum(term in session for session in sessions) for term in range(terms)),
        by_patient=tuple(sum(term in events for events in had) for term in range(terms)),
        any_session=sum(bool(session) for session in sessions),
        any_patient=sum(bool(events) for events in had),
    )


def clinics(terms: int, patients: int, further: int) -> Iterator[Clinic]:
    """Every clinic of so many patients with one session each and ``further`` ones in all."""
    subsets = [frozenset(i for i in range(terms) if mask >> i & 1) for mask in range(2**terms)]
    of_size = {
        size: list(combinations_with_replacement(subsets, size)) for size in range(1, further + 2)
    }
    for shape in partitions(patients, further, further):
        alike = Counter(1 + extra for extra in shape)
        choices = [combinations_with_replacement(of_size[size], n) for size, n in alike.items()]
        for chosen in product(*choices):
            yield tuple(chain(*chosen))


def partitions(places: int, total: int, largest: int) -> Iterator[tuple[int, ...]]:
    """Ways to put ``total`` into ``places``, the largest first."""
    if places == 0:
        if total == 0:
            yield ()
        return
    for first in range(min(largest, total), -1, -1):
        for rest in partitions(places - 1, total - first, first):
            yield (first, *rest)


def every_count(terms: int, sizes: Iterable[tuple[int, int]]) -> Iterator[Counts]:
    """The counts of all clinics of these sizes, with every number of silent sessions."""
    heard = {count(each, terms) for size in sizes for each in clinics(terms, *size)}
    for counts in heard:
        for silent in range(counts.sessions - counts.any_session + 1):
            yield replace(counts, silent=silent)


def published(limit: int, counts: Counts, units: Iterable[str]) -> SafeTables:
    exposure, rates = counts.tables(units)
    return _suppress(limit, [exposure], counts.patients, rates)


def hidden_terms(tables: SafeTables) -> list[Quantity]:
    """Terms withheld one by one, not with their whole protocol."""
    return [
        (row.term, row.unit, "with event")
        for row in tables.incidence
        if row.with_event is HIDDEN and row.term != ANY_EVENT
    ]


def up_to(most: int, further: int) -> list[tuple[int, int]]:
    return list(product(range(most + 1), range(further + 1)))


@pytest.mark.parametrize(
    ("limit", "terms", "units", "sizes"),
    [
        pytest.param(2, 2, BOTH, up_to(6, 2), id="two terms, a few repeated sessions"),
        pytest.param(2, 2, BOTH, [(6, 4)], id="two terms, crowded"),
        pytest.param(2, 3, (SESSION,), up_to(7, 0), id="three terms by session"),
        pytest.param(3, 2, BOTH, up_to(9, 0), id="a larger limit"),
        pytest.param(3, 2, BOTH, up_to(9, 2), id="a larger limit, repeats", marks=pytest.mark.slow),
        pytest.param(2, 3, BOTH, up_to(6, 1), id="three terms, repeats", marks=pytest.mark.slow),
        pytest.param(2, 4, (SESSION,), up_to(6, 0), id="four terms", marks=pytest.mark.slow),
        pytest.param(2, 2, BOTH, up_to(8, 3), id="many patients", marks=pytest.mark.slow),
    ],
)
def test_no_small_clinic_gives_a_small_number_away(
    limit: int, terms: int, units: tuple[str, ...], sizes: list[tuple[int, int]]
) -> None:
    """No protected 1 to limit has one value only, and a hidden term may be each of them."""
    told: dict[SafeTables, dict[Quantity, set[int]]] = defaultdict(lambda: defaultdict(set))
    for counts in every_count(terms, sizes):
        values = told[published(limit, counts, units)]
        for name, value in counts.quantities(units).items():
            values[name].add(value)
    assert any(hidden_terms(tables) for tables in told)
    for tables, values in told.items():
        for name, possible in values.items():
            assert len(possible) > 1 or not 1 <= min(possible) <= limit, (name, tables)
        for name in hidden_terms(tables):
            assert values[name] >= set(range(1, limit + 1)), (name, tables)


@pytest.mark.parametrize(
    ("limit", "protocols", "sessions", "patients"), [(2, 1, 9, 9), (2, 2, 9, 7), (2, 3, 6, 4)]
)
def test_the_total_of_all_protocols_gives_none_away(
    limit: int, protocols: int, sessions: int, patients: int
) -> None:
    """Patients and sessions of a hidden protocol may be each number of 1 to limit."""
    sizes = [(0, 0), *((s, p) for s in range(1, sessions + 1) for p in range(1, patients + 1))]
    sizes = [(s, p) for s, p in sizes if p <= s]
    told: dict[SafeTables, dict[Quantity, set[int]]] = defaultdict(lambda: defaultdict(set))
    for chosen in product(sizes, repeat=protocols):
        each = [p for _, p in chosen]
        for everybody in range(max(each), sum(each) + 1):
            rows = [ExposureRow(f"p{i}", "", s, p, 0, 0) for i, (s, p) in enumerate(chosen)]
            values = told[_suppress(limit, rows, everybody, [])]
            values["overlap",].add(sum(each) - everybody)
            for i, (s, p) in enumerate(chosen):
                values[f"p{i}", "sessions"].add(s)
                values[f"p{i}", "patients"].add(p)
                values[f"p{i}", "others"].add(everybody - p)
    for tables, values in told.items():
        total = tables.exposure[-1].sessions
        if isinstance(total, int) and total > sessions:
            continue  # one protocol may need more sessions than the search allows it
        for name, possible in values.items():
            assert len(possible) > 1 or not 1 <= min(possible) <= limit, (name, tables)
        for row in tables.exposure[:-1]:
            if row.patients is HIDDEN:
                assert values[row.protocol, "patients"] >= set(range(1, limit + 1)), tables
                assert values[row.protocol, "sessions"] >= set(range(1, limit + 1)), tables


def made_up(seed: int, terms: int) -> Counts:
    """A clinic of a size at which the threshold of 10 matters, made at random."""
    dice = random.Random(seed)
    often = [dice.choice([0, 0.01, 0.05, 0.2, 0.5, 0.95, 1]) for _ in range(terms)]
    most = dice.choice([1, 2, 6])
    clinic = tuple(
        tuple(
            frozenset(i for i, p in enumerate(often) if dice.random() < p)
            for _ in range(dice.randint(1, most))
        )
        for _ in range(dice.choice([0, 5, 12, 30, 80]))
    )
    counts = count(clinic, terms)
    quiet = counts.sessions - counts.any_session
    silent = dice.choice([0, min(3, quiet), quiet])
    return replace(counts, silent=silent, amended=dice.randint(0, counts.sessions))


seeds = st.integers(0, 2**32)


def meeting_in_one(seed: int, terms: int) -> Counts:
    """A clinic whose terms keep apart, but for one or two patients who had them all many times."""
    dice = random.Random(seed)
    common = max(terms - dice.choice([1, 1, 2]), 1)
    clinic: list[Patient] = [(frozenset(range(common)),) * dice.choice([1, 12, 13, 25])]
    clinic *= dice.choice([1, 1, 1, 2])
    for term in range(terms):
        alone = dice.randint(11, 14) if term < common else dice.randint(0, 3)
        clinic += [(frozenset({term}),)] * alone
    clinic += [(frozenset(),)] * dice.choice([0, 11])
    counts = count(tuple(clinic), terms)
    return replace(counts, silent=dice.choice([0, counts.sessions - counts.any_session]))


@example(seed=552961317, terms=2, make=made_up)
@given(seed=seeds, terms=st.integers(1, 4), make=st.sampled_from([made_up, meeting_in_one]))
def test_a_hidden_term_could_be_any_small_number_at_the_real_threshold(
    seed: int, terms: int, make: Callable[[int, int], Counts]
) -> None:
    """For each number of 1 to 10 another clinic exists that gives the same package."""
    counts = make(seed, terms)
    tables = published(10, counts, BOTH)
    package = Package.read(tables, 10)
    for term in sorted({name[0] for name in hidden_terms(tables)}):
        for value in range(1, 11):
            cells = [(term, unit) for unit in BOTH]
            # One clinic will mostly do for both.
            assert another(counts, tables, package, cells, value) or all(
                another(counts, tables, package, [cell], value) for cell in cells
            ), (term, value)


def another(
    counts: Counts, tables: SafeTables, package: Package, cells: list[Cell], value: int
) -> bool:
    """Whether a clinic with ``value`` in these cells gives the same tables: found and counted."""
    clinic = package.clinic(*(equal(cell, value) for cell in cells))
    if clinic is None:
        return False
    found = count(clinic, len(counts.by_session))
    quantities = found.quantities(BOTH)
    assert all(quantities[*cell, "with event"] == value for cell in cells)
    # Silent sessions are no part of the search. Where all events are shown, those of the original
    # fit; where they are not, silence is hidden, whatever it is.
    return any(
        published(10, replace(found, silent=silent, amended=counts.amended), BOTH) == tables
        for silent in (counts.silent, 0)
        if silent <= found.sessions - found.any_session
    )


@settings(max_examples=200, deadline=None)
@given(seed=seeds, terms=st.integers(1, 5), limit=st.sampled_from([5, 10, 20]))
def test_no_difference_of_published_numbers_is_small(seed: int, terms: int, limit: int) -> None:
    """Subtracting what is shown never gives 1 to the limit, whatever the clinic."""
    counts = made_up(seed, terms)
    for difference in differences(published(limit, counts, BOTH)):
        assert not 1 <= difference <= limit


def differences(tables: SafeTables) -> Iterator[float]:
    """Cells that are shown, and what follows from two of them in a row or a column."""
    exposure = tables.exposure[0]
    shown = {(row.term, row.unit): row.with_event for row in tables.incidence}
    for row in tables.incidence:
        yield from minus(row.exposed, row.with_event)
        yield from minus(row.events, row.with_event)
        yield from minus(shown[ANY_EVENT, row.unit], row.with_event)
        yield from (each for each in (row.with_event, row.exposed) if not isinstance(each, Hidden))
    for (term, unit), count_of_sessions in shown.items():
        if unit == SESSION:
            yield from minus(count_of_sessions, shown[term, PATIENT])
    for part in (exposure.reports_amended, exposure.sessions_nothing_said):
        yield from minus(exposure.sessions, part)
        yield from minus(part, 0)
    yield from minus(*minus_all(exposure.sessions, exposure.sessions_nothing_said,
                                shown[ANY_EVENT, SESSION]))  # fmt: skip


def minus(a: float | Hidden | None, b: float | Hidden | None) -> Iterator[float]:
    if isinstance(a, int | float) and isinstance(b, int | float):
        yield a - b


def minus_all(
    a: float | Hidden, b: float | Hidden | None, c: float | Hidden
) -> tuple[float | None, float | None]:
    first = next(minus(a, b), None)
    return (None, None) if first is None or isinstance(c, Hidden) else (first, c)


@settings(max_examples=100, deadline=None)
@given(seed=seeds, terms=st.integers(1, 4))
def test_rows_come_out_in_the_same_order_whatever_the_numbers(seed: int, terms: int) -> None:
    """The order of rows going in changes nothing, so it cannot tell a rank."""
    counts = made_up(seed, terms)
    exposure, rates = counts.tables()
    shuffled = random.Random(seed).sample(rates, len(rates))
    assert _suppress(10, [exposure], counts.patients, shuffled) == published(10, counts, BOTH)
