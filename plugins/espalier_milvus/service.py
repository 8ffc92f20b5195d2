"""The connection: to a Milvus by its URL, or to milvus-lite in a directory; every refusal in words, without secrets."""

from __future__ import annotations

import importlib
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any
from urllib.parse import unquote, urlsplit

from espalier.contract import IndexRequest
from espalier.errors import BadIndex, BadSetting, EspalierError

from . import embedded, library

CONNECT_S = 5.0
CALL_S = 60.0
BUILD_S = 3600.0
"""For what goes over all vectors: building an index, loading it."""
_PORT = 19530
_NO_COLLECTION = 100
_WORDS = 200


def lite_directory(request: IndexRequest) -> Path:
    """Where milvus-lite keeps it: one database for each name, so that dropping one touches no other."""
    return request.directory / f"{request.name}.milvus"


@dataclass(frozen=True)
class Address:
    """What an URL says, its secret apart."""

    uri: str
    token: str
    database: str

    @classmethod
    def read(cls, url: str) -> Address:
        """`http://host:19530/database`, with `user:password@` or `token@` before the host; also https and tcp.

        Raises BadSetting, which does not repeat the URL.
        """
        try:
            parts = urlsplit(url)
            port = parts.port or (443 if parts.scheme == "https" else _PORT)
        except ValueError:
            parts, port = urlsplit(""), 0
        if parts.scheme not in ("http", "https", "tcp") or not parts.hostname:
            raise BadSetting(
                "ESPALIER_INDEX_URL is not the address of a Milvus; expected http://host:19530 or "
                "https://user:password@host, with /database after it where it is not the usual one"
            )
        secret = ":".join(unquote(part) for part in (parts.username, parts.password) if part)
        return cls(f"{parts.scheme}://{parts.hostname}:{port}", secret, parts.path.strip("/").partition("/")[0])


class Service:
    """A connection of its own, from `connect` to `close`."""

    def __init__(self, client: Any, place: str, directory: Path | None, secret: str = "") -> None:
        """place: for people. directory: milvus-lite's, None for a server by URL."""
        self.client, self.place, self.directory, self._secret = client, place, directory, secret
        grpc: Any = importlib.import_module("grpc")
        self._errors = (library.pymilvus().MilvusException, grpc.RpcError, grpc.FutureTimeoutError)

    @classmethod
    def connect(cls, request: IndexRequest) -> Service:
        """Raises BadSetting within seconds where nobody answers."""
        client_class = library.pymilvus().MilvusClient
        if request.url:
            directory, address = None, Address.read(request.url)
            place = f"the Milvus at {address.uri}"
        else:
            directory = lite_directory(request)
            address, place = Address(embedded.enter(directory), "", ""), f"milvus-lite in {directory}"
        service = cls(None, place, directory, address.token)
        try:
            service.client = client_class(
                uri=address.uri, token=address.token, db_name=address.database, timeout=CONNECT_S, dedicated=True
            )
        except service._errors as error:
            raise BadSetting(
                f"{place} does not answer as one ({service._words(error)}): is it running there, and are "
                f"ESPALIER_INDEX_URL's user, password and database right?"
            ) from None
        finally:
            if service.client is None:
                service.close()
        return service

    def call(self, doing: str, method: str, *args: Any, timeout: float | None = None, **kwargs: Any) -> Any:
        """A method of pymilvus's client. Raises BadIndex for a collection that is gone, else BadSetting.

        timeout: seconds, during which pymilvus tries again where nobody answers.
        """
        try:
            return getattr(self.client, method)(*args, timeout=timeout or CALL_S, **kwargs)
        except self._errors as error:
            raise self._refusal(doing, error) from None

    def pages(self, doing: str, collection: str, fields: list[str], rows: int) -> Iterator[list[dict[str, Any]]]:
        """All that the collection holds, so many rows at a time, ascending by id."""
        try:
            pages = self.client.query_iterator(
                collection, batch_size=rows, output_fields=fields, consistency_level="Strong", timeout=CALL_S
            )
            try:
                while page := pages.next():
                    yield page
            finally:
                pages.close()
        except self._errors as error:
            raise self._refusal(doing, error) from None

    def close(self) -> None:
        if self.client is not None:
            self.client.close()
        if self.directory is not None:
            embedded.leave(self.directory)

    def _refusal(self, doing: str, error: Exception) -> EspalierError:
        words = f"{self.place} failed at {doing}: {self._words(error)}"
        if getattr(error, "code", None) == _NO_COLLECTION:
            return BadIndex(f"{words}; the index is built anew from the embeddings")
        return BadSetting(f"{words}; see whether it runs, and what its own log says")

    def _words(self, error: Exception) -> str:
        """The first line of what was said; a message may hold a whole expression, a client's one the token."""
        lines = str(getattr(error, "message", "") or error).strip().splitlines() or [type(error).__name__]
        said = lines[0][:_WORDS]
        for part in {self._secret, self._secret.partition(":")[2]} - {""}:
            said = said.replace(part, "***")
        return said
