"""`espalier token`: made, listed, removed."""

from __future__ import annotations

from pathlib import Path

from espalier.store.records import Records

from .conftest import Espalier


def test_a_token_is_printed_once_and_then_only_listed(espalier: Espalier, data_dir: Path) -> None:
    made = espalier("token", "add", "robot", "--role", "annotator")
    assert made.exit_code == 0, made.output
    sent = made.stdout.strip()
    records = Records.open(f"sqlite:///{data_dir / 'espalier.sqlite'}")
    found = records.token_of(sent)
    records.close()
    assert found is not None
    assert found.role == "annotator"
    listed = espalier("token", "list").stdout
    assert "robot" in listed
    assert "annotator" in listed
    assert sent not in listed
    assert "refused from now on" in espalier("token", "remove", "robot").stdout
    assert "no token yet" in espalier("token", "list").stdout


def test_what_is_wrong_is_one_line(espalier: Espalier) -> None:
    assert espalier("token", "remove", "nobody").output.strip().startswith("Error: there is no token 'nobody'")
    espalier("token", "add", "robot")
    assert "already" in espalier("token", "add", "robot").output
