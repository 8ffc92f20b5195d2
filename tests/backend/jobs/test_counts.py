"""What a run has answered, counted."""

from __future__ import annotations

import json
from typing import Any

from espalier.jobs.counts import Counts
from espalier.jobs.predicting import Predicted
from espalier.store.rows import Prediction
from espalier_ontology.answers import Answer


def predicted(task_id: int, *options: str, message: str = "", warnings: tuple[str, ...] = ()) -> Predicted:
    result: list[dict[str, Any]] = [{"value": option} for option in options]
    answers = tuple(Answer("loop", (option,)) for option in options)
    return Predicted(Prediction("7.1", task_id, "v1", "", result, 0.5, message), answers, 3, warnings)


def test_a_resumed_count_goes_on_where_it_was() -> None:
    first = [predicted(1, "a"), predicted(2, "b", "a"), predicted(3, message="task 3: gone")]
    second = [predicted(4, "a", warnings=("task 4: odd",)), predicted(5)]
    whole, part = Counts(), Counts()
    for one in first:
        part.add(one)
    part = Counts(json.loads(json.dumps(part.to_json())))
    for one in second:
        part.add(one)
    for one in first + second:
        whole.add(one)
    assert part.to_json() == whole.to_json()
    assert whole.to_json() == {
        "tasks": 5,
        "written": 3,
        "blind": 0,
        "frames": 15,
        "answers": {"loop: a": 3, "loop: b": 1},
        "problems": ["task 3: gone", "task 4: odd"],
    }


def test_the_sentence_says_what_was_left_unanswered() -> None:
    counts = Counts()
    counts.add(predicted(1, "a"))
    assert counts.sentence() == "1 of 1 tasks answered (3 frames)"
    counts.add(predicted(2))
    assert counts.sentence() == (
        "1 of 2 tasks answered (6 frames); 1 had nothing above the cutoff or could not be read"
    )


def test_what_is_withheld_is_counted_apart() -> None:
    counts = Counts()
    counts.add(predicted(1, "a"))
    counts.add(predicted(2, "a"), blind=True)
    counts.add(predicted(3), blind=True)
    assert (counts.tasks, counts.written, counts.blind, dict(counts.answers)) == (3, 1, 1, {"loop: a": 1})
    assert counts.sentence() == (
        "1 of 3 tasks answered (9 frames); 1 withheld as the blind sample; "
        "1 had nothing above the cutoff or could not be read"
    )


def test_what_label_studio_refused_was_not_written() -> None:
    counts = Counts()
    counts.add(predicted(1, "a"), refused="task 1: no such task")
    assert (counts.tasks, counts.written, dict(counts.answers)) == (1, 0, {})
    assert counts.problems == ["task 1: no such task"]


def test_problems_are_told_once_and_not_without_end() -> None:
    counts = Counts()
    for number in range(300):
        counts.add(predicted(number, message=f"task {number}: gone", warnings=("the same",)))
    assert counts.problems[:2] == ["task 0: gone", "the same"]
    assert len(counts.problems) == 100
