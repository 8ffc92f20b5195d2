"""Who may ask: basic auth on everything, and for webhooks, on which Label Studio sends none, a secret instead."""

from __future__ import annotations

import hmac

from flask import Response, g, request

from ..labelstudio.webhooks import SECRET_HEADER
from ..settings import Settings
from . import json_body

# Sent by Label Studio's webhooks, which know nothing of the model's basic auth.
_BY_SECRET = frozenset({"/webhook"})
# The pages and the REST API know people by more than a password, and see to it themselves.
_BY_THEMSELVES = ("/panel/", "/api/")


class Auth:
    """Where basic auth is set, every route of the protocol wants it; /webhook takes the webhook secret as well.

    Where only a secret is set, /webhook wants it, except that START_TRAINING (which comes without) may ask for a
    training of a project that is known. Where neither is set, the backend listens on loopback only and is open.
    """

    def __init__(self, settings: Settings) -> None:
        self._user = settings.basic_auth_user
        self._password = settings.basic_auth_pass.reveal()
        self._secret = settings.secret_for_webhooks()

    def check(self) -> Response | None:
        """For `before_request`: None lets the request in."""
        g.trusted = self.knows_password() or (request.path in _BY_SECRET and self._knows_secret())
        if g.trusted or not self._user or request.path.startswith(_BY_THEMSELVES):
            return None
        refusal = json_body.answer({"error": self._sentence()}, 401)
        refusal.headers["WWW-Authenticate"] = 'Basic realm="Espalier"'
        return refusal

    def may_send_events(self) -> bool:
        """Whether this request's events are to be believed, START_TRAINING aside."""
        return bool(g.trusted) or not (self._user or self._secret)

    def refuse_event(self) -> Response:
        return json_body.answer({"error": self._sentence()}, 401)

    def knows_password(self) -> bool:
        given = request.authorization
        if not self._user or given is None or given.type != "basic":
            return False
        # Both are compared in full, so that the time taken tells nothing.
        user = _same(given.username or "", self._user)
        password = _same(given.password or "", self._password)
        return user and password

    def _knows_secret(self) -> bool:
        if not self._secret:
            return False
        return any(
            [
                _same(request.headers.get(SECRET_HEADER, ""), self._secret),
                _same(request.args.get("token", ""), self._secret),
            ]
        )

    def _sentence(self) -> str:
        if request.path in _BY_SECRET:
            return (
                f"this event carries neither basic auth nor the webhook secret: add the header {SECRET_HEADER} to the "
                "webhook in Label Studio (Settings > Webhooks), or set LABEL_STUDIO_API_KEY and Espalier does it itself"
            )
        return (
            "user or password missing or wrong: enter BASIC_AUTH_USER and BASIC_AUTH_PASS in Label Studio under "
            "Settings > Model"
        )


def _same(given: str, wanted: str) -> bool:
    return hmac.compare_digest(given.encode(), wanted.encode())
