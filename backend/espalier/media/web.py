"""Asking other machines for media: who is asked, with which credentials, and what their refusals mean in words."""

from __future__ import annotations

import threading
from collections.abc import Callable, Mapping
from http.cookiejar import DefaultCookiePolicy
from urllib.parse import urljoin, urlsplit

import requests

from ..errors import BadMedia
from .guard import Guard, origin_of

MAX_REDIRECTS = 5
_LATER = {408, 425, 429, 500, 502, 503, 504}

Authorize = Callable[[str], Mapping[str, str]]
"""The headers with which Label Studio opens an address of its own."""


class Trouble(Exception):
    """Something that may be over in a moment: a timeout, a broken connection, an overloaded server."""


class Web:
    """One door to all servers. Label Studio's credentials go to its own origin alone, and no further on a redirect."""

    def __init__(
        self, guard: Guard, label_studio_url: str, authorize: Authorize, timeouts_s: tuple[float, float]
    ) -> None:
        self._guard = guard
        self._home = origin_of(label_studio_url) if label_studio_url else None
        self._authorize = authorize
        self._timeouts_s = timeouts_s
        self._sessions = threading.local()

    def is_label_studio(self, url: str) -> bool:
        return self._home is not None and origin_of(url) == self._home

    def get(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        """The answer, its body not yet read: status 200, 206, 304 or 416. The caller closes it.

        Raises BadMedia for a refusal, Trouble for what may be tried again.
        """
        for _ in range(MAX_REDIRECTS + 1):
            response = self._ask(url, headers)
            if response.is_redirect:
                with response:
                    target = urljoin(url, response.headers["Location"])
                if self.is_label_studio(target) and urlsplit(target).path.rstrip("/").endswith("/user/login"):
                    raise BadMedia(_refusal(401, at_home=True))
                url = target
                continue
            if response.status_code in (200, 206, 304, 416):
                return response
            with response:
                at_home = self.is_label_studio(url)
                if response.status_code in _LATER:
                    raise Trouble(_refusal(response.status_code, at_home))
                raise BadMedia(_refusal(response.status_code, at_home))
        raise BadMedia(f"the link was redirected more than {MAX_REDIRECTS} times: use the address that it ends at")

    def _ask(self, url: str, headers: Mapping[str, str]) -> requests.Response:
        _, host, port = origin_of(url)
        sent = dict(headers)
        if self.is_label_studio(url):
            sent.update(self._authorize(url))
        try:
            return self._session().get(url, headers=sent, stream=True, allow_redirects=False, timeout=self._timeouts_s)
        except requests.exceptions.SSLError as error:
            raise BadMedia(f"{host} has a certificate that cannot be trusted: {_reason(error)}") from error
        except requests.Timeout as error:
            raise Trouble(f"{host}:{port} did not answer in time") from error
        except requests.ConnectionError as error:
            raise Trouble(f"{host}:{port} cannot be reached ({_reason(error)})") from error
        except requests.RequestException as error:
            raise BadMedia(f"{host}:{port} could not be asked: {_reason(error)}") from error

    def _session(self) -> requests.Session:
        # One for each thread, since requests promises nothing about sharing; none keeps cookies.
        session: requests.Session | None = getattr(self._sessions, "session", None)
        if session is None:
            session = requests.Session()
            session.cookies.set_policy(DefaultCookiePolicy(allowed_domains=[]))
            session.mount("http://", self._guard.adapter())
            session.mount("https://", self._guard.adapter())
            self._sessions.session = session
        return session


def _refusal(status: int, at_home: bool) -> str:
    who = "Label Studio" if at_home else "the server"
    if status in (401, 403) and at_home:
        return (
            f"Label Studio answered {status} (not allowed): set LABEL_STUDIO_API_KEY to a Personal Access Token of "
            f"somebody who may open this project"
        )
    if status in (401, 403):
        return f"the server answered {status} (not allowed): the link needs a login or has expired; renew it"
    if status == 404 and at_home:
        return "Label Studio answered 404 (not found): the file is gone, or no storage of this project covers its path"
    if status in (404, 410):
        return f"the server answered {status} (not found): the file is gone; correct the link in the task's data"
    return f"{who} answered {status}: try again later, or open the link in a browser to see why"


def _reason(error: Exception) -> str:
    """The innermost cause, without the object addresses that urllib3 prints."""
    while isinstance(error.__cause__ or error.__context__, Exception):
        error = error.__cause__ or error.__context__  # type: ignore[assignment]
    return str(error).split(">: ")[-1] or type(error).__name__
