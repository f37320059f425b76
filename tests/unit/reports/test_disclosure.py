"""What is withheld from tables that leave, rule by rule."""

from __future__ import annotations

from dataclasses import replace

import pytest

from reports.disclosure import HIDDEN, SafeRateRow, SafeTables, Threshold, suppress
from reports.intervals import wilson
from reports.rows import ANY_EVENT, PATIENT, PATIENT_MONTH, SESSION, ExposureRow, RateRow
from safety.errors import UserError


def exposure(sessions: int = 400, patients: int = 80, *, protocol: str = "iv") -> ExposureRow:
    return ExposureRow(protocol, protocol.upper(), sessions, patients, 0, 0)


def rate(term: str, unit: str, x: int, n: float, events: int, protocol: str = "iv") -> RateRow:
    estimate = wilson(x, int(n))
    return RateRow(
        protocol, protocol.upper(), term, term.title(), unit, x, n, events,
        estimate.value, estimate.low, estimate.high, estimate.method,
    )  # fmt: skip


def incidence(
    any_event: tuple[int, int],
    /,
    *,
    of: tuple[int, int] = (400, 80),
    protocol: str = "iv",
    **terms: tuple[int, int],
) -> list[RateRow]:
    """Rows by session and by patient: each term as (sessions, patients) with it."""
    events = sum(sessions for sessions, _ in terms.values())
    rows = []
    for place, unit in enumerate((SESSION, PATIENT)):
        rows += [
            rate(term, unit, with_event[place], of[place], with_event[0], protocol)
            for term, with_event in terms.items()
        ]
        rows.append(rate(ANY_EVENT, unit, any_event[place], of[place], events, protocol))
    return rows


def suppressed(rows: list[RateRow], row: ExposureRow | None = None) -> SafeTables:
    row = row or exposure()
    return suppress([row], row.patients, rows)


def find(tables: SafeTables, term: str, unit: str = SESSION) -> SafeRateRow:
    return next(row for row in tables.incidence if (row.term, row.unit) == (term, unit))


def numbers(row: SafeRateRow) -> list[object]:
    return [row.with_event, row.events, row.estimate, row.low, row.high]


def all_hidden(tables: SafeTables, term: str) -> bool:
    units = (SESSION, PATIENT)
    return all(set(numbers(find(tables, term, unit))) == {HIDDEN} for unit in units)


def test_large_counts_leave_as_they_are() -> None:
    """Where nothing is small, nothing changes but the order of rows."""
    rows = incidence((180, 61), nausea=(120, 45), dizziness=(95, 33))
    tables = suppressed(rows)
    kept = {(row.term, row.unit): row for row in rows}
    for row in tables.incidence:
        original = kept[row.term, row.unit]
        assert numbers(row) == [
            original.with_event,
            original.events,
            original.estimate,
            original.low,
            original.high,
        ]
    assert tables.hidden_cells == 0
    assert [row.sessions for row in tables.exposure] == [400, 400]


def test_a_small_count_takes_its_percentages_with_it() -> None:
    """With 9 of 400 the count, events, estimate and limits go; the denominator stays."""
    tables = suppressed(incidence((123, 50), nausea=(120, 45), fall=(9, 9)))
    assert all_hidden(tables, "fall")
    assert find(tables, "fall").exposed == 400
    assert find(tables, "nausea").with_event == 120


@pytest.mark.parametrize("small", [1, 2, 10])
def test_one_to_ten_are_small(small: int) -> None:
    """The threshold itself is hidden."""
    tables = suppressed(incidence((120, 45), nausea=(120, 45), fall=(small, small)))
    assert all_hidden(tables, "fall")


def test_eleven_is_shown() -> None:
    """The first number above the threshold is shown."""
    tables = suppressed(incidence((131, 56), nausea=(120, 45), fall=(11, 11)))
    assert find(tables, "fall", PATIENT).with_event == 11


