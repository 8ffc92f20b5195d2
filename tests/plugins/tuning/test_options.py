"""Every option changes what it says it changes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import fields, replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest

from espalier.contract import EncoderRequest
from espalier.errors import BadRequest
from espalier.tuning import TuningData
from espalier.tuning_parameters import TuningParameters
from espalier_timm import TimmTuner

USUAL = TuningParameters(model="test_resnet", imgsz=32, epochs=2, batch_size=16, amp="fp32", augment="none")


@pytest.fixture(scope="module")
def data(painted: ModuleType) -> TuningData:
    found: TuningData = painted.paint(60)
    return found


@pytest.fixture(scope="module")
def course_of(data: TuningData, weights_dir: Path, tmp_path_factory: pytest.TempPathFactory) -> Callable[..., Any]:
    """What a training with these options starts with."""

    def make(**options: Any) -> Any:
        from espalier_timm.tuning.reporting import Reporting
        from espalier_timm.tuning.training import Training

        directory = tmp_path_factory.mktemp("course")
        request = EncoderRequest(device="cpu", threads=1, weights_dir=weights_dir)
        tuner = TimmTuner.open(request, data, replace(USUAL, **options))
        reporting = Reporting(lambda told: True, 0, directory / "curves.json")
        training = Training.prepared(tuner.assignment, directory, reporting, "")
        assert training is not None
        return training.course()

    return make


def changed(course: Any) -> Any:
    """The first batch as it is learned from, and what its pictures were mixed with."""
    import torch

    from espalier_timm.tuning.augmentation import dice

    pictures = torch.from_numpy(np.asarray(course.material.pictures.array[:16]))
    return course.augmentation(pictures, dice(0, 0, 0))


def plain(course: Any) -> Any:
    import torch

    return course.augmentation.plain(torch.from_numpy(np.asarray(course.material.pictures.array[:16])))


def loss(course: Any) -> Any:
    """Of the first batch, by a network whose heads are set to something."""
    import torch

    with torch.no_grad():
        torch.manual_seed(0)
        course.network.weight.normal_(generator=torch.Generator().manual_seed(0))
    rows = course.material.train[:16]
    with torch.no_grad():
        return float(course._loss(course.network.eval()(plain(course)), torch.from_numpy(rows), None))


def learning(course: Any) -> float:
    """Share of the network's weights that learn."""
    weights: list[Any] = list(course.network.backbone.parameters())
    counts: list[tuple[int, bool]] = [(int(weight.numel()), bool(weight.requires_grad)) for weight in weights]
    return sum(count for count, learns in counts if learns) / sum(count for count, _ in counts)


def scales(course: Any) -> list[float]:
    return sorted({group["lr_scale"] for group in course.solver.param_groups})


TABLE: list[tuple[str, Any, Callable[[Any], Any], Any]] = [
    ("model", "test_resnet@random", lambda course: course.scratch, True),
    ("pretrained", False, lambda course: (course.scratch, course.plan.linear_probe, scales(course)), (True, 0, [1.0])),
    ("epochs", 7, lambda course: course.plan.epochs, 7),
    ("minutes", 0.5, lambda course: course.plan.seconds, 30.0),
    ("lr", 0.02, lambda course: course.plan.lr, 0.02),
    ("batch_size", 10, lambda course: [len(rows) for rows in course.order(0)], [10] * 4),
    ("imgsz", 64, lambda course: course.material.pictures.array.shape, (60, 64, 64, 3)),
    ("weight_decay", 0.3, lambda course: {group["weight_decay"] for group in course.solver.param_groups}, {0.0, 0.3}),
    ("dropout", 0.4, lambda course: course.network.dropout.p, 0.4),
    ("label_smoothing", 0.3, loss, None),
    ("layer_decay", 0.5, lambda course: scales(course)[-3:], [0.25, 0.5, 1.0]),
    ("freeze", 1.0, learning, 0.0),
    ("freeze", 0.5, lambda course: 0 < learning(course) < 1, True),
    ("ema", 0.0, lambda course: course.average, None),
    ("ema", 0.9, lambda course: course.average.decay, 0.9),
    ("warmup", 0.5, lambda course: course.plan.warmup, 0.5),
    ("patience", 3, lambda course: course.plan.patience, 3),
    ("seed", 5, lambda course: np.concatenate(list(course.order(0))).tolist(), None),
    ("amp", "bf16", lambda course: course.plan.bf16, True),
    ("augment", "standard", lambda course: bool((changed(course)[0] != plain(course)).float().mean() > 0.9), True),
    ("augment", "light", lambda course: bool((changed(course)[0] != plain(course)).float().mean() > 0.9), True),
    ("mixup", 1.0, lambda course: bool(changed(course)[1].share.max() < 1), True),
    ("cutmix", 1.0, lambda course: bool(changed(course)[1].share.min() < 1), True),
    ("erasing", 1.0, lambda course: bool((changed(course)[0] == 0).all(dim=1).flatten(1).any(dim=1).all()), True),
    ("auto_augment", True, lambda course: bool((changed(course)[0] != plain(course)).any()), True),
    ("class_weight", "balanced", lambda course: bool((course.cells == course.material.lesson.cells).all()), False),
    ("oversample", True, lambda course: course.drawn.max() > course.drawn.min(), True),
    ("focal_gamma", 2.0, loss, None),
    ("linear_probe", 3, lambda course: course.plan.linear_probe, 3),
]
ELSEWHERE = {"preset", "teacher", "search_budget"}
"""Tested below; a teacher's scores come as targets."""


