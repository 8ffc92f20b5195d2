"""The tables. The same on SQLite and PostgreSQL; migrations/ makes them, and a test compares the two."""

from __future__ import annotations

from datetime import datetime
from typing import Any, ClassVar

from sqlalchemy import BigInteger, Double, ForeignKey, Index, MetaData, Text
from sqlalchemy.orm import DeclarativeBase, Mapped, mapped_column

from .columns import JsonText, PathsText, PathText, UtcTime


class Base(DeclarativeBase):
    metadata = MetaData(
        naming_convention={
            "ix": "ix_%(table_name)s_%(column_0_N_name)s",
            "pk": "pk_%(table_name)s",
            "fk": "fk_%(table_name)s_%(column_0_N_name)s",
        }
    )
    type_annotation_map: ClassVar[dict[Any, Any]] = {
        str: Text(),
        int: BigInteger(),
        float: Double(),
        datetime: UtcTime(),
        dict[str, Any]: JsonText(),
        list[dict[str, Any]]: JsonText(),
        tuple[str, ...]: PathText(),
        tuple[tuple[str, ...], ...]: PathsText(),
    }


def _project_key() -> Mapped[str]:
    return mapped_column(ForeignKey("projects.key", ondelete="CASCADE"), primary_key=True)


class ProjectTable(Base):
    __tablename__ = "projects"

    key: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int]
    title: Mapped[str]
    label_config: Mapped[str]
    hostname: Mapped[str]
    access_token: Mapped[str]
    extra_params: Mapped[dict[str, Any]]
    revision: Mapped[int]
    trained_revision: Mapped[int]
    served: Mapped[str | None]
    published: Mapped[str | None]
    training: Mapped[dict[str, Any]]
    cutoffs: Mapped[dict[str, Any]]
    classifications: Mapped[dict[str, Any]]
    position: Mapped[int]
    """Counts every change of the mirror, so that a reconcile can tell what arrived after it began to read; and every
    time that predictions were kept."""


class TaskTable(Base):
    __tablename__ = "tasks"

    project_key: Mapped[str] = _project_key()
    id: Mapped[int] = mapped_column(primary_key=True)
    data: Mapped[dict[str, Any]]
    position: Mapped[int]


class AnnotationTable(Base):
    __tablename__ = "annotations"
    # Not a foreign key: an annotation's event may arrive before its task's.
    __table_args__ = (Index(None, "project_key", "task_id"), Index(None, "project_key", "position"))

    project_key: Mapped[str] = _project_key()
    id: Mapped[int] = mapped_column(primary_key=True)
    task_id: Mapped[int]
    result: Mapped[list[dict[str, Any]]]
    was_cancelled: Mapped[bool]
    ground_truth: Mapped[bool]
    accepted: Mapped[bool]
    confirmed: Mapped[bool]
    completed_by: Mapped[int | None]
    updated_at: Mapped[datetime | None]
    position: Mapped[int]


class GoneTable(Base):
    """What Label Studio deleted, so that a late event does not bring it back. Its ids are never used again."""

    __tablename__ = "gone"

    project_key: Mapped[str] = _project_key()
    kind: Mapped[str] = mapped_column(primary_key=True)
    id: Mapped[int] = mapped_column(primary_key=True)
    position: Mapped[int]
    task_id: Mapped[int | None]
    """Of an annotation, where it is known."""


class VersionTable(Base):
    __tablename__ = "versions"

    project_key: Mapped[str] = _project_key()
    name: Mapped[str] = mapped_column(primary_key=True)
    state: Mapped[str]
    directory: Mapped[str]
    encoder: Mapped[dict[str, Any]]
    ontology_fingerprint: Mapped[str]
    data_fingerprint: Mapped[str]
    metrics: Mapped[dict[str, Any]]
    created_at: Mapped[datetime]
    message: Mapped[str]
    parameters: Mapped[dict[str, Any]]
    trained_on: Mapped[dict[str, Any]]
    size_bytes: Mapped[int]
    parent: Mapped[str | None]
    gate: Mapped[dict[str, Any]]
    cutoffs: Mapped[dict[str, Any]]


