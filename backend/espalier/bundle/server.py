"""The bundle's server: gunicorn, one process with threads, all cores for one batch after the other."""

from __future__ import annotations

from flask import Flask
from gunicorn.app.base import BaseApplication

from .app import create_app
from .limits import Limits
from .opening import Bundle
from .predictor import Predictor

THREADS = 8


def serve(bundle: Bundle, limits: Limits, *, log_level: str = "info") -> None:
    """Serves until SIGTERM or SIGINT. gunicorn takes this process's signals, and ends it."""
    _Server(bundle, limits, log_level).run()


class _Server(BaseApplication):  # type: ignore[misc]
    def __init__(self, bundle: Bundle, limits: Limits, log_level: str) -> None:
        self._bundle, self._limits, self._log_level = bundle, limits, log_level
        super().__init__()

    def load_config(self) -> None:
        host = f"[{self._limits.host}]" if ":" in self._limits.host else self._limits.host
        for name, value in {
            "bind": f"{host}:{self._limits.port}",
            "workers": 1,
            "worker_class": "gthread",
            "threads": THREADS,
            "keepalive": 75,
            "timeout": 120,
            "graceful_timeout": 10,
            "accesslog": "-",
            "access_log_format": '%(t)s "%(r)s" %(s)s %(b)s %(L)ss',
            "loglevel": self._log_level,
            "limit_request_line": 4094,
            "control_socket_disable": True,
            "proc_name": "espalier-bundle",
        }.items():
            if name in self.cfg.settings:
                self.cfg.set(name, value)

    def load(self) -> Flask:
        """In the worker, after the fork: threads do not outlive one."""
        predictor = Predictor(self._bundle, max_megapixels=self._limits.max_megapixels)
        predictor.loaded()  # who starts a server wants to wait now, not with the first request
        return create_app(predictor, self._limits)
