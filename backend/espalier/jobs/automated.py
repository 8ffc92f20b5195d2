"""The automated labeling run: which tasks, a dry run with counts, writing, resuming, and undo.

A run writes predictions under a version name of its own, so that undo deletes exactly what it wrote. It never touches
an annotation. The lists of `jobs.lists` are runs too, and so are the bulk labels of `jobs.bulk_label`.
"""

from __future__ import annotations

from collections.abc import Collection, Mapping, Sequence
from typing import Any

from ..errors import BadRequest, Cancelled, EspalierError, LabelStudioDown
from ..labelstudio.client import LabelStudio
from ..store.rows import Project, Run
from . import bulk_label, bulk_undo, lists, reviewing
from .counts import Counts
from .house import House
from .parameters import RunParameters
from .predicting import TASKS_AT_ONCE, Predicted, Predictor
from .progress import Progress
from .publishing import publish, retract
from .queue import job_of_run
from .sampled_frames import SampledFrames
from .selection import select
from .withheld import BLIND, WRITTEN, in_state, is_answered, is_drawn

_WRITING, _NOTHING, _REPLACED = "writing", "nothing", "replaced"
_CANCELLED = "cancelled; what was written stays until undone"


def plan(house: House, project_key: str, parameters: RunParameters, *, job: str = "") -> Run:
    """Put a run on the books; `execute` does the work. Raises where it could not possibly succeed.

    job: that plans it, as in `Records.add_run`.
    """
    project = house.project(project_key)
    version = house.version(project, parameters.version)
    house.client(project)
    tasks = select(house, project, parameters)
    parameters.check(house.ontology(project, (task["data"] for task in tasks)))
    return house.records.add_run(
        project_key,
        parameters.to_json(),
        numbered=f"{version.name}-run",
        previous=project.published,
        total=len(tasks),
        job=job,
    )


def dry_run(house: House, project_key: str, parameters: RunParameters, progress: Progress) -> dict[str, Any]:
    """What a run would write, counted; embeddings that it computes are kept for the real one."""
    return preview(house, project_key, parameters, progress)[0]


def preview(
    house: House, project_key: str, parameters: RunParameters, progress: Progress
) -> tuple[dict[str, Any], list[dict[str, Any]]]:
    """The counts of `dry_run`, and a few of the frames with their answers (`SampledFrames`)."""
    project = house.project(project_key)
    version = house.version(project, parameters.version)
    tasks = select(house, project, parameters)
    ontology = house.ontology(project, (task["data"] for task in tasks))
    parameters.check(ontology)
    counts, sampled = Counts(), SampledFrames(house.records, project.key, len(tasks), ontology)
    predictor = Predictor(house, project, version, parameters)
    blind = _blind("", parameters, tasks)  # other ones than those of the run, but about as many
    for done, predicted in enumerate(predictor.predict(tasks, progress), start=1):
        counts.add(predicted, blind=predicted.row.task_id in blind)
        sampled.add(predicted)
        progress.report(done, len(tasks), f"task {predicted.row.task_id}")
    return counts.to_json(), sampled.to_json()


def execute(house: House, run_id: str, progress: Progress) -> Run:
    """Predict and write. Called again after a kill, it goes on where it was and writes nothing twice.

    Where Label Studio is down the run stays as it is, to be tried again; everything else that goes wrong ends it.
    """
    run = find(house, run_id)
    if run.state not in ("queued", "running"):
        return run
    try:
        if reviewing.is_review(run):
            return reviewing.write(house, run, progress)
        if run.kind == "bulk":
            return bulk_label.write(house, run, progress)
        return _execute(house, run, progress) if run.kind == "labeling" else lists.write(house, run, progress)
    except LabelStudioDown:
        raise
    except EspalierError as error:
        cancelled = isinstance(error, Cancelled)
        message = _CANCELLED if cancelled else str(error)
        house.records.set_run(run_id, state="cancelled" if cancelled else "failed", message=message)
        raise


def _execute(house: House, run: Run, progress: Progress) -> Run:
    run_id = run.id
    project = house.project(run.project_key)
    client = house.client(project)
    parameters = RunParameters.from_json(run.parameters)
    version = house.version(project, model_version_of(run))
    tasks = select(house, project, parameters)
    # Whether a batch that was in flight at a kill has arrived is not known: it is done again, and what Label Studio
    # has already is left out.
    done_before = {task_id for task_id, state in house.records.run_items(run_id).items() if state != _WRITING}
    pending = [task for task in tasks if task["id"] not in done_before]
    counts = Counts(run.counts)
    house.records.set_run(run_id, state="running", total=len(tasks), done=len(tasks) - len(pending))
    predictor = Predictor(house, project, version, parameters, name=run.version)
    for start in range(0, len(pending), TASKS_AT_ONCE):
        progress.make_way()
        some = pending[start : start + TASKS_AT_ONCE]
        batch = list(predictor.predict(some, progress))
        _write(house, client, project, run_id, batch, counts, _blind(run_id, parameters, some))
        done = len(tasks) - len(pending) + start + len(batch)
        house.records.set_run(run_id, done=done, counts=counts.to_json())
        progress.report(done, len(tasks), f"{done} of {len(tasks)} tasks")
    if counts.written:
        publish(house, client, project, run)
        if parameters.existing == "replace":
            _replace_earlier(house, client, project, run)
    return house.records.set_run(run_id, state="done", message=counts.sentence())


