"""Where weights come from, in which order, and what is said of it; the hub is never really asked."""

from __future__ import annotations

import shutil
import socket
import time
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from espalier.contract import EncoderRequest
from espalier.errors import BadSetting, NoWeights
from espalier.plugins.choice import choose_encoder
from espalier.plugins.installed import encoders
from espalier_timm import TimmEncoder, hub
from espalier_timm.presets import rank
from espalier_timm.weights import find_weights


@pytest.fixture
def weights_dir(tmp_path: Path) -> Path:
    """Holds the tiny network's weights, with a classifying head as files from elsewhere have it."""
    import timm
    from safetensors.torch import save_model

    directory = tmp_path / "weights"
    directory.mkdir()
    save_model(timm.create_model("test_resnet", num_classes=10), str(directory / "test_resnet.safetensors"))
    return directory


def change_weights(path: Path, change: Callable[[dict[str, Any]], None]) -> None:
    from safetensors.torch import load_file, save_file

    state = load_file(str(path))
    change(state)
    save_file(state, str(path))


def test_a_file_in_the_weights_directory_is_used(weights_dir: Path, converted: Path) -> None:
    opened = TimmEncoder.open(EncoderRequest(model="test_resnet", weights_dir=weights_dir, device="cpu"))
    assert opened.spec.name == "timm:test_resnet"
    assert "weights from the weights directory" in opened.spec.reason


def test_a_tagged_name_finds_the_file_without_its_tag(weights_dir: Path) -> None:
    found = find_weights(EncoderRequest(model="test_resnet.r160_in1k", weights_dir=weights_dir), "cpu")
    assert (found.model, found.path) == ("test_resnet.r160_in1k", weights_dir / "test_resnet.safetensors")


@pytest.mark.parametrize(
    ("change", "message"),
    [
        (lambda state: state.pop("conv1.0.weight"), r"1 keys are missing \(conv1.0.weight\)"),
        (lambda state: state.update(surprise=state["conv1.0.weight"].clone()), r"1 keys are too many \(surprise\)"),
        (
            lambda state: state.update({"conv1.0.weight": state["conv1.0.weight"][:1].clone()}),
            r"1 shapes differ \(conv1.0.weight is \(1, ",
        ),
    ],
    ids=["missing", "surplus", "shape"],
)
def test_weights_that_do_not_fit_are_an_error_in_words(
    weights_dir: Path, change: Callable[[dict[str, Any]], None], message: str
) -> None:
    change_weights(weights_dir / "test_resnet.safetensors", change)
    with pytest.raises(BadSetting, match=message):
        TimmEncoder.open(EncoderRequest(model="test_resnet", weights_dir=weights_dir, device="cpu"))


def test_a_file_that_is_no_safetensors_is_an_error_in_words(weights_dir: Path) -> None:
    (weights_dir / "test_resnet.safetensors").write_text("<html>404</html>")
    with pytest.raises(BadSetting, match="not a safetensors file"):
        TimmEncoder.open(EncoderRequest(model="test_resnet", weights_dir=weights_dir, device="cpu"))


def test_weights_that_are_nowhere_name_the_places_tried(weights_dir: Path) -> None:
    with pytest.raises(NoWeights) as caught:
        TimmEncoder.open(EncoderRequest(model="resnet18", weights_dir=weights_dir, device="cpu"))
    for words in ("no resnet18.safetensors in", "not in the hub's cache", "HF_HUB_OFFLINE", "ESPALIER_WEIGHTS_DIR"):
        assert words in str(caught.value)


def test_a_weights_directory_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BadSetting, match=r"ESPALIER_WEIGHTS_DIR=.* is not a directory"):
        find_weights(EncoderRequest(weights_dir=tmp_path / "nowhere"), "cpu")


def test_auto_takes_the_preset_where_its_weights_lie(weights_dir: Path) -> None:
    shutil.copy(weights_dir / "test_resnet.safetensors", weights_dir / "mobilenetv4_conv_medium.safetensors")
    found = find_weights(EncoderRequest(weights_dir=weights_dir), "cpu")
    assert found.model == "mobilenetv4_conv_medium.e500_r224_in1k"
    assert found.reason.startswith("preset balanced on cpu means")


def test_auto_takes_the_best_of_the_weights_directory(weights_dir: Path) -> None:
    for name in ("mobilenetv2_100", "resnet18", "no_network_at_all"):
        shutil.copy(weights_dir / "test_resnet.safetensors", weights_dir / f"{name}.safetensors")
    found = find_weights(EncoderRequest(weights_dir=weights_dir), "cpu")
    assert found.model == "mobilenetv2_100"
    assert "best of 3 in the weights directory; mobilenetv4_conv_medium" in found.reason


def test_what_is_known_ranks_above_what_is_large() -> None:
    ranked = sorted(["resnet18", "unheard_of", "convnext_tiny.in12k_ft_in1k"], key=lambda name: rank(name, 10**9))
    assert ranked == ["unheard_of", "resnet18", "convnext_tiny.in12k_ft_in1k"]


def test_auto_falls_back_to_classic_and_says_why(tmp_path: Path, caplog: pytest.LogCaptureFixture) -> None:
    with caplog.at_level("INFO"):
        opened = choose_encoder("auto", EncoderRequest(weights_dir=tmp_path, device="cpu"), encoders())
    assert opened.spec.name == "classic"
    assert "no pretrained network" in opened.spec.reason
    assert "HF_HUB_OFFLINE" in opened.spec.reason
    assert "falling back to classic" in caplog.text


def test_auto_opens_the_network_whose_weights_lie_there(weights_dir: Path, converted: Path) -> None:
    opened = choose_encoder("auto", EncoderRequest(weights_dir=weights_dir, device="cpu"), encoders())
    assert opened.spec.name == "timm:test_resnet"
    with pytest.raises(NoWeights):
        choose_encoder("timm:resnet18", EncoderRequest(weights_dir=weights_dir, device="cpu"), encoders())


def test_a_preset_may_be_named_with_the_plugin(weights_dir: Path) -> None:
    with pytest.raises(NoWeights, match="mobilenetv4_conv_small"):
        choose_encoder("timm:fast", EncoderRequest(device="cpu"), encoders())


def test_an_unreachable_hub_costs_two_seconds_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        # It takes connections and never answers: worse than a closed port.
        listener.bind(("127.0.0.1", 0))
        listener.listen()
        monkeypatch.delenv("HF_HUB_OFFLINE")
        monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{listener.getsockname()[1]}")
        request = EncoderRequest(weights_dir=tmp_path, device="cpu")
        started = time.monotonic()
        with pytest.raises(NoWeights, match=r"did not answer within 2 s|cannot be reached \(timed out\)"):
            find_weights(request, "cpu")
        first = time.monotonic()
        with pytest.raises(NoWeights):
            find_weights(replace(request, preset="accurate"), "cpu")
    assert first - started < 3.5
    assert time.monotonic() - first < 0.5


def test_a_closed_hub_is_refused_at_once(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    with socket.socket() as listener:
        listener.bind(("127.0.0.1", 0))
        port = listener.getsockname()[1]
    monkeypatch.delenv("HF_HUB_OFFLINE")
    monkeypatch.setenv("HF_ENDPOINT", f"http://127.0.0.1:{port}")
    assert "cannot be reached" in hub.unreachable(hub.endpoint())
    opened = choose_encoder("auto", EncoderRequest(weights_dir=tmp_path, device="cpu"), encoders())
    assert f"http://127.0.0.1:{port} cannot be reached" in opened.spec.reason
