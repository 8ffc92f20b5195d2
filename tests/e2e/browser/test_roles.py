"""A viewer on every page: it opens, nothing that can be pressed is refused, and the REST API refuses all the rest."""

from __future__ import annotations

import re
import time
from collections.abc import Iterator
from typing import Any

import pytest
import requests
from playwright.sync_api import Page, Request, Response, expect

from espalier.web.panel.pages import PAGES

BUSY_MS = 90_000
NAME = "looks-only"
READY = {
    "projects": "[data-answers]:not([aria-busy])",
    "label": "#run:not([aria-busy])",
    "review": "#grid [role=option], #empty:not([hidden])",
    "training": "#options table",
    "similarity": "[role=tabpanel]:not([hidden]):not([aria-busy]) .hit",
    "quality": "#grid [role=option], #nothing:not([hidden]) strong",
    "ontology": "#plugins table",
    "exchange": "#version:has-text('serves')",
    "system": "#storage table",
}
"""What is there once a page was answered."""
WRITES = re.compile(
    "^(run|preview|import|approve|correct|reject|write|give|undo|cancel|promote|roll back|archive|train|start|remove|"
    "keep it|embed|save|make the zip|it is right)\\b",
    re.IGNORECASE,
)
"""How buttons begin that take more than a viewer."""
BAR = """async (job) => {
  const [page] = document.querySelectorAll("script[type=module]"), place = document.createElement("div");
  const { show } = await import(page.src.replace("page.js", "job.js"));
  const shown = show(job, place), found = ["progress", "button"].map((name) => place.querySelectorAll(name).length);
  await shown;
  return found;
}"""
"""Bars and buttons of the place where a page shows a job while it waits: too short a while to be looked at."""


@pytest.fixture(scope="module")
def token(stage: Any) -> Iterator[str]:
    """Of somebody who may look."""
    yield stage.backend.espalier("token", "add", NAME, "--role", "viewer").split()[0]
    stage.backend.espalier("token", "remove", NAME)


@pytest.fixture(scope="module")
def run(stage: Any) -> Iterator[dict[str, str]]:
    """There is something to review, to cancel and to undo, for those who may."""
    api, asked = f"{stage.backend.url}/api/v1", {"tasks": stage.digit_tasks[-6:], "confidence": 0.0}
    begun = requests.post(f"{api}/projects/{stage.digits}/runs?wait_s=15", json=asked, timeout=60).json()
    deadline = time.monotonic() + 120
    while requests.get(f"{api}/runs/{begun['run']}", timeout=30).json()["state"] in ("queued", "running"):
        assert time.monotonic() < deadline, "the run did not end"
        time.sleep(0.2)
    yield begun
    requests.post(f"{api}/runs/{begun['run']}/undo?wait_s=15", json={}, timeout=60).raise_for_status()


class Traffic:
    """What a page asks: what is not answered yet, and what was refused."""

    def __init__(self, page: Page) -> None:
        self.page, self.open, self.refused = page, set[Request](), list[str]()
        page.on("request", lambda request: self.open.add(request))
        for over in ("requestfinished", "requestfailed"):
            page.on(over, lambda request: self.open.discard(request))
        page.on("response", self._hear)

    def _hear(self, response: Response) -> None:
        if response.status >= 400:
            self.refused.append(f"{response.status} {response.request.method} {response.url}")

    def rest(self) -> None:
        """Waits until everything is answered."""
        for _ in range(1200):
            if not self.open:
                return
            self.page.wait_for_timeout(50)
        pytest.fail(f"not answered: {[request.url for request in self.open]}")


def test_a_viewer_may_press_whatever_a_page_shows(stage: Any, token: str, run: dict[str, str], visit: Any) -> None:
    seen = visit(stage.url("sign-in"))
    page: Page = seen.page
    page.get_by_text("With a token instead").click()
    page.get_by_label("Token").fill(token)
    page.get_by_role("button", name="Sign in").click()
    out = page.get_by_role("button", name="Sign out")
    expect(out).to_have_attribute("title", f"Signed in as token {NAME} (viewer)")
    traffic = Traffic(page)
    for one in PAGES:
        page.goto(stage.url(one.name, project=stage.digits, run=run["run"]))
        expect(page.locator(READY[one.name]).first).to_be_visible(timeout=BUSY_MS)
        traffic.rest()
        assert page.evaluate("nav => nav.scrollWidth <= nav.clientWidth", page.query_selector("header nav")), (
            "all pages"
        )
        seen.picture(f"viewer-{one.name}")
        shown: dict[str, Any] = {}
        for button in page.locator("main button:not([role=tab]):visible:enabled").element_handles():
            shown.setdefault(button.inner_text().strip(), button)
        assert not list(filter(WRITES.match, shown)), one.name
        for words, button in shown.items():
            if not words.startswith("Open in"):
                button.evaluate("one => one.isConnected && one.click()")
                page.keyboard.press("Escape")
        for key in "arcwzsp":  # what the keys of these pages decide, for those who may
            page.keyboard.press(key)
        traffic.rest()
        expect(page.locator("main")).not_to_contain_text("not written")
        assert not traffic.refused, one.name
    assert page.evaluate(BAR, run["job"]) == [1, 0], "how far a job has come is shown, and cancelled by others"


def test_the_rest_api_refuses_a_viewer_what_writes_in_words(stage: Any, token: str) -> None:
    api, headers = f"{stage.backend.url}/api/v1", {"Authorization": f"Bearer {token}"}
    told = requests.get(f"{api}/openapi.json", headers=headers, timeout=60).json()
    writes = [
        (method, path, operation["x-espalier-role"])
        for path, methods in told["paths"].items()
        for method, operation in methods.items()
        if operation["x-espalier-role"] != "viewer"
    ]
    assert len(writes) > 25
    for method, path, role in writes:
        address = re.sub("<[^>]*>|{[^}]*}", "1", path.replace("{project}", str(stage.digits)))
        answer = requests.request(method, stage.backend.url + address, headers=headers, json={}, timeout=30)
        assert (answer.status_code, answer.headers["Content-Type"]) == (403, "application/problem+json"), (method, path)
        assert f"token {NAME} is a viewer, and this takes a {role}" in answer.json()["detail"]
