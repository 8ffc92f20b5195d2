"""The page that connects a project with Espalier in one click: pairing, token, model, webhook, and a look."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from django.conf import settings
from django.contrib.auth.decorators import login_required
from django.http import HttpRequest, HttpResponse
from django.shortcuts import get_object_or_404, render

from . import connection, reserved
from .backend import Asker, Refused, ask
from .connection import Connection
from .inside import call
from .roles import role_of

TITLE = "Espalier"


@dataclass(frozen=True)
class Step:
    """What was done, and how it went; remedy: what to do where it did not."""

    name: str
    is_done: bool
    found: str
    remedy: str = ""


@login_required
def connect(request: HttpRequest) -> HttpResponse:
    """GET shows how it is, POST connects."""
    from projects.models import Project

    id = request.GET.get("project", "")
    project = get_object_or_404(Project, pk=int(id) if id.isdecimal() else 0)
    if role_of(request.user, project) != "manager":
        return HttpResponse("connecting a project takes the right to change it", status=403, content_type="text/plain")
    directory = Path(settings.BASE_DATA_DIR)
    known = connection.load(directory)
    steps: list[Step] = []
    if request.method == "POST":
        known = _given(request, known)
        steps = _connected(request, project, known, directory)
    context = {"project": project, "url": known.url, "user": known.user, "is_paired": known.is_paired, "steps": steps}
    return render(request, "espalier_labelstudio/connect.html", context)


def _given(request: HttpRequest, known: Connection) -> Connection:
    """What the form says; an empty password keeps the known one."""
    url = str(request.POST.get("url", "")).strip().rstrip("/") or known.url
    user = str(request.POST.get("user", "")).strip()
    password = str(request.POST.get("password", "")) or known.password
    return replace(known, url=url, user=user, password=password if user else "").with_secret()


def _connected(request: HttpRequest, project: Any, known: Connection, directory: Path) -> list[Step]:
    """Each step in turn; those after one that failed are not tried."""
    user = request.user
    done: list[Step] = []

    def answers() -> str:
        told = ask(known, None, "GET", "/health")
        if not isinstance(told, dict) or told.get("model_class") != TITLE:
            raise Refused(f"what answers at {known.url} is not Espalier")
        return f"version {told.get('version')} answers at {known.url}"

    def paired() -> str:
        here = settings.HOSTNAME or request.build_absolute_uri("/").rstrip("/")
        token = "" if _has_token(known, here) else _token(user)
        body = {"url": here, "secret": known.secret, "token": token, "by": user.email}
        ask(known, None, "PUT", "/api/v1/label-studio", body)
        connection.save(directory, known)
        return f"with {here}; it writes as {user.email}"

    def model() -> str:
        return _model(project, user, known)

    def everything() -> str:
        asker = Asker(user.email, "manager", project.pk)
        told = ask(known, asker, "POST", f"/api/v1/projects/{project.pk}/check?wait_s=15", {})
        if "items" not in told:
            return "Espalier is still looking; its page Jobs and system says more"
        wrong = [f"{one['found']}. {one['remedy']}" for one in told["items"] if one["state"] != "ok"]
        if wrong:
            raise Refused("; ".join(wrong))
        return "; ".join(one["found"] for one in told["items"])

    steps: list[tuple[str, Callable[[], str], str]] = [
        ("Espalier answers", answers, "start `espalier serve`, and name the address at which this server reaches it"),
        (
            "The two are paired",
            paired,
            "where Espalier wants a password, enter its BASIC_AUTH_USER and BASIC_AUTH_PASS",
        ),
        ("The project has its model", model, _remedy(known.url)),
        ("Answers arrive, and may be written", everything, ""),
    ]
    for name, step, remedy in steps:
        try:
            done.append(Step(name, True, step()))
        except Refused as refused:
            return [*done, Step(name, False, str(refused), remedy)]
    return done


def _has_token(known: Connection, here: str) -> bool:
    """Whether Espalier may write already: connecting a second project makes no second token."""
    try:
        told = ask(known, None, "GET", "/api/v1/label-studio")
    except Refused:
        return False
    return bool(told.get("has_token")) and told.get("url") == here


def _token(user: Any) -> str:
    """A personal access token for Espalier, of the user who connects, beside those that they have."""
    from jwt_auth.models import LSAPIToken

    if not user.has_perm("users.token.any") or not user.active_organization.jwt.api_tokens_enabled:
        raise Refused(
            "personal access tokens are switched off: an owner allows them under Organization > API Tokens", 403
        )
    return str(LSAPIToken.for_user(user).get_full_jwt())


def _model(project: Any, user: Any, known: Connection) -> str:
    """Label Studio's own way to connect a model, with all its checks."""
    from ml.api import MLBackendDetailAPI, MLBackendListAPI
    from ml.models import MLBackend

    body = {"project": project.pk, "url": known.url, "title": TITLE, "auth_method": "NONE"}
    if known.user:
        body |= {"auth_method": "BASIC_AUTH", "basic_auth_user": known.user, "basic_auth_pass": known.password}
    existing = MLBackend.objects.filter(project=project).first()
    if existing is None:
        call(MLBackendListAPI, user, "POST", "/api/ml", body)
        return f"connected to {known.url}"
    if existing.url.rstrip("/") != known.url:
        raise Refused(f"another model is connected already: {existing.title} at {existing.url}. Delete it first")
    call(MLBackendDetailAPI, user, "PATCH", f"/api/ml/{existing.pk}", body, pk=existing.pk)
    return f"was connected to {known.url} already"


def _remedy(url: str) -> str:
    """Label Studio reads what it refuses when it starts; until then a new private address stays refused."""
    private = [address for address in reserved.addresses_of(url) if _is_refused(address)]
    if not private:
        return ""
    return (
        f"Label Studio refuses the private address {private[0]} until it is started anew: this app then allows exactly "
        f"that one. Start Label Studio again, with ESPALIER_URL={url}, and press Connect once more"
    )


def _is_refused(address: str) -> bool:
    from core.utils.io import validate_ip

    try:
        validate_ip(address)
    except Exception:  # its own kind of error, which other versions call otherwise  # noqa: BLE001
        return True
    return False
