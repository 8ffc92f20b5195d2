"""POST /setup: Label Studio introduces a project, with nearly every page that it shows."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any

import orjson

from ...errors import BadRequest
from .fields import Json, key_and_id, mapping, text


@dataclass(frozen=True)
class Setup:
    """`schema` is the labeling configuration; `access_token` the creator's legacy token, which seldom works.

    `extra_params` is None where nothing was said: Label Studio probes a connection without them before it sends them.
    """

    project_key: str
    project_id: int
    schema: str
    hostname: str
    access_token: str = field(repr=False)
    extra_params: Json | None = field(repr=False)


def parse_setup(body: object) -> Setup:
    """Raises BadRequest."""
    fields = mapping(body, "the body of /setup")
    key, number = key_and_id(fields.get("project"), "/setup: project")
    return Setup(
        project_key=key,
        project_id=number,
        schema=text(fields, "schema", "/setup"),
        hostname=text(fields, "hostname", "/setup"),
        access_token=text(fields, "access_token", "/setup"),
        extra_params=_extra_params(fields.get("extra_params")),
    )


def _extra_params(value: Any) -> Json | None:
    """The connection form sends what was typed as a JSON-encoded string; the API sends it as it is."""
    if value is None or value == "":
        return None
    if isinstance(value, str):
        try:
            value = orjson.loads(value)
        except orjson.JSONDecodeError:
            raise BadRequest(
                'the extra params of the model connection are not valid JSON; write them like {"encoder": "classic"}'
            ) from None
        if value is None:
            return None
    return mapping(value, "the extra params of the model connection")
