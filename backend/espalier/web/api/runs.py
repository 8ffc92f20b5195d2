"""Automated labeling runs: planned, tried out, started, watched, stopped, and taken back."""

from __future__ import annotations

import re
from dataclasses import replace
from datetime import datetime
from typing import Annotated, Any, Literal

from pydantic import Field

from ...jobs.queue import job_of_run
from ...store.rows import Run, RunKind
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .paging import Page, links, part_of
from .problem import Refused
from .routes import Asked, Figures, Routes, Told

_ID = re.compile(r"[0-9a-f]{1,32}")
Id = Annotated[int, Field(ge=1, le=2**53)]
Share = Annotated[float, Field(ge=0, le=1)]


class RunAsked(Asked):
    """What a run answers: which tasks, frames and questions, and how sure it must be."""

    tasks: list[Id] | None = Field(None, max_length=1_000_000, description="Task ids; null: those of the filter.")
    filter: str = Field(
        "all",
        max_length=500,
        description="all, unlabeled, labeled, unpredicted, view=<Data Manager tab id>, or <data field>=<pattern>.",
    )
    version: str | None = Field(None, max_length=200, description="A model version; null: the one that serves.")
    classifications: list[str] | None = Field(None, description="Only these; null: all.")
    first: int = Field(1, ge=1, le=2**31, description="First frame, as Label Studio numbers them: from 1.")
    last: int | None = Field(None, ge=1, le=2**31, description="Last frame, inclusive; null: to the end.")
    stride: int = Field(0, ge=0, le=2**31, description="Look at every n-th frame; 0 chooses by length.")
    confidence: Share | None = Field(None, description="Cutoff for everything; null: the version's own.")
    confidences: dict[str, Share] = Field(
        {}, description="Cutoffs by classification, or `classification/option`; they win over `confidence`."
    )
    device: str | None = Field(None, max_length=40, description="auto, cpu, cuda or cuda:n; null: as the settings say.")
    parents: Literal["run", "people"] = Field("run", description="Whose answer to a parent opens its attributes.")
    existing: Literal["add", "skip", "replace"] = Field("add", description="About predictions of earlier runs.")
    blind: float = Field(0.0, ge=0, le=0.5, description="Share of the unlabeled tasks whose predictions are withheld.")


class RunShown(Told):
    """One run."""

    id: str
    project: int
    kind: RunKind
    state: Literal["queued", "running", "done", "failed", "cancelled", "undone"]
    done: int
    total: int = Field(description="Tasks.")
    version: str = Field(description="The name that its predictions have in Label Studio.")
    message: str
    created_at: datetime
    parameters: dict[str, Any]
    counts: dict[str, Any] = Field(description="Tasks, frames and answers per option so far, and problems.")
    job: str


class RunList(Told):
    """Runs, the newest first."""

    items: list[RunShown]


class Started(Told):
    """A run that waits for its worker, and its job."""

    run: str
    job: str


class SampledAnswer(Told):
    classification: str
    option: list[str]
    confidence: float


class SampledFrame(Told):
    id: int = Field(description="Of a thumbnail.")
    task: int
    tag: str
    frame: int = Field(description="From 1.")
    answers: list[SampledAnswer] = Field(description="Empty where nothing was sure enough.")


class RunCounts(Told):
    """What a run would write, counted."""

    counts: dict[str, Any]
    frames: list[SampledFrame] = Field([], description="A few of them, evenly from all that it would look at.")


class Undone(Told):
    """What an undo deleted."""

    run: str
    deleted: int
    message: str = Field(description="What was kept, too.")


class ItemsAsked(Page):
    state: str | None = Field(None, max_length=40, description="Such as written, nothing, blind or refused.")


class ItemShown(Told):
    task: int
    state: str


class ItemList(Told):
    """Tasks of a run, and what became of each."""

    items: list[ItemShown]


