"""Everything that an installation needs, looked at in turn: disk, database, queue, workers, encoder, plugins."""

from __future__ import annotations

import os
import platform
import shutil
from collections.abc import Callable, Iterator

import requests

from ..errors import EspalierError
from ..jobs import valkey
from ..jobs.house import House
from ..plugins import registry
from .check import Check
from .label_studio import label_studio
from .ports import is_free


def examine(house: House) -> Iterator[Check]:
    """Each check in turn; one that raises is a failed check, never the end."""
    checks: dict[str, Callable[[House], Iterator[Check]]] = {
        "data directory": _disk,
        "database": _database,
        "queue": _queue,
        "web": _web,
        "encoder": _encoder,
        "plugin": _plugins,
        "Label Studio": label_studio,
    }
    for name, check in checks.items():
        if name != "data directory" and not house.settings.data_dir.is_dir():
            return  # all else would only say so again
        try:
            yield from check(house)
        except (EspalierError, OSError) as error:
            yield Check(name, "failed", str(error))


def _disk(house: House) -> Iterator[Check]:
    directory = house.settings.data_dir.resolve()
    is_new = not directory.exists()
    try:
        directory.mkdir(parents=True, exist_ok=True)
    except OSError as error:
        yield Check("data directory", "failed", str(error), "set ESPALIER_DATA_DIR to a directory that can be written")
        return
    free_gb = shutil.disk_usage(directory).free / 1e9
    writable = os.access(directory, os.W_OK)
    yield Check(
        "data directory",
        "failed" if not writable or free_gb < 1 else "ok",
        f"{directory}{' (new)' if is_new else ''}, {free_gb:.0f} GB free"
        f"{'' if writable else ', not writable'}; Python {platform.python_version()}",
        "" if writable and free_gb >= 1 else "make room or give rights, or set ESPALIER_DATA_DIR to another place",
    )


def _database(house: House) -> Iterator[Check]:
    projects = house.records.projects()
    kind = house.settings.database.partition(":")[0].partition("+")[0]
    names = ", ".join(f"{project.id} ({project.title or 'untitled'})" for project in projects)
    yield Check("database", "ok", f"{kind}; projects: {names or 'none yet'}")


def _queue(house: House) -> Iterator[Check]:
    embedded = not house.settings.redis_url
    was_running = embedded and valkey.is_running(house.settings.data_dir)
    house.queues.redis.ping()
    where = house.settings.redis_url.rpartition("@")[2]
    state = "runs" if was_running else "starts when it is needed"
    yield Check("queue", "ok", f"embedded Valkey, {state}" if embedded else where)
    serving = house.queues.workers().values()
    for role, queue in (("prediction", "runs"), ("training", "training"), ("tuning", "tuning"), ("search", "search")):
        count = sum(queue in queues for queues in serving)
        waiting = house.queues.waiting()[queue]
        yield Check(
            f"{role} workers",
            "ok" if count else "failed" if waiting else "warning",
            f"{count} running" + (f", {waiting} jobs wait" if waiting else ""),
            "" if count else f"start `espalier serve`, or `espalier worker {role}`",
        )


def _web(house: House) -> Iterator[Check]:
    """The server that Label Studio speaks with, where it runs on this machine."""
    read = house.settings
    if is_free(read.host, read.port):
        yield Check("web", "warning", f"nothing listens on port {read.port} here", "start `espalier serve`")
        return
    url = f"http://{'127.0.0.1' if read.host in ('0.0.0.0', '::') else read.host}:{read.port}"  # noqa: S104
    auth = (read.basic_auth_user, read.basic_auth_pass.reveal()) if read.basic_auth_user else None
    try:
        answer = requests.get(f"{url}/health", auth=auth, timeout=5)
        found = answer.json() if answer.ok else {}
    except (requests.RequestException, ValueError):
        answer, found = None, {}
    if isinstance(found, dict) and found.get("model_class") == "Espalier":
        yield Check("web", "ok", f"{url} answers, version {found.get('version')}")
        return
    status = f"with status {answer.status_code}" if answer is not None else "as Espalier would not"
    yield Check(
        "web",
        "failed",
        f"what listens at {url} answers {status}",
        "end it, or set PORT to another; with basic auth, are BASIC_AUTH_USER and BASIC_AUTH_PASS those of the server?",
    )


def _encoder(house: House) -> Iterator[Check]:
    spec = house.encoder().spec
    found = f"{spec.name}, {spec.dim} numbers a frame"
    if spec.name == "classic" and house.settings.encoder == "auto":
        yield Check("encoder", "warning", f"{found}: knows colours and edges, not what is in a picture", spec.reason)
    else:
        yield Check("encoder", "ok", f"{found}: {spec.reason}")


def _plugins(house: House) -> Iterator[Check]:
    found = [*registry.encoders().values(), *registry.classifiers().values(), *registry.indexes().values()]
    for plugin in found:
        if plugin.error:
            yield Check("plugin", "warning", f"{plugin.role} {plugin.name} of {plugin.origin}: {plugin.error}")
    working = ", ".join(f"{plugin.role} {plugin.name}" for plugin in found if not plugin.error)
    yield Check("plugins", "ok", working)
