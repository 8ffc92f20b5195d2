"""One network, one linear head per question on its features of norm 1."""

from __future__ import annotations

import copy
import math
from collections.abc import Sequence

import torch
from torch import Tensor, nn

from .loss import Span

SCALE = 16.0
"""What the heads' scale starts at. Features of norm 1 need large coefficients; these stay small beside it, so that one
learning rate suits them and the network."""


class HeadedNetwork(nn.Module):
    """logits = scale * weight @ (features / |features|) + bias; (n, K), the options of all heads side by side."""

    def __init__(self, backbone: nn.Module, dim: int, spans: Sequence[Span]) -> None:
        super().__init__()
        self.backbone = backbone
        options = spans[-1].stop
        self.weight = nn.Parameter(torch.zeros(options, dim))
        self.bias = nn.Parameter(torch.zeros(options))
        self.log_scale = nn.Parameter(torch.full((len(spans),), math.log(SCALE)))
        self.dropout = nn.Dropout(0.0)
        self.head_of: Tensor
        head_of = [number for number, span in enumerate(spans) for _ in range(span.start, span.stop)]
        self.register_buffer("head_of", torch.tensor(head_of), persistent=False)

    def features(self, pictures: Tensor) -> Tensor:
        """Normalised pictures (n, 3, height, width) to float32 (n, dim) of norm 1."""
        found: Tensor = self.backbone(pictures).float()
        unit: Tensor = found / found.norm(dim=1, keepdim=True).clamp(min=torch.finfo(torch.float32).tiny)
        return unit

    def forward(self, pictures: Tensor) -> Tensor:
        features = self.dropout(self.features(pictures))
        # The heads stay in float32: with large coefficients, bf16 would round their logits to whole tenths.
        with torch.autocast(features.device.type, enabled=False):
            return self.logits(features)

    def logits(self, features: Tensor) -> Tensor:
        found: Tensor = features @ self.coefficients().T + self.bias
        return found

    def copy(self) -> HeadedNetwork:
        return copy.deepcopy(self)

    def coefficients(self) -> Tensor:
        """(K, dim)"""
        return self.weight * self.log_scale.exp()[self.head_of, None]

    @torch.no_grad()
    def put(self, span: Span, coefficients: Tensor, intercepts: Tensor) -> None:
        """Set one head."""
        part = slice(span.start, span.stop)
        scale = self.log_scale.exp()[self.head_of[span.start]]
        self.weight[part] = coefficients / scale
        self.bias[part] = intercepts
