"""What Label Studio sends, as it was recorded, and what nobody should send."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier.errors import BadRequest
from espalier.labelstudio.wire import inputs_digest, parse_event, parse_predict, parse_setup, project_key

Shared = Callable[[str], Path]
PROJECT = {"id": 1, "created_at": "2026-11-20T17:55:02.886124Z", "title": "One", "label_config": "<View/>"}
KEY = "1.1795197302"


def recorded(shared: Shared, name: str) -> list[dict[str, Any]]:
    found = json.loads((shared("fixtures/ls-1.23.2") / f"{name}.json").read_text())
    return found if isinstance(found, list) else [found]


def test_the_key_of_a_project_is_the_one_that_setup_sends(shared: Shared) -> None:
    setup = next(r for r in recorded(shared, "ml_add_backend.requests") if r["path"] == "/setup")["body"]
    event = recorded(shared, "webhook.ANNOTATION_CREATED")[0]["body"]
    assert project_key(event["project"]) == parse_setup(setup).project_key == KEY


@pytest.mark.parametrize(
    ("created", "key"),
    [
        ("2026-11-20T17:55:02.886124Z", KEY),
        ("2026-11-20T17:55:02Z", KEY),
        ("2026-11-20T18:55:02.999999+01:00", KEY),
        ("2026-11-20T17:55:02.886124", KEY),
    ],
    ids=["as sent", "whole second", "another time zone", "no time zone is UTC"],
)
def test_a_key_is_cut_to_whole_seconds(created: str, key: str) -> None:
    assert project_key({"id": 1, "created_at": created}) == key


@pytest.mark.parametrize(
    ("sent", "read"),
    [
        ('{"a": 1}', {"a": 1}),
        ({"a": 1}, {"a": 1}),
        ("{}", {}),
        (None, None),
        ("", None),
        ("null", None),
    ],
    ids=["typed into the form", "through the API", "emptied", "not said", "nothing typed", "null typed"],
)
def test_extra_params_come_in_every_shape(sent: object, read: object) -> None:
    assert parse_setup({"project": KEY, "schema": "<View/>", "extra_params": sent}).extra_params == read


def test_setup_never_shows_the_token() -> None:
    setup = parse_setup({"project": KEY, "access_token": "s3cret", "extra_params": {"key": "s3cret"}})
    assert "s3cret" not in repr(setup)


@pytest.mark.parametrize(
    ("parse", "body", "says"),
    [
        (parse_setup, [], "body of /setup must be a JSON object, got a list"),
        (parse_setup, {}, "must name a project as Label Studio does"),
        (parse_setup, {"project": "1"}, "like '10.1795197302'"),
        (parse_setup, {"project": KEY, "schema": 5}, "/setup.schema must be a string, got a number"),
        (parse_setup, {"project": KEY, "extra_params": "{a"}, "not valid JSON"),
        (parse_setup, {"project": KEY, "extra_params": [1]}, "must be a JSON object"),
        (parse_predict, {"project": KEY}, "tasks must be a list"),
        (parse_predict, {"project": KEY, "tasks": [{"data": {}}]}, r"tasks\[0\].id must be a whole number"),
        (parse_predict, {"project": KEY, "tasks": [None]}, r"tasks\[0\] must be a JSON object, got null"),
        (parse_event, "x", "must be a JSON object, got a string"),
        (parse_event, {}, "action is missing"),
        (parse_event, {"action": "ANNOTATION_CREATED"}, "Send payload"),
        (parse_event, {"action": "ANNOTATION_CREATED", "project": PROJECT}, "names no annotation"),
        (parse_event, {"action": "PROJECT_UPDATED", "project": {"id": 1}}, "created_at must be a time"),
        (parse_event, {"action": "TASKS_DELETED", "project": PROJECT, "tasks": [{}]}, "task.id of TASKS_DELETED"),
        (
            parse_event,
            {"action": "ANNOTATION_CREATED", "project": PROJECT, "annotation": {"id": 1}},
            "annotation 1: task must be a whole number",
        ),
    ],
)
def test_what_is_malformed_is_refused_in_words(parse: Callable[[object], object], body: object, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        parse(body)


@pytest.mark.parametrize(
    ("name", "change", "annotations", "tasks"),
    [
        ("webhook.ANNOTATION_CREATED", "annotated", [1], [10]),
        ("webhook.ANNOTATION_CREATED.skipped", "annotated", [2], [11]),
        ("webhook.ANNOTATION_UPDATED", "annotated", [1], [10]),
        ("webhook.ANNOTATIONS_CREATED", "annotated", [4, 5], [1, 2]),
        ("webhook.ANNOTATIONS_DELETED", "unannotated", [1], []),
        ("webhook.TASKS_CREATED", "tasks", [], [251, 252]),
        ("webhook.TASKS_DELETED", "tasks gone", [], [253]),
        ("webhook.PROJECT_UPDATED", "project", [], []),
        ("ml_train.requests", "train", [], []),
    ],
)
def test_recorded_events(shared: Shared, name: str, change: str, annotations: list[int], tasks: list[int]) -> None:
    event = parse_event(recorded(shared, name)[0]["body"])
    assert (event.change, event.annotation_ids, event.task_ids) == (change, annotations, tasks)
    assert (event.project_key, event.project_id, event.project["title"]) == (KEY, 1, "Proj1")
    assert set(event.project) == {"id", "title", "label_config", "created_at"}


@pytest.mark.parametrize("action", ["ANNOTATION_DELETED", "ANNOTATIONS_DELETED"])
@pytest.mark.parametrize("name", ["annotation", "annotations"])
@pytest.mark.parametrize("several", [False, True])
def test_singular_and_plural_mean_the_same(action: str, name: str, several: bool) -> None:
    sent: object = [{"id": "7"}] if several else {"id": 7}
    assert parse_event({"action": action, "project": PROJECT, name: sent}).annotation_ids == [7]


@pytest.mark.parametrize("action", ["LABEL_LINK_CREATED", "PROJECT_CREATED", "PROJECT_DELETED", "SOMETHING_NEW"])
def test_events_that_teach_nothing_are_ignored_whatever_they_carry(action: str) -> None:
    assert parse_event({"action": action, "project": 5}).change == "ignored"


def test_recorded_predict_requests_keep_only_what_is_read(shared: Shared) -> None:
    for name in ("dm_retrieve_predictions.requests", "ml_predict_test.requests", "interactive_annotating.requests"):
        body = next(r for r in recorded(shared, name) if r["path"] == "/predict")["body"]
        if "tasks" in body and isinstance(body["tasks"][-1], str):
            body["tasks"] = body["tasks"][:-1]  # the recording says there how many it left out
        asked = parse_predict(body)
        assert asked.project_key == KEY
        assert [task["id"] for task in asked.tasks] == [task["id"] for task in body["tasks"]]
        assert {name for task in asked.tasks for name in task} == {"id", "data", "annotations"}
        assert (asked.context is None) == (name != "interactive_annotating.requests")


def test_a_predict_tells_of_which_versions_there_are_predictions() -> None:
    tasks = [
        {"id": 1, "predictions": [{"model_version": "v1"}, {"model_version": "v2", "result": []}]},
        {"id": 2, "predictions": [3, {"model_version": None}, {}]},
        {"id": 3},
    ]
    held = parse_predict({"project": KEY, "tasks": tasks}).held
    assert held == {1: {"v1", "v2"}, 2: set(), 3: set()}


def annotation(number: int, choice: str, **more: object) -> dict[str, object]:
    return {"id": number, "result": [{"from_name": "c", "value": {"choices": [choice]}}], **more}


def test_a_digest_is_of_data_and_peoples_answers_alone() -> None:
    task = {"id": 1, "data": {"image": "a", "n": 1}, "annotations": [annotation(1, "x"), annotation(2, "y")]}
    same = {
        "annotations": [annotation(2, "y", lead_time=3), annotation(1, "x"), annotation(3, "z", was_cancelled=True)],
        "data": {"n": 1, "image": "a"},
        "predictions": [5],
        "total_annotations": 9,
    }
    assert inputs_digest(task) == inputs_digest(same)
    for other in (
        {**task, "data": {"image": "b", "n": 1}},
        {**task, "annotations": [annotation(1, "x")]},
        {**task, "annotations": [annotation(1, "x"), annotation(2, "z")]},
        {**task, "annotations": [annotation(1, "x"), annotation(3, "y")]},
    ):
        assert inputs_digest(other) != inputs_digest(task)


def test_no_annotations_may_be_said_in_three_ways() -> None:
    ways: list[dict[str, Any]] = [{"data": {"a": 1}}, {"data": {"a": 1}, "annotations": None}]
    assert {inputs_digest(way) for way in ways} == {inputs_digest({"data": {"a": 1}, "annotations": []})}


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=8), inner, max_size=3),
    max_leaves=8,
)


@given(st.dictionaries(st.text(max_size=8), json_values, max_size=4))
def test_a_digest_survives_the_way_through_json(data: dict[str, Any]) -> None:
    assert inputs_digest({"data": data}) == inputs_digest({"data": json.loads(json.dumps(data))})


@given(
    json_values | st.dictionaries(st.sampled_from(["action", "project", "task", "annotation", "tasks"]), json_values)
)
def test_nothing_that_is_json_makes_the_parsers_stumble(body: object) -> None:
    for parse in (parse_setup, parse_predict, parse_event):
        with contextlib.suppress(BadRequest):
            parse(body)
