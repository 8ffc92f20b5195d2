"""promote, rollback and archive, and what `versions` then shows, on a real project."""

from __future__ import annotations

import json
from pathlib import Path
from typing import Any


def served(espalier: Any, project: str) -> str:
    found: str = json.loads(espalier("versions", project, "--json").output)["served"]
    return found


def test_there_and_back_again(espalier: Any, project: str) -> None:
    for _ in range(2):
        assert espalier("train", project, "--here").exit_code == 0
    assert served(espalier, project) == "espalier-v2"
    back = espalier("rollback", project, "--reason", "worse on sevens")
    assert (back.exit_code, back.output) == (0, "espalier-v1 serves now instead of espalier-v2\n")
    again = espalier("rollback", project)
    assert again.exit_code == 1
    assert "has nothing to go back to: no version served before espalier-v1" in again.output
    there = espalier("promote", project, "espalier-v2")
    assert (there.exit_code, there.output) == (0, "espalier-v2 serves now instead of espalier-v1\n")
    history = espalier("versions", project, "--history").output.splitlines()
    assert len(history) == 4
    assert "espalier-v2  instead of espalier-v1  by hand" in history[0]
    assert "espalier-v1  instead of espalier-v2  by hand, back  rolled back from espalier-v2: worse on s" in history[1]
    assert "by the gate" in history[2]
    assert history[3].split()[2] == "espalier-v1"
    assert history[3].endswith("the first version")
    assert "no model version 'v9'; it has espalier-v2, espalier-v1" in espalier("promote", project, "v9").output


def test_all_that_is_known_is_there_for_programs(espalier: Any, project: str) -> None:
    assert espalier("train", project, "--here").exit_code == 0
    told = json.loads(espalier("versions", project, "--json").output)
    (version,), (promotion,) = told["versions"], told["promotions"]
    assert (version["name"], version["state"], version["gate"]["promote"]) == ("espalier-v1", "promoted", True)
    assert version["trained_on"]["media"] == 24
    assert version["size_bytes"] > 1000
    assert version["created_at"].endswith("+00:00")
    assert (promotion["version"], promotion["by"]) == ("espalier-v1", "gate")
    shown = espalier("versions", project).output
    assert "24 frames of 24 media (" in shown
    assert "    gate: the first version" in shown


def test_old_files_make_room(espalier: Any, project: str, data_dir: Path) -> None:
    for _ in range(3):
        assert espalier("train", project, "--here").exit_code == 0
    assert espalier("archive", project).output == "nothing to remove\n"
    result = espalier("archive", project, "--keep", "1")
    assert result.output == "the files of 2 versions were removed\n    espalier-v2\n    espalier-v1\n"
    assert [path.name for path in data_dir.glob("versions/*/*")] == ["espalier-v3"]
    assert "its files were removed" in espalier("promote", project, "espalier-v1").output
    assert "nothing to go back to" in espalier("rollback", project).output
