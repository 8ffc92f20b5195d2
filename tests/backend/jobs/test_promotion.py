"""Promotion by the gate and by hand, and the way back, on real pictures."""

from __future__ import annotations

import json
import shutil
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.demo.results import choices
from espalier.errors import BadModel, BadRequest
from espalier.jobs import promotion, serving
from espalier.jobs.progress import Progress
from espalier.store.rows import Promotion

PLAIN = """<View><Image name="image" value="$image"/>
  <Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="no loop"/></Choices></View>"""
UNANSWERED = {"project_key": "", "at": None}


def annotate(home: Any, tasks: Sequence[Any], digits: Sequence[Any], numbers: Sequence[int] | None = None) -> None:
    """Every task anew, with the answers of its own digit, or of those of other numbers."""
    ontology = home.house.ontology(home.project)
    results = {}
    for task, number in zip(tasks, numbers or range(len(tasks)), strict=True):
        answers = {name: option for name, option in digits[number].answers.items() if name in ontology}
        results[task["id"]] = choices("image", answers)
    home.annotate_all(results, ids=range(1, len(tasks) + 1))


def served(home: Any) -> str | None:
    found: str | None = home.project.served
    return found


def history(home: Any) -> list[tuple[str, str]]:
    return [(row.version, row.by) for row in home.house.records.promotions(home.key)]