def test_zero_is_shown_with_its_limits() -> None:
    """Nobody fell: that may be said, with the upper limit."""
    tables = suppressed(incidence((120, 45), nausea=(120, 45), fall=(0, 0)))
    assert find(tables, "fall").with_event == 0
    assert find(tables, "fall").high == wilson(0, 400).high


def test_everybody_is_shown() -> None:
    """All of n leave nobody over, and zero may be shown."""
    tables = suppressed(incidence((400, 80), dissociation=(400, 80)))
    assert find(tables, "dissociation").with_event == 400


@pytest.mark.parametrize("rest", [(5, 20), (100, 5)])
def test_a_few_without_the_event_are_as_hidden_as_a_few_with_it(rest: tuple[int, int]) -> None:
    """A small number of sessions or of patients without it hides both units."""
    most = (400 - rest[0], 80 - rest[1])
    assert all_hidden(suppressed(incidence(most, dissociation=most)), "dissociation")


def test_few_patients_behind_many_sessions_hide_the_sessions() -> None:
    """150 sessions of 8 patients are about 8 patients."""
    tables = suppressed(incidence((180, 61), nausea=(170, 60), craving=(150, 8)))
    assert all_hidden(tables, "craving")


def test_a_few_repeats_are_hidden() -> None:
    """40 sessions of 36 patients say that at most four had it again."""
    tables = suppressed(incidence((180, 61), nausea=(170, 60), vomiting=(40, 36)))
    assert all_hidden(tables, "vomiting")


def test_as_many_events_as_patients_say_that_nobody_had_it_again() -> None:
    """No repeats is zero, and zero may be shown."""
    tables = suppressed(incidence((180, 61), nausea=(170, 60), vomiting=(40, 40)))
    assert find(tables, "vomiting", PATIENT).with_event == 40


def test_any_event_that_is_one_hidden_term_is_hidden_too() -> None:
    """With a single term present, any adverse event is that term."""
    tables = suppressed(incidence((7, 6), nausea=(7, 6), fall=(0, 0)))
    assert all_hidden(tables, "nausea")
    assert all_hidden(tables, ANY_EVENT)
    assert find(tables, "fall").with_event == 0


def test_any_event_that_leaves_much_to_one_hidden_term_is_hidden() -> None:
    """125 of 400, of which at most 115 are explained, say that the hidden term has 10 or more."""
    tables = suppressed(incidence((125, 59), nausea=(60, 30), dizziness=(55, 19), fall=(10, 10)))
    assert find(tables, ANY_EVENT).with_event is HIDDEN
    assert find(tables, "nausea").with_event == 60


def test_any_event_stays_when_the_shown_terms_explain_it() -> None:
    """160 of 400 can all be nausea or dizziness, so they tell nothing of the fall."""
    tables = suppressed(incidence((160, 60), nausea=(120, 45), dizziness=(95, 33), fall=(4, 4)))
    assert find(tables, ANY_EVENT).with_event == 160


def test_any_event_goes_when_shown_terms_must_share_a_patient() -> None:
    """90 sessions for 49 and 59 show that terms met, so a patient had both: two others had falls.

    Without that patient, 71 for 30 and 40 would leave room for a single one.
    """
    rows = incidence((90, 71), of=(105, 86), nausea=(49, 30), dizziness=(59, 40), fall=(2, 2))
    tables = suppressed(rows, exposure(105, 86))
    assert all_hidden(tables, ANY_EVENT)
    assert find(tables, "nausea").with_event == 49


@pytest.mark.parametrize(("patients", "hidden"), [(89, False), (90, True), (91, True)])
def test_each_further_shown_term_may_share_the_patient(patients: int, *, hidden: bool) -> None:
    """A patient with all of three terms is in the sum of 90 twice too often."""
    rows = incidence(
        (patients + 20, patients),
        of=(400, 105),
        nausea=(50, 30),
        dizziness=(50, 30),
        headache=(50, 30),
        apnoea=(0, 0),
        fall=(2, 2),
    )
    tables = suppressed(rows, exposure(400, 105))
    assert (find(tables, ANY_EVENT, PATIENT).with_event is HIDDEN) is hidden