@pytest.mark.parametrize(("name", "value", "look", "expected"), TABLE, ids=[f"{row[0]}={row[1]}" for row in TABLE])
def test_every_option_changes_what_it_says(
    name: str, value: Any, look: Callable[[Any], Any], expected: Any, course_of: Callable[..., Any]
) -> None:
    options: dict[str, Any] = {name: value}
    if name == "minutes":
        options["epochs"] = None
    found = look(course_of(**options))
    if expected is not None:
        assert found == expected
    if name not in ("mixup", "cutmix", "oversample", "ema", "erasing"):
        assert found != look(course_of()), "it is not so anyway"


def test_no_option_is_forgotten() -> None:
    assert {row[0] for row in TABLE} | ELSEWHERE == {entry.name for entry in fields(TuningParameters)}


def test_unless_asked_nothing_is_mixed_or_averaged_away(course_of: Callable[..., Any]) -> None:
    course = course_of(epochs=100)
    assert changed(course)[1] is None
    assert (changed(course)[0] == plain(course)).all()
    assert course.drawn is None
    assert 0.9 < course.average.decay < 1


def test_presets_go_from_quick_to_thorough(course_of: Callable[..., Any]) -> None:
    epochs = [course_of(preset=preset, epochs=None).plan.epochs for preset in ("fast", "balanced", "accurate")]
    assert epochs == sorted(set(epochs))


def test_rates_rise_and_fall() -> None:
    from espalier_timm.tuning.schedule import rate

    rates = [rate(done, 0.2) for done in np.linspace(0, 1, 101)]
    assert np.argmax(rates) == 20
    assert rates[20] == 1
    assert rates[-1] == pytest.approx(0.01)
    assert rates[:21] == sorted(rates[:21])
    assert rates[20:] == sorted(rates[20:], reverse=True)
    assert rate(0, 0) == 1


def test_minutes_end_it(data: TuningData, weights_dir: Path, told: Any, tmp_path: Path) -> None:
    request = EncoderRequest(device="cpu", threads=1, weights_dir=weights_dir)
    TimmTuner.open(request, data, replace(USUAL, epochs=None, minutes=0.01)).tune(tmp_path, told)
    assert told.evaluations[-1].epoch > 1
    assert (tmp_path / "best" / "tuned.json").is_file()


def test_a_search_tries_settings_out_and_takes_the_best(
    data: TuningData, weights_dir: Path, told: Any, tmp_path: Path
) -> None:
    import json

    request = EncoderRequest(device="cpu", threads=1, weights_dir=weights_dir)
    TimmTuner.open(request, data, replace(USUAL, search_budget=3)).tune(tmp_path, told)
    tried = json.loads((tmp_path / "search.json").read_text())
    assert len(tried) == 3
    assert tried[0]["lr"] != tried[1]["lr"] != tried[2]["lr"]
    best = min(tried, key=lambda entry: float(entry["validation_loss"]))
    used = json.loads((tmp_path / "last" / "tuned.json").read_text())["parameters"]
    assert {name: used[name] for name in ("lr", "augment", "dropout")} == {
        name: best[name] for name in ("lr", "augment", "dropout")
    }
    assert told.reports[-1].step == told.reports[-1].steps == 3 + 3 * 3 + 2 * 3


