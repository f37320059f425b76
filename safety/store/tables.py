"""The tables, shaped once for both engines (SQLCipher and PostgreSQL).

Three kinds of rows live here:

* **sealed rows** (``patients``, ``reports``, ``drafts``): read only with a key of their own;
* **index rows** (``sessions``, ``events``): what counting needs, rebuilt from the sealed reports at
  any time, carrying numbers instead of names so that a covering index stays small;
* **the ledger** (``audit``): who did what when, chained, holding ids only.

A column ``mac`` is a keyed digest of the row (see :mod:`safety.store.rows`). Days are integers,
counted from 1970-01-01; times are UTC text; ids are 16 random bytes. On SQLite every table is
STRICT.
"""

from __future__ import annotations

from typing import Any

from sqlalchemy import (
    REAL,
    CheckConstraint,
    Column,
    Float,
    ForeignKey,
    ForeignKeyConstraint,
    Index,
    Integer,
    LargeBinary,
    MetaData,
    Table,
    Text,
    UniqueConstraint,
)

metadata = MetaData(
    naming_convention={
        "ix": "ix_%(table_name)s_%(column_0_N_name)s",
        "uq": "uq_%(table_name)s_%(column_0_N_name)s",
        "ck": "ck_%(table_name)s_%(constraint_name)s",
        "fk": "fk_%(table_name)s_%(column_0_name)s",
        "pk": "pk_%(table_name)s",
    }
)

DOUBLE = Float(53).with_variant(REAL(), "sqlite")


def _table(name: str, *parts: Any, **options: Any) -> Table:
    flags = [part.name for part in parts if isinstance(part, Column) and part.info.get("flag")]
    checks = [CheckConstraint(f"{flag} IN (0, 1)", name=flag) for flag in flags]
    return Table(name, metadata, *parts, *checks, sqlite_strict=True, **options)


def _flag(name: str, *, nullable: bool = True) -> Column[int]:
    return Column(name, Integer, nullable=nullable, info={"flag": True})


def _number(name: str) -> Column[int]:
    return Column(name, Integer, primary_key=True, autoincrement=False)


def _mac() -> Column[bytes]:
    return Column("mac", LargeBinary, nullable=False)


