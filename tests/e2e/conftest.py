"""A real Label Studio for the tests that need one, installed once, migrated once, and then started in seconds; and
the program as a user starts it, with its own workers, as often as a test wants.

Its virtual environment is ESPALIER_LABEL_STUDIO_VENV, or .venv-labelstudio beside this checkout's own; where it is
missing it is made (some minutes). Without a network the tests are skipped in plain sight.
"""

from __future__ import annotations

import os
import re
import shutil
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests

from espalier.demo import label_studio as servers
from espalier.demo.installation import install, keep_template, program, template
from espalier.errors import EspalierError

ROOT = Path(__file__).resolve().parents[2]
EMAIL, PASSWORD = "annotator@example.org", "a-long-password"
INSTALL_S, START_S = 1500, servers.FIRST_START_S


class LabelStudioServer:
    """`url`, `session` (logged in as the owner), `token` (a personal access token), `files` (the root of its
    local-files storage), and the few steps that a person would click."""

    def __init__(self, server: servers.LabelStudioServer) -> None:
        assert server.local_files is not None
        self.server = server
        self.url, self.files, self.email, self.session = server.url, server.local_files, server.email, server.session
        self.token: str = server.token()

    def request(self, method: str, path: str, body: object = None, *, status: int | None = None, **more: Any) -> Any:
        """JSON in and out, as the owner; fails the test on any other status than the one expected (or any error)."""
        response = self.session.request(method, self.url + path, json=body, timeout=120, **more)
        assert response.status_code == status if status else response.ok, f"{method} {path}: {response.text[:500]}"
        return response.json() if response.content else None

    def project(self, label_config: str, title: str = "Made by a test", **more: object) -> dict[str, Any]:
        made: dict[str, Any] = self.request(
            "POST", "/api/projects", {"title": title, "label_config": label_config, **more}
        )
        return made

    def import_tasks(self, project_id: int, tasks: list[dict[str, Any]]) -> list[int]:
        """Their ids, in order."""
        path = f"/api/projects/{project_id}/import?return_task_ids=true"
        ids: list[int] = self.request("POST", path, tasks)["task_ids"]
        return ids

    def upload(self, project_id: int, file: Path) -> list[int]:
        """A media file dropped into the import dialog: the task's data is then /data/upload/..."""
        with file.open("rb") as opened:
            answer = self.request(
                "POST",
                f"/api/projects/{project_id}/import?return_task_ids=true&commit_to_project=true",
                files={file.name: opened},
            )
        ids: list[int] = answer["task_ids"]
        return ids

    def annotate(self, task_id: int, result: list[dict[str, Any]], **more: object) -> dict[str, Any]:
        """A person submits."""
        made: dict[str, Any] = self.request("POST", f"/api/tasks/{task_id}/annotations/", {"result": result, **more})
        return made

    def connect(self, project_id: int, backend_url: str, **more: object) -> dict[str, Any]:
        """Settings > Model > Connect Model."""
        made: dict[str, Any] = self.request(
            "POST", "/api/ml", {"project": project_id, "url": backend_url, "title": "Espalier", **more}
        )
        return made

    def action(self, project_id: int, name: str, task_ids: list[int], **more: object) -> Any:
        """An action of the Data Manager on selected tasks."""
        body = {"selectedItems": {"all": False, "included": task_ids}, **more}
        return self.request("POST", f"/api/dm/actions?id={name}&project={project_id}", body)


@dataclass
class Backend:
    """`espalier serve` on a free port, and the command line on the same data."""

    url: str
    environment: dict[str, str]
    log: Path

    def espalier(self, *arguments: str, status: int = 0) -> str:
        done = subprocess.run(
            [sys.executable, "-m", "espalier.cli", *arguments],
            env=self.environment,
            capture_output=True,
            text=True,
            timeout=300,
        )
        assert done.returncode == status, f"{arguments}: {done.stdout}\n{done.stderr}\n{self.log.read_text()[-3000:]}"
        return done.stdout

    def learned(self, project: dict[str, Any], media: int) -> list[str]:
        """Waits until a version has seen that many annotated media. A line of each version, the newest first."""
        deadline, lines = time.monotonic() + 120, [""]
        while time.monotonic() < deadline:
            lines = self.espalier("versions", str(project["id"])).splitlines() or [""]
            if f"trained on {media} annotated media" in lines[0]:
                return [line for line in lines if not line.startswith(" ")]
            time.sleep(0.5)
        pytest.fail(f"{lines[0]}; the backend's log ends with: {self.log.read_text()[-3000:]}")

    def pid(self, name: str) -> int:
        """Of one of its processes now: web, prediction-worker or training-worker."""
        return int(re.findall(rf"{name} started \(pid (\d+)\)", self.log.read_text())[-1])


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """The first test here may install Label Studio; the others are as quick as any."""
    for item in items:
        if Path(__file__).parent in item.path.parents:
            item.add_marker(pytest.mark.timeout(INSTALL_S + 2 * START_S + 300))


