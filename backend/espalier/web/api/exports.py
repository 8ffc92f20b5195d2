"""Exports: tasks with what people answered, or with what a version or a run predicted, streamed as JSON or as CSV."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any, Literal

from flask import Response
from pydantic import Field

from ...exchange.answers_file import Rows, annotated, as_csv, as_json, predicted
from ...store.rows import Project
from .given import Given
from .routes import Query, Routes

_FILES = {
    "application/json": {"schema": {"type": "array", "items": {"type": "object"}}},
    "text/csv": {"schema": {"type": "string"}},
}
Format = Literal["json", "csv"]


class ExportAsked(Query):
    format: Format = Field("json", description="json: as Label Studio imports tasks; csv: a row per answer and range.")


class PredictionsAsked(ExportAsked):
    version: str | None = Field(
        None, max_length=200, description="A model version, or the version name of a run; what serves by default."
    )


def register(routes: Routes, given: Given) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/exports/predictions", _FILES, role="viewer", query=PredictionsAsked,
        refuses=(409,), id="exportPredictions",
    )  # fmt: skip
    def predictions(project: str, query: PredictionsAsked) -> Response:
        """Every task with what a version predicted for it. In CSV, frames are counted from 1, and are empty where an
        answer is about all of the task."""
        found = given.project(project)
        version = query.version or found.served or ""
        rows = predicted(given.records, found, version)
        return _streamed(given, found, rows, "predictions", query.format)

    @routes.endpoint(
        "GET", "/projects/<project>/exports/labels", _FILES, role="viewer", query=ExportAsked, refuses=(409,),
        id="exportLabels",
    )  # fmt: skip
    def labels(project: str, query: ExportAsked) -> Response:
        """Every task with what people answered, as it is known here."""
        found = given.project(project)
        return _streamed(given, found, annotated(given.records, found), "annotations", query.format)


def _streamed(given: Given, project: Project, rows: Rows, name: str, form: Format) -> Response:
    lines: Iterator[Any] = as_csv(given.ontology(project), rows) if form == "csv" else as_json(rows, name)
    response = Response(lines, mimetype="text/csv" if form == "csv" else "application/json")
    response.headers["Content-Disposition"] = f"attachment; filename=project-{project.id}-{name}.{form}"
    return response
