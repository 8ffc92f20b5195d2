"""Keeping the records what Label Studio says: webhooks tell at once, this reads the whole truth now and then."""

from __future__ import annotations

import logging

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
    reconcile(house, project)
    secret = house.settings.secret_for_webhooks()
    if secret:
        client.secure_webhooks(project.id, secret)
    return True


def reconcile(house: House, project: Project, *, if_older: bool = False) -> None:
    """Make the records equal to Label Studio's own; with `if_older`, only where that was long ago."""
    client = house.label_studio(project)
    mark = f"espalier:reconciled:{project.key}"
    if client is None or (if_older and house.queues.redis.exists(mark)):
        return
    since = house.records.position(project.key)
    details = client.project(project.id)
    house.records.put_project(
        project.key, title=details.get("title") or "", label_config=details.get("label_config") or project.label_config
    )
    house.records.reconcile(project.key, client.tasks(project.id), since=since)
    house.queues.redis.set(mark, 1, ex=_TRUE_FOR_S)
