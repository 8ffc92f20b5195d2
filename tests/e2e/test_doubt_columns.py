"""How sure a run was is a column of the Data Manager: people sort by it, and filter.

What lists write beside it (cluster, neighbors, mislabeling) and uncertainty sampling are held by test_lists.
"""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, write_digits
from espalier.demo.results import choices

DIGITS, LABELED = 60, 40


def test_a_run_s_doubt_sorts_and_filters_tasks(label_studio: Any, start_backend: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path / "digits", DIGITS)
    project = label_studio.project(IMAGE_CONFIG, "Doubt")
    id = project["id"]
    tasks = label_studio.import_tasks(
        id,
        [
            {"data": {"image": str(digit.path)}}
            | ({"annotations": [{"result": choices("image", digit.answers)}]} if at < LABELED else {})
            for at, digit in enumerate(digits)
        ],
    )
    with start_backend(ESPALIER_ENCODER="classic", ESPALIER_MEDIA_ROOTS=str(tmp_path)) as backend:
        label_studio.connect(id, backend.url)
        backend.learned(project, LABELED)
        written = backend.espalier("run", str(id), "--filter", "unlabeled", "--confidence", "0")
        version = written.split()[4].rstrip(";")
        label_studio.request("GET", f"/api/ml?project={id}")  # as every page does: Label Studio asks for the version

        def listed(**query: object) -> list[dict[str, Any]]:
            wanted = {"project": id, "page_size": 500, "fields": "all", "query": json.dumps(query)}
            found: list[dict[str, Any]] = label_studio.request("GET", "/api/tasks", params=wanted)["tasks"]
            return found

        scores = {}
        for task in tasks[LABELED:]:
            (prediction,) = label_studio.request("GET", f"/api/predictions?task={task}")
            assert prediction["model_version"] == version
            assert 0 <= prediction["score"] <= 1
            scores[task] = prediction["score"]
        assert len(set(scores.values())) > DIGITS // 10, "they tell tasks apart"

        unsure_first = [task for task in listed(ordering=["tasks:predictions_score"]) if task["id"] in scores]
        shown = [task["predictions_score"] for task in unsure_first]
        assert shown == sorted(shown)
        assert shown == pytest.approx(sorted(scores.values()), abs=1e-5)

        middle = sorted(scores.values())[len(scores) // 2]
        below = {"filter": "filter:tasks:predictions_score", "operator": "less", "type": "Number", "value": middle}
        doubtful = listed(filters={"conjunction": "and", "items": [below]})
        assert {task["id"] for task in doubtful} == {task for task, score in scores.items() if score < middle}
