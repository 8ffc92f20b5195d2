"""Pictures as they are learned from: moved, coloured, erased, mixed. A whole batch at once, where its tensors are.

All chance comes from a seed that the caller gives, so that a step is the same whenever it is done.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import torch
from torch import Tensor
from torch.nn import functional

from .autoaugment import altered
from .recipe import Recipe

GREY = (0.299, 0.587, 0.114)
BETA = 0.4
"""Two pictures are mixed by a share from Beta(0.4, 0.4): mostly one of them shows through."""


@dataclass(frozen=True)
class Mixed:
    """What a batch's answers are: `share` float32 (n,) of the picture's own, and the rest of `other`'s, int64 (n,)."""

    other: Tensor
    share: Tensor


class Augmentation:
    """From uint8 (n, height, width, 3) to float32 (n, 3, height, width), normalised, channels last in memory."""

    def __init__(self, recipe: Recipe, mean: tuple[float, ...], std: tuple[float, ...], device: torch.device) -> None:
        self.recipe = recipe
        self.mean = torch.tensor(mean, device=device).view(1, 3, 1, 1)
        self.std = torch.tensor(std, device=device).view(1, 3, 1, 1)
        self.grey = torch.tensor(GREY, device=device)

    def plain(self, pictures: Tensor) -> Tensor:
        """As they will be predicted: normalised, and nothing else."""
        # (n, height, width, 3) seen as (n, 3, height, width) is channels last already.
        return (pictures.permute(0, 3, 1, 2).float() - 255 * self.mean) / (255 * self.std)

    def __call__(self, pictures: Tensor, rng: np.random.Generator) -> tuple[Tensor, Mixed | None]:
        recipe = self.recipe
        if recipe.auto:
            pictures = altered(pictures, rng)
        if not (recipe.moves or recipe.colour > 0):
            values = self.plain(pictures)
        else:
            values = pictures.permute(0, 3, 1, 2).float() / 255
            if recipe.moves:
                values = self._moved(values, rng)
            if recipe.colour > 0:
                values = self._coloured(values, rng)
            values = (values - self.mean) / self.std
        if recipe.erasing > 0:
            values = self._erased(values, rng)
        mixed = None
        if recipe.mixup > 0 or recipe.cutmix > 0:
            values, mixed = self._mixed(values, rng)
        return values.contiguous(memory_format=torch.channels_last), mixed

    def _moved(self, values: Tensor, rng: np.random.Generator) -> Tensor:
        """Flip, rotation and random resized crop are one sampling, so that pixels are blurred once."""
        n, _, height, width = values.shape
        area = rng.uniform(self.recipe.crop, 1, n)
        bend = np.exp(rng.uniform(math.log(3 / 4), math.log(4 / 3), n) / 2) if self.recipe.crop < 1 else np.ones(n)
        tall, wide = np.minimum(np.sqrt(area) * bend, 1), np.minimum(np.sqrt(area) / bend, 1)
        down, right = rng.uniform(-1, 1, n) * (1 - tall), rng.uniform(-1, 1, n) * (1 - wide)
        turn = np.deg2rad(rng.uniform(-self.recipe.rotation, self.recipe.rotation, n))
        mirror = np.where(rng.random(n) < self.recipe.flip, -1.0, 1.0)
        ratio = height / width
        theta = np.zeros((n, 2, 3), np.float32)
        theta[:, 0, 0], theta[:, 0, 1], theta[:, 0, 2] = (
            np.cos(turn) * wide * mirror,
            -np.sin(turn) * tall * ratio,
            right,
        )
        theta[:, 1, 0], theta[:, 1, 1], theta[:, 1, 2] = (
            np.sin(turn) * wide * mirror / ratio,
            np.cos(turn) * tall,
            down,
        )
        grid = functional.affine_grid(
            torch.from_numpy(theta).to(values.device, non_blocking=True), list(values.shape), align_corners=False
        )
        return functional.grid_sample(values, grid, padding_mode="reflection", align_corners=False)

    def _coloured(self, values: Tensor, rng: np.random.Generator) -> Tensor:
        """Brightness, contrast and saturation are one linear map of a picture's colours."""
        n, _, height, width = values.shape
        factors = np.exp(rng.uniform(-self.recipe.colour, self.recipe.colour, (3, n))).astype(np.float32)
        bright, contrast, vivid = (
            factor.view(-1, 1, 1) for factor in torch.from_numpy(factors).to(values.device, non_blocking=True).unbind(0)
        )
        mean = (values.mean(dim=(2, 3)) @ self.grey).view(-1, 1, 1)
        to_grey = self.grey.view(1, 1, 3).expand(1, 3, 3)
        matrix = bright * contrast * (vivid * torch.eye(3, device=values.device) + (1 - vivid) * to_grey)
        offset = (bright * (1 - contrast) * mean).expand(n, 3, 1)
        flat = torch.baddbmm(offset, matrix, values.reshape(n, 3, height * width))
        return flat.clamp_(0, 1).view(n, 3, height, width)

    def _erased(self, values: Tensor, rng: np.random.Generator) -> Tensor:
        for row in np.flatnonzero(rng.random(len(values)) < self.recipe.erasing):
            top, bottom, left, right = _box(rng, rng.uniform(0.02, 0.25), values.shape[2], values.shape[3])
            values[row, :, top:bottom, left:right] = 0.0
        return values

    def _mixed(self, values: Tensor, rng: np.random.Generator) -> tuple[Tensor, Mixed]:
        n, _, height, width = values.shape
        other = rng.permutation(n)
        share = np.ones(n, np.float32)
        lot = rng.random(n)
        blend, paste = lot < self.recipe.mixup, (lot >= self.recipe.mixup) & (lot < _sum(self.recipe))
        share[blend] = rng.beta(BETA, BETA, int(blend.sum()))
        source = values.clone()
        for row in np.flatnonzero(paste):
            top, bottom, left, right = _box(rng, rng.uniform(0, 1), height, width)
            values[row, :, top:bottom, left:right] = source[int(other[row]), :, top:bottom, left:right]
            share[row] = 1 - (bottom - top) * (right - left) / (height * width)
        shares = torch.from_numpy(share).to(values.device, non_blocking=True)
        rows = torch.from_numpy(np.flatnonzero(blend)).to(values.device, non_blocking=True)
        if len(rows):
            own = shares[rows].view(-1, 1, 1, 1)
            others = torch.from_numpy(other[blend]).to(values.device, non_blocking=True)
            values[rows] = own * source[rows] + (1 - own) * source[others]
        return values, Mixed(torch.from_numpy(other).to(values.device, non_blocking=True), shares)


def _sum(recipe: Recipe) -> float:
    return recipe.mixup + recipe.cutmix * (1 - recipe.mixup)


def _box(rng: np.random.Generator, area: float, height: int, width: int) -> tuple[int, int, int, int]:
    """(top, bottom, left, right) of about this share of the picture, whole inside it."""
    tall, wide = round(height * math.sqrt(area)), round(width * math.sqrt(area))
    top, left = int(rng.integers(0, height - tall + 1)), int(rng.integers(0, width - wide + 1))
    return top, top + tall, left, left + wide


def dice(*numbers: int) -> np.random.Generator:
    """Chance that depends on these numbers alone: a seed, a purpose, a step."""
    return np.random.default_rng(np.array(numbers, np.uint64))
