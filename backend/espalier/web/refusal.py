"""A request that is not carried out, as its caller understands it: a problem under /api/, else Label Studio's form."""

from __future__ import annotations

from collections.abc import Mapping

from flask import Response, request

from . import json_body
from .api import problem


def refuse(sentence: str, status: int, headers: Mapping[str, str] | None = None) -> Response:
    if request.path.startswith(problem.PREFIX):
        return problem.answer(status, sentence, headers)
    response = json_body.answer({"error": sentence}, status)
    response.headers.extend(dict(headers or {}))
    return response
