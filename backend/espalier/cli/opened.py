"""The house for one command, left as it was found."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager

from redis import Redis

from ..errors import BadRequest
from ..jobs import valkey
from ..jobs.house import House, current
from ..settings import Settings
from .door import settings


@contextmanager
def opened(*, new: bool = False) -> Iterator[House]:
    """The house of this command's settings. A queue server that it started is stopped again.

    Raises BadRequest where nothing was ever kept in the data directory, unless a `new` one will do.
    """
    read = settings(quiet=True)
    if not new and not read.database_url and not (read.data_dir / "espalier.sqlite").exists():
        raise BadRequest(
            f"nothing is kept in {read.data_dir.resolve()} yet: call this where `espalier serve` runs, "
            f"or set ESPALIER_DATA_DIR (or ESPALIER_CONFIG) as it has it"
        )
    ran_before = valkey.is_running(read.data_dir)
    house = current(read)
    try:
        yield house
    finally:
        if "queues" in vars(house):
            house.queues.redis.connection_pool.disconnect()
        if not ran_before:
            _stop_queue(read)


def _stop_queue(read: Settings) -> None:
    """Stops the embedded queue server, unless somebody else uses it. All that waits in it is kept."""
    if read.redis_url or not valkey.is_running(read.data_dir):
        return
    redis: Redis = Redis.from_url(valkey.embedded_url(read.data_dir))
    in_use = len(redis.client_list()) > 1
    redis.close()
    if not in_use:
        valkey.stop(read.data_dir)
