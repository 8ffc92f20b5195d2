"""A hundred thousand predicted frames on a page: only those near the window are there, wherever it stands."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.parse import parse_qs, urlsplit

import pytest
from playwright.sync_api import Page, Request, Route, expect
from werkzeug.serving import make_server

from espalier.jobs import valkey
from espalier.jobs.queue import Queues
from espalier.settings import Settings
from espalier.store.records import Records
from espalier.store.rows import Prediction
from espalier.web.app import create_app

FRAMES, AT_ONCE = 100_000, 5_000
KEY, VERSION = "1.1795197302", "espalier-v1-run1"
CONFIG = """<View><Image name="img" value="$image"/><Choices name="Weather" toName="img"><Choice value="Rain"/>
<Choice value="Sun"/></Choices></View>"""
PATIENT_MS = 60_000
MOST_ITEMS, MOST_ELEMENTS, MOST_PAGES = 100, 1_500, 3
"""In the document, and of predictions asked for at each stand of the window."""


@pytest.fixture
def address(tmp_path: Path) -> Iterator[str]:
    """The pages without a worker and without Label Studio, over a run that has predicted all of the frames."""
    settings = Settings(data_dir=tmp_path / "data")
    settings.data_dir.mkdir()
    records, queues = Records.open(settings.database), Queues.open(settings)
    records.put_project(KEY, title="Many", label_config=CONFIG)
    run = records.add_run(KEY, {}, version=VERSION, total=FRAMES)
    for start in range(1, FRAMES + 1, AT_ONCE):
        records.put_predictions([_prediction(task) for task in range(start, start + AT_ONCE)])
    records.set_run(run.id, state="done", done=FRAMES)
    server = make_server("127.0.0.1", 0, create_app(settings, records, queues), threaded=True)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    yield f"http://127.0.0.1:{server.server_port}"
    server.shutdown()
    thread.join()
    server.server_close()
    records.close()
    queues.redis.close()
    valkey.stop(settings.data_dir)


def _prediction(task: int) -> Prediction:
    value = {"choices": ["Rain" if task % 3 else "Sun"]}
    said = {"from_name": "Weather", "to_name": "img", "type": "choices", "value": value, "score": task / (FRAMES + 1)}
    return Prediction(KEY, task, VERSION, "x", [said])


def test_only_frames_near_the_window_are_asked_for_and_drawn(address: str, visit: Any) -> None:
    page: Page = visit("about:blank").page
    asked: list[tuple[int, int]] = []

    def hear(request: Request) -> None:
        parts = urlsplit(request.url)
        if parts.path.endswith("/predictions"):
            query = parse_qs(parts.query)
            asked.append((int(query["offset"][0]), int(query["limit"][0])))

    def picture(route: Route) -> None:
        route.fulfill(content_type="image/svg+xml", body="<svg xmlns='http://www.w3.org/2000/svg'/>")

    page.on("request", hear)
    page.route("**/thumbnail?**", picture)  # no worker makes any
    page.goto(f"{address}/panel/review?project=1")
    expect(page.locator("#count")).to_have_text(f"1 of {FRAMES}", timeout=PATIENT_MS)
    _is_there(page, 0)
    assert asked == [(0, 100)]
    for stand in ("the end", "the middle", "the beginning"):
        asked.clear()
        share = {"the end": 1.0, "the middle": 0.5, "the beginning": 0.0}[stand]
        page.evaluate("share => scrollTo(0, share * document.documentElement.scrollHeight)", share)
        _is_there(page, round(share * (FRAMES - 1)))
        assert len(asked) <= MOST_PAGES, f"{stand}: {asked}"
        assert all(limit == 100 for _, limit in asked)
    page.keyboard.press("End")
    expect(page.locator("#count")).to_have_text(f"{FRAMES} of {FRAMES}", timeout=PATIENT_MS)
    _is_there(page, FRAMES - 1)
    expect(page.locator(f"#grid li[data-index='{FRAMES - 1}']")).to_be_focused()


def _is_there(page: Page, index: int) -> None:
    """Drawn with what it was answered, in the window, and not many beside it are in the document."""
    frame = page.locator(f"#grid li[data-index='{index}'] .answer")
    expect(frame).to_have_text("Rain" if (index + 1) % 3 else "Sun", timeout=PATIENT_MS)
    expect(frame).to_be_in_viewport()
    assert page.locator("#grid li").count() <= MOST_ITEMS
    assert page.evaluate("document.querySelectorAll('*').length") <= MOST_ELEMENTS
