"""One field for either kind of token: a personal access token (a JWT that buys short-lived ones), or a legacy token."""

from __future__ import annotations

import base64
import binascii
import json
import threading
import time
from collections.abc import Callable
from typing import Literal

from ..errors import LabelStudioRefused

TokenKind = Literal["personal", "legacy", "none"]

# Label Studio's access tokens live 300 s; one that is used until its last second fails on a slow upload.
REFRESH_AFTER_S = 240.0


class Token:
    """What the operator pasted, as the header that Label Studio wants now.

    `refresh` trades a personal access token for an access token (POST /api/token/refresh); it is called at most once
    per four minutes, from one thread at a time. The token is in no repr and no message.
    """

    def __init__(
        self, value: str, refresh: Callable[[str], str], *, clock: Callable[[], float] = time.monotonic
    ) -> None:
        self._value = value.strip()
        self.kind: TokenKind = kind_of(self._value)
        self._refresh = refresh
        self._clock = clock
        self._lock = threading.Lock()
        self._access = ""
        self._fresh_until = float("-inf")

    def authorization(self) -> dict[str, str]:
        """`{"Authorization": ...}`, or {} where there is no token. Raises what `refresh` raises."""
        if self.kind == "none":
            return {}
        if self.kind == "legacy":
            return {"Authorization": f"Token {self._value}"}
        with self._lock:
            if self._clock() >= self._fresh_until:
                self._access = self._refresh(self._value)
                self._fresh_until = self._clock() + REFRESH_AFTER_S
            return {"Authorization": f"Bearer {self._access}"}

    def outdated(self, authorization: dict[str, str]) -> bool:
        """Label Studio answered 401 to this header. True if asking again with a new one makes sense."""
        if self.kind != "personal":
            return False
        with self._lock:
            if authorization.get("Authorization") == f"Bearer {self._access}":
                self._fresh_until = float("-inf")
            return True

    def __repr__(self) -> str:
        return f"Token({self.kind})"


def kind_of(value: str) -> TokenKind:
    """personal: a JWT with token_type refresh. Raises LabelStudioRefused for an access token, gone in minutes."""
    if not value:
        return "none"
    claims = _claims(value)
    if claims is None:
        return "legacy"
    if claims.get("token_type") == "refresh":
        return "personal"
    raise LabelStudioRefused(
        f"LABEL_STUDIO_API_KEY is a JWT of type {claims.get('token_type')!r}, which lasts five minutes; give the "
        "Personal Access Token itself (Label Studio > Account & Settings > Personal Access Token)"
    )


def _claims(value: str) -> dict[str, object] | None:
    parts = value.split(".")
    if len(parts) != 3:
        return None
    try:
        claims = json.loads(base64.urlsafe_b64decode(parts[1] + "=" * (-len(parts[1]) % 4)))
    except (binascii.Error, ValueError):
        return None
    return claims if isinstance(claims, dict) else None
