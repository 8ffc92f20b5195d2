"""Training from mirrored annotations, on real pictures."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_pan
from espalier.demo.results import choices, timeline
from espalier.errors import BadRequest, NotTrained
from espalier.jobs import training
from espalier.jobs.examples import gather
from espalier.jobs.progress import Progress
from espalier.learning.model import Model

PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""


def test_a_nested_ontology_is_learned_from_every_answer(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(60, 60)
    version = home.train()
    assert version.name == "espalier-v1"
    assert "trained on 60 annotated media" in version.message
    assert "classic" in version.message
    project = home.project
    assert (project.served, project.published) == ("espalier-v1", "espalier-v1")
    assert project.trained_revision == project.revision > 0
    assert home.house.records.version(home.key, "espalier-v1").state == "promoted"
    model = Model.load(Path(version.directory))
    by_name = {key[0]: head for key, head in model.heads.items()}
    assert set(by_name) == {"loop", "looped digit", "open digit"}
    assert sum(by_name["loop"].counts.values()) == 60
    assert sum(by_name["looped digit"].counts.values()) == by_name["loop"].counts[("has a loop",)]
    json.dumps(version.metrics)  # goes into a database and through the API


def test_the_next_version_is_a_new_one_and_the_old_is_kept(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    first, second = home.train(), home.train()
    assert [first.name, second.name] == ["espalier-v1", "espalier-v2"]
    assert first.data_fingerprint == second.data_fingerprint
    states = {version.name: version.state for version in home.house.records.versions(home.key)}
    assert states == {"espalier-v1": "archived", "espalier-v2": "promoted"}
    assert Path(first.directory).is_dir()


def test_a_version_directory_is_whole_or_absent(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    directory = home.house.version_directory(home.project, "espalier-v1")
    written: list[Path] = []

    def killed(self: Path, target: Path) -> Path:
        written.append(self)
        raise KeyboardInterrupt

    with monkeypatch.context() as patched:
        patched.setattr(Path, "rename", killed)
        with pytest.raises(KeyboardInterrupt):
            home.train()
    assert written, "the version was about to appear"
    assert not (directory / "model").exists()
    assert home.project.served is None
    Model.load(Path(home.train().directory))


def test_what_a_killed_training_left_is_swept_away_when_it_is_old(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    versions = home.house.version_directory(home.project, "any").parent
    old, young = versions / ".espalier-v1.0123", versions / ".espalier-v1.4567"
    for draft in (old, young):
        (draft / "000").mkdir(parents=True)
    os.utime(old, (0, 0))
    home.train()
    assert {path.name for path in versions.iterdir()} == {young.name, "espalier-v1"}


def test_one_option_alone_cannot_be_learned_and_the_reason_names_it(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(5, 0)
    for task in tasks:
        home.annotate(task["id"], choices("image", {"loop": "no loop"}))
    with pytest.raises(NotTrained, match=r"at least 2 options answered; has only 'no loop' \(5\)"):
        home.train()
    assert home.project.trained_revision == home.project.revision, "asking again would tell nothing new"
    assert home.project.served is None
    assert home.house.records.versions(home.key) == []


def test_nothing_annotated_is_said_in_words(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(3, 0)
    with pytest.raises(NotTrained, match="nothing is annotated yet"):
        home.train()


@pytest.mark.parametrize(
    ("config", "said"),
    [
        ('<View><Text name="t" value="$t"/></View>', "asks nothing that can be predicted"),
        (
            '<View><Image name="image" value="$image"/><RectangleLabels name="r" toName="image">'
            '<Label value="a"/></RectangleLabels></View>',
            "asks nothing that can be predicted.*r: ",
        ),
    ],
    ids=["no media", "only boxes"],
)
def test_a_configuration_without_classifications_is_said_in_words(home: Any, config: str, said: str) -> None:
    home.configure(config)
    home.add_tasks([{"image": "x"}])
    with pytest.raises(NotTrained, match=said):
        home.train()


def test_what_is_no_labeling_configuration_is_the_requests_fault(home: Any) -> None:
    home.configure("<View")
    with pytest.raises(BadRequest, match="project 7: "):
        home.train()


def test_an_unknown_project_is_said_in_words(home: Any) -> None:
    with pytest.raises(BadRequest, match="connect it in Label Studio"):
        training.train(home.house, "9.1", Progress())


def test_skipped_annotations_and_empty_ones_teach_nothing(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(20, 18)
    home.annotate(tasks[18]["id"], choices("image", {"loop": "no loop"}), was_cancelled=True)
    home.annotate(tasks[19]["id"], [])
    assert "trained on 18 annotated media" in home.train().message


def test_an_unreadable_file_stops_nobody_else_and_is_named(home: Any, tmp_path: Path) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(20, 20)
    (tmp_path / "torn.png").write_bytes(Path(tasks[0]["data"]["image"]).read_bytes()[:60])
    torn, absent = home.add_tasks(
        [{"image": str(tmp_path / "torn.png")}, {"image": str(tmp_path / "absent.png")}], first=50
    )
    for task in (torn, absent):
        home.annotate(task["id"], choices("image", {"loop": "no loop"}))
    version = home.train()
    assert "left out: " in version.message
    assert "task 50" in version.message
    assert "task 51" in version.message
    head = Model.load(Path(version.directory)).heads["loop", ()]
    assert sum(head.counts.values()) == 20


def test_where_no_file_can_be_read_the_reason_is_the_files(home: Any, tmp_path: Path) -> None:
    home.configure(PLAIN)
    for task, option in zip(
        home.add_tasks([{"image": str(tmp_path / f"{n}.png")} for n in range(2)]),
        ["no loop", "has a loop"],
        strict=True,
    ):
        home.annotate(task["id"], choices("image", {"loop": option}))
    with pytest.raises(NotTrained, match=r"no annotation could be learned from: task 1, 'image'"):
        home.train()


def test_annotators_who_differ_cancel_out_and_ground_truth_decides(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(22, 20)
    for option in ("no loop", "has a loop"):
        home.annotate(tasks[20]["id"], choices("image", {"loop": option}))
        home.annotate(tasks[21]["id"], choices("image", {"loop": option}), ground_truth=option == "no loop")
    version = home.train()
    head = Model.load(Path(version.directory)).heads["loop", ()]
    assert sum(head.counts.values()) == 21
    assert "annotators differ" in version.message


def test_a_deleted_annotation_is_forgotten_by_the_next_version(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(21, 20)
    extra = home.annotate(tasks[20]["id"], choices("image", {"loop": "no loop"}))
    first = home.train()
    before = home.project.revision
    assert home.house.records.forget_annotations(home.key, [extra])
    assert home.project.revision == before + 1 > home.project.trained_revision
    second = home.train()
    assert "trained on 21 " in first.message
    assert "trained on 20 " in second.message
    assert first.data_fingerprint != second.data_fingerprint
    assert home.project.trained_revision == before + 1


def test_an_updated_annotation_counts_as_it_is_now(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(21, 20)
    id = home.annotate(tasks[20]["id"], choices("image", {"loop": "no loop"}))
    before = Model.load(Path(home.train().directory)).heads["loop", ()].counts
    home.annotate(tasks[20]["id"], choices("image", {"loop": "has a loop"}), id=id)
    after = Model.load(Path(home.train().directory)).heads["loop", ()].counts
    assert after["has a loop",] == before["has a loop",] + 1
    assert after["no loop",] == before["no loop",] - 1


def test_what_was_embedded_is_not_decoded_again(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    home.count_encoding()
    home.train()
    assert sum(home.encoded) == 20
    home.train()
    assert sum(home.encoded) == 20


def test_a_video_with_attributes_is_learned(home: Any, tmp_path: Path) -> None:
    home.configure(VIDEO_CONFIG)
    story = write_pan(tmp_path / "pan.mp4", seed=0)
    (task,) = home.add_tasks([{"video": str(tmp_path / "pan.mp4")}])
    home.annotate(task["id"], timeline(story))
    model = Model.load(Path(home.train().directory))
    frames = sum(shot.end - shot.start + 1 for shot in story)
    assert sum(model.heads["scene", ()].counts.values()) == frames
    assert model.heads["part", ()].trained


def test_an_option_that_was_removed_is_left_out_and_named(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    home.configure(PLAIN.replace('<Choice value="no loop"/>', '<Choice value="open"/><Choice value="closed"/>'))
    with pytest.raises(NotTrained):
        home.train()
    home.configure(PLAIN)
    assert home.train().name == "espalier-v1"


def test_options_that_tasks_list_are_learned(home: Any) -> None:
    home.configure('<View><Image name="image" value="$image"/><Choices name="c" toName="image" value="$opts"/></View>')
    _, digits = home.digits(20, 0)
    listed = [{"value": "has a loop"}, {"value": "no loop"}]
    tasks = home.add_tasks([{"image": str(digit.path), "opts": listed} for digit in digits])
    for task, digit in zip(tasks, digits, strict=True):
        home.annotate(task["id"], choices("image", {"c": digit.answers["loop"]}))
    head = Model.load(Path(home.train().directory)).heads["c", ()]
    assert set(head.options) == {("has a loop",), ("no loop",)}


def test_tasks_that_share_pictures_and_answers_are_all_gathered(new_home: Callable[..., Any]) -> None:
    home = new_home()
    home.configure(IMAGE_CONFIG)
    _, digits = home.digits(50, 0)
    home.add_tasks([{"image": str(digits[n % 50].path)} for n in range(1000)])
    said = [{"id": n + 1, "task": n + 1, "result": choices("image", digits[n % 50].answers)} for n in range(1000)]
    home.house.records.mirror_annotations(home.key, said)
    examples = gather(home.house, home.project)
    assert len(examples.annotated) == 1000
    assert len(examples.media) == 50
