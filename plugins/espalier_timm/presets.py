"""Which model a preset means on which device, and which of several is the best one to have."""

from __future__ import annotations

from typing import Literal

Kind = Literal["cpu", "cuda"]

# On a CPU the backbone is the slower half of the pipeline, so the step from preset to preset is about 4 in time:
# 0.2, 0.9 and 4.5 G multiply-adds a frame. Plain convolutions run at the CPU's peak in bf16 and depthwise ones do
# not, yet per frame the small mobile networks still win; convnext's ImageNet-12k pretraining makes its features the
# most general of its size. On a GPU decoding is the slower half, so that a network 20 times as large costs nothing:
# CLIP's picture-and-text pretraining transfers furthest to classes that ImageNet never heard of.
PRESETS: dict[tuple[str, Kind], str] = {
    ("fast", "cpu"): "mobilenetv4_conv_small.e2400_r224_in1k",
    ("balanced", "cpu"): "mobilenetv4_conv_medium.e500_r224_in1k",
    ("accurate", "cpu"): "convnext_tiny.in12k_ft_in1k",
    ("fast", "cuda"): "convnext_nano.in12k_ft_in1k",
    ("balanced", "cuda"): "convnext_base.clip_laion2b_augreg_ft_in12k_in1k",
    ("accurate", "cuda"): "vit_large_patch14_clip_224.laion2b_ft_in12k_in1k",
}

# ImageNet-1k top-1 in percent of the usual training of each; what is not here is ranked by its size.
TOP1: dict[str, float] = {
    "vit_large_patch14_clip_224": 87.9,
    "convnext_base": 86.3,
    "vit_base_patch16_clip_224": 85.9,
    "convnext_small": 85.3,
    "convnext_tiny": 84.2,
    "convnext_nano": 82.3,
    "vit_small_patch16_224": 81.4,
    "resnet50": 80.2,
    "convnext_pico": 79.5,
    "mobilenetv4_conv_medium": 79.1,
    "efficientnet_b0": 78.6,
    "resnet34": 77.9,
    "mobilenetv3_large_100": 75.8,
    "mobilenetv4_conv_small": 73.8,
    "mobilenetv2_100": 72.9,
    "resnet18": 71.5,
    "mobilenetv1_100": 70.6,
    "mobilenetv3_small_100": 67.7,
}


def rank(model: str, size_bytes: int) -> tuple[int, float]:
    """Greater is better: what is known by its accuracy, then the rest by the size of its weights."""
    known = TOP1.get(model.partition(".")[0])
    return (1, known) if known is not None else (0, float(size_bytes))
