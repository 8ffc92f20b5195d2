"""Errors, limits, headers, figures; and what the web process must not carry."""

from __future__ import annotations

import subprocess
import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from redis import Redis
from sqlalchemy.exc import OperationalError

from espalier.errors import BadMedia, BadRequest, BadSetting, LabelStudioDown, NotTrained
from espalier.web.app import status_of
from espalier.web.server import masked

KEY = "1.1795197302"


@pytest.mark.parametrize(
    ("content_type", "body", "status", "says"),
    [
        ("text/plain", "{}", 415, "/setup takes application/json, got text/plain"),
        ("application/x-www-form-urlencoded", "a=b", 415, "takes application/json"),
        ("application/json", "{", 400, "the body of /setup is not valid JSON"),
        ("application/json", "[]", 400, "the body of /setup must be a JSON object, got a list"),
    ],
)
def test_bodies_that_are_not_what_they_must_be(
    backend: Callable[..., Any], content_type: str, body: str, status: int, says: str
) -> None:
    response = backend().client.post("/setup", data=body, content_type=content_type)
    assert response.status_code == status
    assert says in response.json["error"]
    assert "\n" not in response.json["error"]


def test_a_body_has_a_limit(backend: Callable[..., Any]) -> None:
    client = backend().client
    client.application.config["MAX_CONTENT_LENGTH"] = 100
    response = client.post("/setup", json={"project": KEY, "schema": "x" * 200})
    assert response.status_code == 413
    assert response.json is not None


def test_unknown_routes_and_methods_are_told_in_json(backend: Callable[..., Any]) -> None:
    client = backend().client
    assert (client.get("/nothing").status_code, client.get("/nothing").mimetype) == (404, "application/json")
    assert client.get("/setup").status_code == 405


def test_a_broken_database_is_a_sentence_and_logged_once(
    backend: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = backend()

    def broken(*_: object, **__: object) -> None:
        raise OperationalError("SELECT secret", {}, Exception("disk I/O error"))

    monkeypatch.setattr(one.records, "project", broken)
    for _ in range(3):
        response = one.client.post("/setup", json={"project": KEY, "schema": "<View/>"})
        assert response.status_code == 503
        assert "the database of Espalier does not answer" in response.json["error"]
    assert [record.levelname for record in caplog.records] == ["ERROR"]
    assert "SELECT" not in caplog.text
    assert one.client.get("/health").status_code == 200


def test_a_broken_queue_is_a_sentence(backend: Callable[..., Any], tmp_path: Path) -> None:
    one = backend()
    one.queues.redis.close()
    one.queues.redis = Redis.from_url(f"unix://{tmp_path}/nobody.sock")
    response = one.client.post("/train", json={"project": KEY})
    assert response.status_code == 503
    assert "the queue (Redis) of Espalier does not answer" in response.json["error"]


def test_what_nobody_foresaw_shows_no_traceback(
    backend: Callable[..., Any], monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    one = backend()
    monkeypatch.setattr(one.records, "project", lambda key: 1 / 0)
    response = one.client.post("/setup", json={"project": KEY, "schema": "<View/>"})
    assert response.status_code == 500
    assert response.json == {"error": "something went wrong inside Espalier; its log says what"}
    assert "ZeroDivisionError" in caplog.text


@pytest.mark.parametrize(
    ("error", "status"),
    [
        (BadRequest("x"), 400),
        (NotTrained("x"), 409),
        (LabelStudioDown("x"), 502),
        (BadSetting("x"), 500),
        (BadMedia("x"), 422),
    ],
)
def test_each_error_has_a_status(error: Any, status: int) -> None:
    assert status_of(error) == status


def test_answers_carry_headers_that_keep_browsers_careful(backend: Callable[..., Any]) -> None:
    headers = backend().client.get("/health").headers
    assert headers["X-Content-Type-Options"] == "nosniff"
    assert headers["Cache-Control"] == "no-store"
    assert "frame-ancestors 'none'" in headers["Content-Security-Policy"]


def test_metrics_count_requests_by_route_and_what_workers_left(backend: Callable[..., Any]) -> None:
    one = backend()
    one.client.get("/health")
    one.client.get("/a/path/that/nobody/knows")
    one.client.post("/train", json={"project": KEY})
    one.queues.redis.hincrby("espalier:figures", "tasks_predicted", 7)
    text = one.client.get("/metrics").text
    assert 'espalier_requests_total{method="GET",route="/health",status="200"} 1.0' in text
    assert 'espalier_requests_total{method="GET",route="unknown",status="404"} 1.0' in text
    assert 'espalier_request_seconds_count{route="/train"} 1.0' in text
    assert 'espalier_queue_length{queue="training"} 1.0' in text
    assert "espalier_tasks_predicted_total 7.0" in text
    assert "espalier_trainings_total 0.0" in text
    assert "espalier_projects 1.0" in text


@pytest.mark.parametrize(
    ("line", "shown"),
    [
        ("POST /webhook?token=s3cret HTTP/1.1", "POST /webhook?token=*** HTTP/1.1"),
        ("/webhook?a=1&token=s3cret&b=2", "/webhook?a=1&token=***&b=2"),
        ("GET /health HTTP/1.1", "GET /health HTTP/1.1"),
    ],
)
def test_the_access_log_hides_the_secret(line: str, shown: str) -> None:
    assert masked(line) == shown


def test_the_web_process_carries_no_model_code(tmp_path: Path) -> None:
    program = """
import sys
from pathlib import Path
from redis import Redis
from espalier.jobs.queue import Queues
from espalier.settings import Settings
from espalier.store.records import Records
from espalier.web import server
from espalier.web.app import create_app
data = Path(sys.argv[1])
create_app(Settings(data_dir=data), Records.open(f"sqlite:///{data}/x.sqlite"), Queues(Redis()))
heavy = {"torch", "faiss", "openvino", "av", "timm", "sklearn", "scipy", "numpy", "PIL", "label_studio_sdk"}
print(sorted(heavy & set(sys.modules)))
"""
    done = subprocess.run([sys.executable, "-c", program, str(tmp_path)], capture_output=True, text=True, check=True)
    assert done.stdout.strip() == "[]", done.stdout
