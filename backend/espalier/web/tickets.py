"""Requests that Label Studio hands on for its user: known by a ticket, answered below its path."""

from __future__ import annotations

import time
from collections.abc import Iterable
from typing import TYPE_CHECKING, Any

from flask import Request, request

from espalier_ontology import tickets
from espalier_ontology.tickets import Ticket

from ..labelstudio import pairing
from ..settings import Settings
from ..store.rows import Project
from .panel.sessions import Person

if TYPE_CHECKING:
    from _typeshed.wsgi import StartResponse, WSGIApplication, WSGIEnvironment

_KNOWN = "espalier.ticket"


class TicketedRequests:
    """Around the application: where a request carries a ticket that holds, addresses in answers begin with its prefix.

    A ticket that does not hold is as none, whoever else the request may come from.
    """

    def __init__(self, application: WSGIApplication, settings: Settings) -> None:
        self._application = application
        self._settings = settings

    def __call__(self, environ: WSGIEnvironment, start_response: StartResponse) -> Iterable[bytes]:
        text = environ.get("HTTP_" + tickets.HEADER.upper().replace("-", "_"), "")
        ticket = self._read(text) if text else None
        if ticket is not None:
            environ[_KNOWN] = ticket
            environ["SCRIPT_NAME"] = ticket.prefix.rstrip("/")
        return self._application(environ, start_response)

    def _read(self, text: str) -> Ticket | None:
        paired = pairing.read(self._settings.data_dir)
        return tickets.read(text, paired.secret, now=time.time()) if paired else None


def ticket_of(request: Request) -> Ticket | None:
    found: Any = request.environ.get(_KNOWN)
    return found if isinstance(found, Ticket) else None


def person() -> Person | None:
    """Who Label Studio says sends the current request."""
    ticket = ticket_of(request)
    return Person(ticket.user, ticket.role, signed_in=False) if ticket else None


def visible(projects: Iterable[Project]) -> list[Project]:
    """Those that the current request may be about: a ticket for one project opens no other."""
    ticket = ticket_of(request)
    only = ticket.project if ticket else None
    return [project for project in projects if only is None or project.id == only]
