"""milvus-lite within this process: one server per directory, for as long as anybody has it open.

The server is a gRPC server in threads of this process; milvus-lite has no accounts, so it listens on a socket in its
directory, which only this user may enter, never on a port. A lock on the directory keeps every other process out.
"""

from __future__ import annotations

import atexit
import importlib
import os
import shutil
import tempfile
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import Any

from espalier.errors import BadIndex, BadSetting

from . import library

_GRACE_S = 2
_MESSAGE_BYTES = 256 * 2**20
_PATH_BYTES = 100
"""Linux takes 107 of a socket's path."""
_CLOCK_BITS = 18
"""A Milvus timestamp counts milliseconds, with so many bits behind them for what happens within one."""

_servers: dict[tuple[int, Path], Server] = {}
"""By process (a forked one inherits the dictionary, but no threads) and directory."""
_lock = threading.Lock()


class Server:
    """Open from construction to `stop`."""

    def __init__(self, directory: Path) -> None:
        """Raises BadSetting where another process has the directory, or it cannot be written to."""
        self.users = 1
        self._directory = directory
        database = library.milvus_lite("db")
        adapter = library.milvus_lite("adapter.grpc.servicer")
        errors = library.milvus_lite("exceptions")
        try:
            directory.mkdir(mode=0o700, parents=True, exist_ok=True)
            self._database: Any = database.MilvusLite(str(directory))
        except errors.DataDirLockedError as error:
            raise BadSetting(
                f"the index in {directory} is open in another process, and milvus-lite lets in one at a time: end that "
                f"one, or run a Milvus server and set ESPALIER_INDEX_URL to it"
            ) from error
        except OSError as error:
            raise BadSetting(f"the index cannot be kept in {directory}: {error}") from error
        except errors.MilvusLiteError as error:
            raise BadIndex(f"the index in {directory} cannot be read: {error}") from error
        self._socket = directory / "socket"
        if len(bytes(self._socket)) > _PATH_BYTES:
            self._socket = Path(tempfile.mkdtemp(prefix="espalier-milvus-")) / "socket"
        self.address = f"unix:{self._socket}"
        self._pool = ThreadPoolExecutor(4, thread_name_prefix="espalier-milvus")
        grpc: Any = importlib.import_module("grpc")
        limits = [(f"grpc.max_{way}_message_length", _MESSAGE_BYTES) for way in ("receive", "send")]
        self._server: Any = grpc.server(self._pool, options=limits)
        messages: Any = importlib.import_module("pymilvus.grpc_gen.milvus_pb2_grpc")
        messages.add_MilvusServiceServicer_to_server(_with_clock(adapter.MilvusServicer)(self._database), self._server)
        self._server.add_insecure_port(self.address)
        self._server.start()

    def stop(self) -> None:
        """No thread, socket or lock is left; what was in memory alone is in files."""
        self._server.stop(grace=_GRACE_S).wait()
        self._pool.shutdown(wait=True)
        self._database.close()
        self._socket.unlink(missing_ok=True)
        if self._socket.parent != self._directory:
            self._socket.parent.rmdir()


def enter(directory: Path) -> str:
    """The address at which its server answers; `leave` it once for each time."""
    key = (os.getpid(), directory.resolve())
    with _lock:
        server = _servers.get(key)
        if server is None:
            server = _servers[key] = Server(key[1])
        else:
            server.users += 1
        return server.address


def leave(directory: Path) -> None:
    """The last one to leave stops the server."""
    key = (os.getpid(), directory.resolve())
    with _lock:
        server = _servers[key]
        server.users -= 1
        if not server.users:
            del _servers[key]
            server.stop()


def remove(directory: Path) -> bool:
    """Nothing of it is left, however broken it was; False where this process has it open, and nothing was done.

    Raises BadSetting where another process has it.
    """
    directory = directory.resolve()
    with _lock:
        if (os.getpid(), directory) in _servers:
            return False
        if directory.exists():
            Server(directory).stop()  # which takes the lock: nobody else is at work in it
            shutil.rmtree(directory)
        return True


def _with_clock(servicer: Any) -> type[Any]:
    """pymilvus asks for the server's time before it reads page by page; milvus-lite has none, and logs a traceback."""
    answers: Any = importlib.import_module("pymilvus.grpc_gen.milvus_pb2")

    class ServicerWithClock(servicer):  # type: ignore[misc]
        def AllocTimestamp(self, request: Any, context: Any) -> Any:
            return answers.AllocTimestampResponse(timestamp=time.time_ns() // 1_000_000 << _CLOCK_BITS)

    return ServicerWithClock


@atexit.register
def _leave_all() -> None:
    for key in [key for key in _servers if key[0] == os.getpid()]:
        _servers.pop(key).stop()
