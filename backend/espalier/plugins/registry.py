"""The door to the plugins: who is there, and a checked one of each role by name."""

from __future__ import annotations

from pathlib import Path

from ..contract import IndexRequest
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
    "drop_index",
    "encoder_request",
    "encoders",
    "indexes",
    "load_classifier",
    "new_classifier",
    "new_learner",
    "open_encoder",
    "open_index",
    "open_own_encoder",
    "tuners",
]


def new_classifier(name: str) -> CheckedClassifier:
    """An untrained classifier. Raises BadSetting for a name that is not there, BrokenPlugin for one that is broken."""
    return CheckedClassifier(name, find("classifier", name).load()())


def new_learner(name: str) -> CheckedClassifier:
    """The same where it learns from labels; else the usual one, for what labels alone can tell.

    What knows options by itself, or is asked about tasks, is never fitted.
    """
    found = new_classifier(name)
    return new_classifier("linear") if found.knows or found.reads_tasks else found


def load_classifier(
    name: str, directory: Path, *, options: int | None = None, exclusive: bool | None = None
) -> CheckedClassifier:
    """The classifier that was saved into the directory."""
    loaded = find("classifier", name).load().load(directory)
    return CheckedClassifier(name, loaded, options=options, exclusive=exclusive)


def open_index(name: str, request: IndexRequest) -> CheckedIndex:
    """Raises BadIndex for what cannot be read, BadSetting for a name or a service that is not there."""
    return CheckedIndex(name, find("index", name).load().open(request), dim=request.dim)


def drop_index(name: str, request: IndexRequest) -> None:
    find("index", name).load().drop(request)
