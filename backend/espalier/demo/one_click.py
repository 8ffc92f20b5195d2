"""The page that Espalier's app adds to Label Studio, pressed as a person presses it: pairing, model and webhook."""

from __future__ import annotations

import html
import re

import requests

_TOKEN = re.compile(r'name="csrfmiddlewaretoken" value="([^"]+)"')
_FAILED = re.compile(r'<li class="failed">(.*?)</li>', re.DOTALL)
_TIMEOUT_S = 120


def form_token(page: str) -> str:
    """What Django wants back with a form; "" where the page has none."""
    found = _TOKEN.search(page)
    return found[1] if found else ""


def one_click(session: requests.Session, label_studio: str, project: int, backend: str) -> str:
    """session: of a person who may change the project. "" where every step went well, else the one that did not."""
    page = f"{label_studio}/espalier/connect?project={project}"
    try:
        shown = session.get(page, timeout=_TIMEOUT_S)
        form = {"csrfmiddlewaretoken": form_token(shown.text), "url": backend}
        answer = session.post(page, data=form, headers={"Referer": page}, timeout=_TIMEOUT_S)
    except requests.RequestException as error:
        return f"Label Studio did not answer: {type(error).__name__}"
    if not answer.ok or "espalier" not in answer.text.lower():
        return f"Espalier's app does not run inside Label Studio: {page} was answered {answer.status_code}"
    failed = _FAILED.search(answer.text)
    return html.unescape(" ".join(re.sub(r"<[^>]+>", " ", failed[1]).split())) if failed else ""
