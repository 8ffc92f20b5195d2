"""The OpenAPI document of the REST API, and a page that shows it and tries it out."""

from __future__ import annotations

from functools import cache
from importlib.resources import files
from typing import Any

import orjson
from flask import Blueprint, Flask, Response, request

from .access import require
from .routes import PREFIX

_PAGE_POLICY = "default-src 'none'; script-src 'self'; style-src 'self'; connect-src 'self'; frame-ancestors 'none'"
_KINDS = {"page.html": "text/html", "page.js": "text/javascript", "page.css": "text/css"}


def register(app: Flask) -> None:
    api: Any = app  # an APIFlask, which tells no types
    routes = Blueprint("api-reference", __name__, url_prefix=PREFIX)
    made: dict[str, bytes] = {}

    @routes.get("/openapi.json")
    def openapi() -> Response:
        """Made once, when it is first asked for."""
        require("viewer")
        if not made:
            for other in app.blueprints.values():
                if not hasattr(
                    other, "enable_openapi"
                ):  # APIFlask looks for it in every blueprint with a door of its own
                    vars(other)["enable_openapi"] = False
            made["document"] = orjson.dumps(api.spec)
        response = Response(made["document"], mimetype="application/json")
        response.headers["Cache-Control"] = "private, no-cache"
        response.add_etag()
        return _conditional(response)

    @routes.get("/docs")
    @routes.get("/docs/<any('page.js', 'page.css'):name>")
    def page(name: str = "page.html") -> Response:
        require("viewer")
        response = Response(_read(name), mimetype=_KINDS[name])
        response.headers["Cache-Control"] = "private, no-cache"
        response.headers["Content-Security-Policy"] = _PAGE_POLICY
        response.add_etag()
        return _conditional(response)

    app.register_blueprint(routes)


def _conditional(response: Response) -> Response:
    response.make_conditional(request)
    return response


@cache
def _read(name: str) -> bytes:
    return files(__package__).joinpath("reference_page", name).read_bytes()
