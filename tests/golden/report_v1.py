"""What the golden document report_v1.json says: every field of layout 1, none absent."""

from __future__ import annotations

from datetime import UTC, date, datetime, timedelta, timezone
from typing import Final

from safety.model import (
    AdverseEvent,
    BloodPressure,
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

_EASTERN = timezone(timedelta(hours=-5))

REPORT: Final = SessionReport(
    site="Hauptstraße 7",
    patient=PatientIdentity(
        mrn="\N{GREEK CAPITAL LETTER MU}R\N{GREEK CAPITAL LETTER NU}-00 42/七",
        name="Zoë Ångström-Łuk",
        birth_date=date(1948, 2, 29),
        sex=Sex.OTHER,
    ),
    protocol="iv_ketamine_depression_induction",
    started_at=datetime(2024, 2, 29, 9, 30, 15, 250_000, _EASTERN),
    session_ref="Visit “7”\\2024",
    protocol_version=3,
    ended_at=datetime(2024, 2, 29, 10, 10, tzinfo=_EASTERN),
    dose_mg=41.25,
    weight_kg=82,
    route=Route.INTRAVENOUS,
    lot="LOT-7/b",
    setting=Setting.HOSPITAL,
    vitals=VitalSigns(
        before=BloodPressure(128, 82),
        at_40_min=BloodPressure(151, 95),
        peak=BloodPressure(171, 104),
        before_discharge=BloodPressure(systolic_mmhg=131),
        heart_rate_peak_bpm=104,
        spo2_min_percent=93,
        moaas_min=3,
        cadss6_peak=14,
    ),
    discharge=Discharge(
        discharged_at=datetime(2024, 2, 29, 16, 45, tzinfo=UTC),
        ready_minutes=115,
        orientated=True,
        gait_steady=True,
        nausea_controlled=False,
        escort_present=True,
        told_not_to_drive=True,
        released_by="Renée O'Hara",
    ),
    misuse=MisuseScreen(
        drug_liking=62.5,
        craving=10,
        early_session_request=True,
        dose_increase_request=False,
        extra_session_request=False,
        lost_medication=False,
        outside_use=True,
        impaired_on_arrival=False,
        urine_drug_screen=True,
        urinary_symptoms=False,
        withdrawal_symptoms=False,
        concealment=False,
    ),
    drug=DrugAmounts(
        drawn_mg=50,
        given_mg=41.25,
        wasted_mg=8.75,
        waste_witness="Tomás Reed",
        staff="Renée O'Hara",
    ),
    events=(
        AdverseEvent(
            term="hypertension",
            grade=3,
            scale="CTCAE",
            scale_version="5.0",
            onset_minutes=35,
            duration_minutes=50,
            outcome=Outcome.RECOVERED,
            relatedness=Relatedness.PROBABLE,
            serious=frozenset({Criterion.HOSPITALISATION, Criterion.IMPORTANT_MEDICAL_EVENT}),
            action="Labetalol 10 mg; observed overnight.",
            elicitation=Elicitation.OBSERVED,
            narrative="Systolic above 170 twice.\nSettled within the hour.",
        ),
        AdverseEvent(term="feeling_drunk", grade=1, scale="Afterdose", scale_version="1"),
    ),
    no_adverse_event=False,
    narrative="Überwacht bis 16:45; \u201cno recall\u201d of the first ten minutes. 🙂",
    reported_by="Renée O'Hara",
    reported_at=datetime(2024, 2, 29, 18, 2, 3, tzinfo=UTC),
    amendment_reason="Grade corrected after the discharge letter.",
)
