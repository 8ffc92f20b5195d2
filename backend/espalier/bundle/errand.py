"""The errand that writes a bundle for somebody who asks through the REST API. The table of errands names it."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ..exchange.exported_files import ExportedFiles
from ..jobs.house import House
from ..jobs.progress import Progress
from ..store.rows import Project
from .writing import write


def write_bundle(house: House, project: Project, request: Mapping[str, Any], progress: Progress) -> dict[str, Any]:
    """A ZIP file below the data directory, as `espalier bundle PROJECT --to` writes it."""
    files = ExportedFiles(house.settings.data_dir)
    version = house.version(project, request.get("version"))
    steps = 0

    def step(what: str) -> None:
        nonlocal steps
        steps += 1
        progress.report(steps, 0, what)

    with files.draft(project.key, str(request["id"]), f"{version.name}.zip", "bundle") as draft:
        manifest = write(house, project, version, draft.path, int8=bool(request.get("int8")), progress=step)
        draft.told = {"notes": [] if manifest.measured else ["nothing was measured: none of its frames can be read"]}
    return files.find(project.key, str(request["id"])).to_json()
