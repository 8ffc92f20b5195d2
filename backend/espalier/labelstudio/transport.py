"""Requests to one Label Studio: its token, patience where it is down, and its refusals in words."""

from __future__ import annotations

import logging
import threading
import time
from collections.abc import Callable, Mapping
from typing import Any
from urllib.parse import urlsplit

import orjson
import requests

from ..errors import BadSetting, LabelStudioDown, LabelStudioRefused
from .token import Token

log = logging.getLogger(__name__)

CONNECT_S = 5.0
READ_S = 60.0
_PAUSES_S = (0.5, 1.0, 2.0)
_IDEMPOTENT = frozenset({"GET", "PATCH", "DELETE"})
_OVERLOADED = frozenset({429, 502, 503, 504})


class Transport:
    """Speaks JSON with the Label Studio at `url` (a path prefix is kept), and with no other host.

    Every method may be called from several threads; each has its own connection.
    """

    def __init__(self, url: str, token: str, *, pause: Callable[[float], None] = time.sleep) -> None:
        self.url = _checked(url)
        self.token = Token(token, self._access_token)
        self._pause = pause
        self._local = threading.local()

    def json(
        self,
        method: str,
        path: str,
        *,
        query: Mapping[str, str | int] | None = None,
        body: object = None,
        files: Mapping[str, bytes] | None = None,
        read_s: float = READ_S,
        doing: str = "",
    ) -> Any:
        """The answer's JSON (None for an empty one). `doing` says in words what was tried, for the messages.

        files: by name, sent as a form instead of a body.

        Connection errors and overload are retried with growing pauses (for POST only where nothing was sent). Raises
        LabelStudioDown where it cannot be reached or fails, LabelStudioRefused where it says no.
        """
        doing = doing or f"{method} {path}"
        for asked_again in (False, True):
            authorization = self.token.authorization()
            response = self._patiently(method, path, query, body, authorization, read_s, files)
            if response.status_code != 401 or asked_again or not self.token.outdated(authorization):
                break
        if response.is_redirect:
            raise LabelStudioRefused(
                f"{self.url}{path} redirects to {_origin(response.headers.get('Location', ''))}; the token is sent "
                "to no other address: set LABEL_STUDIO_URL to the address that Label Studio really has"
            )
        if response.status_code >= 500 or response.status_code == 429:
            raise LabelStudioDown(
                f"Label Studio at {self.url} could not {doing}: it answered {response.status_code} {_detail(response)}"
            )
        if response.status_code >= 400:
            raise LabelStudioRefused(self._refusal(response, doing), status=response.status_code)
        if not response.content:
            return None
        try:
            return orjson.loads(response.content)
        except orjson.JSONDecodeError as error:
            raise LabelStudioDown(
                f"{self.url}{path} answered no JSON (it starts with {response.text[:40]!r}): "
                "is LABEL_STUDIO_URL the address of Label Studio itself?"
            ) from error

    def _access_token(self, personal: str) -> str:
        """Trade a personal access token for one of five minutes."""
        response = self._patiently("POST", "/api/token/refresh", None, {"refresh": personal}, {}, READ_S)
        if response.status_code in (400, 401, 403):
            raise LabelStudioRefused(
                f"Label Studio at {self.url} does not know this Personal Access Token ({_detail(response)}): create "
                "one under Account & Settings there, and set LABEL_STUDIO_API_KEY",
                status=response.status_code,
            )
        access = _fields(response).get("access") if response.ok else None
        if not isinstance(access, str):
            raise LabelStudioDown(
                f"{self.url}/api/token/refresh answered {response.status_code} without an access token: "
                "is LABEL_STUDIO_URL the address of Label Studio itself?"
            )
        return access

    def _patiently(
        self,
        method: str,
        path: str,
        query: Mapping[str, str | int] | None,
        body: object,
        authorization: Mapping[str, str],
        read_s: float,
        files: Mapping[str, bytes] | None = None,
    ) -> requests.Response:
        headers = {**authorization, "Accept": "application/json"}
        data = None
        if body is not None:
            headers["Content-Type"] = "application/json"
            data = orjson.dumps(body, option=orjson.OPT_SERIALIZE_NUMPY)
        for pause in (*_PAUSES_S, None):
            problem = ""
            try:
                response = self._session().request(
                    method,
                    self.url + path,
                    params=query,
                    data=data,
                    files=_form(files) if files else None,
                    headers=headers,
                    timeout=(CONNECT_S, read_s),
                    allow_redirects=False,
                )
            except (requests.ConnectionError, requests.Timeout) as error:
                if pause is None or not (method in _IDEMPOTENT or _never_sent(error)):
                    raise LabelStudioDown(
                        f"Label Studio at {self.url} cannot be reached ({_reason(error)}): is it running, and is "
                        "LABEL_STUDIO_URL its address as seen from this machine?"
                    ) from error
                problem = _reason(error)
            except requests.RequestException as error:
                raise LabelStudioRefused(f"{self.url}{path} cannot be asked: {type(error).__name__}") from error
            else:
                if pause is None or response.status_code not in _OVERLOADED or method not in _IDEMPOTENT:
                    return response
                problem = f"status {response.status_code}"
            log.info("Label Studio: %s %s again in %.1f s (%s)", method, path, pause, problem)
            self._pause(pause)
        raise AssertionError("the last round returns or raises")

    def _session(self) -> requests.Session:
        if not hasattr(self._local, "session"):
            session = requests.Session()
            # A ~/.netrc would replace our Authorization header.
            session.trust_env = False
            session.proxies.update(requests.utils.get_environ_proxies(self.url))
            self._local.session = session
        found: requests.Session = self._local.session
        return found

    def _refusal(self, response: requests.Response, doing: str) -> str:
        detail = _detail(response)
        if response.status_code == 401 and "legacy token" in detail:
            return (
                f"legacy tokens are disabled in the Label Studio at {self.url}; create a Personal Access Token under "
                "Account & Settings and set LABEL_STUDIO_API_KEY"
            )
        if response.status_code == 401:
            return (
                f"Label Studio at {self.url} does not accept the {self.token.kind} token ({detail}); create a Personal "
                "Access Token under Account & Settings and set LABEL_STUDIO_API_KEY"
                if self.token.kind != "none"
                else f"Label Studio at {self.url} wants a token to {doing}: create a Personal Access Token under "
                "Account & Settings and set LABEL_STUDIO_API_KEY"
            )
        if response.status_code == 403:
            return f"Label Studio at {self.url}: the token's user may not {doing} ({detail})"
        return f"Label Studio at {self.url} refused to {doing}: {response.status_code} {detail}"


