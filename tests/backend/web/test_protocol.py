"""Every request that Label Studio was recorded to send, against the routes."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

from espalier.labelstudio.wire import inputs_digest
from espalier.store.rows import Annotation, ModelVersion, Prediction

KEY = "1.1795197302"
NAMES = [
    "ml_add_backend.requests",
    "ml_add_backend.from_UI.requests",
    "ml_list.requests",
    "ml_versions.requests",
    "ml_train.requests",
    "ml_predict_test.requests",
    "dm_retrieve_predictions.requests",
    "open_task.GET_api_tasks_id.requests",
    "next_task.GET_projects_next.requests",
    "interactive_annotating.requests",
    "label_config_change.requests",
    "webhook.ANNOTATION_CREATED",
    "webhook.ANNOTATION_CREATED.skipped",
    "webhook.ANNOTATION_UPDATED",
    "webhook.ANNOTATIONS_CREATED",
    "webhook.ANNOTATIONS_DELETED",
    "webhook.PROJECT_UPDATED",
    "webhook.TASKS_CREATED",
    "webhook.TASKS_DELETED",
]


def recorded(shared: Callable[[str], Path], name: str) -> list[dict[str, Any]]:
    found = json.loads((shared("fixtures/ls-1.23.2") / f"{name}.json").read_text())
    requests: list[dict[str, Any]] = found if isinstance(found, list) else [found]
    for request in requests:
        tasks = (request["body"] or {}).get("tasks")
        if tasks and isinstance(tasks[-1], str):
            tasks.pop()  # the recording says there how many it left out
    return requests


def replay(client: FlaskClient, request: dict[str, Any]) -> TestResponse:
    headers = {name: value for name, value in request["headers"].items() if name != "Content-Length"}
    body = None if request["body"] is None else json.dumps(request["body"])
    path = request["path"].replace("/hook2", "/webhook")
    return client.open(path, method=request["method"], headers=headers, data=body)


def in_short(rows: list[Annotation]) -> list[tuple[int, int, bool]]:
    return [(row.id, row.task_id, row.was_cancelled) for row in rows]


@pytest.mark.parametrize("name", NAMES)
def test_every_recorded_request_is_answered_well(
    backend: Callable[..., Any], shared: Callable[[str], Path], name: str
) -> None:
    """On an empty backend, where everything is the first that it hears."""
    client = backend().client
    for request in recorded(shared, name):
        response = replay(client, request)
        assert response.status_code == 200, response.text
        if request["path"] == "/predict":
            assert response.json == {"results": [[] for _ in request["body"]["tasks"]]}
        if request["path"] == "/setup":
            assert response.json == {"model_version": "untrained"}
        if request["path"] == "/health":
            assert response.json is not None
            assert (response.json["status"], response.json["model_class"]) == ("UP", "Espalier")
        if request["path"] == "/versions":
            assert response.json == {"versions": ["untrained"]}


def test_setup_introduces_a_project_once(backend: Callable[..., Any], shared: Callable[[str], Path]) -> None:
    one = backend(label_studio_api_key="key")
    for request in recorded(shared, "ml_add_backend.requests") + recorded(shared, "ml_list.requests"):
        replay(one.client, request)
    project = one.records.project(KEY)
    assert project is not None
    assert (project.id, project.hostname) == (1, "http://localhost:8080")
    assert "Plant" in project.label_config
    assert project.extra_params == {"a": 1}, "a probe without extra params does not forget them"
    assert project.revision == 0
    assert one.steps() == [("connect", [KEY])]


def test_without_any_token_there_is_nothing_to_connect_with(backend: Callable[..., Any]) -> None:
    one = backend()
    response = one.client.post("/setup", json={"project": KEY, "schema": "<View/>"})
    assert response.json == {"model_version": "untrained"}
    assert one.steps() == []


def test_another_labeling_configuration_asks_for_training(
    backend: Callable[..., Any], shared: Callable[[str], Path]
) -> None:
    one = backend()
    replay(one.client, recorded(shared, "webhook.PROJECT_UPDATED")[0])
    assert one.steps() == []
    replay(one.client, recorded(shared, "label_config_change.requests")[0])
    project = one.records.project(KEY)
    assert project is not None
    assert (project.title, "Car" in project.label_config, project.revision) == ("Proj1", True, 1)
    assert one.steps() == [("train", [KEY])]


def test_a_life_of_annotations_is_mirrored(backend: Callable[..., Any], shared: Callable[[str], Path]) -> None:
    one = backend()

    def send(name: str) -> dict[str, Any]:
        response = replay(one.client, recorded(shared, name)[0])
        assert response.status_code == 200
        body: dict[str, Any] = response.get_json()
        return body

    def choices() -> dict[int, Any]:
        return {row.id: [r["value"]["choices"] for r in row.result] for row in one.records.annotations(KEY)}

    assert send("webhook.ANNOTATION_CREATED")["changed"]
    assert choices() == {1: [["Animal"]]}
    assert send("webhook.ANNOTATION_UPDATED")["changed"]
    assert choices() == {1: [["Plant"]]}
    assert not send("webhook.ANNOTATION_CREATED")["changed"], "an old event that comes late changes nothing"
    assert choices() == {1: [["Plant"]]}
    send("webhook.ANNOTATION_CREATED.skipped")
    assert in_short(one.records.annotations(KEY)) == [(1, 10, False), (2, 11, True)]
    assert send("webhook.ANNOTATIONS_DELETED")["changed"]
    assert send("webhook.ANNOTATIONS_CREATED")["changed"]
    assert in_short(one.records.annotations(KEY)) == [(4, 1, False), (5, 2, False), (2, 11, True)]
    assert [row.accepted for row in one.records.annotations(KEY)] == [True, True, False]
    send("webhook.TASKS_CREATED")
    assert {251, 252} <= {task.id for task in one.records.tasks(KEY)}
    send("webhook.TASKS_DELETED")
    assert {step for step, _ in one.steps()} == {"train"}


def test_an_event_that_is_delivered_twice_is_heard_once(
    backend: Callable[..., Any], shared: Callable[[str], Path]
) -> None:
    """Also where the training that the first one asked for has begun: the second one says nothing new."""
    one = backend()
    for name in ["label_config_change.requests", *(name for name in NAMES if name.startswith("webhook."))]:
        (event, *_) = recorded(shared, name)
        replay(one.client, event)
        one.steps()
        one.queues.turn.starts(KEY)
        heard = [one.records.project(KEY).revision, one.records.tasks(KEY), one.records.annotations(KEY)]
        assert replay(one.client, event).status_code == 200
        again = [one.records.project(KEY).revision, one.records.tasks(KEY), one.records.annotations(KEY)]
        assert again == heard, name
        assert one.steps() == [], name


def test_annotations_that_come_with_an_import_are_read_through_the_api(
    backend: Callable[..., Any], shared: Callable[[str], Path]
) -> None:
    one = backend(label_studio_api_key="key")
    one.client.post("/setup", json={"project": KEY, "schema": "<View/>"})
    one.queues.redis.flushall()
    replay(one.client, recorded(shared, "webhook.TASKS_CREATED")[0])
    assert ("connect", [KEY]) in one.steps()


def test_one_submit_is_one_training(backend: Callable[..., Any], shared: Callable[[str], Path]) -> None:
    """With "start training on submission" Label Studio sends START_TRAINING before the event itself."""
    one = backend()
    first = replay(one.client, recorded(shared, "ml_train.requests")[0]).json
    second = replay(one.client, recorded(shared, "webhook.ANNOTATION_CREATED")[0]).json
    assert first is not None
    assert second is not None
    assert first["job"] == second["job"]
    assert one.steps() == [("train", [KEY])]


def test_events_of_no_interest_are_told_so(backend: Callable[..., Any]) -> None:
    response = backend().client.post("/webhook", json={"action": "LABEL_LINK_CREATED"})
    assert response.status_code == 200
    assert response.json == {
        "status": "ok",
        "ignored": "LABEL_LINK_CREATED changes nothing that Espalier learns from",
    }


def test_secrets_in_events_are_not_kept(
    backend: Callable[..., Any], data_dir: Path, caplog: pytest.LogCaptureFixture
) -> None:
    caplog.set_level("DEBUG")
    one = backend()
    project = {"id": 1, "created_at": "2026-11-20T17:55:02.886124Z", "title": "T", "label_config": "<View/>"}
    secrets = {"token": "S3CRET-1", "task_data_login": "S3CRET-2", "task_data_password": "S3CRET-3"}
    one.client.post("/webhook", json={"action": "PROJECT_UPDATED", "project": {**project, **secrets}})
    assert one.records.project(KEY) is not None
    one.records.close()
    kept = b"".join(
        path.read_bytes() for path in Path(one.settings.database.removeprefix("sqlite:///")).parent.iterdir()
    )
    assert b"S3CRET" not in kept
    assert "S3CRET" not in caplog.text


def version(name: str, state: str) -> ModelVersion:
    from datetime import datetime, timezone

    return ModelVersion(
        project_key=KEY,
        name=name,
        state=state,  # type: ignore[arg-type]
        directory="",
        encoder={},
        ontology_fingerprint="",
        data_fingerprint="",
        metrics={},
        created_at=datetime.now(timezone.utc),
    )


def test_versions_are_those_that_can_predict(backend: Callable[..., Any]) -> None:
    one = backend()
    for name, state in (("v1", "archived"), ("v2", "promoted"), ("v3", "training"), ("v4", "failed")):
        one.records.add_version(version(name, state))
    one.records.serve(KEY, "v2")
    one.records.publish(KEY, "v2-run1")
    for response in (
        one.client.get("/versions"),
        one.client.get(f"/versions?project={KEY}"),
        one.client.post("/versions", json={"project": KEY}),
    ):
        assert response.json is not None
        assert response.json["versions"][0] == "v2-run1"
        assert set(response.json["versions"]) == {"v2-run1", "v2", "v1"}
    assert one.client.get("/versions?project=9.1").json == {"versions": ["untrained"]}
    assert one.client.post("/setup", json={"project": KEY, "schema": "<View/>"}).json == {"model_version": "v2-run1"}


def test_job_status_of_a_training(backend: Callable[..., Any], shared: Callable[[str], Path]) -> None:
    one = backend()
    job = (replay(one.client, recorded(shared, "ml_train.requests")[0]).json or {})["job"]
    status = one.client.post("/job_status", json={"job": job}).json
    assert status is not None
    assert (status["id"], status["job_status"]) == (job, "queued")
    assert one.client.post("/job_status", json={"job": "nothing"}).json["job_status"] == "unknown"


def test_validate_reads_the_labeling_configuration(backend: Callable[..., Any]) -> None:
    client = backend().client
    good = '<View><Image name="i" value="$i"/><Choices name="c" toName="i"><Choice value="a"/></Choices></View>'
    assert client.post("/validate", json={"config": good}).json == {"status": "ok", "findings": []}
    bad = client.post("/validate", json={"config": "<View>"})
    assert bad.status_code == 400
    assert bad.json is not None
    assert "\n" not in bad.json["error"]


def test_the_train_route_of_old_asks_for_training(backend: Callable[..., Any]) -> None:
    one = backend()
    response = one.client.post("/train", json={"project": KEY, "annotations": [], "label_config": "<View/>"})
    assert (response.json or {})["status"] == "ok"
    assert one.steps() == [("train", [KEY])]


def test_prediction_rows_are_answered(backend: Callable[..., Any], shared: Callable[[str], Path]) -> None:
    one = backend()
    request = next(r for r in recorded(shared, "dm_retrieve_predictions.requests") if r["path"] == "/predict")
    tasks = request["body"]["tasks"]
    one.records.add_version(version("v1", "promoted"))
    one.records.serve(KEY, "v1")
    result = [{"from_name": "cls", "to_name": "img", "type": "choices", "value": {"choices": ["Animal"]}}]
    first = Prediction(KEY, tasks[0]["id"], "v1", inputs_digest(tasks[0]), result, 0.75)
    one.records.put_predictions([first])
    response = replay(one.client, request)
    assert response.json == {
        "results": [{"result": result, "score": 0.75, "model_version": "v1"}, *([] for _ in tasks[1:])]
    }
