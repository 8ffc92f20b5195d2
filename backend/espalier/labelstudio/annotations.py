"""Annotations into Label Studio, each once, and out of it again where nobody has changed them since."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from typing import Any, Literal

from ..errors import LabelStudioRefused
from .transport import Transport

Json = dict[str, Any]
Row = Mapping[str, Any]
"""One annotation: task (id), result (regions), unique_id (a UUID) and import_id (a number under which it is found
again); anything else that Label Studio's API takes."""

Ending = Literal["deleted", "gone", "changed"]

# There is no door for many: Label Studio takes 89 ms for each on SQLite, 44 ms where two come at a time, and no less
# with four.
_AT_ONCE = 2


class Annotations:
    """`tasks(project_id, ids)` gives tasks with their annotations and drafts in full."""

    def __init__(self, transport: Transport, tasks: Callable[..., Iterable[Mapping[str, Any]]]) -> None:
        self._transport = transport
        self._tasks = tasks

    def put(
        self, project_id: int, rows: Sequence[Row], *, refused: Callable[[Row, str], None] | None = None
    ) -> dict[int, Json]:
        """Store annotations; by task, what Label Studio keeps of each. One row per task.

        Label Studio takes a unique_id once: a row that it has already is not stored again, but found, so that a
        writing that was killed may simply be repeated. `refused(row, reason)` is called for each that it does not take.
        """
        refuse = refused or (lambda row, reason: None)
        stored: dict[int, Json] = {}
        there: list[Row] = []
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="put-annotation") as pool:
            for row, made in zip(rows, pool.map(self._put_one, rows), strict=True):
                if isinstance(made, dict):
                    stored[int(row["task"])] = made
                elif made.status == 409:
                    there.append(row)
                else:
                    refuse(row, str(made))
        found = self.find(project_id, there)
        for row in there:
            if int(row["task"]) in found:
                stored[int(row["task"])] = found[int(row["task"])]
            else:
                refuse(row, f"Label Studio has this annotation already, and shows none of import_id {row['import_id']}")
        return stored

    def find(self, project_id: int, rows: Sequence[Row]) -> dict[int, Json]:
        """By task, those of these rows that are stored already."""
        marks = {int(row["task"]): row["import_id"] for row in rows}
        found: dict[int, Json] = {}
        for task in self._tasks(project_id, list(marks)) if marks else ():
            for annotation in task["annotations"]:
                if annotation.get("import_id") == marks[int(task["id"])]:
                    found[int(task["id"])] = dict(annotation)
        return found

    def with_drafts(self, project_id: int, task_ids: Iterable[int]) -> set[int]:
        """The annotations of these tasks that somebody has begun to change: a draft changes no `updated_at`."""
        ids = sorted(set(task_ids))
        return {
            int(draft["annotation"])
            for task in (self._tasks(project_id, ids) if ids else ())
            for draft in task.get("drafts") or ()
            if isinstance(draft, Mapping) and draft.get("annotation")
        }

    def delete_unchanged(self, stored: Mapping[int, str]) -> dict[int, Ending]:
        """Delete the annotations that were last changed at these times; those that were changed since are left.

        Label Studio sets `updated_at` at every save, also of a region, of a skip and of the ground-truth star.
        """
        with ThreadPoolExecutor(_AT_ONCE, thread_name_prefix="delete-annotation") as pool:
            return dict(zip(stored, pool.map(self._delete_one, stored.keys(), stored.values()), strict=True))

    def _delete_one(self, annotation_id: int, updated_at: str) -> Ending:
        path, doing = f"/api/annotations/{annotation_id}", f"annotation {annotation_id}"
        try:
            now = self._transport.json("GET", path, doing=f"read {doing}")
            if now["updated_at"] != updated_at:
                return "changed"
            self._transport.json("DELETE", path, doing=f"delete {doing}")
        except LabelStudioRefused as error:
            if error.status != 404:
                raise
            return "gone"
        return "deleted"

    def _put_one(self, row: Row) -> Json | LabelStudioRefused:
        body = {name: value for name, value in row.items() if name != "task"}
        try:
            made: Json = self._transport.json(
                "POST",
                f"/api/tasks/{row['task']}/annotations/",
                body=body,
                doing=f"store an annotation of task {row['task']}",
            )
        except LabelStudioRefused as error:
            if error.status not in (400, 404, 409):
                raise
            return error
        return made