@pytest.fixture(scope="session")
def label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[LabelStudioServer]:
    """One server for the whole session. Tests share it, so each makes a project of its own."""
    venv = _installed()
    home = tmp_path_factory.mktemp("label-studio")
    shutil.copytree(_migrated(venv, home), home / "data")
    server = _server(venv, home / "data")
    try:
        yield LabelStudioServer(server)
    finally:
        server.stop()


@pytest.fixture(scope="session")
def start_label_studio(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Callable[..., LabelStudioServer]]:
    """start_label_studio(app=True, ...): another server, for tests that need one of their own kind."""
    started: list[servers.LabelStudioServer] = []

    def start(**more: Any) -> LabelStudioServer:
        venv = _installed()
        home = tmp_path_factory.mktemp("label-studio")
        shutil.copytree(_migrated(venv, home), home / "data")
        started.append(_server(venv, home / "data", **more))
        return LabelStudioServer(started[-1])

    yield start
    for server in started:
        server.stop()


@pytest.fixture(scope="session")
def start_backend(
    label_studio: LabelStudioServer, tmp_path_factory: pytest.TempPathFactory
) -> Callable[..., AbstractContextManager[Backend]]:
    """start_backend(NAME="value", ...): a context; settings that differ from the usual ones, None to leave one out."""

    @contextmanager
    def start(**changes: str | None) -> Iterator[Backend]:
        home = tmp_path_factory.mktemp("espalier")
        port = _free_port()
        kept = {
            name: value for name, value in os.environ.items() if not name.startswith(("ESPALIER_", "LABEL_STUDIO_"))
        }
        settings: dict[str, str | None] = {
            "PORT": str(port),
            "ESPALIER_DATA_DIR": str(home / "data"),
            "ESPALIER_DEBOUNCE_S": "1",
            "LABEL_STUDIO_URL": label_studio.url,
            "LABEL_STUDIO_API_KEY": label_studio.token,
            "HF_HUB_OFFLINE": "1",
            **changes,
        }
        environment = kept | {name: value for name, value in settings.items() if value is not None}
        log = home / "log"
        with log.open("wb") as output:
            command = [sys.executable, "-m", "espalier.cli", "serve"]
            process = subprocess.Popen(command, env=environment, stdout=output, stderr=output, start_new_session=True)
        url = f"http://127.0.0.1:{port}"
        try:
            for _ in range(300):
                assert process.poll() is None, log.read_text()
                try:
                    if requests.get(f"{url}/health", timeout=2).status_code in (200, 401):
                        break
                except requests.RequestException:
                    time.sleep(0.1)
            yield Backend(url, environment, log)
        finally:
            process.send_signal(signal.SIGTERM)
            process.wait(60)

    return start


def _free_port() -> int:
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        return int(free.getsockname()[1])


def _installed() -> Path:
    venv = Path(os.environ.get("ESPALIER_LABEL_STUDIO_VENV", ROOT / ".venv-labelstudio"))
    try:
        install(venv, lambda sentence: print(sentence, file=sys.stderr))
    except EspalierError as error:
        pytest.skip(str(error))
    return venv


def _migrated(venv: Path, scratch: Path) -> Path:
    """A data directory after the first start, whose migrations take more than a minute; kept with the environment."""
    if template(venv).exists():
        return template(venv)
    _server(venv, scratch / "template").stop()
    return keep_template(venv, scratch / "template")


def _server(venv: Path, data: Path, **more: Any) -> servers.LabelStudioServer:
    files = data.parent / f"{data.name}-files"
    files.mkdir()
    server = servers.LabelStudioServer(program(venv), data, _free_port(), PASSWORD, EMAIL, files, **more)
    try:
        return server.start()
    except EspalierError as error:
        pytest.fail(str(error))
