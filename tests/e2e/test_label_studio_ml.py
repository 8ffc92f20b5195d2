"""A class written for label-studio-ml, in a real Label Studio: a run over a range of a film by it, and its undo."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

from espalier.demo.pictures import VIDEO_CONFIG, write_pan

CLASS = """
from label_studio_ml.model import LabelStudioMLBase


class Scenes(LabelStudioMLBase):
    def predict(self, tasks, **kwargs):
        assert set(self.parsed_label_config["scene"]["labels"]) == {"temple", "flower"}
        assert all(task["data"]["video"].endswith("film.mp4") for task in tasks)
        return [{"result": [self.region("flower", 1, 30, 0.4), self.region("temple", 21, 60, 0.9)]} for task in tasks]

    def region(self, label, start, end, score):
        value = {"ranges": [{"start": start, "end": end}], "timelinelabels": [label]}
        return {"id": label, "from_name": "scene", "to_name": "video", "type": "timelinelabels", "value": value,
                "score": score}
"""


def test_a_run_by_an_existing_class_and_its_undo(
    label_studio: Any, start_backend: Any, label_studio_ml: Path, tmp_path: Path
) -> None:
    (tmp_path / "own").mkdir()
    (tmp_path / "own" / "scenes.py").write_text(CLASS)
    write_pan(tmp_path / "film.mp4")
    project = label_studio.project(VIDEO_CONFIG, "Scenes")
    (task,) = label_studio.import_tasks(project["id"], [{"data": {"video": str(tmp_path / "film.mp4")}}])
    named = {
        "plugin": "label_studio_ml",
        "class": "scenes:Scenes",
        "python": str(label_studio_ml),
        "directory": str(tmp_path / "own"),
    }
    id = str(project["id"])

    def predictions() -> list[Any]:
        path = f"/api/predictions?task={task}&project={id}"
        found: list[Any] = label_studio.request("GET", path)
        return found

    with start_backend(
        ESPALIER_ENCODER="classic",
        ESPALIER_MEDIA_ROOTS=str(tmp_path),
        ESPALIER_CLASSIFICATIONS=json.dumps({"scene": named}),
    ) as backend:
        label_studio.connect(project["id"], backend.url)
        backend.espalier("train", id)
        told = backend.espalier("run", id, "--first", "11", "--last", "50", "--confidence", "0.6")
        run = re.search(r"run (\w+)", told)
        assert run, told
        (written,) = [one for one in predictions() if "-run" in one["model_version"]]
        (region,) = written["result"]
        assert region["value"] == {"ranges": [{"start": 21, "end": 50}], "timelinelabels": ["temple"]}
        assert region["score"] == 0.9
        backend.espalier("undo", run[1])
        assert not [one for one in predictions() if "-run" in one["model_version"]]
