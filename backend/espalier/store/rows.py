"""What the store hands out: frozen values, one class per table. Times are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]

VersionState = Literal["training", "candidate", "promoted", "archived", "failed"]
RunState = Literal["queued", "running", "done", "failed", "cancelled", "undone"]


@dataclass(frozen=True)
class Project:
    """A Label Studio project. `key` is "{id}.{created_at in unix seconds}", as Label Studio sends it.

    `revision` counts the changes that matter to training; `trained_revision` is the one that the newest model has seen.
    `served` is the model version that predicts, `published` the version name that /setup reports (served, or a run's
    own); both are None before the first training. The access token is never in the repr.
    """

    key: str
    id: int
    title: str = ""
    label_config: str = ""
    hostname: str = ""
    access_token: str = field(default="", repr=False)
    extra_params: Json = field(default_factory=dict)
    revision: int = 0
    trained_revision: int = 0
    served: str | None = None
    published: str | None = None


@dataclass(frozen=True)
class Task:
    """One task; `data` is what its media tags name."""

    project_key: str
    id: int
    data: Json


@dataclass(frozen=True)
class Annotation:
    """One annotation as Label Studio last told it.

    `accepted`: nobody looked at it region by region; it was made by accepting a prediction as it was.
    A cancelled (skipped) annotation is kept, and is no answer.
    """

    project_key: str
    id: int
    task_id: int
    result: list[Json]
    was_cancelled: bool = False
    ground_truth: bool = False
    accepted: bool = False
    completed_by: int | None = None
    updated_at: datetime | None = None


@dataclass(frozen=True)
class ModelVersion:
    """One trained model of one ontology; its files lie in `directory`; `message` says why it failed."""

    project_key: str
    name: str
    state: VersionState
    directory: str
    encoder: Json
    ontology_fingerprint: str
    data_fingerprint: str
    metrics: Json
    created_at: datetime
    message: str = ""


@dataclass(frozen=True)
class Prediction:
    """What one version answered for one task; `inputs` is the digest of what it was made from."""

    project_key: str
    task_id: int
    version: str
    inputs: str
    result: list[Json]
    score: float = 0.0
    message: str = ""


@dataclass(frozen=True)
class Run:
    """One automated labeling run; `version` names its predictions, `previous` is what was published before it.

    `shown` is what Label Studio's label stream showed before it: a version, or the connected model's title.
    """

    id: str
    project_key: str
    parameters: Json
    state: RunState
    done: int
    total: int
    counts: Json
    version: str
    previous: str | None
    message: str
    created_at: datetime
    shown: str | None = None
