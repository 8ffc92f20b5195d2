"""Predictions can be followed: what was kept since a position, without reading them all.

Never changed again: a later change is another file.
"""

import sqlalchemy as sa
from alembic import op

revision = "0005"
down_revision = "0004"


def upgrade() -> None:
    op.add_column("predictions", sa.Column("position", sa.BigInteger, nullable=False, server_default="0"))
    op.create_index(
        "ix_predictions_project_key_version_position", "predictions", ["project_key", "version", "position"]
    )


def downgrade() -> None:
    op.drop_index("ix_predictions_project_key_version_position", "predictions")
    op.drop_column("predictions", "position")
