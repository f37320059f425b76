"""The nurse's desk: plans, forms, reviews, notices, emergency access, settings, charge role."""

from __future__ import annotations

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"
branch_labels = None
depends_on = None

_ROLES = "role IN ('nurse','charge','director','compliance','administrator')"


def upgrade() -> None:
    """Make the tables of the desk and let accounts take the role of the charge nurse."""
    _widen_roles()
    _create_plans()
    _create_loop()
    _create_access()


def _widen_roles() -> None:
    name = op.f("ck_accounts_role")
    if op.get_bind().dialect.name != "sqlite":
        op.drop_constraint(name, "accounts", type_="check")
        op.create_check_constraint(name, "accounts", _ROLES)
        return
    # SQLite changes a check by a new table. Rows that point to this one wait until the commit.
    op.execute("PRAGMA defer_foreign_keys = ON")
    op.execute("CREATE TEMP TABLE kept_accounts AS SELECT * FROM accounts")
    op.execute("CREATE TEMP TABLE kept_sign_ins AS SELECT * FROM sign_ins")
    op.execute("DELETE FROM sign_ins")
    op.drop_table("accounts")
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
        sa.CheckConstraint(_ROLES, name=name),
        sa.CheckConstraint("active IN (0, 1)", name=op.f("ck_accounts_active")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_accounts")),
        sa.UniqueConstraint("username", name=op.f("uq_accounts_username")),
        sqlite_strict=True,
    )
    op.execute("INSERT INTO accounts SELECT * FROM kept_accounts")
    op.execute("INSERT INTO sign_ins SELECT * FROM kept_sign_ins")
    op.execute("DROP TABLE kept_accounts")
    op.execute("DROP TABLE kept_sign_ins")


def _create_plans() -> None:
    op.create_table(
        "appointments",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("patient_no", sa.Integer(), nullable=False),
        sa.Column("site_no", sa.Integer(), nullable=False),
        sa.Column("protocol_no", sa.Integer(), nullable=False),
        sa.Column("planned_at", sa.Text(), nullable=False),
        sa.Column("day", sa.Integer(), nullable=False),
        sa.Column("source", sa.Text(), nullable=False),
        sa.Column("cancelled", sa.Integer(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("source IN ('entered','imported')", name=op.f("ck_appointments_source")),
        sa.CheckConstraint("cancelled IN (0, 1)", name=op.f("ck_appointments_cancelled")),
        sa.ForeignKeyConstraint(
            ["patient_no"], ["patients.no"], name=op.f("fk_appointments_patient_no")
        ),
        sa.ForeignKeyConstraint(["site_no"], ["sites.no"], name=op.f("fk_appointments_site_no")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_appointments")),
        sa.UniqueConstraint(
            "patient_no", "planned_at", name=op.f("uq_appointments_patient_no_planned_at")
        ),
        sqlite_strict=True,
    )
    op.create_index("ix_appointments_by_day", "appointments", ["day", "site_no"], unique=False)
    op.create_table(
        "rems_forms",
        sa.Column("report_id", sa.LargeBinary(), nullable=False),
        sa.Column("sent_at", sa.Text(), nullable=False),
        sa.Column("sent_by", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("report_id", name=op.f("pk_rems_forms")),
        sqlite_strict=True,
    )


def _create_loop() -> None:
    op.create_table(
        "reviews",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("report_id", sa.LargeBinary(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("reviewed_at", sa.Text(), nullable=False),
        sa.Column("reviewed_by", sa.Text(), nullable=False),
        sa.Column("note", sa.LargeBinary(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_reviews")),
        sqlite_strict=True,
    )
    op.create_index("ix_reviews_by_report", "reviews", ["report_id", "reviewed_at"], unique=False)
    op.create_table(
        "notices",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("kind", sa.Text(), nullable=False),
        sa.Column("object", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("seen_at", sa.Text(), nullable=True),
        sa.Column("seen_by", sa.Text(), nullable=True),
        sa.Column("mailed_at", sa.Text(), nullable=True),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.CheckConstraint("kind IN ('serious','emergency-access')", name=op.f("ck_notices_kind")),
        sa.CheckConstraint("(seen_at IS NULL) = (seen_by IS NULL)", name=op.f("ck_notices_seen")),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_notices")),
        sqlite_strict=True,
    )
    op.create_index("ix_notices_by_state", "notices", ["seen_at", "created_at"], unique=False)


def _create_access() -> None:
    op.create_table(
        "emergency_access",
        sa.Column("id", sa.LargeBinary(), nullable=False),
        sa.Column("actor", sa.Text(), nullable=False),
        sa.Column("patient_no", sa.Integer(), nullable=False),
        sa.Column("began_at", sa.Text(), nullable=False),
        sa.Column("ends_at", sa.Text(), nullable=False),
        sa.Column("reason", sa.LargeBinary(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.ForeignKeyConstraint(
            ["patient_no"], ["patients.no"], name=op.f("fk_emergency_access_patient_no")
        ),
        sa.PrimaryKeyConstraint("id", name=op.f("pk_emergency_access")),
        sqlite_strict=True,
    )
    op.create_index(
        "ix_emergency_access_by_actor", "emergency_access", ["actor", "ends_at"], unique=False
    )
    op.create_table(
        "settings",
        sa.Column("name", sa.Text(), nullable=False),
        sa.Column("version", sa.Integer(), nullable=False),
        sa.Column("content", sa.Text(), nullable=False),
        sa.Column("created_at", sa.Text(), nullable=False),
        sa.Column("created_by", sa.Text(), nullable=False),
        sa.Column("mac", sa.LargeBinary(), nullable=False),
        sa.PrimaryKeyConstraint("name", name=op.f("pk_settings")),
        sqlite_strict=True,
    )
