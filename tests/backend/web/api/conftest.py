"""A backend with one project in it, as the REST API is asked: by a manager, an annotator, a viewer."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import pytest
from flask.testing import FlaskClient
from werkzeug.test import TestResponse

KEY = "1.1795197302"
CONFIG = """<View><Image name="img" value="$image"/><Choices name="Weather" toName="img"><Choice value="Rain"/>
<Choice value="Sun"/></Choices></View>"""
BASIC = {"basic_auth_user": "ann", "basic_auth_pass": "secret"}


def weather(option: str) -> list[dict[str, Any]]:
    return [{"from_name": "Weather", "to_name": "img", "type": "choices", "value": {"choices": [option]}}]


@dataclass
class Api:
    """`ask("GET", "/projects", role="viewer")`: below /api/v1, with a token of that role, or none."""

    backend: Any
    tokens: dict[str, str]

    @property
    def client(self) -> FlaskClient:
        client: FlaskClient = self.backend.client
        return client

    def ask(self, method: str, path: str, role: str | None = "manager", **more: Any) -> TestResponse:
        headers = {**({"Authorization": f"Bearer {self.tokens[role]}"} if role else {}), **more.pop("headers", {})}
        return self.client.open(f"/api/v1{path}", method=method, headers=headers, **more)

    def get(self, path: str, **more: Any) -> TestResponse:
        return self.ask("GET", path, **more)

    def post(self, path: str, body: object = None, **more: Any) -> TestResponse:
        return self.ask("POST", path, json={} if body is None else body, **more)


@pytest.fixture
def api(backend: Callable[..., Any]) -> Api:
    """Three tasks, two of them answered; a password is set, and no worker runs."""
    made = backend(**BASIC)
    made.records.put_project(KEY, title="Weather", label_config=CONFIG)
    made.records.mirror_tasks(KEY, [{"id": id, "data": {"image": f"/data/{id}.png"}} for id in (1, 2, 3)])
    made.records.mirror_annotations(
        KEY, [{"id": id, "task": id, "result": weather(option)} for id, option in ((1, "Rain"), (2, "Sun"))]
    )
    tokens = {role: made.records.create_token(role, role)[1] for role in ("viewer", "annotator", "manager")}
    return Api(made, tokens)
