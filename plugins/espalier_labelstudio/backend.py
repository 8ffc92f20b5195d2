"""Asking Espalier, on behalf of a Label Studio user."""

from __future__ import annotations

import json
import time
from base64 import b64encode
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException, HTTPResponse, HTTPSConnection
from typing import Any
from urllib.parse import urlsplit

from espalier_ontology.tickets import HEADER, HOLDS_S, Role, Ticket, issue

from .connection import Connection
from .failing import say_once

PREFIX = "/espalier"
_TIMEOUT_S = 30.0
NO_PROJECT = 0


class Refused(Exception):
    """Espalier did not do it, or does not answer: the sentence is for people. status: its own; 502 where none came."""

    def __init__(self, sentence: str, status: int = 502) -> None:
        super().__init__(sentence)
        self.status = status


@dataclass(frozen=True)
class Asker:
    """user: an email address. project: the one that all is about; NO_PROJECT for what is about none."""

    user: str
    role: Role
    project: int = NO_PROJECT

    def ticket(self, secret: str) -> str:
        return issue(Ticket(self.user, self.role, time.time() + HOLDS_S, self.project, PREFIX), secret)


def send(
    connection: Connection,
    asker: Asker | None,
    method: str,
    path: str,
    *,
    body: bytes | None = None,
    headers: Mapping[str, str] | None = None,
    timeout_s: float = _TIMEOUT_S,
) -> HTTPResponse:
    """The answer, not yet read; whoever gets it closes it. Without an asker, as who knows the password.

    Raises Refused where nobody answers.
    """
    to = _way(connection.url, timeout_s)
    sent = dict(headers or {})
    if asker is not None:
        sent[HEADER] = asker.ticket(connection.secret)
    elif connection.user:
        sent["Authorization"] = f"Basic {b64encode(f'{connection.user}:{connection.password}'.encode()).decode()}"
    try:
        to.request(method, urlsplit(connection.url).path.rstrip("/") + path, body=body, headers=sent)
        return to.getresponse()
    except (OSError, HTTPException, ValueError) as error:
        to.close()
        say_once(f"what Espalier at {to.host}:{to.port} does", error)
        raise Refused(
            f"Espalier at {connection.url} does not answer ({type(error).__name__}): is it running?"
        ) from error


def whole_of(answer: HTTPResponse, connection: Connection) -> bytes:
    """Raises Refused where it breaks off."""
    try:
        return answer.read()
    except (OSError, HTTPException) as error:
        raise Refused(f"the answer of Espalier at {connection.url} broke off ({type(error).__name__})") from error


def _way(url: str, timeout_s: float) -> HTTPConnection:
    """Not open yet. Raises Refused for what is no address."""
    try:
        parts = urlsplit(url)
        kind = {"http": HTTPConnection, "https": HTTPSConnection}[parts.scheme]
        return kind(parts.hostname or "", parts.port, timeout=timeout_s)
    except (KeyError, ValueError, HTTPException) as error:
        raise Refused("Espalier's address must be like http://127.0.0.1:9090: see ESPALIER_URL", 502) from error


def ask(connection: Connection, asker: Asker | None, method: str, path: str, body: Any = None) -> Any:
    """JSON in and out. Raises Refused with the backend's own sentence."""
    sent = None if body is None else json.dumps(body).encode()
    headers = {"Accept": "application/json"} | ({"Content-Type": "application/json"} if sent is not None else {})
    with send(connection, asker, method, path, body=sent, headers=headers) as answer:
        text, status = whole_of(answer, connection), answer.status
    try:
        told = json.loads(text) if text else None
    except ValueError:
        told = None
    if status >= 400 or (text and told is None):
        words = (told or {}).get("detail") or (told or {}).get("error") if isinstance(told, dict) else None
        raise Refused(str(words or f"what answers at {connection.url} is not Espalier (status {status})"), status)
    return told
