"""Either kind of token in one field."""

from __future__ import annotations

import base64
import json

import pytest

from espalier.errors import LabelStudioRefused
from espalier.labelstudio.token import REFRESH_AFTER_S, Token, kind_of


def jwt(**claims: object) -> str:
    parts = ({"alg": "HS256", "typ": "JWT"}, claims)
    encoded = [base64.urlsafe_b64encode(json.dumps(part).encode()).decode().rstrip("=") for part in parts]
    return ".".join([*encoded, "c2lnbmF0dXJl"])


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


@pytest.mark.parametrize(
    ("value", "kind"),
    [
        ("", "none"),
        ("3f2a9c01d4", "legacy"),
        ("a.b.c", "legacy"),
        ("a.é.c", "legacy"),
        (jwt(token_type="refresh", user_id="1"), "personal"),
        (f"  {jwt(token_type='refresh')}\n".strip(), "personal"),
    ],
)
def test_the_kind_is_told_by_the_token(value: str, kind: str) -> None:
    assert kind_of(value) == kind


def test_an_access_token_is_refused_before_it_runs_out() -> None:
    with pytest.raises(LabelStudioRefused, match="lasts five minutes; give the Personal Access Token"):
        kind_of(jwt(token_type="access"))


def test_a_personal_token_is_traded_once_in_four_minutes() -> None:
    clock, asked = Clock(), []

    def refresh(personal: str) -> str:
        asked.append(personal)
        return f"access{len(asked)}"

    personal = jwt(token_type="refresh")
    token = Token(f" {personal}\n", refresh, clock=clock)
    assert asked == []
    assert token.authorization() == token.authorization() == {"Authorization": "Bearer access1"}
    clock.now += REFRESH_AFTER_S + 1
    assert token.authorization() == {"Authorization": "Bearer access2"}
    assert asked == [personal, personal]
    assert personal not in repr(token)


def test_a_401_makes_a_personal_token_fresh_again_but_not_twice() -> None:
    accesses = iter(["one", "two", "three"])
    token = Token(jwt(token_type="refresh"), lambda _: next(accesses))
    first = token.authorization()
    assert token.outdated(first)
    assert token.authorization() == {"Authorization": "Bearer two"}
    assert token.outdated(first), "another thread was refused with the old one as well"
    assert token.authorization() == {"Authorization": "Bearer two"}


def test_a_legacy_token_is_sent_as_it_is() -> None:
    token = Token("3f2a", lambda _: "never")
    assert token.authorization() == {"Authorization": "Token 3f2a"}
    assert not token.outdated(token.authorization())
    assert Token("", lambda _: "never").authorization() == {}
