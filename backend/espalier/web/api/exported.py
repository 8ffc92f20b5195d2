"""Exports that a worker makes: ZIP files of pictures, and offline bundles, kept for a day."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal
from uuid import uuid4

from flask import Response, request, send_file
from pydantic import Field

from ...errors import BadRequest
from ...exchange.exported_files import Exported, ExportedFiles
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .problem import Refused
from .routes import Asked, Routes, Told

_FILE = {"application/zip": {"schema": {"type": "string", "format": "binary"}}}


class ZipAsked(Asked):
    """What is made into a ZIP file."""

    what: Literal["folders", "judged", "bundle"] = Field(
        "folders",
        description="folders: pictures in directories named after options. judged: pictures in right/ and wrong/, with "
        "a table of truth and prediction. bundle: a model version that answers by itself.",
    )
    of: Literal["answers", "predictions"] = Field("answers", description="Whose answers name the directories.")
    version: str | None = Field(None, max_length=200, description="Whose predictions; null: what serves.")
    classifications: list[str] = Field([], max_length=100, description="In the order of the directories; all if empty.")
    stride: int | None = Field(None, ge=1, le=2**31, description="Every n-th frame of videos; null: one a second.")
    rest: bool = Field(False, description="Also pictures of which nothing is said.")
    int8: bool = Field(False, description="A bundle with an 8-bit network, too.")


class ExportShown(Told):
    """A file that was made."""

    id: str
    name: str
    kind: Literal["folders", "judged", "bundle"]
    size_bytes: int
    created_at: datetime
    expires_at: datetime
    told: dict[str, Any] = Field(description="What is in it, and what is not.")


class ExportList(Told):
    """The files that can be fetched, the newest first."""

    items: list[ExportShown]


def register(routes: Routes, given: Given, asking: Asking) -> None:
    files = ExportedFiles(given.settings.data_dir)

    @routes.endpoint(
        "POST", "/projects/<project>/exports", ExportShown, role="annotator", status=201, takes=ZipAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="makeExport",
    )  # fmt: skip
    def make(project: str, body: ZipAsked, query: Wait) -> Any:
        """Make a ZIP file. It takes as long as fetching the pictures does; then it can be fetched for a day."""
        asked = body.model_dump(exclude_unset=True) | {"id": uuid4().hex}
        name = "write_bundle" if asked.get("what") == "bundle" else "export"
        kept = ("id", "version", "int8") if name == "write_bundle" else [key for key in asked if key != "int8"]
        job = given.errand(given.project(project), name, {key: asked[key] for key in kept if key in asked})
        return asking.answer(job, query.wait_s, ExportShown, 201)

    @routes.endpoint("GET", "/projects/<project>/exports", ExportList, role="viewer", refuses=(409,), id="listExports")
    def listed(project: str) -> ExportList:
        """What was made and can be fetched."""
        return ExportList(items=[_shown(one) for one in files.of(given.project(project).key)])

    @routes.endpoint(
        "GET", "/projects/<project>/exports/<export>/file", _FILE, role="viewer", refuses=(409, 416),
        also={206: "The part that `Range` names."}, id="fetchExport",
    )  # fmt: skip
    def fetch(project: str, export: str) -> Response:
        """The file. `Range` is understood, so that a download that broke goes on where it was."""
        found = _find(given, files, project, export)
        path = files.path(found.id)
        if request.range is not None and request.range.range_for_length(found.size_bytes) is None:
            words = f"the export has {found.size_bytes} bytes; the part {request.range} is not in it"
            raise Refused(416, words, headers={"Content-Range": f"bytes */{found.size_bytes}"})
        try:
            return send_file(path, "application/zip", as_attachment=True, download_name=found.name, conditional=True)
        except FileNotFoundError as error:
            raise Refused(404, f"the export {found.id} has just expired: make it again") from error

    @routes.endpoint(
        "DELETE", "/projects/<project>/exports/<export>", ExportShown, role="annotator", refuses=(409,),
        id="removeExport",
    )  # fmt: skip
    def remove(project: str, export: str) -> ExportShown:
        """Remove a file before its time."""
        found = _find(given, files, project, export)
        files.remove(found.project, found.id)
        return _shown(found)


def _find(given: Given, files: ExportedFiles, project: str, export: str) -> Exported:
    try:
        return files.find(given.project(project).key, export)
    except BadRequest as error:
        raise Refused(404, str(error)) from error


def _shown(one: Exported) -> ExportShown:
    return ExportShown.model_validate(one.to_json())
