"""An own network on disk: what a tuner has written, and an encoder opens. Changed or foreign ones are refused in words.

The directory holds `network.safetensors` (timm's key layout), `heads.safetensors` and `tuned.json`, which carries the
digests of all three. Importing this imports no torch.
"""

from __future__ import annotations

import hashlib
import json
from collections.abc import Mapping
from dataclasses import asdict
from pathlib import Path
from typing import Any

from espalier.errors import BadModel

from .description import Description

FORMAT = 1
NETWORK, HEADS, ABOUT = "network.safetensors", "heads.safetensors", "tuned.json"


def read_about(directory: Path) -> dict[str, Any]:
    """`tuned.json`, after its own digest was checked. Raises BadModel."""
    path = directory / ABOUT
    try:
        about = json.loads(path.read_text())
        said = about.pop("digest")
    except FileNotFoundError:
        raise BadModel(f"{directory} is no own network: it has no {ABOUT}; train it again, or put it back") from None
    except (OSError, ValueError, KeyError, AttributeError, TypeError) as error:
        raise BadModel(f"{path} cannot be read as an own network's: {error!r}; train it again") from None
    if about.get("format") != FORMAT:
        raise BadModel(f"{path} has format {about.get('format')!r}, and this Espalier reads {FORMAT}; train it again")
    if said != _digest(about):
        raise BadModel(f"{path} was changed after it was written; put the original back, or train again")
    return dict(about)


def describe(about: Mapping[str, Any]) -> Description:
    height, width = about["input_size"]
    mean, std = tuple(about["mean"]), tuple(about["std"])
    return Description(about["model"], about["dim"], (height, width), mean, std, about["licence"])


def verified(directory: Path) -> Description:
    """Every byte is as it was written. Raises BadModel naming the file that is not."""
    about = read_about(directory)
    for name in (NETWORK, HEADS):
        path = directory / name
        if not path.is_file():
            raise BadModel(f"{path} is missing from an own network; put it back, or train again")
        if sha256(path) != about["sha256"].get(name):
            raise BadModel(f"{path} was changed after it was written; put the original back, or train again")
    return describe(about)


def write_about(directory: Path, description: Description, rest: Mapping[str, Any]) -> None:
    """The last file of the directory: the digests of the others, which must lie there, go into it."""
    about = {
        "format": FORMAT,
        **asdict(description),
        **rest,
        "sha256": {name: sha256(directory / name) for name in (NETWORK, HEADS)},
    }
    about = json.loads(json.dumps(about))
    (directory / ABOUT).write_text(json.dumps({**about, "digest": _digest(about)}, indent=1))


def sha256(path: Path) -> str:
    with path.open("rb") as file:
        digest = hashlib.sha256()
        while chunk := file.read(1 << 20):
            digest.update(chunk)
    return digest.hexdigest()


def _digest(about: Mapping[str, Any]) -> str:
    return hashlib.sha256(json.dumps(about, sort_keys=True).encode()).hexdigest()
