"""Tickets: who a Label Studio says its user is, signed with a secret that it shares with this backend, for a minute.

They stand on the ground floor because both sides use them, and Label Studio's side has the standard library alone. A
ticket is `<payload>.<signature>`, both base64url: JSON, and its HMAC-SHA256 (RFC 2104).
"""

from __future__ import annotations

import base64
import binascii
import hashlib
import hmac
import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from typing import Any, Literal

HEADER = "X-Espalier-Ticket"
HOLDS_S = 60
LEAST_SECRET = 24
"""Letters of a secret that is worth the name."""

Role = Literal["viewer", "annotator", "manager"]
ROLES: tuple[Role, ...] = ("viewer", "annotator", "manager")


@dataclass(frozen=True)
class Ticket:
    """user: an email address, for people. project: the one that it is about; None where the user may see all.

    prefix: below which path Label Studio hands requests on, such as /espalier. until: unix seconds.
    """

    user: str
    role: Role
    until: float
    project: int | None = None
    prefix: str = ""


def issue(ticket: Ticket, secret: str) -> str:
    payload = base64.urlsafe_b64encode(json.dumps(asdict(ticket)).encode()).decode().rstrip("=")
    return f"{payload}.{_signature(payload, secret)}"


def read(text: str, secret: str, *, now: float) -> Ticket | None:
    """None for one that was not signed with this secret, holds no more, or holds for longer than any should."""
    payload, _, signature = text.partition(".")
    if len(secret) < LEAST_SECRET or not hmac.compare_digest(signature.encode(), _signature(payload, secret).encode()):
        return None
    try:
        ticket = _from_json(json.loads(base64.urlsafe_b64decode(payload + "=" * (-len(payload) % 4))))
    except (ValueError, TypeError, KeyError, binascii.Error):
        return None
    return ticket if now <= ticket.until <= now + 2 * HOLDS_S else None


def _signature(payload: str, secret: str) -> str:
    digest = hmac.new(secret.encode(), payload.encode(), hashlib.sha256).digest()
    return base64.urlsafe_b64encode(digest).decode().rstrip("=")


def _from_json(value: Mapping[str, Any]) -> Ticket:
    project = value["project"]
    ticket = Ticket(str(value["user"]), value["role"], float(value["until"]), project, str(value["prefix"]))
    if ticket.role not in ROLES or not (project is None or isinstance(project, int)):
        raise ValueError("no ticket")
    return ticket
