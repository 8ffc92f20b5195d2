"""Networks answer to the names that people know them by."""

from __future__ import annotations

import subprocess
import sys

import pytest

from espalier.contract import EncoderRequest
from espalier.errors import BadSetting
from espalier_timm import TimmEncoder, names

TORCHVISION = [model for model in dict.fromkeys(names.KNOWN.values()) if model.startswith(names.TORCHVISION)]


@pytest.mark.parametrize(
    ("name", "model"),
    [
        ("RESNET18", "resnet18"),
        ("ResNet-152", "resnet152"),
        ("VGG16", "vgg16"),
        ("VGG19", "vgg19"),
        ("EFFICIENTNET_B0", "efficientnet_b0"),
        ("EfficientNet-B0", "efficientnet_b0"),
        ("MOBILENET_V3", "mobilenetv3_large_100"),
        ("MobileNetV2", "mobilenetv2_100"),
        ("VIT", "vit_base_patch16_224"),
        ("vit-b-16", "vit_base_patch16_224"),
        ("DEIT", "deit_base_patch16_224"),
        ("SWIN", "swin_base_patch4_window7_224"),
        ("BEIT", "beit_base_patch16_224"),
        ("CONVNEXT", "convnext_base"),
        ("ConvNeXt-Tiny", "convnext_tiny"),
        ("INCEPTION_V3", "inception_v3"),
        ("ALEXNET", "torchvision_alexnet"),
        ("SqueezeNet", "torchvision_squeezenet1_1"),
        ("resnet18.a1_in1k", "resnet18.a1_in1k"),
        ("RESNET18.A1_IN1K", "resnet18.a1_in1k"),
        ("HGNetV2-B0", "hgnetv2_b0"),
        ("test_resnet", "test_resnet"),
    ],
)
def test_a_name_means_a_network(name: str, model: str) -> None:
    assert names.resolve(name) == model


def test_every_known_name_is_a_network_that_is_there() -> None:
    import timm
    import torchvision

    there = set(timm.list_models())
    there |= {names.TORCHVISION + model for model in torchvision.models.list_models(module=torchvision.models)}
    assert set(names.KNOWN.values()) <= there


def test_of_networks_that_are_pretrained() -> None:
    import timm

    pretrained = {model.partition(".")[0] for model in timm.list_pretrained()}
    assert {model for model in names.KNOWN.values() if model not in TORCHVISION} <= pretrained


def test_an_unknown_name_lists_near_ones() -> None:
    with pytest.raises(BadSetting, match=r"there is no network 'RESNET19'; near are .*RESNET18"):
        names.resolve("RESNET19")
    with pytest.raises(BadSetting, match=r"timm has no model 'mobilenetx_100'; near are .*mobilenet"):
        TimmEncoder.open(EncoderRequest(model="mobilenetx_100", device="cpu"))


def test_a_known_name_needs_no_timm() -> None:
    program = (
        "import sys; from espalier_timm.names import resolve\n"
        "print(resolve('ResNet-50'), resolve('test_resnet'), 'timm' in sys.modules, 'torch' in sys.modules)"
    )
    answer = subprocess.run([sys.executable, "-c", program], capture_output=True, text=True, timeout=60, check=True)
    assert answer.stdout.split() == ["resnet50", "test_resnet", "False", "False"]


@pytest.mark.parametrize("model", TORCHVISION)
def test_networks_of_torchvision_give_one_vector_a_picture(model: str) -> None:
    from espalier_timm.network import build
    from espalier_timm.weights import Weights

    module, description = build(Weights(model, None, "chance", ""))
    assert description.input_size == (224, 224)
    assert {"torchvision_alexnet": 4096, "torchvision_squeezenet1_1": 512}.get(
        model, description.dim
    ) == description.dim
    assert not module.training
