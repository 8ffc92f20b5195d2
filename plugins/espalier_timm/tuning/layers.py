"""Which layers learn, and how fast: the nearer to the picture, the slower."""

from __future__ import annotations

from typing import Any

import torch
from torch import nn
from torch.nn.modules.batchnorm import _BatchNorm

from .headed_network import HeadedNetwork
from .plan import Plan

LEAST_BATCH, LEAST_BATCH_PRETRAINED = 8, 16
"""Smaller batches say too little about mean and variance; those that the network came with are better."""


def depths(backbone: nn.Module) -> tuple[dict[str, int], int]:
    """Of each parameter its layer, 0 next to the picture, and how many there are."""
    matcher: Any = getattr(backbone, "group_matcher", None)
    if matcher is not None:
        from timm.models import group_parameters

        found: dict[str, int] = group_parameters(backbone, matcher(coarse=False), reverse=True)
    else:
        # Each module with weights of its own is a layer, in the order in which they were made.
        modules = dict.fromkeys(name.rpartition(".")[0] for name, _ in backbone.named_parameters())
        number = {module: layer for layer, module in enumerate(modules)}
        found = {name: number[name.rpartition(".")[0]] for name, _ in backbone.named_parameters()}
    names = [name for name, _ in backbone.named_parameters()]
    # Numbers may be left out, or be infinite for what stands behind all layers.
    order = {depth: place for place, depth in enumerate(sorted({found[name] for name in names}))}
    return {name: order[found[name]] for name in names}, max(1, len(order))


def freeze(network: HeadedNetwork, share: float) -> None:
    """This share of the layers, from the picture's side, does not learn."""
    layer, count = depths(network.backbone)
    for name, parameter in network.backbone.named_parameters():
        parameter.requires_grad_(layer[name] >= round(share * count))


def optimiser(network: HeadedNetwork, plan: Plan) -> torch.optim.AdamW:
    """AdamW; every group has its `lr_scale`. Vectors (biases, norms) and positions are not decayed."""
    layer, count = depths(network.backbone)
    spared: Any = getattr(network.backbone, "no_weight_decay", None)
    exempt = set(spared()) if spared is not None else set()
    groups: dict[tuple[float, float], list[nn.Parameter]] = {}
    for name, parameter in network.backbone.named_parameters():
        if parameter.requires_grad:
            decay = 0.0 if parameter.ndim <= 1 or name in exempt else plan.weight_decay
            groups.setdefault((plan.layer_decay ** (count - layer[name]), decay), []).append(parameter)
    groups.setdefault((1.0, plan.weight_decay), []).append(network.weight)
    groups.setdefault((1.0, 0.0), []).extend([network.bias, network.log_scale])
    return torch.optim.AdamW(
        [
            {"params": parameters, "lr_scale": scale, "weight_decay": decay}
            for (scale, decay), parameters in groups.items()
        ],
        lr=plan.lr,
        foreach=True,
    )


def learning_mode(network: HeadedNetwork, batch: int, *, scratch: bool) -> None:
    """Training mode, but for normalisations whose statistics are better left alone: those of frozen layers, those
    that were folded into the weights around them, and all where batches are tiny."""
    network.train()
    least = LEAST_BATCH if scratch else LEAST_BATCH_PRETRAINED
    for module in network.backbone.modules():
        if isinstance(module, _BatchNorm):
            frozen = module.weight is not None and not module.weight.requires_grad
            mean = module.running_mean
            folded = not scratch and mean is not None and not bool(mean.any())
            if frozen or folded or batch < least:
                module.eval()
