"""Writes report_v1.json, the layout 1 of a signed report with every field in it.

It was run once, when layout 1 was released. Never run it again to make a test pass: reports in
clinics have the layout of this file for ever. A layout 2 gets a file of its own beside this one.
"""

from __future__ import annotations

from pathlib import Path

from safety.document import to_document
from tests.golden.report_v1 import REPORT

if __name__ == "__main__":
    Path(__file__).with_name("report_v1.json").write_bytes(to_document(REPORT))
