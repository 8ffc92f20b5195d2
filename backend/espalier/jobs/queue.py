"""The job queue: RQ on a Redis; jobs by name, with plain JSON arguments, so that asking imports no model code."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any
from uuid import uuid4

from redis import Redis
from redis.exceptions import RedisError
from rq import Queue, Retry
from rq.job import Job
from rq.serializers import JSONSerializer
from rq.utils import as_text

from ..errors import BadRequest, BadSetting
from ..settings import Settings
from . import job_status, presence, progress, training_turn
from .job_status import JobStatus
from .lock import delete_if
from .training_turn import TrainingTurn
from .valkey import embedded_url

STEPS = "espalier.jobs.steps"
OUTSTANDING = "espalier:outstanding"
"""Ids of all jobs that are neither done nor given up: the worker's recovery looks after these."""

HOUR_S, DAY_S = 3600, 24 * 3600
ANSWER_KEPT_S = HOUR_S
"""What was found is large, and old soon."""
# Only an unreachable Label Studio is tried again (the worker sees to that); everything else would fail alike.
PATIENCE = [5, 15, 60, 300, 900, 1800]


class Queues:
    """The five lines that jobs stand in: training; prediction; runs, which give way to prediction; tuning; and search.

    A fine-tuning takes minutes or a day, so it has a worker of its own: answers go on being learned beside it. So has
    the search, whose worker keeps indexes open, and waits for no model to be trained.
    """

    def __init__(self, redis: Redis, *, debounce_s: float = 2.0, steps: str = STEPS) -> None:
        self.redis = redis
        self.steps = steps
        self.turn = TrainingTurn(redis, debounce_s=debounce_s)
        self.training, self.prediction, self.runs, self.tuning, self.search = (
            Queue(f"espalier-{name}", connection=redis, serializer=JSONSerializer)
            for name in ("training", "prediction", "runs", "tuning", "search")
        )

    @classmethod
    def open(cls, settings: Settings, *, steps: str = STEPS) -> Queues:
        """On the Redis of the settings, or on the embedded Valkey, which is started if it does not run yet."""
        url = settings.redis_url.reveal() or embedded_url(settings.data_dir)
        try:
            redis: Redis = Redis.from_url(url, socket_connect_timeout=5, health_check_interval=30)
            redis.ping()
        except (RedisError, ValueError, OSError) as error:
            where = "ESPALIER_REDIS_URL" if settings.redis_url else f"the embedded Valkey in {settings.data_dir}"
            raise BadSetting(
                f"no Redis answers at {where}: {error}; mend ESPALIER_REDIS_URL, or leave it empty for an embedded one"
            ) from error
        return cls(redis, debounce_s=settings.debounce_s, steps=steps)

    def of_role(self, role: str) -> list[Queue]:
        """The queues that a worker of this role takes jobs from, the more urgent first."""
        roles = {
            "training": [self.training],
            "prediction": [self.prediction, self.runs],
            "tuning": [self.tuning],
            "search": [self.search],
        }
        if role not in roles:
            raise BadRequest(f"no worker is called {role!r}; there are {', '.join(sorted(roles))}")
        return roles[role]

    def request_training(self, project_key: str, *, delay: bool = True, reconcile: bool = False) -> str:
        """The id of the job that will see everything up to now: one waiting already, or a new one.

        With `delay` it begins when nobody has labeled for a while; without, as soon as a worker is free. With
        `reconcile` (always a new job) the step is told to read all of the project from Label Studio first. A job asks
        for one without delay once, however often it is done again after a kill.
        """
        asks = "" if delay else progress.current().job_id
        if asks and job_status.fetch(self.redis, f"train-{asks}") is not None:
            return f"train-{asks}"
        if delay:
            self.turn.touch(project_key)
        else:
            self.turn.hurry(project_key)
        mark, id = training_turn.waiting(project_key), f"train-{asks}" if asks else uuid4().hex
        while not self.redis.set(mark, id, nx=not reconcile, ex=10):
            waiting = self.redis.get(mark)
            if waiting is None:
                continue
            other: str = as_text(waiting)
            if other == id:  # this very job marked it, and was killed before it asked
                break
            if self.redis.ttl(mark) >= 0 or self.status(other).state in {"queued", "running"}:
                return other
            delete_if(self.redis, mark, other)
        # The mark lasts only once its job is there: a web process killed in between does not silence training.
        arguments = [project_key, True] if reconcile else [project_key]
        self._enqueue(self.training, "train", arguments, f"train {project_key}", timeout_s=DAY_S, id=id)
        self.redis.persist(mark)
        return id

    def request_connect(self, project_key: str) -> str:
        """A project was seen for the first time: a worker reads what people have answered so far."""
        return self._enqueue(self.training, "connect", [project_key], f"connect {project_key}", timeout_s=DAY_S)

    def request_prediction(self, project_key: str, tasks: Sequence[Mapping[str, Any]]) -> str:
        what = f"predict {len(tasks)} tasks of {project_key}"
        arguments = [project_key, list(tasks)]
        return self._enqueue(self.prediction, "predict", arguments, what, timeout_s=HOUR_S, retries=PATIENCE[:3])

    def request_push(self, project_key: str, version: str, task_ids: Sequence[int]) -> str:
        what = f"push {len(task_ids)} predictions of {version} to {project_key}"
        arguments = [project_key, version, list(task_ids)]
        return self._enqueue(self.prediction, "push", arguments, what, timeout_s=HOUR_S, retries=PATIENCE)

    def request_run(self, run_id: str) -> str:
        """The job is named after the run, so that its end is known even where the run could not note it. It is asked
        for once: whatever has become of it, the run is not begun anew."""
        if job_status.fetch(self.redis, job_of_run(run_id)) is not None:
            return job_of_run(run_id)
        what, arguments = f"run {run_id}", [run_id]
        return self._enqueue(
            self.runs, "run", arguments, what, timeout_s=7 * DAY_S, retries=PATIENCE, id=job_of_run(run_id)
        )

    def request_tuning(self, project_key: str, version: str) -> str:
        """The job is named after the version that it makes. One that has ended is begun anew, but not by the job that
        asked for it."""
        what, id = f"fine-tune {version} of {project_key}", job_of_tuning(project_key, version)
        if (old := job_status.fetch(self.redis, id)) is not None:
            asks = progress.current().job_id
            if self.status(id).state in ("queued", "running") or (asks and old.meta.get("asked_by") == asks):
                return id
        self.drop(id)
        return self._enqueue(self.tuning, "tune", [project_key, version], what, timeout_s=7 * DAY_S, id=id)

    def request_errand(
        self,
        project_key: str,
        name: str,
        request: Mapping[str, Any],
        *,
        line: str = "prediction",
        id: str | None = None,
    ) -> str:
        """Something that `jobs.errands` knows, with a JSON request. id: of a job that may be there already, and then is
        used again unless it failed."""
        if id is not None and self.status(id).state in ("queued", "running", "done"):
            return id
        if id is not None:
            self.drop(id)
        queue = {"runs": self.runs, "search": self.search}.get(line, self.prediction)
        what = f"{name} of {project_key}"
        arguments = [project_key, name, dict(request)]
        return self._enqueue(queue, "errand", arguments, what, timeout_s=DAY_S, retries=PATIENCE[:1], id=id)

    def request_search(self, project_key: str, kind: str, request: Mapping[str, Any], *, id: str | None = None) -> str:
        """What `search.asking.ask` answers; the answer is the job's result. A job of this id that ended is replaced."""
        if id is not None:
            self.drop(id)
        arguments = [project_key, kind, dict(request)]
        what = f"{kind} in {project_key}"
        return self._enqueue(
            self.search, "search", arguments, what, timeout_s=HOUR_S, retries=PATIENCE[:1], kept_s=ANSWER_KEPT_S, id=id
        )

    def status(self, job_id: str) -> JobStatus:
        return job_status.read(self.redis, job_id)

    def result(self, job_id: str) -> object:
        return job_status.result(self.redis, job_id)

    def drop(self, job_id: str) -> None:
        """Forgets a job that has ended, with its result: whoever asked has it, or asks anew."""
        job_status.drop(self.redis, job_id)

    def cancel(self, job_id: str) -> JobStatus:
        """A waiting job is taken out of its queue; a running one stops at its next report. An ended one stays ended."""
        job = job_status.fetch(self.redis, job_id)
        if job is None:
            return self.status(job_id)
        progress.ask_to_stop(self.redis, job_id)
        if job_status.state_of(job, now=True) == "queued":
            job.cancel()
            progress.say(self.redis, job_id, "cancelled before it began")
            self.forget(job)
        return self.status(job_id)

    def workers(self) -> dict[str, set[str]]:
        """The lines that each living worker serves ("training", "tuning" and so on), by the worker's name."""
        found = presence.workers(self.redis)
        return {name: {queue.removeprefix("espalier-") for queue in queues} for name, queues in found.items()}

    def waiting(self) -> dict[str, int]:
        """How many jobs wait, by the name of the line."""
        return {name: int(self.redis.llen(queue.key)) for name, queue in self.lines().items()}

    def lines(self) -> dict[str, Queue]:
        return {
            "training": self.training,
            "prediction": self.prediction,
            "runs": self.runs,
            "tuning": self.tuning,
            "search": self.search,
        }

    def forget(self, job: Job) -> None:
        """The job has ended, one way or another: nobody needs to look after it."""
        self.redis.srem(OUTSTANDING, job.id)
        if job.func_name == f"{self.steps}.train":
            delete_if(self.redis, training_turn.waiting(job.args[0]), job.id)

    def let_go(self, job: Job) -> None:
        """The job's worker is dead: what the job had locked is free."""
        if job.func_name in (f"{self.steps}.train", f"{self.steps}.tune", f"{self.steps}.errand"):
            self.turn.let_go(job.args[0], job.id)
        if job.func_name == f"{self.steps}.tune":
            delete_if(self.redis, tuning_lock(*job.args), job.id)

    def _enqueue(
        self,
        queue: Queue,
        step: str,
        arguments: list[Any],
        description: str,
        *,
        timeout_s: int,
        retries: Sequence[int] = PATIENCE[:3],
        kept_s: int = DAY_S,
        id: str | None = None,
    ) -> str:
        id = id or uuid4().hex
        self.redis.sadd(OUTSTANDING, id)
        try:
            queue.enqueue_call(
                f"{self.steps}.{step}",
                args=arguments,
                job_id=id,
                meta={"asked_by": progress.current().job_id},
                description=description,  # or RQ would log all the arguments
                timeout=timeout_s,
                result_ttl=kept_s,
                failure_ttl=7 * DAY_S,
                retry=Retry(max=len(retries), interval=list(retries)),
            )
        except TypeError as error:
            self.redis.srem(OUTSTANDING, id)
            raise BadRequest(f"{description}: the arguments of a job must be JSON ({error})") from error
        return id


def job_of_run(run_id: str) -> str:
    return f"run-{run_id}"


def job_of_tuning(project_key: str, version: str) -> str:
    return re.sub(r"[^0-9a-zA-Z_-]", "_", f"tune-{project_key}-{version}")


def tuning_lock(project_key: str, version: str) -> str:
    """Held by the process that fine-tunes this version, for as long as it lives."""
    return f"espalier:tuning:lock:{project_key}:{version}"
