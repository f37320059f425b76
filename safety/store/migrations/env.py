"""Alembic environment: runs migrations on the connection that the opener hands in."""

from __future__ import annotations

from alembic import context

from safety.store import tables

connection = context.config.attributes["connection"]
context.configure(
    connection=connection,
    target_metadata=tables.metadata,
    transactional_ddl=True,
    transaction_per_migration=False,
)
with context.begin_transaction():
    context.run_migrations()
