"""/predict: one item per task, in order, whatever happens."""

from __future__ import annotations

import math
import threading
import time
from collections.abc import Callable
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from espalier.jobs.withheld import BLIND, WRITTEN, is_drawn
from espalier.labelstudio.wire import inputs_digest
from espalier.store.rows import ModelVersion, Prediction

KEY = "1.1795197302"
RESULT = [{"from_name": "c", "to_name": "i", "type": "choices", "value": {"choices": ["a"]}}]


def task(number: int, **more: Any) -> dict[str, Any]:
    return {"id": number, "data": {"image": f"{number}.jpg"}, "annotations": [], "predictions": [], **more}


def row(number: int, score: float = 0.5, **more: Any) -> Prediction:
    """With a message, and no result of its own, one that failed."""
    result = more.pop("result", [] if more.get("message") else RESULT)
    return Prediction(KEY, number, more.pop("version", "v1"), inputs_digest(task(number)), result, score, **more)


def trained(one: Any, name: str = "v1") -> Any:
    from datetime import datetime, timezone

    moment = datetime.now(timezone.utc)
    one.records.add_version(ModelVersion(KEY, name, "promoted", "", {}, "", "", {}, moment))
    one.records.serve(KEY, name)
    return one


def predict(one: Any, tasks: list[dict[str, Any]], **params: Any) -> list[Any]:
    body = {"project": KEY, "label_config": "", "tasks": tasks, "params": params}
    response = one.client.post("/predict", json=body)
    assert response.status_code == 200, response.text
    results: list[Any] = response.json["results"]
    return results