def test_the_sum_of_events_goes_as_soon_as_a_term_is_hidden() -> None:
    """219 events less 120 and 95 would be the four that are hidden."""
    tables = suppressed(incidence((160, 60), nausea=(120, 45), dizziness=(95, 33), fall=(4, 4)))
    assert find(tables, ANY_EVENT).events is HIDDEN
    assert find(tables, ANY_EVENT, PATIENT).events is HIDDEN


def test_a_few_sessions_with_another_event_than_the_shown_one_are_hidden() -> None:
    """125 with any event and 120 with nausea: five had something else only."""
    tables = suppressed(incidence((125, 47), nausea=(120, 45), dizziness=(95, 33)))
    assert find(tables, ANY_EVENT).with_event is HIDDEN


def test_a_few_sessions_with_both_terms_are_hidden() -> None:
    """120 and 95 add up to 4 more than 211: four sessions had both."""
    tables = suppressed(incidence((211, 60), nausea=(120, 45), dizziness=(95, 33)))
    assert find(tables, ANY_EVENT).with_event is HIDDEN
    assert find(tables, ANY_EVENT).events == 215  # it is the sum of what is shown


def test_any_event_stays_where_a_term_happened_to_everybody() -> None:
    """If all patients had nausea, all had an event: hiding that would be pretence."""
    tables = suppressed(incidence((205, 80), nausea=(200, 80), dizziness=(95, 33)))
    assert find(tables, ANY_EVENT, SESSION).with_event is HIDDEN
    assert find(tables, ANY_EVENT, PATIENT).with_event == 80


def test_time_at_risk_of_a_hidden_term_is_hidden() -> None:
    """Time at risk ends at the first event, so it tells of the few who had it."""
    rows = incidence((160, 60), nausea=(120, 45), fall=(4, 4))
    rows += [
        rate("nausea", PATIENT_MONTH, 45, 150, 120),
        rate("fall", PATIENT_MONTH, 4, 231, 4),
        rate(ANY_EVENT, PATIENT_MONTH, 60, 120, 124),
    ]
    rows[2:3] = [replace(rows[2], with_event=124)]
    rows[5:6] = [replace(rows[5], with_event=49)]
    rows[-1] = replace(rows[-1], with_event=49)
    tables = suppressed(rows)
    fall = find(tables, "fall", PATIENT_MONTH)
    assert {*numbers(fall), fall.exposed} == {HIDDEN}
    assert find(tables, "nausea", PATIENT_MONTH).exposed == 150


def test_a_protocol_with_few_patients_is_hidden_whole() -> None:
    """Denominators, zeros and the list of terms go; one row says that it was there."""
    row = exposure(60, 9)
    tables = suppressed(incidence((0, 0), of=(60, 9), nausea=(0, 0), fall=(0, 0)), row)
    block = tables.exposure[0]
    assert {block.sessions, block.patients, block.reports_amended} == {HIDDEN}
    assert block.sessions_nothing_said is HIDDEN
    assert [row.term for row in tables.incidence] == [ANY_EVENT, ANY_EVENT]
    for each in tables.incidence:
        assert {*numbers(each), each.exposed} == {HIDDEN}


def test_a_protocol_without_sessions_is_shown() -> None:
    """Nothing was done under it: zeros, and proportions of nobody."""
    tables = suppressed(incidence((0, 0), of=(0, 0), nausea=(0, 0)), exposure(0, 0))
    assert find(tables, "nausea").with_event == 0
    assert find(tables, "nausea").estimate is None
    assert tables.hidden_cells == 0


@pytest.mark.parametrize("amended", [1, 10, 390, 399])
def test_a_few_amended_reports_or_all_but_a_few_are_hidden(amended: int) -> None:
    """Amended reports are counts like others; so are those not amended."""
    row = replace(exposure(), reports_amended=amended)
    assert suppress([row], 80, []).exposure[0].reports_amended is HIDDEN


