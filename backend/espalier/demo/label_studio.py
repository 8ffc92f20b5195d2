"""A Label Studio of one's own on loopback: started, logged in to, and stopped again."""

from __future__ import annotations

import os
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import requests

from ..errors import BadSetting, LabelStudioDown
from .app_inside import app_inside
from .installation import VERSION
from .one_click import form_token
from .process import Process, is_up

USER = "demo@espalier.local"
FIRST_START_S = 400.0
"""The first start runs all migrations: about a minute on two cores."""


@dataclass
class LabelStudioServer:
    """One running Label Studio with its own data directory and one user, its owner. Its log lies beside that."""

    program: Path
    data_dir: Path
    port: int
    password: str = field(repr=False)
    email: str = USER
    local_files: Path | None = None
    """A directory that the local-files storage may serve."""
    private_backends: bool = True
    """Whether it may speak with backends on this machine, which it refuses by default."""
    app: bool = False
    """Whether Espalier's app runs inside it; where Espalier is, its page asks, or `backend_url` says."""
    backend_url: str = ""

    def __post_init__(self) -> None:
        self.url = f"http://127.0.0.1:{self.port}"
        self.session = requests.Session()
        self._process: Process | None = None

    @property
    def log(self) -> Path:
        return self.data_dir.parent / f"{self.data_dir.name}.log"

    @property
    def is_running(self) -> bool:
        return self._process is not None and self._process.is_running

    def start(self) -> LabelStudioServer:
        """Returns once it answers and its user is logged in. Raises LabelStudioDown with the end of its log."""
        self.data_dir.mkdir(parents=True, exist_ok=True)
        command = [str(self.program), "start", "--no-browser", "--data-dir", str(self.data_dir)]
        command += ["--internal-host", "127.0.0.1", "-p", str(self.port), "--username", self.email]
        self._process = Process("Label Studio", command, self._environment(), self.log)
        try:
            self._process.wait_until(lambda: is_up(self.url), FIRST_START_S)
            self.log_in()
        except BaseException:
            self.stop()
            raise
        return self

    def stop(self) -> None:
        """End it, and nothing else."""
        if self._process is not None:
            self._process.stop()

    def log_in(self) -> None:
        """A new session. Raises BadSetting where the password is not that of this data directory."""
        self.session = requests.Session()
        self.session.trust_env = False
        page = self.session.get(f"{self.url}/user/login", timeout=60).text
        token = form_token(page)
        if not token:
            raise BadSetting(f"the login page of {self.url} is not that of Label Studio {VERSION}")
        form = {"csrfmiddlewaretoken": token, "email": self.email, "password": self.password}
        self.session.post(
            f"{self.url}/user/login", data=form, headers={"Referer": f"{self.url}/user/login"}, timeout=60
        ).raise_for_status()
        if "sessionid" not in self.session.cookies:
            raise BadSetting(f"{self.url} refused the login of {self.email}; remove {self.data_dir} to begin anew")

    def call(self, method: str, path: str, **options: Any) -> Any:
        """JSON of an API call as the user. Raises LabelStudioDown for anything but success."""
        answer = self.session.request(method, f"{self.url}{path}", timeout=120, **options)
        if not answer.ok:
            raise LabelStudioDown(f"{method} {path} was answered {answer.status_code}: {answer.text[:300]}")
        return answer.json() if answer.content else None

    def token(self) -> str:
        """The user's personal access token. Label Studio shows it once, when it is made, so it is kept in a file."""
        kept = self.data_dir.parent / f"{self.data_dir.name}.token"
        if kept.exists():
            return kept.read_text()
        made = self.session.post(f"{self.url}/api/token/", timeout=60)
        if made.status_code == 409:
            raise BadSetting(f"{self.url} has given its token before, and {kept} is gone; remove {self.data_dir}")
        made.raise_for_status()
        kept.touch(mode=0o600)
        kept.write_text(str(made.json()["token"]))
        return kept.read_text()

    def _environment(self) -> dict[str, str]:
        ours = {name: value for name, value in os.environ.items() if not name.startswith(("LABEL_STUDIO_", "DJANGO_"))}
        ours |= {
            "LABEL_STUDIO_HOST": self.url,
            "LABEL_STUDIO_PASSWORD": self.password,
            "COLLECT_ANALYTICS": "false",
            "LATEST_VERSION_CHECK": "false",
            "SENTRY_DSN": "",
            "FRONTEND_SENTRY_DSN": "",
        }
        if self.private_backends:
            ours["LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS"] = "false"
        if self.app:
            ours |= app_inside(self.data_dir.parent / "app")
        if self.backend_url:
            ours["ESPALIER_URL"] = self.backend_url
        if self.local_files:
            ours |= {"LOCAL_FILES_SERVING_ENABLED": "true", "LOCAL_FILES_DOCUMENT_ROOT": str(self.local_files)}
        return ours
