"""The door to the plugins: who is there, and a checked one of each role by name."""

from __future__ import annotations

from pathlib import Path

from .checked import CheckedClassifier, CheckedEncoder, CheckedIndex
from .choice import encoder_request, open_encoder, open_own_encoder
from .installed import classifiers, encoders, find, indexes, tuners
from .plugin import Plugin

__all__ = [
    "CheckedClassifier",
    "CheckedEncoder",
    "CheckedIndex",
    "Plugin",
    "classifiers",
    "encoder_request",
    "encoders",
    "indexes",
    "load_classifier",
    "load_index",
    "new_classifier",
    "new_index",
    "open_encoder",
    "open_own_encoder",
    "tuners",
]


def new_classifier(name: str) -> CheckedClassifier:
    """An untrained classifier. Raises BadSetting for a name that is not there, BrokenPlugin for one that is broken."""
    return CheckedClassifier(name, find("classifier", name).load()())


def load_classifier(
    name: str, directory: Path, *, options: int | None = None, exclusive: bool | None = None
) -> CheckedClassifier:
    """The classifier that was saved into the directory."""
    loaded = find("classifier", name).load().load(directory)
    return CheckedClassifier(name, loaded, options=options, exclusive=exclusive)


def new_index(name: str) -> CheckedIndex:
    return CheckedIndex(name, find("index", name).load()())


def load_index(name: str, directory: Path) -> CheckedIndex:
    return CheckedIndex(name, find("index", name).load().load(directory))
