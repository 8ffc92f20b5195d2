"""`espalier explain`, and what it says where it cannot."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from PIL import Image


def test_a_heat_map_is_written(espalier: Any, project: Any, tmp_path: Path) -> None:
    done = espalier("train", "1", "--here")
    assert done.exit_code == 0, done.output
    to = tmp_path / "heat.png"
    done = espalier("explain", "1", "1", "--to", str(to))
    assert done.exit_code == 0, done.output
    assert f"{to}: loop = " in done.output
    assert "by occlusion, espalier-v1" in done.output
    with Image.open(to) as image:
        assert image.format == "PNG"
    refused = espalier("explain", "1", "999", "--to", str(to))
    assert refused.exit_code == 1
    assert "Error: project 1 has no task 999" in refused.output
    refused = espalier("explain", "1", "1", "--to", str(tmp_path / "no" / "heat.png"))
    assert "cannot be written" in refused.output
