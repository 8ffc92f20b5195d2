"""Alembic runs this file. The connection is handed in, already in its transaction and under its lock."""

from alembic import context

from espalier.store.tables import Base

context.configure(
    connection=context.config.attributes["connection"],
    target_metadata=Base.metadata,
    transactional_ddl=True,
)
with context.begin_transaction():
    context.run_migrations()
