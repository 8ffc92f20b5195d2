"""Projects make themselves known: by /setup, by /predict, by an event. The first time, they are read in full."""

from __future__ import annotations

import threading
import time
from typing import Any

from ..jobs.queue import Queues
from ..labelstudio.wire import Setup
from ..settings import Settings
from ..store.records import Records
from ..store.rows import Project

UNTRAINED = "untrained"
# Events are lost while we are down, and are never sent again: the API tells what was missed.
_TRUST_EVENTS_FOR_S = 3600.0
_USABLE = frozenset({"candidate", "promoted", "archived"})


class Introductions:
    """Label Studio sends /setup with every page that it shows: only news are written, and a project is read in full at
    its first appearance in this process, and then once an hour at most."""

    def __init__(self, settings: Settings, records: Records, queues: Queues) -> None:
        self._settings = settings
        self._records = records
        self._queues = queues
        self._read_at: dict[str, float] = {}
        self._lock = threading.Lock()

    def introduce(self, setup: Setup) -> Project:
        said: dict[str, Any] = {"hostname": setup.hostname, "access_token": setup.access_token}
        if setup.extra_params is not None:
            said["extra_params"] = setup.extra_params
        return self.see(setup.project_key, label_config=setup.schema, **said)

    def see(self, key: str, **said: Any) -> Project:
        """Keep what was said of a project, train anew if its ontology is another, and read it where that is due."""
        before = self._records.project(key)
        news = {name: value for name, value in said.items() if value not in ("", None)}
        if before is None or any(getattr(before, name) != value for name, value in news.items()):
            project = self._records.put_project(key, **news)
        else:
            project = before
        if before is not None and before.label_config not in ("", project.label_config):
            self._queues.request_training(key)
        if self._is_due(key):
            self.read(key)
        return project

    def read(self, key: str) -> None:
        """Have a worker read the project through the API; without a token there is nothing to read with."""
        with self._lock:
            self._read_at[key] = time.monotonic()
        project = self._records.project(key)
        if self._settings.label_studio_api_key.reveal() or (project and project.access_token):
            self._request_connect(key)

    def _request_connect(self, key: str) -> None:
        """Once a minute at most, whoever asks: reading a project asks for /setup again."""
        if not self._queues.redis.set(f"espalier:connect:{key}", 1, nx=True, ex=60):
            return
        self._queues.request_connect(key)

    def versions(self, key: str | None) -> list[str]:
        """Model versions that can predict: of one project, or of all where Label Studio does not say which."""
        projects = [self._records.project(key)] if key else self._records.projects()
        names: list[str] = []
        for project in projects:
            if project is None:
                continue
            if project.published:
                names.append(project.published)
            names += [row.name for row in self._records.versions(project.key) if row.state in _USABLE]
        return list(dict.fromkeys(names)) or [UNTRAINED]

    def _is_due(self, key: str) -> bool:
        with self._lock:
            last = self._read_at.get(key)
        return last is None or time.monotonic() - last > _TRUST_EVENTS_FOR_S