class Sample(Figures):
    """What people have said since of the tasks whose predictions a run withheld: its real precision."""

    withheld: int
    sentence: str


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/runs", RunList, role="viewer", query=Page, refuses=(409,), id="listRuns"
    )
    def runs(project: str, query: Page) -> tuple[RunList, int, dict[str, str]]:
        """Automated labeling runs, lists and bulk labels of a project."""
        found = given.project(project)
        rows = given.records.runs(found.key)
        items = [_shown(_as_its_job(given, row)) for row in part_of(rows, query)]
        return RunList(items=items), 200, links(len(rows), query)

    @routes.endpoint(
        "POST", "/projects/<project>/runs", Started, role="annotator", status=201, takes=RunAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="startRun",
    )  # fmt: skip
    def start(project: str, body: RunAsked, query: Wait) -> Any:
        """Start automated labeling. Annotations are never touched, and `undo` takes back what was written."""
        job = given.errand(given.project(project), "plan_run", body.model_dump(exclude_unset=True))
        return asking.answer(job, query.wait_s, Started, 201)

    @routes.endpoint(
        "POST", "/projects/<project>/runs/preview", RunCounts, role="annotator", takes=RunAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="previewRun",
    )  # fmt: skip
    def preview(project: str, body: RunAsked, query: Wait) -> Any:
        """Count what a run would write, and write nothing."""
        job = given.errand(given.project(project), "preview_run", body.model_dump(exclude_unset=True))
        return asking.answer(job, query.wait_s, RunCounts)

    @routes.endpoint("GET", "/runs/<run>", RunShown, role="viewer", id="getRun")
    def run(run: str) -> RunShown:
        """One run; its progress is that of its job."""
        return _shown(_as_its_job(given, _find(given, run)))

    @routes.endpoint("POST", "/runs/<run>/cancel", RunShown, role="annotator", id="cancelRun")
    def cancel(run: str) -> RunShown:
        """Stop a run where it is; what it wrote stays until it is undone."""
        found = _find(given, run)
        status = given.queues.cancel(job_of_run(found.id))
        found = _find(given, run)
        if found.state == "queued" and status.state in ("cancelled", "unknown"):
            return _shown(given.records.set_run(found.id, state="cancelled", message="cancelled before it began"))
        return _shown(_as_its_job(given, found))

    @routes.endpoint("GET", "/runs/<run>/items", ItemList, role="viewer", query=ItemsAsked, id="listRunItems")
    def items(run: str, query: ItemsAsked) -> tuple[ItemList, int, dict[str, str]]:
        """What became of each task."""
        states = given.records.run_items(_find(given, run).id)
        rows = [(task, state) for task, state in sorted(states.items()) if query.state in (None, state)]
        shown = [ItemShown(task=task, state=state) for task, state in part_of(rows, query)]
        return ItemList(items=shown), 200, links(len(rows), query)

    @routes.endpoint(
        "GET", "/runs/<run>/blind", Sample, role="viewer", query=Wait, also=ALSO_LATER, id="getBlindSample"
    )
    def blind(run: str, query: Wait) -> Any:
        """How often a run was right on the tasks that it withheld."""
        found = _find(given, run)
        job = given.errand(given.project(found.project_key), "blind_sample", {"run": found.id, "state": found.state})
        return asking.answer(job, query.wait_s, Sample)

    @routes.endpoint(
        "POST", "/runs/<run>/undo", Undone, role="annotator", query=Wait, also=ALSO_LATER, refuses=(409,), id="undoRun"
    )
    def undo(run: str, query: Wait) -> Any:
        """Delete exactly what a run wrote."""
        found = _find(given, run)
        if _as_its_job(given, found).state in ("queued", "running"):
            raise Refused(409, f"run {found.id} is not over, and would go on writing: cancel it first")
        job = given.errand(given.project(found.project_key), "undo_run", {"run": found.id})
        return asking.answer(job, query.wait_s, Undone)


def _find(given: Given, id: str) -> Run:
    found = given.records.run(id) if _ID.fullmatch(id) else None
    if found is None or all(project.key != found.project_key for project in given.projects()):
        raise Refused(404, f"there is no run {id[:80]!r}; GET /projects/{{project}}/runs lists them")
    return found


def _as_its_job(given: Given, run: Run) -> Run:
    """A run whose job was given up is failed, whatever it last said of itself."""
    if run.state in ("queued", "running"):
        status = given.queues.status(job_of_run(run.id))
        if status.state in ("failed", "cancelled"):
            return replace(run, state=status.state, message=status.message)
    return run


def _shown(run: Run) -> RunShown:
    return RunShown.model_validate(
        {
            "id": run.id,
            "project": int(run.project_key.partition(".")[0]),
            "kind": run.kind,
            "state": run.state,
            "done": run.done,
            "total": run.total,
            "version": run.version,
            "message": run.message,
            "created_at": run.created_at,
            "parameters": run.parameters,
            "counts": run.counts,
            "job": job_of_run(run.id),
        }
    )
