"""Where Espalier is: the environment before the file, and secrets for nobody's eyes."""

from __future__ import annotations

import json
import tempfile
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier_labelstudio.connection import DEFAULT_URL, Connection, load, save
from espalier_ontology.tickets import LEAST_SECRET

NAMES = ("url", "secret", "user", "password")
KEPT = Connection("http://kept:9090", "s" * 30, "ann", "a-password")
TEXT: Any = st.text(st.characters(codec="utf-8"), max_size=40)


@pytest.fixture(autouse=True)
def no_environment(monkeypatch: pytest.MonkeyPatch) -> None:
    for name in NAMES:
        monkeypatch.delenv(f"ESPALIER_{name.upper()}", raising=False)


@given(st.builds(Connection, TEXT, TEXT, TEXT, TEXT))
def test_what_was_saved_is_loaded(connection: Connection) -> None:
    with tempfile.TemporaryDirectory() as directory:
        save(Path(directory), connection)
        assert load(Path(directory)) == connection
        (file,) = Path(directory).iterdir()
        assert file.stat().st_mode & 0o777 == 0o600, "for its owner's eyes alone"


@pytest.mark.parametrize("name", NAMES)
def test_what_the_environment_says_wins(name: str, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    save(tmp_path, KEPT)
    monkeypatch.setenv(f"ESPALIER_{name.upper()}", "http://said:1")
    assert load(tmp_path) == replace(KEPT, **{name: "http://said:1"})
    monkeypatch.setenv(f"ESPALIER_{name.upper()}", "")
    assert load(tmp_path) == KEPT


def test_a_later_one_replaces_it_and_leaves_nothing_else(tmp_path: Path) -> None:
    save(tmp_path, KEPT)
    save(tmp_path, Connection("http://later:9090"))
    assert load(tmp_path).url == "http://later:9090"
    assert [path.name for path in tmp_path.iterdir()] == ["espalier.json"]


@pytest.mark.parametrize(
    "text", [b"", b"{", b"[]", b"null", b'"text"', b'{"url": "http://half:1"}', b"\xff\xfe\x00", b"3"]
)
def test_a_file_that_cannot_be_read_is_as_none(text: bytes, tmp_path: Path) -> None:
    (tmp_path / "espalier.json").write_bytes(text)
    assert load(tmp_path) == Connection()
    assert load(tmp_path).url == DEFAULT_URL
    assert not load(tmp_path).is_paired
    assert load(tmp_path / "missing") == Connection()


def test_no_secret_is_in_what_it_looks_like() -> None:
    shown = repr(KEPT) + str(KEPT) + f"{KEPT}"
    assert KEPT.secret not in shown
    assert KEPT.password not in shown
    assert KEPT.url in shown


def test_a_secret_is_made_once_and_is_long_enough(tmp_path: Path) -> None:
    made = Connection().with_secret()
    assert len(made.secret) >= LEAST_SECRET
    assert made.with_secret() is made
    assert Connection().with_secret().secret != made.secret
    save(tmp_path, made)
    assert json.loads((tmp_path / "espalier.json").read_text())["secret"] == made.secret
