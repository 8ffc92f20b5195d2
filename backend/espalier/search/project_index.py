"""A project's index: opened once and kept, brought up to date from the embedding store, made anew where it is broken.

The embedding store is the truth; an index holds nothing that cannot be had from there again.
"""

from __future__ import annotations

import logging
import re
from collections import OrderedDict
from collections.abc import Callable
from typing import TypeVar
from weakref import WeakKeyDictionary

import numpy as np

from ..contract import Embeddings, Ids, IndexReport, IndexRequest, Scores
from ..errors import BadIndex
from ..jobs.house import House
from ..jobs.progress import Progress
from ..plugins.checked import CheckedIndex
from ..plugins.registry import drop_index, open_index
from ..store.embeddings import NotEmbedded
from ..store.rows import Project
from .searchable import Searchable

log = logging.getLogger(__name__)

MESSAGE = "bringing the index up to date"
_AT_ONCE = 8192
_SAVED_AFTER = 4096
"""Changes; what is not saved yet is there again all the same, only slower."""
_KEPT_OPEN = 4

T = TypeVar("T")


class ProjectIndex:
    """The frames of one project under one encoder, in the index of the settings."""

    def __init__(self, house: House, project: Project, encoder_digest: str, dim: int) -> None:
        self._plugin = house.settings.index
        self._request = request_for(house, project, encoder_digest, dim)
        self._index = self._open()
        self._held = self._index.ids()
        self._changes = 0
        self._seen: tuple[object, int] | None = None
        """Which frames it was brought up to."""

    def bring_up_to(self, found: Searchable, progress: Progress) -> None:
        """Holds just the frames that can be searched now. What was added is kept where `progress` raises."""
        if self._seen != (found.frames, found.frames.version):
            self._mending(lambda: self._bring_up_to(found, progress))
            self._seen = found.frames, found.frames.version

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        """As `contract.Index`. Raises BadIndex where it broke meanwhile; `bring_up_to` then makes it anew."""
        try:
            return self._index.search(queries, k, allowed)
        except BadIndex:
            self._make_anew()
            raise

    def behind(self, found: Searchable) -> int:
        """How many frames it would have to add or to remove now."""
        return len(np.setxor1d(self._held, found.frames.ids, assume_unique=True))

    def report(self) -> IndexReport:
        return self._index.report()

    def close(self) -> None:
        self._index.close()

    def _bring_up_to(self, found: Searchable, progress: Progress) -> None:
        wanted = found.frames.ids
        gone = np.setdiff1d(self._held, wanted, assume_unique=True)
        if len(gone):
            self._index.remove(gone)
            self._held = np.setdiff1d(self._held, gone, assume_unique=True)
            self._changes += len(gone)
        new = np.setdiff1d(wanted, self._held, assume_unique=True)
        added = [self._held]
        try:
            for start in range(0, len(new), _AT_ONCE):
                progress.report(start, len(new), MESSAGE)
                ids, embeddings = _readable(found, new[start : start + _AT_ONCE])
                self._index.add(ids, embeddings)
                added.append(ids)
                self._changes += len(ids)
        finally:
            self._held = np.unique(np.concatenate(added))
        if self._changes >= max(_SAVED_AFTER, len(self._held) // 20):
            progress.report(len(new), len(new), "saving the index")
            self._index.save()
            self._changes = 0

    def _mending(self, work: Callable[[], T]) -> T:
        """Once more, from nothing, where what is there turns out to be broken."""
        try:
            return work()
        except BadIndex as error:
            log.warning("the index %s is made anew: %s", self._request.name, error)
            self._make_anew()
            return work()

    def _make_anew(self) -> None:
        self._index.close()
        drop_index(self._plugin, self._request)
        self._index = open_index(self._plugin, self._request)
        self._held, self._seen, self._changes = self._index.ids(), None, 0

    def _open(self) -> CheckedIndex:
        try:
            return open_index(self._plugin, self._request)
        except BadIndex as error:
            log.warning("the index %s is made anew: %s", self._request.name, error)
            drop_index(self._plugin, self._request)
            return open_index(self._plugin, self._request)


_kept: WeakKeyDictionary[House, OrderedDict[str, ProjectIndex]] = WeakKeyDictionary()


def project_index(house: House, project: Project, found: Searchable, progress: Progress) -> ProjectIndex:
    """The project's, up to date; a few projects' stay open. Another encoder has another index: they are never mixed."""
    index = opened_index(house, project, found)
    index.bring_up_to(found, progress)
    return index


def opened_index(house: House, project: Project, found: Searchable) -> ProjectIndex:
    """As it is."""
    kept = _kept.setdefault(house, OrderedDict())
    spec = found.encoder.spec
    name = request_for(house, project, spec.digest, spec.dim).name
    if name not in kept:
        kept[name] = ProjectIndex(house, project, spec.digest, spec.dim)
        while len(kept) > _KEPT_OPEN:
            kept.popitem(last=False)[1].close()
    kept.move_to_end(name)
    return kept[name]


def close_indexes(house: House) -> None:
    """Those that this process has open."""
    for index in _kept.pop(house, OrderedDict()).values():
        index.close()


def request_for(house: House, project: Project, encoder_digest: str, dim: int) -> IndexRequest:
    """What the plugin is asked for; the name is one project's and one encoder's."""
    settings = house.settings
    name = re.sub(r"[^0-9A-Za-z]", "_", f"espalier_{project.key}_{encoder_digest[:16]}")
    directory = settings.data_dir / "indexes" / settings.index / project.key / encoder_digest[:16]
    return IndexRequest(
        name,
        dim,
        encoder_digest,
        directory,
        url=settings.index_url.reveal(),
        threads=max(1, settings.threads),
    )


def _readable(found: Searchable, ids: Ids) -> tuple[Ids, Embeddings]:
    """Those that are still there."""
    try:
        return ids, found.frames.read(ids)
    except NotEmbedded as error:
        lost = set(error.keys)
        kept = np.array([key not in lost for key in found.frames.keys(ids)], np.bool_)
        return ids[kept], found.frames.read(ids[kept])
