"""Thumbnails: frames as small pictures. They are made in the search worker, and read from disk here."""

from __future__ import annotations

import threading
from collections.abc import Sequence
from functools import lru_cache
from typing import Any, Literal

from flask import Response, request
from pydantic import Field

from ...search.thumbnail_files import ThumbnailFiles
from ...store.catalogue import CataloguedMedia
from ...store.rows import Project
from ..gathered import Gathered
from .asking import Accepted, Asking
from .given import Given
from .problem import Refused
from .routes import Query, Routes

FRAME_BITS = 24
"""As `store.frame_ids` has it, which carries numpy."""
WAITERS = 8
"""Requests that wait at a time for thumbnails to be made; a browser has six."""
_WAIT_S = 15.0
_KEPT_S = 7 * 24 * 3600
JPEG = {"image/jpeg": {"schema": {"type": "string", "description": "The picture's bytes."}}}
Size = Literal["96", "160", "240", "320", "480", "960"]
Key = tuple[str, int]


class ThumbnailAsked(Query):
    size: Size = Field("160", description="Pixels of the longer side.")


class TaskThumbnailAsked(ThumbnailAsked):
    frame: int = Field(1, ge=1, le=2**24, description="From 1; of a sequence the item.")
    tag: str | None = Field(None, max_length=500, description="The media tag; the first one by default.")


class Thumbnails:
    """Those that are asked for at the same time are made by one job."""

    def __init__(self, given: Given, asking: Asking) -> None:
        self._given, self._asking = given, asking
        self._files = ThumbnailFiles(given.settings.data_dir)
        self._waiters = threading.BoundedSemaphore(WAITERS)
        self._together = lru_cache(maxsize=64)(self._gathered)

    def answer(self, project: Project, size: int, key: Key | None, name: object) -> Response:
        """key: what the file is named by, where that is known. name: what the worker is asked for."""
        if key is None or not self._files.path(*key, size).exists():
            key = self._made(project, size, name)
        etag = f"{key[0]}-{key[1]}-{size}"
        response = Response(mimetype="image/jpeg")
        response.set_etag(etag)
        response.headers["Cache-Control"] = f"private, max-age={_KEPT_S}"
        if etag not in request.if_none_match:
            try:
                response.set_data(self._files.path(*key, size).read_bytes())
            except FileNotFoundError:
                raise _later() from None
        response.make_conditional(request)
        return response

    def _made(self, project: Project, size: int, name: object) -> Key:
        if not self._waiters.acquire(blocking=False):
            raise _later()
        try:
            made = self._together(project.key, size).do(name)
        finally:
            self._waiters.release()
        if isinstance(made, str):
            raise Refused(404, f"there is no thumbnail of this frame: {made}")
        if made is None:
            raise _later()
        return made

    def _gathered(self, project_key: str, size: int) -> Gathered[object, Key | str | None]:
        def make(names: Sequence[object]) -> list[Key | str | None]:
            ids = [name for name in names if isinstance(name, int)]
            frames = [name for name in names if isinstance(name, dict)]
            job = self._given.queues.request_search(
                project_key, "thumbnails", {"size": size, "ids": ids, "frames": frames}
            )
            if isinstance(self._asking.wait(job, _WAIT_S), Accepted):
                return [None for _ in names]
            told: Any = self._given.queues.result(job)
            self._given.queues.drop(job)
            return [_of(told, name) for name in names]

        return Gathered(make)


def register(routes: Routes, given: Given, asking: Asking) -> None:
    made = Thumbnails(given, asking)

    @routes.endpoint(
        "GET", "/projects/<project>/thumbnails/<int:frame>", JPEG, role="viewer", query=ThumbnailAsked,
        refuses=(409,), id="getThumbnail",
    )  # fmt: skip
    def thumbnail(project: str, frame: int, query: ThumbnailAsked) -> Response:
        """A frame as a small picture, by the id that searches tell."""
        found = given.project(project)
        number, at = frame >> FRAME_BITS, frame % (1 << FRAME_BITS)
        media = given.records.media_numbered(found.key, number) if 0 < number < 2**39 else None
        if media is None or at >= max(media.length, 1):
            raise Refused(404, f"project {found.id} has no frame of the id {frame}")
        return made.answer(found, int(query.size), (media.digest, at), frame)

    @routes.endpoint(
        "GET", "/projects/<project>/tasks/<int:task>/thumbnail", JPEG, role="viewer", query=TaskThumbnailAsked,
        refuses=(409,), id="getTaskThumbnail",
    )  # fmt: skip
    def of_task(project: str, task: int, query: TaskThumbnailAsked) -> Response:
        """A frame of a task as a small picture, as people count frames."""
        found = given.project(project)
        if task >= 2**53 or not given.records.tasks(found.key, [task]):
            raise Refused(404, f"project {found.id} has no task {task} that is known here")
        media = given.records.shown_by(found.key, task, tag=query.tag, item=query.frame - 1)
        name = {"task": task, "frame": query.frame, "tag": query.tag}
        return made.answer(found, int(query.size), _key(media, query.frame), name)


def _key(media: CataloguedMedia | None, frame: int) -> Key | None:
    if media is None:
        return None
    return (media.digest, frame - 1 if media.kind == "video" else 0)


def _of(told: Any, name: object) -> Key | str:
    """A file's name, or why there is none."""
    key = f"{name['task']}:{name['tag'] or ''}:{name['frame']}" if isinstance(name, dict) else str(name)
    if key in told["files"]:
        digest, frame = told["files"][key]
        return str(digest), int(frame)
    return str(told["problems"].get(key, "it cannot be made"))


def _later() -> Refused:
    return Refused(503, "this thumbnail is not made yet: ask again in a moment", headers={"Retry-After": "1"})
