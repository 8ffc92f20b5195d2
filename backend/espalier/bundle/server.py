"""The bundle's server: gunicorn, one process with threads, all cores for one batch after the other."""

from __future__ import annotations

from flask import Flask

from ..web.threaded_server import ThreadedServer
from . import freed_memory
from .app import create_app
from .limits import Limits
from .opening import Bundle
from .predictor import Predictor

THREADS = 8


def serve(bundle: Bundle, limits: Limits, *, log_level: str = "info") -> None:
    """Serves until SIGTERM or SIGINT. gunicorn takes this process's signals, and ends it."""
    _Server(bundle, limits, log_level).run()


class _Server(ThreadedServer):
    def __init__(self, bundle: Bundle, limits: Limits, log_level: str) -> None:
        self._bundle, self._limits = bundle, limits
        super().__init__("espalier-bundle", limits.host, limits.port, threads=THREADS, log_level=log_level)

    def load(self) -> Flask:
        """In the worker, after the fork: threads do not outlive one."""
        freed_memory.keep()
        predictor = Predictor(self._bundle, max_megapixels=self._limits.max_megapixels)
        predictor.loaded()  # who starts a server wants to wait now, not with the first request
        return create_app(predictor, self._limits)
