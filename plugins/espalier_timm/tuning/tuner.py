"""The tuner: from a request to a network of one's own. Importing this imports neither torch nor timm."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING

from espalier.contract import EncoderRequest
from espalier.errors import BadRequest, BadSetting, NoWeights
from espalier.tuning import TRAIN, Tuner, TunerClass, TuningData, TuningEstimate, TuningReport
from espalier.tuning_parameters import TuningParameters

from .. import device
from ..names import resolve
from ..presets import PRESETS
from ..weights import RANDOM, Weights, find_weights, own

if TYPE_CHECKING:
    from ..description import Description
    from .headed_network import HeadedNetwork


class TimmTuner:
    """Fine-tunes any timm network, and the few of torchvision that timm lacks."""

    def __init__(
        self, request: EncoderRequest, data: TuningData, parameters: TuningParameters, weights: Weights, device: str
    ) -> None:
        self.request, self.data, self.parameters, self.weights, self.device = (
            request,
            data,
            parameters,
            weights,
            device,
        )

    @classmethod
    def open(cls, request: EncoderRequest, data: TuningData, parameters: TuningParameters) -> TimmTuner:
        """Where `parameters.pretrained` names an own version, `request.directory` is its network.

        Raises NoWeights naming the places tried, BadSetting for a device or model that is not there, BadModel for an
        own network that was changed, BadRequest where there is nothing to learn from.
        """
        if importlib.util.find_spec("torch") is None or importlib.util.find_spec("timm") is None:
            raise NoWeights("fine-tuning needs torch and timm: pip install 'label-studio-espalier[timm]'")
        kind, name = device.resolve(request.device)
        if not data.heads or not any(
            bool((head.mask & (head.weights > 0))[data.parts == TRAIN].any()) for head in data.heads
        ):
            raise BadRequest("there is nothing to fine-tune on: no picture of the training part has an answer")
        model = parameters.model or request.model
        if isinstance(parameters.pretrained, str) or (request.directory is not None and parameters.pretrained):
            if request.directory is None:
                raise BadRequest(
                    f"pretrained names the version {parameters.pretrained!r}, which has no network of its own to go "
                    f"on from; leave it out, or name a fine-tuned version"
                )
            weights = own(request.directory)
            if parameters.model and resolve(parameters.model).partition(".")[0] != weights.model.partition(".")[0]:
                raise BadRequest(
                    f"model is {parameters.model}, and the version to go on from is a {weights.model}; leave one out"
                )
        elif not parameters.pretrained or (model or "").endswith(RANDOM):
            plain = resolve((model or PRESETS[parameters.preset, kind]).removesuffix(RANDOM))
            weights = Weights(plain, None, "chance", f"{plain} from scratch, as asked")
        else:
            wanted = replace(request, model=model, preset=parameters.preset, directory=None)
            weights = find_weights(wanted, kind)
        return cls(request, data, parameters, weights, name)

    def estimate(self) -> TuningEstimate:
        """Reads a few pictures and does a few steps; nothing of it is kept."""
        from .estimate import estimate

        network, description = self.network()
        return estimate(self, network, description)

    def tune(self, directory: Path, report: Callable[[TuningReport], bool]) -> None:
        """See `espalier.tuning.Tuner`. Where a person cancels before the first evaluation, nothing is written."""
        from .training import train

        directory.mkdir(parents=True, exist_ok=True)
        try:
            train(self, directory, report)
        except RuntimeError as error:
            if "out of memory" not in str(error).lower():
                raise
            raise BadSetting(
                f"{self.weights.model} does not fit into the memory of {self.device} as asked: take a smaller "
                f"batch_size or imgsz, or a smaller model"
            ) from error

    @property
    def scratch(self) -> bool:
        return self.weights.path is None

    def network(self) -> tuple[HeadedNetwork, Description]:
        """With its weights, and heads that know nothing. Raises BadRequest for an imgsz that it cannot take."""
        import torch

        from ..network import build
        from .headed_network import HeadedNetwork
        from .lesson import Lesson

        if self.request.threads and self.device == "cpu":
            torch.set_num_threads(self.request.threads)
        side = self.parameters.imgsz
        module, description = build(self.weights, (side, side) if side else None)
        spans = Lesson.of(self.data.heads).spans
        return HeadedNetwork(module, description.dim, spans, self.parameters.dropout), description


_: Callable[..., Tuner] = TimmTuner
__: TunerClass = TimmTuner
