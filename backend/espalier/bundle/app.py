"""The bundle's web application: GET /health, GET /about, POST /predict. Errors leave it as one sentence."""

from __future__ import annotations

import hmac
import logging
import time
from typing import Any

from flask import Flask, Response, request
from werkzeug.exceptions import HTTPException, RequestEntityTooLarge

from ..errors import BadRequest, EspalierError
from ..web import json_body
from . import request_files
from .limits import Limits
from .predictor import Predictor

log = logging.getLogger(__name__)


def create_app(predictor: Predictor, limits: Limits) -> Flask:
    """Everything needs basic auth where it is set."""
    app = Flask("espalier.bundle", static_folder=None, template_folder=None)
    app.request_class = request_files.FileRequest
    app.config["MAX_CONTENT_LENGTH"] = limits.max_mb * 1_000_000
    app.config["MAX_FORM_PARTS"] = limits.max_files + 100
    app.before_request(lambda: _refused(limits))
    _register_errors(app, limits)

    @app.get("/health")
    def health() -> Response:
        return json_body.answer({"status": "UP", "model": predictor.bundle.manifest.name})

    @app.get("/about")
    def about() -> Response:
        return json_body.answer(describe(predictor, limits))

    @app.post("/predict")
    def predict() -> Response:
        deadline = time.monotonic() + limits.max_seconds
        with request_files.read(request, limits) as (files, asked):
            replies = list(predictor.predict(files, asked, deadline=deadline))
        manifest = predictor.bundle.manifest
        precision = asked.precision or (manifest.precision if asked.model == "best" else "fp32")
        said = {"version": manifest.version, "model": asked.model, "precision": precision, "files": replies}
        if all("error" in one for one in replies):
            return json_body.answer({"error": replies[0]["error"], **said}, 422)
        return json_body.answer(said)

    @app.after_request
    def harden(response: Response) -> Response:
        response.headers.setdefault("X-Content-Type-Options", "nosniff")
        response.headers.setdefault("Cache-Control", "no-store")
        return response

    return app


def describe(predictor: Predictor, limits: Limits) -> dict[str, Any]:
    """What the bundle is, what it answers, how sure it must be, how good it was, and what may be asked of it."""
    manifest = predictor.bundle.manifest
    cutoffs = predictor.loaded().cutoffs.effective(predictor.ontology, predictor.loaded().model)
    heads = predictor.loaded().model.heads
    return {
        "name": manifest.name,
        "version": manifest.version,
        "espalier": manifest.espalier,
        "digest": manifest.digest,
        "models": list(manifest.models),
        "precision": manifest.precision,
        "precisions": ["fp32", *(["int8"] if "network_int8" in manifest.models["best"] else [])],
        "measured": manifest.measured,
        "encoder": manifest.models["best"]["encoder"],
        "classifications": [
            {
                "name": one.name,
                "kind": one.kind,
                "options": [list(option.path) for option in one.options],
                "cutoffs": [
                    {"option": list(option), "cutoff": round(float(cutoff), 6)}
                    for key, values in cutoffs.items()
                    if key[0] == one.name
                    for option, cutoff in zip(heads[key].options, values, strict=True)
                ],
            }
            for one in predictor.ontology
        ],
        "media": [{"name": tag.name, "kind": tag.kind} for tag in predictor.ontology.media],
        "limits": {
            "max_mb": limits.max_mb,
            "max_files": limits.max_files,
            "max_megapixels": limits.max_megapixels,
            "max_seconds": limits.max_seconds,
        },
    }


def _refused(limits: Limits) -> Response | None:
    if not limits.user:
        return None
    given = request.authorization
    name, password = (given.username or "", given.password or "") if given and given.type == "basic" else ("", "")
    # Both are compared in full, so that the time taken tells nothing.
    same = [
        hmac.compare_digest(one.encode(), other.encode())
        for one, other in ((name, limits.user), (password, limits.password.reveal()))
    ]
    if all(same):
        return None
    refusal = json_body.answer({"error": "user or password missing or wrong"}, 401)
    refusal.headers["WWW-Authenticate"] = 'Basic realm="Espalier"'
    return refusal


def _register_errors(app: Flask, limits: Limits) -> None:
    @app.errorhandler(EspalierError)
    def in_words(error: EspalierError) -> Response:
        return json_body.answer({"error": str(error)}, 400 if isinstance(error, BadRequest) else 422)

    @app.errorhandler(RequestEntityTooLarge)
    def too_large(_: RequestEntityTooLarge) -> Response:
        sentence = (
            f"a request may have {limits.max_mb} MB and {limits.max_files} files: send it in parts, "
            f"or start the server with --max-mb and --max-files"
        )
        return json_body.answer({"error": sentence}, 413)

    @app.errorhandler(HTTPException)
    def http(error: HTTPException) -> Response:
        return json_body.answer({"error": error.description or error.name}, error.code or 500)

    @app.errorhandler(Exception)
    def unforeseen(error: Exception) -> Response:
        log.error("an error that Espalier did not foresee", exc_info=error)
        return json_body.answer({"error": "something went wrong inside the bundle's server; its log says what"}, 500)
