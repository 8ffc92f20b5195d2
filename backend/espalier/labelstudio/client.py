"""What Espalier asks of Label Studio: projects, tasks with their annotations, model versions, connections."""

from __future__ import annotations

import json
from collections.abc import Callable, Collection, Iterable, Iterator, Mapping
from functools import cached_property
from typing import Any

from ..errors import LabelStudioRefused
from .annotations import Annotations
from .predictions import Predictions, Row
from .token import TokenKind
from .transport import Transport
from .uploads import Uploads
from .webhooks import Webhooks

Json = dict[str, Any]

PAGE = 200
# Label Studio deletes predictions one by one: 25 ms a row on SQLite.
_DELETE_S = 3600.0


class LabelStudio:
    """One Label Studio with one token. Opening it asks nothing; every method may raise LabelStudioRefused (the token, a
    permission, a missing project) or LabelStudioDown (try again later)."""

    def __init__(self, url: str, token: str, *, transport: Transport | None = None) -> None:
        self._transport = transport or Transport(url, token)
        self.url = self._transport.url

    @property
    def token_kind(self) -> TokenKind:
        return self._transport.token.kind

    def authorization(self) -> dict[str, str]:
        """The header for a request to this Label Studio, good for a minute at least; {} without a token."""
        return self._transport.token.authorization()

    def whoami(self) -> Json:
        """The token's user. The cheapest way to learn whether the token works."""
        return self._mapping("GET", "/api/current-user/whoami", doing="say who the token belongs to")

    def version(self) -> str:
        """Label Studio's release, like "1.23.2"; "" where it does not say."""
        return str(self._mapping("GET", "/api/version", doing="tell its version").get("release", ""))

    def projects(self) -> Iterator[Json]:
        """Every project that the token's user sees."""
        page = 1
        while True:
            answer = self._mapping(
                "GET", "/api/projects", query={"page": page, "page_size": 100}, doing="list the projects"
            )
            yield from answer["results"]
            if not answer.get("next"):
                return
            page += 1

    def project(self, project_id: int) -> Json:
        return self._mapping("GET", f"/api/projects/{project_id}", doing=f"show project {project_id}")

    def tasks(self, project_id: int, ids: Collection[int] | None = None, *, page_size: int = PAGE) -> Iterator[Json]:
        """Tasks with full annotations and predictions, in order of id; `data` is as it was imported (unresolved).

        Pages go by id, so that nothing is left out when tasks are deleted in between; a page is in memory at a time.
        """
        if ids is None:
            yield from self._tasks_after(project_id, page_size)
            return
        ordered = sorted(ids)
        for start in range(0, len(ordered), page_size):
            yield from self._page(
                project_id,
                {"selectedItems": {"all": False, "included": ordered[start : start + page_size]}},
                page_size,
            )

    def task_ids_of_view(self, project_id: int, view_id: int) -> set[int]:
        """The tasks that a Data Manager tab shows, by its filters."""
        ids: set[int] = set()
        page = 1
        while True:
            answer = self._mapping(
                "GET",
                "/api/tasks",
                query={"project": project_id, "view": view_id, "page": page, "page_size": PAGE},
                doing=f"list the tasks of tab {view_id}",
            )
            ids |= {int(task["id"]) for task in answer["tasks"]}
            if not answer["tasks"] or len(ids) >= int(answer.get("total", 0)):
                return ids
            page += 1

    def set_model_version(self, project_id: int, version: str) -> None:
        """Make `version` the one that the label stream shows; predictions of it must exist already."""
        self._transport.json(
            "PATCH",
            f"/api/projects/{project_id}",
            body={"model_version": version},
            doing=f"choose model version {version!r} in project {project_id}",
        )

    def model_versions(self, project_id: int) -> dict[str, int]:
        """How many predictions the project has of each version (without connected backends, which it lists too)."""
        answer = self._mapping(
            "GET", f"/api/projects/{project_id}/model-versions", doing=f"list project {project_id}'s model versions"
        )
        return {str(name): int(count) for name, count in answer.items() if count}

    def delete_version(self, project_id: int, version: str) -> int:
        """Delete every prediction of a version; how many there were."""
        try:
            answer = self._mapping(
                "DELETE",
                f"/api/projects/{project_id}/model-versions",
                body={"model_version": version},
                read_s=_DELETE_S,
                doing=f"delete the predictions of {version!r} in project {project_id}",
            )
        except LabelStudioRefused as error:
            if error.status == 404 and version not in self.model_versions(project_id):
                return 0
            raise
        return int(answer.get("deleted_predictions", 0))

    def ml_backends(self, project_id: int) -> list[Json]:
        """The connected backends. Label Studio asks each for /health and /setup before it answers this."""
        found: list[Json] = self._transport.json(
            "GET", "/api/ml", query={"project": project_id}, doing=f"list project {project_id}'s backends"
        )
        return found

    @cached_property
    def predictions(self) -> Predictions:
        return Predictions(self._transport, self.tasks)

    @cached_property
    def annotations(self) -> Annotations:
        return Annotations(self._transport, self.tasks)

    @cached_property
    def uploads(self) -> Uploads:
        return Uploads(self._transport)

    @cached_property
    def hooks(self) -> Webhooks:
        return Webhooks(self._transport)

    def user_id(self, email: str) -> int | None:
        """Of the user with this address, as far as the token's user sees others."""
        users: list[Json] = self._transport.json("GET", "/api/users", doing="list the users")
        wanted = email.strip().casefold()
        return next((int(user["id"]) for user in users if str(user.get("email", "")).casefold() == wanted), None)

    def import_predictions(
        self,
        project_id: int,
        rows: Iterable[Row],
        *,
        refused: Callable[[Row, str], None] | None = None,
        stored: Callable[[int], None] | None = None,
    ) -> int:
        """See `Predictions.put`."""
        return self.predictions.put(project_id, rows, refused=refused, stored=stored)

    def predictions_of(self, task_id: int) -> list[Json]:
        """A task's predictions of every version."""
        found: list[Json] = self._transport.json(
            "GET", "/api/predictions", query={"task": task_id}, doing=f"read task {task_id}'s predictions"
        )
        return found

    def delete_prediction(self, prediction_id: int) -> None:
        """Delete one prediction; one that is gone already is no error."""
        try:
            self._transport.json(
                "DELETE", f"/api/predictions/{prediction_id}", doing=f"delete prediction {prediction_id}"
            )
        except LabelStudioRefused as error:
            if error.status != 404:
                raise

    def webhooks(self, project_id: int) -> list[Json]:
        """See `Webhooks.of`."""
        return self.hooks.of(project_id)

    def secure_webhooks(self, project_id: int, secret: str, *, backend_url: str = "") -> list[Json]:
        """See `Webhooks.secure`."""
        return self.hooks.secure(project_id, secret, backend_url=backend_url)

    def _tasks_after(self, project_id: int, page_size: int) -> Iterator[Json]:
        last = 0
        while True:
            newer = {"filter": "filter:tasks:id", "operator": "greater", "type": "Number", "value": last}
            query = {"filters": {"conjunction": "and", "items": [newer]}, "ordering": ["tasks:id"]}
            tasks = self._page(project_id, query, page_size)
            yield from tasks
            if not tasks:
                return
            last = max(int(task["id"]) for task in tasks)

    def _page(self, project_id: int, query: Mapping[str, Any], page_size: int) -> list[Json]:
        answer = self._mapping(
            "GET",
            "/api/tasks",
            query={
                "project": project_id,
                "fields": "all",
                "resolve_uri": "false",
                "page": 1,
                "page_size": page_size,
                "query": json.dumps(query),
            },
            read_s=300.0,
            doing=f"read project {project_id}'s tasks",
        )
        tasks: list[Json] = answer["tasks"]
        return sorted(tasks, key=lambda task: int(task["id"]))

    def _mapping(self, method: str, path: str, **options: Any) -> Json:
        answer = self._transport.json(method, path, **options)
        return answer if isinstance(answer, dict) else {}
