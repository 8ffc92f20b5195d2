"""An errand whose worker was killed is done again: what it puts on the books is there once, and so are its jobs."""

from __future__ import annotations

import signal
import threading
from collections import Counter
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from itertools import count
from pathlib import Path
from subprocess import Popen
from typing import Any

import pytest
from flask import Flask
from redis import Redis
from redis.client import Pipeline
from rq.job import Job
from rq.serializers import JSONSerializer
from werkzeug.serving import make_server

from espalier.demo.results import choices
from espalier.exchange.given_files import GivenFiles
from espalier.jobs import automated, progress, promotion, tuning
from espalier.jobs.errands.doing import do
from espalier.jobs.house import House
from espalier.jobs.progress import Progress
from espalier.jobs.queue import Queues
from espalier.settings import Secret, Settings
from espalier.store.database import Database
from espalier.store.rows import Prediction

KEY = "7.1700000000"
PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""
OLDER = PLAIN.replace("</Choices>", '<Choice value="closed"/><Choice value="open"/></Choices>')


class Killed(BaseException):
    """Not an Exception: nothing is put right after it, as after a kill."""


@pytest.fixture
def label_studio() -> Iterator[str]:
    """The address of one that knows who asks, and nothing else: planning wants to know no more."""
    app = Flask("label-studio")
    app.add_url_rule("/api/current-user/whoami", "whoami", lambda: {"id": 1})
    server = make_server("127.0.0.1", 0, app, threaded=True)
    thread = threading.Thread(target=server.serve_forever, daemon=True)
    thread.start()
    yield f"http://127.0.0.1:{server.port}"
    server.shutdown()
    thread.join()
    server.server_close()


@dataclass
class Case:
    """An errand, what it is asked, and what was there before; `again` makes room for the same once more."""

    errand: str
    request: dict[str, Any]
    plans: dict[str, Any]
    """What is new after it, as `added` counts it."""
    trained: int = 0
    again: Callable[[Any], object] = lambda home: None


def _unmapped(home: Any) -> None:
    for mapping in home.house.records.mappings(home.key):
        home.house.records.undo_mapping(home.key, mapping.id)


def _as_it_was(home: Any) -> None:
    home.house.records.put_project(home.key, classifications={}, training={})
    home.house.records.mark_trained(home.key, home.project.revision)


def _third_serves(home: Any) -> None:
    promotion.promote(home.house, home.key, "espalier-v3")


SELECTED = {"frames": [{"task": 1}, {"task": 2}]}
CASES = [
    Case("plan_run", {"first": 1}, {"labeling": 1, "run": 1}, trained=1),
    Case("plan_bulk", {"label": "loop: no loop", **SELECTED}, {"bulk": 1, "selected": 2, "run": 1}),
    Case(
        "plan_review",
        {"version": "v1-run1", "decisions": [{"task": 1, "approve": True}, {"task": 2, "reject": True}]},
        {"bulk": 1, "selected": 1, "rejecting": 1, "run": 1},
    ),
    Case("write_list", {"kind": "next", "count": 5}, {"next": 1, "run": 1}),
    Case("plan_import", {"as": "predictions"}, {"bulk": 1, "selected": 3, "run": 1}),
    Case("tune", {"parameters": {"model": "tiny"}}, {"training": 1, "tune": 1}),
    Case("ensemble", {"versions": ["espalier-v1", "espalier-v2"]}, {"candidate": 1, "judged": 1}, trained=2),
    Case("roll_back", {"reason": "x"}, {"rollback": 1}, trained=3, again=_third_serves),
    Case("train", {"reconcile": True}, {"train": 1}),
    Case("train", {"parameters": {"seed": 3}}, {"train": 1, "revision": 1}, again=_as_it_was),
    Case(
        "choose_settings",
        {"classification": "loop", "given": {"plugin": "kernel"}},
        {"train": 1, "revision": 1},
        again=_as_it_was,
    ),
    Case(
        "map",
        {"kind": "merge", "classification": "loop", "old": [["closed"], ["open"]], "new": [["no loop"]]},
        {"merge": 2, "train": 1, "revision": 2},
        again=_unmapped,
    ),
]


