"""Espalier's app inside Label Studio, and nobody answers it: who labels is told so once, and labels on."""

from __future__ import annotations

import json
import re
from typing import Any

from playwright.sync_api import Browser, Page, expect

from espalier.demo.pictures import IMAGE_CONFIG

NOBODY = "http://127.0.0.1:9"
SLOW_MS = 60_000


def editor_is_there(page: Page) -> None:
    page.wait_for_function("() => window.Htx?.annotationStore?.selected", timeout=SLOW_MS)


def test_it_is_said_once_while_a_tab_is_open(start_label_studio: Any, chromium: Browser) -> None:
    label_studio = start_label_studio(app=True, private_backends=False, backend_url=NOBODY)
    known = {"url": NOBODY, "secret": "a secret that nobody else has", "user": "", "password": ""}
    (label_studio.server.data_dir / "espalier.json").write_text(json.dumps(known))
    project = label_studio.project(IMAGE_CONFIG, "Alone")["id"]
    first, second = label_studio.import_tasks(project, [{"data": {"image": "/static/images/logo.png"}}] * 2)
    at = f"{label_studio.url}/projects/{project}/data?task="
    context = chromium.new_context(viewport={"width": 1400, "height": 900})
    cookies: Any = [
        {"name": one.name, "value": one.value, "url": label_studio.url} for one in label_studio.session.cookies
    ]
    context.add_cookies(cookies)
    page = context.new_page()
    errors: list[str] = []  # Label Studio has some of its own
    page.on("pageerror", lambda error: errors.append(f"{error}\n{error.stack}"))
    page.goto(f"{label_studio.url}/projects/{project}/settings")
    said = page.locator("[class*=toast__content]", has_text="is it running?")
    with page.expect_response("**/espalier/api/v1/me"):
        page.goto(at + str(first))
    expect(said).to_be_visible(timeout=SLOW_MS)
    editor_is_there(page)
    expect(page.locator("#espalier button.open")).to_have_count(0)
    with page.expect_response("**/espalier/api/v1/me"):
        page.goto(at + str(second))
    editor_is_there(page)
    page.wait_for_timeout(1_000)
    expect(said).to_have_count(0)
    page.locator("[class*=choice] label, label[class*=choice], .lsf-choices label").first.click()
    page.get_by_role("button", name="Submit").click()
    page.wait_for_function("() => !window.Htx.annotationStore.selected.userGenerate", timeout=SLOW_MS)
    page.goto(f"{label_studio.url}/projects/{project}/data")
    page.get_by_role("checkbox", name="Select Task").first.click()
    page.get_by_role("button", name="Tasks Actions").click()
    page.get_by_text("Train Espalier now").click()
    page.get_by_role("button", name="Confirm").click()
    expect(page.get_by_text(re.compile(r"Espalier at .+ does not answer.+is it running\?"))).to_be_visible()
    assert not [error for error in errors if "espalier" in error]
    context.close()
    assert len(label_studio.request("GET", f"/api/tasks/{second}/annotations/")) == 1
