"""Before any label: what a pretrained network answers in a project's first minute, and who answers afterwards."""

from __future__ import annotations

import csv
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.contract import EncoderRequest
from espalier.errors import NotTrained, NoWeights
from espalier.jobs import house as houses
from espalier.jobs import steps, training
from espalier.jobs.house import House
from espalier.jobs.opening import open_tasks
from espalier.jobs.parameters import RunParameters
from espalier.jobs.predicting import Predictor
from espalier.jobs.progress import Progress
from espalier.jobs.sample import sample
from espalier.learning.known_head import CUTOFF
from espalier.settings import Secret, Settings
from espalier_timm import PretrainedClassifier, TimmEncoder
from espalier_timm.class_head import ClassHead
from espalier_timm.imagenet import ImageNet

CLOTHES = {
    "t-shirt": "",
    "longsleeve": "sweatshirt, cardigan",
    "outwear": "trench coat, fur coat, lab coat",
    "pants": "jean, pajama",
    "shorts": "swimming trunks",
    "skirt": "miniskirt, hoopskirt, overskirt",
    "dress": "gown, vestment, sarong",
    "shoes": "",
    "hat": "",
    "shirt": "",
}
"""Options with their predicted_values; those without any are known by their name, or not at all."""


def config(options: dict[str, str], more: str = "") -> str:
    listed = "".join(
        f'<Choice value="{name}"' + (f' predicted_values="{known}"' if known else "") + "/>"
        for name, known in options.items()
    )
    choices = f'<Choices name="kind" toName="image" {more}>{listed}</Choices>'
    return f'<View><Image name="image" value="$image"/>{choices}</View>'


def answer(name: str) -> list[dict[str, Any]]:
    return [{"from_name": "kind", "to_name": "image", "type": "choices", "value": {"choices": [name]}}]


