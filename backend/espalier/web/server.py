"""The server: gunicorn, one process with threads, for all it does is wait for the database and the queue."""

from __future__ import annotations

import re
from typing import Any

from flask import Flask
from gunicorn.glogging import Logger

from ..jobs.queue import Queues
from ..settings import Settings
from ..store.records import Records
from .api.streams import Streams
from .app import create_app
from .threaded_server import ThreadedServer

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


class _Server(ThreadedServer):
    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._streams = Streams()
        super().__init__(
            "espalier-web",
            settings.host,
            settings.port,
            threads=THREADS,
            log_level=settings.log_level,
            logger_class=AccessLog,
        )

    def load(self) -> Flask:
        """In the worker, after the fork: connections must not be shared with the parent."""
        self._settings.data_dir.mkdir(parents=True, exist_ok=True)
        records, queues = Records.open(self._settings.database), Queues.open(self._settings)
        return create_app(self._settings, records, queues, self._streams, ahead=True)

    def ends(self) -> None:
        self._streams.close()
