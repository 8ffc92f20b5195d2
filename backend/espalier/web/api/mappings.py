"""Label mappings: what old options are called today; what changed in the ontology; what to look at again."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ...store.rows import MappingKind
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .problem import Refused
from .routes import Asked, Figures, Routes, Told

Path = list[str]


class MappingShown(Told):
    """What an old option is read as, since when."""

    id: str
    project_key: str
    kind: MappingKind
    classification: str
    old: Path
    new: list[Path]
    from_version: str | None
    created_at: datetime
    undone_at: datetime | None


class MappingList(Told):
    """Mappings, the oldest first."""

    items: list[MappingShown]


class Mapped(Told):
    """What was mapped, and how many answers that is about."""

    mappings: list[MappingShown]
    answers: int
    annotations: int


class MappingAsked(Asked):
    kind: MappingKind
    classification: str = Field(min_length=1, max_length=500)
    old: list[Path] = Field(min_length=1, max_length=100, description="Paths of old options; one, but for a merge.")
    new: list[Path] = Field([], max_length=100, description="One path; several of a split; none of a retirement.")


class MappingCounts(Told):
    """What a mapping would be about."""

    answers: int
    annotations: int


class AllAsked(Wait):
    all: bool = Field(False, description="Also those that were undone, or settled.")


class Since(Wait):
    version: str | None = Field(None, max_length=200, description="A model version; the one that serves by default.")


class Changes(Figures):
    """What changed in the ontology since a version was trained: code, classification, message, answers, model."""

    version: str
    changes: list[dict[str, Any]]


class RevisitShown(Told):
    project_key: str
    task_id: int
    annotation_id: int
    classification: str
    option: Path
    reason: str
    created_at: datetime
    mapping_id: str
    state: Literal["open", "done"]


class RevisitList(Told):
    """Answers that somebody should look at again, since the ontology changed."""

    items: list[RevisitShown]


class SettleAsked(Asked):
    tasks: list[int] = Field(min_length=1, max_length=10_000, description="Tasks that are right as they are.")


class Settled(Told):
    """How many answers left the list."""

    settled: int


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/mappings", MappingList, role="viewer", query=AllAsked, refuses=(409,),
        id="listMappings",
    )  # fmt: skip
    def mappings(project: str, query: AllAsked) -> MappingList:
        """What old options are read as."""
        rows = given.records.mappings(given.project(project).key, undone=query.all)
        return MappingList.model_validate(
            {"items": [{**vars(row), "old": list(row.old), "new": row.new} for row in rows]}
        )

    @routes.endpoint(
        "POST", "/projects/<project>/mappings", Mapped, role="manager", status=201, takes=MappingAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="addMapping",
    )  # fmt: skip
    def add(project: str, body: MappingAsked, query: Wait) -> Any:
        """Say that options were renamed, merged, split or retired. Nothing is written to Label Studio."""
        return asking.answer(given.errand(given.project(project), "map", body.model_dump()), query.wait_s, Mapped, 201)

    @routes.endpoint(
        "POST", "/projects/<project>/mappings/preview", MappingCounts, role="manager", takes=MappingAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="previewMapping",
    )  # fmt: skip
    def preview(project: str, body: MappingAsked, query: Wait) -> Any:
        """How many answers a mapping would be about. Nothing is kept."""
        job = given.errand(given.project(project), "preview_map", body.model_dump())
        return asking.answer(job, query.wait_s, MappingCounts)

    @routes.endpoint(
        "DELETE", "/projects/<project>/mappings/<mapping>", MappingShown, role="manager", query=Wait, also=ALSO_LATER,
        refuses=(409,), id="undoMapping",
    )  # fmt: skip
    def undo(project: str, mapping: str, query: Wait) -> Any:
        """Read the answers again as they were given."""
        found = given.project(project)
        if all(row.id != mapping for row in given.records.mappings(found.key)):
            raise Refused(404, f"project {found.id} has no label mapping {mapping[:80]!r} that holds")
        return asking.answer(given.errand(found, "unmap", {"mapping": mapping}), query.wait_s, MappingShown)

    @routes.endpoint(
        "GET", "/projects/<project>/ontology/changes", Changes, role="viewer", query=Since, also=ALSO_LATER,
        refuses=(409,), id="getOntologyChanges",
    )  # fmt: skip
    def changes(project: str, query: Since) -> Any:
        """What changed since a version was trained, and what that means for answers and model."""
        job = given.errand(given.project(project), "changes", {"version": query.version})
        return asking.answer(job, query.wait_s, Changes)

    @routes.endpoint(
        "GET", "/projects/<project>/revisits", RevisitList, role="viewer", query=AllAsked, also=ALSO_LATER,
        refuses=(409,), id="listRevisits",
    )  # fmt: skip
    def revisits(project: str, query: AllAsked) -> Any:
        """Answers to look at again."""
        return asking.answer(
            given.errand(given.project(project), "revisits", {"all": query.all}), query.wait_s, RevisitList
        )

    @routes.endpoint(
        "POST", "/projects/<project>/revisits/settle", Settled, role="annotator", takes=SettleAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="settleRevisits",
    )  # fmt: skip
    def settle(project: str, body: SettleAsked, query: Wait) -> Any:
        """These answers are right as they are."""
        job = given.errand(given.project(project), "settle_revisits", {"tasks": body.tasks})
        return asking.answer(job, query.wait_s, Settled)
