"""Lists of tasks: what to label next, which labels are likely wrong, what is in doubt; duplicates and poor pictures."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .problem import Refused
from .routes import Asked, Figures, Routes
from .runs import Started

KINDS = ("next", "errors", "revisit")


class CountAsked(Wait):
    count: int = Field(50, ge=1, le=10_000, description="How many tasks at most.")


class WriteAsked(Asked):
    count: int = Field(50, ge=1, le=100_000)


class Listing(Figures):
    """Tasks, the most urgent first: `espalier next | errors --json`."""

    kind: Literal["next", "errors", "revisit"]
    entries: list[dict[str, Any]] = Field(
        description="task_id, score (the lowest goes first), reason, result (regions), cluster, neighbors, "
        "mislabeling; doubts of label errors: classification, given, given_confidence, predicted, predicted_confidence."
    )
    note: str = Field(description="What it was drawn from, in words.")


class Quality(Figures):
    """Duplicates, outliers and poor pictures: `espalier quality --json`."""

    tasks: int
    pictures: int
    duplicates: list[dict[str, Any]]
    outliers: list[dict[str, Any]]
    poor: list[dict[str, Any]]
    problems: list[str]
    note: str


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/lists/<kind>", Listing, role="viewer", query=CountAsked, also=ALSO_LATER,
        refuses=(409,), id="drawList",
    )  # fmt: skip
    def draw(project: str, kind: str, query: CountAsked) -> Any:
        """What to label `next`, likely label `errors`, or what is in doubt since the labels changed (`revisit`)."""
        asked = {"kind": _kind(kind), "count": query.count}
        return asking.answer(given.errand(given.project(project), "list", asked), query.wait_s, Listing)

    @routes.endpoint(
        "POST", "/projects/<project>/lists/<kind>", Started, role="annotator", status=201, takes=WriteAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="writeList",
    )  # fmt: skip
    def write(project: str, kind: str, body: WriteAsked, query: Wait) -> Any:
        """Write the list to Label Studio, where sorting and sampling go by it. It is a run, and can be undone."""
        asked = {"kind": _kind(kind), "count": body.count}
        return asking.answer(given.errand(given.project(project), "write_list", asked), query.wait_s, Started, 201)

    @routes.endpoint(
        "GET", "/projects/<project>/quality", Quality, role="viewer", query=Wait, also=ALSO_LATER, refuses=(409,),
        id="getQuality",
    )  # fmt: skip
    def quality(project: str, query: Wait) -> Any:
        """Every picture is looked at; it takes its time the first time."""
        return asking.answer(given.errand(given.project(project), "quality", {}), query.wait_s, Quality)


def _kind(kind: str) -> str:
    if kind not in KINDS:
        raise Refused(404, f"there is no list {kind[:80]!r}; there are {', '.join(KINDS)}")
    return kind
