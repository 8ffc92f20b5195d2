"""A worker: takes jobs in its own process, one after the other, so that models stay warm.

What a job may end as: done; cancelled, by a person; failed, with one line for people (the log has the rest); put back,
because this worker leaves or others go first; or tried again later, because Label Studio does not answer.
"""

from __future__ import annotations

import logging
import sys
import threading
import time
import traceback
from collections.abc import Sequence
from contextlib import suppress
from types import TracebackType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, worker_registration
from rq.job import Job
from rq.registry import FailedJobRegistry, FinishedJobRegistry
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException
from rq.utils import now

from ..errors import Cancelled, EspalierError, LabelStudioDown
from ..settings import Settings
from . import job_log, presence, progress
from .job_log import JobLog
from .progress import Progress, Requeue
from .queue import STEPS, Queues
from .recovery import put_back, recover

log = logging.getLogger(__name__)
PULSE_S = 2.0


def work(settings: Settings, queues: Sequence[str], *, burst: bool = False, steps: str = STEPS) -> None:
    """Works for the roles named ("prediction", "training") until SIGTERM; with `burst`, until nothing waits.

    Blocks, and must be called from the main thread (timeouts and shutdown are signals). `steps` is the module whose
    functions the jobs name, where it is another than espalier.jobs.steps.
    """
    if not logging.getLogger().handlers:
        logging.basicConfig(
            level=settings.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(name)s: %(message)s"
        )
    logging.getLogger("rq.worker").setLevel(settings.log_level)
    opened = Queues.open(settings, steps=steps)
    logging.getLogger().addHandler(JobLog(opened.redis))
    taken = [queue for role in queues for queue in opened.of_role(role)]
    Worker(opened, taken, presence.own_name("-".join(queues))).work(burst=burst)


