"""A project's first minute in a real Label Studio: predicted by a pretrained network, before anybody has labeled."""

from __future__ import annotations

import csv
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

CONFIG = """<View><Image name="image" value="$image"/><Choices name="kind" toName="image" choice="single">
  <Choice value="T-shirt" predicted_values="jersey"/><Choice value="Pants" predicted_values="jean"/>
  <Choice value="Shoes"/><Choice value="Hat"/></Choices></View>"""


def test_a_task_comes_with_a_prediction_before_any_label(
    label_studio: Any, start_backend: Any, shared: Callable[[str], Path]
) -> None:
    pictures = shared("data/images/clothing10")
    with (pictures / "labels.csv").open() as file:
        rows = [row for row in csv.DictReader(file) if row["label"] in ("t-shirt", "shoes")][::6]
    project = label_studio.project(CONFIG, "Clothes")
    tasks = label_studio.import_tasks(
        project["id"], [{"data": {"image": str(pictures / row["filename"])}} for row in rows]
    )
    settings = {
        "ESPALIER_ENCODER": "timm:mobilenetv2_100",
        "ESPALIER_WEIGHTS_DIR": str(shared("data/weights")),
        "ESPALIER_MEDIA_ROOTS": str(pictures),
    }
    with start_backend(**settings) as backend:
        started = time.monotonic()
        label_studio.connect(project["id"], backend.url)
        version = wait(lambda: backend.espalier("versions", str(project["id"])))
        took_s = time.monotonic() - started
        assert "espalier-v1" in version
        assert "no label yet, with timm:mobilenetv2_100; answers kind by the network's own classes" in version
        assert "T-shirt <- jersey" in version
        assert "not measured: nobody has answered it yet" in version
        right = given = 0
        for task, row in zip(tasks, rows, strict=True):
            opened = label_studio.request("GET", f"/api/tasks/{task}?project={project['id']}")
            for prediction in opened["predictions"][:1]:
                assert prediction["model_version"] == "espalier-v1"
                said = [item["value"]["choices"] for item in prediction["result"]]
                given += bool(said)
                right += said == [[row["label"].capitalize()]]
    print(f"{took_s:.0f} s after connecting; {given} of {len(rows)} tasks answered, {right} of them rightly")
    assert took_s < 60
    assert given >= len(rows) // 2
    assert right >= 0.8 * given


def wait(versions: Callable[[], str]) -> str:
    deadline, listed = time.monotonic() + 120, ""
    while time.monotonic() < deadline:
        listed = versions()
        if "espalier-v1" in listed and "serves" in listed:
            return listed
        time.sleep(0.5)
    pytest.fail(f"no version serves: {listed}")
