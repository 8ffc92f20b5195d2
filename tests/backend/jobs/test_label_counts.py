"""The label counts of a project: what training would see, without its media."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_pan
from espalier.demo.results import choices, timeline
from espalier.jobs.choosing import keep
from espalier.jobs.label_counts import label_counts
from espalier.labeling.label_counts import LabelCounts
from espalier.learning.model import Model
from espalier.learning.training_parameters import TrainingParameters

PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="c" toName="image"><Choice value="a"/><Choice value="b"/></Choices></View>"""


def numbers(counts: LabelCounts) -> dict[tuple[str, str], tuple[int, int]]:
    return {
        (question.name, option.name): (option.media, option.frames)
        for question in counts.questions
        for option in question.options
    }


def test_media_that_are_nowhere_are_counted_all_the_same(home: Any) -> None:
    home.configure(PLAIN)
    home.add_tasks([{"image": f"https://pictures.invalid/{n}.png"} for n in range(9)])
    for id in range(1, 7):
        home.annotate(id, choices("image", {"c": "ab"[id % 2]}))
    home.annotate(7, choices("image", {"c": "a"}), was_cancelled=True)
    counts = label_counts(home.house, home.project)
    assert numbers(counts) == {("c", "a"): (3, 3), ("c", "b"): (3, 3)}
    assert counts.warnings == ("c: fewer than 15 images, so what is measured is a guess: a (3), b (3)",)


def test_the_counts_are_those_that_training_finds(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(30, 30)
    counted = numbers(label_counts(home.house, home.project))
    heads = Model.load(Path(home.train().directory)).heads
    trained = {(head.classification, path[-1]): count for head in heads.values() for path, count in head.counts.items()}
    assert {name: frames for name, (_, frames) in counted.items()} == trained


def test_a_video_is_counted_by_the_frames_that_were_labeled(home: Any, tmp_path: Path) -> None:
    home.configure(VIDEO_CONFIG)
    story = write_pan(tmp_path / "pan.mp4", seed=0)
    home.add_tasks([{"video": str(tmp_path / "gone.mp4")}])
    home.annotate(1, timeline(story))
    counts = label_counts(home.house, home.project)
    labeled = {scene: sum(s.end - s.start + 1 for s in story if s.scene == scene) for scene in {s.scene for s in story}}
    found = {option.name: option.frames for option in counts.questions[0].options if option.frames}
    assert found == labeled


@pytest.mark.parametrize(
    ("chosen", "expected", "told"),
    [
        ({"tasks": (1, 2, 3)}, {("c", "a"): 1, ("c", "b"): 2}, "left out: 6 of 9 tasks, which were not chosen"),
        ({"background": "day=2"}, {("c", "a"): 3, ("c", "b"): 3}, ""),
        ({"val_tasks": (2,)}, {("c", "a"): 3, ("c", "b"): 3}, "c: the chosen validation set has no b"),
        ({"group_column": "day"}, {("c", "a"): 3, ("c", "b"): 3}, ""),
    ],
    ids=["tasks", "background", "validation", "groups"],
)
def test_what_was_chosen_is_heeded(home: Any, chosen: dict[str, Any], expected: dict[Any, int], told: str) -> None:
    home.configure(PLAIN)
    home.add_tasks([{"image": f"{n}.png", "day": n // 4} for n in range(9)])
    for id in range(1, 7):
        home.annotate(id, choices("image", {"c": "ab"[id % 2]}))
    keep(home.house, home.project, TrainingParameters(**chosen))
    counts = label_counts(home.house, home.project)
    assert {name: media for name, (media, _) in numbers(counts).items()} == expected
    said = [*counts.warnings, *(f"left out: {sentence}" for sentence in counts.left_out)]
    assert any(sentence.startswith(told) for sentence in said)
    assert counts.questions[0].background == (1 if "background" in chosen else 0)
    assert {option.name: option.parts.get("validation", 0) for option in counts.questions[0].options} == {
        "a": int("val_tasks" in chosen),
        "b": 0,
    }


def test_the_models_own_guesses_are_told_apart(home: Any) -> None:
    home.configure(PLAIN)
    home.add_tasks([{"image": f"{n}.png"} for n in range(4)])
    for id in (1, 2, 3):
        home.annotate(id, choices("image", {"c": "a"}))
    home.annotate(4, choices("image", {"c": "b"}), parent_prediction=5)
    counts = label_counts(home.house, home.project)
    assert numbers(counts)["c", "b"] == (0, 0)
    assert counts.left_out == ("1 annotations that are predictions accepted unseen (accepted_weight is 0)",)
    weighed = label_counts(home.house, home.project, TrainingParameters(accepted_weight=0.5))
    assert numbers(weighed)["c", "b"] == (1, 1)
