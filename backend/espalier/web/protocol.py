"""Label Studio's routes. Each parses, calls one thing, and answers; nothing here waits but /predict."""

from __future__ import annotations

from dataclasses import asdict
from functools import cache
from importlib.metadata import PackageNotFoundError, version

from flask import Blueprint, Response, request

from espalier_ontology import lint

from ..errors import BadRequest
from ..jobs.queue import Queues
from ..labelstudio import wire
from ..labelstudio.wire.fields import key_and_id, mapping, text
from ..settings import Settings
from ..store.records import Records
from . import json_body
from .auth import Auth
from .events import Events
from .introductions import UNTRAINED, Introductions
from .metrics import Metrics
from .predictions import Predictions


def blueprint(settings: Settings, records: Records, queues: Queues, auth: Auth, metrics: Metrics) -> Blueprint:
    routes = Blueprint("protocol", __name__)
    introductions = Introductions(settings, records, queues)
    predictions = Predictions(settings, records, queues)
    events = Events(records, queues, introductions)

    @routes.get("/")
    @routes.get("/health")
    def health() -> Response:
        return json_body.answer({"status": "UP", "model_class": "Espalier", "version": _release()})

    @routes.post("/setup")
    def setup() -> Response:
        project = introductions.introduce(wire.parse_setup(json_body.read()))
        return json_body.answer({"model_version": project.published or UNTRAINED})

    @routes.post("/predict")
    def predict() -> Response:
        asked = wire.parse_predict(json_body.read())
        introductions.see(asked.project_key, label_config=asked.label_config)
        return json_body.answer({"results": predictions.answer(asked)})

    @routes.post("/train")
    def train() -> Response:
        """What Label Studio sent before START_TRAINING."""
        key, _ = key_and_id(mapping(json_body.read(), "the body of /train").get("project"), "/train: project")
        introductions.see(key)
        return json_body.answer({"status": "ok", "job": queues.request_training(key, delay=False)})

    @routes.post("/webhook")
    def webhook() -> Response:
        event = wire.parse_event(json_body.read())
        if event.change == "train":
            return json_body.answer({"status": "ok", "job": events.train(event, believed=auth.may_send_events())})
        if not auth.may_send_events():
            return auth.refuse_event()
        return json_body.answer(events.apply(event))

    @routes.route("/versions", methods=["GET", "POST"])
    def versions() -> Response:
        body = mapping(json_body.read(), "the body of /versions") if request.method == "POST" else {}
        key = request.args.get("project") or text(body, "project", "/versions")
        return json_body.answer({"versions": introductions.versions(key or None)})

    @routes.post("/validate")
    def validate() -> Response:
        config = text(mapping(json_body.read(), "the body of /validate"), "config", "/validate")
        try:
            findings = lint.lint(config)
        except ValueError as error:
            raise BadRequest(str(error)) from error
        return json_body.answer({"status": "ok", "findings": [asdict(finding) for finding in findings]})

    @routes.post("/job_status")
    def job_status() -> Response:
        job = text(mapping(json_body.read(), "the body of /job_status"), "job", "/job_status")
        status = queues.status(job)
        return json_body.answer(
            {
                "id": status.id,
                "job_status": status.state,
                "done": status.done,
                "total": status.total,
                "message": status.message,
            }
        )

    @routes.get("/metrics")
    def scrape() -> Response:
        return Response(metrics.text(), mimetype="text/plain; version=0.0.4")

    return routes


@cache
def _release() -> str:
    try:
        return version("label-studio-espalier")
    except PackageNotFoundError:
        return "unknown"
