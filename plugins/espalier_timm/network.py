"""A timm model with its weights in it, and what its pictures must look like."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING, Any

from espalier.errors import BadSetting, NoWeights

from .weights import Weights

if TYPE_CHECKING:
    import torch

CHANNELS = 3


@dataclass(frozen=True)
class Description:
    """What is known of a network without having it in memory.

    input_size: (height, width). mean, std: of RGB in [0, 1].
    """

    model: str
    dim: int
    input_size: tuple[int, int]
    mean: tuple[float, float, float]
    std: tuple[float, float, float]
    licence: str


def build(weights: Weights) -> tuple[torch.nn.Module, Description]:
    """The network without its classifying head, in evaluation mode, float32, on the CPU.

    Raises NoWeights where torch or timm is not installed, BadSetting for a model that timm does not have or weights
    that do not fit it.
    """
    try:
        import timm
        import torch
        from timm.data import resolve_model_data_config
    except ImportError as error:
        raise NoWeights(
            f"{weights.model} needs torch and timm ({error}); pip install 'label-studio-espalier[timm]'"
        ) from error
    try:
        # Nobody else's random numbers are touched, and random weights are the same ones every time.
        with torch.random.fork_rng(devices=[]):
            torch.manual_seed(0)
            module: Any = timm.create_model(weights.model, pretrained=False, num_classes=0)
    except RuntimeError as error:
        raise BadSetting(f"timm cannot make the model {weights.model!r}: {error}") from error
    if weights.path is not None:
        _fill(module, weights)
    module.eval()
    config = resolve_model_data_config(module)
    channels, height, width = config["input_size"]
    if channels != CHANNELS:
        raise BadSetting(f"{weights.model} takes {channels} channels, and frames have {CHANNELS}; choose another model")
    with torch.no_grad():
        pooled = module(torch.zeros(1, channels, height, width))
    if pooled.ndim != 2:
        raise BadSetting(f"{weights.model} gives {tuple(pooled.shape)}, not one vector a frame; choose another model")
    licence = "unknown" if weights.source == "the weights directory" else module.pretrained_cfg.get("license")
    return module, Description(
        weights.model,
        pooled.shape[1],
        (height, width),
        tuple(config["mean"]),
        tuple(config["std"]),
        licence or "unknown",
    )


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
