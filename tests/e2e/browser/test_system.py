"""What runs, waits and ended; who works; what lies on the disk; and whether everything answers."""

from __future__ import annotations

from typing import Any

import requests
from playwright.sync_api import expect


def test_jobs_workers_storage_and_checks_are_shown(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("system"))
    page = seen.page
    lines = page.locator("#lines")
    for line in ("prediction", "runs", "training", "tuning", "search"):
        expect(lines.locator("tr", has_text=line).locator(".badge.good").first).to_be_visible()
    expect(page.locator("#storage")).to_contain_text("model versions")
    expect(page.locator("#jobs tr", has_text="train").first).to_contain_text("done")
    page.get_by_role("button", name="Look").click()
    expect(page.locator("#checks")).to_contain_text("Label Studio reaches", timeout=30_000)
    assert not seen.barriers()
    seen.picture("system")


def test_a_job_s_log_opens_and_closes_by_keyboard(stage: Any, visit: Any) -> None:
    page = visit(stage.url("system")).page
    button = page.locator("#jobs tr", has_text="train").first.get_by_role("button", name="Log")
    button.focus()
    page.keyboard.press("Enter")
    expect(page.locator("#log-lines")).to_contain_text("began: train")
    page.keyboard.press("Escape")
    expect(page.locator("#log")).to_be_hidden()


def test_a_job_that_waits_can_be_cancelled_by_a_person(stage: Any, visit: Any) -> None:
    api = f"{stage.backend.url}/api/v1"
    asked = {"tasks": stage.digit_tasks, "existing": "add"}
    jobs = [requests.post(f"{api}/projects/{stage.digits}/runs", json=asked, timeout=30).json() for _ in range(3)]
    page = visit(stage.url("system")).page
    last = page.locator(f"#jobs tr[data-job='{jobs[-1]['job']}']")
    last.get_by_role("button", name="Cancel").click()
    expect(last).to_contain_text("cancelled", timeout=20_000)
    for one in jobs:
        requests.post(f"{api}/runs/{one['run']}/cancel", json={}, timeout=30)
        requests.post(f"{api}/runs/{one['run']}/undo?wait_s=15", json={}, timeout=30)


def test_it_fits_a_phone(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("system"), width=390, dark=True)
    expect(seen.page.locator("#storage")).to_contain_text("free beside it")
    assert seen.overflow() <= 0
    assert not seen.barriers()
    seen.picture("system-390")
