"""A classifier that lives, in a house where everything is real: what was answered last is what is predicted next."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.demo.pictures import VIDEO_CONFIG, Digit, write_pan
from espalier.demo.results import choices, timeline
from espalier.jobs import remapping, serving, steps
from espalier.jobs.freshness import Freshness
from espalier.jobs.live_models import live_model
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predictor
from espalier.jobs.progress import Progress
from espalier.jobs.task_frames import task_frames
from espalier.learning.model import Model

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="digit" toName="image" model_plugin="dynamic">{}</Choices></View>"""
NESTED = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image" model_plugin="dynamic">
    <Choice value="has a loop"/><Choice value="no loop"/></Choices>
  <Choices name="loops" toName="image" model_plugin="dynamic" visibleWhen="choice-selected" whenTagName="loop"
      whenChoiceValue="has a loop"><Choice value="one"/><Choice value="two"/></Choices></View>"""


def asks(*options: str) -> str:
    return CONFIG.format("".join(f'<Choice value="{option}"/>' for option in options))


def model(home: Any) -> Model:
    """As it predicts now."""
    return Predictor(home.house, home.project, home.house.version(home.project), RunParameters()).model


def said(home: Any, task: Mapping[str, Any]) -> str | None:
    """What is predicted for a task now."""
    (predicted,) = home.predict([task])
    results = predicted.row.result
    return str(results[0]["value"]["choices"][0]) if results else None


def answer(home: Any, task_id: int, option: str, **more: Any) -> int:
    return int(home.annotate(task_id, choices("image", {"digit": option}), **more))


def of(digits: list[Digit], value: int) -> list[int]:
    """Task ids of the pictures that show it."""
    return [number for number, digit in enumerate(digits, start=1) if digit.digit == value]


@pytest.fixture
def zeros_and_ones(home: Any) -> Any:
    """Two options with four answers each; `home.tasks`, `home.seen` (what the pictures show, by task id)."""
    home.configure(asks("0", "1"))
    home.tasks, digits = home.digits(80, 0)
    home.seen = {number: digit.digit for number, digit in enumerate(digits, start=1)}
    for value in (0, 1):
        for task_id in of(digits, value)[:4]:
            answer(home, task_id, str(value))
    home.train()
    return home


def task(home: Any, value: int, place: int) -> dict[str, Any]:
    ids = [task_id for task_id, shown in home.seen.items() if shown == value]
    return dict(home.tasks[ids[place] - 1])


def test_nothing_answered_at_all_says_nothing_and_the_first_answer_is_used(home: Any) -> None:
    home.configure(asks("0", "1"))
    home.tasks, digits = home.digits(30, 0)
    first = home.train()
    assert said(home, home.tasks[0]) is None
    zeros = of(digits, 0)
    answer(home, zeros[0], "0")
    assert said(home, home.tasks[zeros[1] - 1]) == "0"
    assert home.project.served == first.name


def test_an_answer_is_used_changed_and_taken_back_without_a_training(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    served, other = home.project.served, task(home, 7, 1)
    given = answer(home, task(home, 7, 0)["id"], "1")
    assert said(home, task(home, 7, 0)) == "1"
    answer(home, task(home, 7, 0)["id"], "0", id=given)
    assert said(home, task(home, 7, 0)) == "0"
    before = model(home).scores(pictures(home, [other["id"]]))["digit", ()]
    home.house.records.forget_annotations(home.key, [given])
    after = model(home).scores(pictures(home, [other["id"]]))["digit", ()]
    assert not np.allclose(before, after)
    assert home.project.served == served


def test_an_option_added_to_the_configuration_is_answered_after_one_example(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    assert said(home, task(home, 6, 1)) != "6"
    home.configure(asks("0", "1", "6"))
    assert said(home, task(home, 6, 1)) != "6", "it has a column, and no example"
    assert said(home, task(home, 0, 5)) == "0"
    answer(home, task(home, 6, 0)["id"], "6")
    assert said(home, task(home, 6, 1)) == "6"
    home.house.records.forget_annotations(home.key, [home.annotations])
    assert said(home, task(home, 6, 1)) != "6", "its examples are gone, and so is the class"


def test_a_rename_a_merge_and_a_split_carry_over_without_training_and_back(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    served, zero, one = home.project.served, task(home, 0, 5), task(home, 1, 5)

    home.configure(asks("zero", "1"))
    assert said(home, zero) != "0"
    renamed = remapping.add(home.house, home.project, "rename", "digit", [("0",)], [("zero",)])
    assert (said(home, zero), said(home, one)) == ("zero", "1")
    remapping.undo(home.house, home.project, renamed.mappings[0].id)
    assert said(home, zero) != "zero", "nobody has answered it in this word"

    home.configure(asks("0", "1", "any"))
    merged = remapping.add(home.house, home.project, "merge", "digit", [("0",), ("1",)], [("any",)])
    assert (said(home, zero), said(home, one)) == ("any", "any")
    for mapping in merged.mappings:
        remapping.undo(home.house, home.project, mapping.id)
    assert (said(home, zero), said(home, one)) == ("0", "1")

    home.configure(asks("0 a", "0 b", "1"))
    remapping.add(home.house, home.project, "split", "digit", [("0",)], [("0 a",), ("0 b",)])
    assert said(home, zero) not in ("0 a", "0 b"), "somebody must say first"
    answer(home, task(home, 0, 0)["id"], "0 a", id=1)
    assert said(home, task(home, 0, 0)) == "0 a"
    assert home.project.served == served


def test_a_retired_option_is_answered_no_more(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    remapping.add(home.house, home.project, "retire", "digit", [("0",)], [])
    assert said(home, task(home, 0, 5)) != "0"
    assert said(home, task(home, 1, 5)) == "1"


@pytest.mark.parametrize("seed", [0, 1])
def test_after_any_answers_it_predicts_as_one_that_was_trained_on_them(
    seed: int, zeros_and_ones: Any, new_home: Callable[..., Any]
) -> None:
    """Kept in a worker all the time; loaded by a worker that starts anew; and trained anew: nothing jumps."""
    home, rng = zeros_and_ones, np.random.default_rng(seed)
    for _ in range(4):
        for _ in range(6):
            given = [one for one in home.house.records.annotations(home.key) if not one.was_cancelled]
            deed = rng.choice(["add", "change", "delete", "skip", "task"], p=[0.5, 0.2, 0.15, 0.1, 0.05])
            task_id, option = int(rng.integers(1, 81)), str(rng.integers(0, 2))
            if deed == "add" or not given:
                answer(home, task_id, option)
                continue
            one = given[int(rng.integers(len(given)))]
            if deed == "delete":
                home.house.records.forget_annotations(home.key, [one.id])
            elif deed == "task":
                home.house.records.forget_tasks(home.key, [one.task_id])
            else:
                answer(home, one.task_id, option, id=one.id, was_cancelled=bool(deed == "skip"))
        live = model(home)
    again = new_home()
    again.clock, again.annotations = home.clock, home.annotations
    loaded = model(again)
    home.train()
    newest = home.house.records.versions(home.key)[0]
    trained = home.house.model(Path(newest.directory))
    rows = pictures(home, range(1, 81))
    scores = [raw(found, rows) for found in (live, loaded, trained)]
    np.testing.assert_allclose(scores[0], scores[2], atol=1e-5)
    np.testing.assert_allclose(scores[1], scores[2], atol=1e-5)


def test_a_reconciled_mirror_is_followed(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    model(home)
    kept = [{"id": one["id"], "data": one["data"], "annotations": []} for one in home.tasks if one["id"] % 2]
    zero = next(one for one in kept if home.seen[one["id"]] == 0)
    zero["annotations"] = [
        {"id": 99, "task": zero["id"], "result": choices("image", {"digit": "1"}), "updated_at": "2025-01-01T00:00:00Z"}
    ]
    home.house.records.reconcile(home.key, kept)
    assert said(home, task(home, home.seen[zero["id"]], 0)) in ("1", None)
    live = model(home)
    home.train()
    trained = home.house.model(Path(home.house.records.versions(home.key)[0].directory))
    rows = pictures(home, range(1, 81))
    np.testing.assert_allclose(raw(live, rows), raw(trained, rows), atol=1e-5)


def test_an_attribute_is_asked_only_where_its_parent_holds(home: Any) -> None:
    home.configure(NESTED)
    tasks, digits = home.digits(60, 0)
    home.train()
    for task_id, digit in enumerate(digits[:30], start=1):
        home.annotate(
            task_id, choices("image", {name: digit.answers[name] for name in digit.answers if name in NESTED})
        )
    for predicted in home.predict(tasks[30:]):
        found = {item["from_name"]: item["value"]["choices"][0] for item in predicted.row.result}
        assert found.get("loop") == "has a loop" or "loops" not in found
    assert {key for key, head in model(home).heads.items() if head.trained} == {("loop", ()), ("loops", ())}


def test_what_was_predicted_is_fresh_until_anybody_answers(zeros_and_ones: Any) -> None:
    home, one = zeros_and_ones, zeros_and_ones.tasks[40]
    name = home.project.served

    def kept() -> bool:
        row = home.house.records.predictions(home.key, name, [one["id"]]).get(one["id"])
        return Freshness.of(home.house.records, home.project, name).holds(row, one)

    assert serving.predict(home.house, home.project, [one], Progress()) == 1
    assert kept()
    assert serving.predict(home.house, home.project, [one], Progress()) == 0
    answer(home, 50, "1")
    assert not kept()
    assert serving.predict(home.house, home.project, [one], Progress()) == 1
    assert kept()


def pictures(home: Any, task_ids: Any) -> Any:
    """Their embeddings, float32 (n, dim)."""
    encoder = home.house.encoder()
    tasks = [home.tasks[task_id - 1] for task_id in task_ids]
    return task_frames(home.house, home.project, tasks, encoder, Progress()).embeddings


def raw(found: Model, rows: Any) -> Any:
    """What the classifier says, before calibration."""
    classifier = found.heads["digit", ()].classifier
    assert classifier is not None
    return classifier.predict(rows)


def test_a_timeline_is_told_by_everything_that_is_answered(home: Any, tmp_path: Path) -> None:
    """Where a label has no counter-example yet, the frames under no label are its counter-examples; later not."""
    home.configure(VIDEO_CONFIG.replace("<TimelineLabels ", '<TimelineLabels model_plugin="dynamic" '))
    stories = [write_pan(tmp_path / f"{seed}.mp4", seed=seed, shots=6) for seed in range(3)]
    home.tasks = home.add_tasks([{"video": str(tmp_path / f"{seed}.mp4")} for seed in range(3)])
    home.train()
    for task_id, story in enumerate(stories[:2], start=1):
        home.annotate(task_id, timeline(story))
        live = model(home)
    home.house.records.forget_annotations(home.key, [1])
    live = model(home)
    home.train()
    trained = home.house.model(Path(home.house.records.versions(home.key)[0].directory))
    rows = pictures(home, [3])
    heads = {key: head for key, head in live.heads.items() if head.living}
    assert heads
    for key, head in heads.items():
        assert head.classifier is not None
        other = trained.heads[key].classifier
        assert other is not None
        np.testing.assert_allclose(head.classifier.predict(rows), other.predict(rows), atol=1e-5)


def test_a_run_goes_by_what_was_answered_while_it_ran(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    home.configure(asks("0", "1", "6"))
    version = home.house.version(home.project)
    predictor = Predictor(home.house, home.project, version, RunParameters(), name=f"{version.name}-run1")
    six = task(home, 6, 1)
    (before,) = predictor.predict([six], Progress())
    answer(home, task(home, 6, 0)["id"], "6")
    (after,) = predictor.predict([six], Progress())
    named = [[item["value"]["choices"] for item in found.row.result] for found in (before, after)]
    assert named[0] != [["6"]]
    assert named[1] == [["6"]]


def test_a_picture_that_two_tasks_show_is_told_by_both(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    twin = {"id": 900, "data": dict(home.tasks[task(home, 0, 0)["id"] - 1]["data"]), "annotations": []}
    home.house.records.mirror_tasks(home.key, [twin])
    given = answer(home, 900, "1")
    rows = pictures(home, [task(home, 0, 0)["id"]])
    differing = raw(model(home), rows)
    home.house.records.forget_annotations(home.key, [given])
    agreed = raw(model(home), rows)
    assert agreed[0, 0] > differing[0, 0], "where people differ, nothing is said"


def test_without_tasks_a_model_that_lives_is_made_ready(zeros_and_ones: Any) -> None:
    home = zeros_and_ones
    answer(home, 50, "1")
    assert serving.predict(home.house, home.project, [], Progress()) == 0
    live = live_model(home.house, home.house.version(home.project))
    assert live is not None
    assert live.names == ("digit",)


def test_connecting_asks_for_a_version_before_the_first_answer_and_training_makes_it_ready(home: Any) -> None:
    home.configure(asks("0", "1"))
    steps.connect(home.key)
    assert home.house.queues.waiting()["training"] == 1
    assert steps.train(home.key).startswith("espalier-v1")
    assert home.house.queues.waiting()["prediction"] == 2, "when it begins, and when it is done"