class Worker(SimpleWorker):  # type: ignore[misc]  # rq is not type-checked here
    """RQ's, without its fork, its guesses about dead workers, and its tracebacks in Redis."""

    log_result_lifespan = False

    def __init__(self, queues: Queues, taken: list[Queue], name: str) -> None:
        super().__init__(
            taken, name, connection=queues.redis, serializer=JSONSerializer, worker_ttl=presence.HEARTBEAT_LIFE_S
        )
        # RQ asked the pool for a patience that outlasts its own waiting; connections made before keep their shorter
        # one, even when they connect anew (redis-py 8 gives them 5 s), and the idle worker would end.
        queues.redis.connection_pool.disconnect()
        queues.redis.connection_pool.reset()
        self._lines = queues
        self._leaving = threading.Event()
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._keep_pulse, daemon=True, name="pulse")
        self._doing: Job | None = None
        self._verdict: Requeue | str = ""

    def subscribe(self) -> None:
        """RQ's remote commands are not used; jobs hear of a cancellation at their next report."""

    def bootstrap(self, *arguments: Any, **options: Any) -> None:
        super().bootstrap(*arguments, **options)
        recover(self._lines)
        self._pulse.start()

    def teardown(self) -> None:
        self._over.set()
        self._pulse.join(timeout=5)
        super().teardown()

    def perform_job(self, job: Job, queue: Queue) -> bool:
        urgent = self.queues[: self.queues.index(queue)]
        of_job = Progress(
            self.connection,
            job.id,
            may_go_on=lambda: not self._leaving.is_set(),
            others_wait=lambda: any(self.connection.llen(other.key) for other in urgent),
        )
        self._doing = job
        try:
            with progress.during(of_job):
                with suppress(RedisError):
                    job_log.add(self.connection, job.id, f"began: {job.description}")
                return bool(super().perform_job(job, queue))
        finally:
            self._doing = None

    def prepare_job_execution(self, job: Job, remove_from_intermediate_queue: bool = False) -> None:
        super().prepare_job_execution(job, remove_from_intermediate_queue)
        if progress.read(self.connection, job.id).cancelled:
            raise Cancelled("cancelled before it began")

    def handle_exception(
        self, job: Job, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Decides what becomes of the job; `handle_job_failure`, which RQ calls next, does it."""
        tries_left = job.retries_left or 0
        job.retries_left = 0
        if isinstance(error, Requeue):
            self._verdict = error
        elif isinstance(error, SystemExit) and self._leaving.is_set():
            self._verdict = Requeue("its worker was stopped")
        elif isinstance(error, Cancelled):
            self._stopped_job_id = job.id  # RQ's word for it
            self._verdict = str(error)
        elif isinstance(error, LabelStudioDown):
            job.retries_left = tries_left
            self._verdict = f"{error}; it is tried again in a while" if tries_left else str(error)
        else:
            self._verdict = _in_words(job, error)
        log.info("job %s (%s): %s", job.id, job.description, self._verdict)
        if not isinstance(self._verdict, Requeue) and not isinstance(error, EspalierError | JobTimeoutException):
            log.error("job %s:\n%s", job.id, "".join(traceback.format_exception(kind, error, trace)))

    def handle_job_failure(
        self, job: Job, queue: Queue, started_job_registry: Any = None, exc_string: str = ""
    ) -> None:
        if isinstance(self._verdict, Requeue):
            with self.connection.pipeline() as pipeline:
                self.cleanup_execution(job, pipeline=pipeline)
                pipeline.execute()
            put_back(self._lines, job, f"waiting: {self._verdict}")
            return
        progress.say(self.connection, job.id, self._verdict)  # first: who reads the new state must find its reason
        super().handle_job_failure(job, queue, started_job_registry, exc_string=self._verdict)
        if not job.is_scheduled:
            self._lines.forget(job)

    def handle_job_success(self, job: Job, queue: Queue, started_job_registry: Any) -> None:
        super().handle_job_success(job, queue, started_job_registry)
        self._lines.forget(job)

    def get_heartbeat_ttl(self, job: Job) -> int:
        return presence.HEARTBEAT_LIFE_S

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM: the job hears of it at its next report, and goes back to the front of its queue."""
        self._leaving.set()

    def run_maintenance_tasks(self) -> None:
        """RQ's own would call the jobs of dead workers failed; `recover` puts them back."""
        for queue in self.queues:
            FinishedJobRegistry(queue=queue).cleanup()
            FailedJobRegistry(queue=queue).cleanup()
        self.last_cleaned_at = now()

    def _keep_pulse(self) -> None:
        """Says that we live, also during long jobs; and looks after the jobs of those that do not."""
        while not self._over.wait(PULSE_S):
            with suppress(RedisError):  # Redis is away for a moment; RQ's own loop says so
                self._beat()
                recover(self._lines)

    def _beat(self) -> None:
        """Only prolongs what is there: the job may end at this very moment, and must leave nothing behind."""
        life_s, job, execution = presence.HEARTBEAT_LIFE_S, self._doing, self.execution
        with self.connection.pipeline() as pipeline:
            self.heartbeat(life_s, pipeline=pipeline)
            if job is not None and execution is not None:
                executions, until = f"rq:executions:{job.id}", time.time() + life_s
                pipeline.expire(execution.key, life_s)
                pipeline.expire(executions, life_s)
                pipeline.zadd(executions, {execution.id: until}, xx=True)
                pipeline.zadd(job.started_job_registry.key, {execution.composite_key: until}, xx=True)
            is_new = pipeline.execute()[0]
        if is_new:  # the heartbeat had expired (a sleeping machine): introduce ourselves again
            self.connection.hset(self.key, mapping=self.serialize())
            worker_registration.register(self)


def _in_words(job: Job, error: BaseException) -> str:
    if isinstance(error, EspalierError):
        return str(error)
    if isinstance(error, JobTimeoutException):
        return f"stopped: it took longer than its limit of {job.timeout} s"
    if isinstance(error, MemoryError):
        return "failed: this machine ran out of memory"
    return f"failed unexpectedly ({type(error).__name__}); the worker's log has the details under job {job.id}"
