"""A process that is killed while it writes loses nothing that was acknowledged, and leaves an index that opens."""

from __future__ import annotations

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

WRITER = Path(__file__).with_name("killed_writer.py")


@pytest.mark.parametrize("seed", [1, 2])
def test_nothing_acknowledged_is_lost_when_the_writer_is_killed(tmp_path: Path, seed: int) -> None:
    ended = subprocess.run(
        [sys.executable, str(WRITER), str(tmp_path / "index"), "30", str(seed)],
        env={**os.environ, "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
        timeout=120,
        check=False,
    )
    assert ended.returncode == 0, ended.stderr
    said = json.loads(ended.stdout)
    assert said["save"] >= 2, "kills fell into saves"
    assert said.get("add", 0) + said.get("remove", 0) >= 1, "and into adds and removes"
