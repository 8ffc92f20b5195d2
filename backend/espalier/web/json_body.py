"""JSON in and out."""

from __future__ import annotations

from typing import Any

import orjson
from flask import Response, abort, request

from ..errors import BadRequest


def read() -> Any:
    """The request's JSON. A browser cannot send this content type across sites without asking, so no other is taken."""
    if request.mimetype != "application/json":
        abort(415, f"{request.path} takes application/json, got {request.mimetype or 'no content type'}")
    body = request.get_data(cache=False)
    try:
        return orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadRequest(f"the body of {request.path} is not valid JSON: {error}") from None


def answer(body: object, status: int = 200) -> Response:
    return Response(orjson.dumps(body, option=orjson.OPT_NON_STR_KEYS), status, mimetype="application/json")
