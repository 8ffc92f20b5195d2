"""The doctor, with nothing about, and with what is wrong most often. (Label Studio itself: tests/e2e.)"""

from __future__ import annotations

import socket
from pathlib import Path
from typing import Any

import pytest

from espalier.jobs import valkey


def free_port() -> str:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return str(probe.getsockname()[1])


def of(output: str, name: str) -> str:
    """The lines of one check, as one."""
    lines = iter(output.splitlines())
    found = ""
    for line in lines:
        if found and line.startswith(" "):
            found += " " + line.strip()
        elif found:
            break
        elif line[9:].startswith(name):
            found = line
    assert found, f"{name} is not in {output}"
    return found


def test_with_nothing_about_all_is_well_or_named(espalier: Any, data_dir: Path) -> None:
    result = espalier("doctor", PORT=free_port())
    assert result.exit_code == 0, result.output
    assert of(result.output, "data directory").startswith("ok")
    assert of(result.output, "queue").startswith(
        "ok       queue               embedded Valkey, starts when it is needed"
    )
    assert "start `espalier serve`" in of(result.output, "prediction workers")
    assert of(result.output, "web").startswith("warning")
    assert of(result.output, "encoder").startswith("ok")
    assert "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false" in of(result.output, "projects")
    assert not valkey.is_running(data_dir), "no server is left behind"


def test_a_queue_that_runs_goes_on_running(espalier: Any, data_dir: Path) -> None:
    valkey.embedded_url(data_dir)
    assert "embedded Valkey, runs" in of(espalier("doctor", PORT=free_port()).output, "queue")
    assert valkey.is_running(data_dir)


def test_label_studio_that_is_not_there(espalier: Any, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("espalier.labelstudio.transport._PAUSES_S", (0.0,))
    result = espalier("doctor", LABEL_STUDIO_URL=f"http://127.0.0.1:{free_port()}", LABEL_STUDIO_API_KEY="0123")
    assert result.exit_code == 1
    found = of(result.output, "Label Studio")
    assert found.startswith("failed")
    assert "connection refused" in found


def test_a_token_without_an_address(espalier: Any) -> None:
    found = of(espalier("doctor", PORT=free_port(), LABEL_STUDIO_API_KEY="0123").output, "Label Studio")
    assert "is not used without LABEL_STUDIO_URL" in found


def test_a_redis_that_is_not_there(espalier: Any) -> None:
    result = espalier("doctor", PORT=free_port(), ESPALIER_REDIS_URL=f"redis://:hunter2@127.0.0.1:{free_port()}/0")
    assert result.exit_code == 1
    assert "no Redis answers at ESPALIER_REDIS_URL" in of(result.output, "queue")
    assert "hunter2" not in result.output


def test_a_port_that_is_somebody_else_s(espalier: Any) -> None:
    with socket.socket() as other:
        other.bind(("127.0.0.1", 0))
        other.listen()
        port = str(other.getsockname()[1])
        result = espalier("serve", PORT=port)
    assert result.exit_code == 1
    assert f"port {port} of 127.0.0.1 is taken" in result.output


def test_a_data_directory_that_cannot_be_made_ends_it(espalier: Any, tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    result = espalier("doctor", ESPALIER_DATA_DIR=str(tmp_path / "file"))
    assert result.exit_code == 1
    assert "1 failed, 0 to look at, 0 in order" in result.output
