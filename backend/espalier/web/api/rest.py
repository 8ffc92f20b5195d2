"""The REST API put together: who may ask, every noun, the document, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIFlask
from flask import Flask

from ... import __version__
from ...jobs.queue import Queues
from ...settings import Settings
from ...store.records import Records
from ..auth import Auth
from . import checks, document, jobs, ontology, projects, reference, runs, trainings, versions
from .access import Access
from .asking import Asking
from .given import Given
from .routes import Routes
from .streams import Streams

_ABOUT = (
    "Everything that Espalier does, for programs: projects, their ontology, model versions, trainings, automated "
    "labeling runs, similarity search and jobs. What takes longer than a request may wait is answered with 202 and a "
    "job. Every problem is application/problem+json (RFC 9457) and says what to do."
)


def application() -> Flask:
    """The web application that the REST API's document can be made of; its own pages and error answers stay off."""
    app: Any = APIFlask(
        "espalier.web",
        title="Espalier",
        version=__version__,
        spec_path=None,
        docs_path=None,
        json_errors=False,
        static_folder=None,
        template_folder=None,
    )
    app.config["OPENAPI_VERSION"] = "3.1.0"
    app.config["DESCRIPTION"] = _ABOUT
    app.config["AUTO_404_RESPONSE"] = False
    app.config["AUTO_VALIDATION_ERROR_RESPONSE"] = False
    app.config["AUTO_OPERATION_ID"] = False
    app.spec_processor(document.finish)
    made: Flask = app
    return made


def register(app: Flask, settings: Settings, records: Records, queues: Queues, auth: Auth) -> Access:
    """All of /api/v1. The access is returned, so that sessions can be made known to it."""
    access = Access(settings, records, knows_password=auth.knows_password)
    app.before_request(access.check)
    given, asking, streams = Given(settings, records, queues), Asking(queues), Streams()
    nouns: list[tuple[str, str, Callable[[Routes], None]]] = [
        ("projects", "Connected projects, and how they are.", lambda r: projects.register(r, given)),
        ("ontology", "The tree of a project's questions.", lambda r: ontology.register(r, given)),
        ("versions", "Model versions.", lambda r: versions.register(r, given, asking)),
        ("trainings", "Trainings and fine-tunings.", lambda r: trainings.register(r, given)),
        ("runs", "Automated labeling.", lambda r: runs.register(r, given, asking)),
        ("checks", "Does everything answer?", lambda r: checks.register(r, given, asking)),
        ("jobs", "Work in the queue.", lambda r: jobs.register(r, given, asking, streams)),
    ]
    for noun, meaning, registered in nouns:
        routes = Routes(noun, meaning)
        registered(routes)
        routes.register(app)
    reference.register(app)
    return access
