"""The web application, built from what it is given; errors leave it as one sentence."""

from __future__ import annotations

import logging
import time
from functools import partial

from apiflask.exceptions import HTTPError
from flask import Flask, Response, request
from redis.exceptions import RedisError
from sqlalchemy.exc import SQLAlchemyError
from werkzeug.exceptions import HTTPException

from ..errors import (
    BadRequest,
    BadSetting,
    EspalierError,
    LabelStudioDown,
    LabelStudioRefused,
    NotTrained,
)
from ..jobs.queue import Queues
from ..settings import Settings
from ..store.records import Records
from . import protocol, tickets
from .api import problem, rest, reviews
from .api.given import Given
from .api.predicted import PredictedItems
from .api.streams import Streams
from .auth import Auth
from .metrics import Metrics
from .panel import pages
from .panel.sessions import Sessions
from .refusal import refuse
from .tickets import TicketedRequests

log = logging.getLogger(__name__)

# Label Studio sends all selected tasks, with their annotations and predictions, in one request.
MAX_BODY_BYTES = 512_000_000
_SAY_AGAIN_AFTER_S = 60.0
_KEPT_HEADERS = ("Allow", "Retry-After")


def create_app(
    settings: Settings, records: Records, queues: Queues, streams: Streams | None = None, *, ahead: bool = False
) -> Flask:
    """Everything needs basic auth where it is set (see auth.py), and the REST API takes tokens as well (api/access.py).

    streams: those that the server closes when it is stopped. ahead: what will be looked at first is read at once.
    Further blueprints may be registered on it.
    """
    app = rest.application()
    app.config["MAX_CONTENT_LENGTH"] = MAX_BODY_BYTES
    auth = Auth(settings)
    metrics = Metrics(records, queues)
    app.before_request(metrics.start)
    app.before_request(auth.check)
    app.after_request(_harden)
    app.after_request(metrics.finish)
    app.register_blueprint(protocol.blueprint(settings, records, queues, auth, metrics))
    sessions = Sessions(settings, records)
    given, items = Given(settings, records, queues), PredictedItems(records)
    access = rest.register(app, settings, given, auth, streams or Streams(), items)
    access.also_by(tickets.person)
    access.also_by(lambda: sessions.person(request) if not sessions.is_open else None)
    app.register_blueprint(pages.blueprint(settings, records, sessions, partial(reviews.read_ahead, given, items)))
    _register_errors(app)
    if ahead:
        reviews.read_last(given, items)
    app.wsgi_app = TicketedRequests(app.wsgi_app, settings)  # type: ignore[method-assign]
    return app


def status_of(error: EspalierError) -> int:
    """The HTTP status of an error that has words for people."""
    if isinstance(error, BadRequest):
        return 400
    if isinstance(error, NotTrained):
        return 409
    if isinstance(error, LabelStudioDown | LabelStudioRefused):
        return 502
    return 500 if isinstance(error, BadSetting) else 422


def _register_errors(app: Flask) -> None:
    outages: dict[str, float] = {}

    @app.errorhandler(EspalierError)
    def in_words(error: EspalierError) -> Response:
        return refuse(str(error), status_of(error))

    @app.errorhandler(problem.Refused)
    def refused(error: problem.Refused) -> Response:
        return refuse(error.detail, error.status, error.headers)

    @app.errorhandler(HTTPError)
    def not_valid(error: HTTPError) -> Response:
        return refuse(problem.in_words(error.detail) or error.message, error.status_code)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        kept = {name: value for name, value in error.get_headers() if name in _KEPT_HEADERS}
        return refuse(problem.said_of(error), error.code or 500, kept)

    @app.errorhandler(SQLAlchemyError)
    def database(error: SQLAlchemyError) -> Response:
        return outage("the database", error)

    @app.errorhandler(RedisError)
    def redis(error: RedisError) -> Response:
        return outage("the queue (Redis)", error)

    def outage(what: str, error: Exception) -> Response:
        # Label Studio asks with every page: a log full of one sentence hides the others.
        now = time.monotonic()
        if now - outages.get(what, float("-inf")) > _SAY_AGAIN_AFTER_S:
            outages[what] = now
            log.error("%s does not answer (%s); requests are answered with 503", what, type(error).__name__)
        sentence = f"{what} of Espalier does not answer; `espalier doctor` says more. Label Studio may simply try again"
        return refuse(sentence, 503)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        log.error("an error that Espalier did not foresee", exc_info=error)
        return refuse("something went wrong inside Espalier; its log says what", 500)


def _harden(response: Response) -> Response:
    response.headers.setdefault("X-Content-Type-Options", "nosniff")
    response.headers.setdefault("Referrer-Policy", "same-origin")
    response.headers.setdefault("Cache-Control", "no-store")
    if response.mimetype in ("application/json", problem.MIMETYPE):
        response.headers.setdefault("Content-Security-Policy", "default-src 'none'; frame-ancestors 'none'")
    return response
