"""Who a patient is, for those who may see it, when another page knows the number already."""

from __future__ import annotations

from safety.access import Action, Actor, guarded
from safety.model import PatientIdentity
from safety.store import patients
from safety.store.handle import Store


@guarded(Action.FIND_PATIENT)
def identity_of(store: Store, actor: Actor, patient_no: int) -> PatientIdentity:
    """The identity of the patient with the store's number; the view is on record.

    Raises NotFound.
    """
    with store.read() as connection:
        found = patients.by_number(connection, store.ring, patient_no).identity
    with store.write() as writer:
        writer.log(actor, "patient.view", "patient", str(patient_no))
        writer.commit()
    return found
