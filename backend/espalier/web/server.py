"""The server: gunicorn, one process with threads, for all it does is wait for the database and the queue."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from gunicorn.app.base import BaseApplication
from gunicorn.glogging import Logger

from ..jobs.queue import Queues
from ..settings import Settings
from ..store.records import Records
from .app import create_app

THREADS = 40  # more than may wait at a time: for predictions, for what a worker does, for thumbnails, for events
_SECRET_ARGUMENT = re.compile(r"([?&]token=)[^&\s\"]*")


def serve(settings: Settings) -> None:
    """Serves until SIGTERM or SIGINT. Runs in a process of its own: gunicorn takes its signals."""
    _Server(settings).run()


def masked(line: str) -> str:
    """A request line or address without its ?token=."""
    return _SECRET_ARGUMENT.sub(r"\1***", line)


class AccessLog(Logger):  # type: ignore[misc]
    """Addresses may carry the webhook secret as ?token=."""

    def atoms(self, *arguments: Any, **named: Any) -> dict[str, Any]:
        atoms: dict[str, Any] = super().atoms(*arguments, **named)
        return {name: masked(value) if isinstance(value, str) else value for name, value in atoms.items()}


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self._settings.host}]" if ":" in self._settings.host else self._settings.host
        for name, value in {
            "bind": f"{host}:{self._settings.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 75,
            "timeout": 120,
            "graceful_timeout": 10,
            "accesslog": "-",
            "access_log_format": '%(t)s "%(r)s" %(s)s %(b)s %(L)ss',
            "logger_class": AccessLog,
            "loglevel": self._settings.log_level.lower(),
            "limit_request_line": 4094,
            "control_socket_disable": True,
            "proc_name": "espalier-web",
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """In the worker, after the fork: connections must not be shared with the parent."""
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        return create_app(self._settings, Records.open(self._settings.database), Queues.open(self._settings))
