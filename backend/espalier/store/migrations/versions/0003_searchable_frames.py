"""Frames that can be searched: which media there are, where tasks show them, and what a bulk label made.

Never changed again: a later change is another file. JSON is text, times are in UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0003"
down_revision = "0002"


def _of_project() -> sa.Column[str]:
    return sa.Column("project_key", sa.Text, sa.ForeignKey("projects.key", ondelete="CASCADE"), nullable=False)


def _whole(name: str) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False)


def _words(name: str, *, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=False, server_default=default)


def upgrade() -> None:
    op.add_column("projects", _words("classifications", default="{}"))
    op.add_column("gone", sa.Column("task_id", sa.BigInteger, nullable=True))
    op.add_column("run_items", _words("made", default="{}"))
    op.create_index("ix_annotations_project_key_position", "annotations", ["project_key", "position"])
    op.create_table(
        "media",
        _of_project(),
        _whole("number"),
        _words("digest"),
        _words("kind"),
        _whole("length"),
        sa.Column("duration_s", sa.Double, nullable=False, server_default="0"),
        sa.PrimaryKeyConstraint("project_key", "number", name="pk_media"),
    )
    op.create_index("ix_media_project_key_digest", "media", ["project_key", "digest"], unique=True)
    op.create_table(
        "showings",
        _of_project(),
        _whole("task_id"),
        _words("tag"),
        _whole("item"),
        _whole("media"),
        _whole("position"),
        sa.PrimaryKeyConstraint("project_key", "task_id", "tag", "item", name="pk_showings"),
    )
    for column in ("media", "position"):
        op.create_index(f"ix_showings_project_key_{column}", "showings", ["project_key", column])


def downgrade() -> None:
    op.drop_table("showings")
    op.drop_table("media")
    op.drop_index("ix_annotations_project_key_position", "annotations")
    for table, column in (("run_items", "made"), ("gone", "task_id"), ("projects", "classifications")):
        op.drop_column(table, column)
