"""Archiving: files make room, records stay; nothing that serves, served lately or is in use is touched."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.errors import BadRequest
from espalier.jobs import promotion, serving
from espalier.jobs.archiving import archive
from espalier.jobs.progress import Progress

PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""


def versions(home: Any, count: int) -> list[dict[str, Any]]:
    home.configure(PLAIN)
    tasks, _ = home.digits(16, 16)
    for _ in range(count):
        home.train()
    return list(tasks)


def on_disk(home: Any) -> set[str]:
    return {path.name for path in home.house.version_directory(home.project, "any").parent.iterdir()}


def test_the_newest_stay_and_of_the_others_the_record(home: Any) -> None:
    tasks = versions(home, 1)
    serving.predict(home.house, home.project, tasks, Progress())
    versions(home, 4)
    gone = archive(home.house, home.key, keep=2)
    assert [version.name for version in gone] == ["espalier-v3", "espalier-v2", "espalier-v1"]
    assert on_disk(home) == {"espalier-v4", "espalier-v5"}
    first = home.house.records.version(home.key, "espalier-v1")
    assert (first.directory, first.size_bytes, first.state) == ("", 0, "archived")
    assert first.message.endswith("its files were removed, since 2 newer versions are there")
    assert first.metrics["questions"], "what was known of it stays"
    assert home.house.records.predictions(home.key, "espalier-v1", [task["id"] for task in tasks]) == {}
    assert archive(home.house, home.key, keep=2) == []
    with pytest.raises(BadRequest, match="its files were removed"):
        promotion.promote(home.house, home.key, "espalier-v1")


def test_what_serves_and_what_served_lately_stays_be_it_ever_so_old(home: Any) -> None:
    versions(home, 5)
    promotion.promote(home.house, home.key, "espalier-v1")
    archive(home.house, home.key, keep=1)
    assert on_disk(home) == {"espalier-v1", "espalier-v5"}, "that which serves, and the newest"


def test_what_a_run_goes_by_stays(home: Any) -> None:
    versions(home, 4)
    run = home.house.records.add_run(home.key, {}, version="espalier-v1-run1")
    archive(home.house, home.key, keep=1)
    assert on_disk(home) == {"espalier-v1", "espalier-v4"}
    home.house.records.set_run(run.id, state="done")
    archive(home.house, home.key, keep=1)
    assert on_disk(home) == {"espalier-v4"}


def test_a_refused_candidate_makes_room_too(home: Any) -> None:
    versions(home, 3)
    home.house.records.set_version(home.key, "espalier-v1", state="candidate")
    archive(home.house, home.key, keep=1)
    assert home.house.records.version(home.key, "espalier-v1").state == "archived"


def test_what_a_killed_training_left_in_a_version_goes_with_the_next(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(16, 16)
    draft = home.house.version_directory(home.project, "espalier-v1") / ".model.0123"
    (draft / "000").mkdir(parents=True)
    version = home.train()
    assert {path.name for path in Path(version.directory).parent.iterdir()} >= {"model"}
    assert not draft.exists()


def test_at_least_one_version_stays(home: Any) -> None:
    versions(home, 1)
    with pytest.raises(BadRequest, match="keep at least 1"):
        archive(home.house, home.key, keep=0)
