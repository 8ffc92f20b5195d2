"""Problem details (RFC 9457): what went wrong under /api/, and what to do about it."""

from __future__ import annotations

from collections.abc import Mapping
from http import HTTPStatus
from typing import Literal

import orjson
from flask import Response
from pydantic import BaseModel, ConfigDict, Field
from werkzeug.exceptions import HTTPException

PREFIX = "/api/"
MIMETYPE = "application/problem+json"

Kind = Literal[
    "bad-request", "not-signed-in", "not-allowed", "not-found", "wrong-method", "conflict", "too-large",
    "wrong-content", "out-of-range", "not-valid", "too-many", "unforeseen", "label-studio", "not-answering",
]  # fmt: skip
_TITLES: dict[int, tuple[Kind, str]] = {
    400: ("bad-request", "The request cannot be understood"),
    401: ("not-signed-in", "Who asks is not known"),
    403: ("not-allowed", "Who asks may not do this"),
    404: ("not-found", "There is no such thing"),
    405: ("wrong-method", "The address takes another method"),
    409: ("conflict", "Things are not as the request needs them"),
    413: ("too-large", "The request is too large"),
    415: ("wrong-content", "The request's content is of another type than expected"),
    416: ("out-of-range", "The file has no such part"),
    422: ("not-valid", "The request cannot be carried out as it is"),
    429: ("too-many", "Too much is asked at once"),
    500: ("unforeseen", "Something went wrong inside Espalier"),
    502: ("label-studio", "Label Studio did not do what was needed"),
    503: ("not-answering", "A part of Espalier does not answer"),
}


_PLACES = {"json": "the body", "query": "the address"}
_TOLD = 8
_SENTENCES = {
    404: "nothing is at this address: GET /api/v1/docs shows what there is",
    405: "this address takes another method: the header Allow names those that it takes",
}


class Problem(BaseModel):
    """What every answer of 400 and above is, as application/problem+json."""

    model_config = ConfigDict(extra="forbid")

    type: str = Field(description="A name of the kind of problem, `urn:espalier:<kind>`; it never changes.")
    title: str = Field(description="The kind of problem, in words.")
    status: int = Field(ge=400, le=599)
    detail: str = Field(description="What happened here, with which value, and what to do.")


class Refused(Exception):
    """Raised by an endpoint: answered as a problem of this status."""

    def __init__(self, status: int, detail: str, *, headers: Mapping[str, str] | None = None) -> None:
        super().__init__(detail)
        self.status, self.detail, self.headers = status, detail, dict(headers or {})


def answer(status: int, detail: str, headers: Mapping[str, str] | None = None) -> Response:
    kind, title = _TITLES.get(status, ("", HTTPStatus(status).phrase))
    problem = Problem(type=f"urn:espalier:{kind}" if kind else "about:blank", title=title, status=status, detail=detail)
    response = Response(orjson.dumps(problem.model_dump()), status, mimetype=MIMETYPE)
    response.headers.extend(dict(headers or {}))
    return response


def in_words(errors: object) -> str:
    """What is wrong with which fields, as the validation tells it: {"json": {"tasks.0": ["Input should be ..."]}}."""
    if not isinstance(errors, Mapping):
        return ""
    told = [
        f"{_PLACES.get(str(place), str(place))}: " + (f"{name}: " if name != "_schema" else "") + "; ".join(messages)
        for place, fields in errors.items()
        if isinstance(fields, Mapping)
        for name, messages in fields.items()
    ]
    return ". ".join(told[:_TOLD]) + (f". And {len(told) - _TOLD} more" if len(told) > _TOLD else "")


def said_of(error: HTTPException) -> str:
    """Of an error that the web framework found: werkzeug's sentences speak of servers and browsers."""
    return _SENTENCES.get(error.code or 0) or error.description or error.name


def title_of(status: int) -> str:
    return _TITLES[status][1]