class PromotionTable(Base):
    __tablename__ = "promotions"

    project_key: Mapped[str] = _project_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    version: Mapped[str]
    previous: Mapped[str | None]
    at: Mapped[datetime]
    by: Mapped[str]
    reason: Mapped[str]


class PredictionTable(Base):
    __tablename__ = "predictions"
    __table_args__ = (Index(None, "project_key", "version", "position"),)

    project_key: Mapped[str] = _project_key()
    version: Mapped[str] = mapped_column(primary_key=True)
    task_id: Mapped[int] = mapped_column(primary_key=True)
    inputs: Mapped[str]
    result: Mapped[list[dict[str, Any]]]
    score: Mapped[float]
    message: Mapped[str]
    position: Mapped[int]
    """The project's when it was kept, so that who follows predictions reads only what is new."""


class RunTable(Base):
    __tablename__ = "runs"
    __table_args__ = (Index(None, "project_key", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_key: Mapped[str] = mapped_column(ForeignKey("projects.key", ondelete="CASCADE"))
    parameters: Mapped[dict[str, Any]]
    state: Mapped[str]
    done: Mapped[int]
    total: Mapped[int]
    counts: Mapped[dict[str, Any]]
    version: Mapped[str]
    previous: Mapped[str | None]
    shown: Mapped[str | None]
    message: Mapped[str]
    created_at: Mapped[datetime]
    kind: Mapped[str]


class RunItemTable(Base):
    __tablename__ = "run_items"

    run_id: Mapped[str] = mapped_column(ForeignKey("runs.id", ondelete="CASCADE"), primary_key=True)
    task_id: Mapped[int] = mapped_column(primary_key=True)
    state: Mapped[str]
    made: Mapped[dict[str, Any]]
    """Of a bulk label: what it made in Label Studio, so that undo deletes that and nothing else."""


class MediaTable(Base):
    """What is embedded: an image, one item of a sequence, or a video. Its number is the upper part of frame ids."""

    __tablename__ = "media"
    __table_args__ = (Index(None, "project_key", "digest", unique=True),)

    project_key: Mapped[str] = _project_key()
    number: Mapped[int] = mapped_column(primary_key=True)
    digest: Mapped[str]
    kind: Mapped[str]
    length: Mapped[int]
    duration_s: Mapped[float]


class ShowingTable(Base):
    """Which task shows which media; of a sequence, one row per item."""

    __tablename__ = "showings"
    __table_args__ = (Index(None, "project_key", "media"), Index(None, "project_key", "position"))

    project_key: Mapped[str] = _project_key()
    task_id: Mapped[int] = mapped_column(primary_key=True)
    tag: Mapped[str] = mapped_column(primary_key=True)
    item: Mapped[int] = mapped_column(primary_key=True)
    media: Mapped[int]
    """-1 in the only row of a task that shows nothing any more, so that the others hear of it."""
    position: Mapped[int]
    """Counts the changes of the project's showings; all rows of a task have the same."""


class LabelMappingTable(Base):
    __tablename__ = "label_mappings"
    __table_args__ = (Index(None, "project_key", "created_at"),)

    id: Mapped[str] = mapped_column(primary_key=True)
    project_key: Mapped[str] = mapped_column(ForeignKey("projects.key", ondelete="CASCADE"))
    kind: Mapped[str]
    classification: Mapped[str]
    old: Mapped[tuple[str, ...]]
    new: Mapped[tuple[tuple[str, ...], ...]]
    from_version: Mapped[str | None]
    created_at: Mapped[datetime]
    undone_at: Mapped[datetime | None]


class RevisitTable(Base):
    __tablename__ = "revisits"

    project_key: Mapped[str] = _project_key()
    task_id: Mapped[int] = mapped_column(primary_key=True)
    annotation_id: Mapped[int] = mapped_column(primary_key=True)
    classification: Mapped[str] = mapped_column(primary_key=True)
    option: Mapped[tuple[str, ...]] = mapped_column(primary_key=True)
    mapping_id: Mapped[str] = mapped_column(primary_key=True)
    reason: Mapped[str]
    created_at: Mapped[datetime]
    state: Mapped[str]
