"""Somebody's own class answers classifications: as sure as it says, where it may, and judged by what people say."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator, Mapping, Sequence
from pathlib import Path
from typing import Any

import pytest

from espalier.bundle.given_file import GivenFile
from espalier.bundle.opening import opened
from espalier.bundle.predictor import Predictor
from espalier.bundle.writing import write
from espalier.classification_settings import ClassificationSettings
from espalier.demo.pictures import VIDEO_CONFIG, write_digits, write_pan
from espalier.errors import BadRequest, NotTrained
from espalier.jobs import knowing, task_answers
from espalier.jobs.classification_settings import choose
from espalier.jobs.forecast import forecast
from espalier.jobs.progress import Progress
from espalier_label_studio_ml import hosting

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image" {more}><Choice value="yes"/><Choice value="no"/></Choices>
  <Choices name="digit" toName="image" visibleWhen="choice-selected" whenTagName="loop" whenChoiceValue="yes">
    <Choice value="6"/><Choice value="9"/></Choices></View>"""

BACKEND = '''
import json, os, time

from label_studio_ml.model import LabelStudioMLBase

print("what a class prints is no answer")


class Reader(LabelStudioMLBase):
    """Answers what the task's data says, and notes what it was shown."""

    def __init__(self, **kwargs):
        super().__init__(**kwargs)
        self.model_version = kwargs.get("edition", "first")

    def predict(self, tasks, **kwargs):
        print("asked for", len(tasks))
        with open("shown.jsonl", "a") as shown:
            for task in tasks:
                shown.write(json.dumps(task) + "\\n")
        for task in tasks:
            exec(task["data"].get("do", ""))
        return [json.loads(task["data"]["said"]) for task in tasks] if "all" not in tasks[0]["data"] else 3
'''

SECOND = """
import json

from label_studio_ml.model import LabelStudioMLBase
from label_studio_ml.response import ModelResponse
from label_studio_sdk.label_interface.objects import PredictionValue


class Whole(LabelStudioMLBase):
    def setup(self):
        assert 'name="loop"' in self.label_config
        self.set("model_version", "0.0.2")

    def predict(self, tasks, context, **kwargs):
        assert context == {}
        return ModelResponse(predictions=[PredictionValue(**json.loads(task["data"]["said"])) for task in tasks])


class Lists(Whole):
    def predict(self, tasks, context=None, **kwargs):
        return [json.loads(task["data"]["said"]) for task in tasks]
"""


