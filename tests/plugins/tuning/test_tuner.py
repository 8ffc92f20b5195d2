"""Fine-tuning from end to end: it learns, it is kept, it opens as an encoder, it is cancelled, it goes on."""

from __future__ import annotations

import json
import shutil
import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np
import pytest
from safetensors.numpy import load_file

from espalier.contract import EncoderRequest, Scores
from espalier.errors import BadModel, BadRequest, NoWeights
from espalier.plugins.installed import tuners
from espalier.testing import check_encoder
from espalier.tuning import VALIDATION, TuningData, TuningReport
from espalier.tuning_parameters import TuningParameters
from espalier_timm import TimmEncoder, TimmTuner

TINY = TuningParameters(
    model="test_resnet", imgsz=32, epochs=3, batch_size=16, lr=0.0005, amp="fp32", augment="light", layer_decay=1.0
)


@pytest.fixture(scope="module")
def request_(weights_dir: Path) -> EncoderRequest:
    return EncoderRequest(device="cpu", threads=1, weights_dir=weights_dir, precision="fp32")


@pytest.fixture(scope="module")
def data(painted: ModuleType) -> TuningData:
    found: TuningData = painted.paint(60)
    return found


@pytest.fixture(scope="module")
def tuned(request_: EncoderRequest, data: TuningData, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A directory that a tuner has written, and its reports."""
    directory, reports = tmp_path_factory.mktemp("tuned"), []

    def report(told: TuningReport) -> bool:
        reports.append(told)
        return True

    TimmTuner.open(request_, data, TINY).tune(directory, report)
    return directory, reports


def scores_of(directory: Path, data: TuningData, request: EncoderRequest) -> dict[str, Scores]:
    """Of the validation rows, by encoder and heads alone."""
    encoder = TimmEncoder.open(replace(request, directory=directory))
    rows = np.flatnonzero(data.parts == VALIDATION)
    embeddings = np.zeros((len(data.parts), encoder.spec.dim), np.float32)
    for numbers, pictures in data.read(rows, encoder.spec.input_size):
        embeddings[numbers] = encoder.encode(pictures)
    heads, found = load_file(directory / "heads.safetensors"), {}
    for head in data.heads:
        logits = embeddings[rows] @ heads[f"{head.key}.coefficients"].T + heads[f"{head.key}.intercepts"]
        if head.exclusive:
            powers = np.exp(logits - logits.max(axis=1, keepdims=True))
            found[head.key] = powers / powers.sum(axis=1, keepdims=True)
        else:
            found[head.key] = 1 / (1 + np.exp(-logits))
    return found


def test_it_is_found_by_its_name() -> None:
    assert tuners()["timm"].load() is TimmTuner


def test_what_was_tuned_opens_as_an_encoder(tuned: Any, request_: EncoderRequest, data: TuningData) -> None:
    directory, _ = tuned
    encoder = TimmEncoder.open(replace(request_, directory=directory / "best"))
    check_encoder(encoder)
    assert encoder.spec.name == "timm:test_resnet@tuned"
    assert encoder.spec.input_size == (32, 32)
    assert "fine-tuned here" in encoder.spec.reason
    assert encoder.spec.digest != TimmEncoder.open(replace(request_, model="test_resnet")).spec.digest


@pytest.mark.parametrize("name", ["best", "last"])
def test_encoder_and_heads_give_the_networks_own_scores(
    name: str, tuned: Any, request_: EncoderRequest, data: TuningData
) -> None:
    directory, reports = tuned
    told = [report for report in reports if report.scores]
    losses = [report.figures["validation_loss"] for report in told]
    of = told[int(np.argmin(losses))] if name == "best" else told[-1]
    about = json.loads((directory / name / "tuned.json").read_text())
    assert about["figures"]["validation_loss"] == of.figures["validation_loss"]
    found = scores_of(directory / name, data, request_)
    assert found.keys() == of.scores.keys() == {"colour", "stripes", "marks"}
    for key, scores in found.items():
        assert np.abs(scores - of.scores[key]).max() < 1e-3


def test_it_learns_and_says_how_far_it_is(tuned: Any) -> None:
    directory, reports = tuned
    told = [report for report in reports if report.scores]
    assert [report.epoch for report in told] == [1, 2, 3, 4], "one of the heads alone, three of the network"
    assert [report.step for report in reports] == sorted(report.step for report in reports)
    assert reports[-1].step == reports[-1].steps == 4 * 3
    assert all(report.figures["validation_loss"] < 0.4 for report in told), "a blind one has 0.69"
    assert {"train_loss", "validation_loss", "accuracy", "macro_f1", "lr"} <= told[-1].figures.keys()
    rows = json.loads((directory / "curves.json").read_text())
    assert [row["figures"] for row in rows] == [dict(report.figures) for report in reports]


def test_a_network_that_knows_nothing_learns(
    request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path
) -> None:
    asked = replace(TINY, pretrained=False, epochs=12, lr=0.003, ema=0.0, augment="none", batch_size=8)
    TimmTuner.open(request_, data, asked).tune(tmp_path, told)
    losses = [report.figures["validation_loss"] for report in told.evaluations]
    assert len(losses) == 12, "nothing to probe: features of chance say nothing"
    assert min(losses) < 0.5 < losses[0]


def test_nothing_else_is_left_of_it(tuned: Any) -> None:
    directory, _ = tuned
    assert {path.name for path in directory.iterdir()} == {"best", "last", "checkpoint", "curves.json", "plan.json"}
    assert not list(directory.rglob("*.pkl"))
    size = sum(path.stat().st_size for path in (directory / "checkpoint").iterdir())
    assert size < 10_000, "of a training that is done, only that is kept"


def test_called_again_it_is_done(tuned: Any, request_: EncoderRequest, data: TuningData, told: Any) -> None:
    directory, _ = tuned
    before = (directory / "best" / "tuned.json").stat()
    TimmTuner.open(request_, data, TINY).tune(directory, told)
    assert not told.reports
    assert (directory / "best" / "tuned.json").stat() == before


def test_another_training_in_the_same_directory_starts_anew(
    tuned: Any, request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path
) -> None:
    shutil.copytree(tuned[0], tmp_path / "copy")
    TimmTuner.open(request_, data, replace(TINY, epochs=1, seed=9)).tune(tmp_path / "copy", told)
    assert len(told.evaluations) == 2
    assert json.loads((tmp_path / "copy" / "best" / "tuned.json").read_text())["parameters"]["seed"] == 9


@pytest.mark.parametrize("file", ["network.safetensors", "heads.safetensors", "tuned.json"])
def test_a_changed_network_is_refused_in_words(file: str, tuned: Any, request_: EncoderRequest, tmp_path: Path) -> None:
    shutil.copytree(tuned[0] / "best", tmp_path / "best")
    path = tmp_path / "best" / file
    bytes_ = bytearray(path.read_bytes())
    bytes_[-30] ^= 1
    path.write_bytes(bytes(bytes_))
    with pytest.raises(BadModel, match=rf"{file} (was changed after it was written|cannot be read)"):
        TimmEncoder.open(replace(request_, directory=tmp_path / "best"))


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda at: shutil.rmtree(at), "is no own network: it has no tuned.json"),
        (lambda at: (at / "network.safetensors").unlink(), "network.safetensors is missing"),
        (lambda at: (at / "tuned.json").write_text("[1, 2]"), "cannot be read as an own network's"),
        (lambda at: (at / "tuned.json").write_text('{"format": 99, "digest": ""}'), "has format 99"),
    ],
    ids=["nothing there", "no network", "no object", "another format"],
)
def test_a_foreign_directory_is_refused_in_words(
    change: Callable[[Path], object], message: str, tuned: Any, request_: EncoderRequest, tmp_path: Path
) -> None:
    shutil.copytree(tuned[0] / "best", tmp_path / "best")
    change(tmp_path / "best")
    with pytest.raises(BadModel, match=message):
        TimmEncoder.open(replace(request_, directory=tmp_path / "best"))


def test_a_child_learns_only_where_its_parent_holds(
    request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path, painted: ModuleType
) -> None:
    """What stands in the child's targets where it is not asked changes nothing, to the last bit."""
    from espalier_timm.tuning.lesson import Lesson

    rng = np.random.default_rng(0)
    colour, stripes, marks = data.heads
    noise = np.where(stripes.mask, stripes.targets, rng.random(stripes.targets.shape)).astype(np.float32)
    loud = replace(stripes, targets=noise, weights=np.ones_like(stripes.weights))
    plain, other = Lesson.of(data.heads), Lesson.of((colour, loud, marks))
    assert bool((plain.targets == other.targets).all())
    assert bool((plain.cells == other.cells).all())
    unasked = ~stripes.mask[:, 0]
    assert not plain.cells[unasked][:, 2:4].any()
    assert bool(plain.cells[~unasked][:, 2:4].all())


def test_cancel_keeps_the_best_so_far(request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path) -> None:
    told.cancel_after = 2
    TimmTuner.open(request_, data, replace(TINY, epochs=50)).tune(tmp_path, told)
    assert len(told.evaluations) == 2
    losses = [report.figures["validation_loss"] for report in told.evaluations]
    found = scores_of(tmp_path / "best", data, request_)
    best = told.evaluations[int(np.argmin(losses))].scores
    assert all(np.abs(found[key] - best[key]).max() < 1e-3 for key in best)
    assert (tmp_path / "last" / "tuned.json").is_file()
    assert not list(tmp_path.glob("pictures.*"))


def test_patience_ends_it(request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path) -> None:
    TimmTuner.open(request_, data, replace(TINY, lr=0.1, ema=0.0, patience=2, epochs=40)).tune(tmp_path, told)
    losses = [report.figures["validation_loss"] for report in told.evaluations]
    assert len(losses) < 20
    assert int(np.argmin(losses)) == len(losses) - 3


def test_after_a_kill_it_goes_on_to_the_result_of_an_unbroken_run(painted: ModuleType, tmp_path: Path) -> None:
    broken, whole = tmp_path / "broken", tmp_path / "whole"
    program = [sys.executable, str(painted.__file__), str(broken)]
    with subprocess.Popen([*program, "1.0"], stdout=subprocess.PIPE, text=True) as process:
        assert process.stdout is not None
        assert [process.stdout.readline() for _ in range(3)] == ["epoch 1\n", "epoch 2\n", "epoch 3\n"]
        time.sleep(0.3)  # in the middle of things: the third epoch is told, and not yet kept
        process.kill()
    assert not (broken / "last").exists()
    again = subprocess.run([*program, "0"], capture_output=True, text=True, timeout=60, check=True)
    assert again.stdout.splitlines() == ["epoch 3", "epoch 4", "epoch 5"]
    painted.main(whole, 0.0)
    for name in ("best", "last"):
        for file in ("network.safetensors", "heads.safetensors"):
            left, right = load_file(broken / name / file), load_file(whole / name / file)
            assert left.keys() == right.keys()
            for key in left:
                assert np.allclose(left[key], right[key], rtol=1e-4, atol=1e-5), (name, key)
    curves = [
        [row["figures"]["validation_loss"] for row in json.loads((at / "curves.json").read_text())
         if "validation_loss" in row["figures"]] for at in (broken, whole)
    ]  # fmt: skip
    assert len(curves[0]) == 5
    assert np.allclose(curves[0], curves[1], rtol=1e-4)


def test_an_own_version_is_gone_on_from(
    tuned: Any, request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path
) -> None:
    asked = replace(TINY, model=None, pretrained="version-1", epochs=1, imgsz=None)
    tuner = TimmTuner.open(replace(request_, directory=tuned[0] / "best"), data, asked)
    tuner.tune(tmp_path, told)
    first = tuned[1][3].figures["validation_loss"]
    assert told.evaluations[0].figures["validation_loss"] < first, "its features are those that were learned"
    assert TimmEncoder.open(replace(request_, directory=tmp_path / "best")).spec.input_size == (32, 32)


def test_pictures_that_cannot_be_read_are_done_without(
    request_: EncoderRequest, data: TuningData, told: Any, tmp_path: Path
) -> None:
    def read(numbers: Any, size: Any) -> Any:
        yield from data.read(numbers[numbers % 4 > 0], size)

    TimmTuner.open(request_, replace(data, read=read), replace(TINY, epochs=1)).tune(tmp_path, told)
    scores = told.evaluations[-1].scores["colour"]
    lost = np.flatnonzero(data.parts == VALIDATION) % 4 == 0
    assert len(scores) == 20
    assert np.allclose(scores[lost], 0.5), "all options alike"


def test_an_estimate_is_measured_before_the_start(request_: EncoderRequest, data: TuningData) -> None:
    estimate = TimmTuner.open(request_, data, TINY).estimate()
    assert estimate.steps == 4 * 3
    assert 0 < estimate.seconds < 120
    assert 0 < estimate.seconds_decoding < 10
    assert "test_resnet at 32 x 32" in estimate.remarks[0]
    assert "batches of 16 in fp32 on cpu" in estimate.remarks[1]


@pytest.mark.parametrize(
    ("change", "error", "message"),
    [
        ({"model": "resnet18"}, NoWeights, r"^the weights of resnet18 cannot be had: no resnet18.safetensors in .*hub"),
        ({"model": "ALEXNET"}, NoWeights, "weights of torchvision_alexnet cannot be had: .*pickles only"),
        ({"pretrained": "version-7"}, BadRequest, "version 'version-7', which has no network of its own"),
        ({"model": "test_vit", "pretrained": False, "imgsz": 1024}, None, ""),
    ],
    ids=["no weights, no hub", "torchvision", "no own network", "any size"],
)
def test_what_cannot_be_had_is_one_clear_sentence(
    change: dict[str, Any], error: type[Exception] | None, message: str, request_: EncoderRequest, data: TuningData
) -> None:
    if error is None:
        TimmTuner.open(request_, data, replace(TINY, **change))
        return
    with pytest.raises(error, match=message) as caught:
        TimmTuner.open(request_, data, replace(TINY, **change))
    assert "\n" not in str(caught.value)


def test_nothing_to_learn_from_is_said(request_: EncoderRequest, data: TuningData) -> None:
    with pytest.raises(BadRequest, match="nothing to fine-tune on"):
        TimmTuner.open(request_, replace(data, parts=np.ones_like(data.parts)), TINY)


@pytest.mark.parametrize(
    ("name", "questions", "step", "change"),
    [
        ("trees_tiny", ["label"], 1, {"model": "MOBILENET_V2", "imgsz": 96, "epochs": 2}),
        ("cifar100_nested", ["coarse|fine"], 12, {"model": "MOBILENET_V1", "imgsz": 64, "epochs": 2}),
        ("pcb_tiles", ["quality", "*defects"], 8, {"model": "MOBILENET_V2", "imgsz": 64, "epochs": 2}),
    ],
    ids=["single", "nested", "multiple"],
)
def test_real_pictures_are_learned(
    name: str,
    questions: list[str],
    step: int,
    change: dict[str, Any],
    real: Any,
    shared: Callable[[str], Path],
    told: Any,
    tmp_path: Path,
) -> None:
    data = real(name, questions, step)
    request = EncoderRequest(device="cpu", weights_dir=shared("data/weights"), precision="fp32")
    TimmTuner.open(request, data, TuningParameters(amp="fp32", **change)).tune(tmp_path, told)
    losses = [report.figures["validation_loss"] for report in told.evaluations]
    blind = np.mean([np.log(head.targets.shape[1]) if head.exclusive else np.log(2) for head in data.heads])
    assert min(losses) < blind
    assert json.loads((tmp_path / "best" / "tuned.json").read_text())["figures"]["validation_loss"] == min(losses)
    found = scores_of(tmp_path / "last", data, request)
    for key, scores in told.evaluations[-1].scores.items():
        assert np.abs(scores - found[key]).max() < 1e-3
