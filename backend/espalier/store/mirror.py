"""The mirror of Label Studio's tasks and annotations, kept by its events.

Events come twice, late, out of order, or not at all. So: the newest `updated_at` wins; what was deleted stays deleted;
and `reconcile` (reconcile.py) replaces it all with what the API says. A change bumps the project's revision only if the
answers to train on are others than before.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import fields
from typing import Any

from sqlalchemy import Connection, delete, func, select, update

from .database import chunks
from .projects import Projects
from .rows import Annotation, Task
from .tables import AnnotationTable, GoneTable, ProjectTable, RevisitTable, TaskTable
from .wire_rows import annotation_row, id_of, is_older, newest, says_it_has_annotations, task_row

TASK = [getattr(TaskTable, field.name) for field in fields(Task)]
ANNOTATION = [getattr(AnnotationTable, field.name) for field in fields(Annotation)]


class Mirror(Projects):
    def mirror_tasks(self, key: str, tasks: Iterable[Mapping[str, Any]]) -> bool:
        """Keeps Label Studio's task objects. True (and a bump) if training has something new to see:

        data of a task with answers changed, or a new task says that it has annotations that we never heard of.
        """
        objects = list(tasks)
        wanted = {row.id: row for row in (task_row(key, task) for task in objects)}
        annotated = {id_of(task, "task") for task in objects if says_it_has_annotations(task)}

        def news(connection: Connection) -> tuple[list[Task], dict[int, Task]]:
            held = self._tasks(connection, key, wanted)
            gone = self._gone(connection, key, "task", wanted)
            return [task for task in wanted.values() if task.id not in gone and task != held.get(task.id)], held

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            changed, held = news(connection)
            if not changed:
                return False
            position = self._advance(connection, key)
            self.upsert(connection, TaskTable, [vars(task) | {"position": position} for task in changed])
            annotations = self._annotations(connection, key, [task.id for task in changed])
            answered = {annotation.task_id for annotation in annotations if is_answer(annotation)}
            unheard_of = annotated - held.keys()
            return self._bump_if(connection, key, any(task.id in answered | unheard_of for task in changed))

        # Every event of an annotation repeats its task: nearly always nothing is new, and nobody's turn is taken.
        return self.write(work) if wanted and self.read(news)[0] else False

    def forget_tasks(self, key: str, ids: Iterable[int]) -> bool:
        """Label Studio deleted them, and their annotations with them. True (and a bump) if answers went."""
        wanted = list(ids)

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            lost = any(map(is_answer, self._annotations(connection, key, wanted)))
            self._remember_gone(connection, key, "task", wanted)
            self._delete(connection, key, TaskTable.id, wanted)
            self._delete(connection, key, AnnotationTable.task_id, wanted)
            self._delete(connection, key, RevisitTable.task_id, wanted)
            return self._bump_if(connection, key, lost)

        return self.write(work) if wanted else False

    def mirror_annotations(self, key: str, annotations: Iterable[Mapping[str, Any]]) -> bool:
        """Keeps Label Studio's annotation objects. True (and a bump) if the answers to train on changed."""
        objects = [(id_of(annotation, "annotation"), annotation) for annotation in annotations]

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            held = self._annotations_by_id(connection, key, (id for id, _ in objects))
            known = {id: row.task_id for id, row in held.items()}
            wanted = newest(annotation_row(key, one, known.get(id)) for id, one in objects)
            gone = self._gone(connection, key, "annotation", wanted)
            gone_tasks = self._gone(connection, key, "task", (row.task_id for row in wanted.values()))
            changed = [
                row
                for row in wanted.values()
                if row.id not in gone and row.task_id not in gone_tasks
                and row != held.get(row.id) and not is_older(row, held.get(row.id))
            ]  # fmt: skip
            if not changed:
                return False
            position = self._advance(connection, key)
            self.upsert(connection, AnnotationTable, [vars(row) | {"position": position} for row in changed])
            matters = any(answers_in(row) != answers_in(held.get(row.id)) for row in changed)
            return self._bump_if(connection, key, matters)

        return self.write(work) if objects else False

    def forget_annotations(self, key: str, ids: Iterable[int]) -> bool:
        """Label Studio deleted them; a late event about one is ignored. True (and a bump) if answers went."""
        wanted = list(ids)

        def work(connection: Connection) -> bool:
            self._hold(connection, key)
            held = self._annotations_by_id(connection, key, wanted)
            self._remember_gone(connection, key, "annotation", wanted, {id: row.task_id for id, row in held.items()})
            self._delete(connection, key, AnnotationTable.id, wanted)
            self._delete(connection, key, RevisitTable.annotation_id, wanted)
            return self._bump_if(connection, key, any(map(is_answer, held.values())))

        return self.write(work) if wanted else False

    def tasks(self, key: str, ids: Iterable[int] | None = None) -> list[Task]:
        """In the order of their ids; all, or those of `ids` that are known."""
        return list(self.read(lambda connection: self._tasks(connection, key, ids)).values())

    def task_ids(self, key: str, *, offset: int, limit: int) -> list[int]:
        """A part of all ids, ascending."""
        query = select(TaskTable.id).where(TaskTable.project_key == key).order_by(TaskTable.id)
        query = query.offset(offset).limit(limit)
        return list(self.read(lambda connection: connection.execute(query).scalars().all()))

    def task_count(self, key: str) -> int:
        query = select(func.count()).select_from(TaskTable).where(TaskTable.project_key == key)
        return self.read(lambda connection: connection.execute(query).scalar_one())

    def annotations(self, key: str, task_ids: Iterable[int] | None = None) -> list[Annotation]:
        """In the order of task and annotation ids, cancelled ones among them; all, or those of `task_ids`."""
        return self.read(lambda connection: self._annotations(connection, key, task_ids))

    def position(self, key: str) -> int:
        """Counts every change of the mirror: ask before reading, and ask what changed since."""
        query = select(ProjectTable.position).where(ProjectTable.key == key)
        return self.read(lambda connection: connection.execute(query).scalar_one_or_none()) or 0

    def tasks_changed_since(self, key: str, position: int) -> set[int]:
        """Tasks that, or whose annotations, were made, changed or deleted after `position`."""
        changed = [
            select(table.task_id).where(table.project_key == key, table.position > position)
            for table in (AnnotationTable, GoneTable)
        ]
        changed.append(select(TaskTable.id).where(TaskTable.project_key == key, TaskTable.position > position))
        gone = (GoneTable.project_key == key) & (GoneTable.kind == "task") & (GoneTable.position > position)
        changed.append(select(GoneTable.id).where(gone))
        rows = self.read(lambda connection: [id for query in changed for id in connection.execute(query).scalars()])
        return {id for id in rows if id is not None}

    def _tasks(self, connection: Connection, key: str, ids: Iterable[int] | None) -> dict[int, Task]:
        query = select(*TASK).where(TaskTable.project_key == key).order_by(TaskTable.id)
        queries = [query] if ids is None else [query.where(TaskTable.id.in_(some)) for some in chunks(ids)]
        rows = [row for query in queries for row in connection.execute(query)]
        return {row.id: Task(**row._mapping) for row in rows}

    def _annotations(self, connection: Connection, key: str, task_ids: Iterable[int] | None) -> list[Annotation]:
        query = select(*ANNOTATION).where(AnnotationTable.project_key == key)
        query = query.order_by(AnnotationTable.task_id, AnnotationTable.id)
        some = (
            [query] if task_ids is None else [query.where(AnnotationTable.task_id.in_(ids)) for ids in chunks(task_ids)]
        )
        return [Annotation(**row._mapping) for query in some for row in connection.execute(query)]

    def _annotations_by_id(self, connection: Connection, key: str, ids: Iterable[int]) -> dict[int, Annotation]:
        query = select(*ANNOTATION).where(AnnotationTable.project_key == key)
        some = [query.where(AnnotationTable.id.in_(wanted)) for wanted in chunks(ids)]
        return {row.id: Annotation(**row._mapping) for query in some for row in connection.execute(query)}

    def _gone(self, connection: Connection, key: str, kind: str, ids: Iterable[int]) -> set[int]:
        query = select(GoneTable.id).where(GoneTable.project_key == key, GoneTable.kind == kind)
        return {id for some in chunks(ids) for id in connection.execute(query.where(GoneTable.id.in_(some))).scalars()}

    def _remember_gone(
        self,
        connection: Connection,
        key: str,
        kind: str,
        ids: Iterable[int],
        task_of: Mapping[int, int] | None = None,
    ) -> None:
        position = self._advance(connection, key)
        common = {"project_key": key, "kind": kind, "position": position}
        rows = [{"id": id, "task_id": (task_of or {}).get(id), **common} for id in dict.fromkeys(ids)]
        self.upsert(connection, GoneTable, rows)

    def _delete(self, connection: Connection, key: str, column: Any, ids: Iterable[int], *only: Any) -> None:
        table = column.class_
        for some in chunks(ids):
            connection.execute(delete(table).where(table.project_key == key, column.in_(some), *only))

    def _advance(self, connection: Connection, key: str) -> int:
        further = ProjectTable.position + 1
        query = update(ProjectTable).where(ProjectTable.key == key).values(position=further)
        return connection.execute(query.returning(ProjectTable.position)).scalar_one()


def is_answer(annotation: Annotation) -> bool:
    return not annotation.was_cancelled


def answers_in(annotation: Annotation | None) -> object:
    """What training sees of an annotation: nothing of a cancelled one, nor who made it and when."""
    if annotation is None or annotation.was_cancelled:
        return None
    return annotation.task_id, annotation.result, annotation.ground_truth, annotation.accepted, annotation.confirmed
