"""Conditions are what a plain loop over the catalogue, the answers and the predictions would find."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import numpy as np
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espalier.demo.results import choices
from espalier.errors import BadRequest
from espalier.search.conditions import Conditions, allowed
from espalier.search.places import places
from espalier.search.searchable import searchable
from espalier.store.catalogue import Shown

VIDEO_FRAMES = 60
PAGES = 3


@dataclass
class Frame:
    """A frame of one task, as people know it: numbered from 1."""

    task: int
    number: int
    kind: str
    time_s: float | None = None
    said: set[tuple[str, str]] = field(default_factory=set)
    predicted: dict[tuple[str, str], float] = field(default_factory=dict)


def furnish(site: Any) -> list[Frame]:
    """Images 1 to 12, sequences 21 to 24 and videos 31 to 33, some of them labeled, some predicted."""
    random = np.random.default_rng(11)
    frames: list[Frame] = []
    site.serve()
    site.images(site.rows(12))
    for task in range(1, 13):
        frame = Frame(task, 1, "image")
        if task % 3:
            name = ("rain", "sun")[task % 2]
            site.label(task, weather=name)
            frame.said.add(("weather", name))
        if task % 4:
            score, name = round(float(random.random()), 2), ("rain", "sun")[int(random.integers(2))]
            site.predict(task, [{**one, "score": score} for one in choices("image", {"weather": name})])
            frame.predicted["weather", name] = score
        frames.append(frame)
    for task in range(21, 25):
        site.show(*(Shown(task, "pages", item, f"page {task} {item}", "sequence") for item in range(PAGES)))
        site.embed([(f"page {task} {item}", 0) for item in range(PAGES)], site.rows(PAGES))
        said = {1: {"text"}, 2: {"text", "plate"}} if task % 2 else {}
        site.annotate(task, [site.page(item, *sorted(names)) for item, names in said.items()])
        frames += [
            Frame(task, item + 1, "sequence", said={("page", name) for name in said.get(item, ())})
            for item in range(PAGES)
        ]
    for task in range(31, 34):
        numbers = list(range(0, VIDEO_FRAMES, task - 30))
        site.video(task, site.rows(len(numbers)), numbers=[*numbers[:-1], VIDEO_FRAMES - 1])
        site.annotate(task, site.shots(("wide", 1, 20), ("close", 15, 30)))
        site.predict(task, site.shots(("wide", 25, 40), scores=[0.75]))
        for frame_number in [*numbers[:-1], VIDEO_FRAMES - 1]:
            frame = Frame(task, frame_number + 1, "video", frame_number / 10)
            frame.said |= {("shot", "wide")} if frame_number < 20 else set()
            frame.said |= {("shot", "close")} if 14 <= frame_number < 30 else set()
            frame.predicted |= {("shot", "wide"): 0.75} if 24 <= frame_number < 40 else {}
            frames.append(frame)
    return frames


def holds(frame: Frame, wanted: dict[str, Any]) -> bool:
    """Plainly."""
    low, high = wanted.get("min_confidence"), wanted.get("max_confidence")
    label, predicted = wanted.get("label"), wanted.get("predicted")
    if label is not None and not any(name[: len(label)] == tuple(label) for name in frame.said):
        return False
    if {"predicted", "min_confidence", "max_confidence"} & wanted.keys() and not any(
        (predicted is None or name[: len(predicted)] == tuple(predicted))
        and (low is None or score >= low)
        and (high is None or score <= high)
        for name, score in frame.predicted.items()
    ):
        return False
    if "unlabeled" in wanted and wanted["unlabeled"] == bool(frame.said):
        return False
    if "tasks" in wanted and frame.task not in wanted["tasks"]:
        return False
    if "media" in wanted and frame.kind not in wanted["media"]:
        return False
    if not wanted.get("first", 1) <= frame.number <= wanted.get("last", 10**9):
        return False
    if "from_s" in wanted or "to_s" in wanted:
        return frame.time_s is not None and wanted.get("from_s", 0) <= frame.time_s < wanted.get("to_s", 10**9)
    return True


LABELS = st.sampled_from([["weather"], ["weather", "rain"], ["shot", "wide"], ["shot"], ["page", "plate"]])
CONFIDENCE = st.sampled_from([0.0, 0.25, 0.5, 0.75, 1.0])
WANTED = st.fixed_dictionaries(
    {},
    optional={
        "label": LABELS,
        "predicted": LABELS,
        "min_confidence": CONFIDENCE,
        "max_confidence": CONFIDENCE,
        "unlabeled": st.booleans(),
        "tasks": st.lists(st.sampled_from([1, 2, 7, 12, 22, 23, 31, 32, 99]), max_size=4),
        "media": st.lists(st.sampled_from(["image", "sequence", "video"]), max_size=2),
        "first": st.integers(1, 30),
        "last": st.integers(30, 70),
        "from_s": st.sampled_from([0.0, 0.5, 2.0]),
        "to_s": st.sampled_from([2.0, 3.5, 100.0]),
    },
)


def test_conditions_are_what_a_plain_loop_finds(site: Any) -> None:
    frames = furnish(site)

    @settings(max_examples=300, deadline=None, suppress_health_check=[HealthCheck.too_slow])
    @given(WANTED)
    def alike(wanted: dict[str, Any]) -> None:
        if wanted.get("min_confidence", 0) > wanted.get("max_confidence", 1):
            with pytest.raises(BadRequest, match="nothing could be found"):
                Conditions.from_json(wanted)
            return
        ids = allowed(site.house, site.project, Conditions.from_json(wanted))
        if ids is None:
            assert not wanted
            ids = searchable(site.house, site.project).frames.ids
        assert (np.diff(ids) > 0).all()
        found = {(place.task_id, place.frame + 1) for one in places(site.house, site.project, ids) for place in one}
        assert found == {(frame.task, frame.number) for frame in frames if holds(frame, wanted)}

    alike()


def test_what_changes_is_heard_of_without_reading_all_anew(site: Any) -> None:
    site.serve()
    site.images(site.rows(6))

    def tasks(**wanted: Any) -> list[int]:
        ids = allowed(site.house, site.project, Conditions.from_json(wanted))
        assert ids is not None
        return [one[0].task_id for one in places(site.house, site.project, ids)]

    assert tasks(label="weather: rain") == []
    site.label(2, weather="rain")
    site.label(4, weather="rain")
    assert tasks(label="weather: rain") == [2, 4]
    site.label(2, weather="sun")
    assert tasks(label="weather: rain") == [4]
    site.house.records.forget_annotations(site.key, [4])
    assert tasks(label="weather") == [2]
    assert tasks(unlabeled=True) == [1, 3, 4, 5, 6]

    assert tasks(predicted="weather: sun") == []
    site.predict(1, choices("image", {"weather": "sun"}))
    site.predict(3, [{**one, "score": 0.5} for one in choices("image", {"weather": "sun"})])
    assert tasks(predicted="weather: sun") == [1, 3]
    assert tasks(predicted="weather: sun", min_confidence=0.6) == [1]
    site.predict(1, choices("image", {"weather": "rain"}))
    assert tasks(predicted="weather: sun") == [3]
    # As many as before, of the same version, and other ones: what was dropped must not be taken for what came since.
    site.house.records.drop_predictions(site.key, "v1")
    site.predict(5, choices("image", {"weather": "sun"}))
    site.predict(6, choices("image", {"weather": "sun"}))
    assert tasks(predicted="weather: sun") == [5, 6]
    site.house.records.drop_predictions(site.key, "v1")
    assert tasks(predicted="weather: sun") == []

    site.serve("v2")
    site.predict(5, choices("image", {"weather": "sun"}), "v2")
    assert tasks(predicted="weather: sun") == [5]

    site.house.records.forget_tasks(site.key, [5])
    assert tasks(predicted="weather: sun") == []
    assert tasks(media=["image"]) == [1, 2, 3, 4, 6]
    site.images(site.rows(1), first=9)
    site.label(9, weather="rain")
    assert tasks(label="weather: rain") == [9]


def test_a_label_that_was_renamed_is_found_by_its_new_name(site: Any) -> None:
    site.images(site.rows(3))
    site.label(1, weather="rain")
    assert len(searchable(site.house, site.project).labels.people()) == 1
    site.house.records.put_project(site.key, label_config=site.project.label_config.replace('"rain"', '"wet"'))
    with pytest.raises(BadRequest, match="'weather' has no option 'rain'; it has 'wet', 'sun'"):
        allowed(site.house, site.project, Conditions.from_json({"label": "weather: rain"}))
    found = allowed(site.house, site.project, Conditions.from_json({"label": "weather: wet"}))
    assert found is not None
    assert not len(found), "nobody has said what became of rain"


@pytest.mark.parametrize(
    ("wanted", "words"),
    [
        ({"lable": "x"}, "'lable' is not known; known are label"),
        ({"label": 3}, "label must be a classification"),
        ({"label": "mood: rain"}, "no classification 'mood'; there are 'weather', 'page', 'shot'"),
        ({"predicted": ["weather", "hail"]}, "'weather' has no option 'hail'; it has 'rain', 'sun'"),
        ({"min_confidence": 1.5}, "min_confidence must be a number within 0 and 1"),
        ({"min_confidence": 0.5, "max_confidence": 0.4}, "nothing could be found"),
        ({"unlabeled": "yes"}, "unlabeled must be true or false"),
        ({"tasks": "12"}, "tasks must be a list of task ids"),
        ({"tasks": [True]}, "tasks must be a list of task ids"),
        ({"media": ["film"]}, "media takes image, sequence, video, or digests of media here, got 'film'"),
        ({"first": 0}, "first must be a whole number of at least 1"),
        ({"first": 9, "last": 3}, "first=9 is above last=3"),
        ({"from_s": float("nan")}, "from_s must be a number of at least 0"),
        ([], "conditions must be a JSON object"),
    ],
    ids=lambda value: str(value)[:40],
)
def test_what_cannot_be_meant_is_refused_in_words(site: Any, wanted: Any, words: str) -> None:
    site.images(site.rows(2))
    with pytest.raises(BadRequest, match=words):
        allowed(site.house, site.project, Conditions.from_json(wanted))
