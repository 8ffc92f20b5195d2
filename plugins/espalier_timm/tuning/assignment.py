"""What is to be tuned, on what, and how."""

from __future__ import annotations

import hashlib
import json
from dataclasses import dataclass
from typing import TYPE_CHECKING

from espalier.tuning import TuningData
from espalier.tuning_parameters import TuningParameters

from ..weights import Weights

if TYPE_CHECKING:
    from ..description import Description
    from .headed_network import HeadedNetwork


@dataclass(frozen=True)
class Assignment:
    """weights: what it starts from. device: a torch device name. threads: 0 means as many as torch takes."""

    data: TuningData
    parameters: TuningParameters
    weights: Weights
    device: str
    threads: int

    @property
    def scratch(self) -> bool:
        return self.weights.path is None

    @property
    def on_gpu(self) -> bool:
        return self.device.startswith("cuda")

    def network(self) -> tuple[HeadedNetwork, Description]:
        """With its weights, and heads that know nothing. Raises BadRequest for an imgsz that it cannot take."""
        import torch

        from ..network import build
        from .headed_network import HeadedNetwork
        from .lesson import Lesson

        if self.threads and not self.on_gpu:
            torch.set_num_threads(self.threads)
        side = self.parameters.imgsz
        module, description = build(self.weights, (side, side) if side else None)
        return HeadedNetwork(module, description.dim, Lesson.of(self.data.heads).spans), description

    def fingerprint(self) -> str:
        """What must be the same for a training to go on; 64 hex digits."""
        digest = hashlib.sha256(json.dumps(self.parameters.to_json(), sort_keys=True).encode())
        digest.update(f"{self.weights.model} {self.weights.digest()}".encode())
        digest.update(self.data.parts.tobytes())
        for head in self.data.heads:
            digest.update(f"{head.key} {head.exclusive} {head.targets.shape}".encode())
            for array in (head.targets, head.mask, head.weights):
                digest.update(array.tobytes())
        return digest.hexdigest()
