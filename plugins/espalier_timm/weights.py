"""Where a model's weights are: the weights directory, the hub's cache on this disk, the hub; never made up.

Nothing here imports torch, so that a start from converted models stays quick.
"""

from __future__ import annotations

import hashlib
from dataclasses import dataclass
from pathlib import Path

from espalier.contract import EncoderRequest
from espalier.errors import BadSetting, NoWeights

from . import hub, own_network
from .names import TORCHVISION, near, resolve
from .presets import PRESETS, TOP1, Kind, rank

RANDOM = "@random"
SUFFIX = ".safetensors"


@dataclass(frozen=True)
class Weights:
    """A model, the file of its weights (None: random ones, made from a fixed seed), and where they came from."""

    model: str
    path: Path | None
    source: str
    reason: str
    directory: Path | None = None
    """Where it is an own network: what a tuner wrote; `path` lies in it."""

    def digest(self) -> str:
        """sha256 of the file, or of all that describes an own network; 64 hex digits."""
        if self.directory is not None:
            return own_network.sha256(self.directory / own_network.ABOUT)
        if self.path is None:
            return hashlib.sha256(b"random weights, seed 0").hexdigest()
        return own_network.sha256(self.path)


def find_weights(request: EncoderRequest, kind: Kind) -> Weights:
    """The model that was asked for by name, or the preset's, or else the best one in the weights directory.

    An own network's directory goes before all. Raises NoWeights naming the places that were tried; BadSetting for a
    weights directory that is not there, BadModel for an own network that was changed.
    """
    if request.directory is not None:
        return own(request.directory)
    directory = request.weights_dir
    if directory is not None and not directory.is_dir():
        raise BadSetting(f"ESPALIER_WEIGHTS_DIR={directory} is not a directory; make it, or leave the setting out")
    if request.model:
        return _named(request.model, directory)
    wanted = PRESETS[request.preset, kind]
    for_whom = f"preset {request.preset} on {kind}"
    found, tried = _look(wanted, directory)
    if found is not None:
        return Weights(wanted, found[0], found[1], f"{for_whom} means {wanted}; weights from {found[1]}")
    # A longer way to the same aim: what the operator has put there is better than no network at all.
    there = [path for path in sorted(directory.glob(f"*{SUFFIX}")) if _is_model(path.stem)] if directory else []
    if not there:
        raise NoWeights(_missing(wanted, tried))
    best = max(there, key=lambda path: (rank(path.stem, path.stat().st_size), path.stem))
    return Weights(
        best.stem,
        best,
        "the weights directory",
        f"{best.stem} is the best of {len(there)} in the weights directory; {wanted} ({for_whom}) cannot be had: "
        f"{'; '.join(tried)}",
    )


def own(directory: Path) -> Weights:
    """An own network. Raises BadModel for one that is not whole, or was changed."""
    model = own_network.verified(directory).model
    path = directory / own_network.NETWORK
    return Weights(model, path, "an own network", f"{model}, fine-tuned here", directory)


def _named(model: str, directory: Path | None) -> Weights:
    if model.endswith(RANDOM):
        plain = resolve(model.removesuffix(RANDOM))
        return Weights(plain, None, "chance", f"{plain} with RANDOM weights, as its name asks: for measuring only")
    asked, model = model, resolve(model)
    found, tried = _look(model, directory)
    if found is None:
        raise NoWeights(_missing(model, tried))
    means = "" if asked == model else f" ({asked} means {model})"
    return Weights(model, found[0], found[1], f"asked for by name{means}; weights from {found[1]}")


def _look(model: str, directory: Path | None) -> tuple[tuple[Path, str] | None, list[str]]:
    tried: list[str] = []
    if directory is not None:
        # A file may be named with the tag of its training (`resnet18.a1_in1k`) or without.
        for stem in dict.fromkeys([model, model.partition(".")[0], model.removeprefix(TORCHVISION)]):
            path = directory / f"{stem}{SUFFIX}"
            if path.is_file():
                return (path, "the weights directory"), tried
        tried.append(f"no {model}{SUFFIX} in {directory}")
    else:
        tried.append("no weights directory is set")
    if model.startswith(TORCHVISION):
        tried.append("torchvision gives its weights away as pickles only, which are not opened here")
        return None, tried
    repository = repository_of(model)
    if repository is None:
        tried.append(f"timm knows no pretrained weights of {model!r}")
        return None, tried
    kept = hub.cached(repository)
    if kept is not None:
        return (kept, "the hub's cache"), tried
    tried.append("not in the hub's cache")
    fetched, why = hub.fetch(repository)
    if fetched is not None:
        return (fetched, "the hub"), tried
    tried.append(why)
    return None, tried


def repository_of(model: str) -> str | None:
    """The hub's name for the weights of a timm model; only an unusual name has to ask timm for it."""
    if model in PRESETS.values():
        return f"timm/{model}"
    try:
        from timm.models import get_pretrained_cfg, is_model
    except ImportError:
        return f"timm/{model}" if "." in model else None
    if not is_model(model.partition(".")[0]):
        raise BadSetting(f"timm has no model {model!r}; {near(model)}")
    try:
        known = get_pretrained_cfg(model)
    except RuntimeError as error:
        raise BadSetting(f"timm has no weights {model!r}: {error}") from error
    repository = known.hf_hub_id if known is not None else None
    return str(repository) if repository else None


def _is_model(name: str) -> bool:
    if name.partition(".")[0] in TOP1:
        return True
    try:
        from timm.models import is_model
    except ImportError:
        return False
    return bool(is_model(name.partition(".")[0]))


def _missing(model: str, tried: list[str]) -> str:
    return (
        f"the weights of {model} cannot be had: {'; '.join(tried)}. "
        f"Put {model}{SUFFIX} into a directory and set ESPALIER_WEIGHTS_DIR to it"
    )
