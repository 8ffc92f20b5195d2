"""`espalier pairs | duplicates | clusters | map | outliers | discover | anomalies`: tables, and JSON for programs."""

from __future__ import annotations

import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from click.testing import Result

from espalier.demo.pictures import write_digits
from espalier.store.records import Records

Espalier = Callable[..., Result]
KEY = "1.1795197302"


def said(result: Result) -> str:
    assert result.exit_code == 0, result.output
    return result.stdout


def told(result: Result) -> Any:
    return json.loads(said(result))


@pytest.fixture
def embedded(espalier: Espalier, project: str) -> str:
    said(espalier("embed", project))
    return project


def test_pairs_are_listed(espalier: Espalier, embedded: str) -> None:
    lines = said(espalier("pairs", embedded, "--k", "3", LABEL_STUDIO_URL="http://studio")).splitlines()
    assert len(lines) == 3
    assert all("http://studio/projects/1/data?task=" in line for line in lines)
    answer = told(espalier("pairs", embedded, "--k", "5", "--labeled", "--against-unlabeled", "--json"))
    for pair in answer["pairs"]:
        assert min(hit["task"] for hit in pair["hits"]) <= 24 < max(hit["task"] for hit in pair["hits"])
        assert all(hit["link"].endswith(f"task={hit['task']}") for hit in pair["hits"])


def test_the_same_picture_in_two_tasks_is_told(
    espalier: Espalier, project: str, data_dir: Path, tmp_path: Path
) -> None:
    records = Records.open(f"sqlite:///{data_dir / 'espalier.sqlite'}")
    same = str(write_digits(tmp_path / "digits", 36)[4].path)
    records.mirror_tasks(KEY, [{"id": 99, "data": {"image": same}}])
    records.close()
    said(espalier("embed", project))
    lines = said(espalier("duplicates", project)).splitlines()
    assert lines[0].startswith("36 frames compared")
    assert lines[1] == "the same: 1 group"
    assert lines[2].startswith("  task 5 frame 1, task 99")
    answer = told(espalier("duplicates", project, "--json", "--min-score", "0.999"))
    assert answer["groups"][0]["hits"][0]["also"] == [99]
    assert answer["min_score"] == pytest.approx(0.999)


def test_clusters_have_sizes_and_members(espalier: Espalier, embedded: str) -> None:
    lines = said(espalier("clusters", embedded, "--count", "3", "--classification", "loop")).splitlines()
    assert len(lines) == 3
    assert "frames" in lines[0]
    one = told(espalier("clusters", embedded, "--count", "3", "--cluster", "1", "--json"))
    assert len(one["hits"]) == one["size"] >= 12
    assert len(said(espalier("clusters", embedded, "--count", "3", "--cluster", "1")).splitlines()) == one["size"]
    wrong = espalier("clusters", embedded, "--count", "3", "--cluster", "9")
    assert wrong.exit_code == 1
    assert "there is no cluster 9; there are 3" in wrong.output


def test_the_map_is_a_table_of_points(espalier: Espalier, embedded: str) -> None:
    assert len(said(espalier("map", embedded, "--method", "pca")).splitlines()) == 36
    answer = told(espalier("map", embedded, "--method", "pca", "--json", "--most", "10"))
    assert {len(column) for column in answer["points"].values()} == {10}


def test_outliers_are_listed_and_can_be_labeled(espalier: Espalier, embedded: str, tmp_path: Path) -> None:
    least = told(espalier("outliers", embedded, "--k", "4", "--json"))["hits"]
    most = told(espalier("outliers", embedded, "--k", "4", "--typical", "--json"))["hits"]
    assert max(hit["score"] for hit in least) < min(hit["score"] for hit in most)
    (tmp_path / "hits.json").write_text(said(espalier("outliers", embedded, "--k", "4", "--unlabeled", "--json")))
    given = espalier("label", embedded, "loop: no loop", "--from", str(tmp_path / "hits.json"), "--dry-run")
    assert "4 predictions in 4 selected tasks" in said(given)


def test_proposals_are_listed_and_can_be_labeled(espalier: Espalier, embedded: str, tmp_path: Path) -> None:
    answer = told(espalier("discover", embedded, "--json"))
    assert answer["unknown"] == 12
    assert answer["proposals"]
    lines = said(espalier("discover", embedded)).splitlines()
    assert lines[0].startswith(f"1: {answer['proposals'][0]['size']} frames, new ")
    (tmp_path / "hits.json").write_text(said(espalier("discover", embedded, "--proposal", "1", "--json")))
    given = espalier("label", embedded, "loop: no loop", "--from", str(tmp_path / "hits.json"), "--dry-run")
    assert f"in {answer['proposals'][0]['size']} selected tasks" in said(given)
    assert "there is no proposal 40" in espalier("discover", embedded, "--proposal", "40").output


def test_anomalies_are_listed_with_their_cutoff(espalier: Espalier, embedded: str) -> None:
    result = espalier("anomalies", embedded, "--normal", "loop: no loop", "--share", "0.2")
    said(result)
    assert "loop: no loop" in result.stderr
    answer = told(espalier("anomalies", embedded, "--normal", "loop: no loop", "--share", "0.2", "--json"))
    assert len(answer["hits"]) == answer["flagged"]
    wrong = espalier("anomalies", embedded, "--normal", "loop: maybe")
    assert wrong.exit_code == 1
    assert "Traceback" not in wrong.output
