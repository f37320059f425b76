"""The places of the reading: what changed, the rates from every side, and the package."""

from __future__ import annotations

from typing import Final

from safety.access import Action, Role
from safety.ui.places import Place, drawn_by

RATES: Final = "Rates"
"""The section under which the rates stand, from every side."""

READING: Final = (
    Place(
        "overview",
        "Overview",
        ":material/monitoring:",
        "What changed since your last visit, what waits for you, and how much was done.",
        drawn_by("reports.ui.overview_page"),
        needs=Action.READ_RATES,
        first_for=frozenset({Role.DIRECTOR}),
    ),
    Place(
        "incidence",
        "Incidence",
        ":material/scatter_plot:",
        "How often each effect was reported in a quarter, by protocol or what else you choose.",
        drawn_by("reports.ui.incidence_page"),
        needs=Action.READ_RATES,
        section=RATES,
    ),
    Place(
        "trend",
        "Trend",
        ":material/show_chart:",
        "One effect over time, with the limits of chance, and when it first crosses them.",
        drawn_by("reports.ui.trend_page"),
        needs=Action.READ_RATES,
        section=RATES,
    ),
    Place(
        "comparison",
        "Comparison",
        ":material/compare_arrows:",
        "Two protocols beside each other: differences, ratios, and the rates of published trials.",
        drawn_by("reports.ui.comparison_page"),
        needs=Action.READ_RATES,
        section=RATES,
    ),
    Place(
        "by-number",
        "By session",
        ":material/format_list_numbered:",
        "Whether an effect fades from a patient's first session to the later ones.",
        drawn_by("reports.ui.habituation_page"),
        needs=Action.READ_RATES,
        section=RATES,
    ),
    Place(
        "pressure",
        "Blood pressure",
        ":material/blood_pressure:",
        "Blood pressure through a session, spikes by protocol, and dose against spike.",
        drawn_by("reports.ui.pressure_page"),
        needs=Action.READ_RATES,
        section=RATES,
    ),
    Place(
        "groups",
        "Sites and people",
        ":material/groups:",
        "Whether a site or a nurse reports more or less than chance explains.",
        drawn_by("reports.ui.groups_page"),
        needs=Action.READ_RATES,
        section=RATES,
    ),
    Place(
        "quarter",
        "Quarter",
        ":material/package_2:",
        "The package of a closed quarter: what leaves, made and signed, ready to download.",
        drawn_by("reports.ui.quarter_page"),
        needs=Action.EXPORT,
        first_for=frozenset({Role.COMPLIANCE}),
    ),
)
