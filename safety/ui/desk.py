"""The places of the record: the nurse's desk, and the pages about the clinic's accounts."""

from __future__ import annotations

from typing import Final

from safety.access import Action, Role
from safety.ui.places import Place, drawn_by

SESSIONS: Final = (
    Place(
        "today",
        "Today",
        ":material/today:",
        "Your drafts and the newest reports. Start a new report here.",
        drawn_by("safety.ui.today"),
        needs=Action.FILE_REPORT,
        first_for=frozenset({Role.NURSE, Role.CHARGE}),
    ),
    Place(
        "report",
        "New report",
        ":material/edit_note:",
        "Report one session: what was given, what was measured, what happened.",
        drawn_by("safety.ui.report.page"),
        needs=Action.FILE_REPORT,
    ),
    Place(
        "filed",
        "Filed report",
        ":material/description:",
        "One filed report with its history. Amend it here.",
        drawn_by("safety.ui.report.view"),
        needs=Action.READ_REPORT,
        listed=False,
    ),
    Place(
        "patient",
        "Patients",
        ":material/person_search:",
        "All sessions of one patient: doses, blood pressures and events in time.",
        drawn_by("safety.ui.patient_page"),
        needs=Action.FIND_PATIENT,
    ),
    Place(
        "emergency",
        "Emergency access",
        ":material/e911_emergency:",
        "One patient's record for half an hour in an emergency. The medical director is told.",
        drawn_by("safety.ui.emergency_page"),
        needs=Action.BREAK_GLASS,
    ),
    Place(
        "notices",
        "Notices",
        ":material/notifications:",
        "Serious events and emergency access that nobody has looked at yet.",
        drawn_by("safety.ui.notices_page"),
        needs=Action.READ_NOTICES,
    ),
)

CLINIC: Final = (
    Place(
        "accounts",
        "Accounts",
        ":material/group:",
        "Who may sign in and with which role. Add, close and reopen accounts.",
        drawn_by("safety.ui.accounts_page"),
        needs=Action.MANAGE_ACCOUNTS,
        first_for=frozenset({Role.ADMINISTRATOR}),
    ),
    Place(
        "account",
        "My account",
        ":material/account_circle:",
        "Your own account. Change your password here.",
        drawn_by("safety.ui.own_account"),
    ),
)
