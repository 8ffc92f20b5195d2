"""From tasks to predictions, on real pictures: right for Label Studio, inside the range, and never an orphan."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import replace
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from label_studio_sdk.label_interface import LabelInterface
from sklearn.datasets import load_sample_image

from espalier.demo.pictures import FRAME_RATE, IMAGE_CONFIG, VIDEO_CONFIG, write_digits, write_pan
from espalier.demo.results import choices, timeline
from espalier.errors import NotTrained
from espalier.jobs.predicting import Predicted
from espalier.labelstudio.wire import inputs_digest
from espalier_ontology import regions, rules
from espalier_ontology.answers import Answer
from espalier_ontology.labeling_config import parse, with_choices
from espalier_ontology.timeline import Timeline

SEQUENCE_CONFIG = """<View><Image name="pictures" valueList="$images"/>
  <Choices name="loop" toName="pictures" perItem="true"><Choice value="has a loop"/><Choice value="no loop"/></Choices>
</View>"""
LOOP = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""


def checked(
    config: str,
    predicted: Predicted,
    *,
    data: Mapping[str, Any] | None = None,
    timelines: Mapping[str, Timeline] | None = None,
    lengths: Mapping[str, int] | None = None,
) -> tuple[Answer, ...]:
    """Valid for Label Studio's own SDK, and for our rules, which are stricter. Returns what was read."""
    row = predicted.row
    assert 0 <= row.score <= 1
    body = {"result": row.result, "score": row.score, "model_version": row.version}
    assert LabelInterface(config).validate_prediction(body, return_errors=True) in ([], True), row.result
    ontology = with_choices(parse(config), [data or {}])
    reading = regions.read(ontology, row.result, timelines=timelines, lengths=lengths, source=row.version)
    assert not reading.problems
    assert not rules.check(ontology, reading.answers)
    return reading.answers


def said(predicted: Predicted) -> dict[str, str]:
    return {item["from_name"]: item["value"]["choices"][0] for item in predicted.row.result}


@pytest.fixture
def pan(home: Any, tmp_path: Path) -> Any:
    """A labeled video, and one of 120 frames that is not: `home.tasks`."""
    home.configure(VIDEO_CONFIG)
    story = write_pan(tmp_path / "first.mp4", seed=0, shots=6)
    write_pan(tmp_path / "second.mp4", seed=1, shots=6)
    home.tasks = home.add_tasks([{"video": str(tmp_path / f"{name}.mp4")} for name in ("first", "second")])
    home.annotate(1, timeline(story))
    home.train()
    home.clock_of = {"video": Timeline([n / FRAME_RATE for n in range(120)], 120 / FRAME_RATE, FRAME_RATE)}
    return home


def ranges(predicted: Predicted) -> list[tuple[int, int]]:
    return [(one["start"], one["end"]) for item in predicted.row.result for one in item["value"]["ranges"]]


