"""A Label Studio of one's own: installed into an environment of its own, started on loopback, and stopped again."""

from __future__ import annotations

import os
import re
import shutil
import signal
import subprocess
import sys
import time
from dataclasses import dataclass
from pathlib import Path

import requests

from ..errors import BadSetting, LabelStudioDown

VERSION = "1.23.2"
USER = "demo@espalier.local"
_FIRST_START_S = 300
"""The first start runs all migrations: about a minute on two cores."""


def install(environment: Path) -> Path:
    """Label Studio's program in a virtual environment, made where it is missing. Takes minutes the first time."""
    program = environment / "bin" / "label-studio"
    if not program.exists():
        subprocess.run([sys.executable, "-m", "venv", str(environment)], check=True)  # noqa: S603
        subprocess.run(  # noqa: S603
            [str(environment / "bin" / "pip"), "install", "--quiet", f"label-studio=={VERSION}"], check=True
        )
    return program


@dataclass
class LabelStudioServer:
    """One running Label Studio with its own data directory and one user."""

    program: Path
    data_dir: Path
    port: int
    password: str
    local_files: Path | None = None
    """A directory that the local-files storage may serve."""

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self._process: subprocess.Popen[bytes] | None = None
        self.session = requests.Session()

    def start(self) -> LabelStudioServer:
        """Returns once it answers. Raises LabelStudioDown with the end of its log where it does not."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        environment = {name: value for name, value in os.environ.items() if not name.startswith("LABEL_STUDIO_")}
        environment |= {
            # Label Studio refuses backends on private addresses unless it is told that these are meant.
            "LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS": "false",
            "LABEL_STUDIO_HOST": self.url,
            "LABEL_STUDIO_PASSWORD": self.password,
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
        }
        if self.local_files:
            environment |= {
                "LOCAL_FILES_SERVING_ENABLED": "true",
                "LOCAL_FILES_DOCUMENT_ROOT": str(self.local_files),
            }
        command = [str(self.program), "start", "--no-browser", "--data-dir", str(self.data_dir)]
        command += ["--internal-host", "127.0.0.1", "-p", str(self.port), "--username", USER]
        with self.log.open("ab") as log:
            self._process = subprocess.Popen(  # noqa: S603
                command, env=environment, stdout=log, stderr=log, stdin=subprocess.DEVNULL, start_new_session=True
            )
        deadline = time.monotonic() + _FIRST_START_S
        while time.monotonic() < deadline:
            if self._process.poll() is not None:
                break
            try:
                if requests.get(f"{self.url}/health", timeout=2).ok:
                    self._log_in()
                    return self
            except requests.RequestException:
                pass
            time.sleep(0.5)
        self.stop()
        raise LabelStudioDown(f"Label Studio did not start; the end of {self.log}:\n{self.log.read_text()[-2000:]}")

    @property
    def log(self) -> Path:
        return self.data_dir / "label-studio.log"

    def _log_in(self) -> None:
        self.session = requests.Session()
        page = self.session.get(f"{self.url}/user/login", timeout=30).text
        found = re.search(r'name="csrfmiddlewaretoken" value="([^"]+)"', page)
        if not found:
            raise BadSetting(f"the login page of {self.url} is not that of Label Studio {VERSION}")
        answer = self.session.post(
            f"{self.url}/user/login",
            data={"csrfmiddlewaretoken": found[1], "email": USER, "password": self.password},
            headers={"Referer": self.url},
            timeout=30,
        )
        answer.raise_for_status()

    def token(self) -> str:
        """The user's personal access token; Label Studio keeps one per user, and shows it to its session."""
        made = self.session.post(f"{self.url}/api/token/", timeout=30)
        if made.status_code == 409:
            listed = self.session.get(f"{self.url}/api/token/", timeout=30)
            listed.raise_for_status()
            return str(listed.json()[0]["token"])
        made.raise_for_status()
        return str(made.json()["token"])

    def stop(self) -> None:
        """End it, and nothing else."""
        if self._process is None or self._process.poll() is not None:
            return
        os.killpg(self._process.pid, signal.SIGTERM)
        try:
            self._process.wait(timeout=15)
        except subprocess.TimeoutExpired:
            os.killpg(self._process.pid, signal.SIGKILL)
            self._process.wait(timeout=15)

    def remove(self) -> None:
        self.stop()
        shutil.rmtree(self.data_dir, ignore_errors=True)
