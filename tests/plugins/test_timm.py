"""The timm encoder on a tiny network with random weights, and on a real one where its weights are at hand."""

from __future__ import annotations

import csv
import subprocess
import sys
import warnings
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from PIL import Image
from sklearn.linear_model import LogisticRegression
from sklearn.model_selection import StratifiedKFold, cross_val_score

from espalier.contract import EncoderRequest, Pictures
from espalier.errors import BadSetting
from espalier.testing import check_encoder
from espalier_timm import TimmEncoder, precision
from espalier_timm.network import build
from espalier_timm.precision import centred_agreement
from espalier_timm.presets import PRESETS
from espalier_timm.runtime import unit
from espalier_timm.torch_runtime import TorchRuntime
from espalier_timm.weights import Weights


def noise(size: tuple[int, int], count: int = 6) -> Pictures:
    return np.random.default_rng(1).integers(0, 256, (count, *size, 3), dtype=np.uint8)


def photo(path: Path, size: tuple[int, int] = (224, 224)) -> Pictures:
    with Image.open(path) as image:
        return np.asarray(image.convert("RGB").resize(size[::-1], Image.Resampling.BICUBIC))[None]


def has_bf16() -> bool:
    import openvino as ov

    return "BF16" in ov.Core().get_property("CPU", "OPTIMIZATION_CAPABILITIES")


def test_it_keeps_the_contract(tiny: TimmEncoder) -> None:
    check_encoder(tiny)


def test_random_weights_are_said_plainly(tiny: TimmEncoder) -> None:
    assert tiny.spec.name == "timm:test_resnet@random"
    assert "RANDOM weights" in tiny.spec.reason


def test_openvino_gives_what_torch_gives(tiny: TimmEncoder, tiny_request: EncoderRequest) -> None:
    module, description = build(Weights("test_resnet", None, "chance", ""))
    pictures = noise(description.input_size)
    torch_rows = unit(next(iter(TorchRuntime(module, description, "cpu", "fp32", 0).stream([pictures]))))
    exact = TimmEncoder.open(replace(tiny_request, precision="fp32"))
    assert np.allclose(exact.encode(pictures), torch_rows, atol=1e-4)
    assert (tiny.encode(pictures) * torch_rows).sum(axis=1).min() > 0.999


def test_torch_streams_in_order_where_openvino_is_not(tiny: TimmEncoder) -> None:
    module, description = build(Weights("test_resnet", None, "chance", ""))
    check_encoder(TimmEncoder(replace(tiny.spec, digest="0" * 32), TorchRuntime(module, description, "cpu", "fp32", 0)))


def test_the_digest_follows_what_moves_an_embedding(tiny: TimmEncoder, tiny_request: EncoderRequest) -> None:
    same = TimmEncoder.open(replace(tiny_request, threads=2))
    assert same.spec.digest == tiny.spec.digest
    exact = TimmEncoder.open(replace(tiny_request, precision="fp32"))
    other = TimmEncoder.open(replace(tiny_request, model="test_efficientnet@random", precision="fp32"))
    assert len({exact.spec.digest, other.spec.digest}) == 2
    assert (exact.spec.digest == tiny.spec.digest) == (tiny.runtime.precision == "fp32")


