"""Reviews: what a person decided about predictions, written to Label Studio as one run that can be taken back.

What was approved or corrected becomes annotations, as a bulk label does (`jobs.bulk_label`): beside nobody's own, each
exactly once. Of what was rejected, the prediction goes: where all of it was, Label Studio's copy is deleted; where
some of it was, it is replaced by the rest. Nothing that a person made is touched, and the prediction is kept here.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

from espalier_ontology.tree import Ontology

from ..errors import BadRequest
from ..labelstudio.client import LabelStudio
from ..store.rows import Prediction, Project, Run
from . import bulk_label, bulk_undo
from .bulk_counts import BulkCounts
from .bulk_labels import Label, check_labels
from .bulk_selection import SelectedFrames
from .bulk_tasks import BulkTask
from .house import House
from .predicted_items import Item, ItemReader, Place
from .progress import Progress
from .review_decisions import Chosen, chosen_in
from .reviewed import REJECTED, as_reviewed

REJECTING = "rejecting"
_AT_ONCE = 25


def is_review(run: Run) -> bool:
    return run.kind == "bulk" and bool(run.parameters.get("review"))


def plan(house: House, project: Project, request: Mapping[str, Any], *, job: str = "") -> Run:
    """Put a review on the books; `write` does the work. Raises BadRequest for what cannot be read or is not known.

    request: version, run (or None), decisions (see `review_decisions`), by, note. A decision about a prediction that is
    not there any more, or answers otherwise now, is refused alone, and the run says so. job: that plans it, as in
    `Records.add_run`.
    """
    version = str(request["version"])
    by_task = chosen_in(request["decisions"])
    ontology = house.ontology(project, (task.data for task in house.records.tasks(project.key, by_task)))
    reader = ItemReader(ontology)
    predictions = house.records.predictions(project.key, version, by_task)
    made: dict[int, dict[str, Any]] = {}
    states: dict[int, str] = {}
    for task_id, chosen in by_task.items():
        row = predictions.get(task_id)
        items = {one.place: one for one in reader.items(task_id, row.result, row.score)} if row else {}
        made[task_id] = _made(ontology, task_id, chosen, items)
        decisions, frames = made[task_id]["review"]["decisions"], made[task_id].get("frames")
        is_rejecting = any(decision == REJECTED for *_, decision in decisions)
        states[task_id] = bulk_label.SELECTED if frames else REJECTING if is_rejecting else bulk_label.REFUSED
    if not any(one["review"]["decisions"] for one in made.values()):
        reasons = {refusal["reason"] for one in made.values() for refusal in one.get("refused", ())}
        raise BadRequest(f"none of these decisions can be kept: {'; '.join(sorted(reasons)) or 'there are none'}")
    parameters = {
        "as": "annotations",
        "labels": [],
        "also_annotated": bool(request.get("also_annotated")),
        "by": str(request.get("by") or ""),
        "note": str(request.get("note") or ""),
        "review": {"version": version, "run": request.get("run")},
    }
    return house.records.add_run(
        project.key,
        parameters,
        previous=project.published,
        total=len(made),
        kind="bulk",
        job=job,
        items=states,
        made=made,
    )


def write(house: House, run: Run, progress: Progress) -> Run:
    """Called again after a kill, it goes on where it was and writes nothing twice."""
    project = house.project(run.project_key)
    made = house.records.made(run.id)
    house.records.set_run(run.id, state="running", total=len(made))
    _withdraw(house, project, run, made, progress)
    states = house.records.run_items(run.id)
    if any(one.get("frames") for one in made.values()):
        counts = bulk_label.give(house, run, progress)
    else:
        counts = BulkCounts()
        for task_id, one in made.items():
            counts.add(BulkTask.from_json(task_id, one), written=False)
    rejected = sum(decision == REJECTED for one in made.values() for *_, decision in one["review"]["decisions"])
    told = {**counts.to_json(), "rejected": rejected}
    done = sum(state != REJECTING for state in states.values())
    return house.records.set_run(run.id, state="done", done=done, counts=told, message=_sentence(counts, rejected))


def undo(house: House, run: Run) -> int:
    """How many annotations were deleted; the predictions that it rejected are shown again."""
    deleted = bulk_undo.undo(house, run)  # from here on it is undone, and rejects nothing
    project = house.project(run.project_key)
    made = house.records.made(run.id)
    again = [task_id for task_id, one in made.items() if one.get("review", {}).get("was_there")]
    client = house.client(project)
    for start in range(0, len(again), _AT_ONCE):
        _show(house, client, project, run, again[start : start + _AT_ONCE], put_back=True)
    if again:
        message = (house.records.run(run.id) or run).message
        house.records.set_run(run.id, message=f"{message}; {_counted(len(again), 'prediction')} shown again")
    return deleted


def _made(ontology: Ontology, task_id: int, chosen: Sequence[Chosen], items: Mapping[Place, Item]) -> dict[str, Any]:
    decisions: list[list[Any]] = []
    frames: list[dict[str, Any]] = []
    refused: list[dict[str, Any]] = []
    for one in chosen:
        try:
            item = _meant(one, items)
            labels = _labels(ontology, one, item)
        except BadRequest as error:
            refused.append({"task": task_id, "label": one.decision, "reason": str(error)})
            continue
        tag, first, last = item.place
        decisions.append([tag, first, last, one.decision])
        if labels:
            selected = SelectedFrames(task_id, tag, first, last, "label studio", labels)
            frames.append(selected.to_json())
    made: dict[str, Any] = {"review": {"decisions": decisions}}
    return made | ({"frames": frames} if frames else {}) | ({"refused": refused} if refused else {})


def _meant(chosen: Chosen, items: Mapping[Place, Item]) -> Item:
    """The item that a decision is about. Raises BadRequest where there is none, or another one than was shown."""
    fitting = [
        item
        for (tag, first, last), item in items.items()
        if chosen.tag in (None, tag) and (chosen.first, chosen.last) == (first, last)
    ]
    if len(fitting) != 1:
        many = "several answers there: name the media tag" if fitting else "no answer there (any more)"
        raise BadRequest(f"the prediction has {many}")
    if chosen.seen and chosen.seen != fitting[0].seen:
        raise BadRequest("the prediction answers otherwise now than when it was looked at: look at it again")
    return fitting[0]


def _labels(ontology: Ontology, chosen: Chosen, item: Item) -> tuple[Label, ...]:
    if chosen.decision == REJECTED:
        return ()
    if chosen.decision == "approved":
        return tuple((answer.classification, answer.option) for answer in item.answers)
    check_labels(ontology, chosen.answers)
    return chosen.answers


def _withdraw(house: House, project: Project, run: Run, made: dict[int, dict[str, Any]], progress: Progress) -> None:
    """Takes what was rejected out of the predictions that Label Studio holds. Changes `made`."""
    client = house.client(project)
    pending = [
        task_id
        for task_id, one in made.items()
        if any(decision == REJECTED for *_, decision in one["review"]["decisions"]) and not one["review"].get("gone")
    ]
    for start in range(0, len(pending), _AT_ONCE):
        progress.make_way()
        some = pending[start : start + _AT_ONCE]
        _show(house, client, project, run, some, made=made)
        states = house.records.run_items(run.id)
        for task_id in some:
            made[task_id]["review"]["gone"] = True
        house.records.set_run_items(
            run.id,
            {id: REJECTED if states[id] == REJECTING else states[id] for id in some},
            {id: made[id] for id in some},
        )
        progress.report(start + len(some), len(pending), "taking rejected predictions away")


def _show(
    house: House,
    client: LabelStudio,
    project: Project,
    run: Run,
    task_ids: Iterable[int],
    *,
    made: dict[int, dict[str, Any]] | None = None,
    put_back: bool = False,
) -> None:
    """Label Studio's copies of these predictions become what may be shown of them. Which were there is noted in `made`
    first, for only those are put back."""
    version = str(run.parameters["review"]["version"])
    ids = sorted(task_ids)
    rows = house.records.predictions(project.key, version, ids)
    wanted = as_reviewed(house.records, project, rows)
    held: dict[int, list[int]] = {}
    for task in client.tasks(project.id, ids):
        own = [int(one["id"]) for one in task["predictions"] if one.get("model_version") == version]
        held[int(task["id"])] = own
    if made is not None:
        there = {id: made[id] for id in ids if held.get(id)}
        for one in there.values():
            one["review"]["was_there"] = True
        states = house.records.run_items(run.id)
        house.records.set_run_items(run.id, {id: states[id] for id in there}, there)
    for prediction in (one for own in held.values() for one in own):
        client.delete_prediction(prediction)
    back = [row for id, row in wanted.items() if put_back or (made and made[id]["review"].get("was_there"))]
    client.import_predictions(project.id, [_wire(row) for row in back if row.task_id in held])


def _wire(row: Prediction) -> dict[str, Any]:
    return {"task": row.task_id, "result": row.result, "score": row.score, "model_version": row.version}


def _sentence(counts: BulkCounts, rejected: int) -> str:
    told = [f"{_counted(counts.written, 'annotation')} in {_counted(counts.tasks, 'task')}"]
    if rejected:
        told.append(f"{_counted(rejected, 'prediction')} rejected")
    if counts.refused:
        told.append(f"{_counted(counts.refused, 'task')} skipped")
    return "; ".join(told)


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
