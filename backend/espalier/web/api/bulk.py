"""Bulk label: one label for many frames at once, as predictions or as a person's annotations."""

from __future__ import annotations

from typing import Any, Literal

from pydantic import Field

from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .routes import Asked, Routes
from .runs import RunCounts, Started

Label = str | list[str]


class BulkAsked(Asked):
    """Frames by their ids, by tasks, or as the hits of a search; and the labels that they are given."""

    label: Label | None = Field(
        None, description="`Weather: Rain`, or a list of the classification and an option's path."
    )
    labels: list[Label] | None = Field(None, min_length=1, max_length=100, description="Instead of one label.")
    ids: list[int] = Field([], max_length=200_000, description="Frame ids, as searches tell them.")
    frames: list[dict[str, Any]] = Field(
        [], max_length=200_000, description="task, with optional tag, and frame or first and last, counted from 1."
    )
    hits: list[dict[str, Any]] = Field([], max_length=200_000, description="Hits of a search, as it told them.")
    scenes: bool = Field(True, description="Of a hit in a video all the scene around it, or its one frame.")
    as_: Literal["predictions", "annotations"] = Field("predictions", alias="as")
    with_parents: bool = Field(False, description="Also give the parents, where only one answer opens the attribute.")
    also_annotated: bool = Field(False, description="As annotations: also where a person has annotated the task.")
    show: bool = Field(False, description="As predictions: let the label stream show them.")
    by: str = Field("", max_length=300, description="Who gives the labels; the address of a user of Label Studio.")
    note: str = Field("", max_length=2000)
    search: dict[str, Any] | None = Field(None, description="The search that found the frames, as it was asked.")


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "POST", "/projects/<project>/bulk-labels/preview", RunCounts, role="annotator", takes=BulkAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="previewBulkLabel",
    )  # fmt: skip
    def preview(project: str, body: BulkAsked, query: Wait) -> Any:
        """Count what would be given, and write nothing."""
        return asking.answer(
            given.errand(given.project(project), "preview_bulk", _asked(body)), query.wait_s, RunCounts
        )

    @routes.endpoint(
        "POST", "/projects/<project>/bulk-labels", Started, role="annotator", status=201, takes=BulkAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="startBulkLabel",
    )  # fmt: skip
    def start(project: str, body: BulkAsked, query: Wait) -> Any:
        """Give labels to many frames. It is a run: it can be watched, cancelled, and undone."""
        return asking.answer(
            given.errand(given.project(project), "plan_bulk", _asked(body)), query.wait_s, Started, 201
        )


def _asked(body: BulkAsked) -> dict[str, Any]:
    return body.model_dump(exclude_unset=True, exclude_none=True, by_alias=True)
