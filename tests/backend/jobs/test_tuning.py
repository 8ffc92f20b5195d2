"""Fine-tuning as a job: from answers to a network of one's own, its heads, the gate, and the way back."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_digits, write_pan
from espalier.demo.results import choices, timeline
from espalier.errors import BadRequest, BadSetting, Cancelled, NotTrained
from espalier.jobs import promotion, tuned_version, tuners, tuning
from espalier.jobs.archiving import archive
from espalier.jobs.evaluating import evaluation_of
from espalier.jobs.last_version import last_version
from espalier.jobs.own_encoder import OwnEncoder
from espalier.jobs.progress import Progress
from espalier.learning.model import Model
from espalier.store.rows import ModelVersion
from espalier.tuning_parameters import TuningParameters

PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""

pytestmark = pytest.mark.usefixtures("tiny_tuner")


class Stopping(Progress):
    """A person who cancels when so many steps are done."""

    def __init__(self, after: int, message: str = "fine-tuning") -> None:
        super().__init__()
        self.after, self.message = after, message

    def report(self, done: int, total: int, message: str = "") -> None:
        if message.startswith(self.message) and done >= self.after:
            raise Cancelled("cancelled by a person; what was finished is kept")


def tuned(home: Any, progress: Progress | None = None, **parameters: Any) -> ModelVersion:
    asked = TuningParameters(**{"model": "tiny", "epochs": 12, "pretrained": False, **parameters})
    return tuning.tune(home.house, home.key, asked, progress or Progress())


def model_of(version: ModelVersion) -> Model:
    return Model.load(Path(version.directory))


def results(home: Any, tasks: Any) -> list[Any]:
    return [(one.row.result, one.row.score) for one in home.predict(tasks)]


def directory_of(home: Any, version: ModelVersion) -> Path:
    found: Path = home.house.version_directory(home.project, version.name)
    return found


def test_a_tuned_network_becomes_an_encoder_and_its_heads(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(200, 180)
    first = home.train()
    version = tuned(home, epochs=30)
    model = model_of(version)
    print(version.gate["reasons"])
    assert (version.name, version.parent) == ("espalier-v2", "espalier-v1")
    assert (version.encoder["plugin"], version.encoder["directory"]) == ("tiny", "encoder")
    assert model.encoder.name == "tiny"
    assert {head.plugin for head in model.heads.values()} == {"linear"}
    assert all(head.trained for head in model.heads.values())
    assert version.metrics["accuracy"] > 0.85
    assert first.metrics["accuracy"] > 0.85
    files = {path.name for path in directory_of(home, version).iterdir()}
    assert files == {"encoder", "last", "model", "evaluation", "parts.json", "curves.json"}
    assert "loop" in evaluation_of(home.house, home.project, version).summary["questions"][0]["classification"]
    assert version.parameters["tuning"]["epochs"] == 30


def test_nothing_is_judged_or_chosen_on_what_the_network_has_learned_from(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(150, 150)
    model = model_of(tuned(home))
    rows = model.rows
    train = rows.part("train")
    assert 90 < train.sum() < 120
    assert (rows.folds[train] == -1).all()
    assert (rows.folds[rows.part("test")] == -1).all()
    assert len(np.unique(rows.folds[rows.part("validation")])) > 1
    for head in model.heads.values():
        assert head.evidence is not None
        assert not head.evidence.counted[train].any()
        assert head.evidence.counted[~train].any()


def test_how_it_learned_is_kept(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(150, 150)
    version = tuned(home, lr=0.02)
    curves = json.loads((directory_of(home, version) / "curves.json").read_text())
    assert [point["epoch"] for point in curves] == list(range(1, 13))
    assert curves[-1]["validation_loss"] < curves[0]["validation_loss"]
    assert version.metrics["tuning"]["curves"] == curves
    for head in model_of(version).heads.values():
        assert head.steps is not None
        assert head.steps.numbers.tolist() == [point["step"] for point in curves]
        assert head.steps.scores.shape[2] == len(head.options)
    learning = evaluation_of(home.house, home.project, version).summary["questions"][0]["learning"]
    assert learning["validation"]["loss"][-1] < learning["validation"]["loss"][0]


def test_a_worse_network_is_refused_and_a_person_may_let_it_serve(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(170, 150)
    home.train()
    before = results(home, tasks[150:])
    version = tuned(home, epochs=1, lr=1e-8)
    print(version.gate["reasons"])
    assert (version.state, home.project.served) == ("candidate", "espalier-v1")
    assert "not promoted" in version.message
    assert results(home, tasks[150:]) == before
    promotion.promote(home.house, home.key, version.name)
    assert home.project.served == version.name
    assert results(home, tasks[150:]) != before


def test_back_to_the_frozen_encoder_every_prediction_is_as_it_was(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(170, 150)
    home.train()
    before = json.dumps(results(home, tasks[150:]))
    version = tuned(home)
    promotion.promote(home.house, home.key, version.name)
    assert json.dumps(results(home, tasks[150:])) != before
    promotion.roll_back(home.house, home.key)
    assert json.dumps(results(home, tasks[150:])) == before


def test_the_last_network_can_serve_as_well_as_the_best(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(170, 150)
    home.train()
    best = tuned(home, epochs=12, lr=0.5)
    made = last_version(home.house, home.key, best.name, Progress())
    assert (made.name, made.state) == ("espalier-v2-last", "candidate")
    assert made.encoder["directory"] == "../espalier-v2/last"
    assert made.encoder["digest"] != best.encoder["digest"]
    assert made.gate["reasons"]
    model, other = model_of(made), model_of(best)
    assert model.rows.parts.tolist() == other.rows.parts.tolist()
    for head, beside in zip(model.heads.values(), other.heads.values(), strict=True):
        assert head.evidence is not None
        assert beside.evidence is not None
        assert np.array_equal(head.evidence.counted, beside.evidence.counted)
        assert head.counts == beside.counts
    assert last_version(home.house, home.key, best.name, Progress()) == made
    home.house.records.set_version(home.key, made.name, state="training", directory="", gate={})  # a kill came early
    again = last_version(home.house, home.key, best.name, Progress())
    assert (again.state, again.gate, again.directory) == (made.state, made.gate, made.directory)
    promotion.promote(home.house, home.key, made.name)
    assert len(results(home, tasks[150:])) == 20
    assert home.train().name == "espalier-v3"
    with pytest.raises(BadRequest, match="espalier-v1 was not fine-tuned"):
        last_version(home.house, home.key, "espalier-v1", Progress())


def test_archiving_keeps_the_network_that_a_kept_version_goes_by(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(90, 80)
    version = tuned(home)
    for _ in range(3):
        home.train()
    archive(home.house, home.key, keep=1)
    own = OwnEncoder.of(home.house.version(home.project))
    assert own is not None
    assert own.directory.exists()
    assert directory_of(home, version).exists()
    assert len(results(home, tasks[80:])) == 10


def test_where_too_little_is_there_to_compare_by_it_does_not_serve_by_itself(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(24, 24)
    home.train()
    version = tuned(home)
    assert (version.state, home.project.served) == ("candidate", "espalier-v1")
    assert "too little to compare by" in version.message
    assert "a new network must be better" in version.message


def test_the_first_version_may_be_a_tuned_one(home: Any) -> None:
    home.configure(PLAIN)
    tasks, _ = home.digits(60, 50)
    version = tuned(home)
    assert (version.state, home.project.served) == ("promoted", "espalier-v1")
    assert len(results(home, tasks[50:])) == 10


def test_a_cancelled_one_keeps_the_best_so_far(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(150, 150)
    home.train()
    whole = tuned(home, epochs=5)
    version = tuned(home, Stopping(after=5 * 7), epochs=500)
    assert (version.state, home.project.served) != ("promoted", version.name)
    assert "cancelled, the best so far is kept" in version.message
    assert tuning.was_cancelled(version)
    assert len(version.metrics["tuning"]["curves"]) == 5
    assert model_of(version).encoder.digest == model_of(whole).encoder.digest, "as if five epochs had been asked for"
    promotion.promote(home.house, home.key, version.name)
    assert home.project.served == version.name


def test_one_that_is_cancelled_before_it_has_anything_has_failed(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(60, 60)
    with pytest.raises(Cancelled):
        tuned(home, Stopping(0, "opening the network"))
    (version,) = home.house.records.versions(home.key)
    assert version.state == "failed"
    assert "cancelled" in version.message


@pytest.mark.parametrize("meanwhile", [False, True], ids=["nothing", "an answer"])
def test_what_is_answered_meanwhile_is_learned_on_top_of_it(home: Any, meanwhile: bool) -> None:
    home.configure(PLAIN)
    tasks, digits = home.digits(61, 60)
    name = tuning.plan(home.house, home.key, TuningParameters(model="tiny", epochs=5)).name
    if meanwhile:
        home.annotate(tasks[60]["id"], choices("image", {"loop": digits[60].answers["loop"]}))
    assert tuning.tune(home.house, home.key, None, Progress(), name=name).state == "promoted"
    assert home.house.queues.waiting()["training"] == int(meanwhile)


def test_what_failed_can_be_taken_up_again_and_makes_room_in_the_end(
    home: Any, monkeypatch: pytest.MonkeyPatch
) -> None:
    home.configure(PLAIN)
    home.digits(60, 60)
    with monkeypatch.context() as patched:
        patched.setattr(tuned_version, "layers_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tuned(home)
    (version,) = home.house.records.versions(home.key)
    assert (version.state, version.directory) == ("failed", "")
    assert "failed unexpectedly (ZeroDivisionError)" in version.message
    assert directory_of(home, version).exists()
    again = tuning.tune(home.house, home.key, None, Progress(), name=version.name)
    assert again.state == "promoted"
    with monkeypatch.context() as patched:
        patched.setattr(tuned_version, "layers_of", lambda *_: 1 / 0)
        with pytest.raises(ZeroDivisionError):
            tuned(home)
    failed = home.house.records.versions(home.key)[0]
    home.train()
    archive(home.house, home.key, keep=1)
    assert not directory_of(home, failed).exists()


@pytest.mark.parametrize(
    ("parameters", "error", "said"),
    [
        ({"model": "tiny:x", "teacher": "espalier-v9"}, NotTrained, "espalier-v9"),
        ({"pretrained": "espalier-v9"}, NotTrained, "espalier-v9"),
        ({"pretrained": "espalier-v1"}, BadRequest, "no network of its own to begin from"),
        ({"imgsz": 100}, BadRequest, "96 is the nearest"),
    ],
    ids=["unknown teacher", "unknown version", "a version without a network", "a size that does not fit"],
)
def test_what_cannot_succeed_is_refused_before_it_is_listed(
    home: Any, parameters: dict[str, Any], error: type[Exception], said: str
) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    home.train()
    with pytest.raises(error, match=said):
        tuned(home, **parameters)
    assert [version.name for version in home.house.records.versions(home.key)] == ["espalier-v1"]


@pytest.mark.parametrize(
    ("labeled", "said"),
    [(1, "a single frame is answered"), (2, "needs at least 2 options answered")],
    ids=["one frame", "one of each"],
)
def test_too_few_answers_are_said_in_words_and_leave_nothing(home: Any, labeled: int, said: str) -> None:
    home.configure(PLAIN)
    home.digits(6, labeled)
    with pytest.raises(NotTrained, match=said):
        tuned(home)
    (version,) = home.house.records.versions(home.key)
    assert version.state == "failed"
    assert said in version.message
    assert not directory_of(home, version).exists()


def test_few_media_are_enough_to_begin_with(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(7, 7)
    model = model_of(tuned(home))
    assert model.rows.part("validation").any()
    assert model.rows.part("train").sum() >= 4


def test_a_tuner_that_is_not_installed_is_said_in_words(home: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    monkeypatch.setattr(tuners, "USUAL", "absent")
    with pytest.raises(BadSetting, match="nothing that fine-tunes is installed as 'absent'"):
        tuning.plan(home.house, home.key, TuningParameters(model="resnet18"))


def test_the_first_gear_learns_on_with_the_tuned_network(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(220, 150)
    home.train()
    version = tuned(home)
    promotion.promote(home.house, home.key, version.name)
    added = zip(tasks[150:200], digits[150:200], strict=True)
    home.annotate_all({task["id"]: choices("image", digit.answers) for task, digit in added})
    after = home.train()
    model, before = model_of(after), model_of(version)
    assert model.encoder.digest == before.encoder.digest
    assert after.encoder["directory"] == f"../{version.name}/encoder"
    assert OwnEncoder.of(after) == OwnEncoder.of(version)
    then = dict(zip(before.rows.media.tolist(), before.rows.parts.tolist(), strict=True))
    now = dict(zip(model.rows.media.tolist(), model.rows.parts.tolist(), strict=True))
    assert {media: now[media] for media in then} == then, "what was held back stays held back"
    learned = np.isin(model.rows.media, before.rows.media[before.rows.part("train")])
    assert len(np.unique(model.rows.groups)) > 150, "near-duplicates are not found by what draws an option together"
    for head in model.heads.values():
        assert head.evidence is not None
        assert not head.evidence.counted[learned].any()
        assert head.evidence.counted[~learned].any()
    print(after.gate["reasons"])
    assert after.state == "promoted"
    assert len(results(home, tasks[200:])) == 20


def test_a_rolled_back_project_learns_on_with_the_settings_encoder(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(80, 80)
    home.train()
    version = tuned(home)
    promotion.promote(home.house, home.key, version.name)
    promotion.roll_back(home.house, home.key)
    assert model_of(home.train()).encoder.name == "classic"


def test_a_person_may_go_back_to_the_settings_encoder_while_a_network_serves(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(80, 80)
    home.train()
    promotion.promote(home.house, home.key, tuned(home).name)
    assert model_of(home.train()).encoder.name == "tiny"
    home.house.records.put_project(home.key, training={"frozen": True})
    assert model_of(home.train()).encoder.name == "classic"


def test_a_network_whose_files_are_gone_is_said_and_training_goes_on_without(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(80, 80)
    home.train()
    version = tuned(home)
    promotion.promote(home.house, home.key, version.name)
    (directory_of(home, version) / "encoder" / "network.safetensors").unlink()
    home.house.forget_encoders()
    after = home.train()
    assert model_of(after).encoder.name == "classic"
    assert "the network of espalier-v2 cannot be opened" in after.message


def test_one_goes_on_from_an_own_version_and_is_not_judged_on_what_that_has_seen(home: Any) -> None:
    home.configure(PLAIN)
    tasks, digits = home.digits(120, 80)
    first = tuned(home)
    added = zip(tasks[80:], digits[80:], strict=True)
    home.annotate_all({task["id"]: choices("image", {"loop": digit.answers["loop"]}) for task, digit in added})
    second = tuned(home, pretrained=first.name, epochs=3)
    before, model = model_of(first), model_of(second)
    learned = np.isin(model.rows.media, before.rows.media[before.rows.part("train")])
    assert (model.rows.parts[learned] == 0).all()
    parts = OwnEncoder.of(second)
    assert parts is not None
    assert {parts.parts()[media] for media in before.rows.media[before.rows.part("train")].tolist()} == {"train"}
    assert {parts.parts()[media] for media in before.rows.media[before.rows.part("test")].tolist()} == {"test"}


SEVERAL = """<View><Image name="image" value="$image"/>
  <Choices name="shows" toName="image" choice="multiple"><Choice value="loop"/><Choice value="even"/>
  <Choice value="big"/></Choices></View>"""


def test_several_options_at_once_are_learned(home: Any, tmp_path: Path) -> None:
    home.configure(SEVERAL)
    digits = write_digits(tmp_path / "digits", 150)
    tasks = home.add_tasks([{"image": str(digit.path)} for digit in digits])
    for task, digit in zip(tasks, digits, strict=True):
        shown = [
            name
            for name, holds in (
                ("loop", digit.digit in (0, 6, 8, 9)),
                ("even", digit.digit % 2 == 0),
                ("big", digit.digit > 5),
            )
            if holds
        ]
        value = {"choices": shown}
        home.annotate(task["id"], [{"from_name": "shows", "to_name": "image", "type": "choices", "value": value}])
    version = tuned(home, epochs=40)
    (head,) = model_of(version).heads.values()
    assert not head.exclusive
    assert version.metrics["macro_f1"] > 0.8


SEQUENCE = """<View><Image name="item" valueList="$items"/>
  <Choices name="loop" toName="item" perItem="true"><Choice value="has a loop"/><Choice value="no loop"/></Choices>
