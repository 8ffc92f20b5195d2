"""The files of one request: sent along, or named below the directory that the server was given."""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from io import BytesIO
from itertools import count
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import IO, Any

import orjson
from flask import Request, abort

from ..errors import BadRequest
from .asked import Asked
from .given_file import GivenFile
from .limits import Limits

IN_MEMORY = 16_000_000
"""Bytes; what a request of no more brings is not written to disk, unless it has to be."""


class FileRequest(Request):
    """A request whose files stay in memory where they are few, or are written where they are to be read, once."""

    scratch: Path

    def _get_file_stream(self, total_content_length: int | None, *_: object, **__: object) -> IO[bytes]:
        if total_content_length is not None and total_content_length <= IN_MEMORY:
            return BytesIO()
        return (self.scratch / f"{next(self._numbers):06d}").open("w+b")

    def given(self, scratch: str) -> list[GivenFile]:
        """The files of its body, in order. scratch: where those are written that do not stay in memory."""
        self.scratch, self._numbers = Path(scratch), count()
        given: list[GivenFile] = []
        for sent in (sent for name in self.files for sent in self.files.getlist(name)):
            held = sent.stream.getvalue() if isinstance(sent.stream, BytesIO) else None
            path = self.scratch / f"{next(self._numbers):06d}" if held is not None else Path(str(sent.stream.name))
            sent.close()
            given.append(GivenFile(Path(sent.filename or f"file {len(given) + 1}").name, (path,), held))
        return given


@contextmanager
def read(request: Request, limits: Limits) -> Iterator[tuple[list[GivenFile], Asked]]:
    """What a POST /predict wants; what was sent is there until this ends. Raises BadRequest."""
    if request.mimetype == "application/json":
        yield _named(request, limits)
        return
    if request.mimetype != "multipart/form-data":
        abort(415, f"/predict takes multipart/form-data or application/json, got {request.mimetype or 'nothing'}")
    with TemporaryDirectory(prefix="espalier-predict-") as scratch:
        assert isinstance(request, FileRequest)
        given = request.given(scratch)
        _check_count(len(given), limits)
        texts = {name: [*request.args.getlist(name), *request.form.getlist(name)] for name in _names(request)}
        yield given, Asked.from_query(texts)


def _names(request: Request) -> set[str]:
    return {*request.args, *request.form}


def _named(request: Request, limits: Limits) -> tuple[list[GivenFile], Asked]:
    try:
        value = orjson.loads(request.get_data(cache=False))
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body of /predict is not valid JSON: {error}") from None
    if not isinstance(value, Mapping) or not isinstance(value.get("files"), list):
        raise BadRequest('the body of /predict is {"files": ["path", ...]}, with what else is asked beside it')
    if limits.root is None:
        raise BadRequest("this server reads no files of its machine: start it with --root DIRECTORY, or send the files")
    _check_count(len(value["files"]), limits)
    root = limits.root.resolve()
    given = [_below(root, name) for name in value["files"]]
    rest: dict[str, Any] = {name: one for name, one in value.items() if name != "files"}
    if request.args:
        raise BadRequest("with a JSON body everything stands in the body, and nothing in the address")
    return given, Asked.from_json(rest)


def _below(root: Path, name: object) -> GivenFile:
    """A path, or a list of paths of pictures that belong together; links that lead outside are outside."""
    names = [one for one in (name if isinstance(name, list) else [name]) if isinstance(one, str) and one]
    if not names or len(names) < (len(name) if isinstance(name, list) else 1) or any("\0" in one for one in names):
        raise BadRequest(f"files are paths, or lists of paths for sequences, got {str(name)[:80]!r}")
    paths = tuple((root / one).resolve() for one in names)
    for path, one in zip(paths, names, strict=True):
        if not path.is_relative_to(root) or not path.is_file():
            raise BadRequest(f"there is no file {one[:200]!r} below the directory that this server may read")
    return GivenFile(names[0] if len(names) == 1 else str(Path(names[0]).parent), paths)


def _check_count(count: int, limits: Limits) -> None:
    if not count:
        raise BadRequest("there is no file in this request: curl -F file=@picture.jpg sends one")
    if count > limits.max_files:
        raise BadRequest(f"{count} files are more than the {limits.max_files} that one request may have: send fewer")
