"""Videos: what is answered on their timelines, as it would leave, against what people drew."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np
import pytest

from espalier.judging.tree_truth import told
from espalier.judging.videos import video_figures
from espalier.learning.model import Model
from espalier.learning.tree_answers import answered_tree
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]

TREE = Ontology(
    (MediaTag("m", "video", "m"),),
    (
        Classification("tl", "m", "TimelineLabels", "timeline", "range", (Option(("run",)), Option(("jump",)))),
        Classification("sky", "m", "Choices", "single", "media", (Option(("sun",)), Option(("rain",)))),
    ),
)


def figures(judged_model: JudgedModel, videos: dict[str, tuple[str, str]], **changes: Any) -> dict[str, Any]:
    """videos: by name, one letter per frame for run, jump, both or none, as answered and as it is."""
    bits = {"r": [1, 0], "j": [0, 1], "b": [1, 1], "-": [0, 0]}
    said = [bits[letter] for answered, _ in videos.values() for letter in answered]
    true = [bits[letter] for _, truth in videos.values() for letter in truth]
    names = [name for name, (answered, _) in videos.items() for _ in answered]
    frames = [frame for answered, _ in videos.values() for frame in range(len(answered))]
    question = {"scores": np.array(said) * 0.9, "targets": true, "exclusive": False} | changes
    model = judged_model(TREE, {("tl", ()): question}, media=names, frames=frames)
    answers, truth = answered_tree(TREE, model), told(TREE, model)
    return video_figures(TREE, model, answers, truth, np.arange(len(frames))[::-1])


def test_means_over_videos_and_all_of_them_together(judged_model: JudgedModel) -> None:
    found = figures(judged_model, {"one": ("rrrr", "rrrr"), "two": ("rrr-----", "------jj"), "picture": ("r", "j")})
    assert set(found) == {"tl"}
    assert (found["tl"]["videos"], found["tl"]["frames"]) == (2, 12)
    assert found["tl"]["frame_accuracy"] == pytest.approx((1 + 3 / 8) / 2)
    assert found["tl"]["f1_50"] == pytest.approx((1 + 0) / 2)
    assert found["tl"]["edit"] == pytest.approx((1 + 0) / 2)
    assert found["tl"]["pooled"] == {
        "frame_accuracy": pytest.approx(7 / 12),
        "f1_10": pytest.approx(2 / 4), "f1_25": pytest.approx(2 / 4), "f1_50": pytest.approx(2 / 4),
    }  # fmt: skip


def test_ranges_are_made_steady_as_they_leave(judged_model: JudgedModel) -> None:
    found = figures(judged_model, {"one": ("rrr-rrr--j--", "rrrrrrr-----")})["tl"]
    assert found["frame_accuracy"] == 1.0, "the short gap is bridged, and the flicker dropped"
    assert found["edit"] == 1.0


def test_frames_of_which_nothing_was_said_are_not_there(judged_model: JudgedModel) -> None:
    mask = [[True, True]] * 4 + [[False, False]] * 4
    found = figures(judged_model, {"one": ("rrrrjjjj", "rrrr----")}, mask=mask)["tl"]
    assert (found["frames"], found["frame_accuracy"]) == (4, 1.0)


def test_pictures_alone_have_no_figures(judged_model: JudgedModel) -> None:
    assert figures(judged_model, {"one": ("r", "r"), "two": ("j", "j")}) == {}


def test_a_video_where_nothing_happens_and_nothing_is_answered(judged_model: JudgedModel) -> None:
    found = figures(judged_model, {"one": ("----", "----")})["tl"]
    assert found["frame_accuracy"] == 1.0
    assert found["edit"] is None
    assert found["pooled"]["f1_10"] is None
