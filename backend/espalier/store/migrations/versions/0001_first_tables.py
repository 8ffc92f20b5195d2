"""The first tables.

Written by hand, and never changed again: a later change is another file. JSON is text, times are in UTC.
"""

import sqlalchemy as sa
from alembic import op

revision = "0001"
down_revision = None


def _of_project() -> sa.Column[str]:
    return sa.Column("project_key", sa.Text, sa.ForeignKey("projects.key", ondelete="CASCADE"), nullable=False)


def _whole(name: str, *, nullable: bool = False) -> sa.Column[int]:
    return sa.Column(name, sa.BigInteger, nullable=nullable)


def _words(name: str, *, nullable: bool = False) -> sa.Column[str]:
    return sa.Column(name, sa.Text, nullable=nullable)


def upgrade() -> None:
    op.create_table(
        "projects",
        _words("key"),
        _whole("id"),
        _words("title"),
        _words("label_config"),
        _words("hostname"),
        _words("access_token"),
        _words("extra_params"),
        _whole("revision"),
        _whole("trained_revision"),
        _words("served", nullable=True),
        _words("published", nullable=True),
        _whole("position"),
        sa.PrimaryKeyConstraint("key", name="pk_projects"),
    )
    op.create_table(
        "tasks",
        _of_project(),
        _whole("id"),
        _words("data"),
        _whole("position"),
        sa.PrimaryKeyConstraint("project_key", "id", name="pk_tasks"),
    )
    op.create_table(
        "annotations",
        _of_project(),
        _whole("id"),
        _whole("task_id"),
        _words("result"),
        sa.Column("was_cancelled", sa.Boolean, nullable=False),
        sa.Column("ground_truth", sa.Boolean, nullable=False),
        sa.Column("accepted", sa.Boolean, nullable=False),
        _whole("completed_by", nullable=True),
        sa.Column("updated_at", sa.DateTime(timezone=True)),
        _whole("position"),
        sa.PrimaryKeyConstraint("project_key", "id", name="pk_annotations"),
    )
    op.create_index("ix_annotations_project_key_task_id", "annotations", ["project_key", "task_id"])
    op.create_table(
        "gone",
        _of_project(),
        _words("kind"),
        _whole("id"),
        _whole("position"),
        sa.PrimaryKeyConstraint("project_key", "kind", "id", name="pk_gone"),
    )
    op.create_table(
        "versions",
        _of_project(),
        _words("name"),
        _words("state"),
        _words("directory"),
        _words("encoder"),
        _words("ontology_fingerprint"),
        _words("data_fingerprint"),
        _words("metrics"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        _words("message"),
        sa.PrimaryKeyConstraint("project_key", "name", name="pk_versions"),
    )
    op.create_table(
        "predictions",
        _of_project(),
        _words("version"),
        _whole("task_id"),
        _words("inputs"),
        _words("result"),
        sa.Column("score", sa.Double, nullable=False),
        _words("message"),
        sa.PrimaryKeyConstraint("project_key", "version", "task_id", name="pk_predictions"),
    )
    op.create_table(
        "runs",
        _words("id"),
        _of_project(),
        _words("parameters"),
        _words("state"),
        _whole("done"),
        _whole("total"),
        _words("counts"),
        _words("version"),
        _words("previous", nullable=True),
        _words("shown", nullable=True),
        _words("message"),
        sa.Column("created_at", sa.DateTime(timezone=True), nullable=False),
        sa.PrimaryKeyConstraint("id", name="pk_runs"),
    )
    op.create_index("ix_runs_project_key_created_at", "runs", ["project_key", "created_at"])
    op.create_table(
        "run_items",
        sa.Column("run_id", sa.Text, sa.ForeignKey("runs.id", ondelete="CASCADE"), nullable=False),
        _whole("task_id"),
        _words("state"),
        sa.PrimaryKeyConstraint("run_id", "task_id", name="pk_run_items"),
    )


def downgrade() -> None:
    for table in ("run_items", "runs", "predictions", "versions", "gone", "annotations", "tasks", "projects"):
        op.drop_table(table)
