"""Who looks at the pages: a person who signed in, remembered by a signed cookie; without a password, anybody.

The cookie holds a name, a role and when it was given, signed (itsdangerous, as Flask's own sessions are) with a key
that lies in the data directory. Nothing is kept on the server, so a restart signs nobody out.
"""

from __future__ import annotations

import hmac
import os
import secrets
import time
from collections import deque
from dataclasses import dataclass

from flask import Request, Response
from itsdangerous import BadSignature, URLSafeTimedSerializer

from ...errors import BadRequest
from ...settings import Settings
from ...store.records import Records
from ...store.tokens import ROLES, Role

COOKIE = "espalier_session"
HOURS = 12
_WRONG, _WITHIN_S = 10, 300.0
"""So many wrong passwords in that time, and the next is not looked at."""


@dataclass(frozen=True)
class Person:
    name: str
    role: Role
    signed_in: bool = True
    """False where nobody needs to."""

    def may(self, role: Role) -> bool:
        return ROLES.index(self.role) >= ROLES.index(role)


class Sessions:
    def __init__(self, settings: Settings, records: Records) -> None:
        self._user, self._password = settings.basic_auth_user, settings.basic_auth_pass.reveal()
        self._records = records
        self._signer = URLSafeTimedSerializer(_key(settings), salt="espalier-session")
        self._wrong: deque[float] = deque(maxlen=_WRONG)

    @property
    def is_open(self) -> bool:
        """Without a password the backend listens on loopback only, and whoever is there may do everything."""
        return not self._user

    def person(self, request: Request) -> Person | None:
        """Who sent it; None where they must sign in first."""
        known = self._remembered(request.cookies.get(COOKIE, ""))
        if known is None and self.is_open:
            return Person("", ROLES[-1], signed_in=False)
        return known

    def sign_in(self, *, user: str = "", password: str = "", token: str = "") -> Person:
        """Raises BadRequest, in words that do not say which of the two was wrong."""
        now = time.monotonic()
        if len(self._wrong) == _WRONG and now - self._wrong[0] < _WITHIN_S:
            raise BadRequest("too many wrong passwords in a short time: wait five minutes, then try again")
        if token:
            known = self._records.token_of(token.strip())
            if known is not None:
                return Person(f"token {known.name}", known.role)
        elif self._user:
            same = hmac.compare_digest(user.encode(), self._user.encode())
            if hmac.compare_digest(password.encode(), self._password.encode()) and same:
                return Person(user, ROLES[-1])
        self._wrong.append(now)
        raise BadRequest("this token is not known, or holds no more" if token else "user or password is wrong")

    def remember(self, response: Response, person: Person, *, secure: bool) -> Response:
        """Lax: a link from Label Studio opens the page signed in, while no other site can send anything in its name."""
        value = self._signer.dumps({"name": person.name, "role": person.role})
        response.set_cookie(COOKIE, value, max_age=HOURS * 3600, httponly=True, samesite="Lax", secure=secure, path="/")
        return response

    def forget(self, response: Response) -> Response:
        response.delete_cookie(COOKIE, path="/")
        return response

    def _remembered(self, cookie: str) -> Person | None:
        try:
            told = self._signer.loads(cookie, max_age=HOURS * 3600)
            person = Person(str(told["name"]), told["role"])
        except (BadSignature, KeyError, TypeError):
            return None
        if person.name.startswith("token ") and not self._token_holds(person):
            return None
        return person

    def _token_holds(self, person: Person) -> bool:
        """A token that was revoked opens no page any more."""
        known = {(f"token {token.name}", token.role) for token in self._records.tokens()}
        return (person.name, person.role) in known


def _key(settings: Settings) -> bytes:
    """Made once; who may read the data directory may sign in anyway."""
    path = settings.data_dir / "session-key"
    if not path.exists():
        settings.data_dir.mkdir(parents=True, exist_ok=True)
        scratch = path.with_name(f"{path.name}.{os.getpid()}")
        scratch.touch(mode=0o600)
        scratch.write_bytes(secrets.token_bytes(32))
        try:
            os.link(scratch, path)  # the first one stays
        except FileExistsError:
            pass
        finally:
            scratch.unlink()
    return path.read_bytes()
