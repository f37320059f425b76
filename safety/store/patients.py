"""Patients: found by the blind index of the MRN, their identity sealed under a key of their own.

There is no index of names: a search by name opens the identities and looks (docs/adr/0004).
"""

from __future__ import annotations

import secrets
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, replace
from typing import Any, Final
from uuid import UUID

from sqlalchemy import Connection, Row, select, update

from safety.access import Actor
from safety.document import canonical, identity_from, plain
from safety.errors import InvalidReport, NotFound, Problem
from safety.keys.derivation import KEY_BYTES, mrn_index
from safety.keys.ring import KeyRing
from safety.keys.sealing import Place, SealingKey, padded, unpadded
from safety.model import PatientIdentity
from safety.store import tables
from safety.store.writing import Writer, new_id

_CHUNK: Final = 500


@dataclass(slots=True)
class Patient:
    """A patient of the store, with the opened data key. Never cached beyond a transaction."""

    no: int
    id: UUID
    key: SealingKey
    identity: PatientIdentity
    version: int

    def __repr__(self) -> str:
        return f"Patient(no={self.no})"


def key_place(clinic: UUID, patient: UUID) -> Place:
    """Where a patient's wrapped data key belongs."""
    return Place("wrapped-key", clinic, "patients", "wrapped_key", patient, 1, patient)


def identity_place(clinic: UUID, patient: UUID, version: int) -> Place:
    """Where a sealed identity belongs."""
    return Place("field", clinic, "patients", "identity", patient, version, patient)


def opened(ring: KeyRing, row: Row[Any]) -> Patient:
    """Open a row of ``patients``. Raises the sealing errors; there is no fallback."""
    patient_id = UUID(bytes=bytes(row.id))
    key = SealingKey(ring.kek.open(bytes(row.wrapped_key), key_place(ring.clinic, patient_id)))
    place = identity_place(ring.clinic, patient_id, row.version)
    content = unpadded(key.open(bytes(row.identity), place))
    return Patient(row.no, patient_id, key, identity_from(content), row.version)


def by_number(connection: Connection, ring: KeyRing, number: int) -> Patient:
    """The patient with the store's number ``number``. Raises NotFound."""
    row = connection.execute(select(tables.patients).where(tables.patients.c.no == number)).first()
    if row is None:
        raise NotFound("There is no such patient in this store.")
    return opened(ring, row)


def by_mrn(connection: Connection, ring: KeyRing, mrn: str) -> Patient | None:
    """The patient with this MRN, however it is spelt, or None."""
    index = mrn_index(ring.index_key, ring.clinic, mrn)
    row = connection.execute(
        select(tables.patients).where(tables.patients.c.mrn_index == index)
    ).first()
    return None if row is None else opened(ring, row)


def every(connection: Connection, ring: KeyRing) -> Iterator[Patient]:
    """All patients, opened one by one (50,000 take about a second)."""
    for row in connection.execute(select(tables.patients).order_by(tables.patients.c.no)):
        yield opened(ring, row)


class PatientBook:
    """The patients that one write transaction meets: found, added or completed."""

    def __init__(self, writer: Writer, ring: KeyRing, actor: Actor) -> None:
        self._writer = writer
        self._ring = ring
        self._actor = actor
        self._known: dict[bytes, Patient | None] = {}
        self._indexes: dict[str, bytes] = {}
        self._fresh: list[tuple[Any, ...]] = []
        self._any_before = writer.has_rows(tables.patients)

    def index(self, mrn: str) -> bytes:
        """The blind index of ``mrn`` in this clinic."""
        found = self._indexes.get(mrn)
        if found is None:
            found = self._indexes[mrn] = mrn_index(self._ring.index_key, self._ring.clinic, mrn)
        return found

    def look_up(self, indexes: Iterable[bytes]) -> None:
        """Read the patients of these indexes that are not known yet, in few queries."""
        wanted = [index for index in dict.fromkeys(indexes) if index not in self._known]
        for start in range(0, len(wanted), _CHUNK):
            chunk = wanted[start : start + _CHUNK]
            self._known |= dict.fromkeys(chunk)  # None: looked for and not there
            if not self._any_before:
                continue
            query = select(tables.patients).where(tables.patients.c.mrn_index.in_(chunk))
            for row in self._writer.connection.execute(query):
                self._known[bytes(row.mrn_index)] = opened(self._ring, row)

    def settle(self, given: PatientIdentity) -> Patient:
        """Return the patient of ``given``, added when new, completed when more is known now.

        The patient must have been looked up. Raises InvalidReport when the MRN belongs to somebody
        with another birth date.
        """
        index = self.index(given.mrn)
        patient = self._known[index]
        if patient is None:
            patient = self._known[index] = self._add(index, given)
            return patient
        if given is patient.identity or given == patient.identity:
            return patient
        _refuse_other_person(patient.identity, given)
        merged = completed(patient.identity, given)
        if merged != patient.identity:
            self._complete(patient, index, merged)
        return patient

    def flush(self) -> None:
        """Insert the patients that were added since the last flush."""
        self._writer.insert_all(tables.patients, self._fresh)
        self._fresh = []

    def _add(self, index: bytes, identity: PatientIdentity) -> Patient:
        clinic = self._ring.clinic
        secret, patient_id = secrets.token_bytes(KEY_BYTES), new_id()
        number = self._writer.next_number(tables.patients)
        patient = Patient(number, patient_id, SealingKey(secret), identity, 1)
        row = self._writer.digests.with_mac(
            tables.patients,
            (
                number,
                patient_id.bytes,
                index,
                self._ring.kek.seal(secret, key_place(clinic, patient_id)),
                self._sealed_identity(patient),
                1,
                self._writer.at,
            ),
        )
        self._fresh.append(row)
        self._log("patient.add", patient, row[-1])
        return patient

    def _complete(self, patient: Patient, index: bytes, identity: PatientIdentity) -> None:
        self.flush()
        patient.identity, patient.version = identity, patient.version + 1
        columns = tables.patients.c
        connection = self._writer.connection
        stored = connection.execute(select(tables.patients).where(columns.no == patient.no)).one()
        row = stored._asdict()
        row |= {"identity": self._sealed_identity(patient), "version": patient.version}
        self._writer.digests.stamped(tables.patients, row)
        connection.execute(update(tables.patients).where(columns.no == patient.no), row)
        self._known[index] = patient
        self._log("patient.complete", patient, row["mac"])

    def _sealed_identity(self, patient: Patient) -> bytes:
        content = padded(canonical({"identity": plain(patient.identity)}))
        place = identity_place(self._ring.clinic, patient.id, patient.version)
        return patient.key.seal(content, place)

    def _log(self, action: str, patient: Patient, mac: bytes) -> None:
        self._writer.log(self._actor, action, "patient", str(patient.no), macs=[mac])


def completed(known: PatientIdentity, given: PatientIdentity) -> PatientIdentity:
    """``known``, with what only ``given`` says."""
    if (
        (known.name or not given.name)
        and (known.birth_date or not given.birth_date)
        and (known.sex or not given.sex)
    ):
        return known
    return replace(
        known,
        name=known.name or given.name,
        birth_date=known.birth_date or given.birth_date,
        sex=known.sex or given.sex,
    )


def _refuse_other_person(known: PatientIdentity, given: PatientIdentity) -> None:
    if known.birth_date and given.birth_date and known.birth_date != given.birth_date:
        raise InvalidReport(
            [
                Problem(
                    "patient.birth_date",
                    "differs from the one on record for this MRN. Is the MRN right?",
                )
            ]
        )
