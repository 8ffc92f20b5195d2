"""Model versions: what was trained, on what, how well, and why it serves or does not."""

from __future__ import annotations

from datetime import datetime
from typing import Any, Literal

from pydantic import Field

from ...store.rows import ModelVersion
from .asking import Accepted, Asking, Wait
from .given import Given
from .paging import Page, links, part_of
from .routes import Asked, Routes, Told


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


class PromotionAsked(Asked):
    reason: str = Field("", max_length=500, description="Why; kept with the promotion.")


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
        "POST", "/projects/<project>/versions/<version>/promote", VersionShown, role="manager",
        takes=PromotionAsked, query=Wait, also={202: Accepted}, refuses=(409, 422), id="promoteVersion",
    )  # fmt: skip
    def promote(project: str, version: str, body: PromotionAsked, query: Wait) -> Any:
        """Let this version serve from now on, whatever the promotion gate said of it."""
        found = given.project(project)
        name = given.version(found, version).name
        job = given.errand(found, "promote", {"version": name, "reason": body.reason})
        done = asking.wait(job, query.wait_s)
        if isinstance(done, Accepted):
            return done, 202
        now = given.records.project(found.key) or found
        return _shown(given.version(now, name), now.served)


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
