"""Asking for jobs: coalesced training, lines, what travels, cancelling."""

from __future__ import annotations

import json
import time
import zlib
from pathlib import Path
from subprocess import Popen
from typing import Protocol

import pytest

from espalier.errors import BadRequest, BadSetting
from espalier.jobs import progress
from espalier.jobs.lock import Lock
from espalier.jobs.progress import Progress
from espalier.jobs.queue import Queues
from espalier.settings import Secret, Settings

KEY = "1.1795197302"


class StartWorker(Protocol):
    def __call__(self, *roles: str, burst: bool = False) -> Popen[bytes]: ...


STEPS = """
import time
from pathlib import Path
from espalier.jobs.queue import Queues
from espalier.settings import Settings

queues = Queues.open(Settings(data_dir=Path("data"), debounce_s=0.2))

def train(key, reconcile=False):
    with queues.turn.taken(key):
        seen = int(queues.redis.get("events") or 0)
        queues.redis.rpush("seen", seen)
        time.sleep(0.3)
"""


def test_a_hundred_annotations_are_a_handful_of_trainings_and_the_last_sees_all(
    queues: Queues, start_worker: StartWorker, tmp_path: Path
) -> None:
    (tmp_path / "probe_steps.py").write_text(STEPS)
    start_worker("training")
    asked = set()
    for event in range(1, 101):
        queues.redis.incr("events")
        asked.add(queues.request_training(KEY))
        time.sleep(0.35 if event % 30 == 0 else 0.01)
    deadline = time.monotonic() + 8
    while time.monotonic() < deadline and any(queues.status(id).state in {"queued", "running"} for id in asked):
        time.sleep(0.05)
    seen = [int(value) for value in queues.redis.lrange("seen", 0, -1)]
    print(f"100 events, {len(seen)} trainings, which saw {seen}")
    assert seen[-1] == 100
    assert len(seen) == len(asked) <= 5


def test_requests_before_the_start_are_one_and_after_it_one_more(queues: Queues) -> None:
    first = {queues.request_training(KEY) for _ in range(5)}
    queues.turn.starts(KEY)
    second = {queues.request_training(KEY) for _ in range(5)}
    assert len(first) == len(second) == 1
    assert first != second
    assert queues.waiting()["training"] == 2


def test_projects_do_not_wait_for_each_other(queues: Queues) -> None:
    assert queues.request_training(KEY) != queues.request_training("2.5")


def test_a_cancelled_training_does_not_silence_the_next(queues: Queues) -> None:
    first = queues.request_training(KEY)
    assert queues.cancel(first).state == "cancelled"
    assert queues.status(queues.request_training(KEY)).state == "queued"


def test_a_training_whose_job_is_gone_does_not_silence_the_next(queues: Queues) -> None:
    first = queues.request_training(KEY)
    queues.redis.delete(f"rq:job:{first}")
    assert queues.request_training(KEY) != first


def test_a_web_process_killed_while_asking_does_not_silence_training(queues: Queues) -> None:
    queues.redis.set(f"espalier:training:pending:{KEY}", "never-enqueued", px=200)
    assert queues.request_training(KEY) == "never-enqueued", "it may be on its way"
    time.sleep(0.3)
    assert queues.request_training(KEY) != "never-enqueued"


def test_asking_to_reconcile_is_always_heard(queues: Queues) -> None:
    waiting = queues.request_training(KEY)
    asked = queues.request_training(KEY, delay=False, reconcile=True)
    assert asked != waiting
    job = queues.training.fetch_job(asked)
    assert job is not None
    assert job.args == [KEY, True]


def test_a_lock_lives_as_long_as_its_owner(queues: Queues) -> None:
    held, other = Lock(queues.redis, "lock", life_s=0.3), Lock(queues.redis, "lock", life_s=0.3)
    assert held.take()
    with held:
        time.sleep(0.8)
        assert not other.take()
    assert other.take(), "given back"
    assert not held.take()
    time.sleep(0.4)
    assert held.take(), "its owner died"


def test_a_job_that_asks_again_gets_what_it_asked_for(queues: Queues) -> None:
    """As it does after a kill: even where that has begun, or where the kill came before it was in its line."""
    with progress.during(Progress(queues.redis, "a")):
        asked = queues.request_training(KEY, delay=False)
        queues.turn.starts(KEY)
        assert queues.request_training(KEY, delay=False) == asked == "train-a"
        run, tuning = queues.request_run("r1"), queues.request_tuning(KEY, "v1")
        for job in (run, tuning):
            queues.cancel(job)
        assert (queues.request_run("r1"), queues.request_tuning(KEY, "v1")) == (run, tuning)
        assert {queues.status(job).state for job in (run, tuning)} == {"cancelled"}
    assert queues.request_training(KEY, delay=False) != asked
    queues.turn.starts(KEY)
    queues.redis.set(f"espalier:training:pending:{KEY}", "train-b", ex=10)
    with progress.during(Progress(queues.redis, "b")):
        assert queues.status(queues.request_training(KEY, delay=False)).state == "queued"
    assert queues.status(queues.request_tuning(KEY, "v1")).state == "queued"
    assert queues.waiting() == {"training": 3, "prediction": 0, "runs": 0, "tuning": 1, "search": 0}


def test_each_job_stands_in_its_line(queues: Queues) -> None:
    queues.request_training(KEY)
    queues.request_connect(KEY)
    queues.request_prediction(KEY, [])
    queues.request_push(KEY, "v1", [1, 2])
    queues.request_run("r1")
    assert queues.waiting() == {"training": 2, "prediction": 2, "runs": 1, "tuning": 0, "search": 0}
    assert [queue.name for queue in queues.of_role("prediction")] == ["espalier-prediction", "espalier-runs"]
    with pytest.raises(BadRequest, match="no worker is called 'predict'"):
        queues.of_role("predict")


def test_arguments_travel_as_json_and_stay_out_of_the_log(queues: Queues) -> None:
    id = queues.request_prediction(KEY, [{"id": 1, "data": {"image": "https://a/b.jpg?token=hunter2"}}])
    data = zlib.decompress(queues.redis.hget(f"rq:job:{id}", "data"))  # type: ignore[arg-type]
    assert json.loads(data)[0] == "probe_steps.predict"
    job = queues.prediction.fetch_job(id)
    assert job is not None
    assert "hunter2" not in job.description
    with pytest.raises(BadRequest, match="must be JSON"):
        queues.request_prediction(KEY, [{"id": Path("a")}])


@pytest.mark.parametrize("url", ["redis://127.0.0.1:1/0", "nonsense", "unix:///nowhere.sock"])
def test_a_redis_that_does_not_answer_is_the_operators_business(tmp_path: Path, url: str) -> None:
    with pytest.raises(BadSetting, match="ESPALIER_REDIS_URL"):
        Queues.open(Settings(data_dir=tmp_path, redis_url=Secret(url)))
