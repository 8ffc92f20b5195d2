"""Who is at work: a worker's name says which process it is, so that its death is noticed at once, and not by a timeout.

On one machine a worker is alive if its process is: kill -9 is seen within seconds. Of other machines only the
heartbeat is seen, which expires.
"""

from __future__ import annotations

import hashlib
import os
import socket
from contextlib import suppress
from functools import cache
from pathlib import Path

from redis import Redis
from rq import Worker
from rq.utils import as_text

HEARTBEAT_LIFE_S = 90
_KEY = Worker.redis_worker_namespace_prefix


def own_name(role: str) -> str:
    """<role>.<place>.<process id>.<when it was born>; unique, since ids are used again and births are not."""
    pid = os.getpid()
    return f"{role}.{_place()}.{pid}.{_birth(pid)}"


def is_dead(redis: Redis, worker: str) -> bool:
    parts = worker.split(".")
    if len(parts) == 4 and parts[1] == _place() and parts[2].isdigit():
        return _birth(int(parts[2])) != parts[3]
    return not redis.exists(_KEY + worker)


def workers(redis: Redis) -> dict[str, set[str]]:
    """The names of the queues that each living worker serves, by worker."""
    found: dict[str, set[str]] = {}
    for key in Worker.all_keys(connection=redis):
        name = key.removeprefix(_KEY)
        queues = redis.hget(_KEY + name, "queues")
        if queues and not redis.hexists(_KEY + name, "death") and not is_dead(redis, name):
            found[name] = set(as_text(queues).split(","))
    return found


def strike_off(redis: Redis, worker: str) -> None:
    """Nobody should count the dead among the workers; its name is forgotten at their next maintenance."""
    redis.delete(_KEY + worker)


@cache
def _place() -> str:
    """Process ids mean the same within one place: a machine, since its last start, and within a container of it."""
    parts = [socket.gethostname()]
    with suppress(OSError):
        parts.append(Path("/proc/sys/kernel/random/boot_id").read_text())
    with suppress(OSError):
        parts.append(str(Path("/proc/self/ns/pid").readlink()))
    return hashlib.sha256("\n".join(parts).encode()).hexdigest()[:8]


def _birth(pid: int) -> str:
    """When the process was started, in the kernel's ticks; empty if there is none, or if it only waits to be reaped."""
    try:
        # The name in parentheses may itself hold spaces and parentheses; fields 3 (state) and 22 (start) come after it.
        fields = Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return "" if Path("/proc/self/stat").exists() else _exists(pid)
    return "" if fields[0] in "ZX" else fields[19]


def _exists(pid: int) -> str:
    """Where there is no /proc (macOS), a process id is all we have."""
    try:
        os.kill(pid, 0)
    except ProcessLookupError:
        return ""
    except PermissionError:
        pass
    return "alive"
