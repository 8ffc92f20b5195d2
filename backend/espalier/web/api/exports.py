"""Exports: tasks with what people answered, or with what a version or a run predicted, streamed as JSON or as CSV."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any, Literal

import orjson
from flask import Response
from pydantic import Field

from espalier_ontology.tree import Ontology
from espalier_ontology.wire import RESULT_TYPES

from ...store.records import Records
from ...store.rows import Project
from .given import Given
from .routes import Query, Routes

_TASKS_AT_ONCE = 500
_COLUMNS = ("task", "classification", "option", "first", "last", "score", "by")
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
        rows = _predicted(given.records, found, version)
        return _streamed(given, found, rows, "predictions", query.format)

    @routes.endpoint(
        "GET", "/projects/<project>/exports/labels", _FILES, role="viewer", query=ExportAsked, refuses=(409,),
        id="exportLabels",
    )  # fmt: skip
    def labels(project: str, query: ExportAsked) -> Response:
        """Every task with what people answered, as it is known here."""
        found = given.project(project)
        return _streamed(given, found, _annotated(given.records, found), "annotations", query.format)


_Rows = Iterator[tuple[int, Mapping[str, Any], list[dict[str, Any]]]]
"""Task id, task data, and its predictions or annotations in Label Studio's form."""


def _predicted(records: Records, project: Project, version: str) -> _Rows:
    for some in _tasks(records, project):
        rows = records.predictions(project.key, version, some)
        for id, data in some.items():
            row = rows.get(id)
            told = [{"model_version": version, "score": row.score, "result": row.result}] if row and row.result else []
            yield id, data, told


def _annotated(records: Records, project: Project) -> _Rows:
    for some in _tasks(records, project):
        by_task: dict[int, list[dict[str, Any]]] = {}
        for one in records.annotations(project.key, list(some)):
            if not one.was_cancelled:
                told = {"id": one.id, "result": one.result, "ground_truth": one.ground_truth}
                by_task.setdefault(one.task_id, []).append({**told, "completed_by": one.completed_by})
        for id, data in some.items():
            yield id, data, by_task.get(id, [])


def _tasks(records: Records, project: Project) -> Iterator[dict[int, Mapping[str, Any]]]:
    known = records.tasks(project.key)
    for start in range(0, len(known), _TASKS_AT_ONCE):
        yield {task.id: task.data for task in known[start : start + _TASKS_AT_ONCE]}


def _streamed(given: Given, project: Project, rows: _Rows, name: str, form: Format) -> Response:
    lines: Iterator[Any] = _csv(given.ontology(project), rows) if form == "csv" else _json(rows, name)
    response = Response(lines, mimetype="text/csv" if form == "csv" else "application/json")
    response.headers["Content-Disposition"] = f"attachment; filename=project-{project.id}-{name}.{form}"
    return response


def _json(rows: _Rows, name: str) -> Iterator[bytes]:
    between = b"["
    for id, data, told in rows:
        yield between + orjson.dumps({"id": id, "data": data, name: told}) + b"\n"
        between = b","
    yield b"]" if between == b"," else b"[]"


def _csv(ontology: Ontology, rows: _Rows) -> Iterator[str]:
    yield _line(_COLUMNS)
    for id, _, told in rows:
        for one in told:
            by = str(one.get("model_version") or one.get("completed_by") or "")
            for region in one["result"]:
                for line in _answers(ontology, region):
                    yield _line((id, *line, _score(region, one), by))


def _answers(ontology: Ontology, region: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Classification, option, first and last frame of each answer of a region; nothing of what is no answer."""
    name, value = region.get("from_name"), region.get("value")
    if not isinstance(name, str) or name not in ontology or not isinstance(value, dict):
        return
    given = value.get(RESULT_TYPES[ontology.classification(name).control])
    ranges: Sequence[Any] = value.get("ranges") or [None]
    item = region.get("item_index")
    for option in given if isinstance(given, list) else ():
        path = " / ".join(map(str, option)) if isinstance(option, list) else str(option)
        for one in ranges:
            first, last = (one.get("start"), one.get("end")) if isinstance(one, dict) else ("", "")
            if isinstance(item, int):
                first = last = item + 1
            yield name, path, first, last


def _score(region: Mapping[str, Any], told: Mapping[str, Any]) -> Any:
    return region.get("score", told.get("score", ""))


def _line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([_safe(cell) for cell in cells])
    return text.getvalue()


def _safe(cell: Any) -> Any:
    """A text that a spreadsheet would take for a formula is marked as text."""
    return f"'{cell}" if isinstance(cell, str) and cell[:1] in ("=", "+", "-", "@", "\t", "\r") else cell
