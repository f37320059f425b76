"""The places of the reading: incidence, and the package of a quarter."""

from __future__ import annotations

from typing import Final

from safety.access import Action, Role
from safety.ui.places import Place, drawn_by

READING: Final = (
    Place(
        "incidence",
        "Incidence",
        ":material/scatter_plot:",
        "How often each effect was reported under each protocol in a quarter, with intervals.",
        drawn_by("reports.ui.incidence_page"),
        needs=Action.READ_RATES,
        first_for=frozenset({Role.DIRECTOR}),
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
