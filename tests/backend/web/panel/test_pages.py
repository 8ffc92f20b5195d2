"""The pages: who may see them, what a browser may do with them, and that a name is never markup."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest

from espalier.store.tokens import PREFIX
from espalier.web.panel.pages import PAGES

PASSWORD: dict[str, Any] = {"basic_auth_user": "lead", "basic_auth_pass": "correct horse"}
CHOICES = '<Choices name="c" toName="i"><Choice value="a"/><Choice value="b"/></Choices>'
CONFIG = f'<View><Image name="i" value="$i"/>{CHOICES}</View>'
MARKUP = '<img src=x onerror="alert(1)">'


def connected(backend: Any, title: str = "Apples") -> Any:
    backend.client.post(
        "/setup",
        json={"project": "3.1700000000", "schema": CONFIG, "hostname": "http://localhost:8080", "access_token": "t"},
        headers={"Authorization": "Basic bGVhZDpjb3JyZWN0IGhvcnNl"},
    )
    backend.records.put_project("3.1700000000", title=title)
    return backend


def sign_in(backend: Any, **form: str) -> Any:
    return backend.client.post("/panel/sign-in", data=form)


def test_the_first_page_opens_where_nobody_needs_a_password(backend: Any) -> None:
    answer = backend().client.get("/panel/", follow_redirects=True)
    assert answer.status_code == 200
    assert "No project is connected yet" in answer.text


@pytest.mark.parametrize("page", [page.name for page in PAGES])
def test_every_page_opens_for_a_project_and_without_one(backend: Any, page: str) -> None:
    fresh = backend()
    assert fresh.client.get(f"/panel/{page}").status_code == 200
    assert connected(fresh).client.get(f"/panel/{page}?project=3").status_code == 200


def test_with_a_password_a_page_asks_to_sign_in_and_then_opens(backend: Any) -> None:
    one = connected(backend(**PASSWORD))
    refused = one.client.get("/panel/projects?project=3")
    assert refused.status_code == 302
    assert refused.location == "/panel/sign-in?to=/panel/projects?project%3D3"
    assert sign_in(one, user="lead", password="wrong").status_code == 403
    opened = sign_in(one, user="lead", password="correct horse", to="/panel/projects?project=3")
    assert (opened.status_code, opened.location) == (303, "/panel/projects?project=3")
    assert one.client.get("/panel/projects").status_code == 200
    assert one.client.get("/api/v1/projects").json["items"][0]["title"] == "Apples"
    assert one.client.post("/panel/sign-out").status_code == 303
    assert one.client.get("/panel/projects").status_code == 302


@pytest.mark.parametrize(
    "address",
    ["https://evil.example/", "//evil.example", "/\\evil.example", "javascript:alert(1)", "/predict", "/panel/\\evil"],
)
def test_signing_in_leads_to_no_other_site(backend: Any, address: str) -> None:
    answer = sign_in(backend(**PASSWORD), user="lead", password="correct horse", to=address)
    assert answer.location == "/panel/"


def test_a_token_opens_the_pages_with_its_role_until_it_is_revoked(backend: Any) -> None:
    one = backend(**PASSWORD)
    _, text = one.records.create_token("reader", "viewer")
    assert text.startswith(PREFIX)
    assert sign_in(one, token=text).status_code == 303
    assert 'data-role="viewer"' in one.client.get("/panel/projects").text
    one.records.remove_token("reader")
    assert one.client.get("/panel/projects").status_code == 302


def test_after_many_wrong_passwords_none_is_looked_at(backend: Any) -> None:
    one = backend(**PASSWORD)
    for _ in range(10):
        sign_in(one, user="lead", password="guess")
    assert "too many wrong passwords" in sign_in(one, user="lead", password="correct horse").text


def test_a_cookie_that_was_changed_is_nobody_s(backend: Any) -> None:
    one = backend(**PASSWORD)
    sign_in(one, user="lead", password="correct horse")
    cookie = one.client.get_cookie("espalier_session")
    assert (cookie.http_only, cookie.same_site) == (True, "Lax")
    one.client.set_cookie("espalier_session", cookie.value[:-2] + "xx")
    assert one.client.get("/panel/projects").status_code == 302


def test_a_page_runs_its_own_scripts_only_and_stands_in_no_frame(backend: Any) -> None:
    answer = connected(backend()).client.get("/panel/projects")
    policy = answer.headers["Content-Security-Policy"]
    assert "script-src 'self';" in policy
    assert "frame-ancestors 'none'" in policy
    assert "unsafe" not in policy
    assert not re.search(r"<script(?![^>]*(src=|application/json))", answer.text), "an inline script"
    assert not re.search(r"\son\w+=", answer.text), "an inline listener"
    assert " style=" not in answer.text


def test_only_origins_that_were_allowed_may_frame_a_page(backend: Any) -> None:
    answer = backend(embed_origins=("https://labels.example.org",)).client.get("/panel/projects?embed=1")
    assert "frame-ancestors 'self' https://labels.example.org" in answer.headers["Content-Security-Policy"]
    assert "X-Frame-Options" not in answer.headers


def test_names_with_markup_are_shown_as_text(backend: Any) -> None:
    text = connected(backend(), title=MARKUP).client.get("/panel/projects").text
    assert MARKUP not in text
    assert "&lt;img src=x" in text


@pytest.mark.parametrize("headers", [{"Sec-Fetch-Site": "cross-site"}, {"Origin": "https://evil.example"}])
def test_another_site_s_request_is_refused(backend: Any, headers: dict[str, str]) -> None:
    assert backend(**PASSWORD).client.post("/panel/sign-out", headers=headers).status_code == 403


def test_a_foreign_name_that_leads_here_is_refused_where_all_is_open(backend: Any) -> None:
    one = backend()
    assert one.client.get("/panel/projects", headers={"Host": "evil.example:9090"}).status_code == 403
    assert one.client.get("/panel/projects", headers={"Host": "127.0.0.1:9090"}).status_code == 200


def test_a_page_or_a_project_that_is_not_there_is_said_in_words(backend: Any) -> None:
    one = connected(backend())
    assert "There is no such page" in one.client.get("/panel/nothing").text
    assert one.client.get("/panel/static/x/..%2fpages.py").status_code == 404


def test_a_database_that_fails_is_a_page_in_words(backend: Any) -> None:
    one = backend()
    one.records.close()
    Path(one.settings.database.removeprefix("sqlite:///")).write_bytes(b"this is no database" * 100)
    answer = one.client.get("/panel/projects")
    assert answer.status_code == 500
    assert "Something went wrong inside Espalier" in answer.text
    assert "Traceback" not in answer.text