@pytest.fixture
def planner(new_home: Callable[..., Any], label_studio: str, tiny_tuner: Path) -> Any:
    home = new_home(label_studio_url=label_studio, label_studio_api_key=Secret("x"))
    home.configure(PLAIN)
    home.digits(20, 20)
    rows = [Prediction(home.key, id, "v1-run1", "x", choices("image", {"loop": "no loop"}), 0.5) for id in (1, 2)]
    home.house.records.put_predictions(rows)
    return home


def there(home: Any) -> Counter[str]:
    """All that planning makes: runs and versions, by kind or state, with what is kept of them; and jobs, by step."""
    records, redis = home.house.records, home.house.queues.redis
    runs, versions = records.runs(home.key), records.versions(home.key)
    ids = [key.decode().removeprefix("rq:job:") for key in redis.scan_iter("rq:job:*")]
    jobs = [Job.fetch(id, connection=redis, serializer=JSONSerializer) for id in ids]
    queued = sum(home.house.queues.waiting().values())
    assert queued == len(jobs), "each waits once"
    return Counter(
        [
            *(run.kind for run in runs),
            *(state for run in runs for state in records.run_items(run.id).values()),
            *(version.state for version in versions if version.state in ("training", "candidate")),
            *("judged" for version in versions if version.gate and "ensemble" in version.parameters),
            *(mapping.kind for mapping in records.mappings(home.key, undone=True)),
            *(one.by for one in records.promotions(home.key) if one.by == "rollback"),
            *(str(job.func_name).rpartition(".")[2] for job in jobs),
            *["revision"] * home.project.revision,
        ]
    )


def done(home: Any, case: Case, request: dict[str, Any], job: str) -> Any:
    with progress.during(Progress(home.house.queues.redis, job)) as of_job:
        return do(home.house, home.key, case.errand, request, of_job)


def let_go(home: Any, job: str) -> None:
    """What the recovery of a job does before it is done again."""
    queues = home.house.queues
    arguments = {"func": f"{queues.steps}.errand", "args": [home.key], "id": job}
    queues.let_go(Job.create(**arguments, connection=queues.redis, serializer=JSONSerializer))


@pytest.fixture
def kill_after(monkeypatch: pytest.MonkeyPatch) -> Callable[[int | None], None]:
    """kill_after(n): the n-th write from now on, to the records or the queue, is the last that is done; None: none."""
    left: list[int | None] = [None]

    def wrap(place: type, name: str, writes: Callable[..., bool]) -> None:
        real = getattr(place, name)

        def killed(self: Any, *arguments: Any, **options: Any) -> Any:
            found = real(self, *arguments, **options)
            if left[0] is not None and writes(*arguments):
                left[0] -= 1
                if not left[0]:
                    raise Killed
            return found

        monkeypatch.setattr(place, name, killed)

    wrap(Database, "write", lambda *_: True)
    wrap(Pipeline, "execute", lambda *_: True)
    wrap(Redis, "execute_command", lambda *said: said[0] in ("SADD", "SET", "HSET", "DEL"))

    def kill(after: int | None) -> None:
        left[0] = after

    return kill


@pytest.mark.parametrize("case", CASES, ids=lambda case: f"{case.errand} {'+'.join(case.plans)}")
def test_killed_after_any_write_and_done_again_it_has_planned_once(
    planner: Any, kill_after: Callable[[int | None], None], case: Case
) -> None:
    request = dict(case.request)
    if case.errand == "plan_import":
        names = [task.data["image"].rpartition("/")[2] for task in planner.house.records.tasks(planner.key)]
        table = "file,loop\n" + "".join(f"{name},no loop\n" for name in names[:3])
        parts = iter([table.encode(), b""])
        given = GivenFiles(planner.house.settings.data_dir).keep(planner.key, "labels.csv", lambda size: next(parts))
        request["file"] = given.file
    for _ in range(case.trained):
        planner.train()
    if case.errand == "map":  # people answered by options that are no more
        planner.configure(OLDER)
        planner.annotate(1, choices("image", {"loop": "open"}), id=1)
        planner.annotate(2, choices("image", {"loop": "closed"}), id=2)
        planner.configure(PLAIN)
    for after in count(1):
        case.again(planner)
        planner.house.queues.redis.flushall()
        before = there(planner)
        kill_after(after)
        try:
            done(planner, case, request, f"job-{after}")
        except Killed:
            kill_after(None)
            let_go(planner, f"job-{after}")
            told = [done(planner, case, request, f"job-{after}") for _ in range(2)]
        else:
            kill_after(None)
            break
        assert there(planner) - before == Counter(case.plans), f"killed after write {after}"
        assert told[0] == told[1], "and a third time nothing changes"
    assert after > 1
    assert there(planner) - before == Counter(case.plans), "and so it does undisturbed"


