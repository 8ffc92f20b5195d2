"""Errands about what comes from elsewhere, and what is taken away."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from ...exchange import exporting, importing
from ...exchange.given_files import GivenFiles
from ...exchange.importing import ImportRequest
from ...store.rows import Project
from ..house import House
from ..progress import Progress

Request = Mapping[str, Any]
Json = dict[str, Any]


def preview_import(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """What a file that was sent would give, counted, and every row of it that is not understood."""
    given, path = GivenFiles(house.settings.data_dir).find(project.key, str(request["file"]))
    return importing.preview(house, project, path, _asked(request, given.name), progress)


def plan_import(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """A bulk label that waits for its worker from now on, and its job; pictures are imported here, where asked for."""
    given, path = GivenFiles(house.settings.data_dir).find(project.key, str(request["file"]))
    run, told = importing.plan(house, project, path, _asked(request, given.name), progress)
    return {"run": run.id, "job": house.queues.request_run(run.id), "looked": told}


def export(house: House, project: Project, request: Request, progress: Progress) -> Json:
    """A ZIP file below the data directory, and what became of it."""
    return exporting.export_to_keep(house, project, request, progress)


def _asked(request: Request, name: str) -> ImportRequest:
    return ImportRequest.from_json({"name": name, **{key: told for key, told in request.items() if key != "file"}})
