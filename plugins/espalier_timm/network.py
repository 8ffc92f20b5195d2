"""A timm model with its weights in it, and what its pictures must look like."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import TYPE_CHECKING, Any

from espalier.errors import BadModel, BadRequest, BadSetting, NoWeights

from . import own_network
from .description import Description as Description
from .names import TORCHVISION, near
from .weights import Weights

if TYPE_CHECKING:
    import torch

CHANNELS = 3


def build(weights: Weights, input_size: tuple[int, int] | None = None) -> tuple[torch.nn.Module, Description]:
    """The network without its classifying head, in evaluation mode, float32, on the CPU.

    input_size: (height, width) other than the network's usual one; its position embeddings are resampled.
    Raises NoWeights where torch or timm is not installed, BadSetting for a model that timm does not have or weights
    that do not fit it, BadRequest for a size that it cannot take, BadModel for an own network that was changed.
    """
    try:
        from timm.data import resolve_data_config
    except ImportError as error:
        raise NoWeights(
            f"{weights.model} needs torch and timm ({error}); pip install 'label-studio-espalier[timm]'"
        ) from error
    if weights.directory is not None:
        return _build_own(weights, weights.directory, input_size)
    module = create(weights.model)
    if weights.path is not None:
        _fill(module, weights)
    config = resolve_data_config(module.pretrained_cfg)
    channels, height, width = config["input_size"]
    if channels != CHANNELS:
        raise BadSetting(f"{weights.model} takes {channels} channels, and frames have {CHANNELS}; choose another model")
    if input_size is not None and input_size != (height, width):
        height, width = input_size
        resize(module, weights.model, input_size)
    dim = dimensions(module, weights.model, (height, width))
    licence = "unknown" if weights.source == "the weights directory" else module.pretrained_cfg.get("license")
    mean, std = tuple(config["mean"]), tuple(config["std"])
    return module, Description(weights.model, dim, (height, width), mean, std, licence or "unknown")


def create(model: str) -> Any:
    """With random weights, the same ones every time; nobody else's random numbers are touched."""
    import timm
    import torch

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        try:
            if model.startswith(TORCHVISION):
                from . import torchvision_models

                module: Any = torchvision_models.create(model)
            else:
                module = timm.create_model(model, pretrained=False, num_classes=0)
        except RuntimeError as error:
            raise BadSetting(f"timm cannot make the model {model!r}: {error}; {near(model)}") from error
    return module.eval()


def resize(module: Any, model: str, input_size: tuple[int, int]) -> None:
    """Networks of windows and positions are told their size; the others take any. Raises BadRequest."""
    if hasattr(module, "set_input_size"):
        try:
            module.set_input_size(img_size=input_size)
        except (RuntimeError, AssertionError, ValueError) as error:
            raise BadRequest(f"{model} cannot be brought to {input_size[0]} x {input_size[1]}: {error}") from error
    elif module.pretrained_cfg.get("fixed_input_size"):
        height, width = module.pretrained_cfg["input_size"][1:]
        raise BadRequest(f"{model} takes pictures of {height} x {width} only; leave imgsz out, or choose another model")


def dimensions(module: Any, model: str, size: tuple[int, int]) -> int:
    """How many features it gives. Raises BadRequest for pictures too small for it, BadSetting for no vector."""
    import torch

    def tried(side: tuple[int, int]) -> tuple[int, ...]:
        with torch.no_grad():
            return tuple(module(torch.zeros(1, CHANNELS, *side)).shape)

    try:
        shape = tried(size)
    except (RuntimeError, AssertionError, ValueError) as error:
        for side in range(32, 512, 32):
            try:
                tried((side, side))
            except (RuntimeError, AssertionError, ValueError):
                continue
            raise BadRequest(
                f"{model} cannot take pictures of {size[0]} x {size[1]}; imgsz {side} is the least that it takes"
            ) from error
        raise BadRequest(f"{model} cannot take pictures of {size[0]} x {size[1]}: {error}") from error
    if len(shape) != 2:
        raise BadSetting(f"{model} gives {shape}, not one vector a frame; choose another model")
    return shape[1]


def _build_own(weights: Weights, directory: Path, input_size: tuple[int, int] | None) -> tuple[Any, Description]:
    """Written by a tuner at its own size; every key must be there."""
    from safetensors.torch import load_file

    description = own_network.verified(directory)
    module = create(description.model)
    if description.input_size != tuple(module.pretrained_cfg["input_size"][1:]):
        resize(module, description.model, description.input_size)
    try:
        module.load_state_dict(load_file(str(weights.path)))
    except (RuntimeError, OSError) as error:
        raise BadModel(
            f"{weights.path} does not fit {description.model} as this timm makes it: {str(error).splitlines()[0]}; "
            f"install the timm it was trained with, or train again"
        ) from error
    if input_size is not None and input_size != description.input_size:
        resize(module, description.model, input_size)
        dimensions(module, description.model, input_size)
        description = replace(description, input_size=input_size)
    return module, description


def _fill(module: Any, weights: Weights) -> None:
    """Load the weights; every key but those of the classifying head must be there, and fit."""
    from safetensors import SafetensorError
    from safetensors.torch import load_file

    try:
        state = load_file(str(weights.path))
    except (SafetensorError, OSError) as error:
        raise BadSetting(f"{weights.path} is not a safetensors file that can be read: {error}") from error
    head = module.pretrained_cfg.get("classifier") or ()
    prefixes = tuple(f"{name}." for name in ([head] if isinstance(head, str) else head))
    wanted = module.state_dict()
    state = {key: value for key, value in state.items() if key in wanted or not key.startswith(prefixes)}
    # How many batches a normalisation has seen matters to training alone, and some exporters leave it out.
    missing = [key for key in wanted if key not in state and not key.endswith("num_batches_tracked")]
    surplus = [key for key in state if key not in wanted]
    shapes = [
        f"{key} is {tuple(state[key].shape)} instead of {tuple(wanted[key].shape)}"
        for key in wanted
        if key in state and state[key].shape != wanted[key].shape
    ]
    wrong = [
        f"{len(keys)} {what} ({', '.join(keys[:3])}{', ...' if len(keys) > 3 else ''})"
        for keys, what in ((missing, "keys are missing"), (surplus, "keys are too many"), (shapes, "shapes differ"))
        if keys
    ]
    if wrong:
        raise BadSetting(
            f"{weights.path} does not fit timm's {weights.model}: {'; '.join(wrong)}. Save the model's own state_dict "
            f"as safetensors, named after the model"
        )
    module.load_state_dict(state, strict=False)
