"""Lists as they are drawn; that they arrive is under test against a real Label Studio."""

from __future__ import annotations

from datetime import datetime, timezone
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from PIL import Image

from espalier.demo.results import choices
from espalier.errors import BadRequest, NotTrained
from espalier.jobs import lists
from espalier.jobs.listing import Entry, Listing
from espalier.jobs.progress import Progress
from espalier.jobs.withheld import BLIND, is_drawn
from espalier.store.rows import Revisit

LOOPS = """<View><Image name="image" value="$image"/>
<Choices name="loop" toName="image" choice="single"><Choice value="has a loop"/><Choice value="no loop"/></Choices>
</View>"""
OTHER = {"has a loop": "no loop", "no loop": "has a loop"}


def drawn(home: Any, kind: Any, count: int = 50) -> Listing:
    return lists.draw(home.house, home.key, kind, count, Progress())


@pytest.fixture
def flipped(home: Any) -> tuple[Any, set[int]]:
    """A home with 90 dark and bright pictures, called loops and not, of which these are labeled wrongly."""
    home.configure(LOOPS)
    root = home.house.settings.media_roots[0]
    rng = np.random.default_rng(0)
    for number in range(90):
        bright = number % 2 * 110
        picture = rng.integers(20 + bright, 120 + bright, (48, 48, 3)).astype(np.uint8)
        Image.fromarray(picture).save(root / f"{number}.png")
    tasks = home.add_tasks([{"image": str(root / f"{number}.png")} for number in range(90)])
    wrong = {task["id"] for task in tasks[::17]}
    for task in tasks:
        said = "no loop" if task["id"] % 2 else "has a loop"
        home.annotate(task["id"], choices("image", {"loop": OTHER[said] if task["id"] in wrong else said}))
    home.train()
    return home, wrong


def test_flipped_labels_are_listed_with_what_the_model_says(flipped: Any) -> None:
    home, wrong = flipped
    found = drawn(home, "errors")
    first = found.entries[: len(wrong)]
    assert len({entry.task_id for entry in first} & wrong) >= len(wrong) - 1
    assert [entry.score for entry in found.entries] == sorted(entry.score for entry in found.entries)
    for entry in found.entries:
        (said,) = home.house.records.annotations(home.key, [entry.task_id])
        assert entry.mislabeling == pytest.approx(1 - entry.score)
        assert entry.result[0]["value"] != said.result[0]["value"], "what the model would say instead"
        assert entry.task_id not in entry.neighbors
        assert len(entry.neighbors) == 5
        assert "loop: labeled" in entry.reason
        doubt = entry.doubts[0]
        assert doubt["given"] == [said.result[0]["value"]["choices"]] != doubt["predicted"]
        assert 0 <= doubt["given_confidence"] < doubt["predicted_confidence"] <= 1
    assert {entry.cluster for entry in found.entries} <= {0, 1}, "one for each way to be wrong"
    assert "of 90 tasks that espalier-v1 has learned from may be wrongly labeled" in found.note
    assert len(drawn(home, "errors", 3).entries) == 3


def test_what_was_mended_since_is_not_listed_again(flipped: Any) -> None:
    home, _ = flipped
    task = drawn(home, "errors").entries[0].task_id
    (annotation,) = home.house.records.annotations(home.key, [task])
    home.house.records.mirror_annotations(
        home.key,
        [{"id": annotation.id, "task": task, "result": annotation.result, "updated_at": "2999-01-01T00:00:00Z"}],
    )
    after = drawn(home, "errors")
    assert task not in {entry.task_id for entry in after.entries}
    assert "1 tasks were annotated since" in after.note


def test_a_list_is_kept_whole_and_read_again(tmp_path: Path) -> None:
    listing = Listing("errors", (Entry(7, 0.25, "why", [{"id": "a"}], 3, (1, 2), 0.75), Entry(8, 0.5)), "a note")
    path = tmp_path / "lists" / "v1-errors1.json"
    assert Listing.kept(path) is None
    listing.keep(path)
    assert Listing.kept(path) == listing
    assert [found.name for found in path.parent.iterdir()] == [path.name]


def test_before_a_model_nothing_is_judged(home: Any) -> None:
    home.configure(LOOPS)
    home.digits(4, 0)
    with pytest.raises(NotTrained, match="has no model version"):
        drawn(home, "errors")
    with pytest.raises(BadRequest, match="a list is one of next, errors, revisit"):
        lists.plan(home.house, home.key, "labeling", 5)
    with pytest.raises(BadRequest, match="needs a Label Studio token that works"):
        lists.plan(home.house, home.key, "next", 5)


def test_before_a_model_typical_tasks_of_every_kind_come_first(home: Any) -> None:
    home.configure(LOOPS)
    home.digits(60, 0)
    home.annotate(5, [], was_cancelled=True)
    home.annotate(6, choices("image", {"loop": "no loop"}))
    found = drawn(home, "next", 10)
    assert len({entry.task_id for entry in found.entries}) == 10
    assert not {5, 6} & {entry.task_id for entry in found.entries}, "who skipped one could not tell"
    assert [entry.score for entry in found.entries] == [place / 10 for place in range(10)]
    assert all(entry.reason.startswith("typical: ") and entry.result == [] for entry in found.entries)
    assert len({entry.cluster for entry in found.entries}) >= 3
    assert all(len(entry.neighbors) == 5 for entry in found.entries)
    assert found.note == "chosen from 58 of 58 unlabeled tasks by what is typical, for there is no model yet"
    assert drawn(home, "next", 10) == found, "the same again"


def test_with_a_model_what_it_is_unsure_of_comes_first(home: Any) -> None:
    home.configure(LOOPS)
    tasks, _ = home.digits(120, 40)
    home.train()
    found = drawn(home, "next", 20)
    assert {entry.task_id for entry in found.entries} < {task["id"] for task in tasks[40:]}
    sure = {one.row.task_id: one.row.score for one in home.predict(tasks[40:])}
    listed = [sure[entry.task_id] for entry in found.entries]
    assert sum(listed) / len(listed) < sum(sure.values()) / len(sure) - 0.03
    assert any("unsure of 'loop'" in entry.reason for entry in found.entries)
    assert any(entry.result for entry in found.entries)


def test_a_blind_task_is_listed_without_an_answer(home: Any) -> None:
    home.configure(LOOPS)
    tasks, _ = home.digits(50, 40)
    home.train()
    run = home.house.records.add_run(home.key, {"blind": 0.5}, version="espalier-v1-run1")
    blind = {task["id"] for task in tasks[40:] if is_drawn(run.id, task["id"], 0.5)}
    home.house.records.set_run_items(run.id, dict.fromkeys(blind, BLIND))
    home.house.records.set_run(run.id, state="done")
    found = {entry.task_id: entry.result for entry in drawn(home, "next", 10).entries}
    assert blind
    assert blind <= {task for task, result in found.items() if not result}


def test_answers_in_doubt_are_listed_with_what_the_model_says(flipped: Any) -> None:
    home, _ = flipped
    now = datetime.now(timezone.utc)
    doubted = [3, 4, 5]
    home.house.records.put_revisits(
        Revisit(home.key, task, task, "loop", ("no loop",), f"no loop was split ({task})", now) for task in doubted
    )
    found = drawn(home, "revisit")
    assert {entry.task_id for entry in found.entries} == set(doubted)
    assert all(entry.result and entry.cluster == 0 for entry in found.entries)
    assert {entry.reason for entry in found.entries} == {f"no loop was split ({task})" for task in doubted}
    assert len(drawn(home, "revisit", 2).entries) == 2
