"""Rows of a comparison of two protocols, as counted: exact, for eyes inside the clinic."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SEVERAL: Final = "several"
"""System organ class of a group whose terms belong to more than one."""


@dataclass(frozen=True, slots=True)
class CompareRow:
    """One term, the protocol ``against`` compared with the protocol ``reference``.

    Names that end in ``_ref`` are of the reference. ``with_event`` of ``exposed`` are sessions or
    patients, as ``unit`` says; ``low`` and ``high`` limit that share by itself. Differences are
    against minus reference, ratios against over reference, as fractions. None means no
    information, for an upper limit none at all. With strata the differences and ratios are common
    ones over ``strata``; the counts are of everybody all the same, each patient once.

    ``q`` is the greater of ``q_soc``, adjusted over system organ classes, and ``q_term``, adjusted
    within the class: a term is ``flagged`` where both are small enough. Terms that nobody had, or
    everybody, are not tested.
    """

    term: str
    term_name: str
    soc: str
    unit: str
    with_event_ref: int
    exposed_ref: int
    patients_ref: int
    low_ref: float | None
    high_ref: float | None
    with_event: int
    exposed: int
    patients: int
    low: float | None
    high: float | None
    patients_shared: int
    risk_difference: float | None
    rd_low: float
    rd_high: float | None
    risk_ratio: float | None
    rr_low: float
    rr_high: float | None
    odds_ratio: float | None
    or_low: float
    or_high: float | None
    p: float | None
    method: str
    strata: int = 0
    strata_left_out: int = 0
    q: float | None = None
    q_soc: float | None = None
    q_term: float | None = None
    flagged: bool = False

    @property
    def occurred(self) -> bool:
        """Whether anybody had it under either protocol."""
        return bool(self.with_event or self.with_event_ref)
