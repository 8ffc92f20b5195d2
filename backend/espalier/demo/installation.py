"""Label Studio in a virtual environment of its own, and a data directory of it whose migrations are done."""

from __future__ import annotations

import os
import shutil
import subprocess
import sys
from pathlib import Path

from ..errors import BadSetting
from .heartbeat import Heartbeat, Say

VERSION = "1.23.2"
_NEEDS_GB = 3.0
_STEPS = ("Collecting", "Downloading", "Using cached", "Building", "Installing")
"""What pip's lines begin with that say what it is doing."""


def program(environment: Path) -> Path:
    return environment / "bin" / "label-studio"


def install(environment: Path, say: Say) -> Path:
    """Label Studio's program in a virtual environment, made where it is missing: minutes, the first time.

    Raises BadSetting where that cannot be done, with the last word of pip.
    """
    if program(environment).exists():
        return program(environment)
    environment.parent.mkdir(parents=True, exist_ok=True)
    free_gb = shutil.disk_usage(environment.parent).free / 1e9
    if free_gb < _NEEDS_GB:
        raise BadSetting(f"Label Studio needs {_NEEDS_GB:.0f} GB in {environment.parent}; {free_gb:.1f} GB are free")
    say(f"installing Label Studio {VERSION} into {environment} (once; some minutes)")
    with Heartbeat(say, "making the environment") as heart:
        _run([sys.executable, "-m", "venv", str(environment)], environment, heart)
        pip = [str(environment / "bin" / "python"), "-m", "pip"]
        _run([*pip, "install", "--progress-bar", "off", f"label-studio=={VERSION}"], environment, heart)
    return program(environment)


def template(environment: Path) -> Path:
    """Where a data directory may be kept that has been started once: copies of it start in seconds."""
    return environment / f"espalier-template-{VERSION}"


def keep_template(environment: Path, data: Path) -> Path:
    """Keeps a copy of `data`, whose server must have ended. `data` itself where the environment cannot be written."""
    kept = template(environment)
    try:
        copied = Path(f"{kept}.{os.getpid()}")
        shutil.copytree(data, copied)
        copied.rename(kept)
    except OSError:
        return data  # read-only, or somebody else was quicker
    return kept


def _run(command: list[str], environment: Path, heart: Heartbeat) -> None:
    """Its lines are what the heartbeat says is being done."""
    said: list[str] = []
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.STDOUT, text=True) as running:  # noqa: S603
        assert running.stdout is not None
        try:
            for line in filter(None, map(str.strip, running.stdout)):
                said.append(line)
                if line.startswith(_STEPS):
                    heart.now = line[:70]
        except BaseException:
            running.terminate()
            raise
    if running.returncode:
        errors = [line for line in said if "ERROR" in line] or said[-1:] or ["it said nothing"]
        raise BadSetting(
            f"Label Studio {VERSION} cannot be installed into {environment}: {errors[-1]}. It takes the network, once; "
            "where Label Studio is installed already, set ESPALIER_LABEL_STUDIO_VENV to its virtual environment"
        )
