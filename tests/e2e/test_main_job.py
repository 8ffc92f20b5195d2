"""The main job, end to end: a person labels a few frames in a real Label Studio, and the rest is predicted.

The backend is the program as a user starts it, `espalier serve`, with its own workers.
"""

from __future__ import annotations

import csv
import os
import random
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import pytest
from label_studio_sdk.label_interface import LabelInterface

from espalier.demo.pictures import FRAME_RATE, IMAGE_CONFIG, VIDEO_CONFIG, Shot, write_digits, write_pan
from espalier.demo.results import choices, timeline
from espalier_ontology import regions, rules
from espalier_ontology.labeling_config import parse
from espalier_ontology.timeline import Timeline

NESTED = "data/interop/projects/cifar100_nested/label_config.xml"
PICTURES = "data/images/cifar100_nested"


@pytest.fixture(scope="module")
def backend(start_backend: Any) -> Iterator[Any]:
    weights = Path(os.environ.get("ESPALIER_TEST_DATA", Path(__file__).parents[3] / "shared")) / "data" / "weights"
    with start_backend(**({"ESPALIER_WEIGHTS_DIR": str(weights)} if weights.exists() else {})) as started:
        yield started


def upload(label_studio: Any, project: dict[str, Any], paths: list[Path]) -> list[int]:
    """Pictures as a person drops them into the import dialog; task ids in the order given."""
    by_name: dict[str, int] = {}
    for start in range(0, len(paths), 50):
        some = list(enumerate(paths))[start : start + 50]
        files = {f"{n:04d}": (f"{n:04d}{path.suffix}", path.read_bytes()) for n, path in some}
        label_studio.request("POST", f"/api/projects/{project['id']}/import", files=files)
    for task in label_studio.request("GET", f"/api/tasks?project={project['id']}&page_size=2000&fields=all")["tasks"]:
        value = next(iter(task["data"].values()))
        by_name[value.rpartition("-")[2].partition(".")[0]] = task["id"]
    return [by_name[f"{number:04d}"] for number in range(len(paths))]


def predictions(label_studio: Any, task_id: int) -> list[dict[str, Any]]:
    found: list[dict[str, Any]] = label_studio.request("GET", f"/api/predictions?task={task_id}")
    return found


def check_result(
    config: str, prediction: dict[str, Any], timelines: dict[str, Timeline] | None = None, **data: Any
) -> Any:
    """Valid for Label Studio's own SDK, and for our rules, which are stricter. Returns what was read."""
    interface = LabelInterface(config)
    assert interface.validate_prediction(
        {name: prediction[name] for name in ("result", "score", "model_version")}, return_errors=True
    ) in ([], True), prediction
    ontology = parse(config)
    reading = regions.read(ontology, prediction["result"], timelines=timelines or {}, **data)
    assert not reading.problems, reading.problems
    assert not rules.check(ontology, reading.answers)
    assert 0 <= prediction["score"] <= 1
    return reading.answers


def chosen(result: list[dict[str, Any]]) -> dict[str, str]:
    return {item["from_name"]: item["value"]["choices"][0] for item in result}


def test_nested_images_from_first_labels_to_predictions(label_studio: Any, backend: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path, 150)
    project = label_studio.project(IMAGE_CONFIG, "Digits")
    tasks = upload(label_studio, project, [digit.path for digit in digits])
    label_studio.connect(project["id"], backend.url)
    for task, digit in zip(tasks[:90], digits, strict=False):
        label_studio.annotate(task, choices("image", digit.answers))
    backend.learned(project, 90)
    label_studio.action(project["id"], "retrieve_tasks_predictions", tasks[90:140])
    parents = right = complete = 0
    for task, digit in zip(tasks[90:140], digits[90:], strict=False):
        (prediction,) = predictions(label_studio, task)
        check_result(IMAGE_CONFIG, prediction)
        said = chosen(prediction["result"])
        parents += said.get("loop") == digit.answers["loop"]
        right += said == digit.answers
        complete += 1
    assert complete == 50
    assert parents >= 40, f"{parents} of 50 parents right"
    assert right >= 30, f"{right} of 50 digits right, both answers; guessing gets 5"

    opened = label_studio.request("GET", f"/api/tasks/{tasks[145]}?project={project['id']}")
    assert opened["predictions"], "opening a task brings its prediction"
    check_result(IMAGE_CONFIG, opened["predictions"][0])


