"""What workers run, as a worker would call it: by name, with plain JSON, again and again."""

from __future__ import annotations

import json
import shutil
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.demo.results import choices
from espalier.jobs import figures, steps
from espalier.jobs.parameters import RunParameters
from espalier.jobs.serving import version_name
from espalier.jobs.unreadable import LEFT_ALONE_S

LOOP = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""


@pytest.fixture
def trained(home: Any) -> Any:
    """60 digits learned, 30 to predict: `home.tasks`."""
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(90, 60)
    steps.train(home.key)
    home.tasks = tasks[60:]
    return home


def figure(home: Any, name: str) -> int:
    return int(home.house.queues.redis.hget(figures.KEY, name) or 0)


def kept(home: Any, tasks: list[dict[str, Any]]) -> dict[int, Any]:
    found: dict[int, Any] = home.house.records.predictions(
        home.key, version_name(home.house, home.project), [task["id"] for task in tasks]
    )
    return found


def trainings_waiting(home: Any) -> int:
    return int(home.house.queues.waiting()["training"])


def test_training_says_what_came_of_it(home: Any) -> None:
    home.configure(LOOP)
    assert "nothing is annotated yet" in steps.train(home.key)
    assert figure(home, "trainings") == 0
    home.digits(20, 20)
    assert steps.train(home.key).startswith("espalier-v1: trained on 20 annotated media")
    assert figure(home, "trainings") == 1


def test_a_burst_of_annotations_is_one_training(home: Any) -> None:
    home.configure(LOOP)
    tasks, digits = home.digits(20, 0)
    for task, digit in zip(tasks, digits, strict=True):
        home.annotate(task["id"], choices("image", {"loop": digit.answers["loop"]}))
        home.house.queues.request_training(home.key)
    assert trainings_waiting(home) == 1
    assert "trained on 20 annotated media" in steps.train(home.key)
    home.annotate(1, choices("image", {"loop": "no loop"}))
    home.house.queues.request_training(home.key)
    assert trainings_waiting(home) == 2, "what came after the training began asks for another"


def test_connecting_without_a_token_says_what_is_missing_and_trains(
    home: Any, caplog: pytest.LogCaptureFixture
) -> None:
    home.configure(LOOP)
    home.digits(20, 20)
    assert steps.connect(home.key) == "project 7 is connected"
    assert "set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY" in caplog.text
    assert trainings_waiting(home) == 1
    steps.train(home.key)
    home.house.queues.training.empty()
    steps.connect(home.key)
    assert trainings_waiting(home) == 0, "all that is known was learned"


def test_the_same_tasks_are_predicted_once(trained: Any) -> None:
    trained.count_encoding()
    assert steps.predict(trained.key, trained.tasks) == 30
    assert len(kept(trained, trained.tasks)) == 30
    assert figure(trained, "tasks_predicted") == 30
    assert steps.predict(trained.key, trained.tasks) == 0
    assert sum(trained.encoded) == 30
    assert figure(trained, "tasks_predicted") == 30
    json.dumps([row.result for row in kept(trained, trained.tasks).values()])


def test_a_task_whose_annotations_changed_is_predicted_again(trained: Any) -> None:
    steps.predict(trained.key, trained.tasks)
    before = kept(trained, trained.tasks)
    told = dict(trained.tasks[0], annotations=[{"id": 900, "result": choices("image", {"loop": "no loop"})}])
    assert steps.predict(trained.key, [told, *trained.tasks[1:]]) == 1
    assert kept(trained, trained.tasks)[told["id"]].inputs != before[told["id"]].inputs
    skipped = dict(told, annotations=[told["annotations"][0] | {"was_cancelled": True}])
    assert steps.predict(trained.key, [skipped]) == 1, "as it was at first, but that was replaced"


def test_a_new_version_predicts_anew(trained: Any) -> None:
    steps.predict(trained.key, trained.tasks)
    steps.train(trained.key)
    assert kept(trained, trained.tasks) == {}
    assert steps.predict(trained.key, trained.tasks) == 30
    assert {row.version for row in kept(trained, trained.tasks).values()} == {"espalier-v2"}


