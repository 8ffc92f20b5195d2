"""What is to be learned, as tensors: the options of all heads side by side."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from espalier.tuning import TuningHead

from .loss import Span


@dataclass(frozen=True)
class Lesson:
    """targets float32 (n, K) in [0, 1]; cells float32 (n, K): how much each counts, 0 where nothing was said or asked.

    Of an exclusive head all cells of a row are the row's weight. spans: which columns are whose.
    """

    keys: tuple[str, ...]
    spans: tuple[Span, ...]
    targets: Tensor
    cells: Tensor

    @classmethod
    def of(cls, heads: tuple[TuningHead, ...]) -> Lesson:
        spans, targets, cells, start = [], [], [], 0
        for head in heads:
            said = np.where(head.mask, head.targets, 0).astype(np.float32)
            weights = np.where(head.mask, head.weights, 0).astype(np.float32)
            if head.exclusive:
                # The weight of the option that holds is the row's; a row where none holds has nothing to say.
                total = said.sum(axis=1)
                row = (said * weights).sum(axis=1) / np.maximum(total, np.finfo(np.float32).tiny)
                weights = np.repeat(np.where(total > 0, row, 0)[:, None], said.shape[1], axis=1)
            spans.append(Span(start, start + said.shape[1], head.exclusive))
            start += said.shape[1]
            targets.append(said)
            cells.append(weights.astype(np.float32))
        keys = tuple(head.key for head in heads)
        joined = (torch.from_numpy(np.concatenate(part, axis=1)) for part in (targets, cells))
        return cls(keys, tuple(spans), *joined)

    def spread(self, factors: Tensor) -> Tensor:
        """float32 (K,), from a factor for each head, (heads,)."""
        return torch.cat([factors[head].expand(span.stop - span.start) for head, span in enumerate(self.spans)])

    def balanced(self, rows: NDArray[np.int64]) -> Lesson:
        """Each option of an exclusive head counts alike over these rows, and each yes as much as all noes."""
        cells = self.cells.clone()
        for span in self.spans:
            part = slice(span.start, span.stop)
            targets, said = self.targets[:, part], self.cells[:, part]
            held = (targets * said)[rows].sum(dim=0)
            if span.exclusive:
                factors = held.sum() / ((held > 0).sum().clamp(min=1) * held.clamp(min=1e-6))
                cells[:, part] *= (targets * factors).sum(dim=1, keepdim=True)
            else:
                rest = ((1 - targets) * said)[rows].sum(dim=0)
                yes, no = (0.5 * (held + rest) / side.clamp(min=1.0) for side in (held, rest))
                cells[:, part] *= targets * yes + (1 - targets) * no
        return Lesson(self.keys, self.spans, self.targets, cells)

    def rarity(self, rows: NDArray[np.int64]) -> NDArray[np.float64]:
        """How often each of these rows should be drawn, of sum 1: by the rarest option that it shows."""
        held = (self.targets * self.cells).numpy()[rows].astype(np.float64)
        share = held.sum(axis=0) / np.maximum((self.cells.numpy()[rows] > 0).sum(axis=0), 1)
        wish = np.where(held > 0, 1 / np.sqrt(np.maximum(share, 1e-6)), 0).max(axis=1)
        wish = np.maximum(wish, 1.0)
        drawn: NDArray[np.float64] = wish / wish.sum()
        return drawn

    def usual(self, rows: NDArray[np.int64]) -> Tensor:
        """float32 (heads,): the mean weight of these rows for each head; what its loss is divided by."""
        return torch.stack([self.cells[rows][:, span.start : span.stop].mean() for span in self.spans])
