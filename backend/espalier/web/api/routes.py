"""How an endpoint is written: its path, its role, what it takes and what it answers, in one typed decorator.

APIFlask reads the same declarations for the OpenAPI document. Its decorators know no types, so they are called here and
nowhere else.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable, Mapping
from functools import wraps
from typing import Any, Literal, TypeVar

from apiflask import APIBlueprint
from flask import Flask, Response, request
from pydantic import BaseModel, ConfigDict
from werkzeug.datastructures import Headers

from ...store.tokens import Role
from .access import require
from .problem import Refused

PREFIX = "/api/v1"
MAX_JSON_BYTES = 8_000_000
"""A bulk label of a hundred thousand frames is about two."""

View = TypeVar("View", bound=Callable[..., Any])
Method = Literal["GET", "POST", "PUT", "DELETE"]


class Asked(BaseModel):
    """What a request holds: unknown names and wrong types are refused, nothing is guessed."""

    model_config = ConfigDict(extra="forbid", strict=True, allow_inf_nan=False)


class Query(BaseModel):
    """What stands behind the question mark: text, read as what is wanted."""

    model_config = ConfigDict(extra="forbid", allow_inf_nan=False)


class Told(BaseModel):
    """What an answer holds, and nothing else."""

    model_config = ConfigDict(extra="forbid")


class Figures(BaseModel):
    """What an answer holds, and more beside it that commands print with --json."""

    model_config = ConfigDict(extra="allow")


class Routes:
    """The endpoints of one noun, below /api/v1."""

    def __init__(self, noun: str, meaning: str) -> None:
        self._blueprint = APIBlueprint(
            f"api-{noun}", __name__, url_prefix=PREFIX, tag={"name": noun, "description": meaning}
        )
        self._blueprint.after_request(_with_etag)

    def endpoint(
        self,
        method: Method,
        path: str,
        answers: type[BaseModel] | Mapping[str, Any] | None,
        *,
        role: Role,
        status: int = 200,
        takes: type[Asked] | None = None,
        query: type[Query] | None = None,
        also: Mapping[int, type[BaseModel] | str] | None = None,
        refuses: Iterable[int] = (),
        sends: Mapping[str, Any] | None = None,
        id: str,
    ) -> Callable[[View], View]:
        """The view gets path arguments by name, and `body` and `query` where they are taken.

        answers: the model, or the OpenAPI content of what is not JSON. also: further answers that are no problem, by
        status. refuses: statuses of problems beyond those that follow from the declaration itself. sends: the OpenAPI
        content of a body that is not JSON.
        """
        refused = {401, 403, 500, 503, *refuses}
        refused |= {404} if "<" in path else set()
        refused |= {422} if query or takes else set()
        refused |= {400, 413, 415} if takes else set()

        def declare(view: View) -> View:
            blueprint = self._blueprint
            call: Any = view
            if takes is not None:
                call = blueprint.input(takes, location="json", arg_name="body")(call)
            if query is not None:
                call = blueprint.input(query, location="query", arg_name="query")(call)

            @wraps(call)
            def checked(**arguments: Any) -> Any:
                require(role)
                if takes is not None:
                    _expect_json()
                return call(**arguments)

            declared: Any = checked
            if isinstance(answers, type):
                declared = blueprint.output(answers, status_code=status)(declared)
            extra: dict[str, Any] = {
                "x-espalier-role": role,
                "x-espalier-also": dict(also or {}),
                "x-espalier-refuses": sorted(refused),
            }
            if answers is None or not isinstance(answers, type):
                extra["x-espalier-content"] = {status: answers}
            if sends is not None:
                extra["x-espalier-sends"] = sends
            declared = blueprint.doc(operation_id=id, extensions=extra)(declared)
            blueprint.route(path, methods=[method])(declared)
            return view

        return declare

    def register(self, app: Flask) -> None:
        app.register_blueprint(self._blueprint)


def _expect_json() -> None:
    """A browser cannot send this content type across sites without asking, so no other is taken."""
    request.max_content_length = MAX_JSON_BYTES
    if request.mimetype != "application/json":
        raise Refused(415, f"{request.path} takes application/json, got {request.mimetype or 'no content type'}")
    if not isinstance(request.get_json(force=True), dict):
        raise Refused(422, f"the body of {request.path} must be a JSON object, such as {{}}")


def _with_etag(response: Response) -> Response:
    """What was asked before and has not changed is not sent again."""
    if request.method != "GET" or response.status_code != 200 or response.is_streamed:
        return response
    response.headers.setdefault("Cache-Control", "private, no-cache")
    response.add_etag()
    response.make_conditional(request)
    if response.status_code == 304:
        response.headers = Headers(
            [entry for entry in response.headers if entry[0].lower() not in ("content-type", "content-length")]
        )
    return response
