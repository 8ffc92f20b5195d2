"""Where the real data lies, if it does: a test that needs it asks for `shared`, and is skipped without it."""

from __future__ import annotations

import gc
import os
import shutil
import subprocess
import sys
from collections.abc import Callable
from pathlib import Path

import pytest

ROOT = Path(__file__).resolve().parent.parent
SHARED = Path(os.environ.get("ESPALIER_TEST_DATA", ROOT.parent / "shared"))


@pytest.fixture(scope="session")
def shared() -> Callable[[str], Path]:
    """Call it with a path below the shared directory."""

    def find(path: str) -> Path:
        found = SHARED / path
        if not found.exists():
            pytest.skip(f"real data {path!r} is not here; set ESPALIER_TEST_DATA to the directory that holds it")
        return found

    return find


@pytest.fixture(scope="session")
def label_studio_ml() -> Path:
    """A Python that has the SDK for ML backends, without the packages of 2020 that it pins: some 30 s, the first time.

    Its environment is ESPALIER_LABEL_STUDIO_ML_VENV, or .venv-label-studio-ml beside this checkout's own.
    """
    venv = Path(os.environ.get("ESPALIER_LABEL_STUDIO_ML_VENV", ROOT / ".venv-label-studio-ml"))
    python, whole = venv / "bin" / "python", venv / "installed"
    if whole.exists():
        return python
    shutil.rmtree(venv, ignore_errors=True)
    pip = [sys.executable, "-m", "pip", "--python", str(python), "--disable-pip-version-check", "install", "-q"]
    needed = ["appdirs", "attrs", "colorama", "flask", "lxml", "pillow", "redis", "requests", "rq"]
    try:
        for command in (
            [sys.executable, "-m", "venv", "--without-pip", str(venv)],
            [*pip, "--no-deps", "label-studio-ml==1.0.9", "label-studio-tools==0.0.4"],
            [*pip, *needed],
        ):
            subprocess.run(command, check=True, capture_output=True, text=True, timeout=240)
    except (subprocess.CalledProcessError, subprocess.TimeoutExpired) as error:
        said = str(error.stderr or error)
        pytest.skip(f"label-studio-ml cannot be installed here: {said[-300:]}")
    whole.touch()
    return python


_SECOND_GENERATION = {
    "__init__": "__version__ = '2.0.1.dev0'",
    "response": """
from pydantic import BaseModel
from label_studio_sdk.label_interface.objects import PredictionValue


class ModelResponse(BaseModel):
    model_config = {"protected_namespaces": ()}
    model_version: str | None = None
    predictions: list[list[PredictionValue] | PredictionValue]
""",
    "model": """
import os, pathlib

STATE = pathlib.Path(os.environ["MODEL_DIR"])


class LabelStudioMLBase:
    def __init__(self, project_id=None, label_config=None):
        self.project_id = project_id or ""
        if label_config is not None:
            self.set("label_config", label_config)
        self.setup()

    def setup(self):
        pass

    def get(self, key):
        path = STATE / f"{self.project_id}.{key}"
        return path.read_text() if path.exists() else None

    def set(self, key, value):
        (STATE / f"{self.project_id}.{key}").write_text(value)

    label_config = property(lambda self: self.get("label_config"))
    model_version = property(lambda self: self.get("model_version"))

    def predict(self, tasks, context=None, **kwargs):
        raise NotImplementedError
""",
}


@pytest.fixture(scope="session")
def label_studio_ml_2() -> Callable[[Path], None]:
    """Call it with a directory: there the SDK's second generation can be imported.

    That is on no package index, only in its repository; so these are its forms, in short.
    """

    def write(directory: Path) -> None:
        (directory / "label_studio_ml").mkdir()
        for name, text in _SECOND_GENERATION.items():
            (directory / "label_studio_ml" / f"{name}.py").write_text(text)

    return write


def pytest_collection_modifyitems(config: pytest.Config, items: list[pytest.Item]) -> None:
    """Tests of a GPU are no tests at all on a machine without one."""
    if Path("/dev/nvidiactl").exists():
        return
    needing = [item for item in items if item.get_closest_marker("gpu")]
    if needing:
        config.hook.pytest_deselected(items=needing)
        items[:] = [item for item in items if item not in needing]


def pytest_collection_finish(session: pytest.Session) -> None:
    """What the tests import stays to their end: looking for garbage in it again and again took a tenth of the time."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(20_000, 20, 20)


def pytest_sessionfinish(session: pytest.Session) -> None:
    """Where the real data is, nothing may be skipped in CI: a skip there is a test that quietly went away."""
    reporter = session.config.pluginmanager.get_plugin("terminalreporter")
    skipped = reporter.stats.get("skipped", []) if reporter else []
    if reporter and skipped and os.environ.get("CI") and SHARED.exists():
        names = ", ".join(str(report.nodeid) for report in skipped)
        reporter.write_line(f"\n{len(skipped)} skipped although the real data is here: {names}", red=True)
        session.exitstatus = pytest.ExitCode.TESTS_FAILED
