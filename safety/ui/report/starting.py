"""Opening a form on a patient who is known already, with what is known filled in."""

from __future__ import annotations

from datetime import datetime

from safety import foreknown, people, protocols
from safety.model import PatientIdentity
from safety.ui import places
from safety.ui.report import foregoing, form, unfolding
from safety.ui.report.clock import zone_of_site
from safety.ui.report.form import Form
from safety.ui.session import Visit


def open_for(
    visit: Visit,
    *,
    patient_no: int,
    protocol: str | None = None,
    site: str | None = None,
    planned_at: datetime | None = None,
) -> None:
    """Open a new form on the patient and go there. What is planned goes before the last session."""
    identity = people.identity_of(visit.store, visit.actor, patient_no)
    zone = zone_of_site(visit, site)
    opened = open_empty(visit)
    choose(visit, opened, patient_no, identity, protocol)
    if site is not None:
        opened.put("site", site)
    if planned_at is not None:
        local = planned_at.astimezone(zone)
        opened.put("start_date", local.date())
        opened.put("start_time", local.time())
        opened.set("planned_time", f"{local:%H:%M}")
    places.go("report")


def open_empty(visit: Visit) -> Form:
    """Open a form with nothing but today, the only site there is, and who writes."""
    sites = protocols.list_sites(visit.store, visit.actor)
    only = sites[0].name if len(sites) == 1 else None
    today = visit.store.clock().astimezone(zone_of_site(visit, only)).date()
    return form.open_new(dict(unfolding.empty(today, only, visit.actor.name)))


def choose(
    visit: Visit,
    opened: Form,
    patient_no: int,
    identity: PatientIdentity,
    protocol: str | None = None,
) -> None:
    """Put the patient into the form, and of the last session what is not filled in yet."""
    for name, value in identity_fields(identity).items():
        opened.put(name, value)
    opened.set("patient.from", "found")
    opened.matches = None
    wanted = protocol or opened.fields.get("protocol")
    _take_over(visit, opened, patient_no, wanted)
    if wanted is not None and opened.fields.get("protocol") != wanted:
        opened.put("protocol", wanted)


def _take_over(visit: Visit, opened: Form, patient_no: int, protocol: str | None) -> None:
    last = foreknown.last_session(visit.store, visit.actor, patient_no)
    if last is None:
        return
    known = {p.id for p in protocols.list_protocols(visit.store, visit.actor)}
    for name, value in foregoing.taken(last.report, protocol).items():
        free = opened.fields.get(name) is None or name == "setting"  # which begins as the clinic
        if free and (name != "protocol" or value in known):
            opened.put(name, value)
    if opened.fields.get("route") is not None:
        opened.set("route_of", opened.fields.get("protocol"))
    vocabulary = protocols.clinic_vocabulary(visit.store, visit.actor)
    zone = zone_of_site(visit, last.report.site)
    for name, value in foregoing.remembered(
        last.report, last.session_number, zone, vocabulary
    ).items():
        opened.set(name, value)


def identity_fields(identity: PatientIdentity) -> dict[str, str | None]:
    """The fields of the form that say who the patient is."""
    born = identity.birth_date
    return {
        "patient.mrn": identity.mrn,
        "patient.name": identity.name,
        "patient.birth_date": born.isoformat() if born else None,
        "patient.sex": str(identity.sex) if identity.sex else None,
    }
