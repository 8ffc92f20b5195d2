"""The heads alone, on features of a network that stands still: one convex problem per head, solved."""

from __future__ import annotations

import torch
from torch import Tensor

from .headed_network import HeadedNetwork
from .lesson import Lesson
from .loss import Span, losses

STRENGTH = 20.0
"""Inverse penalty, for features scaled to mean squared distance 1 from their centre: as the classifiers on frozen
embeddings have it, so that a training starts where those have arrived."""
STEPS = 150


def settle(network: HeadedNetwork, lesson: Lesson, features: Tensor, rows: Tensor) -> None:
    """Fit every head. features float32 (m, dim) of norm 1; rows int64 (m,): whose they are."""
    device = features.device
    targets, cells = lesson.targets[rows].to(device), lesson.cells[rows].to(device)
    for span in lesson.spans:
        part = slice(span.start, span.stop)
        asked = cells[:, part].any(dim=1)
        if bool(asked.any()):
            only = Span(0, span.stop - span.start, span.exclusive)
            network.put(span, *_solve(features[asked], targets[asked][:, part], cells[asked][:, part], only))


def _solve(features: Tensor, targets: Tensor, cells: Tensor, span: Span) -> tuple[Tensor, Tensor]:
    """coefficients (k, dim) and intercepts (k,)"""
    centre = features.mean(dim=0)
    moved = features - centre
    scale = 1 / moved.square().sum(dim=1).mean().sqrt().clamp(min=1e-6)
    moved = moved * scale
    weight = torch.zeros(span.stop, features.shape[1], device=features.device, requires_grad=True)
    # It starts at how often each option holds.
    held, said = (targets * cells).sum(dim=0) + 0.5, cells.sum(dim=0) + 1.0
    share = held / held.sum() if span.exclusive else held / said
    bias = (share.log() if span.exclusive else torch.logit(share)).clone().requires_grad_(True)
    solver = torch.optim.LBFGS([weight, bias], max_iter=STEPS, history_size=10, line_search_fn="strong_wolfe")

    def closure() -> Tensor:
        solver.zero_grad()
        cost = losses(moved @ weight.T + bias, targets, cells, [span]).sum()
        if not span.exclusive:
            cost = cost * span.stop  # each option is a problem of its own
        cost = cost + weight.square().sum() / (2 * STRENGTH)
        torch.autograd.backward(cost)
        return cost

    solver.step(closure)  # type: ignore[no-untyped-call]
    with torch.no_grad():
        coefficients = weight * scale
        return coefficients, bias - coefficients @ centre
