"""Hypothesis strategies for whole reports: anything the model takes, and nothing it refuses."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Any

from hypothesis import strategies as st

from safety import limits
from safety.model import (
    AdverseEvent,
    BloodPressure,
    Concomitant,
    Criterion,
    Discharge,
    DrugAmounts,
    Elicitation,
    MisuseScreen,
    Outcome,
    PatientIdentity,
    Relatedness,
    Route,
    SessionReport,
    Setting,
    Sex,
    VitalSigns,
)

_TYPED = st.characters(exclude_categories=["Cs", "Cc"]) | st.sampled_from("\n\t")
_ZONES = st.sampled_from([UTC, *(timezone(timedelta(minutes=m)) for m in (-570, -300, 60, 825))])


def texts(longest: int) -> st.SearchStrategy[str]:
    """Text as somebody types it: any script, line breaks, never blank."""
    return st.text(_TYPED, min_size=1, max_size=min(longest, 60)).filter(lambda t: bool(t.strip()))


def numbers(bounds: limits.Bounds) -> st.SearchStrategy[Any]:
    """A number inside ``bounds``, its ends included."""
    whole = st.integers(int(bounds.low), int(bounds.high))
    if bounds.whole:
        return whole
    return whole | st.floats(bounds.low, bounds.high, allow_nan=False)


def perhaps(strategy: st.SearchStrategy[Any]) -> st.SearchStrategy[Any]:
    """A value, or not recorded."""
    return st.none() | strategy


def patients() -> st.SearchStrategy[PatientIdentity]:
    return st.builds(
        PatientIdentity,
        mrn=texts(limits.REFERENCE_LENGTH),
        name=perhaps(texts(limits.NAME_LENGTH)),
        birth_date=perhaps(st.dates(date(1900, 1, 1), date(1969, 12, 31))),
        sex=perhaps(st.sampled_from(Sex)),
    )


@st.composite
def pressures(draw: st.DrawFn) -> BloodPressure:
    systolic = draw(perhaps(numbers(limits.SYSTOLIC)))
    if systolic is None:
        return BloodPressure(None, draw(numbers(limits.DIASTOLIC)))
    highest = min(int(limits.DIASTOLIC.high), systolic - 1)
    return BloodPressure(systolic, draw(perhaps(st.integers(int(limits.DIASTOLIC.low), highest))))


def vital_signs() -> st.SearchStrategy[VitalSigns]:
    return st.builds(
        VitalSigns,
        before=perhaps(pressures()),
        at_40_min=perhaps(pressures()),
        peak=perhaps(pressures()),
        before_discharge=perhaps(pressures()),
        heart_rate_peak_bpm=perhaps(numbers(limits.HEART_RATE)),
        spo2_min_percent=perhaps(numbers(limits.SPO2)),
        moaas_min=perhaps(numbers(limits.MOAAS)),
        cadss6_peak=perhaps(numbers(limits.CADSS6)),
    )


@st.composite
def events(draw: st.DrawFn, term: str | None = None, grade: int | None = None) -> AdverseEvent:
    grade = grade or draw(numbers(limits.GRADE))
    living = st.sampled_from([outcome for outcome in Outcome if outcome is not Outcome.FATAL])
    return AdverseEvent(
        term=term or draw(st.from_regex(r"[a-z]{1,12}", fullmatch=True)),
        grade=grade,
        onset_minutes=draw(perhaps(numbers(limits.ONSET))),
        duration_minutes=draw(perhaps(numbers(limits.DURATION))),
        outcome=draw(perhaps(st.just(Outcome.FATAL) if grade == 5 else living)),
        relatedness=draw(perhaps(st.sampled_from(Relatedness))),
        serious=draw(st.frozensets(st.sampled_from(Criterion))),
        action=draw(perhaps(texts(limits.NARRATIVE_LENGTH))),
        elicitation=draw(perhaps(st.sampled_from(Elicitation))),
        narrative=draw(perhaps(texts(limits.NARRATIVE_LENGTH))),
        verbatim=draw(perhaps(texts(limits.VERBATIM_LENGTH))),
    )


def concomitants() -> st.SearchStrategy[Concomitant]:
    answers = perhaps(st.booleans())
    return st.builds(Concomitant, answers, answers, answers, answers, answers)


def misuse_screens() -> st.SearchStrategy[MisuseScreen]:
    answers = perhaps(st.booleans())
    return st.builds(
        MisuseScreen,
        drug_liking=perhaps(numbers(limits.VISUAL_ANALOGUE)),
        craving=perhaps(numbers(limits.VISUAL_ANALOGUE)),
        early_session_request=answers,
        outside_use=answers,
        concealment=answers,
    )


def drug_amounts() -> st.SearchStrategy[DrugAmounts]:
    amount = perhaps(numbers(limits.AMOUNT))
    name = perhaps(texts(limits.NAME_LENGTH))
    return st.builds(DrugAmounts, amount, amount, amount, name, name)


@st.composite
def reports(
    draw: st.DrawFn,
    /,
    *,
    listed: st.SearchStrategy[list[AdverseEvent]] | None = None,
    **fixed: Any,
) -> SessionReport:
    """A report. ``listed`` draws its events; ``fixed`` fields are given and not drawn."""
    start = draw(st.datetimes(datetime(1970, 1, 2), datetime(2026, 3, 1), timezones=_ZONES))  # noqa: DTZ001
    later = st.integers(0, 30 * 24 * 60 * 60).map(
        lambda seconds: start + timedelta(seconds=seconds)
    )
    if listed is None:
        listed = st.lists(events(), max_size=4, unique_by=lambda event: event.term)
    found = draw(listed)
    given: dict[str, Any] = {
        "site": draw(texts(limits.NAME_LENGTH)),
        "patient": draw(patients()),
        "protocol": draw(texts(limits.NAME_LENGTH)),
        "session_ref": draw(perhaps(texts(limits.REFERENCE_LENGTH))),
        "ended_at": draw(perhaps(later)),
        "dose_mg": draw(perhaps(numbers(limits.DOSE))),
        "weight_kg": draw(perhaps(numbers(limits.WEIGHT))),
        "route": draw(perhaps(st.sampled_from(Route))),
        "lot": draw(perhaps(texts(limits.REFERENCE_LENGTH))),
        "setting": draw(perhaps(st.sampled_from(Setting))),
        "vitals": draw(vital_signs()),
        "discharge": Discharge(
            discharged_at=draw(perhaps(later)),
            ready_minutes=draw(perhaps(numbers(limits.READY))),
            orientated=draw(perhaps(st.booleans())),
            released_by=draw(perhaps(texts(limits.NAME_LENGTH))),
        ),
        "misuse": draw(misuse_screens()),
        "drug": draw(drug_amounts()),
        "concomitant": draw(concomitants()),
        "events": tuple(found),
        "no_adverse_event": draw(perhaps(st.just(False) if found else st.booleans())),
        "narrative": draw(perhaps(texts(limits.NARRATIVE_LENGTH))),
        "reported_by": draw(perhaps(texts(limits.NAME_LENGTH))),
        "reported_at": draw(perhaps(later)),
    }
    return SessionReport(started_at=start, **(given | fixed))
