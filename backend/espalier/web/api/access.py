"""Who asks the REST API: a person by basic auth or a session, or a program by its token; and what they may do."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol
from urllib.parse import urlsplit

from flask import Response, g, request

from ...settings import Settings
from ...store.records import Records
from ...store.tokens import ROLES, Role
from ..cross_site import comes_from_elsewhere, is_renamed
from . import problem

_CHALLENGES = 'Basic realm="Espalier", Bearer realm="Espalier"'


@dataclass(frozen=True)
class Person:
    """Who asks: what they may do, and how they are called in a log."""

    role: Role
    name: str = ""


class Known(Protocol):
    @property
    def role(self) -> Role: ...

    @property
    def name(self) -> str: ...


Recognise = Callable[[], "Known | None"]
"""Looks at the current request; None where it does not know who asks."""


class Access:
    """Whoever knows the password is a manager. A token holds the role that it was made with, whoever else may come in.

    Where no password is set, the backend listens on loopback only, and who sends no token is a manager too, as long as
    they call it by a name of this machine: a foreign name that leads here is another site's page at work. A request
    that a browser sends on behalf of another site is refused, for it carries the person's password without their doing.
    """

    def __init__(self, settings: Settings, records: Records, *, knows_password: Callable[[], bool]) -> None:
        self._records = records
        self._knows_password = knows_password
        self._is_open = not settings.basic_auth_user
        self._hosts = {settings.host, *settings.allowed_hosts}
        self._ways: list[Recognise] = []

    def also_by(self, recognise: Recognise) -> None:
        """Another way to know who asks, such as a session of the panel; asked where there is no token."""
        self._ways.append(recognise)

    def check(self) -> Response | None:
        """For `before_request`: None lets the request in, with its role in `g.role` and a name in `g.who`."""
        if not request.path.startswith(problem.PREFIX):
            return None
        if comes_from_elsewhere():
            return problem.answer(403, "another site sent this request: open Espalier's own address, or use a token")
        given = request.authorization
        person = self.person()
        if person is not None:
            g.role, g.who = person.role, person.name
            return None
        if given is not None and given.type == "bearer":
            return _unknown("this token is not known, was removed, or has run out: `espalier token add` makes one")
        if self._is_open:
            return problem.answer(
                403,
                f"this backend has no password, and so answers as localhost alone, not as {request.host[:80]!r}: add "
                f"that name to ESPALIER_ALLOWED_HOSTS, set BASIC_AUTH_USER and BASIC_AUTH_PASS, or send a token",
            )
        return _unknown(
            "sign in with BASIC_AUTH_USER and BASIC_AUTH_PASS, or send `Authorization: Bearer <token>` with a token of "
            "`espalier token add`"
        )

    def person(self) -> Known | None:
        """Who sends the current request; None where that is not known. A wrong token is nobody, whoever else asks."""
        given = request.authorization
        if given is not None and given.type == "bearer":
            token = self._records.token_of(given.token or "")
            return Person(token.role, f"token {token.name}") if token is not None else None
        for recognise in self._ways:
            if (found := recognise()) is not None:
                return found
        if self._knows_password() or (self._is_open and self._is_at_home()):
            return Person(ROLES[-1], (given.username or "") if given is not None else "")
        return None

    def _is_at_home(self) -> bool:
        return not is_renamed() or (urlsplit(f"//{request.host}").hostname or "") in self._hosts


def may(role: Role) -> bool:
    """Whether who sends the current request may do what this role may."""
    return ROLES.index(g.role) >= ROLES.index(role)


def require(role: Role) -> None:
    """Raises Refused (403) where who asks may do less."""
    if not may(role):
        raise problem.Refused(
            403,
            f"{g.who or 'who asks'} is a {g.role}, and this takes a {role}: use another token "
            f"(`espalier token add NAME --role {role}`)",
        )


def _unknown(sentence: str) -> Response:
    return problem.answer(401, sentence, {"WWW-Authenticate": _CHALLENGES})
