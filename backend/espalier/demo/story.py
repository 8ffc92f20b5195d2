"""The demo's story: two projects from real pictures, connected, a few frames labeled, predictions left to look at."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import LabelStudioDown
from .label_studio import LabelStudioServer
from .pictures import IMAGE_CONFIG, VIDEO_CONFIG, Shot, write_digits, write_pan

Say = Callable[[str], None]
DIGITS, LABELED_DIGITS = 160, 80
_PATIENCE_S = 180


class Story:
    """Tells it through Label Studio's REST API, as its user."""

    def __init__(self, label_studio: LabelStudioServer, backend_url: str, say: Say) -> None:
        self.label_studio, self.backend_url, self.say = label_studio, backend_url, say

    def tell(self, directory: Path) -> None:
        self._images(directory / "digits")
        self._video(directory)

    def call(self, method: str, path: str, **options: Any) -> Any:
        answer = self.label_studio.session.request(method, f"{self.label_studio.url}{path}", timeout=120, **options)
        if not answer.ok:
            raise LabelStudioDown(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def project(self, title: str, config: str) -> int:
        return int(self.call("POST", "/api/projects/", json={"title": title, "label_config": config})["id"])

    def connect(self, project: int) -> None:
        """As Settings > Model > Connect Model does."""
        self.call("POST", "/api/ml", json={"project": project, "url": self.backend_url, "title": "Espalier"})

    def upload(self, project: int, paths: list[Path]) -> dict[str, int]:
        """Task ids by file name."""
        for start in range(0, len(paths), 50):
            files = {path.name: (path.name, path.read_bytes()) for path in paths[start : start + 50]}
            self.call("POST", f"/api/projects/{project}/import", files=files)
        tasks = self.call("GET", f"/api/tasks?project={project}&page_size=1000&fields=all")["tasks"]
        names = {path.name: path for path in paths}
        return {
            next(name for name in names if _uploaded(task, name)): int(task["id"])
            for task in tasks
            if any(_uploaded(task, name) for name in names)
        }

    def annotate(self, task: int, result: list[dict[str, Any]]) -> None:
        self.call("POST", f"/api/tasks/{task}/annotations", json={"result": result})

    def retrieve(self, project: int) -> None:
        """As Actions > Retrieve Predictions does for all tasks."""
        self.call(
            "POST",
            f"/api/dm/actions?id=retrieve_tasks_predictions&project={project}",
            json={"selectedItems": {"all": True, "excluded": []}},
        )

    def wait_for_model(self, project: int) -> str:
        """The version that the backend reports once it has learned from what was labeled."""
        deadline = time.monotonic() + _PATIENCE_S
        while time.monotonic() < deadline:
            for backend in self.call("GET", f"/api/ml?project={project}"):
                version = str(backend.get("model_version") or "")
                if version and version != "untrained":
                    return version
            time.sleep(1)
        raise LabelStudioDown(f"no model version of project {project} within {_PATIENCE_S} s; see the backend's log")

    def _images(self, directory: Path) -> None:
        digits = write_digits(directory, DIGITS)
        project = self.project("Digits (nested ontology)", IMAGE_CONFIG)
        tasks = self.upload(project, [digit.path for digit in digits])
        self.connect(project)
        self.say(f"project {project}: labeling {LABELED_DIGITS} of {len(digits)} digits")
        for digit in digits[:LABELED_DIGITS]:
            self.annotate(tasks[digit.path.name], choices("image", digit.answers))
        self.say(f"project {project}: learned {self.wait_for_model(project)}, retrieving predictions")
        self.retrieve(project)

    def _video(self, directory: Path) -> None:
        first, second = directory / "pan-1.mp4", directory / "pan-2.mp4"
        shots = write_pan(first, seed=0)
        write_pan(second, seed=1)
        project = self.project("Two photographs (timeline)", VIDEO_CONFIG)
        tasks = self.upload(project, [first, second])
        self.connect(project)
        self.say(f"project {project}: labeling one video, leaving the other")
        self.annotate(tasks[first.name], timeline(shots))
        self.say(f"project {project}: learned {self.wait_for_model(project)}, retrieving predictions")
        self.retrieve(project)


def choices(media: str, answers: Mapping[str, str]) -> list[dict[str, Any]]:
    """An image's annotation, one result per control."""
    return [
        {"from_name": name, "to_name": media, "type": "choices", "value": {"choices": [option]}}
        for name, option in answers.items()
    ]


def timeline(shots: list[Shot]) -> list[dict[str, Any]]:
    """A video's annotation: a region per shot, and its attribute with the same id."""
    result: list[dict[str, Any]] = []
    for number, shot in enumerate(shots):
        region = {"id": f"shot{number}", "to_name": "video"}
        ranges = [{"start": shot.start, "end": shot.end}]
        value = {"ranges": ranges, "timelinelabels": [shot.scene]}
        result.append({**region, "from_name": "scene", "type": "timelinelabels", "value": value})
        if shot.part:
            part = {"ranges": ranges, "choices": [shot.part]}
            result.append({**region, "from_name": "part", "type": "choices", "value": part})
    return result


def _uploaded(task: Mapping[str, Any], name: str) -> bool:
    """Label Studio puts a random prefix before the name of an uploaded file."""
    return any(isinstance(value, str) and value.endswith(f"-{name}") for value in task["data"].values())
