"""Where a training stands after an epoch, to go on from after a kill: tensors as safetensors, the rest as JSON."""

from __future__ import annotations

import json
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

import torch
from safetensors.torch import load_file, save_file
from torch import nn

from espalier.whole_directory import mended, replaced

STATE = "state.json"


@dataclass
class Standing:
    """epoch: how many of the network's own are done. best: the least validation cross-entropy so far; since: epochs
    since then. seconds: how long the network has been learning."""

    fingerprint: str
    epoch: int = 0
    step: int = 0
    best: float | None = None
    since: int = 0
    seconds: float = 0.0
    done: bool = False
    chosen: dict[str, Any] = field(default_factory=dict)
    """What a search has found, as tuning parameters."""


def save(
    directory: Path, standing: Standing, network: nn.Module, average: nn.Module | None, solver: torch.optim.Optimizer
) -> None:
    moments = {
        f"{index}.{name}": value.detach().cpu().contiguous()
        for index, state in solver.state_dict()["state"].items()
        for name, value in state.items()
    }
    with replaced(directory) as beside:
        _write(network, beside / "network.safetensors")
        if average is not None:
            _write(average, beside / "average.safetensors")
        if moments:
            save_file(moments, str(beside / "optimiser.safetensors"))
        (beside / STATE).write_text(json.dumps(asdict(standing)))


def finish(directory: Path, standing: Standing) -> None:
    """Only that it is done needs to be known from now on."""
    standing.done = True
    with replaced(directory) as beside:
        (beside / STATE).write_text(json.dumps(asdict(standing)))


def standing(directory: Path, fingerprint: str) -> Standing | None:
    """None where there is none, or it is of other pictures, answers or parameters."""
    mended(directory)
    try:
        found = Standing(**json.loads((directory / STATE).read_text()))
    except (OSError, ValueError, TypeError):
        return None
    return found if found.fingerprint == fingerprint else None


def load(directory: Path, network: nn.Module, average: nn.Module | None, solver: torch.optim.Optimizer) -> None:
    _read(network, directory / "network.safetensors")
    if average is not None:
        _read(average, directory / "average.safetensors")
    path = directory / "optimiser.safetensors"
    if not path.is_file():
        return
    parameters = [parameter for group in solver.param_groups for parameter in group["params"]]
    for name, value in load_file(str(path)).items():
        index, _, moment = name.partition(".")
        parameter = parameters[int(index)]
        if value.ndim:  # beside its parameter, in the same order in memory; the count of steps stays where it is
            value = torch.empty_like(parameter).copy_(value)
        solver.state[parameter][moment] = value


def _write(module: nn.Module, path: Path) -> None:
    save_file({name: tensor.detach().cpu().contiguous() for name, tensor in module.state_dict().items()}, str(path))


def _read(module: nn.Module, path: Path) -> None:
    module.load_state_dict(load_file(str(path)))
