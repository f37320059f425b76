"""Whatever the model takes comes back equal from its signed form."""

from __future__ import annotations

import json
from contextlib import suppress

from hypothesis import given
from hypothesis import strategies as st

from safety.document import from_document, to_document
from safety.errors import AfterdoseError
from safety.model import SessionReport
from tests.support.strategies import reports


@given(reports())
def test_every_report_reads_back_equal(report: SessionReport) -> None:
    document = to_document(report)
    back = from_document(document)
    assert back == report
    assert to_document(back) == document


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(),
    lambda inner: st.lists(inner) | st.dictionaries(st.text(), inner),
    max_leaves=8,
)
PARTS = st.sampled_from(["schema", "report", "site", "patient", "events", "started_at", "vitals"])


@given(st.binary() | JSON.map(lambda value: json.dumps(value).encode()))
def test_whatever_bytes_are_read_only_our_errors_are_raised(document: bytes) -> None:
    try:
        from_document(document)
    except AfterdoseError:
        return
    raise AssertionError("read as a report")


@given(reports(), PARTS, JSON)
def test_a_document_with_one_part_replaced_raises_only_our_errors(
    report: SessionReport, part: str, value: object
) -> None:
    content = json.loads(to_document(report))
    (content if part in content else content["report"])[part] = value
    with suppress(AfterdoseError):
        from_document(json.dumps(content).encode())
