"""What `espalier doctor` finds out about Label Studio: reachable, token, connection, webhook."""

from __future__ import annotations

from collections.abc import Iterator
from urllib.parse import urlsplit

import requests

from ..errors import EspalierError, LabelStudioDown, LabelStudioRefused
from ..jobs.house import House
from ..labelstudio.client import LabelStudio
from ..store.rows import Project
from .check import Check

BANNED = "start Label Studio with LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false"
_TOKEN = "create a Personal Access Token under Account & Settings and set LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY"  # noqa: S105
_RESERVED = "reserved network address"


def label_studio(house: House) -> Iterator[Check]:
    """The Label Studio of the settings, and each project that has connected."""
    url, token = house.settings.label_studio_url, house.settings.label_studio_api_key.reveal()
    works = True
    if url:
        found = _server(url, token)
        works = found.state != "failed"
        yield found
    elif token:
        yield Check(
            "Label Studio", "warning", "LABEL_STUDIO_API_KEY is not used without LABEL_STUDIO_URL", "set that as well"
        )
    projects = house.records.projects()
    if not projects:
        yield Check(
            "projects",
            "warning",
            "none has connected yet",
            f"Settings > Model > Connect Model, URL http://127.0.0.1:{house.settings.port}; "
            f"where that answers {_RESERVED!r}, {BANNED}",
        )
    for project in projects if works else []:
        yield from connection(house, project)


def connection(house: House, project: Project) -> Iterator[Check]:
    """Of one project: does Label Studio reach this backend, and tell it of annotations."""
    try:
        yield from _connection(house, project)
    except EspalierError as error:
        yield Check(_name(project), "failed", str(error))


def _server(url: str, token: str) -> Check:
    client = LabelStudio(url, token)
    if not token:
        version = client.version()
        return Check("Label Studio", "warning", f"{url} answers ({version}); LABEL_STUDIO_API_KEY is not set", _TOKEN)
    try:
        who = client.whoami()
    except (LabelStudioRefused, LabelStudioDown) as error:
        return Check("Label Studio", "failed", str(error))
    email = who.get("email", "unknown")
    return Check("Label Studio", "ok", f"{url} ({client.version()}) as {email}, {client.token_kind} token")


def _connection(house: House, project: Project) -> Iterator[Check]:
    name = _name(project)
    client = house.label_studio(project)
    if client is None:
        yield Check(
            name,
            "warning",
            "no token that works: learns from webhooks alone, cannot read earlier annotations or write predictions",
            _TOKEN,
        )
        return
    backends = client.ml_backends(project.id)
    if not backends:
        yield Check(name, "failed", "Label Studio has no model connected", "Settings > Model > Connect Model")
        return
    url, error = str(backends[0].get("url")), str(backends[0].get("error_message") or "")
    connected = backends[0].get("state") == "CO"
    yield Check(
        name,
        "ok" if connected else "failed",
        f"Label Studio reaches {url}" if connected else f"Label Studio does not reach {url}: {_first_line(error)}",
        "" if connected else _remedy(url, error),
    )
    if len(backends) > 1:
        yield Check(
            name,
            "warning",
            f"{len(backends)} models are connected, and Label Studio asks the first only",
            "delete some",
        )
    hooks = [
        hook
        for hook in client.webhooks(project.id)
        if str(hook.get("url", "")).startswith(url.rstrip("/")) and hook.get("is_active", True)
    ]
    yield Check(
        f"{name} webhook",
        "ok" if len(hooks) == 1 else "failed" if not hooks else "warning",
        "is there, and active" if len(hooks) == 1 else f"{len(hooks)} active webhooks to {url}",
        "" if len(hooks) == 1 else _webhook_remedy(url, len(hooks)),
    )


def _name(project: Project) -> str:
    return f"project {project.id}"


def _first_line(error: str) -> str:
    return error.strip().partition("\n")[0][:200] or "it does not say why"


def _remedy(url: str, error: str) -> str:
    """Label Studio keeps silent about addresses that it refuses, so this machine tries for itself."""
    if _RESERVED in error:
        return BANNED
    if _is_espalier(url):
        return (
            f"it answers here, so Label Studio refuses private addresses: {BANNED} (or it runs where {url} is not this)"
        )
    host = urlsplit(url).hostname
    return (
        f"is `espalier serve` up, and does {host} mean its machine where Label Studio runs (a container's is its own)?"
    )


def _is_espalier(url: str) -> bool:
    try:
        answer = requests.get(f"{url.rstrip('/')}/health", timeout=5)
        return answer.status_code == 401 or answer.json().get("model_class") == "Espalier"
    except (requests.RequestException, ValueError, AttributeError):
        return False


def _webhook_remedy(url: str, count: int) -> str:
    if count:
        return "every annotation arrives several times: delete all but one under Settings > Webhooks"
    return (
        f"Espalier hears of no annotation. Label Studio leaves the webhook out where it refuses the address: {BANNED}; "
        f"then disconnect and connect the model, or add {url.rstrip('/')}/webhook under Settings > Webhooks"
    )
