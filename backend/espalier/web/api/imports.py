"""Imports: labels from a table or from pictures in directories, tried out before anything is written."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any, Literal

from flask import request
from pydantic import Field

from ...errors import BadRequest
from ...exchange.given_files import MOST_BYTES, GivenFiles
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .problem import Refused
from .routes import Asked, Query, Routes, Told


class NamedFile(Query):
    name: str = Field("", max_length=300, description="How the file is called, for people.")


class GivenShown(Told):
    """A file to be imported."""

    file: str = Field(description="Its name here, as an import takes it.")
    name: str
    size_bytes: int
    expires_at: datetime


class ImportAsked(Asked):
    """Which file, and what of it is given to whom."""

    file: str = Field(max_length=100, description="As the upload was answered.")
    as_: Literal["predictions", "annotations"] = Field("annotations", alias="as")
    columns: dict[str, str] = Field(
        {},
        description="By a column's name, or its number from 1: the classification that it is about, `*` where each "
        "value says that itself, or nothing to leave it out. What is not named is found out.",
    )
    classifications: list[str] = Field([], max_length=100, description="Which the directories name, from the outer on.")
    upload: bool = Field(False, description="Import pictures that no task shows into Label Studio.")
    with_parents: bool = Field(False, description="Also give the parents, where only one answer opens the attribute.")
    also_annotated: bool = Field(False, description="As annotations: also where a person has annotated the task.")
    by: str = Field("", max_length=300, description="Who gives the labels; the address of a user of Label Studio.")
    note: str = Field("", max_length=2000)


class NotUnderstood(Told):
    row: int | str = Field(description="From 1, as spreadsheets count; of pictures the path.")
    value: str
    why: str
    do: str


class ColumnShown(Told):
    name: str
    meaning: str = Field(description="Empty for a column that is left out.")


class Looked(Told):
    """What a file says, and every row of it that is not understood."""

    kind: Literal["table", "pictures"]
    rows: int = Field(description="Rows, or pictures, that say anything.")
    tasks: int = Field(description="Tasks that are meant.")
    labels: dict[str, int] = Field(description="Rows by what they say.")
    columns: list[ColumnShown]
    pictures: int
    missing: int = Field(description="Files that no task shows.")
    problems: list[NotUnderstood] = Field(description="The first 10000.")
    problem_count: int
    uploaded: int = Field(0, description="Pictures that were imported into Label Studio.")
    counts: dict[str, Any] | None = Field(None, description="What would be written; null where no task is meant.")


class ImportStarted(Told):
    """A bulk label that waits for its worker, its job, and what was understood."""

    run: str
    job: str
    looked: Looked


def register(routes: Routes, given: Given, asking: Asking) -> None:
    files = GivenFiles(given.settings.data_dir)

    @routes.endpoint(
        "POST", "/projects/<project>/imports/files", GivenShown, role="annotator", status=201, query=NamedFile,
        refuses=(400, 409, 413), id="uploadImport",
        sends={"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    )  # fmt: skip
    def send(project: str, query: NamedFile) -> tuple[GivenShown, int]:
        """A table, or a ZIP file of pictures in directories: the body is the file itself. It is kept for a day."""
        found = given.project(project)
        request.max_content_length = MOST_BYTES
        try:
            kept = files.keep(found.key, query.name or "file", request.stream.read)
        except BadRequest as error:
            raise Refused(400, str(error)) from error
        told = {"file": kept.file, "name": kept.name, "size_bytes": kept.size_bytes}
        expires_at = datetime.fromtimestamp(kept.expires_at, timezone.utc)
        return GivenShown.model_validate({**told, "expires_at": expires_at}), 201

    @routes.endpoint(
        "POST", "/projects/<project>/imports/preview", Looked, role="annotator", takes=ImportAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="previewImport",
    )  # fmt: skip
    def preview(project: str, body: ImportAsked, query: Wait) -> Any:
        """What an import would give, and what is not understood of it; nothing is written."""
        job = given.errand(given.project(project), "preview_import", _asked(body))
        return asking.answer(job, query.wait_s, Looked)

    @routes.endpoint(
        "POST", "/projects/<project>/imports", ImportStarted, role="annotator", status=201, takes=ImportAsked,
        query=Wait, also=ALSO_LATER, refuses=(409,), id="startImport",
    )  # fmt: skip
    def start(project: str, body: ImportAsked, query: Wait) -> Any:
        """Give what is understood. It is a run: it can be watched, cancelled, and undone. Pictures stay."""
        job = given.errand(given.project(project), "plan_import", _asked(body))
        return asking.answer(job, query.wait_s, ImportStarted, 201)


def _asked(body: ImportAsked) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, by_alias=True)
