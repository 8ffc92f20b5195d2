"""What the data directory holds is counted by what it is for."""

from __future__ import annotations

from pathlib import Path

from espalier.checking.storage import free_bytes, stored


def test_files_count_with_what_they_belong_to(tmp_path: Path) -> None:
    (tmp_path / "versions" / "7.1").mkdir(parents=True)
    (tmp_path / "versions" / "7.1" / "model").write_bytes(b"x" * 1000)
    (tmp_path / "espalier.sqlite").write_bytes(b"x" * 200)
    (tmp_path / "espalier.sqlite-wal").write_bytes(b"x" * 100)
    (tmp_path / "notes.txt").write_bytes(b"x")
    found = {one.name: (one.files, one.size_bytes) for one in stored(tmp_path)}
    assert found == {"versions": (1, 1000), "espalier.sqlite": (2, 300), "other": (1, 1)}
    assert stored(tmp_path)[0].name == "versions"
    assert free_bytes(tmp_path) > 0


def test_a_link_that_leads_elsewhere_is_not_followed(tmp_path: Path) -> None:
    (tmp_path / "data").mkdir()
    (tmp_path / "large").write_bytes(b"x" * 10_000)
    (tmp_path / "data" / "media").symlink_to(tmp_path)
    assert sum(one.size_bytes for one in stored(tmp_path / "data")) < 1000
