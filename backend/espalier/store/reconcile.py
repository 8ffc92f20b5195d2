"""The mirror replaced by the truth, as Label Studio's API gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from ..errors import BadRequest
from .mirror import ANNOTATION, TASK, Mirror, answers_in, is_answer
from .rows import Annotation, Task
from .tables import AnnotationTable, GoneTable, ProjectTable, TaskTable
from .wire_rows import annotation_row, newest, task_row


@dataclass(frozen=True)
class Difference:
    """What must be written so that the mirror says what the API said."""

    tasks: list[Task]
    annotations: list[Annotation]
    lost_tasks: list[int]
    lost_annotations: list[int]
    back: list[tuple[str, int]]
    """(kind, id) of what an event called deleted, and what is there nevertheless."""
    matters: bool

    def __bool__(self) -> bool:
        return any((self.tasks, self.annotations, self.lost_tasks, self.lost_annotations, self.back))


class Reconciling(Mirror):
    def position(self, key: str) -> int:
        """Where the mirror stands; ask before reading the API, and hand it to `reconcile` with what was read."""
        query = select(ProjectTable.position).where(ProjectTable.key == key)
        return self.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0

    def reconcile(self, key: str, tasks: Iterable[Mapping[str, Any]], *, since: int | None = None) -> bool:
        """Replaces the project's tasks and annotations by `tasks`, all of them, each with its `annotations`.

        One transaction. With `since` (from `position`), what an event changed after that is newer than what was read,
        and stays. True (and a bump) if the answers to train on are others than before.
        """
        objects = list(tasks)
        true_tasks = {row.id: row for row in (task_row(key, task) for task in objects)}
        found = (annotation_row(key, one, task["id"]) for task in objects for one in _annotations_in(task))
        true_annotations = newest(found)

        def compare(connection: Connection) -> Difference:
            return _compare(connection, key, true_tasks, true_annotations, since)

        # The comparison is the slow part: made before the writer's lock is taken, and again only if somebody wrote.
        standing = self.position(key)
        difference = self.read(compare)

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            moved = connection.execute(
                select(ProjectTable.position).where(ProjectTable.key == key, ProjectTable.position != standing)
            ).first()
            found = compare(connection) if moved else difference
            if not found:
                return False
            at = {"position": self._advance(connection, key)}
            self._delete(connection, key, TaskTable.id, found.lost_tasks)
            self._delete(connection, key, AnnotationTable.id, found.lost_annotations)
            self.upsert(connection, TaskTable, [vars(task) | at for task in found.tasks])
            self.upsert(connection, AnnotationTable, [vars(annotation) | at for annotation in found.annotations])
            for kind in ("task", "annotation"):
                ids = [id for of_kind, id in found.back if of_kind == kind]
                self._delete(connection, key, GoneTable.id, ids, GoneTable.kind == kind)
            return self._bump_if(connection, key, found.matters)

        return self.write(work)


def _compare(
    connection: Connection,
    key: str,
    tasks: Mapping[int, Task],
    annotations: Mapping[int, Annotation],
    since: int | None,
) -> Difference:
    newer: set[tuple[str, int]] = set()  # what an event changed after the reading began
    deleted_since: set[int] = set()  # tasks
    gone: list[tuple[str, int]] = []
    held_tasks: dict[int, Task] = {}
    held_annotations: dict[int, Annotation] = {}

    def is_newer(position: int) -> bool:
        return since is not None and position > since

    for *values, position in connection.execute(
        select(*TASK, TaskTable.position).where(TaskTable.project_key == key),
    ):
        task = Task(*values)
        held_tasks[task.id] = task
        if is_newer(position):
            newer.add(("task", task.id))
    for *values, position in connection.execute(
        select(*ANNOTATION, AnnotationTable.position).where(AnnotationTable.project_key == key)
    ):
        annotation = Annotation(*values)
        held_annotations[annotation.id] = annotation
        if is_newer(position):
            newer.add(("annotation", annotation.id))
    for kind, id, position in connection.execute(
        select(GoneTable.kind, GoneTable.id, GoneTable.position).where(GoneTable.project_key == key)
    ):
        if not is_newer(position):
            gone.append((kind, id))
            continue
        newer.add((kind, id))
        if kind == "task":
            deleted_since.add(id)

    new_tasks = [t for t in tasks.values() if ("task", t.id) not in newer and t != held_tasks.get(t.id)]
    new_annotations = [
        a
        for a in annotations.values()
        if ("annotation", a.id) not in newer and a.task_id not in deleted_since and a != held_annotations.get(a.id)
    ]
    lost_tasks = [id for id in held_tasks if id not in tasks and ("task", id) not in newer]
    lost_annotations = [id for id in held_annotations if id not in annotations and ("annotation", id) not in newer]
    present = {"task": tasks.keys(), "annotation": annotations.keys()}
    answered = {a.task_id for a in annotations.values() if is_answer(a)}
    return Difference(
        tasks=new_tasks,
        annotations=new_annotations,
        lost_tasks=lost_tasks,
        lost_annotations=lost_annotations,
        back=[(kind, id) for kind, id in gone if id in present[kind]],
        matters=any(answers_in(a) != answers_in(held_annotations.get(a.id)) for a in new_annotations)
        or any(is_answer(held_annotations[id]) for id in lost_annotations)
        or any(task.id in answered for task in new_tasks),
    )


def _annotations_in(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    annotations = task.get("annotations")
    if not isinstance(annotations, list):
        raise BadRequest(
            f"task {task.get('id')} came without its annotations, so the mirror was left as it is; "
            f"ask Label Studio for /api/tasks with fields=all, or for an export"
        )
    return annotations
