"""Requests that Label Studio hands on: known by a ticket, within one project, below Label Studio's own path."""

from __future__ import annotations

import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import pytest

from espalier.labelstudio import pairing
from espalier_ontology.tickets import HEADER, Ticket, issue

SECRET = "a secret that two programs share"
URL = "http://localhost:8080"
PASSWORD: dict[str, Any] = {"basic_auth_user": "lead", "basic_auth_pass": "correct horse"}
BASIC = {"Authorization": "Basic bGVhZDpjb3JyZWN0IGhvcnNl"}


@pytest.fixture(autouse=True)
def nothing_paired(data_dir: Path) -> Iterator[None]:
    """The data directory is shared by all tests."""
    yield
    pairing.forget(data_dir)


def paired(backend: Any, **more: Any) -> Any:
    one = backend(**PASSWORD)
    for id in (3, 4):
        one.records.put_project(f"{id}.1700000000", id=id, title=f"Project {id}")
    answer = one.client.put("/api/v1/label-studio", json={"url": URL, "secret": SECRET, **more}, headers=BASIC)
    assert answer.status_code == 200, answer.text
    return one


def ticket(**changes: Any) -> dict[str, str]:
    given = {"user": "ann@example.org", "role": "annotator", "until": time.time() + 30, "prefix": "/espalier"}
    return {HEADER: issue(Ticket(**{**given, **changes}), SECRET)}


def test_who_holds_a_ticket_is_known_with_its_role(backend: Any) -> None:
    one = paired(backend)
    assert one.client.get("/api/v1/me").status_code == 401
    told = one.client.get("/api/v1/me", headers=ticket()).json
    assert (told["name"], told["role"]) == ("ann@example.org", "annotator")
    assert one.client.delete("/api/v1/label-studio", headers=ticket()).status_code == 403


def test_a_page_s_addresses_lie_below_label_studio_s_path(backend: Any) -> None:
    page = paired(backend).client.get("/panel/projects?embed=1", headers=ticket())
    assert page.status_code == 200
    assert 'data-api="/espalier/api/v1"' in page.text
    assert 'src="/espalier/panel/static/' in page.text


def test_a_ticket_for_one_project_opens_no_other(backend: Any) -> None:
    one = paired(backend)
    only = ticket(project=3)
    assert [row["id"] for row in one.client.get("/api/v1/projects", headers=only).json["items"]] == [3]
    assert one.client.get("/api/v1/projects/4/versions", headers=only).status_code == 404
    assert one.client.get("/api/v1/projects/3/versions", headers=only).status_code == 200
    assert "Project 4" not in one.client.get("/panel/projects", headers=only).text


@pytest.mark.parametrize("header", ["nonsense", issue(Ticket("a", "manager", time.time() + 30), "x" * 40)])
def test_a_ticket_that_does_not_hold_is_as_none(backend: Any, header: str) -> None:
    assert paired(backend).client.get("/api/v1/me", headers={HEADER: header}).status_code == 401


def test_a_ticket_is_nothing_where_nothing_is_paired(backend: Any) -> None:
    assert backend(**PASSWORD).client.get("/api/v1/me", headers=ticket()).status_code == 401


def test_what_is_secret_is_never_answered(backend: Any) -> None:
    one = paired(backend, token="a-token-of-label-studio")
    answer = one.client.get("/api/v1/label-studio", headers=BASIC)
    assert answer.json == {"url": URL, "has_token": True, "by": "lead"}
    again = one.client.put("/api/v1/label-studio", json={"url": URL, "secret": SECRET + "!"}, headers=BASIC)
    assert again.json["has_token"], "a new secret alone keeps the token"
    one.client.delete("/api/v1/label-studio", headers=BASIC)
    assert one.client.get("/api/v1/label-studio", headers=BASIC).status_code == 404


@pytest.mark.parametrize("body", [{"url": "ftp://x", "secret": SECRET}, {"url": URL, "secret": "short"}])
def test_a_pairing_that_cannot_work_is_refused_in_words(backend: Any, body: dict[str, str]) -> None:
    answer = backend(**PASSWORD).client.put("/api/v1/label-studio", json=body, headers=BASIC)
    assert answer.status_code == 400
    assert "must" in answer.json["detail"]
