"""Who may do what, and how a request that is not carried out is answered."""

from __future__ import annotations

import base64
from collections.abc import Callable
from typing import Any

import pytest

from .conftest import BASIC, KEY, Api

ANN = {"Authorization": "Basic " + base64.b64encode(b"ann:secret").decode()}
ROLES: list[tuple[str, str, object, str]] = [
    ("GET", "/projects", None, "viewer"),
    ("GET", "/projects/1", None, "viewer"),
    ("GET", "/projects/1/ontology", None, "viewer"),
    ("POST", "/projects/1/search", {"query": {"task": 1}}, "viewer"),
    ("POST", "/projects/1/runs/preview", {}, "annotator"),
    ("POST", "/projects/1/runs", {}, "annotator"),
    ("POST", "/projects/1/bulk-labels", {"label": "Weather: Rain", "ids": [1]}, "annotator"),
    ("POST", "/projects/1/lists/next", {}, "annotator"),
    ("POST", "/projects/1/trainings", {}, "manager"),
    ("POST", "/projects/1/tunings", {}, "manager"),
    ("PUT", "/projects/1/cutoffs", {"policy": {}}, "manager"),
    ("PUT", "/projects/1/classifications/Weather/settings", {"settings": {"plugin": "linear"}}, "manager"),
    ("POST", "/projects/1/rollback", {}, "manager"),
]
ORDER = ("viewer", "annotator", "manager")


@pytest.mark.parametrize(("method", "path", "body", "needed"), ROLES, ids=[f"{m} {p}" for m, p, _, _ in ROLES])
@pytest.mark.parametrize("role", ORDER)
def test_roles(api: Api, method: str, path: str, body: object, needed: str, role: str) -> None:
    answer = api.ask(method, path, role=role, json=body)
    allowed = ORDER.index(role) >= ORDER.index(needed)
    assert (answer.status_code in (200, 201, 202)) == allowed, answer.text
    if not allowed:
        assert answer.status_code == 403
        assert needed in answer.get_json()["detail"]


def test_who_is_not_known_is_told_how_to_be(api: Api) -> None:
    answer = api.get("/projects", role=None)
    assert (answer.status_code, answer.mimetype) == (401, "application/problem+json")
    assert "espalier token add" in answer.get_json()["detail"]
    assert "Bearer" in answer.headers["WWW-Authenticate"]


def test_a_person_with_the_password_is_a_manager(api: Api) -> None:
    assert api.get("/me", role=None, headers=ANN).get_json()["role"] == "manager"


def test_a_wrong_token_is_nobody_even_with_a_session(api: Api) -> None:
    assert api.get("/me", role=None, headers={"Authorization": "Bearer nonsense"}).status_code == 401


def test_a_removed_token_opens_nothing(api: Api) -> None:
    assert api.get("/me", role="viewer").status_code == 200
    api.backend.records.remove_token("viewer")
    assert api.get("/me", role="viewer").status_code == 401


def test_what_another_site_sends_is_refused(api: Api) -> None:
    for headers in ({"Sec-Fetch-Site": "cross-site"}, {"Origin": "http://evil.example"}):
        answer = api.ask("POST", "/projects/1/rollback", role=None, json={}, headers={**ANN, **headers})
        assert answer.status_code == 403
    assert api.get("/me", role=None, headers={**ANN, "Sec-Fetch-Site": "cross-site"}).status_code == 200


def test_without_a_password_only_this_machine_may_ask(backend: Callable[..., Any]) -> None:
    client = backend().client
    assert client.get("/api/v1/me").get_json()["role"] == "manager"
    assert client.get("/api/v1/me", headers={"Host": "rebound.example"}).status_code == 403
    assert backend(allowed_hosts=("known.example",)).client.get(
        "/api/v1/me", headers={"Host": "known.example"}
    ).status_code == 200  # fmt: skip


LARGE = b"x" * 20_000_001
PROBLEMS: list[tuple[str, str, str, dict[str, Any], int, str]] = [
    ("no JSON", "POST", "/projects/1/runs", {"data": b"{", "content_type": "application/json"}, 400, "bad-request"),
    ("no address", "GET", "/nothing", {}, 404, "not-found"),
    ("no project", "GET", "/projects/77", {}, 404, "not-found"),
    ("no version", "GET", "/projects/1/versions/v9", {}, 404, "not-found"),
    ("no run", "GET", "/runs/abc", {}, 404, "not-found"),
    ("no job", "GET", "/jobs/abc", {}, 404, "not-found"),
    ("no list", "GET", "/projects/1/lists/best", {}, 404, "not-found"),
    ("no frame", "GET", "/projects/1/thumbnails/99999999999", {}, 404, "not-found"),
    ("a frame beyond 64 bits", "GET", f"/projects/1/thumbnails/{2**70}", {}, 404, "not-found"),
    ("another method", "DELETE", "/projects", {}, 405, "wrong-method"),
    ("another content", "POST", "/projects/1/runs", {"data": "first=1"}, 415, "wrong-content"),
    ("an unknown field", "POST", "/projects/1/runs", {"json": {"frist": 1}}, 422, "not-valid"),
    ("a wrong type", "POST", "/projects/1/runs", {"json": {"first": "1"}}, 422, "not-valid"),
    ("out of range", "POST", "/projects/1/runs", {"json": {"confidence": 2}}, 422, "not-valid"),
    ("a wrong page", "GET", "/projects?limit=0", {}, 422, "not-valid"),
    ("an unknown size", "GET", "/projects/1/thumbnails/1?size=161", {}, 422, "not-valid"),
    ("no picture", "POST", "/projects/1/uploads", {"data": b"<svg>", "content_type": "image/svg"}, 422, "not-valid"),
    ("too large", "POST", "/projects/1/uploads", {"data": LARGE, "content_type": "image/png"}, 413, "too-large"),
]  # fmt: skip


@pytest.mark.parametrize(
    ("method", "path", "more", "status", "kind"), [row[1:] for row in PROBLEMS], ids=[row[0] for row in PROBLEMS]
)
def test_problems(api: Api, method: str, path: str, more: dict[str, Any], status: int, kind: str) -> None:
    answer = api.ask(method, path, **more)
    told = answer.get_json()
    assert (answer.status_code, answer.mimetype) == (status, "application/problem+json"), told
    assert told["type"] == f"urn:espalier:{kind}"
    assert told["status"] == status
    assert told["title"]
    assert told["detail"]


def test_two_projects_of_one_id_are_a_conflict(api: Api) -> None:
    api.backend.records.put_project("1.1800000000", title="Other", label_config="<View/>")
    answer = api.get("/projects/1")
    assert (answer.status_code, answer.get_json()["type"]) == (409, "urn:espalier:conflict")
    assert api.get(f"/projects/{KEY}").status_code == 200


def test_what_we_did_not_foresee_says_nothing_of_the_inside(api: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    def broken() -> list[Any]:
        raise ZeroDivisionError("a secret")

    monkeypatch.setattr(api.backend.records, "projects", broken)
    answer = api.get("/projects")
    assert (answer.status_code, answer.mimetype) == (500, "application/problem+json")
    assert "secret" not in answer.text


def test_label_studio_gets_errors_in_its_own_form(backend: Callable[..., Any]) -> None:
    answer = backend(**BASIC).client.get("/versions")
    assert set(answer.get_json()) == {"error"}