def test_a_second_start_needs_no_torch(tiny: TimmEncoder, tiny_request: EncoderRequest) -> None:
    program = (
        "import sys; from pathlib import Path; from espalier.contract import EncoderRequest\n"
        "from espalier_timm import TimmEncoder\n"
        f"e = TimmEncoder.open(EncoderRequest(model={tiny_request.model!r}, device='cpu', threads=1,"
        f" cache_dir=Path({str(tiny_request.cache_dir)!r})))\n"
        "print(e.spec.digest, 'torch' in sys.modules, 'timm' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.split() == [tiny.spec.digest, "False", "False"]


def test_a_converted_network_that_is_not_whole_is_made_again(tiny_request: EncoderRequest, tmp_path: Path) -> None:
    request = replace(tiny_request, cache_dir=tmp_path)
    first = TimmEncoder.open(request).spec
    (directory,) = tmp_path.iterdir()
    (directory / "about.json").write_text("{")
    assert TimmEncoder.open(request).spec == first
    assert [path.name for path in tmp_path.iterdir()] == [directory.name]


@pytest.mark.parametrize(
    ("change", "message"),
    [
        ({"device": "tpu"}, "'tpu' is no device; expected auto, cpu, cuda or cuda:0"),
        ({"device": "cuda:99"}, "asks for GPU 99"),
        ({"model": "no_such_model@random"}, "cannot make the model"),
        ({"model": "no_such_model"}, "has no model 'no_such_model'"),
    ],
    ids=["no device", "no such GPU", "no such random model", "no such model"],
)
def test_what_cannot_be_obeyed_is_refused(tiny_request: EncoderRequest, change: dict[str, str], message: str) -> None:
    with pytest.raises(BadSetting, match=message):
        TimmEncoder.open(replace(tiny_request, **change))  # type: ignore[arg-type]


def test_every_preset_is_a_model_that_timm_has_weights_for() -> None:
    import timm

    assert set(PRESETS.values()) <= set(timm.list_pretrained())


def test_agreement_is_not_fooled_by_what_all_pictures_share() -> None:
    rng = np.random.default_rng(0)
    exact = unit((10 + rng.normal(size=(40, 16))).astype(np.float32))
    wrecked = unit((10 + rng.normal(size=(40, 16))).astype(np.float32))
    assert (exact * wrecked).sum(axis=1).min() > 0.97
    assert centred_agreement(exact, wrecked) < 0.9
    assert centred_agreement(exact, exact) > 0.999


def test_int8_is_checked_on_the_projects_own_frames(tiny_request: EncoderRequest, tiny: TimmEncoder) -> None:
    asked = replace(tiny_request, precision="int8")
    without = TimmEncoder.open(asked)
    assert "int8 was asked for: it needs 32 frames" in without.spec.reason
    assert without.spec.digest == tiny.spec.digest
    with warnings.catch_warnings():
        warnings.simplefilter("ignore")  # nncf's own
        opened = TimmEncoder.open(replace(asked, calibration=noise(tiny.spec.input_size, 32)))
    if opened.runtime.precision == "int8":
        assert "int8 agrees with fp32 to" in opened.spec.reason
        assert opened.spec.digest != tiny.spec.digest
    else:
        assert "agree with fp32 to" in opened.spec.reason
        assert opened.spec.digest == tiny.spec.digest
    again = TimmEncoder.open(asked)
    assert again.spec.digest == opened.spec.digest, "the verdict is kept"


@pytest.mark.gpu
def test_a_gpu_gives_what_the_cpu_gives(tiny: TimmEncoder, tiny_request: EncoderRequest) -> None:
    on_gpu = TimmEncoder.open(replace(tiny_request, device="cuda"))
    check_encoder(on_gpu)
    pictures = noise(tiny.spec.input_size)
    assert (on_gpu.encode(pictures) * tiny.encode(pictures)).sum(axis=1).min() > 0.998


def test_real_weights_give_the_known_embedding(real: TimmEncoder, shared: Callable[[str], Path]) -> None:
    picture = photo(sorted(shared("data/images/clothing10").rglob("*.jpg"))[0])
    row = real.encode(picture)[0]
    assert row.shape == (1280,)
    assert np.allclose(row[[161, 740, 115, 483, 308]], [0.1353, 0.1347, 0.1266, 0.1255, 0.1234], atol=1e-3)
    assert np.argmax(row) in (161, 740)


def test_real_weights_on_openvino_agree_with_torch(real_request: EncoderRequest, shared: Callable[[str], Path]) -> None:
    pictures = np.concatenate([photo(path) for path in sorted(shared("data/images/clothing10").rglob("*.jpg"))[::60]])
    module, description = build(Weights("mobilenetv2_100", shared("data/weights/mobilenetv2_100.safetensors"), "", ""))
    exact = unit(next(iter(TorchRuntime(module, description, "cpu", "fp32", 0).stream([pictures]))))
    rows = TimmEncoder.open(replace(real_request, precision="fp32")).encode(pictures)
    assert (rows * exact).sum(axis=1).min() >= 0.999


def test_bf16_is_taken_where_the_processor_has_it(real_request: EncoderRequest) -> None:
    opened = TimmEncoder.open(replace(real_request, precision="auto"))
    assert opened.runtime.precision == ("bf16" if has_bf16() else "fp32")


def test_bf16_is_not_taken_where_it_wrecks_the_embeddings(
    real_request: EncoderRequest, monkeypatch: pytest.MonkeyPatch
) -> None:
    """No such network is at hand, so the demand is raised instead. A processor without bf16 has nothing to refuse."""
    monkeypatch.setattr(precision, "FAITHFUL", 1.1)
    opened = TimmEncoder.open(replace(real_request, precision="auto"))
    assert opened.runtime.precision == "fp32"
    assert "bf16 would be faster" in opened.spec.reason or not has_bf16()


@pytest.mark.parametrize("chosen", ["fp32", "auto"])
def test_real_weights_tell_clothes_apart(
    real_request: EncoderRequest, chosen: str, shared: Callable[[str], Path]
) -> None:
    real = TimmEncoder.open(replace(real_request, precision=chosen))
    root = shared("data/images/clothing10")
    with (root / "labels.csv").open() as file:
        rows = list(csv.DictReader(file))[::2]
    embeddings = real.encode(np.concatenate([photo(root / row["filename"]) for row in rows]))
    labels = np.array([row["label"] for row in rows])
    folds = StratifiedKFold(3, shuffle=True, random_state=0)
    assert cross_val_score(LogisticRegression(C=30, max_iter=300), embeddings, labels, cv=folds).mean() >= 0.70
