"""The pages: which there are, and what each is given. What they show beyond that, they ask the REST API."""

from __future__ import annotations

import logging
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any
from urllib.parse import urlsplit

from flask import Blueprint, Response, g, redirect, render_template, request, url_for
from jinja2 import StrictUndefined
from werkzeug.exceptions import HTTPException
from werkzeug.wrappers import Response as AnyResponse

from ... import __version__
from ...errors import BadRequest, EspalierError
from ...settings import Settings
from ...store.records import Records
from ...store.rows import Project
from .. import tickets
from ..cross_site import comes_from_elsewhere, is_renamed
from . import assets, policy
from .sessions import Sessions

log = logging.getLogger(__name__)

PREFIX = "/panel"


@dataclass(frozen=True)
class Page:
    """A page at /panel/<name>, made from the template <name>.html."""

    name: str
    title: str
    of_project: bool = True


PAGES = (
    Page("projects", "Projects", of_project=False),
    Page("label", "Automated labeling"),
    Page("review", "Review"),
    Page("training", "Training"),
    Page("similarity", "Similarity"),
    Page("quality", "Label quality"),
    Page("ontology", "Ontology"),
    Page("exchange", "Import and export"),
    Page("system", "Jobs and system", of_project=False),
)
_SIGN_IN = Page("sign-in", "Sign in", of_project=False)
_KEPT = ("project", "task", "frame", "tag", "run", "version")
"""What a link from Label Studio says of where it came from; the page's own script reads it."""


ReadAhead = Callable[[Project, "str | None", "str | None"], object]


def blueprint(settings: Settings, records: Records, sessions: Sessions, read_ahead: ReadAhead) -> Blueprint:
    """read_ahead: begins to read predictions, of a run or of a version, and does not wait for them."""
    panel = Blueprint("panel", __name__, url_prefix=PREFIX, template_folder="templates")

    @panel.record_once
    def strict(state: object) -> None:
        state.app.jinja_env.undefined = StrictUndefined  # type: ignore[attr-defined]

    @panel.before_request
    def who() -> AnyResponse | None:
        if comes_from_elsewhere() or (sessions.is_open and is_renamed() and tickets.person() is None):
            return Response("another site sent this request: open Espalier's own address", 403, mimetype="text/plain")
        g.person = tickets.person() or sessions.person(request)
        if g.person is None and request.endpoint not in _OPEN:
            wanted = request.script_root + request.full_path.rstrip("?")
            return redirect(url_for("panel.sign_in", to=wanted if request.method == "GET" else None))
        return None

    @panel.after_request
    def harden(response: Response) -> Response:
        return policy.apply(response, embed=_is_embedded(), origins=settings.embed_origins)

    @panel.errorhandler(Exception)
    def in_words(error: Exception) -> tuple[str, int]:
        if isinstance(error, HTTPException):
            return _refusal(error.name, error.description or "", _SIGN_IN), error.code or 500
        if isinstance(error, EspalierError):
            return _refusal("This cannot be shown", str(error), _SIGN_IN), 422
        log.error("a page could not be made", exc_info=error)
        sentence = "its log says what, and `espalier doctor` whether everything answers; try again in a moment"
        return _refusal("Something went wrong inside Espalier", sentence, _SIGN_IN), 500

    @panel.get("/")
    def index() -> AnyResponse:
        return redirect(_address(PAGES[0].name, **_where(*_KEPT, "embed")))

    @panel.get("/sign-in")
    def sign_in() -> str:
        return _render("sign_in.html", _SIGN_IN, refused="", to=_own(request.args.get("to", "")))

    @panel.post("/sign-in")
    def signed_in() -> AnyResponse:
        form, to = request.form, _own(request.form.get("to", ""))
        try:
            person = sessions.sign_in(
                user=form.get("user", ""), password=form.get("password", ""), token=form.get("token", "")
            )
        except BadRequest as error:
            return Response(_render("sign_in.html", _SIGN_IN, refused=str(error), to=to), 403)
        return sessions.remember(Response(status=303, headers={"Location": to}), person, secure=request.is_secure)

    @panel.post("/sign-out")
    def sign_out() -> AnyResponse:
        return sessions.forget(Response(status=303, headers={"Location": url_for("panel.sign_in")}))

    @panel.get("/static/<state>/<name>")
    def static(state: str, name: str) -> Response:
        return assets.static(state, name)

    @panel.get("/plotly/<state>.js")
    def plotly(state: str) -> Response:
        return assets.plotly(state)

    @panel.get("/<name>")
    def page(name: str) -> str | tuple[str, int]:
        wanted = next((one for one in PAGES if one.name == name), None)
        if wanted is None:
            return _refusal("There is no such page", f"nothing is at {request.path}: choose a page above"), 404
        projects = tickets.visible(records.projects())
        context = {
            "projects": projects,
            "backend_url": request.url_root.rstrip("/"),
            "needs_password": bool(settings.basic_auth_user),
            "release": __version__,
        }
        if not wanted.of_project:
            given = {"project": projects[0].id if projects else None}
            return _render(f"{wanted.name}.html", wanted, given=given, **context)
        if not projects:
            return _render("no_projects.html", wanted, **context)
        project = _chosen(projects, request.args.get("project", ""))
        if project is None:
            sentence = f"project {request.args['project']} is not connected here: choose another one above"
            return _refusal("This project is not known", sentence, wanted, projects=projects), 404
        if wanted.name == "review":
            read_ahead(project, request.args.get("run"), request.args.get("version"))
        return _render(f"{wanted.name}.html", wanted, project=project, **context)

    return panel


_OPEN = {"panel.sign_in", "panel.signed_in", "panel.static"}


def _render(template: str, page: Page, **context: object) -> str:
    project = context.get("project")
    id = project.id if isinstance(project, Project) else request.args.get("project")

    def link(name: str, **more: object) -> str:
        """To another page, about the same project."""
        kept = {"project": id, "embed": 1 if _is_embedded() else None} | more
        return _address(name, **kept)

    def asset(name: str) -> str:
        return url_for("panel.static", state=assets.digest(), name=name)

    everywhere = {
        "page": page, "pages": PAGES, "project": None, "projects": [], "who": g.get("person"), "embed": _is_embedded(),
        "link": link, "asset": asset, "api": request.script_root + "/api/v1",
        "modules": assets.modules("page.js", f"{page.name}.js") if template == f"{page.name}.html" else (),
        "plotly": url_for("panel.plotly", state=assets.plotly_version()) if assets.plotly_version() else "",
    }  # fmt: skip
    return render_template(template, **(everywhere | context))


def _address(name: str, **query: object) -> str:
    values: dict[str, Any] = {key: value for key, value in query.items() if value is not None}
    return url_for("panel.page", name=name, **values)


def _refusal(title: str, sentence: str, page: Page = PAGES[0], **context: object) -> str:
    return _render("refused.html", page, title=title, sentence=sentence, **context)


def _chosen(projects: list[Project], asked: str) -> Project | None:
    """By id or key; the first where none is asked for."""
    if not asked:
        return projects[0]
    return next((project for project in projects if asked in (str(project.id), project.key)), None)


def _where(*names: str) -> dict[str, str]:
    return {name: request.args[name] for name in names if name in request.args}


def _is_embedded() -> bool:
    return request.args.get("embed") == "1"


def _own(address: str) -> str:
    """An address of this panel, for after signing in; any other becomes the first page."""
    parts = urlsplit(address)
    ours = f"{request.script_root}{PREFIX}/"
    is_own = not parts.scheme and not parts.netloc and address.startswith(ours) and "\\" not in address
    return address if is_own else url_for("panel.index")