def test_a_run_that_was_cancelled_meanwhile_stays_so(planner: Any) -> None:
    (case,) = (case for case in CASES if case.errand == "plan_bulk")
    queues, records = planner.house.queues, planner.house.records
    told = done(planner, case, case.request, "a")
    cancelled = automated.cancel(planner.house, told["run"])
    assert done(planner, case, case.request, "a") == told
    assert records.run(told["run"]) == cancelled
    assert (cancelled.state, queues.status(told["job"]).state) == ("cancelled", "cancelled")
    assert queues.waiting()["runs"] == 0
    assert done(planner, case, case.request, "b") != told, "who asks anew gets one of their own"


def test_a_fine_tuning_that_was_cancelled_meanwhile_stays_so(planner: Any) -> None:
    (case,) = (case for case in CASES if case.errand == "tune")
    told = done(planner, case, case.request, "a")
    tuning.cancel(planner.house, planner.key, told["version"])
    assert done(planner, case, case.request, "a") == told
    assert planner.house.queues.status(told["job"]).state == "cancelled"
    again = replace(case, request={"resume": told["version"]})
    assert done(planner, again, again.request, "b") == told
    assert planner.house.queues.status(told["job"]).state == "queued", "unless a person takes it up again"
    assert done(planner, again, again.request, "c") == told
    assert planner.house.queues.waiting()["tuning"] == 1, "it waits once"


STEPS = """
import os
from pathlib import Path
from espalier.jobs import steps
from espalier.jobs.queue import Queues
from espalier.store.records import Records

errand = steps.errand

def note(run_id):
    with Path("notes").open("a") as notes:
        notes.write(run_id + "\\n")

steps.run = note

def die_after(place, name):
    real = getattr(place, name)
    def dying(*arguments, **options):
        found = real(*arguments, **options)
        if Path("die").exists() and Path("die").read_text() == name:
            Path("die").unlink()
            os.kill(os.getpid(), 9)
        return found
    setattr(place, name, dying)

die_after(Records, "add_run")
die_after(Queues, "request_run")
"""


@pytest.mark.parametrize("where", ["add_run", "request_run"])
def test_a_worker_that_is_killed_while_it_plans_leaves_one_run(
    data_settings: Settings,
    queues: Queues,
    start_worker: Callable[..., Popen[bytes]],
    label_studio: str,
    tmp_path: Path,
    monkeypatch: pytest.MonkeyPatch,
    where: str,
) -> None:
    settings = replace(data_settings, label_studio_url=label_studio, label_studio_api_key=Secret("x"))
    for name, value in {
        "ESPALIER_DATA_DIR": settings.data_dir,
        "LABEL_STUDIO_URL": label_studio,
        "LABEL_STUDIO_API_KEY": "x",
    }.items():
        monkeypatch.setenv(name, str(value))
    (tmp_path / "probe_steps.py").write_text(STEPS)
    records = House(settings).records
    records.put_project(KEY, label_config=PLAIN)
    records.mirror_tasks(KEY, [{"id": id, "data": {"image": f"https://example.invalid/{id}.png"}} for id in (1, 2)])

    (tmp_path / "die").write_text(where)
    job = queues.request_errand(KEY, "plan_bulk", {"label": "loop: no loop", **SELECTED})
    assert start_worker("prediction", burst=True).wait(timeout=30) == -signal.SIGKILL
    assert len(records.runs(KEY)) == 1, "it is on the books, and the job does not know"
    assert start_worker("prediction", burst=True).wait(timeout=30) == 0
    (run,) = records.runs(KEY)
    assert queues.status(job).state == "done"
    assert queues.result(job) == {"run": run.id, "job": f"run-{run.id}"}
    assert records.run_items(run.id) == {1: "selected", 2: "selected"}
    assert (tmp_path / "notes").read_text().split() == [run.id], "begun once"
    records.close()
