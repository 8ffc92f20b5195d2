"""How many tasks people gave each option, counted from the mirror without opening any media."""

from __future__ import annotations

import threading
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from espalier_ontology.tree import Classification, Ontology, Path
from espalier_ontology.wire import RESULT_TYPES

from ...store.records import Records
from ...store.rows import Annotation, Project

_LASTS = 20.0
"""A count is used again for this many times as long as it took: counting takes a twentieth of a core at most."""

Key = tuple[str, Path]


@dataclass(frozen=True)
class AnswerCounts:
    """by_option: tasks with at least one such answer, by classification and path; a nested option counts for those
    above it, too. answered: tasks with an answer to anything of the ontology."""

    position: int
    tasks: int
    answered: int
    by_option: Mapping[Key, int]


class Counting:
    """Counts again only where the mirror has changed."""

    def __init__(self, records: Records) -> None:
        self._records = records
        self._lock = threading.Lock()
        self._counted: dict[str, tuple[AnswerCounts, Ontology, float]] = {}

    def of(self, project: Project, ontology: Ontology) -> AnswerCounts:
        with self._lock:  # one at a time: ten people who look at once need one count
            position, began = self._records.position(project.key), time.monotonic()
            held = self._counted.get(project.key)
            if held and held[1] is ontology and (held[0].position == position or began < held[2]):
                return held[0]
            tasks = self._records.task_count(project.key)
            counts = counted(ontology, self._records.annotations(project.key), position, tasks)
            took_s = time.monotonic() - began
            self._counted[project.key] = (counts, ontology, began + took_s * _LASTS)
            return counts


def counted(ontology: Ontology, annotations: Sequence[Annotation], position: int, tasks: int) -> AnswerCounts:
    holding: Counter[Key] = Counter()
    answered = 0
    by_task: dict[int, set[Key]] = {}
    for annotation in annotations:
        if not annotation.was_cancelled:
            by_task.setdefault(annotation.task_id, set()).update(_options(ontology, annotation.result))
    for found in by_task.values():
        holding.update(found)
        answered += bool(found)
    return AnswerCounts(position, tasks, answered, dict(holding))


def _options(ontology: Ontology, result: Sequence[Mapping[str, Any]]) -> Iterator[Key]:
    for entry in result:
        name = entry.get("from_name") if isinstance(entry, dict) else None
        value = entry.get("value") if isinstance(name, str) and name in ontology else None
        if not isinstance(value, dict):
            continue
        classification = ontology.classification(str(name))
        given = value.get(RESULT_TYPES[classification.control])
        for one in given if isinstance(given, list) else ():
            path = _path(classification, one)
            yield from ((str(name), path[: depth + 1]) for depth in range(len(path)))


def _path(classification: Classification, given: object) -> Path:
    names = [name for name in (given if isinstance(given, list) else [given]) if isinstance(name, str)]
    return classification.path_of(names) or () if names else ()
