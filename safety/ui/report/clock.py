"""The clock on which the times of a report are read: that of its site."""

from __future__ import annotations

from zoneinfo import ZoneInfo

from safety import protocols
from safety.ui.session import Visit


def zone_of_site(visit: Visit, name: str | None) -> ZoneInfo:
    """The clock of a site; that of the clinic when it is not chosen or not known."""
    zones = {site.name: site.timezone for site in protocols.list_sites(visit.store, visit.actor)}
    return ZoneInfo(zones[name]) if name in zones else visit.store.clinic.timezone
