"""A worker: takes jobs in its own process, one after the other, so that models stay warm.

What a job may end as: done; cancelled, by a person; failed, with one line for people (the log has the rest); put back,
because this worker leaves or others go first; or tried again later, because Label Studio does not answer.
"""

from __future__ import annotations

import logging
import sys
import threading
import traceback
from collections.abc import Sequence
from contextlib import suppress
from datetime import datetime, timezone
from types import TracebackType
from typing import Any

from redis.exceptions import RedisError
from rq import Queue, SimpleWorker, worker_registration
from rq.exceptions import InvalidJobOperation
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.timeouts import JobTimeoutException

from ..errors import Cancelled, EspalierError, LabelStudioDown
from ..settings import Settings
from . import job_log, presence, progress
from .job_log import JobLog
from .progress import Progress, Requeue
from .queue import STEPS, Queues
from .recovery import OVER, recover

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
            taken,
            name,
            connection=queues.redis,
            serializer=JSONSerializer,
            worker_ttl=presence.HEARTBEAT_LIFE_S,
            disable_default_exception_handler=True,  # it keeps tracebacks in Redis
        )
        # RQ asked the pool for a patience that outlasts its own waiting; connections made before keep their shorter
        # one, even when they connect anew (redis-py 8 gives them 5 s), and the idle worker would end.
        queues.redis.connection_pool.disconnect()
        queues.redis.connection_pool.reset()
        self._lines = queues
        self._leaving = threading.Event()
        self._over = threading.Event()
        self._pulse = threading.Thread(target=self._keep_pulse, daemon=True, name="pulse")

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

    def execute_job(self, job: Job, queue: Queue) -> None:
        if progress.read(self.connection, job.id).cancelled:  # between its queue and here
            self._lines.cancel(job.id)
            queue.intermediate_queue.remove(job.id)
            return
        urgent = self.queues[: self.queues.index(queue)]
        of_job = Progress(
            self.connection,
            job.id,
            may_go_on=lambda: not self._leaving.is_set(),
            others_wait=lambda: any(self.connection.llen(other.key) for other in urgent),
        )
        with progress.during(of_job):
            with suppress(RedisError):
                job_log.add(self.connection, job.id, f"began: {job.description}")
            super().execute_job(job, queue)
        with suppress(InvalidJobOperation):  # whoever asked for it has dropped it already
            if job.get_status() in OVER:
                self._lines.forget(job)

    def handle_exception(
        self, job: Job, kind: type[BaseException], error: BaseException, trace: TracebackType | None
    ) -> None:
        """Decides what becomes of the job, and says why; RQ, whose own would log all arguments, does it next."""
        if isinstance(error, SystemExit) and self._leaving.is_set():
            error = Requeue("its worker was stopped")
        if isinstance(error, Requeue):
            words = f"waiting: {error}"
            _again_at_once(job)
        elif isinstance(error, LabelStudioDown) and job.should_retry:
            words = f"{error}; it is tried again in a while"
        else:
            words = _in_words(job, error)
            job.retries_left = 0
        log.info("job %s (%s): %s", job.id, job.description, words)
        if not isinstance(error, EspalierError | JobTimeoutException | Requeue):
            log.error("job %s:\n%s", job.id, "".join(traceback.format_exception(kind, error, trace)))
        progress.say(self.connection, job.id, words)  # first: who reads the new state must find its reason
        if job.should_retry:
            return
        if isinstance(error, Cancelled):
            for id in list(self.executions):
                self.request_stop_execution(id)  # RQ's word for it; there is no fork that it could kill
        job.failed_job_registry.add(job, ttl=job.failure_ttl)

    def get_heartbeat_ttl(self, *_: Any, **__: Any) -> int:
        """RQ takes a worker without a fork for alive as long as its job may last, which is days."""
        return presence.HEARTBEAT_LIFE_S

    def handle_warm_shutdown_request(self) -> None:
        """SIGTERM: the job hears of it at its next report, and goes back to the front of its queue."""
        self._leaving.set()

    def run_maintenance_tasks(self) -> None:
        """RQ's own would call the jobs of dead workers failed; `recover` puts them back."""
        for queue in self.queues:
            queue.finished_job_registry.cleanup()
            queue.failed_job_registry.cleanup()
            worker_registration.clean_worker_registry(queue)
        self.last_cleaned_at = datetime.now(timezone.utc)

    def _keep_pulse(self) -> None:
        """Says that we live, also during long jobs; and looks after the jobs of those that do not."""
        while not self._over.wait(PULSE_S):
            with suppress(RedisError):  # Redis is away for a moment; RQ's own loop says so
                self._beat()
                recover(self._lines)

    def _beat(self) -> None:
        """Introduces us each time, for the heartbeat may have expired (a sleeping machine)."""
        with self.connection.pipeline() as pipeline:
            self.heartbeat(presence.HEARTBEAT_LIFE_S, pipeline=pipeline)
            pipeline.hset(self.key, mapping=self.serialize())
            worker_registration.register(self, pipeline)
            for execution in list(self.executions.values()):
                execution.heartbeat(execution.job.started_job_registry, presence.HEARTBEAT_LIFE_S, pipeline)
            pipeline.execute()


def _again_at_once(job: Job) -> None:
    """Makes RQ's next retry one that is due now, goes first, and is none of those that are left."""
    left, intervals = job.retries_left or 0, job.retry_intervals or []
    job.retries_left, job.retry_intervals = left + 1, [0, *intervals[len(intervals) - left :]]
    job.enqueue_at_front_on_retry = True


def _in_words(job: Job, error: BaseException) -> str:
    if isinstance(error, EspalierError):
        return str(error)
    if isinstance(error, JobTimeoutException):
        return f"stopped: it took longer than its limit of {job.timeout} s"
    if isinstance(error, MemoryError):
        return "failed: this machine ran out of memory"
    return f"failed unexpectedly ({type(error).__name__}); the worker's log has the details under job {job.id}"