def test_what_is_known_is_answered_without_the_queue(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    one.records.put_predictions([row(2), row(1, 0.25)])
    results = predict(one, [task(1), task(2)])
    assert results == [
        {"result": RESULT, "score": 0.25, "model_version": "v1"},
        {"result": RESULT, "score": 0.5, "model_version": "v1"},
    ]
    assert one.steps() == []


def test_what_is_not_ready_is_asked_for_and_pushed_later(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    one.records.put_predictions([row(1)])
    results = predict(one, [task(3), task(1), task(2)])
    assert [bool(item) for item in results] == [False, True, False]
    steps = one.steps()
    assert [step for step, _ in steps] == ["predict", "push"]
    assert [sent["id"] for sent in steps[0][1][1]] == [3, 2]
    assert steps[1][1] == [KEY, "v1", [3, 2]]


def test_a_prediction_from_other_inputs_is_stale(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    one.records.put_predictions([row(1)])
    annotated = task(1, annotations=[{"id": 5, "result": RESULT}])
    assert predict(one, [annotated]) == [[]]
    assert [step for step, _ in one.steps()] == ["predict", "push"]


def test_a_worker_that_is_quick_enough_is_waited_for(backend: Callable[..., Any]) -> None:
    one = trained(backend(predict_deadline_s=5.0))

    def work() -> None:
        while not one.queues.prediction.get_jobs():
            time.sleep(0.01)
        (job,) = one.queues.prediction.get_jobs()
        one.records.put_predictions([row(1)])
        job.set_status("finished")

    worker = threading.Thread(target=work)
    worker.start()
    began = time.monotonic()
    assert predict(one, [task(1)]) == [{"result": RESULT, "score": 0.5, "model_version": "v1"}]
    assert time.monotonic() - began < 4
    worker.join()
    assert [step for step, _ in one.steps()] == ["predict"]


def test_an_interactive_request_is_answered_the_same_but_pushes_nothing(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    assert predict(one, [task(1)], context={"result": []}) == [[]]
    assert [step for step, _ in one.steps()] == ["predict"]


def test_the_published_run_answers_under_its_own_name(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    run = one.records.add_run(KEY, {}, version="v1-run7")
    one.records.publish(KEY, run.version)
    one.records.put_predictions([row(1, 0.1), row(1, 0.9, version="v1-run7")])
    assert predict(one, [task(1)]) == [{"result": RESULT, "score": 0.9, "model_version": "v1-run7"}]
    one.records.publish(KEY, "somebody's own")
    assert predict(one, [task(1)]) == [{"result": RESULT, "score": 0.1, "model_version": "v1"}]


def test_tasks_that_failed_have_no_prediction(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    one.records.put_predictions([row(1, message="task 1: the file is no picture")])
    assert predict(one, [task(1)]) == [[]]
    assert one.steps() == []


def test_what_could_be_read_of_a_damaged_task_is_answered(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    one.records.put_predictions([row(1, result=RESULT, message="task 1: 3 of 90 frames cannot be decoded")])
    assert predict(one, [task(1)]) == [{"result": RESULT, "score": 0.5, "model_version": "v1"}]


def test_a_blind_task_is_answered_with_nothing_until_it_is_annotated(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    run = one.records.add_run(KEY, {"blind": 0.5}, version="v1-run1")
    blind = next(number for number in range(1, 99) if is_drawn(run.id, number, 0.5))
    other = next(number for number in range(1, 99) if not is_drawn(run.id, number, 0.5))
    one.records.set_run_items(run.id, {blind: BLIND, other: WRITTEN})
    one.records.set_run(run.id, state="done")
    one.records.publish(KEY, "v1-run1")
    one.records.put_predictions([row(blind, version="v1-run1"), row(other, version="v1-run1")])
    assert [bool(item) for item in predict(one, [task(blind), task(other)])] == [False, True]
    one.records.publish(KEY, "v1")
    one.records.put_predictions([row(blind)])
    assert predict(one, [task(blind)]) == [[]], "nor by another version"
    assert one.steps() == [], "and nobody is asked to predict it"
    annotated = task(blind, annotations=[{"id": 5, "result": RESULT}])
    predict(one, [annotated])
    assert [step for step, _ in one.steps()] == ["predict", "push"]


def test_while_a_list_is_shown_the_model_answers_under_its_own_name_and_once(backend: Callable[..., Any]) -> None:
    one = trained(backend())
    listed = one.records.add_run(KEY, {"count": 50}, version="v1-errors1", kind="errors")
    one.records.set_run(listed.id, state="done")
    one.records.publish(KEY, "v1-errors1")
    one.records.put_predictions([row(1), row(2)])
    held = [{"id": 4, "model_version": "v1", "result": RESULT}, {"id": 5, "model_version": None}]
    results = predict(one, [task(1), task(2, predictions=held)])
    assert results == [{"result": RESULT, "score": 0.5, "model_version": "v1"}, []]
    one.records.publish(KEY, "v1")
    assert predict(one, [task(2, predictions=held)])[0]["model_version"] == "v1"


def test_only_a_few_requests_wait(backend: Callable[..., Any]) -> None:
    """With more requests than may wait, the others answer at once, and /health is never in the queue behind them."""
    one = trained(backend(predict_deadline_s=3.0))
    took: list[float] = []

    def ask(number: int) -> None:
        began = time.monotonic()
        body = {"project": KEY, "tasks": [task(number)]}
        one.client.application.test_client().post("/predict", json=body)
        took.append(time.monotonic() - began)

    threads = [threading.Thread(target=ask, args=(number,)) for number in range(12)]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sum(seconds > 2.5 for seconds in took) == 8
    assert sum(seconds < 2.5 for seconds in took) == 4


@pytest.fixture
def law(backend: Callable[..., Any]) -> Any:
    return trained(backend(predict_deadline_s=0.0))


scores = st.floats(allow_nan=False) | st.sampled_from([math.inf, -1.0, 0.0, 1.0, 17.5])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(
    asked=st.lists(st.integers(1, 12), max_size=14),
    known=st.dictionaries(st.integers(1, 12), scores, max_size=12),
    failed=st.sets(st.integers(1, 12), max_size=3),
)
def test_one_item_per_task_in_order(law: Any, asked: list[int], known: dict[int, float], failed: set[int]) -> None:
    law.records.drop_predictions(KEY, "v1")
    law.records.put_predictions(
        row(number, score, message="broken" if number in failed else "") for number, score in known.items()
    )
    results = predict(law, [task(number) for number in asked])
    assert len(results) == len(asked)
    for number, item in zip(asked, results, strict=True):
        if number in known and number not in failed:
            assert isinstance(item["result"], list)
            assert 0.0 <= item["score"] <= 1.0
            assert item["model_version"] == "v1"
        else:
            assert item == []
