"""A report as lines of text. Pure: nothing is drawn, nothing is decided."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from zoneinfo import ZoneInfo

from safety.model import AdverseEvent, BloodPressure, SessionReport
from safety.ui import say, words
from safety.ui.report import pressure
from safety.vocabulary import Vocabulary


@dataclass(frozen=True, slots=True)
class Part:
    """A heading of ours and the lines under it, which may hold what people typed."""

    title: str
    lines: tuple[str, ...]


def heading(report: SessionReport) -> str:
    """Whom the report is about."""
    who = report.patient
    shown = (
        who.name,
        f"MRN {who.mrn}",
        f"born {say.day(who.birth_date)}" if who.birth_date else "",
    )
    return " · ".join(part for part in shown if part)


def parts(
    report: SessionReport, protocol: str | None, vocabulary: Vocabulary, zone: ZoneInfo
) -> Iterator[Part]:
    """The report in the order of the form; parts without content are left out."""
    found = (
        ("The session", _session(report, protocol or report.protocol, zone)),
        ("Vital signs", _vitals(report)),
        ("What happened", _events(report, vocabulary)),
        ("Asked of everybody", _answers(report.misuse, words.MISUSE | words.MISUSE_FINDINGS)),
        ("Also takes", _answers(report.concomitant, words.CONCOMITANT)),
        ("Fit to leave", _leaving(report, zone)),
        ("The drug", _drug(report)),
        ("In words", [report.narrative] if report.narrative else []),
    )
    for title, lines in found:
        gathered = tuple(lines)
        if gathered:
            yield Part(title, gathered)


def _session(report: SessionReport, protocol: str, zone: ZoneInfo) -> Iterator[str]:
    yield f"{protocol}, {report.site}"
    began = f"Began {say.moment(report.started_at, zone)}"
    minutes = report.minutes()
    yield began if minutes is None else f"{began}, for {minutes} min"
    if dose := _dose(report):
        yield dose
    if report.setting:
        yield f"Where: {words.SETTING[report.setting].lower()}"
    if report.lot:
        yield f"Lot {report.lot}"


def _dose(report: SessionReport) -> str:
    shown = []
    if report.dose_mg is not None:
        shown.append(words.amount(report.dose_mg, "mg"))
    if (per_kg := report.dose_mg_per_kg()) is not None:
        shown.append(f"{per_kg:.2f} mg/kg at {words.amount(report.weight_kg or 0, 'kg')}")
    if report.route:
        shown.append(words.ROUTE[report.route].lower())
    return ", ".join(shown)


def _vitals(report: SessionReport) -> Iterator[str]:
    vitals = report.vitals
    taken = [f"{words.READINGS[n].lower()} {reading(r)}" for n, r in vitals.readings()]
    if taken:
        yield f"Blood pressure: {', '.join(taken)} mmHg"
    yield from (remark.text for remark in pressure.remarks(vitals))
    for label, value, unit in (
        ("Highest heart rate", vitals.heart_rate_peak_bpm, " per min"),
        ("Lowest SpO2", vitals.spo2_min_percent, " %"),
        ("Lowest MOAA/S", vitals.moaas_min, " of 5 (5 is alert)"),
        ("Highest CADSS-6", vitals.cadss6_peak, " of 24"),
    ):
        if value is not None:
            yield f"{label} {value}{unit}"


def reading(value: BloodPressure) -> str:
    """``128/80``, with a question mark for a half that was not taken."""
    high, low = value.systolic_mmhg, value.diastolic_mmhg
    return f"{'?' if high is None else high}/{'?' if low is None else low}"


def _events(report: SessionReport, vocabulary: Vocabulary) -> Iterator[str]:
    if report.no_adverse_event:
        yield "Nothing happened."
    for event in report.events:
        yield _event(event, vocabulary)
        if event.serious:
            reasons = sorted(words.CRITERION[c].lower() for c in event.serious)
            yield f"    Serious: {'; '.join(reasons)}"
        for label, text in (
            ("In the patient's words", event.verbatim),
            ("Done", event.action),
            ("In words", event.narrative),
        ):
            if text:
                yield f"    {label}: {text}"


def _event(event: AdverseEvent, vocabulary: Vocabulary) -> str:
    shown = [f"{vocabulary.get(event.term).name}, grade {event.grade}"]
    if event.onset_minutes is not None:
        shown.append(f"from {event.onset_minutes} min")
    if event.duration_minutes is not None:
        shown.append(f"for {event.duration_minutes} min")
    if event.outcome:
        shown.append(words.OUTCOME[event.outcome].lower())
    if event.relatedness:
        shown.append(f"caused by the dose: {words.RELATEDNESS[event.relatedness].lower()}")
    return ", ".join(shown)


def _answers(group: object, questions: Mapping[str, str]) -> Iterator[str]:
    for name, question in questions.items():
        answer = getattr(group, name)
        if answer is not None:
            yield f"{question}: {'yes' if answer else 'no'}"
    for name, label in (("drug_liking", "Liking"), ("craving", "Craving")):
        mark = getattr(group, name, None)
        if mark is not None:
            yield f"{label} {mark:g} of 100"


def _leaving(report: SessionReport, zone: ZoneInfo) -> Iterator[str]:
    discharge = report.discharge
    if discharge.discharged_at is not None:
        yield f"Left {say.moment(discharge.discharged_at, zone)}"
    if discharge.ready_minutes is not None:
        yield f"Ready after {discharge.ready_minutes} min"
    yield from _answers(discharge, words.DISCHARGE)
    if discharge.released_by:
        yield f"Released by {discharge.released_by}"


def _drug(report: SessionReport) -> Iterator[str]:
    drug = report.drug
    amounts = [
        f"{label} {words.amount(value, 'mg')}"
        for label, value in (
            ("drawn", drug.drawn_mg),
            ("given", drug.given_mg),
            ("wasted", drug.wasted_mg),
        )
        if value is not None
    ]
    if amounts:
        yield ", ".join(amounts).capitalize()
    if drug.staff:
        yield f"Given by {drug.staff}"
    if drug.waste_witness:
        yield f"Waste seen by {drug.waste_witness}"
