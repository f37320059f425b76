"""The first tables, and the triggers that keep the record append-only."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None
branch_labels = None
depends_on = None

APPEND_ONLY = ("audit", "reports")


def upgrade() -> None:
    """Make every table; audit and reports refuse changes by trigger."""
    _create_tables()
    on_sqlite = op.get_bind().dialect.name == "sqlite"
    if not on_sqlite:
        op.execute(
            "CREATE FUNCTION afterdose_append_only() RETURNS trigger LANGUAGE plpgsql AS "
            "$$ BEGIN RAISE EXCEPTION 'append-only'; END $$"
        )
    for table in APPEND_ONLY:
        for change in ("UPDATE", "DELETE"):
            name = f"{table}_no_{change.lower()}"
            op.execute(
                _sqlite_trigger(name, change, table)
                if on_sqlite
                else _server_trigger(name, change, table)
            )


def _sqlite_trigger(name: str, change: str, table: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
        "BEGIN SELECT RAISE(ABORT, 'append-only'); END"
    )


def _server_trigger(name: str, change: str, table: str) -> str:
    return (
        f"CREATE TRIGGER {name} BEFORE {change} ON {table} "
        "FOR EACH ROW EXECUTE FUNCTION afterdose_append_only()"
    )


def _create_tables() -> None:
    op.create_table(
        "accounts",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("username", sa.Text(), nullable=False),
        sa.Column("display_name", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("password", sa.Text(), nullable=False),
        sa.Column("active", sa.Integer(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint(
            "role IN ('nurse','director','compliance','administrator')",
            name=op.f("ck_accounts_role"),
        ),
        sa.CheckConstraint("active IN (0, 1)", name=op.f("ck_accounts_active")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
        sqlite_strict=True,
    )
    op.create_table(
        "audit",
        sa.Column("seq", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("at", sa.Text(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("role", sa.Text(), nullable=False),
        sa.Column("action", sa.Text(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("note", sa.Text(), nullable=True),
        sa.Column("digest", sa.LargeBinary(), nullable=True),
        sa.Column("previous", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("seq", name=op.f("pk_audit")),
        sqlite_strict=True,
    )
    op.create_index("ix_audit_by_object", "audit", ["kind", "object", "seq"], unique=False)
    op.create_table(
        "clinic",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("demonstration", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("demonstration IN (0, 1)", name=op.f("ck_clinic_demonstration")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_clinic")),
        sqlite_strict=True,
    )
    op.create_table(
        "drafts",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("author", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("saved_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_drafts")),
        sqlite_strict=True,
    )
    op.create_index(op.f("ix_drafts_author"), "drafts", ["author"], unique=False)
    op.create_table(
        "official_wording",
        sa.Column("version", sa.Text(), nullable=False),
        sa.Column("term", sa.Text(), nullable=False),
        sa.Column("grade", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("wording", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("version", "term", "grade", name=op.f("pk_official_wording")),
        sqlite_strict=True,
    )
    op.create_table(
        "patients",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("mrn_index", sa.LargeBinary(), nullable=False),
        sa.Column("wrapped_key", sa.LargeBinary(), nullable=False),
        sa.Column("identity", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_patients")),
        sa.UniqueConstraint("id", name=op.f("uq_patients_id")),
        sa.UniqueConstraint("mrn_index", name=op.f("uq_patients_mrn_index")),
        sqlite_strict=True,
    )
    op.create_table(
        "protocols",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("retired", sa.Integer(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("retired IN (0, 1)", name=op.f("ck_protocols_retired")),
        sa.PrimaryKeyConstraint("no", "version", name=op.f("pk_protocols")),
        sa.UniqueConstraint("id", "version", name=op.f("uq_protocols_id_version")),
        sqlite_strict=True,
    )
    op.create_table(
        "sign_in_failures",
        sa.Column("who", sa.LargeBinary(), nullable=False),
        sa.Column("failures", sa.Integer(), nullable=False),
        sa.Column("last_at", sa.Text(), nullable=False),
        sa.PrimaryKeyConstraint("who", name=op.f("pk_sign_in_failures")),
        sqlite_strict=True,
    )
    op.create_table(
        "sites",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("folded", sa.Text(), nullable=False),
        sa.Column("timezone", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_sites")),
        sa.UniqueConstraint("folded", name=op.f("uq_sites_folded")),
        sqlite_strict=True,
    )
    op.create_table(
        "term_numbers",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("id", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_term_numbers")),
        sa.UniqueConstraint("id", name=op.f("uq_term_numbers_id")),
        sqlite_strict=True,
    )
    op.create_table(
        "reports",
        sa.Column("session_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("version", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("report_id", sa.LargeBinary(), nullable=False),
        sa.Column("patient_no", sa.Integer(), nullable=False),
        sa.Column("document", sa.LargeBinary(), nullable=False),
        sa.Column("content_mac", sa.LargeBinary(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_no"], ["patients.no"], name=op.f("fk_reports_patient_no")
        ),
        sa.PrimaryKeyConstraint("session_no", "version", name=op.f("pk_reports")),
        sa.UniqueConstraint("report_id", "version", name=op.f("uq_reports_report_id_version")),
        sqlite_strict=True,
    )
    op.create_table(
        "sessions",
        sa.Column("no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("report_id", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reference", sa.LargeBinary(), nullable=False),
        sa.Column("patient_no", sa.Integer(), nullable=False),
        sa.Column("site_no", sa.Integer(), nullable=False),
        sa.Column("protocol_no", sa.Integer(), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("route", sa.Text(), nullable=True),
        sa.Column("setting", sa.Text(), nullable=True),
        sa.Column("sex", sa.Text(), nullable=True),
        sa.Column("age_years", sa.Integer(), nullable=True),
        sa.Column("minutes", sa.Integer(), nullable=True),
        sa.Column("monitored_minutes", sa.Integer(), nullable=True),
        sa.Column(
            "dose_mg",
            sa.Float(precision=53).with_variant(sa.REAL(), "sqlite"),
            nullable=True,
        ),
        sa.Column(
            "dose_mg_per_kg",
            sa.Float(precision=53).with_variant(sa.REAL(), "sqlite"),
            nullable=True,
        ),
        sa.Column("systolic_before", sa.Integer(), nullable=True),
        sa.Column("diastolic_before", sa.Integer(), nullable=True),
        sa.Column("systolic_40", sa.Integer(), nullable=True),
        sa.Column("diastolic_40", sa.Integer(), nullable=True),
        sa.Column("systolic_peak", sa.Integer(), nullable=True),
        sa.Column("diastolic_peak", sa.Integer(), nullable=True),
        sa.Column("systolic_discharge", sa.Integer(), nullable=True),
        sa.Column("diastolic_discharge", sa.Integer(), nullable=True),
        sa.Column("spike_absolute", sa.Integer(), nullable=True),
        sa.Column("spike_rise", sa.Integer(), nullable=True),
        sa.Column("heart_rate_peak", sa.Integer(), nullable=True),
        sa.Column("spo2_min", sa.Integer(), nullable=True),
        sa.Column("moaas_min", sa.Integer(), nullable=True),
        sa.Column("cadss6_peak", sa.Integer(), nullable=True),
        sa.Column("nothing_happened", sa.Integer(), nullable=True),
        sa.Column("event_count", sa.Integer(), nullable=False),
        sa.Column("worst_grade", sa.Integer(), nullable=False),
        sa.Column("worst_emergent_grade", sa.Integer(), nullable=False),
        sa.Column("serious", sa.Integer(), nullable=False),
        sa.Column("reporter", sa.LargeBinary(), nullable=True),
        sa.Column("entry_lag_minutes", sa.Integer(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("nothing_happened IN (0, 1)", name=op.f("ck_sessions_nothing_happened")),
        sa.CheckConstraint("serious IN (0, 1)", name=op.f("ck_sessions_serious")),
        sa.CheckConstraint("spike_absolute IN (0, 1)", name=op.f("ck_sessions_spike_absolute")),
        sa.CheckConstraint("spike_rise IN (0, 1)", name=op.f("ck_sessions_spike_rise")),
        sa.ForeignKeyConstraint(
            ["patient_no"], ["patients.no"], name=op.f("fk_sessions_patient_no")
        ),
        sa.ForeignKeyConstraint(
            ["protocol_no", "protocol_version"],
            ["protocols.no", "protocols.version"],
            name=op.f("fk_sessions_protocol_no"),
        ),
        sa.ForeignKeyConstraint(["site_no"], ["sites.no"], name=op.f("fk_sessions_site_no")),
        sa.PrimaryKeyConstraint("no", name=op.f("pk_sessions")),
        sa.UniqueConstraint("reference", name=op.f("uq_sessions_reference")),
        sa.UniqueConstraint("report_id", name=op.f("uq_sessions_report_id")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_sessions_by_day",
        "sessions",
        ["day", "protocol_no", "worst_grade", "worst_emergent_grade", "patient_no"],
        unique=False,
    )
    op.create_index("ix_sessions_by_patient", "sessions", ["patient_no", "day"], unique=False)
    op.create_index(
        "ix_sessions_by_protocol",
        "sessions",
        ["protocol_no", "patient_no", "day", "worst_grade", "worst_emergent_grade"],
        unique=False,
    )
    op.create_table(
        "sign_ins",
        sa.Column("token", sa.LargeBinary(), nullable=False),
        sa.Column("account", sa.LargeBinary(), nullable=False),
        sa.Column("account_version", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=False),
        sa.Column("ended_at", sa.Text(), nullable=True),
        sa.Column("ended_by", sa.Text(), nullable=True),
        sa.CheckConstraint(
            "(ended_at IS NULL) = (ended_by IS NULL)", name=op.f("ck_sign_ins_ended")
        ),
        sa.ForeignKeyConstraint(["account"], ["accounts.id"], name=op.f("fk_sign_ins_account")),
        sa.PrimaryKeyConstraint("token", name=op.f("pk_sign_ins")),
        sqlite_strict=True,
    )
    op.create_table(
        "events",
        sa.Column("session_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("term_no", sa.Integer(), autoincrement=False, nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("protocol_no", sa.Integer(), nullable=False),
        sa.Column("protocol_version", sa.Integer(), nullable=False),
        sa.Column("site_no", sa.Integer(), nullable=False),
        sa.Column("patient_no", sa.Integer(), nullable=False),
        sa.Column("grade", sa.Integer(), nullable=False),
        sa.Column("emergent", sa.Integer(), nullable=False),
        sa.Column("scale", sa.Text(), nullable=False),
        sa.Column("scale_version", sa.Text(), nullable=False),
        sa.Column("criteria", sa.Integer(), nullable=False),
        sa.Column("outcome", sa.Text(), nullable=True),
        sa.Column("relatedness", sa.Text(), nullable=True),
        sa.Column("elicitation", sa.Text(), nullable=True),
        sa.Column("onset_minutes", sa.Integer(), nullable=True),
        sa.Column("duration_minutes", sa.Integer(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("emergent IN (0, 1)", name=op.f("ck_events_emergent")),
        sa.CheckConstraint("grade BETWEEN 1 AND 5", name=op.f("ck_events_grade")),
        sa.ForeignKeyConstraint(["session_no"], ["sessions.no"], name=op.f("fk_events_session_no")),
        sa.ForeignKeyConstraint(["term_no"], ["term_numbers.no"], name=op.f("fk_events_term_no")),
        sa.PrimaryKeyConstraint("session_no", "term_no", name=op.f("pk_events")),
        sqlite_with_rowid=False,
        sqlite_strict=True,
    )
    op.create_index(
        "ix_events_by_day",
        "events",
        ["day", "protocol_no", "term_no", "grade", "emergent", "patient_no"],
        unique=False,
    )
    op.create_index(
        "ix_events_by_protocol",
        "events",
        ["protocol_no", "term_no", "patient_no", "day", "grade", "emergent"],
        unique=False,
    )
