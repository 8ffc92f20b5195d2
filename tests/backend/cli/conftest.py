"""A data directory with a project of real pictures in it, and the command line on it."""

from __future__ import annotations

import logging
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from espalier.cli import main
from espalier.demo.pictures import IMAGE_CONFIG, write_digits
from espalier.demo.results import choices
from espalier.jobs import valkey
from espalier.store.records import Records

KEY = "1.1795197302"
Espalier = Callable[..., Result]


@pytest.fixture(autouse=True)
def _logging_as_it_was() -> Iterator[None]:
    """Commands set up the logging of their process, which here is that of the tests."""
    root = logging.getLogger()
    level, filters = root.level, {handler: list(handler.filters) for handler in root.handlers}
    yield
    root.setLevel(level)
    for handler, before in filters.items():
        handler.filters = before
    for name in ("gunicorn.error", "gunicorn.access"):
        logging.getLogger(name).filters.clear()


@pytest.fixture
def data_dir(tmp_path: Path) -> Iterator[Path]:
    yield tmp_path / "data"
    valkey.stop(tmp_path / "data")


@pytest.fixture
def espalier(data_dir: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Espalier:
    """espalier("versions", "1", NAME="value"): one command, with these settings besides."""
    monkeypatch.chdir(tmp_path)  # no espalier.yaml is there
    environment: dict[str, str | None] = {
        "ESPALIER_DATA_DIR": str(data_dir),
        "ESPALIER_ENCODER": "classic",
        "ESPALIER_MEDIA_ROOTS": str(tmp_path),
        "LABEL_STUDIO_URL": None,
        "LABEL_STUDIO_API_KEY": None,
        "ESPALIER_CONFIG": None,
        "ESPALIER_REDIS_URL": None,
        "ESPALIER_DATABASE_URL": None,
        "PORT": None,
    }

    def call(*arguments: str, **settings: str) -> Result:
        return CliRunner().invoke(main, list(arguments), env={**environment, **settings})

    return call


@pytest.fixture
def project(data_dir: Path, tmp_path: Path) -> str:
    """36 digits, 24 of them labeled; its id."""
    digits = write_digits(tmp_path / "digits", 36)
    data_dir.mkdir()
    records = Records.open(f"sqlite:///{data_dir / 'espalier.sqlite'}")
    records.put_project(KEY, title="Digits", label_config=IMAGE_CONFIG)
    records.mirror_tasks(
        KEY, [{"id": number, "data": {"image": str(digit.path)}} for number, digit in enumerate(digits, 1)]
    )
    records.mirror_annotations(
        KEY,
        [
            {"id": number, "task": number, "result": choices("image", digit.answers)}
            for number, digit in enumerate(digits[:24], 1)
        ],
    )
    records.close()
    return "1"
