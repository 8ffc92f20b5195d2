"""Versions that are judged: what they were trained on and why they serve, label mappings, and answers to look at again.

Never changed again: a later change is another file. JSON is text, times are in UTC.
"""

from datetime import datetime

import sqlalchemy as sa
from alembic import op

revision = "0002"
down_revision = "0001"


def _of_project() -> sa.Column[str]:
    return sa.Column("project_key", sa.Text, sa.ForeignKey("projects.key", ondelete="CASCADE"), nullable=False)


def _words(name: str, *, nullable: bool = False, default: str | None = None) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable, server_default=default)


def _whole(name: str, *, default: str | None = None) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=False, server_default=default)


def _moment(name: str, *, nullable: bool = False) -> sa.Column[datetime]:
    return sa.Column(name, sa.DateTime(timezone=True), nullable=nullable)


def upgrade() -> None:
    for column in ("training", "cutoffs"):
        op.add_column("projects", _words(column, default="{}"))
    for column in ("parameters", "trained_on", "gate", "cutoffs"):
        op.add_column("versions", _words(column, default="{}"))
    op.add_column("versions", _whole("size_bytes", default="0"))
    op.add_column("versions", _words("parent", nullable=True))
    op.add_column("runs", _words("kind", default="labeling"))
    op.add_column("annotations", sa.Column("confirmed", sa.Boolean, nullable=False, server_default=sa.false()))
    _tell_confirmed_from_accepted()
    op.create_table(
        "promotions",
        _of_project(),
        _whole("number"),
        _words("version"),
        _words("previous", nullable=True),
        _moment("at"),
        _words("by"),
        _words("reason"),
        sa.PrimaryKeyConstraint("project_key", "number", name="pk_promotions"),
    )
    _remember_what_served()
    op.create_table(
        "label_mappings",
        _words("id"),
        _of_project(),
        _words("kind"),
        _words("classification"),
        _words("old"),
        _words("new"),
        _words("from_version", nullable=True),
        _moment("created_at"),
        _moment("undone_at", nullable=True),
        sa.PrimaryKeyConstraint("id", name="pk_label_mappings"),
    )
    op.create_index("ix_label_mappings_project_key_created_at", "label_mappings", ["project_key", "created_at"])
    op.create_table(
        "revisits",
        _of_project(),
        _whole("task_id"),
        _whole("annotation_id"),
        _words("classification"),
        _words("option"),
        _words("mapping_id"),
        _words("reason"),
        _moment("created_at"),
        _words("state"),
        sa.PrimaryKeyConstraint(
            "project_key", "task_id", "annotation_id", "classification", "option", "mapping_id", name="pk_revisits"
        ),
    )


def _tell_confirmed_from_accepted() -> None:
    """Until now `accepted` meant both; only what a person submitted in the editor has regions with an origin."""
    annotations = sa.table(
        "annotations", sa.column("accepted", sa.Boolean), sa.column("confirmed", sa.Boolean), sa.column("result")
    )
    submitted = annotations.c.accepted & annotations.c.result.like('%"origin":"prediction"%')
    op.execute(annotations.update().where(submitted).values(accepted=False, confirmed=True))


def _remember_what_served() -> None:
    """Until now every version served as soon as it was trained, until the next one was."""
    op.execute(
        """
        INSERT INTO promotions (project_key, number, version, previous, at, by, reason)
        SELECT project_key,
               row_number() OVER (PARTITION BY project_key ORDER BY created_at, name),
               name,
               lag(name) OVER (PARTITION BY project_key ORDER BY created_at, name),
               created_at, 'gate', 'trained last'
        FROM versions WHERE state IN ('archived', 'promoted')
        """
    )


def downgrade() -> None:
    for table in ("revisits", "label_mappings", "promotions"):
        op.drop_table(table)
    annotations = sa.table("annotations", sa.column("accepted", sa.Boolean), sa.column("confirmed", sa.Boolean))
    op.execute(annotations.update().where(annotations.c.confirmed).values(accepted=True))
    for table, columns in (
        ("annotations", ("confirmed",)),
        ("runs", ("kind",)),
        ("versions", ("parent", "size_bytes", "cutoffs", "gate", "trained_on", "parameters")),
        ("projects", ("cutoffs", "training")),
    ):
        for column in columns:
            op.drop_column(table, column)