def test_images_are_answered_down_the_tree(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(150, 100)
    home.train()
    found = home.predict(tasks[100:])
    assert [predicted.row.task_id for predicted in found] == [task["id"] for task in tasks[100:]]
    for predicted, task in zip(found, tasks[100:], strict=True):
        checked(IMAGE_CONFIG, predicted)
        assert predicted.row.inputs == inputs_digest(task)
        assert predicted.row.version == "espalier-v1"
        assert (predicted.frames, predicted.row.message) == (1, "")
    right = sum(
        said(predicted).get("loop") == digit.answers["loop"]
        for predicted, digit in zip(found, digits[100:], strict=True)
    )
    assert right >= 42, f"{right} of 50"
    assert sum("digit" in " ".join(said(predicted)) for predicted in found) >= 35, "children were answered too"


def test_equal_tasks_are_answered_alike_and_nothing_is_encoded_twice(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(90, 60)
    home.train()
    home.count_encoding()
    first = home.predict(tasks[60:])
    assert sum(home.encoded) == 30
    again = home.predict(tasks[60:])
    assert sum(home.encoded) == 30
    assert [one.row for one in first] == [one.row for one in again]


def test_children_wait_for_people_where_the_run_says_so(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(90, 60)
    home.train()
    bold = home.predict(tasks[60:], parents="run", confidence=0.0)
    assert all("digit" in " ".join(said(one)) for one in bold)
    shy = home.predict(tasks[60:], parents="people", confidence=0.0)
    assert all(set(said(one)) == {"loop"} for one in shy)
    told = dict(tasks[60], annotations=[{"id": 900, "result": choices("image", {"loop": "no loop"})}])
    (one,) = home.predict([told], parents="people", confidence=0.0)
    checked(IMAGE_CONFIG, one)
    assert set(said(one)) == {"loop", "open digit"}
    assert said(one)["loop"] == "no loop", "the parent stands in the result, as the person said it"


@pytest.mark.parametrize("option", ["no loop", "has a loop"])
def test_what_people_answered_decides_what_is_asked(home: Any, option: str) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(90, 60)
    home.train()
    other = next(n for n in range(60, 90) if digits[n].answers["loop"] != option)
    told = dict(tasks[other], annotations=[{"id": 900, "result": choices("image", {"loop": option})}])
    (one,) = home.predict([told], confidence=0.0)
    checked(IMAGE_CONFIG, one)
    child = {"no loop": "open digit", "has a loop": "looped digit"}[option]
    assert child in said(one)
    assert said(one).get("loop", option) == option
    assert all(answer.source == "espalier-v1" for answer in one.answers), "people's answers are not counted as ours"


def test_a_skipped_annotation_decides_nothing(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(70, 60)
    home.train()
    told = {"id": 900, "was_cancelled": True, "result": choices("image", {"loop": "no loop"})}
    (plain,) = home.predict(tasks[60:61])
    (skipped,) = home.predict([dict(tasks[60], annotations=[told])])
    assert skipped.row == plain.row


def test_cutoffs_for_all_for_a_classification_and_for_an_option(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(110, 80)
    home.train()
    rest = tasks[80:]
    assert all(not one.row.result for one in home.predict(rest, confidence=1.0))
    assert all("loop" in said(one) for one in home.predict(rest, confidence=0.0))
    only = home.predict(rest, confidence=0.0, confidences={"looped digit": 1.0, "open digit": 1.0})
    assert {name for one in only for name in said(one)} == {"loop"}
    # An option's own cutoff wins, in whatever order they are given.
    for cutoffs in ({"loop": 0.0, "loop/no loop": 1.0}, {"loop/no loop": 1.0, "loop": 0.0}):
        found = home.predict(rest, confidence=0.0, confidences=cutoffs)
        assert {said(one)["loop"] for one in found if one.row.result} == {"has a loop"}
    sure = [item["score"] for one in home.predict(rest, confidence=0.7) for item in one.row.result]
    assert min(sure) >= 0.7


def test_only_the_classifications_asked_for_are_answered(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(90, 60)
    home.train()
    found = home.predict(tasks[60:], confidence=0.0, classifications=("loop",))
    assert {name for one in found for name in said(one)} == {"loop"}
    below = home.predict(tasks[60:], confidence=0.0, classifications=("looped digit",))
    assert not any(one.row.result for one in below), "a child without its parent is no answer"
    told = {"id": 900, "result": choices("image", {"loop": "has a loop"})}
    (one,) = home.predict([dict(tasks[60], annotations=[told])], confidence=0.0, classifications=("looped digit",))
    assert set(said(one)) == {"loop", "looped digit"}


def test_what_nobody_can_tell_sorts_below_what_was_answered(home: Any) -> None:
    home.configure(LOOP)
    tasks, _ = home.digits(90, 60)
    home.train()
    for one in home.predict(tasks[60:], confidence=0.8):
        assert (one.row.score >= 0.8) == bool(one.row.result)


def test_one_unreadable_task_of_many_says_so_and_stops_nobody(home: Any, tmp_path: Path) -> None:
    home.configure(LOOP)
    tasks, _ = home.digits(90, 60)
    home.train()
    (tmp_path / "torn.png").write_bytes(Path(tasks[0]["data"]["image"]).read_bytes()[:60])
    broken = home.add_tasks([{"image": str(tmp_path / "torn.png")}, {"image": "nowhere.png"}, {}], first=500)
    found = home.predict([tasks[60], *broken, *tasks[61:]], confidence=0.0)
    assert [bool(one.row.result) for one in found] == [True, False, False, False, *[True] * 29]
    for one, named in zip(found[1:4], ("task 500", "task 501", "task 502"), strict=True):
        assert named in one.row.message
        assert one.row.score == 0.0
        assert one.frames == 0


def test_a_sequence_with_an_item_that_is_missing(home: Any, tmp_path: Path) -> None:
    home.configure(SEQUENCE_CONFIG)
    digits = write_digits(tmp_path / "d", 60)
    paths = [str(digit.path) for digit in digits]
    first, second = home.add_tasks([{"images": paths[:40]}, {"images": [*paths[40:50], "gone.png", *paths[50:]]}])
    home.annotate(
        first["id"],
        [
            {
                "from_name": "loop",
                "to_name": "pictures",
                "type": "choices",
                "item_index": n,
                "value": {"choices": [digits[n].answers["loop"]]},
            }
            for n in range(40)
        ],
    )
    home.train()
    (one,) = home.predict([second], confidence=0.0)
    answers = checked(SEQUENCE_CONFIG, one, lengths={"pictures": 21})
    answered = {frame for answer in answers for frame in answer.frames}
    assert answered == set(range(21)) - {10}
    assert "item 11" in one.row.message
    assert one.frames == 20
    (part,) = home.predict([second], confidence=0.0, first=3, last=8, stride=2)
    assert {item["item_index"] for item in part.row.result} == {2, 4, 6}
    (past,) = home.predict([second], confidence=0.0, first=500)
    assert (past.row.result, past.frames) == ([], 0)


def test_a_video_and_its_attributes(pan: Any) -> None:
    (one,) = pan.predict(pan.tasks[1:])
    answers = checked(VIDEO_CONFIG, one, timelines=pan.clock_of)
    assert one.frames == 120
    assert {answer.classification for answer in answers} == {"scene", "part"}
    assert all(answer.under == ("temple",) for answer in answers if answer.classification == "part")


@pytest.mark.parametrize(
    ("chosen", "within", "frames"),
    [
        ({"first": 31, "last": 70}, (31, 70), 40),
        ({"first": 31, "last": 70, "stride": 3}, (31, 70), 14),
        ({"first": 100, "last": 10_000}, (100, 120), 21),
        ({"first": 120}, (120, 120), 1),
        ({"stride": 500}, (1, 120), 1),
    ],
    ids=["a range", "every third frame of it", "a last frame past the end", "the last frame", "a stride past the end"],
)
def test_answers_stay_inside_the_range(pan: Any, chosen: dict[str, int], within: tuple[int, int], frames: int) -> None:
    (one,) = pan.predict(pan.tasks[1:], confidence=0.0, **chosen)
    checked(VIDEO_CONFIG, one, timelines=pan.clock_of)
    assert one.frames == frames
    assert ranges(one)
    assert min(start for start, _ in ranges(one)) >= within[0]
    assert max(end for _, end in ranges(one)) <= within[1]


def test_a_range_past_the_end_answers_nothing(pan: Any) -> None:
    (one,) = pan.predict(pan.tasks[1:], first=121)
    assert (one.row.result, one.frames, one.row.message) == ([], 0, "")


def test_attributes_stand_in_a_persons_regions(pan: Any) -> None:
    region = {"id": "r", "from_name": "scene", "to_name": "video", "type": "timelinelabels"}
    value = {"ranges": [{"start": 41, "end": 50}], "timelinelabels": ["temple"]}
    told = dict(pan.tasks[1], annotations=[{"id": 900, "result": [region | {"value": value}]}])
    (one,) = pan.predict([told], parents="people", confidence=0.0)
    answers = checked(VIDEO_CONFIG, one, timelines=pan.clock_of)
    parts = [answer for answer in answers if answer.classification == "part"]
    assert parts
    assert {frame for answer in parts for frame in answer.frames} <= set(range(40, 50))


def test_several_media_of_one_task_are_answered_each_by_its_own(home: Any, tmp_path: Path) -> None:
    config = """<View><Image name="left" value="$left"/><Image name="right" value="$right"/>
      <Choices name="l" toName="left"><Choice value="has a loop"/><Choice value="no loop"/></Choices>
      <Choices name="r" toName="right"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""
    home.configure(config)
    digits = write_digits(tmp_path / "d", 120)
    pairs = list(zip(digits[::2], digits[1::2], strict=True))
    tasks = home.add_tasks([{"left": str(left.path), "right": str(right.path)} for left, right in pairs])
    home.annotate_all(
        {
            task["id"]: choices("left", {"l": left.answers["loop"]}) + choices("right", {"r": right.answers["loop"]})
            for task, (left, right) in zip(tasks[:50], pairs, strict=False)
        }
    )
    home.train()
    right_answers = 0
    for one, (left, right) in zip(home.predict(tasks[50:], confidence=0.0), pairs[50:], strict=True):
        checked(config, one)
        assert one.frames == 2
        right_answers += said(one)["l"] == left.answers["loop"]
        right_answers += said(one)["r"] == right.answers["loop"]
    assert right_answers >= 15, f"{right_answers} of 20"
    (half,) = home.predict([{"id": 900, "data": {"left": tasks[50]["data"]["left"], "right": "gone"}}], confidence=0.0)
    assert set(said(half)) == {"l"}
    assert "'right'" in half.row.message


def test_tasks_that_list_their_own_options_get_no_others(home: Any, tmp_path: Path) -> None:
    config = '<View><Image name="image" value="$image"/><Choices name="c" toName="image" value="$opts"/></View>'
    home.configure(config)
    digits = write_digits(tmp_path / "d", 120)
    names = ["has a loop", "no loop"]
    every = [{"value": name} for name in names]
    tasks = home.add_tasks(
        [{"image": str(digit.path), "opts": every if n < 90 else every[n % 2 :][:1]} for n, digit in enumerate(digits)]
    )
    home.annotate_all(
        {
            task["id"]: choices("image", {"c": digit.answers["loop"]})
            for task, digit in zip(tasks[:80], digits, strict=False)
        }
    )
    home.train()
    found = home.predict(tasks[80:], confidence=0.0)
    for one, task in zip(found, tasks[80:], strict=True):
        reading = regions.read(with_choices(parse(config), [task["data"]]), one.row.result)
        assert not reading.problems
        assert said(one)["c"] in [option["value"] for option in task["data"]["opts"]]
    assert {said(one)["c"] for one in found[:10]} == set(names)


def test_a_control_that_is_to_be_skipped_is_skipped(home: Any) -> None:
    config = LOOP.replace('name="loop"', 'name="loop" model_skip="true"').replace(
        "</View>", '<Choices name="other" toName="image"><Choice value="a"/><Choice value="b"/></Choices></View>'
    )
    home.configure(config)
    tasks, _ = home.digits(30, 0)
    for number, task in enumerate(tasks[:20]):
        home.annotate(task["id"], choices("image", {"loop": "no loop", "other": "ab"[number % 2]}))
    home.train()
    found = home.predict(tasks[20:], confidence=0.0)
    assert {name for one in found for name in said(one)} == {"other"}


def test_a_model_of_another_encoder_says_so(new_home: Callable[..., Any], monkeypatch: pytest.MonkeyPatch) -> None:
    home = new_home()
    home.configure(LOOP)
    tasks, _ = home.digits(30, 20)
    home.train()
    other = new_home()
    encoder = _Other(home.house.encoder().spec)
    monkeypatch.setattr(other.house, "_open", lambda *_, **__: encoder)
    with pytest.raises(
        NotTrained, match="was trained on embeddings of classic, and this worker has other: train again"
    ):
        other.predict(tasks[20:])


def test_a_long_video_that_is_embedded_is_not_embedded_again(home: Any, tmp_path: Path) -> None:
    home.configure(VIDEO_CONFIG)
    _write_long(tmp_path / "long.mp4", 4000)
    story = write_pan(tmp_path / "pan.mp4", seed=0)
    labeled, long = home.add_tasks([{"video": str(tmp_path / "pan.mp4")}, {"video": str(tmp_path / "long.mp4")}])
    home.annotate(labeled["id"], timeline(story))
    home.train()
    home.predict([long], stride=1)
    home.count_encoding()
    chosen: list[tuple[dict[str, Any], int]] = [
        ({"stride": 1}, 4000),
        ({"confidence": 0.9}, 4000),
        ({"first": 101, "last": 3900, "stride": 3}, 1267),
    ]
    for parameters, frames in chosen:
        (one,) = home.predict([long], **parameters)
        assert one.frames == frames
    assert not home.encoded


class _Other:
    """Stands for an encoder of another digest; it is never asked to encode."""

    def __init__(self, spec: Any) -> None:
        self.spec = replace(spec, name="other", digest="f" * 32)


def _write_long(path: Path, frames: int) -> None:
    pictures = [load_sample_image(name)[:96, :128] for name in ("china.jpg", "flower.jpg")]
    with av.open(str(path), "w") as container:
        options = {"crf": "45", "g": "100", "preset": "ultrafast"}
        stream = container.add_stream("libx264", rate=FRAME_RATE, options=options)
        stream.width, stream.height, stream.pix_fmt = 128, 96, "yuv420p"
        for number in range(frames):
            picture = np.roll(pictures[number // 200 % 2], number % 120, axis=1)
            container.mux(stream.encode(av.VideoFrame.from_ndarray(np.ascontiguousarray(picture), format="rgb24")))
        container.mux(stream.encode(None))
