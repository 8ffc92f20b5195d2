"""Keeping the records what Label Studio says: webhooks tell at once, this reads the whole truth now and then."""

from __future__ import annotations

import logging

from ..errors import LabelStudioDown, LabelStudioRefused
from ..store.rows import Project
from .house import House

log = logging.getLogger(__name__)

_TRUE_FOR_S = 900


def connect(house: House, project: Project) -> bool:
    """Read every task and annotation, and give the webhook its secret. Without a token, webhooks are all there is."""
    client = house.label_studio(project)
    if client is None:
        log.warning(
            "project %s: no token of Label Studio works here, so Espalier learns only from annotations that arrive "
            "from now on, cannot read uploaded media that need a login, and cannot push predictions. "
            "Create a Personal Access Token under Account & Settings and set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY",
            project.id,
        )
        return False
    try:
        reconcile(house, project)
    except LabelStudioRefused as error:
        log.warning("project %s: Espalier learns only from events that arrive from now on: %s", project.id, error)
        return False
    secret = house.settings.secret_for_webhooks()
    if secret:
        client.secure_webhooks(project.id, secret)
    return True


def catch_up(house: House, project: Project) -> bool:
    """Reconcile where that was long ago, as far as it can be done. True if there are answers to train on anew."""
    if house.queues.redis.exists(_mark(project)):
        return False
    try:
        return reconcile(house, project)
    except (LabelStudioDown, LabelStudioRefused) as error:
        log.warning("project %s: events that were missed cannot be made up for now: %s", project.id, error)
        return False


def reconcile(house: House, project: Project) -> bool:
    """Make the records equal to Label Studio's own. True if there are answers to train on anew."""
    client = house.label_studio(project)
    if client is None:
        return False
    since = house.records.position(project.key)
    details = client.project(project.id)
    house.records.put_project(
        project.key, title=details.get("title") or "", label_config=details.get("label_config") or project.label_config
    )
    house.records.reconcile(project.key, client.tasks(project.id), since=since)
    house.queues.redis.set(_mark(project), 1, ex=_TRUE_FOR_S)
    return house.project(project.key).revision > project.revision


def _mark(project: Project) -> str:
    return f"espalier:reconciled:{project.key}"