def said(*answers: tuple[str, str, float | None], **more: object) -> str:
    """JSON of a prediction: classification, option and the region's score."""
    result = [
        {"from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [option]}}
        | ({} if score is None else {"score": score})
        for name, option, score in answers
    ]
    return json.dumps({"result": result, **more})


def answer(**options: str) -> list[dict[str, Any]]:
    return [
        {"from_name": name, "to_name": "image", "type": "choices", "value": {"choices": [option]}}
        for name, option in options.items()
    ]


Project = Callable[..., Any]


@pytest.fixture
def project(
    new_home: Callable[..., Any], label_studio_ml: Path, tmp_path: Path, redis_url: str
) -> Iterator[Callable[..., Any]]:
    """A home whose `loop` (and more) a class answers; espalier.yaml names it."""
    backend = tmp_path / "own"
    backend.mkdir()
    (backend / "answering.py").write_text(BACKEND)
    settings: dict[str, Any] = {
        "plugin": "label_studio_ml",
        "class": "answering:Reader",
        "python": str(label_studio_ml),
        "directory": str(backend),
    }

    def make(names: Sequence[str] = ("loop", "digit"), config: str = CONFIG.format(more=""), **changes: Any) -> Any:
        given = {name: value for name, value in {**settings, **changes}.items() if value is not None}
        home = new_home(classifications=ClassificationSettings.parse(dict.fromkeys(names, given), "espalier.yaml"))
        home.configure(config)
        home.backend = backend
        return home

    yield make
    hosting.close_all()


def tasks(home: Any, answers: Sequence[str], **more: Sequence[str]) -> list[dict[str, Any]]:
    digits = write_digits(home.house.settings.media_roots[0] / "digits", len(answers))
    return home.add_tasks(  # type: ignore[no-any-return]
        [
            {"image": str(digit.path), "said": one, **{name: values[at] for name, values in more.items()}}
            for at, (digit, one) in enumerate(zip(digits, answers, strict=True))
        ]
    )


def options(predicted: Any) -> dict[str, tuple[str, float]]:
    return {one.classification: (one.option[-1], round(one.confidence, 3)) for one in predicted.answers}


def test_before_any_label_it_answers_as_sure_as_it_says(project: Project) -> None:
    home = project()
    asked = tasks(
        home,
        [
            said(("loop", "yes", 0.9), ("digit", "6", 0.7)),
            said(("loop", "no", None), score=0.8),
            said(("loop", "no", None), score=0.0),
            said(("loop", "yes", 0.3), ("digit", "6", 0.9)),
            "[]",
            "[" + said(("loop", "no", None), score=0.6) + "," + said(("loop", "yes", None), score=0.7) + "]",
        ],
    )
    version = home.train()
    assert version.state == "promoted", version.message
    assert "answering:Reader of label-studio-ml 1.0.9, model version first" in version.message
    assert [options(one) for one in home.predict(asked)] == [
        {"loop": ("yes", 0.9), "digit": ("6", 0.7)},
        {"loop": ("no", 0.8)},
        {"loop": ("no", 1.0)},  # the SDK fills in a score of 0 where none is given
        {},  # and no child without its parent
        {},
        {"loop": ("yes", 0.7)},
    ]
    assert [options(one) for one in home.predict(asked[3:4], confidence=0.2)] == [
        {"loop": ("yes", 0.3), "digit": ("6", 0.9)}
    ]
    assert [options(one) for one in home.predict(asked[:1], classifications=("digit",), parents="people")] == [{}]
    assert [one.row.message for one in home.predict(asked)] == [""] * 6


def test_labels_calibrate_it_and_judge_it_and_it_never_sees_them(project: Project) -> None:
    home = project(names=("loop",))
    claims = [said(("loop", "yes" if at % 2 else "no", 0.99)) for at in range(40)]
    asked = tasks(home, claims)
    for at, task in enumerate(asked):  # it is wrong about one in four, however sure it is
        right = "yes" if at % 2 else "no"
        wrong = {"yes": "no", "no": "yes"}[right]
        home.annotate(task["id"], answer(loop=wrong if at % 4 == 0 else right))
    version = home.train()
    (loop,) = [one for one in version.metrics["questions"] if one["classification"] == "loop"]
    assert loop["plugin"] == "label_studio_ml"
    assert loop["accuracy"] == pytest.approx(0.75, abs=0.05)
    (predicted,) = home.predict(asked[1:2])
    assert options(predicted)["loop"][0] == "yes"
    assert 0.6 < predicted.answers[0].confidence < 0.95  # it said 0.99
    shown = [json.loads(line) for line in (home.backend / "shown.jsonl").read_text().splitlines()]
    assert not any(one["annotations"] or one["predictions"] for one in shown)
    before = len(shown)
    home.train()
    assert len((home.backend / "shown.jsonl").read_text().splitlines()) == before, "known answers are asked for again"


@pytest.mark.parametrize(
    ("do", "words"),
    [
        pytest.param("raise ValueError('no such\\nlayer')", "ValueError: no such layer (in ", id="raises"),
        pytest.param("os._exit(3)", "ended with exit status 3", id="ends"),
        pytest.param("time.sleep(60)", "no answer within 1 s", id="takes too long"),
        pytest.param("task['data']['said'] = '7'", "a prediction must be a mapping", id="wrong shape"),
        pytest.param("tasks[0]['data']['all'] = 1", "a list with an entry for each task, got 3", id="no list"),
        pytest.param("tasks.append(task) if len(tasks) < 5 else 0", "got 5 for 1", id="too many"),
        pytest.param("raise SystemExit(0)", "SystemExit: 0", id="wants to leave"),
    ],
)
def test_what_goes_wrong_is_a_sentence_and_stops_no_other_task(project: Project, do: str, words: str) -> None:
    home = project(names=("loop",), parameters={"timeout_s": 1})
    asked = tasks(home, [said(("loop", "yes", 0.9))] * 3, do=["", do, ""])
    home.train()
    first, bad, last = home.predict(asked)
    assert options(first) == options(last) == {"loop": ("yes", 0.9)}
    assert not bad.answers
    assert words in bad.row.message
    assert bad.row.message.startswith("task 2: ")
    assert "\n" not in bad.row.message


def test_results_that_do_not_fit_are_told_beside_those_that_do(project: Project) -> None:
    home = project(names=("loop",))
    asked = tasks(home, [said(("loop", "maybe", 0.9)), said(("loop", "yes", 1.5)), said(("colour", "red", 0.9))])
    home.train()
    found = home.predict(asked)
    assert not any(one.answers or one.row.message for one in found)
    words = ["has no option 'maybe'", "score must be a number within [0, 1], got 1.5", "no such control (from_name)"]
    for one, expected in zip(found, words, strict=True):
        assert expected in one.warnings[0]


def test_of_a_video_it_answers_inside_the_range(project: Project) -> None:
    home = project(names=("scene", "part"), config=VIDEO_CONFIG)
    path = home.house.settings.media_roots[0] / "pan.mp4"
    write_pan(path)
    region = {"id": "a", "to_name": "video", "score": 0.9}
    ranges = [{"start": 5, "end": 30}]
    result = [
        {
            **region,
            "from_name": "scene",
            "type": "timelinelabels",
            "value": {"ranges": ranges, "timelinelabels": ["temple"]},
        },
        {**region, "from_name": "part", "type": "choices", "value": {"ranges": ranges, "choices": ["left"]}},
    ]
    (task,) = home.add_tasks([{"video": str(path), "said": json.dumps({"result": result})}])
    home.train()
    (whole,) = home.predict([task])
    assert {(one.classification, one.option[-1], one.frames.ranges) for one in whole.answers} == {
        ("scene", "temple", ((4, 30),)),
        ("part", "left", ((4, 30),)),
    }
    (cut,) = home.predict([task], first=11, last=20)
    assert {one.frames.ranges for one in cut.answers} == {((10, 20),)}


def test_code_is_named_by_the_operator_alone(project: Project) -> None:
    more = 'model_plugin="label_studio_ml" model_class="answering:Reader"'
    home = project(names=(), config=CONFIG.format(more=more))
    tasks(home, [said(("loop", "yes", 0.9))])
    with pytest.raises(NotTrained, match=r"'answering:Reader' is not taken from there: no class is named"):
        home.train()
    assert not (home.backend / "shown.jsonl").exists()
    for name in ("class", "model_python", "directory", "with"):
        with pytest.raises(BadRequest, match="which the operator alone may do"):
            choose(home.house, home.project, "loop", {name: "answering:Reader"})


@pytest.mark.parametrize(
    ("changes", "words"),
    [
        pytest.param({"class": "answering"}, "must be written package.module:Class", id="no class"),
        pytest.param({"class": "elsewhere:Reader"}, "elsewhere is not in this Python", id="no module"),
        pytest.param({"class": "answering:Writer"}, "there is no Writer in answering", id="not in it"),
        pytest.param({"class": "json:JSONDecoder"}, "a subclass of LabelStudioMLBase: it is none", id="another"),
        pytest.param({"python": "/nowhere/python"}, "is no program here", id="no Python"),
        pytest.param({"directory": "/nowhere"}, "is not there", id="no directory"),
        pytest.param({"with": "[1]"}, "must be `name: value` pairs", id="no pairs"),
    ],
)
def test_a_class_that_cannot_be_had_is_told_when_training(
    project: Project, changes: Mapping[str, Any], words: str
) -> None:
    home = project(names=("loop",), **changes)
    tasks(home, [said(("loop", "yes", 0.9))])
    with pytest.raises(NotTrained) as told:
        home.train()
    assert words in str(told.value)


def test_it_is_made_with_what_the_operator_wrote_which_nobody_else_sees(project: Project) -> None:
    home = project(names=("loop",), **{"with": {"edition": "second"}})
    tasks(home, [said(("loop", "yes", 0.9))])
    assert "model version second" in home.train().message
    assert set(home.house.ontology(home.project).classification("loop").settings) == {"model_plugin"}


@pytest.mark.parametrize("name", ["Whole", "Lists"])
def test_a_class_of_the_second_generation_answers_too(
    project: Project, label_studio_ml_2: Callable[[Path], None], name: str
) -> None:
    home = project(names=("loop",), **{"class": f"second:{name}", "python": sys.executable})
    label_studio_ml_2(home.backend)
    (home.backend / "second.py").write_text(SECOND)
    asked = tasks(home, [said(("loop", "yes", 0.9)), said(("loop", "no", None), score=0.8), said(("loop", "no", None))])
    assert f"second:{name} of label-studio-ml 2.0.1.dev0, model version 0.0.2" in home.train().message
    assert [options(one) for one in home.predict(asked)] == [
        {"loop": ("yes", 0.9)},
        {"loop": ("no", 0.8)},
        {"loop": ("no", 1.0)},
    ]
    assert (home.backend / "7.label_config").read_text() == home.project.label_config


def test_another_class_is_another_training(project: Project) -> None:
    home = project(names=("loop",))
    asked = tasks(home, [said(("loop", "yes", 0.9))])
    home.train()
    (home.backend / "answering.py").write_text(BACKEND + "\nclass Other(Reader):\n    pass\n")
    hosting.close_all()
    home = project(names=("loop",), **{"class": "answering:Other"})
    with pytest.raises(NotTrained, match=r"by answering:Reader when .* names answering:Other now: train again"):
        home.predict(asked)
    home.train()
    assert [options(one) for one in home.predict(asked)] == [{"loop": ("yes", 0.9)}]


def test_a_project_is_trained_as_soon_as_it_is_connected(project: Project) -> None:
    assert knowing.is_known((home := project()).house, home.project)
    assert task_answers.reads_tasks(home.house.ontology(home.project).classification("loop")) is not None


def test_the_gate_and_the_lists_know_that_it_learns_nothing(project: Project) -> None:
    home = project(names=("loop",))
    asked = tasks(home, [said(("loop", "yes" if at % 2 else "no", 0.9)) for at in range(40)])
    right = ["no" if at % 8 == 1 else "yes" if at % 2 else "no" for at in range(40)]
    for task, option in zip(asked[:30], right, strict=False):
        home.annotate(task["id"], answer(loop=option))
    home.train()
    judged = forecast(home.house, home.project, Progress())
    assert [one.key for one in judged] == [("loop", ())]
    for task, option in zip(asked[30:], right[30:], strict=True):
        home.annotate(task["id"], answer(loop=option))
    version = home.train()
    compared = version.gate["figures"]["macro_f1"]
    assert compared["frames"] == 40
    assert compared["difference"] == pytest.approx(0, abs=0.05), "the same class is neither better nor worse"


def test_a_bundle_leaves_it_out(project: Project, tmp_path: Path) -> None:
    home = project(names=("loop",))
    tasks(home, [said(("loop", "yes", 0.9))])
    version = home.train()
    write(home.house, home.project, version, tmp_path / "bundle")
    with opened(tmp_path / "bundle") as bundle:
        (picture, *_) = (tmp_path / "digits").iterdir()
        (reply,) = Predictor(bundle).predict([GivenFile("digit", (picture,))])
    assert reply["answers"] == []
