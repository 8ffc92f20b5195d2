"""Heat maps: of real photos in known boxes under a real network, and of every kind of network that timm has."""

from __future__ import annotations

import csv
from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from PIL import Image

from espalier.contract import EncoderRequest, Pictures
from espalier.errors import BadRequest
from espalier.learning.linear import LinearClassifier
from espalier.learning.occlusion import occlusion
from espalier.media.heat_map import heat_over
from espalier.plugins.checked import CheckedEncoder
from espalier_timm import TimmEncoder
from espalier_timm.explanation import Explainer
from espalier_timm.weights import Weights

SIDE, BOX = 224, 112
SHOWN = ("shoes", "hat", "dress", "pants", "t-shirt")


@dataclass(frozen=True)
class Composed:
    """A photo of one class in a quarter of a picture whose rest is grey, noise, or a photo of another class."""

    picture: Pictures
    label: str
    top: int
    left: int

    def inside(self, heat: NDArray[np.float32]) -> float:
        """The share of the map's mass within the photo."""
        whole = heat_over(heat, (SIDE, SIDE))
        return float(whole[self.top : self.top + BOX, self.left : self.left + BOX].sum() / whole.sum())


def photo(path: Path, side: int) -> Pictures:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize((side, side), Image.Resampling.BICUBIC))


@pytest.fixture(scope="module")
def clothes(real: TimmEncoder, shared: Callable[[str], Path]) -> tuple[LinearClassifier, list[str], list[Composed]]:
    """A classifier of ten kinds of clothes, their names, and composed pictures of photos that it has not seen and is
    right about."""
    root = shared("data/images/clothing10")
    with (root / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))
    names = sorted({row["label"] for row in rows})
    learned = rows[::4]
    targets = np.eye(len(names), dtype=np.float32)[[names.index(row["label"]) for row in learned]]
    embeddings = real.encode(np.stack([photo(root / row["filename"], SIDE) for row in learned]))
    classifier = LinearClassifier(search=False)
    said, groups = np.ones_like(targets, np.bool_), np.arange(len(targets))
    classifier.fit(embeddings, targets, said, groups, exclusive=True, seed=0)
    rng = np.random.default_rng(0)
    composed = []
    shown = [row for row in rows[1::4] if row["label"] in SHOWN][::2]
    for number, row in enumerate(shown):
        other = rng.choice([row["filename"] for row in rows[2::4] if row["label"] != shown[number]["label"]])
        grey, noise = np.full((SIDE, SIDE, 3), 128, np.uint8), rng.integers(0, 256, (SIDE, SIDE, 3), dtype=np.uint8)
        picture = (grey, noise, photo(root / other, SIDE).copy())[number % 3]
        top, left = rng.integers(0, SIDE - BOX, 2).tolist()
        picture[top : top + BOX, left : left + BOX] = photo(root / row["filename"], BOX)
        composed.append(Composed(picture, row["label"], top, left))
    said_of = classifier.predict(real.encode(np.stack([one.picture for one in composed]))).argmax(axis=1)
    right = [one for one, column in zip(composed, said_of, strict=True) if names[column] == one.label]
    return classifier, names, right


def test_grad_cam_points_at_the_object(
    real: TimmEncoder, clothes: tuple[LinearClassifier, list[str], list[Composed]]
) -> None:
    """The photo covers a quarter of the picture."""
    classifier, names, composed = clothes
    assert len(composed) >= 10
    coefficients = classifier.coefficients
    found = [one.inside(real.explain(one.picture, coefficients[names.index(one.label)])) for one in composed]
    print(f"grad-cam: {np.mean(found):.2f} of the mass inside, median {np.median(found):.2f}, least {min(found):.2f}")
    assert np.mean(found) > 0.65
    assert np.mean(np.array(found) > 0.5) > 0.8, "most of the mass, on most of the pictures"


def test_occlusion_points_at_the_object(
    real: TimmEncoder, clothes: tuple[LinearClassifier, list[str], list[Composed]]
) -> None:
    classifier, names, composed = clothes
    found = []
    for one in composed[:4]:
        row = classifier.coefficients[names.index(one.label)]
        found.append(one.inside(occlusion(one.picture, lambda some, row=row: real.encode(some) @ row)))  # type: ignore[misc]
    print(f"occlusion: {np.mean(found):.2f} of the mass inside, least {min(found):.2f}")
    assert np.mean(found) > 0.5


def test_two_classes_have_two_maps(
    real: TimmEncoder, clothes: tuple[LinearClassifier, list[str], list[Composed]]
) -> None:
    classifier, names, composed = clothes
    picture = composed[0].picture
    shoes, hat = (classifier.coefficients[names.index(name)] for name in ("shoes", "hat"))
    assert not np.allclose(real.explain(picture, shoes), real.explain(picture, hat), atol=1e-3)
    once, again = (real.explain(picture, one, method="eigen-cam") for one in (shoes, hat))
    assert np.allclose(once, again), "eigen-cam shows what the network looks at, whatever the class"


@pytest.mark.parametrize(
    ("model", "methods"),
    [
        ("test_resnet", ("grad-cam", "eigen-cam")),
        ("test_convnext", ("grad-cam", "eigen-cam")),
        ("test_vit", ("grad-cam", "eigen-cam", "attention")),
        ("test_vit2", ("grad-cam", "attention")),
        ("torchvision_squeezenet1_1", ("grad-cam",)),
    ],
    ids=["residual", "convnext", "class token", "mean of tokens", "torchvision"],
)
def test_every_kind_of_network_has_maps(model: str, methods: tuple[str, ...]) -> None:
    """Weights are random: where they point says nothing, but that they are maps does."""
    explainer = Explainer(Weights(model, None, "chance", ""))
    rng = np.random.default_rng(0)
    picture = rng.integers(0, 256, (*explainer.description.input_size, 3), dtype=np.uint8)
    direction = rng.normal(size=explainer.description.dim).astype(np.float32)
    for method in methods:
        heat = explainer(picture, direction, method)
        assert min(heat.shape) > 1
        assert heat.min() >= 0
        assert heat.max() > 0
        assert np.array_equal(heat, explainer(picture, direction, method))


def test_the_encoder_answers_as_before(tiny_request: EncoderRequest) -> None:
    """A heat map in between changes nothing, neither on OpenVINO nor in the network that is opened for it."""
    encoder = CheckedEncoder("timm", TimmEncoder.open(replace(tiny_request, model="test_vit@random")))
    height, width = encoder.spec.input_size
    picture = np.random.default_rng(0).integers(0, 256, (1, height, width, 3), dtype=np.uint8)
    direction = np.random.default_rng(1).normal(size=encoder.spec.dim).astype(np.float32)
    before = encoder.encode(picture)
    first = encoder.explain(picture[0], direction, method="attention")
    encoder.explain(picture[0], direction, method="grad-cam")
    assert encoder.explains
    assert np.array_equal(encoder.explain(picture[0], direction, method="attention"), first)
    assert np.array_equal(encoder.encode(picture), before)


def test_what_a_network_cannot_show_is_refused(tiny: TimmEncoder) -> None:
    picture, direction = np.zeros((*tiny.spec.input_size, 3), np.uint8), np.ones(tiny.spec.dim, np.float32)
    with pytest.raises(BadRequest, match="test_resnet is no transformer whose tokens all see each other; use grad-cam"):
        tiny.explain(picture, direction, method="attention")
    with pytest.raises(BadRequest, match="there is no method 'x-ray' for heat maps; expected auto, grad-cam"):
        tiny.explain(picture, direction, method="x-ray")
