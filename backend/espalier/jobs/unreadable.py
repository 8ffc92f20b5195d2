"""Tasks whose media could not be had a moment ago: left alone for a while, and then tried again.

A file that is missing is no answer: what is kept as a prediction stays until its inputs change, and this may end when
somebody mends a storage or a token.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

from redis import Redis
from rq.utils import as_text

from ..labelstudio.wire import inputs_digest
from ..store.rows import Prediction
from .freshness import of_task

LEFT_ALONE_S = 300


def is_unreadable(row: Prediction) -> bool:
    """Nothing is answered, because something could not be read."""
    return bool(row.message) and not row.result


def note(redis: Redis, rows: Sequence[Prediction]) -> None:
    with redis.pipeline() as pipeline:
        for row in rows:
            pipeline.set(_key(row.project_key, row.task_id), of_task(row.inputs), ex=LEFT_ALONE_S)
        pipeline.execute()


def readable(redis: Redis, project_key: str, tasks: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    """The tasks that are worth a try."""
    if not tasks:
        return []
    noted = redis.mget([_key(project_key, task["id"]) for task in tasks])
    return [
        task
        for task, inputs in zip(tasks, noted, strict=True)
        if inputs is None or as_text(inputs) != inputs_digest(task)
    ]


def _key(project_key: str, task_id: int) -> str:
    return f"espalier:unreadable:{project_key}:{task_id}"
