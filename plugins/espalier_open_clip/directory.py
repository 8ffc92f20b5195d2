"""Where a network lies: a directory with `open_clip_config.json` and weights as safetensors, as open_clip writes it.

Nothing here imports torch or open_clip, and nothing is fetched from anywhere.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from espalier.contract import EncoderRequest
from espalier.errors import BadSetting, NoWeights

CONFIG = "open_clip_config.json"
PREFERRED = ("open_clip_model.safetensors", "open_clip_pytorch_model.safetensors", "model.safetensors")
_PICKLES = {".bin", ".pt", ".pth", ".ckpt"}
_NEEDED = ("embed_dim", "vision_cfg", "text_cfg")


@dataclass(frozen=True)
class NetworkDirectory:
    """config: what `open_clip_config.json` says, with `model_cfg`. weights: a safetensors file."""

    path: Path
    config: dict[str, Any]
    weights: Path
    reason: str

    @property
    def model(self) -> dict[str, Any]:
        found: dict[str, Any] = self.config["model_cfg"]
        return found


def find_directory(request: EncoderRequest) -> NetworkDirectory:
    """The directory that was asked for by name or path, or else the only one below the weights directory.

    Raises NoWeights where there is none, or only pickles; BadSetting for one that cannot be read, or several.
    """
    root = request.weights_dir
    if root is not None and not root.is_dir():
        raise BadSetting(f"ESPALIER_WEIGHTS_DIR={root} is not a directory; make it, or leave the setting out")
    if request.model:
        tried = [Path(request.model)] if root is None else [root / request.model, Path(request.model)]
        for path in tried:
            if (path / CONFIG).is_file():
                return _read(path, "asked for by name")
        raise NoWeights(f"there is no {' or '.join(str(path / CONFIG) for path in tried)}; {_how()}")
    if root is None:
        raise NoWeights(f"ESPALIER_WEIGHTS_DIR is not set, and open_clip's weights are not fetched; {_how()}")
    there = sorted(path.parent for path in [*root.glob(CONFIG), *root.glob(f"*/{CONFIG}")])
    if not there:
        raise NoWeights(f"no {CONFIG} in {root}, nor one directory below; {_how()}")
    if len(there) > 1:
        raise BadSetting(
            f"{root} holds several networks of open_clip ({', '.join(path.name for path in there)}); choose one by "
            f"ESPALIER_ENCODER=open_clip:{there[0].name}"
        )
    return _read(there[0], f"the only network of open_clip in {root}")


def _read(path: Path, reason: str) -> NetworkDirectory:
    try:
        config = json.loads((path / CONFIG).read_text())
    except (OSError, ValueError) as error:
        raise BadSetting(f"{path / CONFIG} cannot be read: {error}") from error
    model = config.get("model_cfg") if isinstance(config, dict) else None
    lacking = [key for key in _NEEDED if not isinstance(model, dict) or key not in model]
    if lacking:
        raise BadSetting(f"{path / CONFIG} has no model_cfg with {', '.join(lacking)}, as open_clip writes it")
    if isinstance(model, dict) and model["text_cfg"].get("hf_model_name"):
        raise BadSetting(
            f"the words of {path.name} are read by {model['text_cfg']['hf_model_name']}, which open_clip takes from a "
            f"hub; choose a network whose text tower is open_clip's own"
        )
    return NetworkDirectory(path, config, _weights(path), reason)


def _weights(path: Path) -> Path:
    """open_clip itself would take a pickle where it is called by a better name; a pickle can run anything."""
    for name in PREFERRED:
        if (path / name).is_file():
            return path / name
    there = sorted(path.glob("*.safetensors"))
    if len(there) == 1:
        return there[0]
    if there:
        raise BadSetting(
            f"{path} holds several files of weights ({', '.join(file.name for file in there)}); name one {PREFERRED[0]}"
        )
    pickles = sorted(file.name for file in path.iterdir() if file.suffix in _PICKLES)
    if pickles:
        raise NoWeights(
            f"{path} holds its weights as a pickle only ({', '.join(pickles)}), which can run any code and is not "
            f"opened here; save the same state_dict with safetensors.torch.save_file as {PREFERRED[0]}"
        )
    raise NoWeights(f"{path} holds no weights; {_how()}")


def _how() -> str:
    return (
        f"put a directory with {CONFIG} and {PREFERRED[0]} into ESPALIER_WEIGHTS_DIR and set "
        f"ESPALIER_ENCODER=open_clip:<its name>"
    )