def test_a_teacher_is_learned_from(data: TuningData, weights_dir: Path, told: Any, tmp_path: Path) -> None:
    """Its scores stand between 0 and 1, and what comes out is as unsure as it is."""
    colour = data.heads[0]
    unsure = replace(colour, targets=np.full_like(colour.targets, 0.5))
    request = EncoderRequest(device="cpu", threads=1, weights_dir=weights_dir)
    TimmTuner.open(request, replace(data, heads=(unsure,)), USUAL).tune(tmp_path, told)
    assert np.abs(told.evaluations[-1].scores["colour"] - 0.5).max() < 0.1


def test_batch_normalisation_is_left_alone_where_batches_are_tiny(course_of: Callable[..., Any]) -> None:
    from torch.nn.modules.batchnorm import _BatchNorm

    from espalier_timm.tuning.layers import learning_mode

    def learned(batch: int, **options: Any) -> int:
        course = course_of(batch_size=batch, **options)
        for module in course.network.modules():
            if isinstance(module, _BatchNorm) and module.running_mean is not None and not course.scratch:
                module.running_mean += 0.1  # as weights that have been trained have it
        learning_mode(course.network, course.plan.batch, scratch=course.scratch)
        return sum(module.training for module in course.network.modules() if isinstance(module, _BatchNorm))

    assert learned(4) == learned(4, pretrained=False) == learned(16, freeze=1.0) == 0
    assert learned(16) == learned(8, pretrained=False) > 3


@pytest.mark.parametrize("augment", ["none", "light", "standard", "strong"])
def test_changed_pictures_depend_on_the_dice_alone(augment: str, course_of: Callable[..., Any]) -> None:
    course = course_of(augment=augment)
    first, second = changed(course), changed(course)
    assert (first[0] == second[0]).all()
    assert first[0].shape == (16, 3, 32, 32)
    assert bool(first[0].isfinite().all())


def test_a_mirrored_and_cropped_picture_shows_the_same_thing(course_of: Callable[..., Any]) -> None:
    """A picture of one colour stays so wherever it is moved; brightness keeps its order."""
    import torch

    from espalier_timm.tuning.augmentation import Augmentation, dice
    from espalier_timm.tuning.recipe import Recipe

    pictures = torch.full((4, 32, 32, 3), 100, dtype=torch.uint8)
    moved = Augmentation(Recipe(flip=0.5, crop=0.5, rotation=45), (0, 0, 0), (1, 1, 1), torch.device("cpu"))
    assert torch.allclose(moved(pictures, dice(1))[0], torch.tensor(100 / 255), atol=1e-5)
    halves = pictures.clone()
    halves[:, :, 16:] = 200
    flipped = Augmentation(Recipe(flip=1.0), (0, 0, 0), (1, 1, 1), torch.device("cpu"))(halves, dice(1))[0]
    assert torch.allclose(flipped[..., :16], torch.tensor(200 / 255), atol=1e-4)
    assert torch.allclose(flipped[..., 17:], torch.tensor(100 / 255), atol=1e-4)


def test_a_size_that_a_network_cannot_take_is_said(data: TuningData) -> None:
    request = EncoderRequest(device="cpu", threads=1)
    options = replace(USUAL, model="INCEPTION_V3", pretrained=False, imgsz=64)
    with pytest.raises(BadRequest, match="inception_v3 cannot take pictures of 64 x 64; imgsz 96 is the least"):
        TimmTuner.open(request, data, options).assignment.network()


@pytest.mark.parametrize("model", ["test_vit", "test_vit_relpos"])
def test_transformers_are_brought_to_the_size(model: str, data: TuningData, told: Any, tmp_path: Path) -> None:
    from espalier_timm import TimmEncoder

    request = EncoderRequest(device="cpu", threads=1, precision="fp32")
    options = replace(USUAL, model=model, pretrained=False, epochs=1)
    TimmTuner.open(request, data, options).tune(tmp_path, told)
    encoder = TimmEncoder.open(replace(request, directory=tmp_path / "best"))
    assert encoder.spec.input_size == (32, 32)
    assert np.allclose(np.linalg.norm(encoder.encode(np.zeros((2, 32, 32, 3), np.uint8)), axis=1), 1, atol=1e-3)


@pytest.mark.gpu
def test_a_gpu_learns_in_bf16(data: TuningData, weights_dir: Path, told: Any, tmp_path: Path) -> None:
    request = EncoderRequest(device="cuda", weights_dir=weights_dir)
    TimmTuner.open(request, data, replace(USUAL, amp="auto", augment="strong", epochs=3)).tune(tmp_path, told)
    assert told.evaluations[-1].figures["validation_loss"] < 0.69
    assert TimmTuner.open(request, data, USUAL).estimate().seconds > 0
