"""Pictures and videos into Label Studio, as somebody would drop them into its import dialog."""

from __future__ import annotations

from collections.abc import Mapping

from ..errors import LabelStudioDown
from .transport import Transport

SUFFIXES = frozenset({".bmp", ".gif", ".jpg", ".jpeg", ".png", ".svg", ".webp", ".mp4", ".webm"})
"""Files that Label Studio takes and shows as a picture or video."""
MOST_FILES = 20
MOST_BYTES = 32_000_000
"""In one request, so that neither side holds much. A single larger file goes alone."""
_READ_S = 600.0


class Uploads:
    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def put(self, project_id: int, files: Mapping[str, bytes]) -> list[int]:
        """Make a task of each file, by its name; the tasks' ids. Which is whose, their data says.

        Raises LabelStudioRefused and LabelStudioDown; after the latter some of the files may have arrived.
        """
        answer = self._transport.json(
            "POST",
            f"/api/projects/{project_id}/import",
            query={"return_task_ids": "true", "commit_to_project": "true"},
            files=files,
            read_s=_READ_S,
            doing=f"import {len(files)} files into project {project_id}",
        )
        ids = answer.get("task_ids") if isinstance(answer, dict) else None
        if not isinstance(ids, list):
            raise LabelStudioDown(f"{self._transport.url} imported files, and did not say as which tasks")
        return [int(id) for id in ids]
