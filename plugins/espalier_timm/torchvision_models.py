"""The networks that timm lacks and torchvision has, in the shape that timm gives them: pooled features, no head."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

from .names import TORCHVISION

if TYPE_CHECKING:
    import torch

IMAGENET_MEAN, IMAGENET_STD = (0.485, 0.456, 0.406), (0.229, 0.224, 0.225)
SIDE = 224


def create(model: str) -> torch.nn.Module:
    """Random weights. Raises RuntimeError for a name that torchvision does not have."""
    import torch
    import torchvision

    name = model.removeprefix(TORCHVISION)
    if name not in torchvision.models.list_models(module=torchvision.models):
        raise RuntimeError(f"torchvision has no model {name!r}")
    options = {"init_weights": True, "aux_logits": False} if name == "googlenet" else {}
    module: Any = torchvision.models.get_model(name, weights=None, **options)
    if name.startswith("squeezenet"):
        # Its classes are a convolution, pooled afterwards: without it the features themselves are pooled.
        module.classifier = torch.nn.Sequential(torch.nn.AdaptiveAvgPool2d(1))
        head = "classifier"
    elif isinstance(getattr(module, "classifier", None), torch.nn.Sequential):
        head = f"classifier.{len(module.classifier) - 1}"
        module.classifier[-1] = torch.nn.Identity()
    else:
        head = "fc"
        module.fc = torch.nn.Identity()
    module.pretrained_cfg = {
        "architecture": model,
        "input_size": (3, SIDE, SIDE),
        "mean": IMAGENET_MEAN,
        "std": IMAGENET_STD,
        "classifier": (head, "AuxLogits", "aux1", "aux2"),
        "license": "bsd-3-clause",
        "fixed_input_size": False,
    }
    placed: torch.nn.Module = module
    return placed
