"""The network with its weights in it, and how its pictures and words must look."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Any

from espalier.errors import BadSetting, NoWeights
from espalier_timm.description import Description

from .directory import CONFIG, NetworkDirectory

_REFUSALS = (RuntimeError, TypeError, ValueError, KeyError, AttributeError, AssertionError, ImportError, OSError)


def build(found: NetworkDirectory) -> tuple[Any, Any, Description]:
    """Network (float32, on the CPU, for evaluation), tokenizer, and what its pictures must look like.

    Raises NoWeights where open_clip is not installed, BadSetting for a configuration that it cannot make, or weights
    that do not fit it.
    """
    try:
        import open_clip
        from open_clip.factory import load_checkpoint
    except ImportError as error:
        raise NoWeights(
            f"{found.path.name} needs open_clip ({error}): pip install 'label-studio-espalier[open-clip]'"
        ) from error
    from safetensors import SafetensorError

    where = f"local-dir:{found.path}"
    with _quiet():
        try:
            module: Any = open_clip.create_model(where, load_weights=False, precision="fp32", device="cpu").eval()
            tokenizer: Any = open_clip.get_tokenizer(where)
        except _REFUSALS as error:
            raise BadSetting(
                f"open_clip {open_clip.__version__} cannot make what {found.path / CONFIG} describes: {_first(error)}"
            ) from error
        try:
            load_checkpoint(module, str(found.weights), strict=True)
        except (*_REFUSALS, SafetensorError) as error:
            raise BadSetting(
                f"{found.weights} does not fit what {CONFIG} beside it describes, or is no safetensors file: "
                f"{_first(error)}"
            ) from error
    return module, tokenizer, _describe(module, found)


def _describe(module: Any, found: NetworkDirectory) -> Description:
    wanted = module.visual.preprocess_cfg
    size = wanted["size"]
    height, width = (size, size) if isinstance(size, int) else size
    mean, std = (tuple(float(value) for value in wanted[key]) for key in ("mean", "std"))
    if len(mean) != 3 or len(std) != 3:
        raise BadSetting(f"{found.path / CONFIG}: mean and std must be of red, green and blue, got {mean} and {std}")
    licence = str(found.config.get("license") or "unknown")
    return Description(found.path.name, int(found.model["embed_dim"]), (height, width), mean, std, licence)


def picture_tower(module: Any) -> Any:
    """A module of its own that turns pictures into features; shares its weights."""
    import torch

    class Pictures(torch.nn.Module):
        def __init__(self) -> None:
            super().__init__()
            self.network = module

        def forward(self, values: Any) -> Any:
            return self.network.encode_image(values)

    return Pictures()


def _first(error: BaseException) -> str:
    """The first lines, which name the keys that do not fit; a long list of keys is cut."""
    said = " ".join(str(error).split())[:300]
    return said or type(error).__name__


@contextmanager
def _quiet() -> Iterator[None]:
    """open_clip tells the root logger of its steps, and warns of random weights before they are replaced.

    It does so by `logging.info`, which would give a root logger without handlers one of its own.
    """
    root, kept = logging.getLogger(), logging.NullHandler()

    def foreign(record: logging.LogRecord) -> bool:
        return "open_clip" not in Path(record.pathname).parts

    root.addHandler(kept)
    root.addFilter(foreign)
    try:
        yield
    finally:
        root.removeFilter(foreign)
        root.removeHandler(kept)
