"""Alembic's migrations; `database.open_engine` runs them."""
