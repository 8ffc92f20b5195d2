"""The REST API put together: who may ask, every noun, the document, and the page that shows it."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

from apiflask import APIFlask
from flask import Flask

from ... import __version__
from ...settings import Settings
from ..auth import Auth
from . import (
    bulk,
    checks,
    cutoffs,
    document,
    exported,
    exports,
    figures,
    imports,
    jobs,
    lists,
    mappings,
    ontology,
    pairings,
    people,
    projects,
    reference,
    reviews,
    runs,
    search,
    settings,
    tasks,
    thumbnails,
    trainings,
    uploads,
    versions,
)
from .access import Access
from .asking import Asking
from .given import Given
from .predicted import PredictedItems
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


def register(app: Flask, read: Settings, given: Given, auth: Auth, streams: Streams, items: PredictedItems) -> Access:
    """All of /api/v1. The access is returned, so that sessions can be made known to it."""
    access = Access(read, given.records, knows_password=auth.knows_password)
    app.before_request(access.check)
    asking = Asking(given.queues)
    nouns: list[tuple[str, str, Callable[[Routes], None]]] = [
        ("people", "Who asks, and what is installed.", lambda r: people.register(r)),
        ("projects", "Connected projects, and how they are.", lambda r: projects.register(r, given)),
        ("tasks", "Tasks, and what they show.", lambda r: tasks.register(r, given, asking)),
        ("pairing", "The Label Studio that this backend is paired with.", lambda r: pairings.register(r, given)),
        ("checks", "Does everything answer?", lambda r: checks.register(r, given, asking)),
        ("ontology", "The tree of a project's questions.", lambda r: ontology.register(r, given)),
        ("settings", "What answers a classification, and how.", lambda r: settings.register(r, given, asking)),
        (
            "mappings",
            "What old options are read as, and what is in doubt.",
            lambda r: mappings.register(r, given, asking),
        ),
        ("versions", "Model versions, and which of them serves.", lambda r: versions.register(r, given, asking)),
        ("figures", "How good a version is.", lambda r: figures.register(r, given, asking)),
        ("cutoffs", "How sure an answer must be.", lambda r: cutoffs.register(r, given, asking)),
        ("trainings", "Trainings and fine-tunings.", lambda r: trainings.register(r, given, asking)),
        ("runs", "Automated labeling.", lambda r: runs.register(r, given, asking)),
        ("reviews", "Predictions, looked at by people.", lambda r: reviews.register(r, given, asking, items)),
        ("lists", "What to look at: next, likely wrong, in doubt, poor.", lambda r: lists.register(r, given, asking)),
        ("search", "Frames by what they look like.", lambda r: search.register(r, given, asking)),
        ("uploads", "Pictures to search with.", lambda r: uploads.register(r, given)),
        ("thumbnails", "Frames as small pictures.", lambda r: thumbnails.register(r, given, asking)),
        ("bulk-labels", "One label for many frames.", lambda r: bulk.register(r, given, asking)),
        ("exports", "Predictions and labels, to take away.", lambda r: exports.register(r, given)),
        ("imports", "Labels from elsewhere.", lambda r: imports.register(r, given, asking)),
        ("files", "ZIP files, to take away.", lambda r: exported.register(r, given, asking)),
        ("jobs", "Work in the queue.", lambda r: jobs.register(r, given, asking, streams)),
    ]
    for noun, meaning, registered in nouns:
        routes = Routes(noun, meaning)
        registered(routes)
        routes.register(app)
    reference.register(app)
    return access
