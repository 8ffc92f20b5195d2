"""Bulk label: labels that a person gives to many frames at once, as predictions or as annotations.

A run like any other: planned, tried out, written task by task, cancelled, gone on with after a kill, and undone. What a
person made is never touched: what is given is written as a prediction or an annotation of its own. Predictions carry
the run's version. Annotations are marked as created in bulk and carry the run's number as their import_id; they come
back as events and are learned from, for a person gave them.
"""

from __future__ import annotations

import re
import secrets
from collections.abc import Iterable, Mapping
from typing import Any
from uuid import UUID, uuid5

from ..errors import BadRequest
from ..labelstudio.client import LabelStudio
from ..store.records import Records
from ..store.rows import Annotation, Project, Run
from ..store.wire_rows import annotation_row, task_row
from .bulk_counts import BulkCounts
from .bulk_frames import by_task, of_ids
from .bulk_parameters import BulkParameters
from .bulk_selection import SelectedFrames
from .bulk_tasks import BulkTask, Giver, Known
from .house import House
from .progress import Progress
from .publishing import publish

SELECTED, WRITING, WRITTEN, NOTHING, REFUSED = "selected", "writing", "written", "nothing", "refused"
_NAMESPACE = UUID("7b7c4b0e-6a0c-4f5e-9a53-2f6d3f0d7a51")
_AT_ONCE = 25
_SEEN_AT_ONCE = 500


def plan(records: Records, project: Project, parameters: BulkParameters, *, job: str = "") -> Run:
    """Put a bulk label on the books, with the frames that were selected; `write` does the work.

    Knows no model and no Label Studio. Check the parameters against the ontology before. job: that plans it, as in
    `Records.add_run`.
    """
    selected = by_task((*parameters.frames, *of_ids(records, project, parameters.ids)))
    taken = sum(run.kind == "bulk" for run in records.runs(project.key))
    label = "review" if parameters.review else "import"
    if parameters.labels:
        label = re.sub(r"\W+", "-", parameters.labels[0][1][-1]).strip("-")[:30]
    # Two that are planned at once, or in another data directory, must not share a name: undo deletes by it.
    name = "-".join(filter(None, (f"bulk{taken + 1}", label, secrets.token_hex(2))))
    return records.add_run(
        project.key,
        parameters.to_json(),
        version=name,
        previous=project.published,
        total=len(selected),
        kind="bulk",
        job=job,
        items=dict.fromkeys(selected, SELECTED),
        made={task_id: {"frames": [one.to_json() for one in frames]} for task_id, frames in selected.items()},
    )


def preview(
    house: House, project: Project, parameters: BulkParameters, progress: Progress | None = None
) -> dict[str, Any]:
    """What `plan` and `write` would give, counted, by what is known here of people's answers; nothing is written."""
    check(house, project, parameters)
    selected = by_task((*parameters.frames, *of_ids(house.records, project, parameters.ids)))
    giver = Giver(house, project, parameters, "preview", house.records.made_annotations(project.key))
    counts = BulkCounts()
    ids = list(selected)
    for start in range(0, len(ids), _SEEN_AT_ONCE):
        some = {task_id: selected[task_id] for task_id in ids[start : start + _SEEN_AT_ONCE]}
        for one in giver.give(some, _known_here(house, project, some)):
            counts.add(one, written=bool(one.result))
        (progress or Progress()).report(counts.tasks, len(ids), f"{counts.tasks} of {len(ids)} tasks")
    return {"as": parameters.as_, **counts.to_json()}


def check(house: House, project: Project, parameters: BulkParameters) -> None:
    """Raises BadRequest for what the project's ontology does not ask."""
    ontology = house.ontology(project)
    if any(classification.dynamic_field for classification in ontology):
        ontology = house.ontology(project, (task.data for task in house.records.tasks(project.key)))
    parameters.check(ontology)


def write(house: House, run: Run, progress: Progress) -> Run:
    """Give what was planned. Called again after a kill, it goes on where it was and writes nothing twice."""
    counts = give(house, run, progress)
    return house.records.set_run(
        run.id, state="done", counts=counts.to_json(), message=counts.sentence(run.parameters["as"].rstrip("s"))
    )


