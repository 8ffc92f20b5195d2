"""A lock in Redis that its owner keeps alive, and that lets go by itself when the owner dies."""

from __future__ import annotations

import threading
from contextlib import suppress
from types import TracebackType
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError

LIFE_S = 30

_DELETE_IF = "if redis.call('get', KEYS[1]) == ARGV[1] then return redis.call('del', KEYS[1]) else return 0 end"
_EXTEND_IF = _DELETE_IF.replace("'del', KEYS[1]", "'pexpire', KEYS[1], ARGV[2]")


class Lock:
    """take() it, then use it as a context manager, which renews it until the block ends."""

    def __init__(self, redis: Redis, name: str, owner: str = "", *, life_s: float = LIFE_S) -> None:
        self._redis, self._name, self._life_ms = redis, name, int(life_s * 1000)
        self._owner = owner or uuid4().hex
        self._stop = threading.Event()

    def take(self) -> bool:
        return bool(self._redis.set(self._name, self._owner, nx=True, px=self._life_ms))

    def __enter__(self) -> Lock:
        threading.Thread(target=self._renew, daemon=True, name=f"renew {self._name}").start()
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self._stop.set()
        delete_if(self._redis, self._name, self._owner)

    def _renew(self) -> None:
        while not self._stop.wait(self._life_ms / 4000):
            with suppress(RedisError):  # Redis is away for a moment; the next round may be in time
                self._redis.eval(_EXTEND_IF, 1, self._name, self._owner, self._life_ms)


def delete_if(redis: Redis, key: str, value: str) -> bool:
    """Deletes the key if it still has this value."""
    return bool(redis.eval(_DELETE_IF, 1, key, value))
