"""gunicorn as this house runs it: one process with threads, told by arguments alone."""

from __future__ import annotations

from types import FrameType
from typing import Any

from gunicorn.app.base import BaseApplication
from gunicorn.workers.gthread import ThreadWorker


class ThreadedServer(BaseApplication):  # type: ignore[misc]
    """Runs until SIGTERM or SIGINT. It takes the process's signals, and ends the process.

    Whoever derives from it has `load`, which makes the application in the worker, after the fork.
    """

    def __init__(self, name: str, host: str, port: int, *, threads: int, log_level: str, **more: Any) -> None:
        """more: gunicorn's own settings, by name."""
        self._options: dict[str, Any] = {
            "proc_name": name,
            "bind": f"[{host}]:{port}" if ":" in host else f"{host}:{port}",
            "workers": 1,
            "worker_class": _Worker,
            "threads": threads,
            "keepalive": 75,
            "timeout": 120,
            "graceful_timeout": 10,
            "accesslog": "-",
            "access_log_format": '%(t)s "%(r)s" %(s)s %(b)s %(L)ss',
            "loglevel": log_level.lower(),
            "limit_request_line": 4094,
            "control_socket_disable": True,
            **more,
        }
        super().__init__()

    def load_config(self) -> None:
        for name, value in self._options.items():
            if name in self.cfg.settings:  # older ones know fewer
                self.cfg.set(name, value)

    def ends(self) -> None:
        """In the worker, when it is told to end: what would go on for long stops now. Called by a signal."""


class _Worker(ThreadWorker):  # type: ignore[misc]
    """gunicorn waits for what is under way, and has no hook before that wait."""

    def handle_exit(self, signal: int, frame: FrameType | None) -> None:
        self.app.ends()
        super().handle_exit(signal, frame)

    def handle_quit(self, signal: int, frame: FrameType | None) -> None:
        self.app.ends()
        super().handle_quit(signal, frame)
