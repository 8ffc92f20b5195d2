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
        (self._mine, self._its), (self._my_counts, self._its_counts) = _pairs(self.network, network)

    @torch.no_grad()
    def follow(self, step: int) -> None:
        """step: how many were made. At first it follows closely, since there is nothing yet to remember."""
        decay = min(self.decay, (1 + step) / (10 + step))
        torch._foreach_lerp_(self._mine, self._its, 1 - decay)
        if self._my_counts:
            torch._foreach_copy_(self._my_counts, self._its_counts)


def _pairs(follower: HeadedNetwork, leader: HeadedNetwork) -> tuple[tuple[list[Tensor], list[Tensor]], ...]:
    """What follows and what it follows: first what can be averaged, then counts, which are taken over."""
    theirs = dict([*leader.named_parameters(), *leader.named_buffers()])
    averaged: tuple[list[Tensor], list[Tensor]] = ([], [])
    counts: tuple[list[Tensor], list[Tensor]] = ([], [])
    for name, tensor in [*follower.named_parameters(), *follower.named_buffers()]:
        mine, its = averaged if tensor.is_floating_point() else counts
        mine.append(tensor.data)
        its.append(theirs[name].data)
    return averaged, counts
