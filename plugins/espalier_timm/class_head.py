"""The classifying head that a network was trained with: what its weights file holds beyond the encoder."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray
from safetensors import SafetensorError, safe_open

from espalier.errors import BadSetting, NoWeights

from .weights import Weights

CLASSES = (1000, 11221, 11821, 21841, 21842, 21843)
"""How many classes ImageNet and its larger selections have, as timm's networks tell them apart."""


@dataclass(frozen=True)
class ClassHead:
    """logits = features @ coefficients.T + intercepts; float32 (classes, dim) and (classes,)."""

    coefficients: NDArray[np.float32]
    intercepts: NDArray[np.float32]

    @classmethod
    def read(cls, weights: Weights, dim: int) -> ClassHead:
        """Raises NoWeights or BadSetting, saying why this network knows no classes of its own."""
        if weights.directory is not None:
            raise BadSetting("a fine-tuned network answers with the project's options; it knows ImageNet's no more")
        if weights.path is None:
            raise NoWeights(f"{weights.model} has random weights, which know no classes")
        try:
            with safe_open(str(weights.path), "numpy") as file:
                shapes = {key: tuple(file.get_slice(key).get_shape()) for key in file.keys()}  # noqa: SIM118
                wide = [key for key, shape in shapes.items() if key.endswith(".weight") and _is_head(shape, dim)]
                # A distilled network has two heads, and answers with their mean.
                pairs = [(file.get_tensor(key), _intercepts(file, key, shapes)) for key in wide]
        except (SafetensorError, OSError) as error:
            raise BadSetting(f"{weights.path} is not a safetensors file that can be read: {error}") from error
        if not pairs:
            raise NoWeights(
                f"{weights.path} holds no classifying head over ImageNet's classes, only the encoder; "
                f"put the whole weights of {weights.model} in its place"
            )
        coefficients = np.stack([one.reshape(len(one), dim) for one, _ in pairs]).mean(axis=0)
        intercepts = np.stack([one for _, one in pairs]).mean(axis=0)
        return cls(np.asarray(coefficients, np.float32), np.asarray(intercepts, np.float32))


def _is_head(shape: tuple[int, ...], dim: int) -> bool:
    return shape[:1] and shape[0] in CLASSES and shape[1:] in ((dim,), (dim, 1, 1))  # type: ignore[return-value]


def _intercepts(file: object, key: str, shapes: dict[str, tuple[int, ...]]) -> NDArray[np.float32]:
    name = key.removesuffix("weight") + "bias"
    if name not in shapes:
        return np.zeros(shapes[key][0], np.float32)
    tensor: NDArray[np.float32] = file.get_tensor(name)  # type: ignore[attr-defined]
    return tensor
