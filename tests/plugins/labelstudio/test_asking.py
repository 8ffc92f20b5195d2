"""Espalier is asked in the name of one user, within one project, and what goes wrong is said in words."""

from __future__ import annotations

import json
import logging
import threading
import time
from collections.abc import Iterator
from dataclasses import dataclass, field
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any

import pytest

from espalier_labelstudio import failing
from espalier_labelstudio.backend import NO_PROJECT, Asker, Refused, ask
from espalier_labelstudio.connection import Connection
from espalier_ontology.tickets import HEADER, HOLDS_S, Ticket, read

SECRET, PASSWORD = "a secret that two programs share", "a-password-of-espalier"


@dataclass
class Listening:
    """What was asked of it, and what it answers."""

    url: str
    asked: list[tuple[str, str, dict[str, str], bytes]] = field(default_factory=list)
    status: int = 200
    body: bytes = b"{}"


@pytest.fixture
def listening() -> Iterator[Listening]:
    class Handler(BaseHTTPRequestHandler):
        def do_GET(self) -> None:
            length = int(self.headers.get("Content-Length") or 0)
            heard.asked.append((self.command, self.path, dict(self.headers.items()), self.rfile.read(length)))
            self.send_response(heard.status)
            self.send_header("Content-Length", str(len(heard.body)))
            self.end_headers()
            self.wfile.write(heard.body)

        do_POST = do_GET

        def log_message(self, *said: object) -> None:
            pass

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    heard = Listening(f"http://127.0.0.1:{server.server_address[1]}")
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.01})
    thread.start()
    yield heard
    server.shutdown()
    thread.join()
    server.server_close()


@pytest.fixture(autouse=True)
def nothing_said(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(failing, "_said", set())


def connection(url: str) -> Connection:
    return Connection(url, SECRET, "espalier", PASSWORD)


@pytest.mark.parametrize("project", [3, NO_PROJECT])
def test_a_ticket_says_who_and_where_and_not_for_long(listening: Listening, project: int) -> None:
    listening.body = json.dumps({"items": [1]}).encode()
    asker = Asker("ann@example.org", "annotator", project)
    assert ask(connection(listening.url), asker, "POST", "/api/v1/me?a=1", {"tasks": [1]}) == {"items": [1]}
    ((method, path, headers, body),) = listening.asked
    assert (method, path, json.loads(body)) == ("POST", "/api/v1/me?a=1", {"tasks": [1]})
    now = time.time()
    ticket = read(headers[HEADER], SECRET, now=now)
    assert ticket is not None
    assert now < ticket.until <= now + HOLDS_S
    assert ticket == Ticket("ann@example.org", "annotator", ticket.until, project, "/espalier")
    assert "Authorization" not in headers
    assert SECRET not in str(headers)
    assert PASSWORD not in str(headers)


def test_without_a_user_it_knows_the_password(listening: Listening) -> None:
    ask(connection(listening.url + "/below/"), None, "GET", "/health")
    ask(Connection(listening.url), None, "GET", "/health")
    (_, path, first, _), (_, _, second, _) = listening.asked
    assert path == "/below/health"
    assert first["Authorization"].startswith("Basic ")
    assert HEADER not in first
    assert "Authorization" not in second


@pytest.mark.parametrize(
    ("status", "body", "said"),
    [
        (400, b'{"detail": "stride must be 0 or more"}', "stride must be 0 or more"),
        (403, b'{"error": "not yours"}', "not yours"),
        (500, b"<html>", "is not Espalier"),
        (200, b"<html>", "is not Espalier"),
        (404, b"[]", "is not Espalier"),
    ],
)
def test_what_espalier_refuses_it_says(listening: Listening, status: int, body: bytes, said: str) -> None:
    listening.status, listening.body = status, body
    with pytest.raises(Refused, match=said) as refused:
        ask(connection(listening.url), Asker("ann", "viewer"), "GET", "/")
    assert refused.value.status == status


@pytest.mark.parametrize("url", ["", "nonsense", "ftp://a", "http://a:99999", "http://[", "http://a:b"])
def test_what_is_no_address_is_said(url: str) -> None:
    with pytest.raises(Refused, match="ESPALIER_URL"):
        ask(connection(url), None, "GET", "/")


def test_where_nobody_answers_it_is_logged_once_and_without_secrets(caplog: pytest.LogCaptureFixture) -> None:
    caplog.set_level(logging.DEBUG)
    for _ in range(3):
        with pytest.raises(Refused, match="does not answer") as refused:
            ask(connection("http://127.0.0.1:9"), Asker("ann@example.org", "manager", 3), "GET", "/api/v1/me")
        assert refused.value.status == 502
    (record,) = caplog.records
    assert "Espalier" in record.getMessage()
    told: list[Any] = [record.getMessage(), str(refused.value), repr(refused.value)]
    assert not any(secret in text for text in told for secret in (SECRET, PASSWORD))