clinic = _table(
    "clinic",
    Column("id", LargeBinary, primary_key=True),
    Column("name", Text, nullable=False),
    Column("timezone", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    _flag("demonstration", nullable=False),
    _mac(),
)

sites = _table(
    "sites",
    _number("no"),
    Column("name", Text, nullable=False),
    Column("folded", Text, nullable=False, unique=True),
    Column("timezone", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    _mac(),
)

protocols = _table(
    "protocols",
    _number("no"),
    _number("version"),
    Column("id", Text, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    _flag("retired", nullable=False),
    _mac(),
    UniqueConstraint("id", "version"),
)

term_numbers = _table(
    "term_numbers",
    _number("no"),
    Column("id", Text, nullable=False, unique=True),
    _mac(),
)

official_wording = _table(
    "official_wording",
    Column("version", Text, primary_key=True),
    Column("term", Text, primary_key=True),
    Column("grade", Integer, primary_key=True, autoincrement=False),
    Column("wording", Text, nullable=False),
)

accounts = _table(
    "accounts",
    Column("id", LargeBinary, primary_key=True),
    Column("username", Text, nullable=False, unique=True),
    Column("display_name", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("password", Text, nullable=False),
    _flag("active", nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    _mac(),
    CheckConstraint(
        "role IN ('nurse','charge','director','compliance','administrator')", name="role"
    ),
)

sign_in_failures = _table(
    "sign_in_failures",
    Column("who", LargeBinary, primary_key=True),
    Column("failures", Integer, nullable=False),
    Column("last_at", Text, nullable=False),
)

sign_ins = _table(
    "sign_ins",
    Column("token", LargeBinary, primary_key=True),
    Column("account", LargeBinary, ForeignKey("accounts.id"), nullable=False),
    Column("account_version", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("seen_at", Text, nullable=False),
    Column("ended_at", Text),
    Column("ended_by", Text),
    CheckConstraint("(ended_at IS NULL) = (ended_by IS NULL)", name="ended"),
)

patients = _table(
    "patients",
    _number("no"),
    Column("id", LargeBinary, nullable=False, unique=True),
    Column("mrn_index", LargeBinary, nullable=False, unique=True),
    Column("wrapped_key", LargeBinary, nullable=False),
    Column("identity", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("created_at", Text, nullable=False),
    _mac(),
)

reports = _table(
    "reports",
    _number("session_no"),
    _number("version"),
    Column("report_id", LargeBinary, nullable=False),
    Column("patient_no", Integer, ForeignKey("patients.no"), nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("content_mac", LargeBinary, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    _mac(),
    UniqueConstraint("report_id", "version"),
)

drafts = _table(
    "drafts",
    Column("id", LargeBinary, primary_key=True),
    Column("author", Text, nullable=False, index=True),
    Column("version", Integer, nullable=False),
    Column("document", LargeBinary, nullable=False),
    Column("saved_at", Text, nullable=False),
)

sessions = _table(
    "sessions",
    _number("no"),
    Column("report_id", LargeBinary, nullable=False, unique=True),
    Column("version", Integer, nullable=False),
    Column("reference", LargeBinary, nullable=False, unique=True),
    Column("patient_no", Integer, ForeignKey("patients.no"), nullable=False),
    Column("site_no", Integer, ForeignKey("sites.no"), nullable=False),
    Column("protocol_no", Integer, nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("day", Integer, nullable=False),
    Column("route", Text),
    Column("setting", Text),
    Column("sex", Text),
    Column("age_years", Integer),
    Column("minutes", Integer),
    Column("monitored_minutes", Integer),
    Column("dose_mg", DOUBLE),
    Column("dose_mg_per_kg", DOUBLE),
    Column("systolic_before", Integer),
    Column("diastolic_before", Integer),
    Column("systolic_40", Integer),
    Column("diastolic_40", Integer),
    Column("systolic_peak", Integer),
    Column("diastolic_peak", Integer),
    Column("systolic_discharge", Integer),
    Column("diastolic_discharge", Integer),
    _flag("spike_absolute"),
    _flag("spike_rise"),
    Column("heart_rate_peak", Integer),
    Column("spo2_min", Integer),
    Column("moaas_min", Integer),
    Column("cadss6_peak", Integer),
    _flag("nothing_happened"),
    Column("event_count", Integer, nullable=False),
    Column("worst_grade", Integer, nullable=False),
    Column("worst_emergent_grade", Integer, nullable=False),
    _flag("serious", nullable=False),
    Column("reporter", LargeBinary),
    Column("entry_lag_minutes", Integer),
    _mac(),
    ForeignKeyConstraint(
        ["protocol_no", "protocol_version"], ["protocols.no", "protocols.version"]
    ),
    Index(
        "ix_sessions_by_day",
        "day",
        "protocol_no",
        "worst_grade",
        "worst_emergent_grade",
        "patient_no",
    ),
    Index(
        "ix_sessions_by_protocol",
        "protocol_no",
        "patient_no",
        "day",
        "worst_grade",
        "worst_emergent_grade",
    ),
    Index("ix_sessions_by_patient", "patient_no", "day"),
)

events = _table(
    "events",
    Column("session_no", Integer, ForeignKey("sessions.no"), primary_key=True, autoincrement=False),
    Column(
        "term_no", Integer, ForeignKey("term_numbers.no"), primary_key=True, autoincrement=False
    ),
    Column("day", Integer, nullable=False),
    Column("protocol_no", Integer, nullable=False),
    Column("protocol_version", Integer, nullable=False),
    Column("site_no", Integer, nullable=False),
    Column("patient_no", Integer, nullable=False),
    Column("grade", Integer, nullable=False),
    _flag("emergent", nullable=False),
    Column("scale", Text, nullable=False),
    Column("scale_version", Text, nullable=False),
    Column("criteria", Integer, nullable=False),
    Column("outcome", Text),
    Column("relatedness", Text),
    Column("elicitation", Text),
    Column("onset_minutes", Integer),
    Column("duration_minutes", Integer),
    _mac(),
    CheckConstraint("grade BETWEEN 1 AND 5", name="grade"),
    Index("ix_events_by_day", "day", "protocol_no", "term_no", "grade", "emergent", "patient_no"),
    Index(
        "ix_events_by_protocol",
        "protocol_no",
        "term_no",
        "patient_no",
        "day",
        "grade",
        "emergent",
    ),
    sqlite_with_rowid=False,  # its key is the row: one tree less to write
)

audit = _table(
    "audit",
    _number("seq"),
    Column("at", Text, nullable=False),
    Column("actor", Text, nullable=False),
    Column("role", Text, nullable=False),
    Column("action", Text, nullable=False),
    Column("kind", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("note", Text),
    Column("digest", LargeBinary),
    Column("previous", LargeBinary, nullable=False),
    Column("mac", LargeBinary, nullable=False),
    Index("ix_audit_by_object", "kind", "object", "seq"),
)

appointments = _table(
    "appointments",
    Column("id", LargeBinary, primary_key=True),
    Column("patient_no", Integer, ForeignKey("patients.no"), nullable=False),
    Column("site_no", Integer, ForeignKey("sites.no"), nullable=False),
    Column("protocol_no", Integer, nullable=False),
    Column("planned_at", Text, nullable=False),
    Column("day", Integer, nullable=False),
    Column("source", Text, nullable=False),
    _flag("cancelled", nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    _mac(),
    CheckConstraint("source IN ('entered','imported')", name="source"),
    UniqueConstraint("patient_no", "planned_at"),
    Index("ix_appointments_by_day", "day", "site_no"),
)

rems_forms = _table(
    "rems_forms",
    Column("report_id", LargeBinary, primary_key=True),
    Column("sent_at", Text, nullable=False),
    Column("sent_by", Text, nullable=False),
    _mac(),
)

reviews = _table(
    "reviews",
    Column("id", LargeBinary, primary_key=True),
    Column("report_id", LargeBinary, nullable=False),
    Column("version", Integer, nullable=False),
    Column("reviewed_at", Text, nullable=False),
    Column("reviewed_by", Text, nullable=False),
    Column("note", LargeBinary),
    _mac(),
    Index("ix_reviews_by_report", "report_id", "reviewed_at"),
)

notices = _table(
    "notices",
    Column("id", LargeBinary, primary_key=True),
    Column("kind", Text, nullable=False),
    Column("object", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    Column("seen_at", Text),
    Column("seen_by", Text),
    Column("mailed_at", Text),
    _mac(),
    CheckConstraint("kind IN ('serious','emergency-access')", name="kind"),
    CheckConstraint("(seen_at IS NULL) = (seen_by IS NULL)", name="seen"),
    Index("ix_notices_by_state", "seen_at", "created_at"),
)

emergency_access = _table(
    "emergency_access",
    Column("id", LargeBinary, primary_key=True),
    Column("actor", Text, nullable=False),
    Column("patient_no", Integer, ForeignKey("patients.no"), nullable=False),
    Column("began_at", Text, nullable=False),
    Column("ends_at", Text, nullable=False),
    Column("reason", LargeBinary, nullable=False),
    _mac(),
    Index("ix_emergency_access_by_actor", "actor", "ends_at"),
)

settings = _table(
    "settings",
    Column("name", Text, primary_key=True),
    Column("version", Integer, nullable=False),
    Column("content", Text, nullable=False),
    Column("created_at", Text, nullable=False),
    Column("created_by", Text, nullable=False),
    _mac(),
)

APPEND_ONLY = ("audit", "reports")
