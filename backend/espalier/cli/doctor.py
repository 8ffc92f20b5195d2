"""`espalier doctor`: does everything answer, and if not, what to do. The first thing to run when something is wrong."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Literal

import click

from ..errors import EspalierError
from ..jobs.house import House, current
from ..labelstudio.client import LabelStudio
from ..plugins import registry
from ..store.rows import Project
from .door import main, settings

State = Literal["ok", "warning", "failed"]
_COLOURS = {"ok": "green", "warning": "yellow", "failed": "red"}
_RESERVED = "reserved network address"


@dataclass(frozen=True)
class Check:
    """What was looked at, how it is, and what to do where it is not well."""

    name: str
    state: State
    found: str
    remedy: str = ""


@main.command()
def doctor() -> None:
    """Check Redis, database, disk, encoder, device, plugins, workers and Label Studio. Ends with 1 on a failure."""
    failed = False
    for check in examine(current(settings())):
        failed = failed or check.state == "failed"
        click.secho(f"{check.state:<8}", fg=_COLOURS[check.state], nl=False)
        click.echo(f"{check.name:<16}{check.found}")
        if check.remedy:
            click.echo(f"{'':<24}→ {check.remedy}")
    raise SystemExit(1 if failed else 0)


def examine(house: House) -> Iterator[Check]:
    """Each check in turn; one that raises is a failed check, never the end."""
    checks: list[Callable[[House], Iterator[Check]]] = [_disk, _queue, _database, _encoder, _plugins, _label_studio]
    for check in checks:
        try:
            yield from check(house)
        except EspalierError as error:
            yield Check(check.__name__.strip("_").replace("_", " "), "failed", str(error))


def _disk(house: House) -> Iterator[Check]:
    directory = house.settings.data_dir
    directory.mkdir(parents=True, exist_ok=True)
    free_gb = shutil.disk_usage(directory).free / 1e9
    yield Check(
        "data directory",
        "ok" if os.access(directory, os.W_OK) and free_gb > 1 else "failed",
        f"{directory.resolve()}, {free_gb:.0f} GB free; Python {platform.python_version()}",
        "" if free_gb > 1 else "make room, or set ESPALIER_DATA_DIR elsewhere and ESPALIER_CACHE_GB lower",
    )


def _queue(house: House) -> Iterator[Check]:
    house.queues.redis.ping()
    where = house.settings.redis_url or "embedded Valkey"
    yield Check("queue", "ok", where.rpartition("@")[2])
    workers = house.queues.workers()
    for queue in ("prediction", "training"):
        count = sum(queue in names for names in workers.values())
        yield Check(
            f"{queue} workers",
            "ok" if count else "warning",
            f"{count} running",
            "" if count else f"start `espalier serve`, or `espalier worker {queue}`",
        )


def _database(house: House) -> Iterator[Check]:
    projects = house.records.projects()
    kind = house.settings.database.partition(":")[0]
    yield Check("database", "ok", f"{kind}, {len(projects)} projects")


def _encoder(house: House) -> Iterator[Check]:
    encoder = house.encoder()
    fallback = encoder.spec.name == "classic" and house.settings.encoder == "auto"
    yield Check(
        "encoder",
        "warning" if fallback else "ok",
        f"{encoder.spec.name}, {encoder.spec.dim} numbers a frame: {encoder.spec.reason}",
        "put pretrained weights as <timm name>.safetensors into a directory and set ESPALIER_WEIGHTS_DIR"
        if fallback
        else "",
    )


def _plugins(house: House) -> Iterator[Check]:
    for found in (registry.encoders(), registry.classifiers(), registry.indexes()):
        for plugin in found.values():
            if plugin.error:
                yield Check("plugin", "warning", f"{plugin.role} {plugin.name} of {plugin.origin}: {plugin.error}")


def _label_studio(house: House) -> Iterator[Check]:
    projects = house.records.projects()
    url = house.settings.label_studio_url
    token = house.settings.label_studio_api_key.reveal()
    if not projects and not url:
        yield Check(
            "Label Studio",
            "warning",
            "no project has connected yet",
            f"Settings > Model > Connect Model, URL http://127.0.0.1:{house.settings.port}; where it answers "
            f"'{_RESERVED}', start Label Studio with LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false",
        )
        return
    if url and token:
        client = LabelStudio(url, token)
        who = client.whoami()
        yield Check("Label Studio", "ok", f"{url} as {who.get('email', 'unknown')} with a {client.token_kind} token")
    for project in projects:
        yield from _project(house, project)


def _project(house: House, project: Project) -> Iterator[Check]:
    name = f"project {project.id}"
    client = house.label_studio(project)
    if client is None:
        yield Check(
            name,
            "warning",
            "no token that works: learns from webhooks alone, cannot push predictions",
            "create a Personal Access Token under Account & Settings and set LABEL_STUDIO_API_KEY",
        )
        return
    backends = client.ml_backends(project.id)
    if not backends:
        yield Check(name, "failed", "Label Studio has no model connected", "Settings > Model > Connect Model")
        return
    url, state = str(backends[0].get("url")), backends[0].get("state")
    error = str(backends[0].get("error_message") or "")
    yield Check(
        name,
        "ok" if state == "CO" else "failed",
        f"Label Studio reaches {url}" if state == "CO" else f"Label Studio cannot reach {url}: {error or state}",
        "" if state == "CO" else _remedy(error),
    )
    hooks = [hook for hook in client.webhooks(project.id) if str(hook.get("url", "")).startswith(url.rstrip("/"))]
    yield Check(
        f"{name} webhook",
        "ok" if len(hooks) == 1 else "failed" if not hooks else "warning",
        f"{len(hooks)} webhook{'s' if len(hooks) != 1 else ''}",
        "" if len(hooks) == 1 else _webhook_remedy(url, len(hooks)),
    )


def _remedy(error: str) -> str:
    if _RESERVED in error:
        return "start Label Studio with LABEL_STUDIO_USE_DEFAULT_BANNED_SUBNETS=false"
    return (
        "is the address right as seen from Label Studio (a container's localhost is its own)? is `espalier serve` up?"
    )


def _webhook_remedy(url: str, count: int) -> str:
    if count:
        return "delete all but one under Settings > Webhooks"
    return f"add {url.rstrip('/')}/webhook under Settings > Webhooks, or disconnect and connect the model again"
