"""Asking the search from the command line: of a worker where one lives, else in this process; and what it finds."""

from __future__ import annotations

import re
from collections.abc import Mapping, Sequence
from typing import Any

import click

from ..errors import BadRequest
from ..jobs import valkey
from ..jobs.house import House
from ..search.asking import ask
from ..search.waiting import is_served
from ..store.rows import Project
from .following import follow
from .linked import echo_linked
from .listing import link
from .meter import MeteredProgress
from .table import columns

_TASK = re.compile(r"(\d+)(?::(\d+)(?:-(\d*))?)?")
_LABELS_SHOWN = 3


def answer_to(
    house: House, project: Project, kind: str, request: Mapping[str, Any], *, here: bool = False
) -> dict[str, Any]:
    """`here`: in this process, though a worker lives."""
    if not here and _has_worker(house):
        job = house.queues.request_search(project.key, kind, request)
        follow(house, job, kind)
        found = house.queues.result(job)
        house.queues.drop(job)
        assert isinstance(found, dict)
        return found
    with MeteredProgress(kind) as progress:
        return ask(house, project, kind, request, progress)


def frames_named(text: str, option: str) -> dict[str, Any]:
    """12, 12:34, 12:34-80 or 12:34-: a task, one frame of it, some, or all that follow, counted from 1."""
    found = _TASK.fullmatch(text)
    if found is None:
        raise BadRequest(f"{option} takes TASK, TASK:FRAME, TASK:FIRST-LAST or TASK:FIRST-, got {text!r}")
    task, first, last = found.groups()
    asked = {"task": int(task)}
    if first is not None and last is None:
        asked["frame"] = int(first)
    elif first is not None:
        asked |= {"first": int(first), **({"last": int(last)} if last else {})}
    return asked


def lines_of(house: House, project: Project, hits: Sequence[Mapping[str, Any]]) -> list[str]:
    """One line per hit: where it is, how near, what is said of it, and its link."""
    return columns(
        [
            (place(hit), f"{hit['score']:.3f}", labels_in(hit.get("labels", ())), link(house, project, hit["task"]))
            for hit in hits
        ]
        or [("nothing found",)]
    )


def echo_members(
    house: House, project: Project, found: Sequence[dict[str, Any]], number: int, noun: str, *, as_json: bool
) -> None:
    """The frames of one of several groups that were found, counted from 1. Raises BadRequest where there is none."""
    if number > len(found):
        raise BadRequest(f"there is no {noun} {number}; there are {len(found)}")
    if as_json:
        echo_linked(house, project, found[number - 1])
        return
    for line in lines_of(house, project, found[number - 1]["hits"]):
        click.echo(line)


def place(hit: Mapping[str, Any]) -> str:
    """task 12 frame 34 (30-58)"""
    scene = hit.get("scene")
    around = f" ({scene['first']}-{scene['last']})" if scene and scene["first"] != scene["last"] else ""
    return f"task {hit['task']} frame {hit['frame']}{around}"


def labels_in(labels: Sequence[Mapping[str, Any]]) -> str:
    """What people say; where they say nothing, what the version says, with its confidence."""
    people = [one for one in labels if one["source"] == "person"]
    told = [_label(one) for one in people] or [f"{_label(one)} ({one['confidence']:.0%}?)" for one in labels]
    more = f" and {len(told) - _LABELS_SHOWN} more" if len(told) > _LABELS_SHOWN else ""
    return ", ".join(told[:_LABELS_SHOWN]) + more or "-"


def _label(label: Mapping[str, Any]) -> str:
    return f"{label['classification']}: {'/'.join(label['option'])}"


def _has_worker(house: House) -> bool:
    """Without starting a queue for it."""
    settings = house.settings
    return (bool(settings.redis_url) or valkey.is_running(settings.data_dir)) and is_served(house.queues)