def cancel(house: House, run_id: str) -> Run:
    """Stop a run where it is; what it wrote stays until it is undone."""
    run = find(house, run_id)
    status = house.queues.cancel(job_of_run(run_id))
    run = find(house, run_id)
    if run.state == "queued" and status.state in ("cancelled", "unknown"):
        return house.records.set_run(run_id, state="cancelled", message="cancelled before it began")
    return _as_its_job(house, run)


def recent(house: House, project_key: str) -> list[Run]:
    """A project's runs, the newest first; one whose job was given up is failed, whatever it last said of itself."""
    return [_as_its_job(house, run) for run in house.records.runs(project_key)]


def undo(house: House, run_id: str) -> int:
    """Delete exactly what a run wrote, and show what was shown before it. Returns how many predictions (or annotations,
    of a bulk label) went; the run's message tells what was kept."""
    run = find(house, run_id)
    if house.queues.status(job_of_run(run_id)).state in ("queued", "running"):
        raise BadRequest(f"run {run_id} is not over, and would go on writing: `espalier cancel {run_id}` first")
    if reviewing.is_review(run):
        return reviewing.undo(house, run)
    if run.kind == "bulk":
        return bulk_undo.undo(house, run)
    deleted = retract(house, house.client(house.project(run.project_key)), run)
    lists.forget(house, run)
    house.records.set_run(run_id, state="undone", message=f"undone: {deleted} predictions deleted")
    return deleted


def model_version_of(run: Run) -> str:
    """The model version that a run predicts with."""
    return str(run.parameters.get("version") or run.version.rpartition("-run")[0])


def _as_its_job(house: House, run: Run) -> Run:
    """A run that says it is not over, though its job is."""
    if run.state in ("queued", "running"):
        status = house.queues.status(job_of_run(run.id))
        if status.state in ("failed", "cancelled"):
            message = _CANCELLED if status.state == "cancelled" else status.message
            return house.records.set_run(run.id, state=status.state, message=message)
    return run


def _blind(run_id: str, parameters: RunParameters, tasks: Sequence[Mapping[str, Any]]) -> set[int]:
    """The tasks whose predictions are withheld: a share of those that nobody annotated so far."""
    return {task["id"] for task in tasks if is_drawn(run_id, task["id"], parameters.blind) and not is_answered(task)}


def _write(
    house: House,
    client: LabelStudio,
    project: Project,
    run_id: str,
    batch: Sequence[Predicted],
    counts: Counts,
    blind: Collection[int],
) -> None:
    refused: dict[int, str] = {}

    def refuse(row: Mapping[str, Any], reason: str) -> None:
        refused[int(row["task"])] = f"task {row['task']}: {reason}"

    rows = [predicted.row for predicted in batch if predicted.row.result and predicted.row.task_id not in blind]
    house.records.set_run_items(run_id, {row.task_id: _WRITING for row in rows})
    if rows:
        client.import_predictions(
            project.id,
            [
                {"task": row.task_id, "result": row.result, "score": row.score, "model_version": row.version}
                for row in rows
            ],
            refused=refuse,
        )
    house.records.put_predictions([predicted.row for predicted in batch])
    states: dict[int, str] = {}
    for predicted in batch:
        task_id = predicted.row.task_id
        counts.add(predicted, refused=refused.get(task_id, ""), blind=task_id in blind)
        answered = predicted.row.result and task_id not in refused
        states[task_id] = (BLIND if task_id in blind else WRITTEN) if answered else _NOTHING
    house.records.set_run_items(run_id, states)


def _replace_earlier(house: House, client: LabelStudio, project: Project, run: Run) -> None:
    mine = in_state(house.records, run, WRITTEN) | in_state(house.records, run, BLIND)
    others = [other for other in house.records.runs(project.key) if other.id != run.id and other.kind == "labeling"]
    earlier = {other.version for other in others}
    for task_id in sorted(mine):
        for prediction in client.predictions_of(task_id):
            if prediction.get("model_version") in earlier:
                client.delete_prediction(prediction["id"])
    for other in others:
        replaced = mine & in_state(house.records, other, WRITTEN)
        house.records.set_run_items(other.id, dict.fromkeys(replaced, _REPLACED))


def find(house: House, run_id: str) -> Run:
    run = house.records.run(run_id)
    if run is None:
        raise BadRequest(f"there is no run {run_id!r}; `espalier runs` lists them")
    return run