def test_a_burst_of_annotations_causes_a_handful_of_trainings_and_the_last_sees_all(
    label_studio: Any, backend: Any, tmp_path: Path
) -> None:
    digits = write_digits(tmp_path, 60)
    project = label_studio.project(IMAGE_CONFIG, "Burst")
    tasks = upload(label_studio, project, [digit.path for digit in digits])
    label_studio.connect(project["id"], backend.url)
    for task, digit in zip(tasks, digits, strict=True):
        label_studio.annotate(task, choices("image", digit.answers))
    versions = backend.learned(project, 60)
    assert len(versions) <= 8, versions


def test_a_run_is_written_shown_in_the_label_stream_and_undone(label_studio: Any, backend: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path, 80)
    project = label_studio.project(IMAGE_CONFIG, "Run")
    tasks = upload(label_studio, project, [digit.path for digit in digits])
    for task, digit in zip(tasks[:50], digits, strict=False):
        label_studio.annotate(task, choices("image", digit.answers))
    label_studio.connect(project["id"], backend.url)
    backend.learned(project, 50)  # what was annotated before it was connected

    id = str(project["id"])
    counted = backend.espalier("run", id, "--filter", "unlabeled", "--confidence", "0.3", "--dry-run")
    assert "of 30 tasks answered" in counted
    assert not any(label_studio.request("GET", f"/api/projects/{id}/model-versions").values())

    written = backend.espalier("run", id, "--filter", "unlabeled", "--confidence", "0.3")
    run_id, name = written.split()[1], written.split()[4].rstrip(";")
    stored = label_studio.request("GET", f"/api/projects/{id}/model-versions")
    assert stored[name] >= 25
    for task in tasks[50:]:
        for prediction in predictions(label_studio, task):
            check_result(IMAGE_CONFIG, prediction)
            assert all(item["score"] >= 0.3 for item in prediction["result"])
    assert not any(predictions(label_studio, task) for task in tasks[:50])
    assert label_studio.request("GET", f"/api/projects/{id}")["model_version"] == name
    assert label_studio.request("GET", f"/api/ml?project={id}")[0]["model_version"] == name
    following = label_studio.request("GET", f"/api/projects/{id}/next")
    assert following["predictions"][0]["model_version"] == name

    assert "predictions deleted" in backend.espalier("undo", run_id)
    assert label_studio.request("GET", f"/api/projects/{id}")["model_version"] == "Espalier", "as before the run"
    assert label_studio.request("GET", f"/api/projects/{id}/model-versions").get(name, 0) == 0
    annotated = label_studio.request("GET", f"/api/tasks?project={id}&page_size=200&fields=all")["tasks"]
    assert sum(len(task["annotations"]) for task in annotated) == 50


