"""What workers have done so far, counted where the web process reads it for /metrics."""

from __future__ import annotations

from redis import Redis

KEY = "espalier:figures"


def count(redis: Redis, **added: int) -> None:
    """Add to figures by name: tasks_predicted, trainings, media_failures."""
    with redis.pipeline() as pipeline:
        for name, number in added.items():
            if number:
                pipeline.hincrby(KEY, name, int(number))
        pipeline.execute()
