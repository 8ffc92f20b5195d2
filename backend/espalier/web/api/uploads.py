"""Uploads: pictures to search with. They lie below the data directory for an hour, and belong to no project.

They are not decoded here; the search worker, which does, looks at their size in pixels before.
"""

from __future__ import annotations

import time
from datetime import datetime, timedelta, timezone
from pathlib import Path
from uuid import uuid4

from flask import request
from pydantic import Field

from ...media.sniff import HEAD_BYTES, describe
from .given import Given
from .problem import Refused
from .routes import Routes, Told

MOST_BYTES = 20_000_000
MOST_FILES = 500
"""Kept at a time; the oldest go first."""
KEPT = timedelta(hours=1)
_MARK = "up-"


class Uploaded(Told):
    """A picture that can be searched with."""

    picture: str = Field(description="Its name, as a query takes it.")
    size_bytes: int
    expires_at: datetime


def register(routes: Routes, given: Given) -> None:
    directory = given.settings.data_dir / "uploads"

    @routes.endpoint(
        "POST", "/projects/<project>/uploads", Uploaded, role="viewer", status=201, refuses=(400, 409, 413, 415, 422),
        id="uploadPicture", sends={"image/*": {"schema": {"type": "string", "format": "binary"}}},
    )  # fmt: skip
    def upload(project: str) -> tuple[Uploaded, int]:
        """A picture to search with: the body is the file itself. JPEG, PNG, WebP and what else Label Studio shows."""
        given.project(project)
        if not (request.mimetype.startswith("image/") or request.mimetype == "application/octet-stream"):
            raise Refused(415, f"an upload is a picture (Content-Type image/...), got {request.mimetype or 'no type'}")
        request.max_content_length = MOST_BYTES
        data = request.get_data(cache=False)
        if not data:
            raise Refused(400, "the upload is empty: its body must be the picture's file")
        what = describe(data[:HEAD_BYTES])
        if what is None or not what.endswith("picture"):
            raise Refused(
                422, f"the upload is {what or 'no picture that is known here'}: send a JPEG, PNG or WebP picture"
            )
        directory.mkdir(parents=True, exist_ok=True)
        _sweep(directory)
        path = directory / f"{_MARK}{uuid4().hex}"
        draft = path.with_name(f".{path.name}")
        draft.write_bytes(data)
        draft.replace(path)
        expires_at = datetime.now(timezone.utc) + KEPT
        return Uploaded(picture=path.name, size_bytes=len(data), expires_at=expires_at), 201


def _sweep(directory: Path) -> None:
    """What expired, and the oldest of too many. Only what was uploaded here: commands put theirs beside."""
    held = sorted((path.stat().st_mtime, path) for path in directory.glob(f"{_MARK}*"))
    old = time.time() - KEPT.total_seconds()
    for place, (written_at, path) in enumerate(held):
        if written_at < old or place < len(held) - MOST_FILES + 1:
            path.unlink(missing_ok=True)
