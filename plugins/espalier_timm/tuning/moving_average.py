"""The average of the weights over the last steps: calmer than the weights themselves, and usually better."""

from __future__ import annotations

import copy

import torch
from torch import Tensor

from .headed_network import HeadedNetwork


class MovingAverage:
    """network: a copy, in evaluation mode, that follows. decay: what it keeps of itself at each step."""

    def __init__(self, network: HeadedNetwork, decay: float) -> None:
        self.decay = decay
        self.network = copy.deepcopy(network).eval().requires_grad_(False)
        self._mine, self._its, self._counts = _pairs(self.network, network)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """step: how many were made. At first it follows closely, since there is nothing yet to remember."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mine, self._its, 1 - decay)
        for mine, its in self._counts:
            mine.copy_(its)


def _pairs(
    follower: HeadedNetwork, leader: HeadedNetwork
) -> tuple[list[Tensor], list[Tensor], list[tuple[Tensor, Tensor]]]:
    theirs = dict([*leader.named_parameters(), *leader.named_buffers()])
    own, its, counts = [], [], []
    for name, tensor in [*follower.named_parameters(), *follower.named_buffers()]:
        if tensor.is_floating_point():
            own.append(tensor.data)
            its.append(theirs[name].data)
        else:
            counts.append((tensor.data, theirs[name].data))
    return own, its, counts
