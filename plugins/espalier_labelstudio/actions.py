"""What the Data Manager's Actions menu offers for the selected tasks: each asks Espalier, and says where to watch."""

from __future__ import annotations

from pathlib import Path
from typing import Any

from django.conf import settings

from . import connection
from .backend import PREFIX, Asker, Refused, ask
from .form import ALL, Json, number, run_asked, select
from .roles import role_of

MOST_TASKS = 100_000


def register() -> None:
    """For the app's start. Label Studio shows an action to who has its permission."""
    from core.permissions import all_permissions
    from data_manager.actions import register_action

    may, may_train = (
        [all_permissions.predictions_any],
        [all_permissions.predictions_any, all_permissions.projects_change],
    )
    register_action(
        espalier_label, "Automated labeling…", 80, permission=may, experimental=False,
        dialog=_dialog("Automated labeling", "Espalier labels the selected tasks, as predictions.", label_form),
    )  # fmt: skip
    register_action(
        espalier_similar, "Find similar", 81, permission=may, experimental=False,
        dialog=_dialog("Find similar", "Espalier finds the frames most like the first selected task."),
    )  # fmt: skip
    register_action(
        espalier_train, "Train Espalier now", 82, permission=may_train, experimental=False,
        dialog=_dialog("Train now", "Espalier learns from every answer of this project."),
    )  # fmt: skip
    register_action(
        espalier_undo, "Undo a run of Espalier", 83, permission=may, experimental=False,
        dialog=_dialog("Undo a run", "What the run wrote is deleted; what people made stays.", undo_form),
    )  # fmt: skip


def _dialog(title: str, text: str, form: Any = None) -> Json:
    return {"title": title, "text": text, "type": "confirm"} | ({"form": form} if form is not None else {})


def espalier_label(project: Any, queryset: Any, **given: Any) -> Json:
    asker, tasks = _asker(project, given), _ids(queryset)
    body = run_asked(tasks, given["request"].data)
    try:
        told = ask(_known(), asker, "POST", f"/api/v1/projects/{project.pk}/runs?wait_s=15", body)
    except Refused as refused:
        return _refusal(refused)
    return _done(len(tasks), f"{_count(tasks)} being labeled", _page(project, "label", run=told.get("run", "")))


def espalier_similar(project: Any, queryset: Any, **given: Any) -> Json:
    _asker(project, given)
    first = queryset.values_list("id", flat=True).first()
    if not first:
        return _refusal(Refused("select a task first", 400))
    return _done(0, f"frames like those of task {first}", _page(project, "similarity", task=first), goes=True)


def espalier_train(project: Any, queryset: Any, **given: Any) -> Json:
    asker = _asker(project, given)
    try:
        ask(_known(), asker, "POST", f"/api/v1/projects/{project.pk}/trainings?wait_s=0", {})
    except Refused as refused:
        return _refusal(refused)
    return _done(0, "Espalier is learning", _page(project, "training"))


def espalier_undo(project: Any, queryset: Any, **given: Any) -> Json:
    asker, run = _asker(project, given), str(given["request"].data.get("run") or "")
    if not run:
        return _refusal(Refused("choose a run", 400))
    try:
        told = ask(_known(), asker, "POST", f"/api/v1/runs/{run}/undo?wait_s=20", {})
    except Refused as refused:
        return _refusal(refused)
    deleted = told.get("deleted") if isinstance(told, dict) else None
    said = "being undone" if deleted is None else f"{deleted} deleted. {told.get('message', '')}"
    return _done(0, said, _page(project, "label", run=run), reload=True)


def label_form(user: Any, project: Any) -> list[Json]:
    """Fields for the dialog; where Espalier does not answer, it says so when the form is sent."""
    versions, questions = [ALL], [ALL]
    asker = Asker(str(user.email), role_of(user, project) or "viewer", project.pk)
    try:
        listed = ask(_known(), asker, "GET", f"/api/v1/projects/{project.pk}/versions?limit=20")["items"]
        versions = [row["name"] for row in listed if row["state"] in ("promoted", "candidate")] or [ALL]
        tree = ask(_known(), asker, "GET", f"/api/v1/projects/{project.pk}/ontology")["classifications"]
        questions += [one["name"] for one in tree]
    except Refused:
        pass
    return [
        {
            "columnCount": 2,
            "fields": [
                select("version", "Model version", [(name, _or_default(name, "that serves")) for name in versions]),
                select("classification", "Classifications", [(name, _or_default(name, "all")) for name in questions]),
                number("first", "First frame", 1, 1),
                number("last", "Last frame (empty: to the end)", None, 1),
                number("stride", "Every n-th frame (0: chosen)", 0, 0),
                {**number("confidence", "Confidence (empty: as learned)", None, 0), "max": 1, "step": 0.01},
                select("parents", "Parents answered by", [("run", "people or this run"), ("people", "people alone")]),
                select(
                    "existing",
                    "Existing predictions",
                    [("add", "add to them"), ("skip", "leave their tasks out"), ("replace", "replace Espalier's")],
                ),
                select("device", "Device", [(name, name) for name in ("auto", "cpu", "cuda")]),
            ],
        }
    ]


def undo_form(user: Any, project: Any) -> list[Json]:
    asker = Asker(str(user.email), role_of(user, project) or "viewer", project.pk)
    try:
        runs = ask(_known(), asker, "GET", f"/api/v1/projects/{project.pk}/runs?limit=50")["items"]
    except Refused:
        runs = []
    rows = [(run["id"], f"{run['created_at'][:16]} {run['message'][:80]}") for run in runs if run["state"] == "done"]
    return [{"columnCount": 1, "fields": [select("run", "Run", rows or [("", "there is none")])]}]


def _asker(project: Any, given: Json) -> Asker:
    """Who pressed; Label Studio looked at their permission already, and Espalier looks at the role."""
    user = given["request"].user
    return Asker(str(user.email), role_of(user, project) or "viewer", project.pk)


def _known() -> connection.Connection:
    found = connection.load(Path(settings.BASE_DATA_DIR))
    if not found.is_paired:
        raise Refused("Espalier is not connected yet: open /espalier/connect for this project", 409)
    return found


def _page(project: Any, name: str, **query: Any) -> str:
    asked = "".join(f"&{key}={value}" for key, value in query.items() if value)
    return f"{PREFIX}/panel/{name}?project={project.pk}{asked}"


def _done(count: int, said: str, page: str, **more: Any) -> Json:
    """`detail` is for who calls the API. Label Studio's page shows none of it: `said` and `page` are for our script
    there, which goes to the page where `goes`."""
    return {"processed_items": count, "detail": f"{said}: {page}", "said": said, "page": page, **more}


def _refusal(refused: Refused) -> Json:
    return {"response_code": refused.status if 400 <= refused.status < 500 else 502, "detail": str(refused)}


def _ids(queryset: Any) -> list[int]:
    return list(queryset.values_list("id", flat=True)[:MOST_TASKS])


def _count(tasks: list[int]) -> str:
    return "1 task is" if len(tasks) == 1 else f"{len(tasks)} tasks are"


def _or_default(name: str, words: str) -> str:
    return words if name == ALL else name
