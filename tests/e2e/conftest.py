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

ROOT = Path(__file__).resolve().parents[2]
RELEASE = "1.23.2"
EMAIL, PASSWORD = "annotator@example.org", "a-long-password"
INSTALL_S, START_S = 1500, 400


class LabelStudioServer:
    """`url`, `session` (logged in as the owner), `token` (a personal access token), `files` (the root of its
    local-files storage), and the few steps that a person would click."""

    def __init__(self, url: str, files: Path) -> None:
        self.url = url
        self.files = files
        self.email = EMAIL
        self.session = requests.Session()
        self._log_in()
        self.token: str = self.request("POST", "/api/token/")["token"]

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

    def _log_in(self) -> None:
        page = self.session.get(f"{self.url}/user/login", timeout=60).text
        token = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        assert token is not None, page[:500]
        form = {"csrfmiddlewaretoken": token.group(1), "email": EMAIL, "password": PASSWORD}
        self.session.post(
            f"{self.url}/user/login", data=form, headers={"Referer": f"{self.url}/user/login"}, timeout=60
        )
        assert "sessionid" in self.session.cookies, "the login was refused"


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
        """Waits until a version has seen that many annotated media. Returns the lines of `espalier versions`."""
        deadline, lines = time.monotonic() + 120, [""]
        while time.monotonic() < deadline:
            lines = self.espalier("versions", str(project["id"])).splitlines() or [""]
            if f"trained on {media} annotated media" in lines[0]:
                return lines
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
    data, files = home / "data", home / "files"
    files.mkdir()
    shutil.copytree(_migrated(venv, home), data)
    process, url = _start(venv, data, files)
    try:
        yield LabelStudioServer(url, files)
    finally:
        _end(process)


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
            program = [sys.executable, "-m", "espalier.cli", "serve"]
            process = subprocess.Popen(program, env=environment, stdout=output, stderr=output, start_new_session=True)
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
    if (venv / "bin" / "label-studio").exists():
        return venv
    print(f"\ninstalling Label Studio {RELEASE} into {venv}; this takes some minutes, once", file=sys.stderr)
    try:
        subprocess.run([sys.executable, "-m", "venv", str(venv)], check=True, capture_output=True)
        install = [str(venv / "bin" / "pip"), "install", "--quiet", f"label-studio=={RELEASE}"]
        subprocess.run(install, check=True, capture_output=True, timeout=INSTALL_S)
    except (subprocess.SubprocessError, OSError) as error:
        said = (getattr(error, "stderr", None) or b"").decode(errors="replace").strip().splitlines()
        pytest.skip(f"Label Studio {RELEASE} cannot be installed into {venv}: {said[-1] if said else error}")
    return venv


def _migrated(venv: Path, scratch: Path) -> Path:
    """A data directory after the first start, whose migrations take more than a minute; kept with the environment."""
    kept = venv / f"espalier-template-{RELEASE}"
    if kept.exists():
        return kept
    data = scratch / "template"
    files = scratch / "no-files"
    files.mkdir()
    process, _ = _start(venv, data, files)
    _end(process)
    try:
        copied = Path(f"{kept}.{os.getpid()}")
        shutil.copytree(data, copied)
        copied.rename(kept)
    except OSError:
        return data  # read-only, or another session was quicker
    return kept


def _start(venv: Path, data: Path, files: Path) -> tuple[subprocess.Popen[bytes], str]:
    port = _free_port()
    url = f"http://127.0.0.1:{port}"
    data.mkdir(parents=True, exist_ok=True)
    environ = {
        **{name: value for name, value in os.environ.items() if not name.startswith(("LABEL_STUDIO_", "DJANGO_"))},
        # Without it Label Studio refuses to speak with a backend on this machine.
        "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
        "LOCAL_FILES_SERVING_ENABLED": "true",
        "LOCAL_FILES_DOCUMENT_ROOT": str(files),
        "LABEL_STUDIO_HOST": url,
        "COLLECT_ANALYTICS": "false",
        "LATEST_VERSION_CHECK": "false",
        "SENTRY_DSN": "",
        "FRONTEND_SENTRY_DSN": "",
    }
    command = [str(venv / "bin" / "label-studio"), "start", "--no-browser", "--data-dir", str(data)]
    command += ["--internal-host", "127.0.0.1", "-p", str(port), "--username", EMAIL, "--password", PASSWORD]
    log = data.parent / f"{data.name}.log"
    with log.open("wb") as output:
        process = subprocess.Popen(command, env=environ, stdout=output, stderr=output, start_new_session=True)
    deadline = time.monotonic() + START_S
    while time.monotonic() < deadline and process.poll() is None:
        if _is_up(url):
            return process, url
        time.sleep(0.3)
    _end(process)
    pytest.fail(f"Label Studio did not start; its log ends with: {log.read_text(errors='replace')[-1500:]}")


def _is_up(url: str) -> bool:
    try:
        return bool(requests.get(f"{url}/health", timeout=5).json()["status"] == "UP")
    except (requests.RequestException, ValueError, KeyError):
        return False


def _end(process: subprocess.Popen[bytes]) -> None:
    """The process and its children, which are in a group of their own."""
    for number in (signal.SIGTERM, signal.SIGKILL):
        if process.poll() is None:
            os.killpg(process.pid, number)
        try:
            process.wait(15)
            return
        except subprocess.TimeoutExpired:
            continue
