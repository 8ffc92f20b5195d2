"""The webhooks that point at us: a secret on each, one of each, none left behind."""

from __future__ import annotations

import logging
from typing import Any

from ..errors import LabelStudioRefused
from .transport import Transport

log = logging.getLogger(__name__)

Json = dict[str, Any]

SECRET_HEADER = "X-Espalier-Secret"  # noqa: S105


class Webhooks:
    """Label Studio makes a webhook when a backend is connected, without basic auth, and leaves it when that goes."""

    def __init__(self, transport: Transport) -> None:
        self._transport = transport

    def of(self, project_id: int) -> list[Json]:
        """The project's webhooks (and the organization's), as Label Studio describes them."""
        found: list[Json] = self._transport.json(
            "GET", "/api/webhooks/", query={"project": project_id}, doing=f"list project {project_id}'s webhooks"
        )
        return found

    def secure(self, project_id: int, secret: str, *, backend_url: str = "") -> list[Json]:
        """Leave exactly one working webhook of this project to our backend's address + /webhook, carrying the secret.

        Our backend is the one that is connected to the project, or `backend_url` where several are. The webhook is
        made where it is missing. Further ones to the same address are deleted, and so are those with our header to an
        address where no backend is connected any more. Those of others are left alone. An empty secret sets no header.
        Returns our webhook, or [] where it is not clear which one is ours.
        """
        connected = {f"{url}/webhook" for url in self._backends(project_id)}
        mine = [hook for hook in self.of(project_id) if hook.get("project") == project_id]
        for hook in mine:
            if _has_header(hook) and _address(hook) not in connected:
                self._delete(hook)
        ours = {f"{backend_url.rstrip('/')}/webhook"} & connected if backend_url else connected
        if len(ours) != 1:
            log.warning(
                "project %s has %d backends that may be ours; if events must carry a secret, add the header %s to the "
                "webhook yourself (Settings > Webhooks)",
                project_id,
                len(ours),
                SECRET_HEADER,
            )
            return []
        address = ours.pop()
        found = sorted((hook for hook in mine if _address(hook) == address), key=lambda hook: int(hook["id"]))
        for duplicate in found[1:]:
            self._delete(duplicate)
        return [self._with_secret(found[0], secret) if found else self._create(project_id, address, secret)]

    def _backends(self, project_id: int) -> set[str]:
        backends: list[Json] = self._transport.json(
            "GET", "/api/ml", query={"project": project_id}, doing=f"list project {project_id}'s backends"
        )
        return {str(backend["url"]).rstrip("/") for backend in backends}

    def _create(self, project_id: int, address: str, secret: str) -> Json:
        made: Json = self._transport.json(
            "POST",
            "/api/webhooks/",
            body={
                "project": project_id,
                "url": address,
                "send_payload": True,
                "send_for_all_actions": True,
                "headers": {SECRET_HEADER: secret} if secret else {},
            },
            doing=f"make the webhook to {address}",
        )
        return made

    def _with_secret(self, hook: Json, secret: str) -> Json:
        headers = dict(hook.get("headers") or {})
        wanted = {**headers, SECRET_HEADER: secret} if secret else headers
        settled = hook.get("is_active") and hook.get("send_payload") and hook.get("send_for_all_actions")
        if settled and headers == wanted:
            return hook
        changed: Json = self._transport.json(
            "PATCH",
            f"/api/webhooks/{hook['id']}/",
            body={"headers": wanted, "is_active": True, "send_payload": True, "send_for_all_actions": True},
            doing="put the secret on the webhook",
        )
        return changed

    def _delete(self, hook: Json) -> None:
        try:
            self._transport.json("DELETE", f"/api/webhooks/{hook['id']}/", doing="delete a webhook left behind")
        except LabelStudioRefused as error:
            if error.status != 404:
                raise


def _address(hook: Json) -> str:
    return str(hook.get("url", "")).partition("?")[0]


def _has_header(hook: Json) -> bool:
    return any(name.lower() == SECRET_HEADER.lower() for name in hook.get("headers") or {})
