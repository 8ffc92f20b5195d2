"""What is made small: cross-entropy of exclusive options, binary cross-entropy of others, where something was said."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

import torch
from torch import Tensor
from torch.nn import functional


@dataclass(frozen=True)
class Span:
    """Columns [start, stop) of the logits are the options of one head."""

    start: int
    stop: int
    exclusive: bool


def losses(
    logits: Tensor, targets: Tensor, cells: Tensor, spans: Sequence[Span], *, smoothing: float = 0.0, focal: float = 0.0
) -> Tensor:
    """float32 (n, heads), each row's weight in it.

    logits, targets, cells (n, K): see `Lesson`. focal: what is known already counts less, by (1 - its score)^focal.
    """
    parts = []
    for span in spans:
        part = slice(span.start, span.stop)
        said, wanted, given = cells[:, part], targets[:, part], logits[:, part]
        options = span.stop - span.start
        if span.exclusive:
            log = functional.log_softmax(given, dim=1)
            # A row's targets may sum to less than 1 where a teacher is unsure; what it says is kept in proportion.
            wanted = (1 - smoothing) * wanted + smoothing / options * wanted.sum(dim=1, keepdim=True)
            cost = -wanted * log
            if focal:
                cost = cost * (1 - log.exp()).clamp(min=0) ** focal
            parts.append((said * cost).sum(dim=1))
        else:
            wanted = (1 - smoothing) * wanted + smoothing / 2
            cost = functional.binary_cross_entropy_with_logits(given, wanted, reduction="none")
            if focal:
                score = torch.sigmoid(given)
                cost = cost * (wanted - score).abs() ** focal
            parts.append((said * cost).mean(dim=1))
    return torch.stack(parts, dim=1)


def mean_loss(rows: Tensor, usual: Tensor) -> Tensor:
    """One number of (n, heads): each head counts alike, and within it a row as much as in every other batch.

    usual (heads,): the mean weight of a row over all that is learned from. Dividing by the batch's own would make a
    child that only one row of it was asked as loud as its parent.
    """
    asked = usual > 0
    # Not `[asked]`: how many there are would have to come from the GPU before it could go on.
    heads = torch.where(asked, rows.mean(dim=0) / torch.where(asked, usual, 1.0), 0.0)
    return heads.sum() / asked.sum().clamp(min=1)


def scores(logits: Tensor, spans: Sequence[Span]) -> Tensor:
    """Within [0, 1], (n, K)."""
    parts = [
        torch.softmax(part, dim=1) if span.exclusive else torch.sigmoid(part)
        for span, part in ((span, logits[:, span.start : span.stop]) for span in spans)
    ]
    return torch.cat(parts, dim=1)
