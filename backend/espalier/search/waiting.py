"""Asking the search worker, and waiting for its answer a while: for the web process, and for commands beside it."""

from __future__ import annotations

import hashlib
import json
import time
from collections.abc import Mapping
from typing import cast

from ..errors import BadRequest, Cancelled, EspalierError
from ..jobs.queue import Queues
from .fields import Json
from .kinds import KINDS

_FIRST_POLL_S, _LONGEST_POLL_S = 0.004, 0.1
_AWAITED_S = 600
_UNEXPECTED = ("failed", "stopped")
"""How the worker begins to speak of what is nobody's request at fault."""


def is_served(queues: Queues) -> bool:
    """Whether a search worker lives, here or elsewhere."""
    return any("search" in lines for lines in queues.workers().values())


def answer(queues: Queues, project_key: str, kind: str, request: Mapping[str, object], *, wait_s: float) -> Json | None:
    """The answer, or None where it is not ready in time: then ask the same again, which finds the job that does it.

    Raises BadRequest where the request is refused, Cancelled where a person stopped it.
    """
    if kind not in KINDS:
        raise BadRequest(f"nothing is called {kind!r} here; there are {', '.join(KINDS)}")
    job = job_of(project_key, kind, request)
    state, awaited = queues.status(job).state, _awaited(job)
    # An answer that somebody else had, an hour ago, is none to a question that is asked now.
    if state not in ("queued", "running") and not (state == "done" and queues.redis.exists(awaited)):
        queues.request_search(project_key, kind, request, id=job)
    found = result_of(queues, job, wait_s=wait_s)
    if found is None:
        queues.redis.set(awaited, 1, ex=_AWAITED_S)
    else:
        queues.redis.delete(awaited)
    return found


def result_of(queues: Queues, job: str, *, wait_s: float) -> Json | None:
    """Of a job that was asked for."""
    until, pause_s = time.monotonic() + wait_s, _FIRST_POLL_S
    while (status := queues.status(job)).state in ("queued", "running"):
        left_s = until - time.monotonic()
        if left_s <= 0:
            return None
        time.sleep(min(pause_s, left_s))
        pause_s = min(2 * pause_s, _LONGEST_POLL_S)
    if status.state == "done":
        return cast("Json", queues.result(job))
    if status.state == "cancelled":
        raise Cancelled(status.message)
    if status.state == "unknown" or status.message.startswith(_UNEXPECTED):
        raise EspalierError(status.message)
    raise BadRequest(status.message)


def job_of(project_key: str, kind: str, request: Mapping[str, object]) -> str:
    """Equal requests are one job, which its id tells."""
    try:
        asked = json.dumps([project_key, kind, request], sort_keys=True, allow_nan=False)
    except (TypeError, ValueError) as error:
        raise BadRequest(f"{kind}: the request must be JSON ({error})") from error
    return f"search-{hashlib.sha256(asked.encode()).hexdigest()[:32]}"


def _awaited(job: str) -> str:
    """Set while somebody was told that the answer is not ready yet."""
    return f"espalier:search:awaited:{job}"
