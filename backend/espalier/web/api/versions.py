"""Model versions: what was trained, on what, how well, and why it serves or does not."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ...store.rows import ModelVersion, PromotedBy
from .asking import ALSO_LATER, Asking, Wait
from .given import Given
from .paging import Page, links, part_of
from .routes import Asked, Routes, Told

KEPT = 20


class VersionRow(Told):
    name: str
    state: Literal["training", "candidate", "promoted", "archived", "failed"]
    serves: bool
    created_at: datetime
    message: str = Field(description="In words: how good, or why it failed or was refused.")
    parent: str | None = Field(description="The version that served when this one was trained.")
    size_bytes: int


class VersionList(Told):
    """Model versions, the newest first."""

    items: list[VersionRow]


class VersionShown(VersionRow):
    """One version, with all that is known of it."""

    encoder: dict[str, Any]
    metrics: dict[str, Any] = Field(description="Per classification: accuracy, F1, counts, and what is still missing.")
    trained_on: dict[str, Any]
    parameters: dict[str, Any]
    gate: dict[str, Any] = Field(description="The verdict of the promotion gate, with its reasons and figures.")
    cutoffs: dict[str, Any]
    ontology_fingerprint: str
    data_fingerprint: str


class PromotionShown(Told):
    project_key: str
    number: int
    version: str
    previous: str | None
    at: datetime
    by: PromotedBy
    reason: str


class PromotionList(Told):
    """Promotions, the newest first."""

    items: list[PromotionShown]


class ReasonAsked(Asked):
    reason: str = Field("", max_length=500, description="Why; kept with the promotion.")


class PromotionAsked(ReasonAsked):
    last: bool = Field(False, description="Of a fine-tuned version the last network, instead of the best one.")


class Serves(Told):
    """Which version serves now."""

    version: str


class ArchiveAsked(Asked):
    keep: int = Field(
        KEPT, ge=1, le=1000, description="How many of the newest keep their files, and of those that served."
    )


class Archived(Told):
    """The versions whose files were removed."""

    versions: list[str]


def register(routes: Routes, given: Given, asking: Asking) -> None:
    @routes.endpoint(
        "GET", "/projects/<project>/versions", VersionList, role="viewer", query=Page, refuses=(409,), id="listVersions"
    )
    def versions(project: str, query: Page) -> tuple[VersionList, int, dict[str, str]]:
        """Model versions."""
        found = given.project(project)
        rows = given.records.versions(found.key)
        items = [VersionRow.model_validate(_row(row, found.served)) for row in part_of(rows, query)]
        return VersionList(items=items), 200, links(len(rows), query)

    @routes.endpoint(
        "GET", "/projects/<project>/versions/<version>", VersionShown, role="viewer", refuses=(409,), id="getVersion"
    )
    def version(project: str, version: str) -> VersionShown:
        """One model version, with its metrics."""
        found = given.project(project)
        return _shown(given.version(found, version), found.served)

    @routes.endpoint(
        "GET", "/projects/<project>/promotions", PromotionList, role="viewer", query=Page, refuses=(409,),
        id="listPromotions",
    )  # fmt: skip
    def promotions(project: str, query: Page) -> tuple[PromotionList, int, dict[str, str]]:
        """Which version served when, who decided it, and why."""
        rows = given.records.promotions(given.project(project).key)
        items = [PromotionShown.model_validate(vars(row)) for row in part_of(rows, query)]
        return PromotionList(items=items), 200, links(len(rows), query)

    @routes.endpoint(
        "POST", "/projects/<project>/versions/<version>/promote", Serves, role="manager", takes=PromotionAsked,
        query=Wait, also=ALSO_LATER, refuses=(409,), id="promoteVersion",
    )  # fmt: skip
    def promote(project: str, version: str, body: PromotionAsked, query: Wait) -> Any:
        """Let this version serve from now on, whatever the promotion gate said of it."""
        found = given.project(project)
        asked = {"version": given.version(found, version).name, **body.model_dump()}
        return asking.answer(given.errand(found, "promote", asked), query.wait_s, Serves)

    @routes.endpoint(
        "POST", "/projects/<project>/rollback", Serves, role="manager", takes=ReasonAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="rollBack",
    )  # fmt: skip
    def rollback(project: str, body: ReasonAsked, query: Wait) -> Any:
        """Let the version serve again that served before; called again, the one before that."""
        job = given.errand(given.project(project), "roll_back", body.model_dump())
        return asking.answer(job, query.wait_s, Serves)

    @routes.endpoint(
        "POST", "/projects/<project>/archive", Archived, role="manager", takes=ArchiveAsked, query=Wait,
        also=ALSO_LATER, refuses=(409,), id="archiveVersions",
    )  # fmt: skip
    def archive(project: str, body: ArchiveAsked, query: Wait) -> Any:
        """Remove the files of old versions. What is known of them stays."""
        return asking.answer(given.errand(given.project(project), "archive", body.model_dump()), query.wait_s, Archived)


def _row(version: ModelVersion, served: str | None) -> dict[str, Any]:
    return {
        "name": version.name,
        "state": version.state,
        "serves": version.name == served,
        "created_at": version.created_at,
        "message": version.message,
        "parent": version.parent,
        "size_bytes": version.size_bytes,
    }


def _shown(version: ModelVersion, served: str | None) -> VersionShown:
    return VersionShown.model_validate(
        {
            **_row(version, served),
            "encoder": version.encoder,
            "metrics": version.metrics,
            "trained_on": version.trained_on,
            "parameters": version.parameters,
            "gate": version.gate,
            "cutoffs": version.cutoffs,
            "ontology_fingerprint": version.ontology_fingerprint,
            "data_fingerprint": version.data_fingerprint,
        }
    )
