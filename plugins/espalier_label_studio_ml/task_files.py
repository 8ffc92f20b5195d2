"""The files that a task shows, fetched as Espalier does everywhere: with its guards, and with any kind of token."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from espalier.errors import BadMedia
from espalier.labelstudio.client import LabelStudio
from espalier.media.cache import MediaCache
from espalier.media.fetch import Fetcher
from espalier.media.field import address_of, addresses_of
from espalier.settings import Settings
from espalier_ontology.tree import MediaTag


class TaskFiles:
    """url, token: the Label Studio that links without a host belong to, where settings name none."""

    def __init__(self, settings: Settings, url: str, token: str) -> None:
        own = settings.label_studio_api_key.reveal()
        home = settings.label_studio_url or url
        given = own if settings.label_studio_url and own else token if home == url else ""
        client = LabelStudio(home, given) if home and given else None
        cache = MediaCache(
            settings.data_dir / "media",
            max_bytes=int(settings.cache_gb * 1e9),
            max_file_bytes=settings.max_file_mb * 1_000_000,
        )
        self._fetcher = Fetcher(
            cache,
            settings=settings,
            label_studio_url=home,
            authorize=lambda _: client.authorization() if client else {},
        )

    def fetch(self, task: Mapping[str, Any], tag: MediaTag) -> tuple[Path, ...]:
        """Paths on this machine: one, or those of a sequence in order. Raises BadMedia."""
        data: Mapping[str, Any] = task.get("data") or {}
        addresses = addresses_of(tag, data) if tag.kind == "sequence" else [address_of(tag, data)]
        found = []
        for number, address in enumerate(addresses, start=1):
            if address is None:
                raise BadMedia(f"item {number} of {tag.field!r} has no link")
            found.append(self._fetcher.fetch(address, task_id=task.get("id")).path)
        return tuple(found)
