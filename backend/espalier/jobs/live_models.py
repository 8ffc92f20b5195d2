"""The models with classifiers that live which a worker keeps, so that each answer is told to them once."""

from __future__ import annotations

from collections import OrderedDict
from weakref import WeakKeyDictionary

from ..store.rows import ModelVersion
from .freshness import LIVE
from .house import House
from .live_model import LiveModel

_KEPT = 4

_held: WeakKeyDictionary[House, OrderedDict[str, LiveModel]] = WeakKeyDictionary()


def live_model(house: House, version: ModelVersion) -> LiveModel | None:
    """None where none of the version's classifiers lives. Raises BadModel where its files are broken."""
    if not version.trained_on.get(LIVE):
        return None
    kept = _held.setdefault(house, OrderedDict())
    if version.directory not in kept:
        kept[version.directory] = LiveModel(house, version)
        while len(kept) > _KEPT:
            kept.popitem(last=False)
    kept.move_to_end(version.directory)
    return kept[version.directory]