@pytest.mark.parametrize("amended", [0, 11, 389, 400])
def test_other_numbers_of_amended_reports_are_shown(amended: int) -> None:
    """None, all, and larger numbers are shown."""
    row = replace(exposure(), reports_amended=amended)
    assert suppress([row], 80, []).exposure[0].reports_amended == amended


@pytest.mark.parametrize(
    ("silent", "shown"), [(0, True), (3, False), (50, True), (215, False), (220, True)]
)
def test_silent_sessions_are_weighed_against_sessions_with_an_event(
    silent: int, *, shown: bool
) -> None:
    """Silent sessions are hidden when few, or when they leave few in which none was said."""
    row = replace(exposure(), sessions_nothing_said=silent)
    tables = suppressed(incidence((180, 61), nausea=(120, 45), dizziness=(95, 33)), row)
    found = tables.exposure[0].sessions_nothing_said
    assert found == silent if shown else found is HIDDEN


def test_silent_sessions_go_with_any_event_even_when_there_are_none() -> None:
    """A zero beside a hidden number would say how large that can be."""
    tables = suppressed(incidence((125, 47), nausea=(120, 45), dizziness=(95, 33)))
    assert tables.exposure[0].sessions_nothing_said is HIDDEN


def protocols(*sizes: tuple[int, int]) -> list[ExposureRow]:
    return [exposure(*size, protocol=f"p{place}") for place, size in enumerate(sizes)]


@pytest.mark.parametrize(
    ("sizes", "patients", "sessions_shown", "patients_shown"),
    [
        pytest.param([(400, 80), (300, 50)], 100, True, True, id="nothing hidden"),
        pytest.param([(400, 80), (30, 6)], 80, False, False, id="one hidden"),
        pytest.param([(400, 80), (30, 6), (30, 7)], 80, True, True, id="two hidden, room"),
        pytest.param([(400, 80), (5, 5), (5, 5)], 80, False, False, id="two hidden, few sessions"),
        pytest.param([(400, 80), (90, 9), (9, 9)], 98, False, False, id="two hidden, no overlap"),
        pytest.param([(400, 80), (300, 50)], 85, True, False, id="five without the first"),
        pytest.param([(400, 80), (300, 50)], 125, True, False, id="five with both"),
        pytest.param([(5, 4), (30, 6), (30, 7)], 9, False, False, id="few patients in all"),
    ],
)
def test_the_total_of_all_protocols_gives_way(
    sizes: list[tuple[int, int]], patients: int, *, sessions_shown: bool, patients_shown: bool
) -> None:
    """The total goes when a hidden protocol could be worked out from it."""
    total = suppress(protocols(*sizes), patients, []).exposure[-1]
    assert total.protocol == "all protocols"
    assert (total.sessions == sum(s for s, _ in sizes)) is sessions_shown
    assert (total.patients == patients) is patients_shown
    assert (total.reports_amended, total.sessions_nothing_said) == (None, None)


def test_rows_are_ordered_by_name() -> None:
    """Any adverse event first, then terms by id: never by how often they happened."""
    tables = suppressed(incidence((180, 61), nausea=(40, 15), dizziness=(170, 60)))
    assert [(row.unit, row.term) for row in tables.incidence[:3]] == [
        (SESSION, ANY_EVENT),
        (SESSION, "dizziness"),
        (SESSION, "nausea"),
    ]


def test_hidden_cells_are_counted_as_a_reader_would() -> None:
    """The count is of what is withheld, small or not, and tells nothing more."""
    tables = suppressed(incidence((160, 60), nausea=(120, 45), dizziness=(95, 33), fall=(4, 4)))
    written = [value for row in tables.incidence for value in numbers(row)]
    assert tables.hidden_cells == written.count(HIDDEN) == 12
    assert str(HIDDEN) == "hidden"


