"""What happens when something of ours fails inside Label Studio: it is said once, and Label Studio works on."""

from __future__ import annotations

import logging

log = logging.getLogger("espalier_labelstudio")
_said: set[str] = set()


def say_once(what: str, error: BaseException) -> None:
    """what: a part of the app, in words. Later failures of it are silent: the log has other things to say."""
    if what not in _said:
        _said.add(what)
        log.warning("Espalier: %s is left out: %s: %s", what, type(error).__name__, error)
