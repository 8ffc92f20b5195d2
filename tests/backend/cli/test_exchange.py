"""`espalier import` and `espalier export`, as far as they go without a Label Studio."""

from __future__ import annotations

import csv
import io
import json
import zipfile
from collections.abc import Callable
from pathlib import Path

from click.testing import Result

Espalier = Callable[..., Result]


def test_labels_are_taken_away_and_read_again(espalier: Espalier, project: str, tmp_path: Path) -> None:
    table = tmp_path / "labels.csv"
    told = espalier("export", project, "labels", "--to", str(table))
    assert told.exit_code == 0, told.output
    rows = list(csv.DictReader(io.StringIO(table.read_text())))
    assert len({row["task"] for row in rows}) == 24
    assert espalier("export", project, "labels", "--to", str(table)).exit_code == 1, "it is there already"
    piped = espalier("export", project, "labels", "--format", "csv")
    assert piped.stdout.replace("\r\n", "\n") == table.read_text()
    assert len(json.loads(espalier("export", project, "labels").stdout)) == 36
    again = espalier("import", project, str(table), "--also-annotated", "--dry-run", "--json")
    assert again.exit_code == 0, again.output
    counts = json.loads(again.stdout)
    assert (counts["tasks"], counts["problem_count"], counts["counts"]["written"]) == (24, 0, 0)


def test_a_dry_run_tells_every_row_that_is_not_understood(espalier: Espalier, project: str, tmp_path: Path) -> None:
    table, report = tmp_path / "labels.csv", tmp_path / "report.csv"
    names = [path.name for path in sorted((tmp_path / "digits").iterdir())]
    table.write_text(f"filename;loop\n{names[-1]};has a loop\n{names[-2]};no lop\n=gone.png;no loop\n")
    told = espalier("import", project, str(table), "--dry-run", "--report", str(report))
    assert told.exit_code == 0, told.output
    assert "column loop: labels of loop" in told.stdout
    assert "row 3: 'no lop': 'loop' has no such option" in told.stdout
    assert "row 4: '=gone.png': no task of the project shows this file" in told.stdout
    assert "1 annotation in 1 selected task" in told.stdout
    assert [row[:2] for row in csv.reader(io.StringIO(report.read_text()))][1:] == [
        ["3", "no lop"],
        ["4", "'=gone.png"],
    ]
    left = espalier("import", project, str(table), "--dry-run", "--column", "loop=")
    assert "no column of labels is found" in left.output
    assert espalier("import", project, str(table), "--dry-run", "--column", "loop").exit_code == 1


def test_pictures_are_taken_away_in_directories_and_read_again(
    espalier: Espalier, project: str, tmp_path: Path
) -> None:
    path = tmp_path / "pictures.zip"
    told = espalier("export", project, "folders", "--by", "loop", "--to", str(path))
    assert told.exit_code == 0, told.output
    assert "24 files of 24 tasks" in told.output
    with zipfile.ZipFile(path) as archive:
        assert {name.partition("/")[0] for name in archive.namelist()} == {"has a loop", "no loop"}
        archive.extractall(tmp_path / "sorted")
    again = espalier("import", project, str(tmp_path / "sorted"), "--also-annotated", "--dry-run")
    assert "24 pictures understood, about 24 tasks" in again.stdout
    assert "24 frames had it already" in again.stdout
    nothing = espalier("export", project, "judged", "--to", str(tmp_path / "judged.zip"))
    assert nothing.exit_code == 1
    assert "nothing is predicted yet" in nothing.output
    assert not (tmp_path / "judged.zip").exists()
