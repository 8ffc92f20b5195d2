"""Showing a run's predictions in Label Studio, and taking them away as if the run had never been."""

from __future__ import annotations

import logging

from ..errors import LabelStudioRefused
from ..labelstudio.client import LabelStudio
from ..store.rows import Project, Run
from .house import House

log = logging.getLogger(__name__)


def publish(house: House, client: LabelStudio, project: Project, run: Run) -> None:
    """Make /setup, the predictions and the project name the same version: then the label stream shows the run without
    a call to the backend, and sorting by score and uncertainty sampling work.

    Label Studio 1.23.2 sorts by the project's version, and by what /setup reported where a feature flag is on.
    """
    shown = client.project(project.id).get("model_version")
    if shown != run.version:
        house.records.set_run(run.id, shown=shown)
    house.records.publish(project.key, run.version)
    client.set_model_version(project.id, run.version)


def retract(house: House, client: LabelStudio, run: Run) -> int:
    """Delete exactly what a run wrote, and show what was shown before it. Returns how many predictions went."""
    project = house.project(run.project_key)
    shown = client.project(project.id).get("model_version")
    deleted = client.delete_version(project.id, run.version)
    house.records.drop_predictions(project.key, run.version)
    if project.published == run.version:
        house.records.publish(project.key, _published_before(house, project, run))
    # Label Studio forgets what the stream showed, also where that was the connected model and not this version.
    before = run.shown if shown == run.version else shown
    if before:
        _show_again(client, project, before)
    return deleted


def _published_before(house: House, project: Project, run: Run) -> str | None:
    """A list that is still there, or a run whose model still serves; else what serves now."""
    for other in house.records.runs(project.key):
        if other.version == run.previous and other.state != "undone":
            is_current = other.version.startswith(f"{project.served}-")
            return other.version if is_current or other.kind != "labeling" else project.served
    return project.served


def _show_again(client: LabelStudio, project: Project, shown: str) -> None:
    try:
        client.set_model_version(project.id, shown)
    except LabelStudioRefused:
        log.warning("project %s: %r is gone, so the label stream shows no predictions now", project.id, shown)
