"""The director's page of sites and people: funnel, reporting, and protocols by their profiles."""

from __future__ import annotations

from typing import Final

import streamlit as st

from reports.group_counts import NURSE, SITE
from reports.group_profiles import profiles
from reports.group_reporting import UnderReporting, under_reporting
from reports.group_signals import FunnelReport, GroupQuery, funnel
from reports.grouping.disproportionality import WARNING
from reports.plain_words import proportion, small_numbers
from reports.ui import funnel_plot, group_tables
from reports.ui import group_filters as filters
from safety.errors import UserError
from safety.ui import patient_timeline, say
from safety.ui.session import Visit

_PAGE: Final = "groups"
_UNITS: Final = {SITE: "Sites", NURSE: "People who report"}
_ONE: Final = {SITE: "site", NURSE: "person"}
_NARROWEST: Final = 520
_NOTABLE: Final = 0.005  # what is shown as r = 0.00


def page(visit: Visit) -> None:
    """Draw the page."""
    say.title("Sites and people", "Whether a site or a person differs by more than chance.")
    query, words = _filters(visit)
    found = funnel(visit.store, visit.actor, query)
    if not found.n:
        _empty(found, words)
        return
    _sentences(found, words)
    halves = st.grid(2, min_column_width=_NARROWEST, gap="large")
    with halves.cell():
        _plot(found)
    with halves.cell():
        _table(found)
    _reporting(under_reporting(visit.store, visit.actor, query))
    _profiles(visit, query)


def _filters(visit: Visit) -> tuple[GroupQuery, str]:
    with st.container(horizontal=True, vertical_alignment="bottom"):
        by = filters.chosen(_PAGE, "compare", "Compare", _UNITS, 190)
        effect = filters.effect(_PAGE)
        protocol = filters.protocol(visit, _PAGE)
        period = filters.period(visit, _PAGE)
    query = GroupQuery(period.first, period.last, by=by, term=effect, protocols=protocol)
    return query, period.words


def _empty(found: FunnelReport, words: str) -> None:
    if found.unattributed:
        st.info(
            f"{found.unattributed:,} sessions were reported {words}, and none of them names who "
            "reported it. Compare sites, or let reports say who filed them.",
            icon=":material/groups:",
        )
        return
    st.info(
        f"No session was reported {words} under this choice. Sites and people stand here side by "
        "side as soon as reports are filed. Choose another period or all protocols.",
        icon=":material/groups:",
    )


def _sentences(found: FunnelReport, words: str) -> None:
    counts = proportion(found.x, found.n, found.centre)
    st.markdown(f"**{found.event.name}** {words}: {counts}.")
    if (few := small_numbers(found.x, found.n)) is not None:
        st.markdown(f":orange[:material/info: {few}]")
    if found.unattributed:
        say.look(
            f"{found.unattributed:,} more sessions do not say who reported them. They are left out."
        )
    units = [row for row in found.rows if row.n]
    if len(units) == 1:
        st.markdown(f"Only one {_ONE[found.by]} has sessions here: nothing to compare it with.")
        return
    flagged = [row for row in units if row.flag]
    if not found.limits:
        st.markdown("All sessions are alike in this, so there are no limits and nothing differs.")
    elif not flagged:
        usual = " and the usual difference between units" if found.phi > 1 else ""
        st.markdown(
            f"No {_ONE[found.by]} lies outside the 99.8 % limits: chance{usual} can explain what "
            "differs."
        )
    for row in flagged:
        st.text(f"{row.unit.name}: {row.sentence}")


def _plot(found: FunnelReport) -> None:
    dark = st.context.theme.type == "dark"
    palette = patient_timeline.DARK if dark else patient_timeline.LIGHT
    st.altair_chart(
        funnel_plot.draw(found, palette),
        width="stretch",
        alt="Funnel plot of the table beside it: one point a unit, with limits around the share "
        "of all",
    )
    st.caption(
        f"Limits: {found.method}; {found.note}. {_alike(found)} Sites and people treat different "
        "patients under different protocols: choose one protocol to compare like with like."
    )


def _alike(found: FunnelReport) -> str:
    if found.likeness is None:
        return "How alike sessions of one patient are cannot be seen, so they count as the same."
    if found.likeness < _NOTABLE:
        return "Sessions of one patient are hardly alike here, so nearly each counts as one."
    return (
        f"Sessions of one patient are alike (r = {found.likeness:.2f}), so a unit counts as fewer "
        "sessions than it has."
    )


def _table(found: FunnelReport) -> None:
    lines = [group_tables.unit(row) for row in found.rows]
    group_tables.frame(lines, "Share of sessions with the effect by unit")
    method = found.rows[0].estimate.method
    st.caption(
        f"n of N sessions with the effect; interval by the method of {method}. p is two-sided, "
        "for one unit at a time; the limits of 99.8 % are wide because many are looked at."
    )


def _reporting(found: UnderReporting) -> None:
    say.section("Reporting")
    st.caption(
        "Whether less is reported than the same protocols bring elsewhere: a record that says "
        "little is not a record of little harm."
    )
    signals = [each for each in found.findings if each.finding.signal]
    for each in signals:
        st.text(f"{each.unit.name}: {each.finding.sentence}")
    if found.findings and not signals:
        st.markdown("Nothing differs from elsewhere by more than chance explains.")
    if found.findings:
        st.markdown(f":material/info: {found.caveat}")
        group_tables.frame(
            [group_tables.finding(each) for each in found.findings],
            "Reporting by unit and question",
        )
        st.caption(
            "Expected: from the rates of all others under the same protocols. p is one-sided; q "
            "allows for asking about every unit. A sentence stands above where q is at most 0.05. "
            "Late: filed more than 24 hours after the session."
        )
    for name, why in dict.fromkeys((unit.name, why) for _, unit, why in found.unsaid):
        st.text(f"{name}: nothing is said, {why}.")
    if found.untimed:
        st.caption(f"{found.untimed:,} reports do not say when they were filed.")


def _profiles(visit: Visit, query: GroupQuery) -> None:
    with st.expander("Protocols by their profile of events (disproportionality)"):
        st.markdown(WARNING)
        st.markdown(
            "Here every session is counted, also those in which nothing happened. So the page "
            "**Incidence** answers the question better: how many of how many."
        )
        read = st.checkbox("I have read this, and want the table", key="groups-acknowledged")
        if not read:
            return
        try:
            rows = profiles(visit.store, visit.actor, query, acknowledged=WARNING)
        except UserError as error:
            say.failure(error)
            return
        if not rows:
            st.markdown("No event was reported here.")
            return
        group_tables.frame([group_tables.profile(row) for row in rows], "Disproportionality")
        st.caption(
            "Counts of events. ROR and PRR with log normal limits, IC with gamma limits. A "
            "criterion that is met is a question, not a finding. All protocols are the background."
        )
