"""The names that people know networks by, and what timm or torchvision call them. Case, `-`, `_` and blanks are equal.

Importing this imports neither torch nor timm; only a name that is not in the table has to ask timm.
"""

from __future__ import annotations

import difflib
import re

from espalier.errors import BadSetting

TORCHVISION = "torchvision_"
"""What the few networks that timm lacks are called here: this, and their name in torchvision."""

KNOWN: dict[str, str] = {
    **{f"RESNET{depth}": f"resnet{depth}" for depth in (18, 34, 50, 101, 152)},
    **{f"VGG{depth}": f"vgg{depth}" for depth in (11, 13, 16, 19)},
    **{f"DENSENET{depth}": f"densenet{depth}" for depth in (121, 161, 169, 201)},
    "DENSENET": "densenet121",
    "EFFICIENTNET": "efficientnet_b0",
    **{f"EFFICIENTNET_B{n}": f"efficientnet_b{n}" for n in range(5)},
    **{f"EFFICIENTNET_B{n}": f"tf_efficientnet_b{n}" for n in (5, 6, 7)},
    **{f"EFFICIENTNET_V2_{size}": f"tf_efficientnetv2_{size.lower()}" for size in "SML"},
    "MOBILENET": "mobilenetv1_100",
    "MOBILENET_V1": "mobilenetv1_100",
    "MOBILENET_V2": "mobilenetv2_100",
    "MOBILENET_V3": "mobilenetv3_large_100",
    "MOBILENET_V3_LARGE": "mobilenetv3_large_100",
    "MOBILENET_V3_SMALL": "mobilenetv3_small_100",
    "MOBILENET_V4": "mobilenetv4_conv_medium",
    "INCEPTION": "inception_v3",
    "INCEPTION_V3": "inception_v3",
    "INCEPTION_V4": "inception_v4",
    "XCEPTION": "legacy_xception",
    "VIT": "vit_base_patch16_224",
    **{f"VIT_{size}": f"vit_{size.lower()}_patch16_224" for size in ("TINY", "SMALL", "BASE", "LARGE")},
    **{f"VIT_{size[0]}_16": f"vit_{size.lower()}_patch16_224" for size in ("SMALL", "BASE", "LARGE")},
    "VIT_B_32": "vit_base_patch32_224",
    "DEIT": "deit_base_patch16_224",
    **{f"DEIT_{size}": f"deit_{size.lower()}_patch16_224" for size in ("TINY", "SMALL", "BASE")},
    "DEIT3": "deit3_base_patch16_224",
    "SWIN": "swin_base_patch4_window7_224",
    **{
        f"SWIN_{name}": f"swin_{size}_patch4_window7_224"
        for size in ("tiny", "small", "base", "large")
        for name in (size.upper(), size[0].upper())
    },
    "SWIN_V2": "swinv2_base_window8_256",
    "BEIT": "beit_base_patch16_224",
    "BEIT_BASE": "beit_base_patch16_224",
    "BEIT_LARGE": "beit_large_patch16_224",
    "BEIT_V2": "beitv2_base_patch16_224",
    "CONVNEXT": "convnext_base",
    **{f"CONVNEXT_{size}": f"convnext_{size.lower()}" for size in ("NANO", "TINY", "SMALL", "BASE", "LARGE")},
    "CONVNEXT_V2": "convnextv2_base",
    "DINO_V2": "vit_base_patch14_dinov2",
    "REGNET": "regnety_032",
    "ALEXNET": f"{TORCHVISION}alexnet",
    "SQUEEZENET": f"{TORCHVISION}squeezenet1_1",
    "SQUEEZENET1_0": f"{TORCHVISION}squeezenet1_0",
    "SQUEEZENET1_1": f"{TORCHVISION}squeezenet1_1",
    "GOOGLENET": f"{TORCHVISION}googlenet",
    "SHUFFLENET": f"{TORCHVISION}shufflenet_v2_x1_0",
    "SHUFFLENET_V2": f"{TORCHVISION}shufflenet_v2_x1_0",
    "MNASNET": f"{TORCHVISION}mnasnet1_0",
}


def plain(name: str) -> str:
    return re.sub(r"[-_\s]", "", name).lower()


_PLAIN = {plain(name): model for name, model in KNOWN.items()}
_OF_TIMM = re.compile(r"[a-z0-9_]+(\.[a-z0-9_]+)?")
NAMES_SHOWN = 4


def resolve(name: str) -> str:
    """The network that a name means; a name that looks like timm's own is given back as it is.

    Raises BadSetting with the nearest names for one that nobody knows.
    """
    name = name.strip()
    stem, dot, tag = name.partition(".")
    if known := _PLAIN.get(plain(stem)):
        return f"{known}{dot}{tag.lower()}"
    if _OF_TIMM.fullmatch(name):
        return name  # whether timm has it turns out when it is made
    try:
        import timm
    except ImportError:
        return name
    models = {plain(model): model for model in timm.list_models()}
    if found := models.get(plain(stem)):
        return f"{found}{dot}{tag.lower()}"
    raise BadSetting(f"there is no network {name!r}; {near(name)}")


def near(name: str) -> str:
    """The nearest names, in words."""
    names = {plain(known): known for known in KNOWN}
    try:
        import timm
    except ImportError:
        pass
    else:
        names = {plain(model): model for model in timm.list_models()} | names
    found = difflib.get_close_matches(plain(name.partition(".")[0]), names, n=NAMES_SHOWN, cutoff=0.5)
    if not found:
        return "`python -c 'import timm; print(timm.list_models())'` lists all"
    return f"near are {', '.join(names[key] for key in found)}"
