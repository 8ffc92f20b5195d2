"""Lists in Label Studio: what to label next, likely label errors, and answers to look at again.

A list is a run like any other: predictions of a version name of its own, shown by sorting and sampling by score, taken
back by undo, gone on with after a kill. A new list replaces the one of its kind. No annotation is ever touched.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any

from ..errors import BadRequest
from ..labelstudio.client import LabelStudio
from ..store.rows import ModelVersion, Project, Run, RunKind
from . import error_tasks, next_tasks, revisit_tasks
from .house import House
from .listing import Listing
from .progress import Progress
from .publishing import publish, retract
from .withheld import WRITTEN

Draw = Callable[[House, Project, "ModelVersion | None", int, Progress], Listing]

_DRAWS: Mapping[RunKind, Draw] = {
    "next": next_tasks.draw,
    "errors": error_tasks.draw,
    "revisit": revisit_tasks.draw,
}
_WRITING, _REFUSED = "writing", "refused"
_AT_ONCE = 20


def draw(house: House, project_key: str, kind: RunKind, count: int, progress: Progress) -> Listing:
    """The list as it would be written now, at most `count` tasks; embeddings that it computes are kept."""
    project = house.project(project_key)
    return _draw(house, project, kind, project.served, count, progress)


def plan(house: House, project_key: str, kind: RunKind, count: int, *, job: str = "") -> Run:
    """Put the writing of a list on the books; `write` does the work. Raises where it could not possibly succeed.

    job: that plans it, as in `Records.add_run`.
    """
    if kind not in _DRAWS or count < 1:
        raise BadRequest(f"a list is one of {', '.join(_DRAWS)}, of 1 task or more; got {kind!r} of {count}")
    project = house.project(project_key)
    house.client(project)
    if kind == "errors":
        house.version(project)
    return house.records.add_run(
        project_key,
        {"count": count, "version": project.served},
        numbered=f"{project.served or 'espalier'}-{kind}",
        previous=project.published,
        total=count,
        kind=kind,
        job=job,
    )


def write(house: House, run: Run, progress: Progress) -> Run:
    """Draw the list, write it and show it. Called again after a kill, it goes on with the list that it had drawn."""
    project = house.project(run.project_key)
    client = house.client(project)
    path = _path(house, run)
    listing = Listing.kept(path)
    states = house.records.run_items(run.id)
    if listing is None:
        if states:  # another machine drew it, and is gone
            client.delete_version(project.id, run.version)
            states = {}
        house.records.set_run(run.id, state="running")
        listing = _draw(house, project, run.kind, run.parameters["version"], run.parameters["count"], progress)
        listing.keep(path)
    problems = _put(house, client, run, listing, states, progress)
    written = [task_id for task_id, state in house.records.run_items(run.id).items() if state == WRITTEN]
    if written:
        publish(house, client, project, run)
    _replace_earlier(house, client, project, run)
    forget(house, run)
    counts = {"tasks": len(listing.entries), "written": len(written), "problems": problems[:100]}
    message = f"{len(written)} tasks listed" + (f"; {listing.note}" if listing.note else "")
    return house.records.set_run(run.id, state="done", counts=counts, message=message)


def forget(house: House, run: Run) -> None:
    """Of a list that was not finished, what it was going to write."""
    _path(house, run).unlink(missing_ok=True)


def _path(house: House, run: Run) -> Path:
    return house.settings.data_dir / "lists" / run.project_key / f"{run.version}.json"


def _draw(
    house: House, project: Project, kind: RunKind, version: str | None, count: int, progress: Progress
) -> Listing:
    return _DRAWS[kind](house, project, house.version(project, version) if version else None, count, progress)


def _put(
    house: House, client: LabelStudio, run: Run, listing: Listing, states: Mapping[int, str], progress: Progress
) -> list[str]:
    """Writes what was not written yet; what Label Studio did not take, in words."""
    problems: list[str] = []
    refused: set[int] = set()

    def refuse(row: Mapping[str, Any], reason: str) -> None:
        refused.add(int(row["task"]))
        problems.append(f"task {row['task']}: {reason}")

    total = len(listing.entries)
    pending = [entry for entry in listing.entries if states.get(entry.task_id, _WRITING) == _WRITING]
    house.records.set_run(run.id, state="running", total=total, done=total - len(pending))
    project = house.project(run.project_key)
    for start in range(0, len(pending), _AT_ONCE):
        progress.make_way()
        some = pending[start : start + _AT_ONCE]
        house.records.set_run_items(run.id, {entry.task_id: _WRITING for entry in some})
        client.predictions.put_in_full(project.id, [entry.row(run.version) for entry in some], refused=refuse)
        house.records.set_run_items(
            run.id, {entry.task_id: _REFUSED if entry.task_id in refused else WRITTEN for entry in some}
        )
        done = total - len(pending) + start + len(some)
        house.records.set_run(run.id, done=done)
        progress.report(done, total, "writing the list")
    return problems


def _replace_earlier(house: House, client: LabelStudio, project: Project, run: Run) -> None:
    """The lists of this kind before it; undo then shows what was shown before those."""
    for other in house.records.runs(project.key):
        if other.kind != run.kind or other.id == run.id or other.state not in ("done", "cancelled", "failed"):
            continue
        run = house.records.run(run.id) or run
        house.records.set_run(
            run.id,
            previous=other.previous if run.previous == other.version else run.previous,
            shown=other.shown if run.shown == other.version else run.shown,
        )
        retract(house, client, other)
        house.records.set_run(other.id, state="undone", message=f"replaced by {run.version}")
