"""Networks written as ONNX give what the encoder gives, for any number of pictures."""

from __future__ import annotations

import importlib.util
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest

from espalier.bundle.onnx_network import OnnxNetwork
from espalier.contract import EncoderRequest, OnnxEncoder
from espalier.errors import BadSetting
from espalier_timm import TimmEncoder


@pytest.mark.parametrize("model", ["test_resnet", "test_vit", "test_convnext", "test_efficientnet"])
def test_a_written_network_gives_the_same_embeddings(tiny_request: EncoderRequest, tmp_path: Path, model: str) -> None:
    encoder = TimmEncoder.open(replace(tiny_request, model=f"{model}@random", precision="fp32"))
    assert isinstance(encoder, OnnxEncoder)
    encoder.export_onnx(tmp_path / "network.onnx")
    assert [path.name for path in tmp_path.iterdir()] == ["network.onnx"], "weights are in the file itself"
    network = OnnxNetwork(tmp_path / "network.onnx", encoder.spec, threads=1)
    for count in (1, 3, 40):
        frames = np.random.default_rng(count).integers(0, 256, (count, *encoder.spec.input_size, 3), np.uint8)
        assert np.abs(network.encode(frames) - encoder.encode(frames)).max() < 1e-4


def test_what_is_not_installed_is_said(tiny: TimmEncoder, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(importlib.util, "find_spec", lambda name, *more: None if name == "onnxscript" else find(name))
    with pytest.raises(BadSetting, match=r"needs onnxscript: pip install 'label-studio-espalier\[bundle\]'"):
        tiny.export_onnx(tmp_path / "network.onnx")