def test_a_raised_threshold_hides_more() -> None:
    """The setting can be raised freely."""
    rows = incidence((160, 60), nausea=(120, 45), dizziness=(95, 33), fall=(15, 15))
    assert find(suppress([exposure()], 80, rows), "fall").with_event == 15
    tables = suppress([exposure()], 80, rows, Threshold(20))
    assert find(tables, "fall").with_event is HIDDEN
    assert tables.threshold == 20


def test_a_threshold_is_lowered_only_on_purpose() -> None:
    """Five to nine need a word; less than five does not exist."""
    assert Threshold().value == 10
    assert Threshold(5, lowered=True).value == 5
    with pytest.raises(UserError, match="on purpose"):
        Threshold(9)
    with pytest.raises(UserError, match="cannot be below 5"):
        Threshold(4, lowered=True)


def test_safe_tables_cannot_be_made_by_hand() -> None:
    """Only the suppression makes what the writers take."""
    with pytest.raises(TypeError, match="suppress"):
        SafeTables((), (), 10, object())


GOOD = incidence((180, 61), nausea=(120, 45), dizziness=(95, 33))


@pytest.mark.parametrize(
    ("rows", "message"),
    [
        pytest.param([*GOOD, GOOD[0]], "twice", id="a row twice"),
        pytest.param([replace(GOOD[0], unit="week"), *GOOD], "unknown unit", id="unknown unit"),
        pytest.param([replace(row, protocol="im") for row in GOOD], "exposure row", id="protocol"),
        pytest.param(GOOD[:-1], "every unit", id="a unit without any event"),
        pytest.param(GOOD[1:], "every unit", id="a term in one unit only"),
        pytest.param(GOOD[3:], "by session is missing", id="no sessions"),
        pytest.param(
            [replace(GOOD[0], exposed=399), *GOOD[1:]], "exposure table", id="other denominator"
        ),
        pytest.param([replace(GOOD[0], with_event=401, events=401), *GOOD[1:]], "exposed", id="x"),
        pytest.param([replace(GOOD[0], with_event=-1), *GOOD[1:]], "exposed", id="negative"),
        pytest.param([replace(GOOD[0], events=119), *GOOD[1:]], "events", id="too few events"),
        pytest.param([replace(GOOD[0], with_event=0), *GOOD[1:]], "without a unit", id="no unit"),
        pytest.param([replace(GOOD[0], with_event=44), *GOOD[1:]], "fewer sessions", id="units"),
        pytest.param([GOOD[0], GOOD[2], GOOD[3], GOOD[5]], "missing", id="a term left out"),
        pytest.param(
            [replace(row, events=216) if row.term == ANY_EVENT else row for row in GOOD],
            "overlap",
            id="events that are not the sum",
        ),
    ],
)
def test_tables_that_contradict_each_other_are_refused(rows: list[RateRow], message: str) -> None:
    """Suppression rests on what ties tables together, so it does not guess."""
    with pytest.raises(ValueError, match=message):
        suppress([exposure()], 80, rows)


@pytest.mark.parametrize(
    ("rows", "patients", "message"),
    [
        ([exposure(), exposure()], 80, "exactly one"),
        ([exposure(protocol="all protocols")], 80, "exactly one"),
        ([exposure(10, 20)], 20, "20 patients, 10 sessions"),
        ([exposure(10, 0)], 0, "0 patients, 10 sessions"),
        ([replace(exposure(), reports_amended=401)], 80, "more than all"),
        ([replace(exposure(), sessions_nothing_said=-1)], 80, "more than all"),
        ([exposure()], 79, "in all do not fit"),
        ([exposure()], 81, "in all do not fit"),
    ],
)
def test_impossible_exposure_is_refused(
    rows: list[ExposureRow], patients: int, message: str
) -> None:
    """More patients than sessions, parts above the whole, totals that do not fit."""
    with pytest.raises(ValueError, match=message):
        suppress(rows, patients, [])


def test_silent_sessions_and_sessions_with_an_event_cannot_overlap() -> None:
    """A session with an event is not silent."""
    row = replace(exposure(), sessions_nothing_said=221)
    with pytest.raises(ValueError, match="overlap"):
        suppressed(GOOD, row)
