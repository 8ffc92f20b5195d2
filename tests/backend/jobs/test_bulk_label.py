"""Bulk labels as far as they go without a Label Studio: what would be given, planned, and refused in words."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.demo.pictures import VIDEO_CONFIG, write_pan
from espalier.demo.results import choices, timeline
from espalier.errors import BadRequest
from espalier.jobs import automated, bulk_label
from espalier.jobs.bulk_counts import LISTED, BulkCounts
from espalier.jobs.bulk_frames import frames_in, of_ids
from espalier.jobs.bulk_parameters import BulkParameters
from espalier.jobs.bulk_selection import SelectedFrames
from espalier.jobs.bulk_tasks import BulkTask
from espalier.jobs.progress import Progress
from espalier.store.catalogue import Shown
from espalier.store.frame_ids import ids_of
from espalier_ontology.frames import Frames
from espalier_ontology.timeline import Timeline

PICTURES = """<View><Image name="m" value="$image"/>
<Choices name="kind" toName="m" required="true"><Choice value="Animal"/><Choice value="Plant"/></Choices>
<Choices name="animal" toName="m" visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Animal">
<Choice value="Cat"/><Choice value="Dog"/></Choices></View>"""
ITEMS = """<View><Image name="m" valueList="$images"/>
<Choices name="day" toName="m" perItem="true"><Choice value="sun"/><Choice value="rain"/></Choices></View>"""
OWN_OPTIONS = """<View><Image name="m" value="$image"/><Choices name="who" toName="m" value="$names"/></View>"""


def preview(home: Any, **asked: Any) -> dict[str, Any]:
    return bulk_label.preview(home.house, home.project, BulkParameters.from_json(asked), Progress())


@pytest.fixture
def pictures(home: Any) -> Any:
    """Six pictures that nobody needs to fetch; people call the first an animal, and the second a plant."""
    home.configure(PICTURES)
    home.add_tasks([{"image": f"https://example.invalid/{number}.jpg"} for number in range(6)])
    home.annotate(1, choices("m", {"kind": "Animal"}))
    home.annotate(2, choices("m", {"kind": "Plant"}))
    return home


def test_a_preview_counts_and_says_what_would_be_refused_and_why(pictures: Any) -> None:
    frames = [{"task": id} for id in (1, 2, 3, 99)] + [{"task": 4, "frame": 2}]
    told = preview(pictures, label="animal: Cat", frames=frames)
    assert (told["tasks"], told["written"], told["answers"]) == (5, 1, {"animal: Cat": 1})
    orphan = "asked only where kind is Animal: give that too, or let the parents be given along"
    assert told["reasons"] == {orphan: 2, "the project has no such task (any more)": 1}
    assert told["refusals"] == [
        {"task": 2, "label": "animal: Cat", "reason": orphan, "tag": "m"},
        {"task": 3, "label": "animal: Cat", "reason": orphan, "tag": "m"},
        {"task": 99, "label": "animal: Cat", "reason": "the project has no such task (any more)"},
    ]
    assert told["problems"] == ["task 4: 'm' has one frame, and frame 2 was selected"]
    along = preview(pictures, label="animal: Cat", frames=frames, with_parents=True)
    assert along["answers"] == {"animal: Cat": 2, "kind: Animal": 1}
    assert "a person answered 'kind' otherwise there" not in along["reasons"], "it is not even tried"
    assert pictures.house.records.runs(pictures.key) == []


def test_annotations_go_where_no_person_has_annotated(pictures: Any) -> None:
    frames = [{"task": id} for id in (1, 2, 3)]
    alone = preview(pictures, **{"label": "kind: Animal", "frames": frames, "as": "annotations"})
    assert (alone["written"], list(alone["reasons"].values())) == (1, [2])
    beside = {"label": "kind: Animal", "frames": frames, "as": "annotations", "also_annotated": True}
    told = preview(pictures, **beside)
    assert (told["written"], told["said"]) == (1, 1)
    assert told["reasons"] == {"a person answered 'kind' otherwise there": 1}
    skipped = pictures.annotate(4, [], was_cancelled=True)
    assert preview(pictures, **{**beside, "frames": [{"task": 4}]})["written"] == 1, f"{skipped} answers nothing"


def test_what_a_bulk_label_made_is_no_other_person_s_until_somebody_changes_it(pictures: Any) -> None:
    records = pictures.house.records
    made = pictures.annotate(3, choices("m", {"kind": "Animal"}))
    asked = {"label": "animal: Dog", "frames": [{"task": 3}], "as": "annotations"}
    run = bulk_label.plan(records, pictures.project, BulkParameters.from_json({**asked, "label": "kind: Animal"}))
    stored = {"frames": [], "annotation": made, "updated_at": "2024-01-01T00:00:00.000003Z"}
    records.set_run_items(run.id, {3: "written"}, {3: stored})
    assert preview(pictures, **asked)["answers"] == {"animal: Dog": 1}, "and it opens the attribute"
    pictures.annotate(3, choices("m", {"kind": "Animal"}), id=made)
    assert "a person has annotated the task" in next(iter(preview(pictures, **asked)["reasons"]))


def test_what_is_required_and_not_given_is_noted(pictures: Any) -> None:
    pictures.configure(
        PICTURES.replace('<Choices name="animal" toName="m"', '<Choices name="animal" toName="m" required="true"')
    )
    asked = {"label": "kind: Animal", "frames": [{"task": 3}, {"task": 4}]}
    assert preview(pictures, **asked)["problems"] == []
    told = preview(pictures, **asked, **{"as": "annotations"})
    assert told["problems"] == ["'animal' is required there, and not answered"]


def test_a_range_of_a_video_is_one_region_and_an_attribute_stands_in_people_s(home: Any, tmp_path: Path) -> None:
    shots = write_pan(tmp_path / "pan.mp4", seed=1, shots=4)  # temple 1-20 and 41-60
    home.configure(VIDEO_CONFIG)
    home.add_tasks([{"video": str(tmp_path / "pan.mp4")}, {"video": str(tmp_path / "gone.mp4")}])
    home.annotate(1, [item for item in timeline(shots) if item["from_name"] == "scene"])
    frames = [
        {"task": 1, "first": 5, "last": 30},
        {"task": 2, "first": 1, "last": 3},
        {"task": 1, "first": 31, "last": 44},
    ]
    told = preview(home, label="part: left", frames=frames)
    assert told["answers"] == {"part: left": 16 + 4}
    refusals = {one["task"]: one for one in told["refusals"]}
    assert refusals[1]["frames"] == [[21, 40]]
    assert "gone.mp4" in refusals[2]["reason"]
    past = preview(home, label="scene: flower", frames=[{"task": 1, "first": 70, "last": 99}])
    assert past["problems"] == ["task 1: 'video' has frames 1 to 80, and frame 99 was selected"]
    assert (past["answers"], past["said"], past["written"]) == ({}, 11, 0)


def test_frames_that_the_player_never_shows_are_refused(home: Any, tmp_path: Path) -> None:
    write_pan(tmp_path / "pan.mp4", seed=1, shots=2)
    home.configure(VIDEO_CONFIG.replace('frameRate="10"', 'frameRate="5"'))
    home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    told = preview(home, label="scene: flower", frames=[{"task": 1, "frame": 2}, {"task": 1, "first": 5, "last": 9}])
    assert told["answers"] == {"scene: flower": 5}
    assert told["refusals"][0]["frames"] == [[2, 2]]
    assert "frameRate" in told["refusals"][0]["reason"]
    numbered = preview(home, label="scene: flower", frames=[{"task": 1, "frame": 3, "numbering": "label studio"}])
    assert numbered["answers"] == {"scene: flower": 2}, "number 3 of 5 a second stands for two frames of 10"


def test_of_a_whole_video_one_frame_stands_for_all_and_that_is_noted(home: Any, tmp_path: Path) -> None:
    write_pan(tmp_path / "pan.mp4", seed=1, shots=1)
    whole = '<Choices name="place" toName="video"><Choice value="in"/></Choices></View>'
    home.configure(VIDEO_CONFIG.replace("</View>", whole))
    home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    told = preview(home, label="place: in", frames=[{"task": 1, "frame": 2}])
    assert told["answers"] == {"place: in": 1}
    assert told["problems"] == ["'place' is answered for the whole video, whichever of its frames are selected"]
    assert preview(home, label="place: in", frames=[{"task": 1}])["problems"] == []


def test_items_of_a_sequence(home: Any) -> None:
    home.configure(ITEMS)
    home.add_tasks([{"images": [f"https://example.invalid/{number}.jpg" for number in range(5)]}, {"images": []}])
    told = preview(
        home, label="day: rain", frames=[{"task": 1, "first": 2, "last": 3}, {"task": 1, "frame": 5}, {"task": 2}]
    )
    assert told["answers"] == {"day: rain": 3}
    assert "needs a list of links" in told["refusals"][0]["reason"]


def test_a_task_s_own_options(home: Any) -> None:
    home.configure(OWN_OPTIONS)
    home.add_tasks([{"image": "a.jpg", "names": ["Ann"]}, {"image": "b.jpg", "names": ["Bob"]}])
    told = preview(home, label="who: Ann", frames=[{"task": 1}, {"task": 2}])
    assert (told["written"], told["reasons"]) == (1, {"'who' has no option 'Ann'": 1})
    with pytest.raises(BadRequest, match="'who' has no option 'Eve'; it has 'Ann', 'Bob'"):
        preview(home, label="who: Eve", frames=[{"task": 1}])


def test_a_plan_keeps_the_frames_task_by_task(pictures: Any) -> None:
    records = pictures.house.records
    asked = {"label": "kind: Plant", "frames": [{"task": 3}, {"task": 1}, {"task": 3, "frame": 1}], "note": "x"}
    run = bulk_label.plan(records, pictures.project, BulkParameters.from_json(asked))
    assert (run.kind, run.version[:11], run.total, run.parameters["note"]) == ("bulk", "bulk1-Plant", 2, "x")
    assert "frames" not in run.parameters
    assert records.run_items(run.id) == {1: "selected", 3: "selected"}
    assert records.made(run.id)[3] == {"frames": [{"task": 3}, {"task": 3, "first": 1, "last": 1}]}
    assert bulk_label.plan(records, pictures.project, BulkParameters.from_json(asked)).version[:11] == "bulk2-Plant"


def test_a_run_needs_a_label_studio_and_says_so(pictures: Any) -> None:
    asked = BulkParameters.from_json({"label": "kind: Plant", "frames": [{"task": 3}]})
    run = bulk_label.plan(pictures.house.records, pictures.project, asked)
    with pytest.raises(BadRequest, match="needs a Label Studio token that works"):
        automated.execute(pictures.house, run.id, Progress())
    assert pictures.house.records.run(run.id).state == "failed"


def test_frame_ids_are_frames_of_the_lowest_task_that_shows_them(pictures: Any) -> None:
    records, project = pictures.house.records, pictures.project
    shown = [Shown(1, "m", 0, "v", "video", 90), Shown(3, "m", 0, "p", "image"), Shown(2, "m", 0, "p", "image")]
    shown += [Shown(4, "m", item, f"i{item}", "sequence") for item in range(3)]
    records.note_shown(pictures.key, shown)
    numbers = {media.digest: media.number for media in records.catalogued(pictures.key)}

    def id(digest: str, frame: int = 0) -> int:
        return int(ids_of(numbers[digest], np.array([frame]))[0])

    wanted = [id("v", 7), id("v", 8), id("v", 20), id("p"), id("i0"), id("i1")]
    assert of_ids(records, project, wanted) == (
        SelectedFrames(1, "m", 8, 9),
        SelectedFrames(1, "m", 21, 21),
        SelectedFrames(2, "m", 1, 1),
        SelectedFrames(4, "m", 1, 2),
    )
    assert preview(pictures, label="kind: Plant", ids=[id("p")])["said"] == 1
    for unknown in (1, id("v", 90)):
        with pytest.raises(BadRequest, match=f"no task of project 7 shows a frame with the id {unknown}"):
            of_ids(records, project, [unknown])


def test_selected_frames_in_a_media() -> None:
    selected = [SelectedFrames(1, None, 2, 4), SelectedFrames(1, "m", 9), SelectedFrames(1, "other", 6, 6)]
    assert frames_in(selected, "m", 10) == (Frames.of((1, 4), (8, 10)), "")
    assert frames_in([SelectedFrames(1)], "m", 10)[0] == Frames.of((0, 10))
    assert (
        frames_in([SelectedFrames(1, None, 8, 12)], "m", 10)[1] == "'m' has frames 1 to 10, and frame 12 was selected"
    )
    timeline = Timeline([number / 10 for number in range(10)], 1.0, 5.0)
    told = frames_in([SelectedFrames(1, None, 2, 9, "label studio")], "m", 10, timeline)
    assert told == (Frames.of((2, 10)), "'m' has frames 1 to 10, and frame 9 was selected")


def test_of_very_many_refusals_the_first_are_listed() -> None:
    counts = BulkCounts()
    for id in range(LISTED + 9):
        counts.add(BulkTask(id, refused=({"task": id, "label": "x", "reason": "y"},)), written=False)
    told = counts.to_json()
    assert (len(told["refusals"]), told["reasons"]) == (LISTED, {"y": LISTED + 9})


def test_frames_may_have_labels_of_their_own(home: Any, tmp_path: Path) -> None:
    write_pan(tmp_path / "pan.mp4", seed=1, shots=4)
    home.configure(VIDEO_CONFIG)
    home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    frames = [
        {"task": 1, "first": 1, "last": 20, "labels": [["scene", "temple"], ["part", "left"]]},
        {"task": 1, "first": 21, "last": 30, "labels": ["scene: flower"]},
        {"task": 1, "first": 31, "last": 32, "labels": ["scene: temple"]},
    ]
    told = preview(home, frames=frames)
    assert told["answers"] == {"scene: temple": 22, "part: left": 20, "scene: flower": 10}
    for labels in (["scene: boat"], ["part: left", "part: right"]):
        with pytest.raises(BadRequest):
            preview(home, frames=[{"task": 1, "labels": labels}])
    with pytest.raises(BadRequest, match="no label"):
        preview(home, frames=[*frames, {"task": 1}])
