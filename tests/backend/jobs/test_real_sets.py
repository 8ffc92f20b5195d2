"""What a person chooses to learn, on real pictures with real weights, through the jobs that train and predict."""

from __future__ import annotations

import csv
import hashlib
import json
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image
from sklearn.metrics import f1_score

from espalier.jobs import training
from espalier.jobs.choosing import keep
from espalier.jobs.house import House
from espalier.jobs.label_counts import label_counts
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predicted, Predictor
from espalier.jobs.progress import Progress
from espalier.learning.model import Model
from espalier.learning.training_parameters import TrainingParameters
from espalier.media.video import index_video, read_frames
from espalier.settings import Secret, Settings
from espalier_ontology import rules
from espalier_ontology.frames import Frames

Row = dict[str, str]
Answers = Mapping[str, Sequence[str]]
DEFECTS = ("open", "short", "mousebite", "spur", "copper", "pin-hole")


@dataclass
class RealProject:
    """Tasks are numbered from 1; `answers` holds for each what is true, and so many of the first are annotated."""

    house: House
    key: str
    answers: list[Answers]

    def train(self, **chosen: Any) -> Model:
        keep(self.house, self.house.project(self.key), TrainingParameters(**chosen))
        return self.house.model(Path(training.train(self.house, self.key, Progress()).directory))

    def predict(self, ids: Sequence[int]) -> list[Predicted]:
        project = self.house.project(self.key)
        tasks = [
            {"id": task.id, "data": task.data, "annotations": []} for task in self.house.records.tasks(self.key, ids)
        ]
        predictor = Predictor(self.house, project, self.house.version(project), RunParameters())
        return list(predictor.predict(tasks, Progress()))


class RealSets:
    """Every test has its own project in one house: the network is opened, and a picture embedded, once for all."""

    def __init__(self, house: House, images: Path) -> None:
        self.house, self.images = house, images
        self._projects = 0

    def rows(self, name: str) -> list[Row]:
        """labels.csv, shuffled; `filename` is where the picture lies."""
        with (self.images / name / "labels.csv").open(newline="") as file:
            rows = [{**row, "filename": str(self.images / name / row["filename"])} for row in csv.DictReader(file)]
        return [rows[n] for n in np.random.default_rng(0).permutation(len(rows))]

    def project(self, config: str, rows: Sequence[Row], answers: list[Answers], annotated: int | None = None) -> Any:
        """One task per row; the first ones are annotated, or all."""
        self._projects += 1
        key = f"{self._projects}.1700000000"
        records = self.house.records
        records.put_project(key, id=self._projects, label_config=config)
        tasks = [{"id": n, "data": {"image": row["filename"], **row}} for n, row in enumerate(rows, 1)]
        records.mirror_tasks(key, tasks)
        given = [{"id": n, "task": n, "result": _result(one)} for n, one in enumerate(answers[:annotated], 1)]
        records.mirror_annotations(key, given)
        return RealProject(self.house, key, answers)


def _result(answers: Answers) -> list[dict[str, Any]]:
    return [
        {"from_name": name, "to_name": "image", "type": "choices", "value": {"choices": list(options)}}
        for name, options in answers.items()
        if options
    ]