@pytest.fixture(scope="module")
def house(shared: Callable[[str], Path], redis_url: str, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    """With MobileNetV2, whose weights hold the classes that it was trained on."""
    data, directory = shared("data"), tmp_path_factory.mktemp("known")
    with pytest.MonkeyPatch.context() as patched:
        patched.setenv("HF_HUB_OFFLINE", "1")
        patched.setenv("OMP_NUM_THREADS", "1")
        opened = houses.current(
            Settings(
                data_dir=directory / "data",
                media_roots=(data, directory),
                weights_dir=data / "weights",
                encoder="timm:mobilenetv2_100",
                device="cpu",
                precision="fp32",
                threads=1,
                redis_url=Secret(redis_url),
            )
        )
        opened.queues.redis.flushall()
        yield opened
        houses._houses.clear()
        opened.records.close()
        opened.embeddings.close()
        opened.queues.redis.close()


class Clothes:
    """A project of photos of ten kinds of clothes, nothing of it annotated."""

    numbers = iter(range(1, 100))

    def __init__(self, house: House, root: Path, xml: str, *, every: int = 5) -> None:
        self.house, self.id = house, next(self.numbers)
        self.key = f"{self.id}.1700000000"
        with (root / "labels.csv").open() as file:
            self.rows = list(csv.DictReader(file))[::every]
        house.records.put_project(self.key, id=self.id, label_config=xml)
        self.tasks = [
            {"id": n, "data": {"image": str(root / row["filename"])}, "annotations": []}
            for n, row in enumerate(self.rows, 1)
        ]
        house.records.mirror_tasks(self.key, self.tasks)

    def annotate(self, count: int) -> None:
        given = [{"id": n, "task": n, "result": answer(row["label"])} for n, row in enumerate(self.rows[:count], 1)]
        self.house.records.mirror_annotations(self.key, given)

    def train(self) -> Any:
        return training.train(self.house, self.key, Progress())

    def said(self) -> list[str]:
        """What is answered, by task; empty where nothing is."""
        project = self.house.project(self.key)
        predictor = Predictor(self.house, project, self.house.version(project), RunParameters())
        predicted = predictor.predict(self.tasks, Progress())
        return [one.answers[0].option[-1] if one.answers else "" for one in predicted]

    @property
    def served(self) -> str | None:
        return self.house.project(self.key).served


@pytest.fixture
def new_clothes(house: House, shared: Callable[[str], Path]) -> Callable[..., Clothes]:
    root = shared("data/images/clothing10")
    houses._houses["house"] = house  # that of this process, whatever another test has left
    return lambda xml, **more: Clothes(house, root, xml, **more)


def test_a_project_is_predicted_before_any_label(new_clothes: Any, capsys: pytest.CaptureFixture[str]) -> None:
    clothes = new_clothes(config(CLOTHES))
    steps.connect(clothes.key)
    assert clothes.house.queues.redis.keys("*train*"), "connecting asked for a training, though nobody has labeled"
    version = clothes.train()
    assert (version.name, version.state, clothes.served) == ("espalier-v1", "promoted", "espalier-v1")
    assert version.message.startswith("no label yet, with timm:mobilenetv2_100; answers kind by the network's own")
    assert "t-shirt <- jersey" in version.message
    assert "shoes <- clog, cowboy boot, Loafer, running shoe and 1 more" in version.message
    assert "not known to the network, so never predicted: shirt" in version.message
    assert "cutoffs are a half" in version.message
    head = clothes.house.model(Path(version.directory)).heads["kind", ()]
    assert (head.plugin, head.background, set(head.cutoffs)) == ("pretrained", True, {CUTOFF})
    said, truth = clothes.said(), [row["label"] for row in clothes.rows]
    given = [(one, true) for one, true in zip(said, truth, strict=True) if one]
    right = sum(one == true for one, true in given)
    with capsys.disabled():
        print(f"\nbefore any label: {len(given)} of {len(said)} answered, {right / len(given):.0%} of them rightly")
    assert len(given) > 0.25 * len(said)
    assert right / len(given) > 0.6, "ten options: chance is 10 %"


def test_labels_take_over_as_soon_as_they_answer_better(new_clothes: Any) -> None:
    clothes = new_clothes(config(CLOTHES))
    assert clothes.train().name == "espalier-v1"
    plugins, scores = [], []
    for count in (6, 120):
        clothes.annotate(count)
        version = clothes.train()
        head = clothes.house.model(Path(version.directory)).heads["kind", ()]
        plugins.append(head.plugin)
        scores.append(head.metrics["f1"])
    assert plugins == ["pretrained", "linear"], "six labels say less than ImageNet, 120 say more"
    assert clothes.served == "espalier-v3"
    assert scores[1] > 0.5


def test_a_pretrained_head_stays_where_it_was_asked_for(new_clothes: Any) -> None:
    """Labels calibrate it, and choose its cutoffs."""
    clothes = new_clothes(config(CLOTHES, 'model_plugin="pretrained"'))
    clothes.train()
    clothes.annotate(120)
    head = clothes.house.model(Path(clothes.train().directory)).heads["kind", ()]
    assert head.plugin == "pretrained"
    assert head.calibration.slopes[0] != 1
    assert set(head.cutoffs) != {CUTOFF}
    assert head.metrics["accuracy"] > 0.3, "ten options, and none of the network's is a shirt"
    assert head.metrics["ece"] <= head.metrics["ece_uncalibrated"] + 0.02
    assert head.counts["shirt",] > 0
    assert ("shirt",) not in head.options


def test_options_inside_options_are_known_by_those_below(house: House, new_clothes: Any) -> None:
    xml = """<View><Image name="image" value="$image"/><Taxonomy name="kind" toName="image" model_plugin="pretrained"
      maxUsages="1"><Choice value="feet"><Choice value="running shoe"/><Choice value="sandal"/></Choice>
      <Choice value="body"><Choice value="t-shirt"/><Choice value="sweatshirt"/></Choice></Taxonomy></View>"""
    clothes = new_clothes(xml, every=20)
    version = clothes.train()
    heads = house.model(Path(version.directory)).heads
    assert heads["kind", ()].options == (("feet",), ("body",))
    assert heads["kind", ("feet",)].options == (("feet", "running shoe"), ("feet", "sandal"))
    assert "feet <- sandal, running shoe" in version.message or "feet <- running shoe, sandal" in version.message
    body = heads["kind", ("body",)].scores(np.eye(1280, dtype=np.float32)[:4])
    assert np.allclose(body.sum(axis=1), 1, atol=1e-3), "below body nothing but t-shirt and sweatshirt is decided on"


def test_several_options_may_hold(new_clothes: Any) -> None:
    clothes = new_clothes(config(CLOTHES, 'choice="multiple"'), every=30)
    head = clothes.house.model(Path(clothes.train().directory)).heads["kind", ()]
    assert not head.background
    assert head.scores(np.eye(1280, dtype=np.float32)[:4]).shape == (4, len(head.options))


def test_the_best_class_stays_the_best_though_embeddings_have_length_one(
    house: House, shared: Callable[[str], Path], new_clothes: Any, capsys: pytest.CaptureFixture[str]
) -> None:
    """Against the network's own logits, of features of their own length."""
    encoder = house.encoder().encoder
    assert isinstance(encoder, TimmEncoder)
    clothes = new_clothes(config(CLOTHES))
    project = house.project(clothes.key)
    opened = open_tasks(
        [(one["id"], one["data"]) for one in clothes.tasks], house.ontology(project), house.fetcher(project)
    )
    frames = sample([media for one in opened for media in one.media.values()], (224, 224), 80)
    assert encoder.weights is not None
    head = ClassHead.read(encoder.weights, 1280)
    features = next(iter(encoder.runtime.stream([frames]))).copy()
    own = (features @ head.coefficients.T + head.intercepts).argmax(axis=1)
    for name, some in (("measured on 40 other frames", frames[40:]), ("not measured", frames[:0])):
        classifier = PretrainedClassifier()
        classifier.know(encoder, [[id] for id in ImageNet.of(1000).ids], some, exclusive=True)
        agreement = (classifier.predict(encoder.encode(frames[:40])).argmax(axis=1) == own[:40]).mean()
        with capsys.disabled():
            print(f"\nlength {name}: {agreement:.1%} of frames have the network's own best class")
        assert agreement >= 0.9


@pytest.mark.parametrize("asked", ["", 'model_plugin="pretrained"'], ids=["by predicted_values", "by name"])
def test_an_encoder_without_classes_waits_for_labels(home: Any, asked: str) -> None:
    home.configure(config({"cat": "tabby", "dog": ""}, asked))
    home.digits(4, 0)
    with pytest.raises(
        NotTrained, match="knows no classes by itself; use a pretrained one" if asked else "nothing is answered yet"
    ):
        home.train()


def test_a_project_that_asks_nothing_of_it_waits_for_labels(home: Any) -> None:
    home.configure(config({"cat": "", "dog": ""}))
    steps.connect(home.key)
    assert not home.house.queues.redis.keys("*train*")
    with pytest.raises(NotTrained, match="nothing is annotated yet"):
        home.train()


def test_random_weights_know_nothing() -> None:
    encoder = TimmEncoder.open(EncoderRequest(model="test_resnet@random", device="cpu", threads=1))
    with pytest.raises(NoWeights, match="test_resnet has random weights, which know no classes"):
        PretrainedClassifier().know(encoder, [["cat"]], np.zeros((0, 160, 160, 3), np.uint8), exclusive=True)


def test_what_the_weights_do_not_hold_is_said(shared: Callable[[str], Path]) -> None:
    request = EncoderRequest(model="mobilenetv1_100", device="cpu", threads=1, weights_dir=shared("data/weights"))
    encoder = TimmEncoder.open(request)
    with pytest.raises(NoWeights, match=r"mobilenetv1_100\.safetensors holds no classifying head over ImageNet"):
        PretrainedClassifier().know(encoder, [["cat"]], np.zeros((0, 224, 224, 3), np.uint8), exclusive=True)
