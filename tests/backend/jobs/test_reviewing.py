"""Reviews as far as they go without a Label Studio: items of predictions, what is planned, and what is refused."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import VIDEO_CONFIG, write_pan
from espalier.demo.results import choices, timeline
from espalier.errors import BadRequest
from espalier.jobs import bulk_label, reviewing
from espalier.jobs.bulk_parameters import BulkParameters
from espalier.jobs.bulk_tasks import Giver, Known
from espalier.jobs.predicted_items import ItemReader, without
from espalier.jobs.review_decisions import chosen_in
from espalier.jobs.reviewed import as_reviewed, decided
from espalier.store.rows import Prediction
from espalier_ontology.labeling_config import parse

NESTED = """<View><Image name="m" value="$image"/>
<Choices name="kind" toName="m"><Choice value="Animal"/><Choice value="Plant"/></Choices>
<Choices name="animal" toName="m" visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Animal">
<Choice value="Cat"/><Choice value="Dog"/></Choices></View>"""


def predict(home: Any, results: dict[int, list[dict[str, Any]]], version: str = "v1-run1") -> None:
    rows = [Prediction(home.key, id, version, "x", result, 0.5) for id, result in results.items()]
    home.house.records.put_predictions(rows)


def plan(home: Any, *decisions: dict[str, Any]) -> Any:
    return reviewing.plan(home.house, home.project, {"version": "v1-run1", "decisions": list(decisions)})


@pytest.fixture
def pictures(home: Any) -> Any:
    home.configure(NESTED)
    home.add_tasks([{"image": f"https://example.invalid/{number}.jpg"} for number in range(3)])
    predict(home, {id: choices("m", {"animal": "Cat", "kind": "Animal"}) for id in (1, 2, 3)})
    return home


def test_a_picture_is_one_item_with_parents_first_and_a_video_one_per_range(tmp_path: Path) -> None:
    (item,) = ItemReader(parse(NESTED)).items(1, choices("m", {"animal": "Cat", "kind": "Animal", "gone": "x"}), 0.5)
    assert item.place == ("m", None, None)
    assert [(one.classification, one.option) for one in item.answers] == [("kind", ("Animal",)), ("animal", ("Cat",))]
    assert (item.score, item.doubt) == (0.5, 0.75)
    shots = write_pan(tmp_path / "pan.mp4", seed=1, shots=4)
    items = ItemReader(parse(VIDEO_CONFIG)).items(1, timeline(shots), 0.9)
    assert [one.place[1:] for one in items] == [(shot.start, shot.end) for shot in shots]
    rest = without(parse(VIDEO_CONFIG), timeline(shots), [items[0].place])
    assert ItemReader(parse(VIDEO_CONFIG)).items(1, rest, 0.9) == items[1:]


def test_each_task_gets_what_was_decided_about_it(pictures: Any) -> None:
    corrected = [{"classification": "kind", "option": ["Plant"]}]
    run = plan(pictures, {"task": 1, "approve": True}, {"task": 2, "answers": corrected}, {"task": 3, "reject": True})
    records = pictures.house.records
    assert records.run_items(run.id) == {1: "selected", 2: "selected", 3: "rejecting"}
    frames = {id: bulk_label._selected(made) for id, made in records.made(run.id).items() if "frames" in made}
    parameters = BulkParameters.from_json(run.parameters, frames=frames[1])
    tasks = records.tasks(pictures.key, frames)
    given = Giver(pictures.house, pictures.project, parameters, run.version).give(frames, map(Known, tasks))
    assert [one.given for one in given] == [{"kind: Animal": 1, "animal: Cat": 1}, {"kind: Plant": 1}]
    states = decided(records.reviewed(pictures.key, "v1-run1"))
    assert [next(iter(states[id].values())) for id in (1, 2, 3)] == ["approved", "corrected", "rejected"]


def test_what_was_rejected_is_not_shown_until_the_review_is_undone(pictures: Any) -> None:
    run = plan(pictures, {"task": 3, "reject": True})
    records = pictures.house.records
    rows = records.predictions(pictures.key, "v1-run1", [1, 2, 3])
    assert set(as_reviewed(records, pictures.project, rows)) == {1, 2}
    records.set_run(run.id, state="undone")
    assert as_reviewed(records, pictures.project, rows) == rows


def test_a_decision_about_other_answers_than_were_shown_is_refused_alone(pictures: Any) -> None:
    reader = ItemReader(parse(NESTED))
    row = pictures.house.records.predictions(pictures.key, "v1-run1", [1])[1]
    seen = reader.items(1, row.result, row.score)[0].seen
    predict(pictures, {2: choices("m", {"kind": "Plant"})})
    run = plan(pictures, *({"task": id, "approve": True, "seen": seen} for id in (1, 2, 9)))
    assert pictures.house.records.run_items(run.id) == {1: "selected", 2: "refused", 9: "refused"}
    made = pictures.house.records.made(run.id)
    assert "look at it again" in made[2]["refused"][0]["reason"]
    assert "no answer there" in made[9]["refused"][0]["reason"]
    with pytest.raises(BadRequest, match="none of these decisions"):
        plan(pictures, {"task": 9, "approve": True})


@pytest.mark.parametrize(
    ("decisions", "message"),
    [
        ([], "at least one"),
        ([{"task": 1}], "say one of approve, reject or answers"),
        ([{"task": 1, "approve": True, "reject": True}], "say one of"),
        ([{"task": 1, "approve": True}, {"task": 1, "reject": True}], "two decisions"),
        ([{"task": 1, "answers": [{"classification": "kind"}]}], "an answer must be"),
        ([{"approve": True}], "with a task"),
    ],
    ids=["none", "nothing said", "both", "twice", "no option", "no task"],
)
def test_decisions_are_refused_in_words(decisions: Any, message: str) -> None:
    with pytest.raises(BadRequest, match=message):
        chosen_in(decisions)


def test_planned_again_after_a_kill_it_is_one_review(pictures: Any) -> None:
    """Its decisions are on the books with it, or it is not there."""
    house, asked = pictures.house, {"version": "v1-run1", "decisions": [{"task": 1, "approve": True}]}
    first = reviewing.plan(house, pictures.project, asked, job="a")
    assert reviewing.plan(house, pictures.project, asked, job="a") == first
    other = reviewing.plan(house, pictures.project, asked, job="b")
    assert other.id != first.id
    assert len(house.records.runs(pictures.key)) == 2
    assert house.records.run_items(first.id) == {1: "selected"}
