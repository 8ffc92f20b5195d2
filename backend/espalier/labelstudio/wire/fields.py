"""Reading fields of a JSON body, with a sentence for each that is not what it must be."""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime, timezone
from typing import Any

from ...errors import BadRequest

Json = dict[str, Any]


def mapping(value: object, what: str) -> Json:
    if not isinstance(value, Mapping):
        raise BadRequest(f"{what} must be a JSON object, got {kind(value)}")
    return dict(value)


def mappings(value: object, what: str) -> list[Json]:
    """A list of objects; a single object counts as a list of one, null as none."""
    if value is None:
        return []
    if isinstance(value, Mapping):
        return [dict(value)]
    if not isinstance(value, list):
        raise BadRequest(f"{what} must be a list of JSON objects, got {kind(value)}")
    return [mapping(item, f"{what}[{number}]") for number, item in enumerate(value)]


def text(body: Mapping[str, Any], name: str, what: str) -> str:
    """A string field; "" where it is missing or null."""
    value = body.get(name)
    if value is None:
        return ""
    if not isinstance(value, str):
        raise BadRequest(f"{what}.{name} must be a string, got {kind(value)}")
    return value


def whole_number(value: object, what: str) -> int:
    """5 and "5"; raises BadRequest for anything else."""
    if isinstance(value, bool) or not isinstance(value, int | str):
        raise BadRequest(f"{what} must be a whole number, got {kind(value)}")
    try:
        return int(value)
    except ValueError:
        raise BadRequest(f"{what} must be a whole number, got {value!r}") from None


def key_and_id(value: object, what: str) -> tuple[str, int]:
    """Label Studio names a project "{id}.{created_at in unix seconds}": ids return when a database is made anew."""
    if not isinstance(value, str) or not value.partition(".")[0].isdigit() or not value.partition(".")[2].isdigit():
        raise BadRequest(
            f"{what} must name a project as Label Studio does, like '10.1795197302', got {str(value)[:60]!r}"
        )
    return value, int(value.partition(".")[0])


def project_key(project: Mapping[str, Any]) -> str:
    """The key that /setup sends for this project object: its id, and created_at in whole seconds, cut off."""
    number = whole_number(project.get("id"), "project.id")
    created = project.get("created_at")
    try:
        moment = datetime.fromisoformat(str(created).replace("Z", "+00:00"))
    except ValueError:
        raise BadRequest(
            f"project.created_at must be a time like 2026-11-20T17:55:02.886124Z, got {created!r}"
        ) from None
    if moment.tzinfo is None:
        moment = moment.replace(tzinfo=timezone.utc)
    return f"{number}.{int(moment.timestamp())}"


def kind(value: object) -> str:
    """A JSON value's kind, for people."""
    names = {type(None): "null", bool: "true or false", str: "a string", list: "a list", dict: "an object"}
    return names.get(type(value), "a number" if isinstance(value, int | float) else type(value).__name__)
