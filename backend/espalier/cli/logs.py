"""What is logged, and what of it nobody needs to read."""

from __future__ import annotations

import logging
import sys
from typing import Any

_FORMAT = "%(asctime)s %(levelname)s %(name)s: %(message)s"
_OURS = "espalier"
_EVERY_PAGE = ("/health", "/setup", "/metrics")
"""Label Studio asks for these with every page that it shows."""


def set_up(level: str, *, quiet: bool = False) -> None:
    """Log to standard error from `level` upwards, and of other people's libraries what went wrong.

    quiet: warnings are left out as well, because the command says by itself what matters. At DEBUG all is logged.
    """
    logging.basicConfig(level=level, stream=sys.stderr, format=_FORMAT, datefmt="%Y-%m-%d %H:%M:%S")
    if level == "DEBUG":
        return
    # Filters, not levels: RQ and gunicorn set the levels of their loggers by themselves.
    for handler in logging.getLogger().handlers:
        handler.addFilter(_matters)
    logging.getLogger("gunicorn.error").addFilter(_matters)
    logging.getLogger("gunicorn.access").addFilter(_is_news)
    if quiet:
        logging.getLogger().setLevel(logging.ERROR)


def _matters(record: logging.LogRecord) -> bool:
    return record.name.startswith(_OURS) or record.levelno >= logging.WARNING


def _is_news(record: logging.LogRecord) -> bool:
    """Of the access log: all but what is asked every few seconds and was answered well."""
    atoms: Any = record.args
    if not isinstance(atoms, dict):
        return True
    path = str(atoms.get("U", "")).rstrip("/")
    return not (path.endswith(_EVERY_PAGE) or path == "") or not str(atoms.get("s", "")).startswith("2")