def three_versions(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    for _ in range(3):
        home.train()


def test_a_roll_back_that_is_done_again_after_a_kill_leaves_what_serves_by_now(home: Any) -> None:
    three_versions(home)
    of_job = Progress(home.house.queues.redis, "a")
    assert promotion.roll_back(home.house, home.key, progress=of_job).name == "espalier-v2"
    promotion.promote(home.house, home.key, "espalier-v3")
    assert promotion.roll_back(home.house, home.key, progress=of_job).name == "espalier-v2"
    assert served(home) == "espalier-v3"


def test_the_first_version_serves_and_the_next_if_it_is_not_worse(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(60, 50)
    first = home.train()
    assert first.state == "promoted"
    assert first.gate["reasons"] == ["the first version"]
    annotate(home, tasks, digits)
    second = home.train()
    print(second.gate["reasons"])
    assert (second.state, served(home)) == ("promoted", "espalier-v2")
    assert second.gate["figures"]["against"] == "espalier-v1"
    row = home.house.records.promotions(home.key)[0]
    assert (row.version, row.previous, row.by) == ("espalier-v2", "espalier-v1", "gate")
    assert row.reason.startswith("not worse than the version that served: macro-F1")


def test_a_version_trained_on_shuffled_labels_is_refused_and_says_why(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(150, 150)
    home.train()
    annotate(home, tasks, digits, np.random.default_rng(0).permutation(len(tasks)).tolist())
    refused = home.train()
    print(refused.message)
    assert (refused.state, refused.gate["promote"], served(home)) == ("candidate", False, "espalier-v1")
    assert refused.message.startswith("not promoted, espalier-v1 goes on serving: ")
    assert "macro-F1" in refused.gate["reasons"][0]
    assert refused.gate["figures"]["macro_f1"]["interval"][1] < 0
    assert [row.name for row in home.house.records.versions(home.key)] == ["espalier-v2", "espalier-v1"]
    assert history(home) == [("espalier-v1", "gate")]
    json.dumps(refused.gate)

    annotate(home, tasks, digits)
    assert home.train().state == "promoted", "put right, the project goes on learning"


def test_a_person_may_promote_what_the_gate_refused(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(150, 150)
    home.train()
    annotate(home, tasks, digits, np.random.default_rng(0).permutation(len(tasks)).tolist())
    refused = home.train()
    promoted = promotion.promote(home.house, home.key, refused.name, reason="they are meant so")
    assert promoted == home.house.records.version(home.key, refused.name)
    assert (promoted.state, served(home), home.project.published) == ("promoted", refused.name, refused.name)
    assert promoted.gate == refused.gate, "the verdict stays"
    newest = home.house.records.promotions(home.key)[0]
    assert (newest.by, newest.reason) == ("person", "they are meant so")


def test_rolled_back_predictions_are_the_same_byte_for_byte(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, digits = home.digits(80, 40)
    home.train()

    def predicted() -> str:
        serving.predict(home.house, home.project, tasks, Progress())
        rows = home.house.records.predictions(home.key, served(home), [task["id"] for task in tasks])
        return json.dumps({id: (row.result, row.score, row.inputs) for id, row in rows.items()})

    before = predicted()
    annotate(home, tasks, digits)
    promotion.promote(home.house, home.key, home.train().name)
    assert served(home) == "espalier-v2"
    after = predicted()
    assert after != before, "another model, other confidences"
    assert promotion.roll_back(home.house, home.key).name == "espalier-v1"
    assert predicted() == before, "those that were kept"
    assert home.house.records.drop_predictions(home.key, "espalier-v1") == len(tasks)
    home.house._models.clear()
    assert predicted() == before, "made anew, from what is on disk"


def test_roll_backs_go_further_and_further_back(home: Any) -> None:
    three_versions(home)
    assert served(home) == "espalier-v3"
    assert promotion.roll_back(home.house, home.key, reason="it is worse on snow").name == "espalier-v2"
    assert home.house.records.promotions(home.key)[0].reason == "rolled back from espalier-v3: it is worse on snow"
    assert promotion.roll_back(home.house, home.key).name == "espalier-v1"
    with pytest.raises(BadRequest, match="no version served before espalier-v1"):
        promotion.roll_back(home.house, home.key)
    assert history(home)[:2] == [("espalier-v1", "rollback"), ("espalier-v2", "rollback")]
    states = {row.name: row.state for row in home.house.records.versions(home.key)}
    assert states == {"espalier-v1": "promoted", "espalier-v2": "archived", "espalier-v3": "archived"}


def test_after_a_promotion_by_hand_the_way_back_is_to_what_served_then(home: Any) -> None:
    three_versions(home)
    promotion.promote(home.house, home.key, "espalier-v1")
    assert promotion.roll_back(home.house, home.key).name == "espalier-v3"
    assert promotion.roll_back(home.house, home.key).name == "espalier-v2"


def test_after_a_roll_back_learning_goes_on_from_there(home: Any) -> None:
    three_versions(home)
    promotion.roll_back(home.house, home.key)
    fourth = home.train()
    assert (fourth.state, fourth.parent) == ("promoted", "espalier-v2")
    assert promotion.roll_back(home.house, home.key).name == "espalier-v2"


def test_what_has_no_files_any_more_is_passed_over(home: Any) -> None:
    three_versions(home)
    shutil.rmtree(home.house.version_directory(home.project, "espalier-v2"))
    assert promotion.roll_back(home.house, home.key).name == "espalier-v1"


def test_nothing_to_go_back_to_is_said(home: Any) -> None:
    home.configure(PLAIN)
    with pytest.raises(BadRequest, match="no version serves yet"):
        promotion.roll_back(home.house, home.key)


def test_what_cannot_serve_is_not_promoted(home: Any) -> None:
    three_versions(home)
    with pytest.raises(BadRequest, match="no model version 'v9'; it has espalier-v3, espalier-v2"):
        promotion.promote(home.house, home.key, "v9")
    home.house.records.set_version(home.key, "espalier-v1", state="failed", message="out of memory")
    with pytest.raises(BadRequest, match=r"it is failed \(out of memory\)"):
        promotion.promote(home.house, home.key, "espalier-v1")
    second = home.house.records.version(home.key, "espalier-v2")
    (Path(second.directory) / "model.json").write_text("{}")
    home.house._models.clear()
    with pytest.raises(BadModel):
        promotion.promote(home.house, home.key, "espalier-v2")
    shutil.rmtree(second.directory)
    with pytest.raises(BadRequest, match="its files were removed"):
        promotion.promote(home.house, home.key, "espalier-v2")
    assert served(home) == "espalier-v3"


def test_a_model_that_cannot_be_read_does_not_stand_in_the_way(home: Any) -> None:
    home.configure(PLAIN)
    home.digits(20, 20)
    first = home.train()
    (Path(first.directory) / "model.json").write_text("{}")
    home.house._models.clear()
    second = home.train()
    assert second.state == "promoted"
    assert "espalier-v1, which served, cannot be compared with" in second.gate["reasons"][0]


def test_frames_labeled_since_are_judged_for_both(home: Any) -> None:
    home.configure(PLAIN)
    tasks, digits = home.digits(60, 30)
    home.train()
    annotate(home, tasks, digits)
    assert home.train().gate["figures"]["frames"] > 50


def test_the_version_that_serves_goes_on_where_the_configuration_changed(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    tasks, _ = home.digits(60, 60)
    version = home.train()

    def answers(name: str) -> list[Any]:
        return [
            [answer.option for answer in one.answers if answer.classification == name] for one in home.predict(tasks)
        ]

    loop, open_digit = answers("loop"), answers("open digit")
    home.configure(
        IMAGE_CONFIG.replace('name="looped digit"', 'name="digit with a loop"').replace(
            '<Choice value="7" hotkey="7"/>', ""
        )
    )
    assert home.project.served == version.name
    assert answers("loop") == loop, "what is unchanged"
    assert answers("looped digit") == answers("digit with a loop") == [[]] * 60, "gone, and not learned yet"
    assert answers("open digit") == [[one for one in found if one != ("7",)] for found in open_digit]
    assert [("7",)] in open_digit


@pytest.mark.parametrize(
    ("steps", "before"),
    [
        (["v1"], []),
        (["v1", "v2", "v3"], ["v1", "v2"]),
        (["v1", "v2", "v3", "<v2"], ["v1"]),
        (["v1", "v2", "v3", "<v1"], []),
        (["v1", "v2", "v3", "<v2", "v4"], ["v1", "v2"]),
        (["v1", "v2", "v1"], ["v2"]),
        (["v1", "v2", "v1", "<v2"], ["v1"]),
    ],
    ids=["one", "three", "back", "back twice at once", "back and on", "by hand", "by hand and back"],
)
def test_what_served_before(steps: list[str], before: list[str]) -> None:
    newest_first: list[Promotion] = []
    for number, step in enumerate(steps, 1):
        previous = newest_first[0].version if newest_first else None
        by: Any = "rollback" if step.startswith("<") else "gate"
        row: dict[str, Any] = {"number": number, "version": step.lstrip("<"), "previous": previous, "by": by}
        newest_first.insert(0, Promotion(**row, **UNANSWERED, reason=""))  # type: ignore[arg-type]
    assert promotion._served_before(newest_first) == before
