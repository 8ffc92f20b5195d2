"""POST /predict: all selected tasks in one request, in an order that the answer must keep."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field

from ...errors import BadRequest
from .fields import Json, key_and_id, mapping, text, whole_number


@dataclass(frozen=True)
class PredictRequest:
    """Each task is {"id", "data", "annotations"} and nothing more: predictions of other versions are long and not read.

    `context` is what the editor sends while somebody draws, else None. `held` tells by task id of which versions Label
    Studio has a prediction.
    """

    project_key: str
    project_id: int
    label_config: str
    tasks: list[Json]
    context: Json | None
    held: Mapping[int, frozenset[str]] = field(default_factory=dict)


def parse_predict(body: object) -> PredictRequest:
    """Raises BadRequest; a task that is odd in itself raises nothing but gets an empty answer later."""
    fields = mapping(body, "the body of /predict")
    key, number = key_and_id(fields.get("project"), "/predict: project")
    tasks = fields.get("tasks")
    if not isinstance(tasks, list):
        raise BadRequest("/predict: tasks must be a list")
    params = fields.get("params")
    context = params.get("context") if isinstance(params, dict) else None
    read = [_task(task, f"/predict: tasks[{place}]") for place, task in enumerate(tasks)]
    return PredictRequest(
        project_key=key,
        project_id=number,
        label_config=text(fields, "label_config", "/predict"),
        tasks=read,
        context=context if isinstance(context, dict) else None,
        held={task["id"]: _versions(sent) for task, sent in zip(read, tasks, strict=True)},
    )


def _task(value: object, what: str) -> Json:
    task = mapping(value, what)
    annotations = task.get("annotations")
    data = task.get("data")
    return {
        "id": whole_number(task.get("id"), f"{what}.id"),
        "data": data if isinstance(data, dict) else {},
        "annotations": [one for one in annotations if isinstance(one, dict)] if isinstance(annotations, list) else [],
    }


def _versions(task: Json) -> frozenset[str]:
    predictions = task.get("predictions")
    return frozenset(
        str(one["model_version"])
        for one in (predictions if isinstance(predictions, list) else [])
        if isinstance(one, dict) and one.get("model_version")
    )
