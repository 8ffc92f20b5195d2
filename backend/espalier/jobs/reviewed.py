"""What reviews decided about predictions, place by place: approved, corrected, rejected. The web process knows it, too.

A rejected answer is shown no more: neither by /predict, nor by a push, nor in the predictions that Label Studio holds.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from typing import Literal

from espalier_ontology import labeling_config

from ..store.records import Records
from ..store.reviews import ReviewedTask
from ..store.rows import Prediction, Project
from .predicted_items import Place, without

Decision = Literal["approved", "corrected", "rejected"]
DECISIONS: tuple[Decision, ...] = ("approved", "corrected", "rejected")
REJECTED = "rejected"
"""The state of a review's task of which nothing was approved, and of a place."""
_GIVEN = ("selected", "writing", "written", "nothing")
"""States of a review's task whose approved answers are, or are about to be, among its annotations. (`nothing`: people
have said so already.)"""


def decided(told: Iterable[ReviewedTask]) -> dict[int, dict[Place, Decision]]:
    """By task; later reviews win."""
    found: dict[int, dict[Place, Decision]] = {}
    for one in told:
        is_going_on = one.run_state in ("queued", "running")
        review = one.made.get("review", {})
        given = one.state in _GIVEN and (one.state != "selected" or is_going_on)
        gone = is_going_on or bool(review.get("gone"))
        for tag, first, last, decision in review.get("decisions", ()):
            if gone if decision == REJECTED else given:
                found.setdefault(one.task_id, {})[tag, first, last] = decision
    return found


def rejected(records: Records, project_key: str, version: str, task_ids: Iterable[int]) -> dict[int, set[Place]]:
    """By task, the places of which this version's prediction must not be shown any more."""
    ids = list(task_ids)
    if not ids or not records.reviews_of(project_key, version):
        return {}
    by_task = decided(records.reviewed(project_key, version, ids))
    found = {id: {place for place, one in places.items() if one == REJECTED} for id, places in by_task.items()}
    return {id: places for id, places in found.items() if places}


def as_reviewed(records: Records, project: Project, predictions: Mapping[int, Prediction]) -> dict[int, Prediction]:
    """The predictions by task as they may be shown: without what was rejected, and none of which nothing is left."""
    found = dict(predictions)
    for version in {row.version for row in predictions.values()}:
        own = [id for id, row in predictions.items() if row.version == version]
        for id, places in rejected(records, project.key, version, own).items():
            ontology = labeling_config.parse(project.label_config)
            found[id] = replace(found[id], result=without(ontology, found[id].result, places))
            if not found[id].result:
                del found[id]
    return found
