"""A directory is whole or not there, whatever ends its writing."""

from __future__ import annotations

import signal
import subprocess
import sys
from pathlib import Path

import pytest

from espalier.whole_directory import mended, replaced

KILLED = """
import os, signal, sys
from pathlib import Path
from espalier.whole_directory import replaced

directory, where = Path(sys.argv[1]), sys.argv[2]
rename = Path.rename

def killed(path, to):
    if where == "before both" or (where == "between" and path.name.endswith(".new")):
        os.kill(os.getpid(), signal.SIGKILL)
    return rename(path, to)

Path.rename = killed
with replaced(directory) as new:
    (new / "a").write_text("new")
    if where == "while it was written":
        os.kill(os.getpid(), signal.SIGKILL)
"""


def write(directory: Path, text: str) -> None:
    with replaced(directory) as new:
        (new / "a").write_text(text)


def test_it_takes_the_place_of_the_old_one(tmp_path: Path) -> None:
    for text in ("first", "second"):
        write(tmp_path / "deep" / "one", text)
        assert (tmp_path / "deep" / "one" / "a").read_text() == text
        assert [path.name for path in (tmp_path / "deep").iterdir()] == ["one"]


def test_an_error_leaves_the_old_one_and_nothing_else(tmp_path: Path) -> None:
    write(tmp_path / "one", "old")
    with pytest.raises(TypeError), replaced(tmp_path / "one") as new:
        (new / "a").write_bytes("new")  # type: ignore[arg-type]
    assert (tmp_path / "one" / "a").read_text() == "old"
    assert [path.name for path in tmp_path.iterdir()] == ["one"]


@pytest.mark.parametrize("where", ["while it was written", "before both", "between"])
def test_a_kill_leaves_the_old_one_to_be_mended(tmp_path: Path, where: str) -> None:
    write(tmp_path / "one", "old")
    write(tmp_path / "one.more", "another")
    ended = subprocess.run([sys.executable, "-c", KILLED, str(tmp_path / "one"), where], check=False)
    assert ended.returncode == -signal.SIGKILL
    mended(tmp_path / "one")
    assert (tmp_path / "one" / "a").read_text() == "old"
    assert sorted(path.name for path in tmp_path.iterdir()) == ["one", "one.more"]