@pytest.fixture(scope="module")
def sets(shared: Callable[[str], Path], redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[RealSets]:
    data, directory = shared("data"), tmp_path_factory.mktemp("real")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_HUB_OFFLINE", "1")
        settings = Settings(
            data_dir=directory / "data",
            media_roots=(data, directory),
            weights_dir=data / "weights",
            encoder="timm:mobilenetv2_100",
            device="cpu",
            precision="fp32",  # every processor gives the same numbers
            redis_url=Secret(redis_url),
        )
        house = House(settings)
        assert house.encoder().spec.name == "timm:mobilenetv2_100"
        yield RealSets(house, data / "images")
        house.records.close()
        house.embeddings.close()
        house.queues.redis.close()


def choices(name: str, options: Sequence[str], more: str = "") -> str:
    listed = "".join(f'<Choice value="{option}"/>' for option in options)
    return f'<Choices name="{name}" toName="image" {more}>{listed}</Choices>'


def view(*controls: str) -> str:
    return f'<View><Image name="image" value="$image"/>{"".join(controls)}</View>'


def said(predicted: Predicted, name: str) -> list[str]:
    return [answer.option[-1] for answer in predicted.answers if answer.classification == name]


def accuracy(model: Model, name: str) -> float:
    """Of the cross-check, on frames that the classifier had not seen."""
    return float(model.heads[name, ()].metrics["accuracy"])


def macro_f1(model: Model, name: str) -> float:
    return float(model.heads[name, ()].metrics["macro_f1"])


def test_a_child_is_learned_and_predicted_below_its_parent_alone(sets: RealSets) -> None:
    rows = sets.rows("cifar100_nested")
    fine = {coarse: sorted({row["fine"] for row in rows if row["coarse"] == coarse}) for coarse in
            sorted({row["coarse"] for row in rows})}  # fmt: skip
    below = 'visibleWhen="choice-selected" whenTagName="coarse" whenChoiceValue="{}"'
    config = view(
        choices("coarse", list(fine)), *(choices(f"fine_{name}", fine[name], below.format(name)) for name in fine)
    )
    answers: list[Answers] = [{"coarse": [r["coarse"]], f"fine_{r['coarse']}": [r["fine"]]} for r in rows]
    project = sets.project(config, rows, answers, annotated=700)
    model = project.train()
    for name in fine:
        assert sum(model.heads[f"fine_{name}", ()].counts.values()) == sum(r["coarse"] == name for r in rows[:700])
    predicted = project.predict(range(701, 1001))
    ontology = sets.house.ontology(sets.house.project(project.key))
    coarse_right = fine_right = children = 0
    for row, one in zip(rows[700:], predicted, strict=True):
        assert not rules.check(ontology, one.answers), "no orphan, no second option"
        answered = {answer.classification for answer in one.answers}
        (parent,) = said(one, "coarse") or [""]
        assert answered <= {"coarse", f"fine_{parent}"}
        children += len(answered - {"coarse"})
        coarse_right += parent == row["coarse"]
        fine_right += said(one, f"fine_{row['coarse']}") == [row["fine"]]
    print(
        f"\nnested: coarse {coarse_right / 300:.3f}, fine {fine_right / 300:.3f}, {children} children of 300 answered"
    )
    assert coarse_right / 300 > 0.80
    assert fine_right / 300 > 0.50
    assert fine_right <= coarse_right, "a child is right only where its parent is"


def test_several_defects_of_one_picture_are_learned_below_defective(sets: RealSets) -> None:
    rows = sets.rows("pcb_tiles")
    condition = 'choice="multiple" visibleWhen="choice-selected" whenTagName="quality" whenChoiceValue="defective"'
    project = sets.project(
        view(choices("quality", ["good", "defective"]), choices("defects", DEFECTS, condition)),
        rows,
        [{"quality": [row["quality"]], "defects": defects_of(row)} for row in rows],
    )
    model = project.train(group_column="source_image")
    head = model.heads["defects", ()]
    assert not head.exclusive
    assert head.evidence is not None
    asked = head.evidence.mask.any(axis=1)
    targets = head.evidence.targets[asked]
    assert (targets.sum(axis=1) > 1).any()
    base = float(np.mean([f1_score(column, np.ones(len(column))) for column in targets.T]))
    print(f"\nmulti-label: macro F1 {macro_f1(model, 'defects'):.3f}, of answering every defect everywhere {base:.3f}")
    assert macro_f1(model, "defects") > base + 0.1
    defective = sum(row["quality"] == "defective" for row in rows)
    assert asked.sum() <= defective, "good boards say nothing about defects"


def defects_of(row: Row) -> list[str]:
    return [] if row["defects"] == "none" else row["defects"].split("|")


def test_one_class_is_learned_against_pictures_of_nothing_in_particular(sets: RealSets) -> None:
    rows = sets.rows("clothing10")
    label = ["dress" if row["label"] == "dress" else "other" for row in rows]
    rows = [{**row, "kind": f"{kind}-{n < 400}"} for n, (row, kind) in enumerate(zip(rows, label, strict=True))]
    answers: list[Answers] = [{"what": ["dress"] if kind == "dress" else []} for kind in label]
    project = sets.project(view(choices("what", ["dress"])), rows, answers, annotated=400)
    alone = label_counts(sets.house, sets.house.project(project.key)).questions[0]
    assert alone.reason == "only dress is answered: answer a second option, or name a background"
    model = project.train(background="kind=other-True")
    assert model.heads["what", ()].background
    answered = [said(one, "what") == ["dress"] for one in project.predict(range(401, 601))]
    true = [kind == "dress" for kind in label[400:]]
    right = sum(a and t for a, t in zip(answered, true, strict=True))
    print(f"\none class: {right} of {sum(true)} dresses found, {sum(answered)} answered, 200 pictures")
    assert right / sum(true) > 0.5
    assert right / sum(answered) > 0.5


def test_a_single_choice_is_learned_one_against_the_rest_in_one_step(sets: RealSets) -> None:
    rows = sets.rows("clothing10")
    project = sets.project(
        view(choices("label", sorted({row["label"] for row in rows}))),
        rows,
        [{"label": [row["label"]]} for row in rows],
        annotated=400,
    )
    right = {}
    for chosen in ((), ("label",)):
        model = project.train(one_vs_rest=chosen)
        assert model.heads["label", ()].exclusive == (not chosen)
        predicted = project.predict(range(401, 601))
        assert all(len(said(one, "label")) <= 1 for one in predicted), "the configuration still takes one option"
        right["one against the rest" if chosen else "exclusive"] = float(
            np.mean([said(one, "label") == [row["label"]] for one, row in zip(predicted, rows[400:], strict=True)])
        )
    print(f"\nclothing10, 200 unseen pictures: {right}")
    assert min(right.values()) > 0.6


def test_the_default_label_decides_where_a_picture_has_several(sets: RealSets) -> None:
    rows = [row for row in sets.rows("pcb_tiles") if row["quality"] == "defective"]
    project = sets.project(
        view(choices("defects", DEFECTS, 'choice="multiple"')), rows, [{"defects": defects_of(row)} for row in rows]
    )
    head = project.train(single_label=("defects",), default_labels={"defects": "open"}).heads["defects", ()]
    expected = Counter(
        "open" if "open" in found else found[0] for found in map(defects_of, rows) if len(found) == 1 or "open" in found
    )
    assert {path[0]: count for path, count in head.counts.items()} == expected
    assert head.exclusive
    version = sets.house.version(sets.house.project(project.key))
    several = sum(len(found) > 1 and "open" not in found for found in map(defects_of, rows))
    assert f"defects: {several} frames, two options of a single choice on one frame" in version.message


def test_a_column_says_what_is_trained_on_and_balanced_classes_are_no_worse(sets: RealSets) -> None:
    rows = sets.rows("traffic_light_imbalanced")[:800]
    rows = [{**row, "part": "Train" if n < 300 else "TEST"} for n, row in enumerate(rows)]
    project = sets.project(
        view(choices("label", ["red", "green", "yellow"])), rows, [{"label": [row["label"]]} for row in rows]
    )
    f1 = {}
    for weighed in ("none", "balanced"):
        model = project.train(split_column="part", class_weight=weighed)
        evidence, test = model.heads["label", ()].evidence, model.rows.part("test")
        assert evidence is not None
        test &= evidence.mask.all(axis=1)
        true, scored = evidence.targets[test].argmax(axis=1), evidence.scores[test].argmax(axis=1)
        f1[weighed] = f1_score(true, scored, average="macro")
    print(f"\ntraffic lights, macro F1 on {test.sum()} pictures of the test part: {f1}")
    assert f1["balanced"] >= f1["none"] - 0.01
    (question,) = label_counts(sets.house, sets.house.project(project.key)).questions
    yellow = next(option.parts for option in question.options if option.name == "yellow")
    yellows = sum(row["label"] == "yellow" for row in rows)
    trained = sum(row["label"] == "yellow" for row in rows[:300])
    assert yellow == {"train": trained, "validation": 0, "test": yellows - trained}
    assert not model.rows.part("validation").any()


def test_tiles_of_one_board_dealt_to_both_sides_flatter(sets: RealSets) -> None:
    """By chance, by the picture that the tiles were cut from, and by the board's design, which several pictures show.

    Tiles of one picture turned out to share too little to matter; those of one design share what is printed on it.
    """
    rows = sets.rows("pcb_tiles")
    project = sets.project(
        view(choices("quality", ["good", "defective"])), rows, [{"quality": [row["quality"]]} for row in rows]
    )
    shown_by: dict[str, list[Row]] = {}
    for row in rows:
        shown_by.setdefault(hashlib.sha256(Path(row["filename"]).read_bytes()).hexdigest(), []).append(row)
    figures: dict[str | None, list[tuple[float, float]]] = {None: [], "source_image": [], "board_group": []}
    for seed in range(4):
        for column, measured in figures.items():
            model = project.train(seed=seed, group_column=column)
            measured.append((accuracy(model, "quality"), macro_f1(model, "quality")))
            sides: dict[str, set[tuple[int, int]]] = {}
            for media, part, fold in zip(model.rows.media, model.rows.parts, model.rows.folds, strict=True):
                if len(shown_by[media]) == 1:  # an empty tile looks the same on many boards, and is one row
                    sides.setdefault(shown_by[media][0][column or "filename"], set()).add((int(part), int(fold)))
            assert all(len(found) == 1 for found in sides.values()), "no group stands on both sides of a check"
    means = {column or "chance": np.mean(measured, axis=0) for column, measured in figures.items()}
    print("".join(f"\npcb_tiles by {name}: accuracy {a:.3f}, macro F1 {f:.3f}" for name, (a, f) in means.items()))
    flattery = means["chance"] - means["board_group"]
    assert flattery[0] > 0.005
    assert flattery[1] > 0.02


@pytest.mark.parametrize(("film", "until", "stretch"), [("asl_sequence_a", 139, 16), ("fruit_conveyor", 101, 20)])
def test_a_random_split_of_a_videos_frames_flatters(sets: RealSets, film: str, until: int, stretch: int) -> None:
    """The frames as pictures of their own, dealt by chance and in stretches that stay together."""
    videos = sets.images.parent / "videos"
    segments = json.loads((videos / f"{film}.segments.json").read_text())["segments"]
    shown = {
        frame: sorted({one["label"] for one in segments if one["start"] - 1 <= frame < one["end"]})
        for frame in range(until)
    }
    directory = sets.house.settings.media_roots[1] / film
    directory.mkdir()
    path = videos / f"{film}.mp4"
    for numbers, pictures in read_frames(path, index_video(path), Frames.of((0, until)), (224, 224), batch=32):
        for number, picture in zip(numbers, pictures, strict=True):
            Image.fromarray(picture).save(directory / f"{number}.png", compress_level=1)
    names = sorted({name for found in shown.values() for name in found})
    rows = [
        {
            "filename": str(directory / f"{frame}.png"),
            "stretch": f"{frame // stretch} {'' if film[0] == 'f' else found}",
        }
        for frame, found in shown.items()
        if found
    ]
    answers: list[Answers] = [{"shown": found} for found in shown.values() if found]
    project = sets.project(view(choices("shown", names, 'choice="multiple"')), rows, answers)
    by_chance, by_stretch = project.train(), project.train(group_column="stretch")
    print(
        f"\n{film}, macro F1: frames by chance {macro_f1(by_chance, 'shown'):.3f}, "
        f"in stretches of {stretch} {macro_f1(by_stretch, 'shown'):.3f}"
    )
    assert macro_f1(by_chance, "shown") > 0.95
    assert macro_f1(by_stretch, "shown") < macro_f1(by_chance, "shown") - 0.05
