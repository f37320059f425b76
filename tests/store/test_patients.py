"""One MRN is one patient, however it is spelt; a birth date that differs is somebody else."""

from __future__ import annotations

from datetime import date
from typing import Any

import pytest
from sqlalchemy import select

from safety import service
from safety.errors import InvalidReport
from safety.model import PatientIdentity, Sex
from safety.store import tables
from safety.store.handle import Store
from safety.store.verifying import verify
from tests.support.builders import NURSE, a_patient, a_report


def file_for(store: Store, **identity: Any) -> None:
    service.file_report(store, NURSE, a_report(patient=PatientIdentity(**identity)))


def patients(store: Store) -> list[Any]:
    with store.read() as connection:
        return list(connection.execute(select(tables.patients).order_by(tables.patients.c.no)))


@pytest.mark.parametrize(
    "spelling",
    ["ab-12 3", "AB123", "ab/12.3", "\uff21\uff22\uff11\uff12\uff13", " Ab\u00ad1\u200b23 "],
)
def test_spellings_of_one_mrn_are_one_patient(store: Store, spelling: str) -> None:
    file_for(store, mrn="AB-123")
    file_for(store, mrn=spelling)
    assert len(patients(store)) == 1
    assert len(service.find_patient(store, NURSE, spelling)) == 1


def test_other_numbers_are_other_patients(store: Store) -> None:
    for mrn in ("AB123", "AB124", "AB1230", "A B 12"):
        file_for(store, mrn=mrn)
    assert len(patients(store)) == 4


def test_an_mrn_of_separators_alone_is_refused(store: Store) -> None:
    with pytest.raises(InvalidReport):
        file_for(store, mrn=" - / ")
    assert patients(store) == []


def test_what_is_learnt_later_completes_the_identity(store: Store) -> None:
    file_for(store, mrn="1")
    file_for(store, mrn="1", name="Wilma Testcase", birth_date=date(1980, 5, 17))
    file_for(store, mrn="1", sex=Sex.FEMALE)
    (match,) = service.find_patient(store, NURSE, "1")
    assert match.identity == PatientIdentity("1", "Wilma Testcase", date(1980, 5, 17), Sex.FEMALE)
    assert patients(store)[0].version == 3
    assert verify(store).findings == []


def test_a_later_report_carries_what_is_known_of_the_patient(store: Store) -> None:
    file_for(store, mrn="1", name="Wilma Testcase", birth_date=date(1980, 5, 17))
    filed = service.file_report(store, NURSE, a_report(patient=PatientIdentity("1")))
    report = service.read_report(store, NURSE, filed.report_id).report
    assert report.patient.name == "Wilma Testcase"


def test_another_birth_date_is_refused_and_nothing_is_written(store: Store) -> None:
    file_for(store, mrn="1", birth_date=date(1980, 5, 17))
    with pytest.raises(InvalidReport) as caught:
        file_for(store, mrn="1", birth_date=date(1980, 5, 18))
    (problem,) = caught.value.problems
    assert problem.field == "patient.birth_date"
    assert "1980" not in problem.message
    with store.read() as connection:
        assert len(connection.execute(select(tables.reports)).all()) == 1


def test_a_name_that_differs_is_not_overwritten(store: Store) -> None:
    file_for(store, mrn="1", name="Wilma Testcase")
    file_for(store, mrn="1", name="Wilma Otherwise")
    assert service.find_patient(store, NURSE, "1")[0].identity.name == "Wilma Testcase"


@pytest.mark.parametrize(
    ("sought", "found"),
    [("wilma", 2), ("WILMA test", 1), ("case wil", 1), ("nobody", 0), ("  ", 0), ("MRN-1", 1)],
)
def test_search_by_words_of_the_name_or_by_mrn(store: Store, sought: str, found: int) -> None:
    file_for(store, mrn="MRN-1", name="Wilma Testcase")
    file_for(store, mrn="MRN-2", name="Wilma Otherwise")
    assert len(service.find_patient(store, NURSE, sought)) == found


def test_a_search_shows_at_most_twenty(store: Store) -> None:
    for number in range(23):
        file_for(store, mrn=str(number + 1000), name="Same Name")
    assert len(service.find_patient(store, NURSE, "same")) == 20


def test_every_patient_has_a_key_of_its_own(store: Store) -> None:
    for mrn in ("1", "2"):
        service.file_report(store, NURSE, a_report(patient=a_patient(mrn=mrn)))
    one, other = patients(store)
    assert bytes(one.identity)[1:33] != bytes(other.identity)[1:33]  # the key id of the record
    assert len(one.identity) == len(other.identity)
