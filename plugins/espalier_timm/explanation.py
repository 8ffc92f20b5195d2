"""Where in a picture an embedding comes from: heat maps of activations, weighted by what they do for a direction.

The encoder may run on OpenVINO; here the same weights are opened in torch, which alone has gradients.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Any

import numpy as np
from numpy.typing import NDArray

from espalier.contract import Pictures
from espalier.errors import BadRequest

from .attention import roll_out
from .hooks import along, hooked
from .network import build
from .tokens import grid_of, is_of_tokens, without_prefix
from .weights import Weights

if TYPE_CHECKING:
    import torch

METHODS = ("auto", "grad-cam", "eigen-cam", "attention")
ENLARGED = 2
"""For Grad-CAM, convolutions read the picture at so many times its size: a finer grid, and objects that fill more.
Of photos pasted into 18 % of a picture, MobileNetV2's map then had 66 % of its mass on the photo, and 44 % before;
Eigen-CAM lost by it."""


class Explainer:
    """One network, ready to be asked. Maps are float32 (rows, columns), 0 and up, laid over the whole picture.

    * `grad-cam`: activations of the last layer that still knows places, weighted by what they do for the direction.
    * `eigen-cam`: the strongest pattern of the same activations, whatever the direction: where it looks at all.
    * `attention`: attention of all layers of a transformer rolled out, weighted by what it does for the direction.
    * `auto`: grad-cam.
    """

    def __init__(self, weights: Weights) -> None:
        import torch

        self.module, self.description = build(weights)
        for parameter in self.module.parameters():
            parameter.requires_grad_(False)
        self.mean = torch.tensor(self.description.mean).view(1, 3, 1, 1) * 255
        self.scale = 1 / (torch.tensor(self.description.std).view(1, 3, 1, 1) * 255)

    def __call__(self, frame: Pictures, direction: NDArray[np.float32], method: str) -> NDArray[np.float32]:
        """Raises BadRequest for a method that there is not, or that this network does not allow."""
        import torch

        if method not in METHODS:
            raise BadRequest(f"there is no method {method!r} for heat maps; expected {', '.join(METHODS)}")
        picture = torch.from_numpy(np.array(frame)).permute(2, 0, 1)[None].float()
        wanted = torch.from_numpy(np.array(direction, np.float32))
        if method == "attention":
            found = roll_out(self.module, self.description.model, self._values(picture), wanted)
        else:
            found = self._activations(picture, wanted, method)
        grid: NDArray[np.float32] = np.ascontiguousarray(found.clamp(min=0).numpy(), np.float32)
        return grid

    def _values(self, picture: torch.Tensor) -> torch.Tensor:
        return (picture - self.mean) * self.scale

    def _activations(self, picture: torch.Tensor, direction: torch.Tensor, method: str) -> torch.Tensor:
        import torch

        layer = self._layer(self._values(picture))
        held: list[torch.Tensor] = []

        def hold(_: Any, __: Any, output: torch.Tensor) -> torch.Tensor:
            held.append(output.detach().clone().requires_grad_())
            return held[0].clone()  # what follows may change it in place

        if method != "eigen-cam" and self._takes_any_size():
            size = [ENLARGED * side for side in picture.shape[2:]]
            picture = torch.nn.functional.interpolate(picture, size, mode="bicubic").clamp(0, 255)
        with hooked((layer, hold)):
            along(self.module(self._values(picture)), direction).backward()  # type: ignore[no-untyped-call]
        slopes = held[0].grad
        assert slopes is not None
        places = self._places(held[0].detach())
        if method == "eigen-cam":
            return _strongest(places)
        # A slope at a single place is noise; their mean over the picture says what a channel does.
        return places @ self._places(slopes).mean(dim=(0, 1))

    def _layer(self, values: torch.Tensor) -> torch.nn.Module:
        """The last layer whose output has places; of a transformer, the entrance of its last block.

        Behind that, a transformer that reads its class token does nothing with its other tokens any more.
        """
        import torch

        if is_of_tokens(self.module):
            entrance: torch.nn.Module = self.module.blocks[-1].norm1  # type: ignore[index, union-attr]
            return entrance
        found: list[torch.nn.Module] = []

        def look(module: torch.nn.Module, _: Any, output: Any) -> None:
            if isinstance(output, torch.Tensor) and output.ndim == 4 and min(_channels_last(output).shape[:2]) > 1:
                found.append(module)

        inner = [module for module in self.module.modules() if module is not self.module]
        with torch.no_grad(), hooked(*((module, look) for module in inner)):
            self.module(values)
        if not found:
            raise BadRequest(f"{self.description.model} has no layer that knows places; use occlusion")
        return found[-1]

    def _places(self, output: torch.Tensor) -> torch.Tensor:
        """(rows, columns, channels)"""
        if output.ndim == 3:
            tokens = without_prefix(self.module, output[0])
            return tokens.reshape(*grid_of(self.module, self.description.model, len(tokens)), -1)
        return _channels_last(output)

    def _takes_any_size(self) -> bool:
        """Positions and windows are made for one size."""
        config: Any = self.module.pretrained_cfg
        return not (
            is_of_tokens(self.module) or hasattr(self.module, "set_input_size") or config.get("fixed_input_size")
        )


def _channels_last(output: torch.Tensor) -> torch.Tensor:
    """(rows, columns, channels) of a batch of one; deep down there are more channels than rows."""
    return output[0] if output.shape[-1] > output.shape[1] else output[0].permute(1, 2, 0)


def _strongest(places: torch.Tensor) -> torch.Tensor:
    """The first principal component of what is there, (rows, columns)."""
    import torch

    rows, columns, channels = places.shape
    flat = places.reshape(-1, channels)
    flat = flat - flat.mean(dim=0)
    found = (flat @ torch.linalg.svd(flat, full_matrices=False)[2][0]).reshape(rows, columns)
    # Its sign is chance; what is looked at is what activates.
    energy = torch.linalg.vector_norm(places, dim=2)
    sign = 1.0 if float((found * (energy - energy.mean())).sum()) >= 0 else -1.0
    return torch.mul(found, sign)