def give(house: House, run: Run, progress: Progress) -> BulkCounts:
    """All of `write` but its last word."""
    project = house.project(run.project_key)
    client = house.client(project)
    made = house.records.made(run.id)
    states = house.records.run_items(run.id)
    if not states:
        raise BadRequest(f"run {run.id}: its frames are not known, for its planning was interrupted; plan it again")
    # It wants some frames; which are whose is kept with the tasks.
    some_frames = next(frames for one in made.values() if (frames := _selected(one)))
    parameters = BulkParameters.from_json(run.parameters, frames=some_frames)
    check(house, project, parameters)
    counts = BulkCounts()
    for task_id, state in states.items():
        if state not in (SELECTED, WRITING):
            counts.add(BulkTask.from_json(task_id, made[task_id]), written=state == WRITTEN)
    pending = [task_id for task_id, state in states.items() if state in (SELECTED, WRITING)]
    house.records.set_run(run.id, state="running", total=len(states), done=counts.tasks)
    author = client.user_id(parameters.by) if "@" in parameters.by and parameters.as_ == "annotations" else None
    if "@" in parameters.by and author is None and parameters.as_ == "annotations":
        counts.note(f"no user of Label Studio has the address {parameters.by}: the annotations are the token's user's")
    giver = Giver(house, project, parameters, run.version, house.records.made_annotations(project.key))
    for start in range(0, len(pending), _AT_ONCE):
        progress.make_way()
        some = {task_id: _selected(made[task_id]) for task_id in pending[start : start + _AT_ONCE]}
        batch = list(giver.give(some, _known_there(client, project, some, _mark(run))))
        _write(house, client, project, run, batch, made, counts, author)
        house.records.set_run(run.id, done=counts.tasks, counts=counts.to_json())
        progress.report(counts.tasks, len(states), f"{counts.tasks} of {len(states)} tasks")
    if counts.written and parameters.show:
        publish(house, client, project, run)
    return counts


def _write(
    house: House,
    client: LabelStudio,
    project: Project,
    run: Run,
    batch: Iterable[BulkTask],
    made: Mapping[int, Mapping[str, Any]],
    counts: BulkCounts,
    author: int | None,
) -> None:
    refused: dict[int, str] = {}
    giving = {one.task_id: one for one in batch if one.result}
    house.records.set_run_items(run.id, dict.fromkeys(giving, WRITING))
    stored: Mapping[int, Mapping[str, Any]] = {}
    if run.parameters["as"] == "annotations":
        rows = [_annotation(run, one, author) for one in giving.values()]
        stored = client.annotations.put(
            project.id, rows, refused=lambda row, reason: refused.update({int(row["task"]): reason})
        )
        # Label Studio tells by webhook, too, but gives up after a second and does not try again.
        if house.records.mirror_annotations(project.key, [{**one, "task": id} for id, one in stored.items()]):
            house.queues.request_training(project.key)
    elif giving:
        version = {"score": 1.0, "model_version": run.version}
        client.import_predictions(
            project.id,
            [{"task": one.task_id, "result": one.result, **version} for one in giving.values()],
            refused=lambda row, reason: refused.update({int(row["task"]): reason}),
        )
    states: dict[int, str] = {}
    kept: dict[int, dict[str, Any]] = {}
    for one in batch:
        if reason := refused.get(one.task_id):
            one = BulkTask(one.task_id, refused=({"task": one.task_id, "reason": reason},))
        written = one.task_id in giving and one.task_id not in refused
        states[one.task_id] = WRITTEN if written else REFUSED if one.refused else NOTHING
        planned = {name: made[one.task_id][name] for name in ("frames", "review") if name in made[one.task_id]}
        kept[one.task_id] = {**planned, **one.to_json()}
        if one.task_id in stored:
            annotation = stored[one.task_id]
            kept[one.task_id] |= {"annotation": annotation["id"], "updated_at": annotation["updated_at"]}
        counts.add(one, written=written)
    house.records.set_run_items(run.id, states, kept)


def _annotation(run: Run, one: BulkTask, author: int | None) -> dict[str, Any]:
    row = {
        "task": one.task_id,
        "result": one.result,
        "unique_id": str(uuid5(_NAMESPACE, f"{run.project_key}/{run.id}/{one.task_id}")),
        "import_id": _mark(run),
        "bulk_created": True,
    }
    return row if author is None else {**row, "completed_by": author}


def _mark(run: Run) -> int:
    """The number that the run's annotations carry."""
    return int(run.id, 16)


def _selected(made: Mapping[str, Any]) -> tuple[SelectedFrames, ...]:
    return tuple(SelectedFrames.from_json(one) for one in made.get("frames", ()))


def _known_here(house: House, project: Project, ids: Iterable[int]) -> list[Known]:
    wanted = list(ids)
    annotations = _by_task(house.records.annotations(project.key, wanted))
    return [Known(task, annotations.get(task.id, ())) for task in house.records.tasks(project.key, wanted)]


def _known_there(client: LabelStudio, project: Project, ids: Iterable[int], mark: int) -> list[Known]:
    """As Label Studio has them now, without what this very run has made before it was killed."""
    return [
        Known(
            task_row(project.key, task),
            tuple(
                annotation_row(project.key, one, int(task["id"]))
                for one in task["annotations"]
                if one.get("import_id") != mark
            ),
        )
        for task in client.tasks(project.id, list(ids))
    ]


def _by_task(annotations: Iterable[Annotation]) -> dict[int, tuple[Annotation, ...]]:
    found: dict[int, tuple[Annotation, ...]] = {}
    for one in annotations:
        found[one.task_id] = (*found.get(one.task_id, ()), one)
    return found