def test_a_published_run_predicts_with_its_own_parameters_and_name(trained: Any) -> None:
    records = trained.house.records
    parameters = RunParameters(confidence=0.0, classifications=("loop",))
    run = records.add_run(trained.key, parameters.to_json(), version="espalier-v1-run1", previous="espalier-v1")
    records.publish(trained.key, run.version)
    steps.train(trained.key)
    records.publish(trained.key, run.version)  # while a newer version serves
    assert version_name(trained.house, trained.project) == "espalier-v1-run1"
    assert steps.predict(trained.key, trained.tasks) == 30
    rows = kept(trained, trained.tasks).values()
    assert {row.version for row in rows} == {"espalier-v1-run1"}
    assert {item["from_name"] for row in rows for item in row.result} == {"loop"}
    records.publish(trained.key, "somebody-elses")
    assert version_name(trained.house, trained.project) == "espalier-v2"


def test_before_the_first_training_nothing_is_answered_and_nothing_fails(home: Any) -> None:
    home.configure(LOOP)
    tasks, _ = home.digits(3, 0)
    assert steps.predict(home.key, tasks) == 0
    assert trainings_waiting(home) == 0


def test_another_encoder_asks_for_a_training_and_answers_nothing(
    trained: Any,
    new_home: Callable[..., Any],
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    other = new_home()
    encoder = _renamed(trained.house.encoder())
    monkeypatch.setattr(other.house, "_open", lambda *_, **__: encoder)
    for _ in range(3):
        assert steps.predict(other.key, trained.tasks) == 0
    assert "was trained on embeddings of classic, and this worker has other: train again" in caplog.text
    assert kept(other, trained.tasks) == {}
    assert trainings_waiting(other) == 1
    assert steps.train(other.key).startswith("espalier-v2")
    assert steps.predict(other.key, trained.tasks) == 30


def test_a_version_whose_files_are_gone_is_trained_anew(trained: Any) -> None:
    version = trained.house.version(trained.project)
    shutil.rmtree(version.directory)
    trained.house._models.clear()
    assert steps.predict(trained.key, trained.tasks) == 0
    assert trainings_waiting(trained) == 1
    assert steps.train(trained.key).startswith("espalier-v2")
    assert steps.predict(trained.key, trained.tasks) == 30


def test_a_file_that_cannot_be_had_is_tried_again_after_a_while(
    trained: Any, tmp_path: Path, caplog: pytest.LogCaptureFixture
) -> None:
    (task,) = trained.add_tasks([{"image": str(tmp_path / "late.png")}], first=500)
    assert steps.predict(trained.key, [task, trained.tasks[0]]) == 2
    assert "task 500, 'image'" in caplog.text
    assert figure(trained, "media_failures") == 1
    assert set(kept(trained, [task, trained.tasks[0]])) == {trained.tasks[0]["id"]}
    assert steps.predict(trained.key, [task]) == 0, "not at once again"
    shutil.copy(trained.tasks[0]["data"]["image"], tmp_path / "late.png")
    redis = trained.house.queues.redis
    (mark,) = redis.keys("espalier:unreadable:*")
    assert 0 < redis.ttl(mark) <= LEFT_ALONE_S
    redis.delete(mark)
    assert steps.predict(trained.key, [task]) == 1
    assert kept(trained, [task])[500].result


def test_pushing_without_a_token_says_so(trained: Any, caplog: pytest.LogCaptureFixture) -> None:
    assert steps.push(trained.key, "espalier-v1", [61]) == 0
    assert "cannot be pushed without LABEL_STUDIO_API_KEY" in caplog.text


def _renamed(encoder: Any) -> Any:
    """The same encoder under another digest, as after a change of weights."""
    encoder.spec = replace(encoder.spec, name="other", digest="f" * 32)
    return encoder