def test_a_timeline_with_attributes(label_studio: Any, backend: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    shown, hidden = write_pan(first, seed=0), write_pan(second, seed=1)
    project = label_studio.project(VIDEO_CONFIG, "Pan")
    task, other = upload(label_studio, project, [first, second])
    label_studio.connect(project["id"], backend.url)
    label_studio.annotate(task, timeline(shown))
    backend.learned(project, 1)
    label_studio.action(project["id"], "retrieve_tasks_predictions", [other])
    (prediction,) = predictions(label_studio, other)
    length = hidden[-1].end
    times = [n / FRAME_RATE for n in range(length)]
    clock = {"video": Timeline(times, length / FRAME_RATE, FRAME_RATE)}
    answers = check_result(VIDEO_CONFIG, prediction, clock)
    scene: dict[int, str] = {}
    for answer in answers:
        if answer.classification == "scene":
            scene |= dict.fromkeys(answer.frames, answer.option[0])
    assert frame_accuracy(hidden, scene) >= 0.9
    assert any(answer.classification == "part" and answer.under == ("temple",) for answer in answers)


def test_a_part_of_a_video_is_predicted_where_the_run_says(label_studio: Any, backend: Any, tmp_path: Path) -> None:
    first, second = tmp_path / "first.mp4", tmp_path / "second.mp4"
    shown = write_pan(first, seed=2)
    write_pan(second, seed=3)
    project = label_studio.project(VIDEO_CONFIG, "Range")
    task, other = upload(label_studio, project, [first, second])
    label_studio.connect(project["id"], backend.url)
    label_studio.annotate(task, timeline(shown))
    backend.learned(project, 1)
    backend.espalier("run", str(project["id"]), "--task", str(other), "--first", "31", "--last", "70", "--stride", "3")
    (prediction,) = predictions(label_studio, other)
    ranges = [item["value"]["ranges"][0] for item in prediction["result"]]
    assert ranges
    assert min(r["start"] for r in ranges) >= 31
    assert max(r["end"] for r in ranges) <= 70


SEQUENCE_CONFIG = """<View>
  <Image name="pictures" valueList="$images"/>
  <Taxonomy name="digit" toName="pictures" perItem="true">
    <Choice value="has a loop"><Choice value="0"/><Choice value="6"/><Choice value="8"/><Choice value="9"/></Choice>
    <Choice value="no loop"><Choice value="1"/><Choice value="2"/><Choice value="3"/><Choice value="5"/>
      <Choice value="7"/></Choice>
  </Taxonomy>
</View>"""


def test_an_image_sequence(label_studio: Any, backend: Any, tmp_path: Path) -> None:
    digits = write_digits(tmp_path, 120)
    store = label_studio.project(IMAGE_CONFIG, "Pictures")
    ids = upload(label_studio, store, [digit.path for digit in digits])
    tasks = label_studio.request("GET", f"/api/tasks?project={store['id']}&page_size=200&fields=all")["tasks"]
    url = {task["id"]: task["data"]["image"] for task in tasks}
    pictures = [url[id] for id in ids]
    project = label_studio.project(SEQUENCE_CONFIG, "Sequence")
    sequences = [{"data": {"images": pictures[start : start + 20]}} for start in range(0, 120, 20)]
    sequence_ids = label_studio.import_tasks(project["id"], sequences)
    label_studio.connect(project["id"], backend.url)

    def path(number: int) -> list[str]:
        answers = digits[number].answers
        return [answers["loop"], str(digits[number].digit)]

    for turn, task in enumerate(sequence_ids[:4]):
        label_studio.annotate(
            task,
            [
                {
                    "id": f"item{item}",
                    "from_name": "digit",
                    "to_name": "pictures",
                    "type": "taxonomy",
                    "item_index": item,
                    "value": {"taxonomy": [path(turn * 20 + item)]},
                }
                for item in range(20)
            ],
        )
    backend.learned(project, 4)
    label_studio.action(project["id"], "retrieve_tasks_predictions", sequence_ids[4:])
    right = 0
    for turn, task in enumerate(sequence_ids[4:], start=4):
        (prediction,) = predictions(label_studio, task)
        check_result(SEQUENCE_CONFIG, prediction, lengths={"pictures": 20})
        right += sum(
            item["value"]["taxonomy"] == [path(turn * 20 + item["item_index"])] for item in prediction["result"]
        )
    assert right >= 24, f"{right} of 40 items right"


def test_real_pictures_with_a_nested_ontology(label_studio: Any, backend: Any, shared: Callable[[str], Path]) -> None:
    config = shared(NESTED).read_text()
    with (shared(PICTURES) / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    random.Random(0).shuffle(rows)
    rows = rows[:240]
    project = label_studio.project(config, "CIFAR")
    tasks = upload(label_studio, project, [shared(PICTURES) / row["filename"] for row in rows])
    labeled = 180
    for task, row in zip(tasks[:labeled], rows, strict=False):
        label_studio.annotate(task, choices("image", {"coarse": row["coarse"], f"fine_{row['coarse']}": row["fine"]}))
    label_studio.connect(project["id"], backend.url)
    backend.learned(project, labeled)
    label_studio.action(project["id"], "retrieve_tasks_predictions", tasks[labeled:])
    answered = right = 0
    for task, row in zip(tasks[labeled:], rows[labeled:], strict=True):
        (prediction,) = predictions(label_studio, task)
        check_result(config, prediction)
        said = chosen(prediction["result"])
        answered += "coarse" in said
        right += said.get("coarse") == row["coarse"]
    assert answered >= 40
    assert right / len(rows[labeled:]) >= 0.65, f"{right} of {len(rows) - labeled} right"


def frame_accuracy(story: list[Shot], scene: dict[int, str]) -> float:
    truth = {frame - 1: shot.scene for shot in story for frame in range(shot.start, shot.end + 1)}
    return sum(scene.get(frame) == name for frame, name in truth.items()) / len(truth)
