"""What the server answers, as frozen values; what is new in a later server is left out."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field, fields
from datetime import datetime
from typing import Any, Literal, TypeVar

Json = dict[str, Any]
Made = TypeVar("Made")
JobState = Literal["queued", "running", "done", "failed", "cancelled"]


@dataclass(frozen=True)
class Project:
    """id: in Label Studio. served: the version that predicts."""

    id: int
    key: str
    title: str
    served: str | None
    published: str | None
    up_to_date: bool


@dataclass(frozen=True)
class Version:
    """state: training, candidate, promoted, archived or failed."""

    name: str
    state: str
    serves: bool
    created_at: datetime
    message: str
    parent: str | None
    size_bytes: int


@dataclass(frozen=True)
class Run:
    """kind: labeling, next, errors, revisit or bulk. done, total: tasks. job: whose progress is the run's."""

    id: str
    project: int
    kind: str
    state: str
    done: int
    total: int
    version: str
    message: str
    created_at: datetime
    parameters: Json
    counts: Json
    job: str


@dataclass(frozen=True)
class Job:
    """total is 0, and eta_s None, where it is not known."""

    id: str
    state: JobState
    done: int = 0
    total: int = 0
    message: str = ""
    eta_s: float | None = None

    @property
    def is_over(self) -> bool:
        return self.state not in ("queued", "running")


@dataclass(frozen=True)
class Scene:
    """first, last: frames of a video, counted from 1. frames: how many hits are in it."""

    first: int
    last: int
    frames: int
    others: list[Json] = field(default_factory=list)


@dataclass(frozen=True)
class Hit:
    """A frame that was found. frame: counted from 1. score: cosine, the best first."""

    id: int
    task: int
    tag: str
    frame: int
    time_s: float | None = None
    score: float = 0.0
    labels: list[Json] = field(default_factory=list)
    scene: Scene | None = None


def made(of: type[Made], value: Mapping[str, Any]) -> Made:
    """From JSON; moments become aware datetimes."""
    known = {entry.name: entry for entry in fields(of)}  # type: ignore[arg-type]
    given = {name: one for name, one in value.items() if name in known}
    for name in given:
        if "datetime" in str(known[name].type) and isinstance(given[name], str):
            given[name] = datetime.fromisoformat(given[name].replace("Z", "+00:00"))
        elif "Scene" in str(known[name].type) and given[name] is not None:
            given[name] = made(Scene, given[name])
    return of(**given)
