"""What the store hands out: frozen values, one class per table. Times are aware and in UTC."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Literal

Json = dict[str, Any]

VersionState = Literal["training", "candidate", "promoted", "archived", "failed"]
PromotedBy = Literal["gate", "person", "rollback"]
RunKind = Literal["labeling", "next", "errors", "revisit", "bulk"]
MappingKind = Literal["rename", "merge", "split", "retire"]
RevisitState = Literal["open", "done"]
RunState = Literal["queued", "running", "done", "failed", "cancelled", "undone"]


@dataclass(frozen=True)
class Project:
    """A Label Studio project. `key` is "{id}.{created_at in unix seconds}", as Label Studio sends it.

    `revision` counts the changes that matter to training; `trained_revision` is the one that the newest model has seen.
    `served` is the model version that predicts, `published` the version name that /setup reports (served, or a run's
    own); both are None before the first training. `training` holds the parameters that a person chose for training,
    `cutoffs` how cutoffs are chosen; {} is the default of each. The access token is never in the repr.
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
    training: Json = field(default_factory=dict)
    cutoffs: Json = field(default_factory=dict)
    classifications: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Task:
    """One task; `data` is what its media tags name."""

    project_key: str
    id: int
    data: Json


@dataclass(frozen=True)
class Annotation:
    """One annotation as Label Studio last told it.

    `accepted`: made from a prediction in bulk (the Data Manager's action); nobody looked at it.
    `confirmed`: a person submitted it in the editor, with every region as it was predicted.
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
    confirmed: bool = False


@dataclass(frozen=True)
class ModelVersion:
    """One trained model of one ontology; its files lie in `directory`; `message` says why it failed.

    `parent` is the version that served when it was trained; `trained_on` counts what it learned from; `gate` is the
    verdict of the promotion gate, with its reasons and figures; `cutoffs` hold instead of those of training, unless {}.
    """

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
    parameters: Json = field(default_factory=dict)
    trained_on: Json = field(default_factory=dict)
    size_bytes: int = 0
    parent: str | None = None
    gate: Json = field(default_factory=dict)
    cutoffs: Json = field(default_factory=dict)


@dataclass(frozen=True)
class Promotion:
    """From `at` on, `version` served instead of `previous`. Numbers count up from 1 in each project.

    `by` rollback: a person went back to what had served before.
    """

    project_key: str
    number: int
    version: str
    previous: str | None
    at: datetime
    by: PromotedBy
    reason: str


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
    `kind` is what it writes: labels, what to label next, label errors, what to look at again, or what a person gave to
    many frames at once.
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
    kind: RunKind = "labeling"


@dataclass(frozen=True)
class StoredMapping:
    """A change of one option of the ontology: what was answered with `old` means `new` since `created_at`.

    old: a path of option names; new: one such path (rename, merge), several (split), or none (retire).
    `from_version` served when it was made. Undone mappings are kept, and hold no more.
    """

    id: str
    project_key: str
    kind: MappingKind
    classification: str
    old: tuple[str, ...]
    new: tuple[tuple[str, ...], ...]
    from_version: str | None
    created_at: datetime
    undone_at: datetime | None = None


@dataclass(frozen=True)
class Revisit:
    """An answer that somebody should look at again. `mapping_id` is the mapping that asks for it, or empty."""

    project_key: str
    task_id: int
    annotation_id: int
    classification: str
    option: tuple[str, ...]
    reason: str
    created_at: datetime
    mapping_id: str = ""
    state: RevisitState = "open"
