"""The tuner: from a request to a network of one's own. Importing this imports neither torch nor timm."""

from __future__ import annotations

import importlib.util
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

from espalier.contract import EncoderRequest
from espalier.errors import BadRequest, BadSetting, NoWeights
from espalier.tuning import TRAIN, Tuner, TunerClass, TuningData, TuningEstimate, TuningReport
from espalier.tuning_parameters import TuningParameters

from .. import device
from ..names import resolve
from ..presets import PRESETS, Kind
from ..weights import RANDOM, Weights, find_weights, own
from .assignment import Assignment


class TimmTuner:
    """Fine-tunes any timm network, and the few of torchvision that timm lacks."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment

    @classmethod
    def open(cls, request: EncoderRequest, data: TuningData, parameters: TuningParameters) -> TimmTuner:
        """Where `parameters.pretrained` names an own version, `request.directory` is its network.

        Raises NoWeights naming the places tried, BadSetting for a device or model that is not there, BadModel for an
        own network that was changed, BadRequest where there is nothing to learn from.
        """
        if importlib.util.find_spec("torch") is None or importlib.util.find_spec("timm") is None:
            raise NoWeights("fine-tuning needs torch and timm: pip install 'label-studio-espalier[timm]'")
        kind, name = device.resolve(request.device)
        train = data.parts == TRAIN
        if not any(bool((head.mask & (head.weights > 0))[train].any()) for head in data.heads):
            raise BadRequest("there is nothing to fine-tune on: no picture of the training part has an answer")
        return cls(Assignment(data, parameters, _weights(request, parameters, kind), name, request.threads))

    def estimate(self) -> TuningEstimate:
        """Reads a few pictures and does a few steps; nothing of it is kept."""
        from .estimate import estimate

        with _memory(self.assignment):
            return estimate(self.assignment)

    def tune(self, directory: Path, report: Callable[[TuningReport], bool]) -> None:
        """See `espalier.tuning.Tuner`. Where a person cancels before the first evaluation, nothing is written."""
        from .training import train

        directory.mkdir(parents=True, exist_ok=True)
        with _memory(self.assignment):
            train(self.assignment, directory, report)


class _memory:
    """A GPU whose memory is too small is a person's matter, and said in words."""

    def __init__(self, assignment: Assignment) -> None:
        self.assignment = assignment

    def __enter__(self) -> None:
        pass

    def __exit__(self, kind: object, error: BaseException | None, trace: object) -> None:
        if isinstance(error, RuntimeError) and "out of memory" in str(error).lower():
            raise BadSetting(
                f"{self.assignment.weights.model} does not fit into the memory of {self.assignment.device} as asked: "
                f"take a smaller batch_size or imgsz, or a smaller model"
            ) from error


def _weights(request: EncoderRequest, parameters: TuningParameters, kind: Kind) -> Weights:
    """What it starts from: an own network, chance, or pretrained weights."""
    model = parameters.model or request.model
    if isinstance(parameters.pretrained, str) or (request.directory is not None and parameters.pretrained):
        if request.directory is None:
            raise BadRequest(
                f"pretrained names the version {parameters.pretrained!r}, which has no network of its own to go on "
                f"from; leave it out, or name a fine-tuned version"
            )
        weights = own(request.directory)
        if parameters.model and resolve(parameters.model).partition(".")[0] != weights.model.partition(".")[0]:
            raise BadRequest(
                f"model is {parameters.model}, and the version to go on from is a {weights.model}; leave one out"
            )
        return weights
    if not parameters.pretrained or (model or "").endswith(RANDOM):
        plain = resolve((model or PRESETS[parameters.preset, kind]).removesuffix(RANDOM))
        return Weights(plain, None, "chance", f"{plain} from scratch, as asked")
    return find_weights(replace(request, model=model, preset=parameters.preset, directory=None), kind)


_: Callable[..., Tuner] = TimmTuner
__: TunerClass = TimmTuner
