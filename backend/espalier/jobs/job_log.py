"""What was logged while a job ran, a line each, kept with the job for those who watch it. The worker's log has more.

A line is one sentence: of what follows a line break, and of tracebacks, nothing is shown to people.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from datetime import datetime, timezone

from redis import Redis
from redis.exceptions import RedisError
from rq.utils import as_text

from . import progress

MOST_LINES, MOST_LETTERS = 400, 1000
_OURS = "espalier"


class JobLog(logging.Handler):
    """Add it to the root logger of a process that does jobs."""

    def __init__(self, redis: Redis) -> None:
        super().__init__(logging.INFO)
        self._redis = redis
        self.addFilter(lambda record: record.name.partition(".")[0] == _OURS or record.levelno >= logging.WARNING)

    def emit(self, record: logging.LogRecord) -> None:
        job_id = progress.current().job_id
        if not job_id:
            return
        with suppress(RedisError):  # the line is in the worker's own log
            at = datetime.fromtimestamp(record.created, timezone.utc)
            add(self._redis, job_id, f"{record.levelname.lower()}: {record.getMessage()}", at)


def add(redis: Redis, job_id: str, sentence: str, at: datetime | None = None) -> None:
    stamp = (at or datetime.now(timezone.utc)).isoformat(timespec="milliseconds")
    line = f"{stamp} {sentence.strip().partition(chr(10))[0][:MOST_LETTERS]}"
    key = _key(job_id)
    with redis.pipeline() as pipeline:
        pipeline.rpush(key, line)
        pipeline.ltrim(key, -MOST_LINES, -1)
        pipeline.expire(key, progress.KEPT_S)
        pipeline.execute()


def read(redis: Redis, job_id: str) -> list[tuple[str, str]]:
    """(when, as ISO 8601; what), the oldest first; the last `MOST_LINES` of them."""
    lines = [as_text(line) for line in redis.lrange(_key(job_id), 0, -1)]
    return [(when, what) for when, _, what in (line.partition(" ") for line in lines)]


def _key(job_id: str) -> str:
    return f"espalier:log:{job_id}"
