"""Who may ask what."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

KEY = "1.1795197302"
PROJECT = {"id": 1, "created_at": "2026-11-20T17:55:02.886124Z", "title": "T", "label_config": "<View/>"}
EVENT = {"action": "PROJECT_UPDATED", "project": PROJECT}
START = {"action": "START_TRAINING", "project": PROJECT}
BASIC = {"basic_auth_user": "ann", "basic_auth_pass": "pä:ss"}
SECRET = {"webhook_secret": "s3cret"}


def basic(user: str, password: str) -> dict[str, str]:
    return {"Authorization": "Basic " + base64.b64encode(f"{user}:{password}".encode()).decode()}


GOOD = basic("ann", "pä:ss")
ROUTES = [
    ("GET", "/", None),
    ("GET", "/health", None),
    ("GET", "/versions", None),
    ("GET", "/metrics", None),
    ("POST", "/setup", {"project": KEY, "schema": "<View/>"}),
    ("POST", "/predict", {"project": KEY, "tasks": []}),
    ("POST", "/webhook", EVENT),
    ("POST", "/train", {"project": KEY}),
    ("POST", "/validate", {"config": "<View/>"}),
    ("POST", "/job_status", {"job": "x"}),
]


@pytest.mark.parametrize(("method", "path", "body"), ROUTES, ids=[path for _, path, _ in ROUTES])
@pytest.mark.parametrize(
    ("headers", "status"),
    [
        ({}, 401),
        (basic("ann", "wrong"), 401),
        (basic("bob", "pä:ss"), 401),
        (basic("", ""), 401),
        ({"Authorization": "Basic !!"}, 401),
        ({"Authorization": "Bearer ann"}, 401),
        (GOOD, 200),
    ],
    ids=["nothing", "wrong password", "wrong user", "empty", "garbled", "another scheme", "right"],
)
def test_with_basic_auth_every_route_wants_it(
    backend: Callable[..., Any], method: str, path: str, body: object, headers: dict[str, str], status: int
) -> None:
    response = backend(**BASIC).client.open(path, method=method, json=body, headers=headers)
    assert response.status_code == status
    if status == 401:
        assert response.headers["WWW-Authenticate"].startswith("Basic")
        assert set(response.json or {}) == {"error"}


def test_unknown_paths_do_not_tell_who_is_there(backend: Callable[..., Any]) -> None:
    assert backend(**BASIC).client.get("/nothing").status_code == 401


@pytest.mark.parametrize(
    ("setup", "body", "headers", "query", "status"),
    [
        ({}, EVENT, {}, "", 200),
        ({}, START, {}, "", 200),
        (SECRET, EVENT, {}, "", 401),
        (SECRET, EVENT, {"X-Espalier-Secret": "wrong"}, "", 401),
        (SECRET, EVENT, {"X-Espalier-Secret": "s3cret"}, "", 200),
        (SECRET, EVENT, {}, "?token=s3cret", 200),
        (SECRET, EVENT, {}, "?token=", 401),
        (SECRET, START, {}, "", 400),
        (BASIC | SECRET, EVENT, {}, "", 401),
        (BASIC | SECRET, EVENT, {"X-Espalier-Secret": "s3cret"}, "", 200),
        (BASIC | SECRET, EVENT, GOOD, "", 200),
        (BASIC | SECRET, START, {}, "", 401),
        (BASIC | SECRET, START, GOOD, "", 200),
        (BASIC, EVENT, {"X-Espalier-Secret": ""}, "", 401),
    ],
)
def test_events(
    backend: Callable[..., Any],
    setup: dict[str, str],
    body: object,
    headers: dict[str, str],
    query: str,
    status: int,
) -> None:
    response = backend(**setup).client.post(f"/webhook{query}", json=body, headers=headers)
    assert response.status_code == status, response.text
    if status == 401:
        assert "X-Espalier-Secret" in response.json["error"]


def test_the_secret_opens_no_other_door(backend: Callable[..., Any]) -> None:
    client = backend(**BASIC, **SECRET).client
    assert client.get("/health?token=s3cret", headers={"X-Espalier-Secret": "s3cret"}).status_code == 401


def test_start_training_without_a_secret_trains_a_known_project_and_teaches_nothing(
    backend: Callable[..., Any],
) -> None:
    one = backend(**SECRET)
    one.client.post("/setup", json={"project": KEY, "schema": "<View/>"})
    response = one.client.post("/webhook", json={**START, "project": {**PROJECT, "title": "mischief"}})
    assert response.status_code == 200
    assert one.records.project(KEY).title == ""
    assert one.steps() == [("train", [KEY])]


def test_where_basic_auth_is_on_a_secret_is_made_up(backend: Callable[..., Any]) -> None:
    one = backend(**BASIC)
    made_up = one.settings.secret_for_webhooks()
    assert len(made_up) > 20
    response = one.client.post("/webhook", json=EVENT, headers={"X-Espalier-Secret": made_up})
    assert response.status_code == 200
