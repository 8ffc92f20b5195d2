"""Tokens: made once, told once, kept as hashes."""

from __future__ import annotations

from pathlib import Path

import pytest
from sqlalchemy import text

from espalier.errors import BadRequest
from espalier.store.records import Records


@pytest.fixture
def records(tmp_path: Path) -> Records:
    return Records.open(f"sqlite:///{tmp_path / 'records.sqlite'}")


def test_a_token_is_known_by_its_text_alone(records: Records) -> None:
    token, sent = records.create_token("robot", "annotator")
    assert records.token_of(sent) == token
    assert (token.name, token.role, token.expires_at) == ("robot", "annotator", None)
    for wrong in ("", "robot", sent[:-1], sent[:-1] + ("a" if sent[-1] != "a" else "b"), sent.upper()):
        assert records.token_of(wrong) is None


def test_the_secret_is_kept_nowhere(records: Records, tmp_path: Path) -> None:
    _, sent = records.create_token("robot", "viewer")
    secret = sent.split("_", 2)[2]
    rows = records.read(lambda connection: connection.execute(text("select * from api_tokens")).all())
    assert secret not in str(rows)
    assert secret not in str(records.tokens())


def test_a_token_runs_out(records: Records) -> None:
    _, held = records.create_token("long", "viewer", days=1)
    _, over = records.create_token("short", "viewer", days=1e-9)
    assert records.token_of(held) is not None
    assert records.token_of(over) is None


def test_a_token_is_removed_by_name_or_id(records: Records) -> None:
    first, sent = records.create_token("first", "viewer")
    second, _ = records.create_token("second", "manager")
    assert [token.name for token in records.tokens()] in (["second", "first"], ["first", "second"])
    assert records.remove_token("first") == first
    assert records.remove_token(second.id) == second
    assert records.token_of(sent) is None
    with pytest.raises(BadRequest, match="no token 'first'"):
        records.remove_token("first")


@pytest.mark.parametrize(
    ("name", "role", "days", "said"),
    [
        ("", "viewer", None, "name"),
        ("a/b", "viewer", None, "name"),
        ("robot", "owner", None, "role"),
        ("robot", "viewer", 0, "days"),
        ("taken", "viewer", None, "already"),
    ],
)
def test_what_is_no_token_is_refused(records: Records, name: str, role: str, days: float | None, said: str) -> None:
    records.create_token("taken", "viewer")
    with pytest.raises(BadRequest, match=said):
        records.create_token(name, role, days=days)
