"""From what a task's data says to a file on this machine: one way for every kind of link.

| value | gets here by |
| --- | --- |
| `/data/upload/...`, any path or address of Label Studio | HTTP with Label Studio's credentials |
| `/data/local-files/?d=...` | read in place where the operator named the root, else as above |
| `s3://`, `gs://`, `azure-blob://`, `/tasks/<id>/resolve/...` | Label Studio, which redirects or passes on |
| `http(s)://...` | HTTP, public addresses only |
| `file://...`, paths | read in place, inside the operator's media roots only |
| `data:...;base64,...` | the value itself |
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import logging
import time
from collections.abc import Mapping
from dataclasses import replace
from pathlib import Path
from urllib.parse import parse_qs, unquote, unquote_to_bytes, urlencode, urlsplit

import requests

from ..errors import BadMedia, EspalierError
from ..settings import Settings
from . import sniff
from .cache import LocalFile, MediaCache, shown
from .download import download
from .guard import Guard, origin_of
from .partial import Partial, Promise
from .web import Authorize, Trouble, Web

log = logging.getLogger(__name__)

_FRESH_S = 3600.0
"""How long a link is taken to give what it gave, before its server is asked whether that still holds."""
_MAX_INLINE_BYTES = 64_000_000


class Fetcher:
    """Fetches for one Label Studio. May be used by several threads at once."""

    def __init__(
        self,
        cache: MediaCache,
        *,
        settings: Settings,
        label_studio_url: str,
        authorize: Authorize,
        timeouts_s: tuple[float, float] = (10.0, 60.0),
    ) -> None:
        """authorize: the headers for an address of Label Studio; sent to its origin alone. timeouts_s: to connect, to
        read."""
        self.cache = cache
        self.max_megapixels = settings.max_megapixels
        self._settings = settings
        self._home = label_studio_url.rstrip("/")
        allowed = set(settings.allowed_hosts)
        if self._home:
            _, host, port = origin_of(self._home)
            allowed.add(f"{host}:{port}")
        self._web = Web(Guard(allowed), self._home, authorize, timeouts_s)

    def fetch(self, value: str, *, task_id: int | None) -> LocalFile:
        """Raises BadMedia, naming the value, where the file cannot be had."""
        value = value.strip()
        try:
            if value[:5].lower() == "data:":
                return self._inline(value)
            path = self._in_place(value)
            if path is not None:
                return self.cache.local(path, value)
            return self._download(*self._address(value, task_id))
        except BadMedia as error:
            raise BadMedia(f"{shown(value)}: {error}") from error
        except OSError as error:
            raise BadMedia(f"{shown(value)}: cannot be kept on this machine's disk: {error}") from error

    def _in_place(self, value: str) -> Path | None:
        """The file that a value names on this machine, checked to lie where it may be read; None for other values."""
        local = self._of_home(value)
        if local is not None and urlsplit(local).path.rstrip("/").endswith("/data/local-files"):
            root = self._settings.local_files_root
            named = parse_qs(urlsplit(local).query).get("d", [""])[0]
            return _confined(root, named) if root is not None and named else None
        if value.lower().startswith("file:"):
            path = unquote(urlsplit(value).path)
        elif "://" in value:
            return None
        else:
            path = value
        for root in self._settings.media_roots:
            found = _confined(root, path)
            if found is not None:
                return found
        if value.lower().startswith("file:") or not path.startswith("/"):
            roots = ":".join(map(str, self._settings.media_roots)) or "none"
            raise BadMedia(
                f"is not a file inside the directories that may be read (ESPALIER_MEDIA_ROOTS: {roots}): "
                f"move it there, add its directory, or import it into Label Studio"
            )
        return None

    def _of_home(self, value: str) -> str | None:
        """The path and query of a value that belongs to Label Studio; None for others."""
        if value.startswith("/") and not value.startswith("//"):
            return value
        if value.lower().startswith(("http://", "https://")) and self._web.is_label_studio(value):
            parts = urlsplit(value)
            return parts.path + (f"?{parts.query}" if parts.query else "")
        return None

    def _address(self, value: str, task_id: int | None) -> tuple[str, str]:
        """Where to ask for a value, and the name under which the cache knows its content."""
        scheme = value.split("://", 1)[0].lower() if "://" in value else ""
        if scheme in ("http", "https"):
            return value, value
        if not self._home:
            raise BadMedia("only Label Studio can tell where this is: set LABEL_STUDIO_URL")
        if scheme:  # s3, gs, azure-blob, or whatever else Label Studio has a storage for
            if task_id is None:
                raise BadMedia("a cloud link can be opened through a task only: import it into Label Studio")
            query = urlencode({"fileuri": base64.urlsafe_b64encode(value.encode()).decode()})
            return f"{self._home}/tasks/{task_id}/resolve/?{query}", f"{value} via {self._home}"
        # Where Label Studio lives under a prefix, its paths may or may not repeat it.
        prefix = urlsplit(self._home).path
        home = self._home.removesuffix(prefix) if prefix and value.startswith(f"{prefix}/") else self._home
        return home + value, home + value

    def _download(self, url: str, name: str) -> LocalFile:
        asked_at = time.time()
        file = self._fresh(url, name)
        if file is not None:
            return file
        with self.cache.downloading(name) as partial:
            found = self.cache.find(name, recall=False)
            if found is not None and found[1].checked_at > asked_at:  # another process has just brought it
                return found[0]

            def get(headers: Mapping[str, str]) -> requests.Response:
                return self._web.get(url, headers)

            ranged = self._web.is_label_studio(url)
            promise = download(get, partial, max_bytes=self.cache.max_file_bytes, ranged=ranged)
            return self._take_in(name, partial, promise)

    def _fresh(self, url: str, name: str) -> LocalFile | None:
        """What the cache has, where it is still what the link gives."""
        found = self.cache.find(name)
        if found is None:
            return None
        file, link = found
        # Label Studio never changes an upload: each has a name of its own.
        if time.time() - link.checked_at < _FRESH_S or "/data/upload/" in name:
            return file
        asked = {"If-None-Match": link.etag} if link.etag else {}
        if link.modified:
            asked["If-Modified-Since"] = link.modified
        try:
            unchanged = False
            if asked:
                with self._web.get(url, {**asked, "Accept-Encoding": "identity"}) as response:
                    unchanged = response.status_code == 304
        except (Trouble, EspalierError) as error:
            log.info("%s cannot be checked for changes, what it gave before is used: %s", shown(name), error)
            return file
        if unchanged:
            self.cache.remember(name, replace(link, checked_at=time.time()))
        return file if unchanged else None

    def _take_in(self, name: str, partial: Partial, promise: Promise) -> LocalFile:
        if sniff.describe(partial.head(sniff.HEAD_BYTES)) == "an HTML page":
            partial.discard()
            raise BadMedia("the link gives an HTML page, not a file: it probably needs a login")
        digest = partial.digest().hexdigest()
        return self.cache.keep(name, partial, digest, etag=promise.etag, modified=promise.modified)

    def _inline(self, value: str) -> LocalFile:
        header, _, body = value.partition(",")
        if len(body) > _MAX_INLINE_BYTES * 4 // 3:
            raise BadMedia(f"holds more than {_MAX_INLINE_BYTES // 1_000_000} MB in the task itself: upload it instead")
        try:
            if header.lower().endswith(";base64"):
                data = base64.b64decode(unquote(body), validate=False)
            else:
                data = unquote_to_bytes(body)
        except (binascii.Error, ValueError) as error:
            raise BadMedia(f"is not valid base64: {error}") from error
        digest = hashlib.sha256(data).hexdigest()
        name = f"data:{digest}"
        found = self.cache.find(name)
        if found is not None:
            return found[0]
        with self.cache.downloading(name) as partial:
            partial.start(Promise(len(data)))
            with partial.append() as file:
                file.write(data)
            return self.cache.keep(name, partial, digest)


def _confined(root: Path, named: str) -> Path | None:
    """The regular file of this name, if it lies inside the root when every link and `..` has been followed."""
    try:
        root = root.resolve(strict=True)
        path = (root / named).resolve(strict=True)
    except (OSError, ValueError, RuntimeError):  # not there, or no name for a file
        return None
    return path if path.is_relative_to(root) and path.is_file() else None