def _form(files: Mapping[str, bytes]) -> list[tuple[str, tuple[str, bytes]]]:
    """Each under a field of its own: of several in one field Label Studio takes the last."""
    return [(f"file{number}", file) for number, file in enumerate(files.items())]


def _checked(url: str) -> str:
    parts = urlsplit(url.strip())
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise BadSetting(f"LABEL_STUDIO_URL={url!r} must be an address like http://localhost:8080")
    if parts.username or parts.password:
        raise BadSetting("LABEL_STUDIO_URL must not carry a user or a password; set LABEL_STUDIO_API_KEY")
    return f"{parts.scheme}://{parts.netloc}{parts.path.rstrip('/')}"


def _origin(url: str) -> str:
    parts = urlsplit(url)
    return f"{parts.scheme}://{parts.hostname}{parts.path}" if parts.hostname else parts.path


def _never_sent(error: Exception) -> bool:
    return isinstance(error, requests.ConnectTimeout) or "NewConnectionError" in repr(error)


def _reason(error: Exception) -> str:
    if isinstance(error, requests.Timeout):
        return "no answer in time"
    return "connection refused" if "refused" in str(error) else "the connection failed"


def _fields(response: requests.Response) -> dict[str, Any]:
    try:
        answer = orjson.loads(response.content)
    except orjson.JSONDecodeError:
        return {}
    return answer if isinstance(answer, dict) else {}


def _detail(response: requests.Response) -> str:
    """What Label Studio says, in at most 300 characters."""
    answer = _fields(response)
    said = answer.get("validation_errors") or answer.get("detail") or answer.get("error") or response.reason
    return str(said)[:300]
