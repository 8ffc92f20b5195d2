"""The mirror replaced by the truth, as Label Studio's API gave it."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from sqlalchemy import Connection, select

from ..errors import BadRequest
from .mirror import ANNOTATION, TASK, Mirror, answers_in, is_answer
from .rows import Annotation, Task
from .tables import AnnotationTable, GoneTable, RevisitTable, TaskTable
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
    mattering: set[tuple[str, int]]
    """(kind, id) of what changes the answers to train on."""

    def without(self, newer: set[tuple[str, int]]) -> Difference:
        """Leaves out what is newer, by (kind, id)."""
        if not newer:
            return self
        newer = newer | {("annotation", a.id) for a in self.annotations if ("gone task", a.task_id) in newer}
        return Difference(
            tasks=[task for task in self.tasks if ("task", task.id) not in newer],
            annotations=[one for one in self.annotations if ("annotation", one.id) not in newer],
            lost_tasks=[id for id in self.lost_tasks if ("task", id) not in newer],
            lost_annotations=[id for id in self.lost_annotations if ("annotation", id) not in newer],
            back=[one for one in self.back if one not in newer],
            mattering=self.mattering - newer,
        )

    def __bool__(self) -> bool:
        return any((self.tasks, self.annotations, self.lost_tasks, self.lost_annotations, self.back))


class Reconciling(Mirror):
    def reconcile(self, key: str, tasks: Iterable[Mapping[str, Any]], *, since: int | None = None) -> bool:
        """Replaces the project's tasks and annotations by `tasks`, all of them, each with its `annotations`.

        One transaction. With `since` (from `position`), what an event changed after that is newer than what was read,
        and stays. True (and a bump) if the answers to train on are others than before.
        """
        objects = list(tasks)
        true_tasks = {row.id: row for row in (task_row(key, task) for task in objects)}
        found = (annotation_row(key, one, task["id"]) for task in objects for one in _annotations_in(task))
        true_annotations = newest(found)

        # The comparison is the slow part, and events must not wait for it: it is made before the writer's lock is
        # taken, and what they changed meanwhile is left out.
        standing = self.position(key)
        difference = self.read(lambda connection: _compare(connection, key, true_tasks, true_annotations))
        if since is not None:
            standing = min(since, standing)

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            found = difference.without(_changed_after(connection, key, standing))
            if not found:
                return False
            at = {"position": self._advance(connection, key)}
            self._remember_lost(connection, key, found, at["position"])
            self._delete(connection, key, TaskTable.id, found.lost_tasks)
            self._delete(connection, key, AnnotationTable.id, found.lost_annotations)
            self._delete(connection, key, RevisitTable.task_id, found.lost_tasks)
            self._delete(connection, key, RevisitTable.annotation_id, found.lost_annotations)
            self.upsert(connection, TaskTable, [vars(task) | at for task in found.tasks])
            self.upsert(connection, AnnotationTable, [vars(annotation) | at for annotation in found.annotations])
            for kind in ("task", "annotation"):
                ids = [id for of_kind, id in found.back if of_kind == kind]
                self._delete(connection, key, GoneTable.id, ids, GoneTable.kind == kind)
            return self._bump_if(connection, key, bool(found.mattering))

        return self.write(work)

    def _remember_lost(self, connection: Connection, key: str, found: Difference, position: int) -> None:
        """Who follows the mirror by its positions must hear of what went, too. It is not called gone: where an event
        tells of it after all, that is news."""
        held = self._annotations_by_id(connection, key, found.lost_annotations)
        lost: list[tuple[str, int, int | None]] = [("lost task", id, id) for id in found.lost_tasks]
        lost += [("lost annotation", id, row.task_id) for id, row in held.items()]
        common = {"project_key": key, "position": position}
        self.upsert(
            connection, GoneTable, [{"kind": kind, "id": id, "task_id": task, **common} for kind, id, task in lost]
        )


def _compare(
    connection: Connection, key: str, tasks: Mapping[int, Task], annotations: Mapping[int, Annotation]
) -> Difference:
    held_tasks = {row.id: Task(*row) for row in connection.execute(select(*TASK).where(TaskTable.project_key == key))}
    of_project = select(*ANNOTATION).where(AnnotationTable.project_key == key)
    held = {row.id: Annotation(*row) for row in connection.execute(of_project)}
    gone = connection.execute(select(GoneTable.kind, GoneTable.id).where(GoneTable.project_key == key)).all()

    new_tasks = [task for task in tasks.values() if task != held_tasks.get(task.id)]
    new_annotations = [annotation for annotation in annotations.values() if annotation != held.get(annotation.id)]
    lost_annotations = [id for id in held if id not in annotations]
    present = {"task": tasks.keys(), "annotation": annotations.keys()}
    answered = {annotation.task_id for annotation in annotations.values() if is_answer(annotation)}
    mattering = {("annotation", a.id) for a in new_annotations if answers_in(a) != answers_in(held.get(a.id))}
    mattering |= {("annotation", id) for id in lost_annotations if is_answer(held[id])}
    mattering |= {("task", task.id) for task in new_tasks if task.id in answered}
    return Difference(
        tasks=new_tasks,
        annotations=new_annotations,
        lost_tasks=[id for id in held_tasks if id not in tasks],
        lost_annotations=lost_annotations,
        back=[(kind, id) for kind, id in gone if id in present.get(kind, ())],
        mattering=mattering,
    )


def _changed_after(connection: Connection, key: str, position: int) -> set[tuple[str, int]]:
    """(kind, id) of what events changed or deleted; for a deleted task also ("gone task", id)."""
    changed: set[tuple[str, int]] = set()
    for kind, table in (("task", TaskTable), ("annotation", AnnotationTable)):
        query = select(table.id).where(table.project_key == key, table.position > position)
        changed |= {(kind, id) for id in connection.execute(query).scalars()}
    for kind, id in connection.execute(
        select(GoneTable.kind, GoneTable.id).where(GoneTable.project_key == key, GoneTable.position > position)
    ):
        changed |= {(kind, id), (f"gone {kind}", id)}
    return changed


def _annotations_in(task: Mapping[str, Any]) -> list[Mapping[str, Any]]:
    annotations = task.get("annotations")
    if not isinstance(annotations, list):
        raise BadRequest(
            f"task {task.get('id')} came without its annotations, so the mirror was left as it is; "
            f"ask Label Studio for /api/tasks with fields=all, or for an export"
        )
    return annotations
