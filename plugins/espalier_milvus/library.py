"""pymilvus and milvus-lite, imported when they are needed, and quiet.

pymilvus brings log handlers of its own, which write every refused call to stderr, the call's arguments included; what
it has to say comes as an exception as well, and is said in our words. It also reads a `.env` file into the environment
when it is imported, which is nobody's wish here.
"""

from __future__ import annotations

import importlib
import importlib.util
import logging
import os
from types import ModuleType

from espalier.errors import BadSetting

INSTALL = "pip install 'label-studio-espalier[milvus]'"
_LOGGERS = ("pymilvus", "pymilvus.milvus_client", "pymilvus.bulk_writer", "milvus_lite")
_NO_DOTENV = "PYTHON_DOTENV_DISABLED"


def pymilvus() -> ModuleType:
    """Raises BadSetting where it is not installed."""
    return _imported("pymilvus", "the index milvus needs pymilvus")


def milvus_lite(module: str) -> ModuleType:
    """One of its modules, by name. Raises BadSetting where it is not installed, or is the old one written in C++."""
    pymilvus()  # milvus-lite speaks through its messages
    name = f"milvus_lite.{module}"
    return _imported(name, "the index milvus without ESPALIER_INDEX_URL needs milvus-lite 3 or newer")


def _imported(name: str, wish: str) -> ModuleType:
    before = os.environ.get(_NO_DOTENV)
    os.environ[_NO_DOTENV] = "1"
    try:
        return importlib.import_module(name)
    except ImportError as error:
        raise BadSetting(f"{wish} ({error}): {INSTALL}") from error
    finally:
        if before is None:
            del os.environ[_NO_DOTENV]
        else:
            os.environ[_NO_DOTENV] = before
        for logger in map(logging.getLogger, _LOGGERS):
            logger.handlers[:] = [logging.NullHandler()]
            logger.propagate = False
