"""Converted networks on disk: with one there, a start needs neither torch nor timm."""

from __future__ import annotations

import hashlib
import json
import os
import shutil
import tempfile
from dataclasses import asdict, dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import Any

from .network import Description

FORMAT = 1
GRAPH = "network.xml"
ABOUT = "about.json"


@dataclass(frozen=True)
class Converted:
    """A graph on disk. remark: in words, why it is not what was asked for; then there may be no graph."""

    graph: Path
    description: Description
    remark: str = ""


def place(cache_dir: Path, model: str, weights_digest: str, form: str) -> Path:
    """The directory of one converted network; what may change the conversion is in its name.

    form: `float` or `int8`.
    """
    made_of = json.dumps([FORMAT, model, weights_digest, form, _version("timm"), _version("openvino")])
    return cache_dir / f"{model}-{form}-{hashlib.sha256(made_of.encode()).hexdigest()[:16]}"


def load(directory: Path) -> Converted | None:
    """None where it is not there, or not whole."""
    try:
        about = json.loads((directory / ABOUT).read_text())
        description = Description(
            about["model"],
            about["dim"],
            tuple(about["input_size"]),
            tuple(about["mean"]),
            tuple(about["std"]),
            about["licence"],
        )
        remark = str(about["remark"])
    except (OSError, ValueError, KeyError, TypeError):
        return None
    graph = directory / GRAPH
    if not remark and not graph.is_file():
        return None
    return Converted(graph, description, remark)


def keep(directory: Path, graph: Any | None, description: Description, remark: str = "") -> None:
    """Written beside and then renamed: another process sees all of it or nothing, and the first one wins."""
    import openvino as ov

    directory.parent.mkdir(parents=True, exist_ok=True)
    beside = Path(tempfile.mkdtemp(dir=directory.parent, prefix=".new-"))
    try:
        if graph is not None:
            ov.save_model(graph, str(beside / GRAPH), compress_to_fp16=False)
        (beside / ABOUT).write_text(json.dumps({**asdict(description), "remark": remark}, indent=1))
        os.chmod(beside, 0o755)  # noqa: PTH101, S103 - as any other directory, not the private one of mkdtemp
        if directory.exists() and load(directory) is None:
            shutil.rmtree(directory, ignore_errors=True)
        try:
            beside.rename(directory)
        except OSError:
            if load(directory) is None:
                raise
    finally:
        shutil.rmtree(beside, ignore_errors=True)


def _version(package: str) -> str:
    try:
        return version(package)
    except PackageNotFoundError:
        return ""
