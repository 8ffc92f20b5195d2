"""One project of the demo, and the few steps that a person would click."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path
from typing import Any

from ..errors import LabelStudioDown
from .heartbeat import Heartbeat, Say
from .label_studio import LabelStudioServer
from .one_click import one_click
from .results import Result

_PATIENCE_S = 600.0
"""The first training may have to download a network's weights."""
_ASK_AGAIN_S = 20.0
_UNTRAINED = ("", "untrained")
_SHOWN = ("id", "total_annotations", "total_predictions", "predictions_model_versions")
_COLUMNS = (*_SHOWN, "inner_id", "annotations_ids", "file_upload", "storage_filename", "created_at", "updated_at",
            "updated_by", "avg_lead_time", "draft_exists", "annotations_results", "cancelled_annotations",
            "completed_at", "annotators", "predictions_results", "predictions_score")  # fmt: skip
"""Of the Data Manager. The score stays hidden: it is empty while a live model is chosen, which the demo wants."""


class DemoProject:
    def __init__(self, label_studio: LabelStudioServer, id: int, say: Say) -> None:
        self.label_studio, self.id, self._say = label_studio, id, say

    @classmethod
    def new(cls, label_studio: LabelStudioServer, title: str, config: str, say: Say) -> DemoProject:
        """An empty one; what an earlier, broken-off demo left under this title is deleted."""
        for old in label_studio.call("GET", "/api/projects?page_size=100")["results"]:
            if old["title"] == title:
                label_studio.call("DELETE", f"/api/projects/{old['id']}")
        made = label_studio.call("POST", "/api/projects/", json={"title": title, "label_config": config})
        return cls(label_studio, int(made["id"]), say)

    def exists(self) -> bool:
        listed = self.label_studio.call("GET", "/api/projects?page_size=100")["results"]
        return any(project["id"] == self.id for project in listed)

    def progress(self, sentence: str) -> None:
        self._say(f"project {self.id}: {sentence}")

    def upload(self, paths: Sequence[Path]) -> dict[str, int]:
        """As dropped into the import dialog. Task ids by file name."""
        for start in range(0, len(paths), 50):
            files = {path.name: (path.name, path.read_bytes()) for path in paths[start : start + 50]}
            self.label_studio.call("POST", f"/api/projects/{self.id}/import", files=files)
        # Label Studio puts a random prefix and a dash before the name of an uploaded file.
        stored = {str(next(iter(task["data"].values()))).rpartition("/")[2]: task["id"] for task in self._tasks()}
        return {name.partition("-")[2]: int(id) for name, id in stored.items()}

    def annotate(self, task: int, result: Result) -> None:
        self.label_studio.call("POST", f"/api/tasks/{task}/annotations", json={"result": result})

    def connect(self, backend_url: str) -> None:
        """As the page of Espalier's app does where that runs inside Label Studio, which pairs the two as well; else as
        Settings > Model > Connect Model does. A connection to another address is taken down first."""
        for backend in self.label_studio.call("GET", f"/api/ml?project={self.id}"):
            if backend["url"] == backend_url:
                continue
            self.label_studio.call("DELETE", f"/api/ml/{backend['id']}")
            for hook in self.label_studio.call("GET", f"/api/webhooks/?project={self.id}"):
                if str(hook["url"]).startswith(str(backend["url"])):  # Label Studio leaves it behind
                    self.label_studio.call("DELETE", f"/api/webhooks/{hook['id']}/")
        if self.label_studio.app:
            failed = one_click(self.label_studio.session, self.label_studio.url, self.id, backend_url)
            if failed:
                self.progress(f"the page of Espalier's app says: {failed}")
        if not self.label_studio.call("GET", f"/api/ml?project={self.id}"):
            body = {"project": self.id, "url": backend_url, "title": "Espalier"}
            self.label_studio.call("POST", "/api/ml", json=body)

    def learned(self, *, after: str = "") -> str:
        """The version that the backend reports, once it is another than `after`."""
        with Heartbeat(self._say, "Espalier is learning"):
            deadline = time.monotonic() + _PATIENCE_S
            while time.monotonic() < deadline:
                for backend in self.label_studio.call("GET", f"/api/ml?project={self.id}"):
                    version = str(backend.get("model_version") or "")
                    if version not in (*_UNTRAINED, after):
                        return version
                time.sleep(0.5)
        raise LabelStudioDown(f"no model version of project {self.id} within {_PATIENCE_S:.0f} s; see Espalier's log")

    def predict(self, tasks: Sequence[int]) -> dict[int, Result]:
        """Actions > Retrieve Predictions, until each of the tasks has one. The results by task."""
        wanted, asked_at = set(tasks), float("-inf")
        with Heartbeat(self._say, f"predicting {len(wanted)} tasks") as heart:
            deadline = time.monotonic() + _PATIENCE_S
            while time.monotonic() < deadline:
                if time.monotonic() - asked_at > _ASK_AGAIN_S:
                    asked_at = time.monotonic()
                    self._retrieve(sorted(wanted))
                found = {task["id"]: task["predictions"] for task in self._tasks() if task["id"] in wanted}
                there = {id: predictions[-1]["result"] for id, predictions in found.items() if predictions}
                if len(there) == len(wanted):
                    return there
                heart.now = f"{len(there)} of {len(wanted)} tasks are predicted"
                time.sleep(1)
        raise LabelStudioDown(
            f"{len(wanted) - len(there)} tasks of project {self.id} got no prediction; see Espalier's log"
        )

    def show_predictions(self) -> None:
        """A Data Manager tab with what is predicted and not labeled yet, beside one with everything."""
        hidden = [f"tasks:{name}" for name in _COLUMNS if name not in _SHOWN]
        unlabeled = {"filter": "filter:tasks:total_annotations", "operator": "equal", "type": "Number", "value": 0}
        for title, items in (("To review", [unlabeled]), ("All tasks", [])):
            data = {
                "title": title,
                "type": "list",
                "target": "tasks",
                "hiddenColumns": {"explore": hidden, "labeling": hidden},
                "filters": {"conjunction": "and", "items": items},
            }
            self.label_studio.call("POST", "/api/dm/views/", json={"project": self.id, "data": data})

    def _retrieve(self, tasks: Sequence[int]) -> None:
        self.label_studio.call(
            "POST",
            f"/api/dm/actions?id=retrieve_tasks_predictions&project={self.id}",
            json={"selectedItems": {"all": False, "included": list(tasks)}},
        )

    def _tasks(self) -> list[dict[str, Any]]:
        path = f"/api/tasks?project={self.id}&page_size=1000&fields=all"
        listed: list[dict[str, Any]] = self.label_studio.call("GET", path)["tasks"]
        return listed
