"""Label Studio's pages get one script more."""

from __future__ import annotations

from collections.abc import Callable

from django.http import HttpRequest, HttpResponseBase

from . import script
from .failing import say_once

_END = b"</body>"


class Scripted:
    """Pages of people who are signed in, whole and in order; everything else passes as it is."""

    def __init__(self, get_response: Callable[[HttpRequest], HttpResponseBase]) -> None:
        self._get_response = get_response

    def __call__(self, request: HttpRequest) -> HttpResponseBase:
        response = self._get_response(request)
        try:
            if _is_page(request, response):
                _add(response)
        except Exception as error:  # Label Studio's page matters more than ours  # noqa: BLE001
            say_once("the script in Label Studio's pages", error)
        return response


def _is_page(request: HttpRequest, response: HttpResponseBase) -> bool:
    return (
        response.status_code == 200
        and not response.streaming
        and response.get("Content-Type", "").startswith("text/html")
        and not response.has_header("Content-Encoding")
        and not request.path.startswith("/espalier/")
        and request.user.is_authenticated
    )


def _add(response: HttpResponseBase) -> None:
    before, end, after = response.content.rpartition(_END)
    if end:
        response.content = before + script.tag() + end + after
        if response.has_header("Content-Length"):
            response["Content-Length"] = str(len(response.content))
