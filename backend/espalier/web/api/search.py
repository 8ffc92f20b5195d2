"""Similarity: searches over every frame that has been embedded, and what else can be asked of them. One generic shape:
a request of a kind goes to the search worker, whose answer it is."""

from __future__ import annotations

from typing import Any

from pydantic import ConfigDict, Field

from ...search.kinds import KINDS
from ...search.waiting import job_of
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .problem import Refused
from .routes import Asked, Figures, Routes

_MEANINGS = {
    "pairs": "The most similar pairs of frames.",
    "duplicates": "Exact and near duplicates.",
    "clusters": "Frames that belong together, with names by their labels.",
    "map": "A map of the frames in two dimensions.",
    "outliers": "The least, or the most, typical frames.",
    "discover": "New classes that the unknown frames suggest, with typical examples.",
    "anomalies": "Frames unlike the normal ones, with a calibrated cutoff.",
}


class ConditionsAsked(Asked):
    """Which frames may be found; all that are given hold together."""

    label: str | list[str] | None = Field(None, description="`Weather: Rain`, or a list of classification and path.")
    predicted: str | list[str] | None = Field(None, description="The same, as the version that serves answers.")
    min_confidence: float | None = Field(None, ge=0, le=1)
    max_confidence: float | None = Field(None, ge=0, le=1)
    unlabeled: bool | None = None
    tasks: list[int] | None = Field(None, max_length=1_000_000)
    media: list[str] | None = Field(None, max_length=100_000, description="image, sequence, video, or digests.")
    first: int | None = Field(None, ge=1, le=2**31, description="First frame, from 1.")
    last: int | None = Field(None, ge=1, le=2**31)
    from_s: float | None = Field(None, ge=0)
    to_s: float | None = Field(None, ge=0)


class ExampleAsked(Asked):
    """A frame, a region of frames, or all of a task; or an uploaded picture."""

    task: int | None = Field(None, ge=1, le=2**53)
    picture: str | None = Field(None, max_length=200, description="Instead: the name that an upload was given.")
    frame: int | None = Field(None, ge=1, le=2**31)
    first: int | None = Field(None, ge=1, le=2**31)
    last: int | None = Field(None, ge=1, le=2**31)
    tag: str | None = Field(None, max_length=500)


class QueryAsked(Asked):
    """One of: task (with frame, or first and last), picture, text, or positives (with negatives)."""

    task: int | None = Field(None, ge=1, le=2**53)
    frame: int | None = Field(None, ge=1, le=2**31, description="From 1.")
    first: int | None = Field(None, ge=1, le=2**31)
    last: int | None = Field(None, ge=1, le=2**31)
    tag: str | None = Field(None, max_length=500)
    picture: str | None = Field(None, max_length=200, description="The name that an upload was given.")
    text: str | None = Field(None, max_length=1000)
    positives: list[ExampleAsked] | None = Field(None, max_length=1000)
    negatives: list[ExampleAsked] | None = Field(None, max_length=1000)


class SearchAsked(Asked):
    query: QueryAsked
    k: int = Field(20, ge=1, le=1000)
    conditions: ConditionsAsked | None = None
    scenes: bool = Field(True, description="One hit per scene of a video.")
    except_itself: bool = True


class KindAsked(Asked):
    """Conditions, and what the kind takes beside them: its command's options (`espalier <kind> --help`)."""

    model_config = ConfigDict(extra="allow")

    conditions: ConditionsAsked | None = None


class Found(Figures):
    """Hits, the best first."""

    hits: list[dict[str, Any]] = Field(
        description="id, task, tag, frame (from 1), time_s, score, labels, scene (first, last, frames, others), also."
    )
    searched: int
    of: int
    index: dict[str, Any] = Field(description="kind, vectors, recall, reason, size_bytes.")
    note: str


class EmbeddingAsked(Asked):
    every_s: float = Field(1.0, ge=0, le=86400, description="Seconds between two frames of a video; 0 is every frame.")


class Embedded(Figures):
    """What can be searched now, that could not before."""

    tasks: int
    frames: int = Field(description="Embedded now.")
    held: int = Field(description="Embedded before.")
    problems: list[str] = Field(description="What could not be read, at most a hundred.")


class Answered(Figures):
    """What the kind answers; its hits have at least id, task, tag, frame (from 1) and time_s."""


def register(routes: Routes, given: Given, asking: Asking) -> None:
    def ask(project: str, kind: str, asked: dict[str, Any], query: Wait, model: type[Any]) -> Any:
        found = given.project(project)
        if kind not in KINDS:
            raise Refused(422, f"{kind} is not part of this installation; there are {', '.join(sorted(KINDS))}")
        job = job_of(found.key, kind, asked)
        if given.queues.status(job).state not in ("queued", "running"):
            given.queues.request_search(found.key, kind, asked, id=job)
        return asking.answer(job, query.wait_s, model)

    @routes.endpoint(
        "POST", "/projects/<project>/search", Found, role="viewer", takes=SearchAsked, query=Wait, also=ALSO_LATER,
        refuses=(409,), id="search",
    )  # fmt: skip
    def search(project: str, body: SearchAsked, query: Wait) -> Any:
        """The frames most like a frame, a region of frames, a picture, a text, or several examples."""
        return ask(project, "search", body.model_dump(exclude_unset=True, exclude_none=True), query, Found)

    @routes.endpoint(
        "GET", "/projects/<project>/index", Answered, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409,),
        id="getIndex",
    )  # fmt: skip
    def index(project: str, query: Wait) -> Any:
        """How many frames can be searched, by which encoder, and by what kind of index, with its measured recall."""
        return ask(project, "status", {}, query, Answered)

    @routes.endpoint(
        "POST", "/projects/<project>/embeddings", Embedded, role="annotator", takes=EmbeddingAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="embedAll",
    )  # fmt: skip
    def embed(project: str, body: EmbeddingAsked, query: Wait) -> Any:
        """Embed every frame of a project, so that all of it can be searched; it goes on where it was stopped."""
        job = given.errand(given.project(project), "embed", body.model_dump())
        return asking.answer(job, query.wait_s, Embedded)

    def of_kind(kind: str, meaning: str) -> None:
        def view(project: str, body: KindAsked, query: Wait) -> Any:
            return ask(project, kind, body.model_dump(exclude_unset=True, exclude_none=True), query, Answered)

        view.__name__, view.__doc__ = kind, meaning
        routes.endpoint(
            "POST", f"/projects/<project>/{kind}", Answered, role="viewer", takes=KindAsked, query=Wait,
            also=ALSO_LATER, refuses=(409,), id=f"find{kind.capitalize()}",
        )(view)  # fmt: skip

    for kind, meaning in _MEANINGS.items():
        of_kind(kind, meaning)
