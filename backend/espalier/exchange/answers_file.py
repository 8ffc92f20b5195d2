"""Tasks with what people answered, or with what a version or a run predicted: as JSON, or a row for each answer."""

from __future__ import annotations

import csv
import io
from collections.abc import Iterator, Mapping, Sequence
from typing import Any

import orjson

from espalier_ontology.tree import Ontology
from espalier_ontology.wire import RESULT_TYPES

from ..errors import BadMedia
from ..media.field import address_of, addresses_of
from ..store.records import Records
from ..store.rows import Project
from .cells import option_text, safe
from .file_names import parts_of

_TASKS_AT_ONCE = 500
_COLUMNS = ("task", "classification", "option", "first", "last", "score", "by", "file")

Rows = Iterator[tuple[int, Mapping[str, Any], list[dict[str, Any]]]]
"""Task id, task data, and its predictions or annotations in Label Studio's form."""


def predicted(records: Records, project: Project, version: str) -> Rows:
    for some in _tasks(records, project):
        rows = records.predictions(project.key, version, some)
        for id, data in some.items():
            row = rows.get(id)
            told = [{"model_version": version, "score": row.score, "result": row.result}] if row and row.result else []
            yield id, data, told


def annotated(records: Records, project: Project) -> Rows:
    for some in _tasks(records, project):
        by_task: dict[int, list[dict[str, Any]]] = {}
        for one in records.annotations(project.key, list(some)):
            if not one.was_cancelled:
                told = {"id": one.id, "result": one.result, "ground_truth": one.ground_truth}
                by_task.setdefault(one.task_id, []).append({**told, "completed_by": one.completed_by})
        for id, data in some.items():
            yield id, data, by_task.get(id, [])


def as_json(rows: Rows, name: str) -> Iterator[bytes]:
    """name: what the tasks' answers are called, as Label Studio imports them: annotations or predictions."""
    between = b"["
    for id, data, told in rows:
        yield between + orjson.dumps({"id": id, "data": data, name: told}) + b"\n"
        between = b","
    yield b"]" if between == b"," else b"[]"


def as_csv(ontology: Ontology, rows: Rows) -> Iterator[str]:
    """A table that an import reads again. file: of the media that the answer is about, by its name."""
    yield _line(_COLUMNS)
    for id, data, told in rows:
        for one in told:
            by = str(one.get("model_version") or one.get("completed_by") or "")
            for region in one["result"]:
                for answer in _answers(ontology, region):
                    score = region.get("score", one.get("score", ""))
                    yield _line((id, *answer, score, by, _file(ontology, data, answer)))


def _file(ontology: Ontology, data: Mapping[str, Any], answer: tuple[Any, ...]) -> str:
    """Its name; of a sequence that of the item."""
    tag = ontology.media_of(ontology.classification(answer[0]))
    try:
        if tag.kind == "sequence":
            item = answer[2]
            address = addresses_of(tag, data)[item - 1] if isinstance(item, int) else None
        else:
            address = address_of(tag, data)
    except (BadMedia, IndexError):
        return ""
    return "/".join(parts_of(address)) if address else ""


def _answers(ontology: Ontology, region: Mapping[str, Any]) -> Iterator[tuple[Any, ...]]:
    """Classification, option, first and last frame of each answer of a region; nothing of what is no answer."""
    name, value = region.get("from_name"), region.get("value")
    if not isinstance(name, str) or name not in ontology or not isinstance(value, dict):
        return
    given = value.get(RESULT_TYPES[ontology.classification(name).control])
    ranges: Sequence[Any] = value.get("ranges") or [None]
    item = region.get("item_index")
    for option in given if isinstance(given, list) else ():
        path = option_text([str(part) for part in (option if isinstance(option, list) else [option])])
        for one in ranges:
            first, last = (one.get("start"), one.get("end")) if isinstance(one, dict) else ("", "")
            if isinstance(item, int):
                first = last = item + 1
            yield name, path, first, last


def _tasks(records: Records, project: Project) -> Iterator[dict[int, Mapping[str, Any]]]:
    known = records.tasks(project.key)
    for start in range(0, len(known), _TASKS_AT_ONCE):
        yield {task.id: task.data for task in known[start : start + _TASKS_AT_ONCE]}


def _line(cells: Sequence[Any]) -> str:
    text = io.StringIO()
    csv.writer(text).writerow([safe(cell) for cell in cells])
    return text.getvalue()
