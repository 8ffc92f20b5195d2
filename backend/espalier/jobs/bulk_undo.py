"""Taking a bulk label back: exactly what it made, as far as nobody has changed it since."""

from __future__ import annotations

from typing import Any

from ..labelstudio.client import LabelStudio
from ..store.rows import Project, Run
from .bulk_label import WRITTEN
from .house import House
from .publishing import retract

UNDONE, KEPT = "undone", "kept"
_NAMED = 5
_AT_ONCE = 25


def undo(house: House, run: Run) -> int:
    """How many predictions or annotations were deleted; what was kept, and why, is the run's message then.

    Called again, it looks at what was kept once more.
    """
    project = house.project(run.project_key)
    client = house.client(project)
    if run.parameters["as"] == "predictions":
        # Nobody can change a prediction in Label Studio: who does, makes an annotation of it, and that is theirs.
        deleted = retract(house, client, run)
        states = {id: UNDONE for id, state in house.records.run_items(run.id).items() if state == WRITTEN}
        house.records.set_run_items(run.id, states)
        message = f"undone: {_counted(deleted, 'prediction')} deleted"
    else:
        deleted, kept = _delete(house, client, project, run)
        message = f"undone: {_counted(deleted, 'annotation')} deleted{_told(kept)}"
    house.records.set_run(run.id, state="undone", message=message)
    return deleted


def _delete(house: House, client: LabelStudio, project: Project, run: Run) -> tuple[int, dict[int, str]]:
    """How many annotations went; by task, why another one stays."""
    made = house.records.made(run.id)
    states = house.records.run_items(run.id)
    for task_id, one in _found_again(client, project, run, states).items():
        made[task_id] = made.get(task_id, {}) | one
    mine = {task_id: one for task_id, one in made.items() if "annotation" in one and states[task_id] != UNDONE}
    deleted = 0
    kept: dict[int, str] = {}
    ids = sorted(mine)
    for start in range(0, len(ids), _AT_ONCE):
        some = ids[start : start + _AT_ONCE]
        begun = client.annotations.with_drafts(project.id, some)
        task_of = {int(mine[task_id]["annotation"]): task_id for task_id in some}
        kept |= {task_of[id]: "somebody has begun to change it" for id in begun & task_of.keys()}
        endings = client.annotations.delete_unchanged(
            {id: mine[task_id]["updated_at"] for id, task_id in task_of.items() if id not in begun}
        )
        kept |= {task_of[id]: "somebody has changed it since" for id, end in endings.items() if end == "changed"}
        deleted += sum(end == "deleted" for end in endings.values())
        gone = [id for id, end in endings.items() if end != "changed"]
        house.records.set_run_items(run.id, {id: KEPT if id in kept else UNDONE for id in some}, mine)
        # Label Studio tells by webhook, too, but gives up after a second and does not try again.
        if house.records.forget_annotations(project.key, gone):
            house.queues.request_training(project.key)
    return deleted, kept


def _found_again(client: LabelStudio, project: Project, run: Run, states: dict[int, str]) -> dict[int, dict[str, Any]]:
    """What was stored right before a kill or a cancel, and not noted any more."""
    doubtful = [{"task": id, "import_id": int(run.id, 16)} for id, state in states.items() if state == "writing"]
    found = client.annotations.find(project.id, doubtful)
    return {id: {"annotation": one["id"], "updated_at": one["updated_at"]} for id, one in found.items()}


def _told(kept: dict[int, str]) -> str:
    if not kept:
        return ""
    named = [f"task {task_id} ({reason})" for task_id, reason in sorted(kept.items())[:_NAMED]]
    more = f" and {len(kept) - _NAMED} more" if len(kept) > _NAMED else ""
    return f"; {len(kept)} kept: {', '.join(named)}{more}"


def _counted(number: int, noun: str) -> str:
    return f"{number} {noun}{'' if number == 1 else 's'}"
