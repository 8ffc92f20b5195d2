"""Jobs whose worker died go back to the front of their queue; after two such rescues they are given up, in words.

RQ would call them failed after a timeout, and lose a job whose worker died between taking and starting it.
"""

from __future__ import annotations

import logging
import time

from rq import Queue
from rq.exceptions import InvalidJobOperation, NoSuchJobError
from rq.executions import Execution
from rq.job import Job, JobStatus
from rq.serializers import JSONSerializer
from rq.utils import as_text

from . import progress
from .presence import is_dead, strike_off
from .queue import DAY_S, OUTSTANDING, Queues

log = logging.getLogger(__name__)
RESCUES = 2
STRAY_S = 10
"""A job that is in no queue and with no worker is between the two for milliseconds; after this it is lost."""

OVER = {JobStatus.FINISHED, JobStatus.FAILED, JobStatus.STOPPED, JobStatus.CANCELED}


def recover(queues: Queues) -> list[str]:
    """Looks at every outstanding job once; the ids of those that were put back. One worker at a time does it."""
    redis = queues.redis
    if not redis.set("espalier:recovering", 1, nx=True, ex=30):
        return []
    try:
        return [id for id in map(as_text, redis.smembers(OUTSTANDING)) if _look_at(queues, id)]
    finally:
        redis.delete("espalier:recovering")


def put_back(queues: Queues, job: Job, message: str, *, at_front: bool = True) -> None:
    """The job is queued again, as it was."""
    _clear(queues, job)
    queue = _queue(queues, job)
    job.worker_name = job.started_at = job.ended_at = job.last_heartbeat = None
    progress.say(queues.redis, job.id, message)
    queue.remove(job)
    queue.enqueue_job(job, at_front=at_front)


def _look_at(queues: Queues, id: str) -> bool:
    try:
        job = Job.fetch(id, connection=queues.redis, serializer=JSONSerializer)
        status = job.get_status(refresh=False)
    except (NoSuchJobError, InvalidJobOperation):
        queues.redis.srem(OUTSTANDING, id)
        return False
    if status in OVER:
        queues.forget(job)
        return False
    if status == JobStatus.SCHEDULED:
        return _is_due(queues, job)
    if status == JobStatus.STARTED:
        if not job.worker_name or not is_dead(queues.redis, job.worker_name):
            return False
        strike_off(queues.redis, job.worker_name)
        return _rescue(queues, job)
    if queues.redis.lpos(_queue(queues, job).key, id) is not None or not _is_stray(queues, id):
        return False
    put_back(queues, job, "")
    return True


def _rescue(queues: Queues, job: Job) -> bool:
    redis, count = queues.redis, f"espalier:rescues:{job.id}"
    rescues = redis.incr(count)
    redis.expire(count, DAY_S)
    if rescues <= RESCUES:
        log.warning("job %s (%s): its worker %s died; it is done again", job.id, job.description, job.worker_name)
        put_back(queues, job, "its worker died; it is done again")
        return True
    message = f"given up: the worker died {rescues} times over this job (out of memory?); see the log of the workers"
    log.error("job %s (%s): %s", job.id, job.description, message)
    _clear(queues, job)
    progress.say(redis, job.id, message)
    with redis.pipeline() as pipeline:
        job.set_status(JobStatus.FAILED, pipeline=pipeline)
        job.failed_job_registry.add(job, ttl=job.failure_ttl, pipeline=pipeline)
        pipeline.execute()
    queues.forget(job)
    return False


def _clear(queues: Queues, job: Job) -> None:
    """Forgets what RQ noted of the job's executions, and frees what the job had locked."""
    queues.let_go(job)
    queue = _queue(queues, job)
    with queues.redis.pipeline() as pipeline:
        # One by one: RQ's deletion of them all reads them first, and raises where one has expired.
        for of_job, id in queue.started_job_registry.get_job_and_execution_ids(cleanup=False):
            if of_job == job.id:
                Execution(id, job.id, queues.redis, job.worker_name or "").delete(job, pipeline)
        pipeline.execute()
    queue.intermediate_queue.remove(job.id)


def _is_due(queues: Queues, job: Job) -> bool:
    """A job that was to be tried again, and whose time has come, is put at the end of its queue."""
    later = _queue(queues, job).scheduled_job_registry
    due = queues.redis.zscore(later.key, job.id)
    if due is None and not _is_stray(queues, job.id):  # RQ calls it scheduled a moment before it says for when
        return False
    if due is not None and due > time.time():
        return False
    later.remove(job)
    put_back(queues, job, progress.read(queues.redis, job.id).message, at_front=False)
    return True


def _is_stray(queues: Queues, id: str) -> bool:
    """Seen astray before, and long enough ago."""
    seen = f"espalier:astray:{id}"
    if queues.redis.set(seen, 1, nx=True, ex=4 * STRAY_S):
        return False
    return int(queues.redis.ttl(seen)) <= 3 * STRAY_S


def _queue(queues: Queues, job: Job) -> Queue:
    return Queue(job.origin, connection=queues.redis, serializer=JSONSerializer)