</View>"""


def test_the_items_of_sequences_are_learned(home: Any, tmp_path: Path) -> None:
    home.configure(SEQUENCE)
    digits = write_digits(tmp_path / "digits", 160)
    runs = [digits[start : start + 4] for start in range(0, 160, 4)]
    tasks = home.add_tasks([{"items": [str(digit.path) for digit in run]} for run in runs])
    for task, run in zip(tasks, runs, strict=True):
        home.annotate(
            task["id"],
            [
                {
                    "from_name": "loop", "to_name": "item", "type": "choices", "item_index": number,
                    "value": {"choices": [digit.answers["loop"]]},
                }
                for number, digit in enumerate(run)
            ],
        )  # fmt: skip
    version = tuned(home, epochs=40)
    assert version.trained_on["frames"] == 160
    assert version.metrics["accuracy"] > 0.75
    assert len(results(home, tasks[:3])) == 3


def test_the_frames_of_videos_and_their_attributes_are_learned(home: Any, tmp_path: Path) -> None:
    home.configure(VIDEO_CONFIG)
    stories = [write_pan(tmp_path / f"{number}.mp4", seed=number, shots=4) for number in range(8)]
    tasks = home.add_tasks([{"video": str(tmp_path / f"{number}.mp4")} for number in range(8)])
    for task, story in zip(tasks, stories, strict=True):
        home.annotate(task["id"], timeline(story))
    version = tuned(home, epochs=6)
    model = model_of(version)
    assert {key[0] for key, head in model.heads.items() if head.trained} == {"scene", "part"}
    assert version.metrics["accuracy"] > 0.8
    part_of_media = {(media, int(part)) for media, part in zip(model.rows.media, model.rows.parts, strict=True)}
    assert len(part_of_media) == 8, "a video is on one side"


def test_a_picture_that_cannot_be_read_is_left_out_and_told(home: Any, tmp_path: Path) -> None:
    home.configure(PLAIN)
    home.digits(60, 60)
    Image.new("RGB", (8, 8)).save(tmp_path / "torn.png")
    (tmp_path / "torn.png").write_bytes((tmp_path / "torn.png").read_bytes()[:50])
    (torn,) = home.add_tasks([{"image": str(tmp_path / "torn.png")}], first=90)
    home.annotate(torn["id"], choices("image", {"loop": "no loop"}))
    version = tuned(home)
    assert version.trained_on["frames"] == 60
    assert "left out: " in version.message
    assert "task 90" in version.message


def test_a_network_learns_from_a_teacher_on_frames_that_nobody_labeled(new_home: Callable[..., Any]) -> None:
    home = new_home()
    home.configure(IMAGE_CONFIG)
    home.digits(260, 90)
    home.train()
    taught = tuned(home, teacher="espalier-v1", epochs=20)
    own = OwnEncoder.of(taught)
    assert own is not None
    assert own.parts().keys() > set(model_of(taught).rows.media.tolist()), "what nobody labeled was learned from, too"
    assert list(own.parts().values()).count("train") > 150
    alone = tuned(home, epochs=20)
    print(alone.metrics["accuracy"], taught.metrics["accuracy"])
    assert model_of(taught).encoder.digest != model_of(alone).encoder.digest
