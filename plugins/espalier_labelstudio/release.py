"""Which Label Studio this is, and whether the app was tested with it."""

from __future__ import annotations

import logging
from importlib.metadata import PackageNotFoundError, version

log = logging.getLogger(__name__)
TESTED = "1.23."


def label_studio() -> str:
    try:
        return version("label-studio")
    except PackageNotFoundError:
        return "unknown"


def warn_of_untested() -> None:
    found = label_studio()
    if not found.startswith(TESTED):
        log.warning(
            "Espalier's app was tested with Label Studio %sx, and this is %s: what it cannot do here it leaves out",
            TESTED,
            found,
        )
