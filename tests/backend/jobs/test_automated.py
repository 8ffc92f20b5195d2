"""Runs as far as they go without a Label Studio; writing, resuming and undo are under test against a real one."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest, NotTrained
from espalier.jobs import automated
from espalier.jobs.parameters import RunParameters
from espalier.jobs.progress import Progress
from espalier.jobs.queue import job_of_run


@pytest.fixture
def trained(home: Any) -> Any:
    home.configure(IMAGE_CONFIG)
    home.digits(90, 60)
    home.train()
    return home


def dry(home: Any, **parameters: Any) -> dict[str, Any]:
    return automated.dry_run(home.house, home.key, RunParameters(**parameters), Progress())


def test_a_dry_run_counts_what_would_be_written_and_writes_nothing(trained: Any) -> None:
    counts = dry(trained, filter="unlabeled", confidence=0.0)
    assert (counts["tasks"], counts["written"], counts["frames"]) == (30, 30, 30)
    assert sum(number for name, number in counts["answers"].items() if name.startswith("loop: ")) == 30
    assert sum(counts["answers"].values()) == 60
    assert trained.house.records.runs(trained.key) == []
    assert trained.project.published == "espalier-v1"
    assert dry(trained, filter="unlabeled", confidence=1.0)["written"] == 0


def test_a_higher_cutoff_answers_less(trained: Any) -> None:
    written = [
        sum(dry(trained, filter="unlabeled", confidence=cutoff)["answers"].values()) for cutoff in (0.1, 0.5, 0.9)
    ]
    assert written == sorted(written, reverse=True)


def test_a_dry_run_before_the_first_training_says_what_is_needed(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    with pytest.raises(NotTrained, match="at least two different options"):
        dry(home)


def test_what_the_ontology_does_not_ask_is_refused(trained: Any) -> None:
    with pytest.raises(BadRequest, match="no classification 'colour'"):
        dry(trained, classifications=("colour",))
    with pytest.raises(BadRequest, match="the confidence for 'loop/maybe'"):
        dry(trained, confidences={"loop/maybe": 0.5})


def test_a_run_needs_a_label_studio_and_says_so(trained: Any) -> None:
    with pytest.raises(BadRequest, match="needs a Label Studio token that works"):
        automated.plan(trained.house, trained.key, RunParameters())
    run = trained.house.records.add_run(trained.key, RunParameters().to_json(), version="espalier-v1-run1")
    with pytest.raises(BadRequest):
        automated.execute(trained.house, run.id, Progress())
    failed = trained.house.records.run(run.id)
    assert failed.state == "failed"
    assert "LABEL_STUDIO_API_KEY" in failed.message
    assert automated.execute(trained.house, run.id, Progress()).state == "failed", "it is over"


def test_a_waiting_run_is_cancelled_before_it_begins(trained: Any) -> None:
    run = trained.house.records.add_run(trained.key, RunParameters().to_json(), version="espalier-v1-run1")
    trained.house.queues.request_run(run.id)
    with pytest.raises(BadRequest, match=f"not over, and would go on writing: `espalier cancel {run.id}` first"):
        automated.undo(trained.house, run.id)
    cancelled = automated.cancel(trained.house, run.id)
    assert (cancelled.state, cancelled.message) == ("cancelled", "cancelled before it began")
    assert trained.house.queues.waiting()["runs"] == 0


def test_a_run_that_waits_to_go_on_is_cancelled_where_it_is(trained: Any) -> None:
    records = trained.house.records
    run = records.add_run(trained.key, RunParameters().to_json(), version="espalier-v1-run1")
    trained.house.queues.request_run(run.id)
    records.set_run(run.id, state="running", done=10)  # and then it made way for something more urgent
    assert automated.cancel(trained.house, run.id).state == "cancelled"
    assert records.run(run.id).state == "cancelled"


def test_a_run_whose_job_was_given_up_is_told_as_that(trained: Any) -> None:
    records = trained.house.records
    run = records.add_run(trained.key, RunParameters().to_json(), version="espalier-v1-run1")
    trained.house.queues.request_run(run.id)
    records.set_run(run.id, state="running")
    trained.house.queues.cancel(job_of_run(run.id))
    (told,) = automated.recent(trained.house, trained.key)
    assert told.state == "cancelled"


def test_a_run_knows_its_model_version(trained: Any) -> None:
    records = trained.house.records
    named = records.add_run(trained.key, RunParameters(version="espalier-v7").to_json(), version="espalier-v7-run2")
    serving = records.add_run(trained.key, RunParameters().to_json(), version="espalier-v1-run12")
    assert automated.model_version_of(named) == "espalier-v7"
    assert automated.model_version_of(serving) == "espalier-v1"


def test_an_unknown_run_is_said_in_words(home: Any) -> None:
    for ask in (automated.find, automated.cancel, automated.undo):
        with pytest.raises(BadRequest, match="there is no run 'x'; `espalier runs` lists them"):
            ask(home.house, "x")
