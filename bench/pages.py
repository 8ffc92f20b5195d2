"""The review page of a run over 100,000 frames, in a browser: from its address to the first drawn row of frames.

    python -m bench.pages [--frames 100000] [--looks 5] [--starts 3]

The real server with its workers, and the system's Chromium without a cache. Predictions are put into the store; their
tasks show a few pictures again and again. After each start of the server the first look is at what nobody has read yet.
"""

from __future__ import annotations

import argparse
import os
import random
import shutil
import statistics
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import requests
from playwright.sync_api import Browser, Page, Request, sync_playwright

from espalier.demo.pictures import IMAGE_CONFIG, write_digits
from espalier.demo.results import choices
from espalier.jobs.house import House
from espalier.settings import Settings
from espalier.store.rows import Prediction

from .serving import backend

LIMIT_S = 1.0
KEY, VERSION, PICTURES, EVERY = "1.1700000000", "espalier-v1-run1", 60, 5_000
READY_S, SETTLED_S = 120.0, 15.0
"""Until a worker makes thumbnails, and then until all others have started as well."""

FIRST_ROW = """() => new Promise((resolve) => {
  const look = () => document.querySelector('#grid li[data-index="0"] .caption')
    ? requestAnimationFrame(() => setTimeout(() => resolve(performance.now())))
    : requestAnimationFrame(look);
  look();
})"""
"""Milliseconds since the navigation began, once the first row of frames was painted."""


@dataclass
class Look:
    drawn_s: float
    asked: list[str]
    """Requests to the REST API, without thumbnails."""
    items: int
    thumbnails: int


def main(frames: int, looks: int, starts: int) -> None:
    with tempfile.TemporaryDirectory() as scratch, sync_playwright() as playwright:
        directory = Path(scratch)
        fill(directory, frames)
        options = ["--no-sandbox"] if os.geteuid() == 0 else []  # root cannot have one; the pages are our own
        browser = playwright.chromium.launch(executable_path=_chromium(), args=options)
        first, later = [], []
        for _ in range(starts):
            with _backend(directory) as url:
                first.append(look(browser, f"{url}/panel/review?project=1"))
                later += [look(browser, f"{url}/panel/review?project=1") for _ in range(looks)]
                end = scrolled(browser, f"{url}/panel/review?project=1", frames)
        browser.close()
    print(f"{frames} predicted frames, {os.cpu_count()} cores; load {os.getloadavg()[0]:.1f}")
    print("| page opened | looks | median ms | worst ms | limit ms |\n| --- | --- | --- | --- | --- |")
    is_over = False
    for name, times in (("first after a start", first), ("again, nothing cached", later)):
        drawn = [one.drawn_s * 1e3 for one in times]
        is_over |= statistics.median(drawn) > LIMIT_S * 1e3
        limit = f"{LIMIT_S * 1e3:.0f}"
        print(f"| {name} | {len(drawn)} | {statistics.median(drawn):.0f} | {max(drawn):.0f} | {limit} |")
    print(
        f"scrolled to the end: {len(end.asked)} more request(s) for {frames} frames, {end.thumbnails} thumbnails, "
        f"{end.items} frames in the document, drawn {end.drawn_s * 1e3:.0f} ms after the jump"
    )
    if is_over:
        print("over the limit")


def _chromium() -> str:
    named = [os.environ.get("ESPALIER_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in named if name and (path := shutil.which(name))), None)
    if found is None:
        raise SystemExit("no Chromium is here: install the distribution's package `chromium`, or set ESPALIER_CHROMIUM")
    return found


def look(browser: Browser, url: str) -> Look:
    """The page is opened in a window of its own."""
    page, asked = _opened(browser, url)
    drawn_s = float(page.evaluate(FIRST_ROW)) / 1e3
    told = _told(page, asked, drawn_s)
    page.context.close()
    return told


def scrolled(browser: Browser, url: str, frames: int) -> Look:
    """Opened, and scrolled to its end: what that alone has cost."""
    page, asked = _opened(browser, url)
    page.evaluate(FIRST_ROW)
    page.wait_for_load_state("networkidle")
    asked.clear()
    began = time.perf_counter()
    page.evaluate("scrollTo(0, document.documentElement.scrollHeight)")
    page.wait_for_selector(f'#grid li[data-index="{frames - 1}"] .caption')
    told = _told(page, asked, time.perf_counter() - began)
    page.context.close()
    return told


def _opened(browser: Browser, url: str) -> tuple[Page, list[str]]:
    page = browser.new_context(viewport={"width": 1280, "height": 800}).new_page()
    asked: list[str] = []

    def hear(request: Request) -> None:
        if "/api/" in request.url:
            asked.append(request.url)

    page.on("request", hear)
    page.goto(url, wait_until="commit")
    return page, asked


def _told(page: Page, asked: list[str], drawn_s: float) -> Look:
    thumbnails = sum("/thumbnail" in one for one in asked)
    items = page.locator("#grid li").count()
    return Look(drawn_s, [one for one in asked if "/thumbnail" not in one], items, thumbnails)


def fill(directory: Path, frames: int) -> None:
    """A project of so many tasks, and a run that has predicted them all."""
    digits = write_digits(directory / "pictures", PICTURES)
    house = House(Settings(data_dir=directory / "data", media_roots=(directory,), encoder="classic"))
    records, rng = house.records, random.Random(0)
    records.put_project(KEY, id=1, title="Many frames", label_config=IMAGE_CONFIG)
    run = records.add_run(KEY, {"confidence": 0.25}, version=VERSION, total=frames)
    for start in range(1, frames + 1, EVERY):
        numbers = range(start, min(start + EVERY, frames + 1))
        records.mirror_tasks(
            KEY, [{"id": number, "data": {"image": str(digits[number % PICTURES].path)}} for number in numbers]
        )
        said = ((number, choices("image", digits[number % PICTURES].answers)) for number in numbers)
        records.put_predictions(
            [Prediction(KEY, task, VERSION, "x", [{**one, "score": rng.random()} for one in result])
             for task, result in said]
        )  # fmt: skip
    records.set_run(run.id, state="done", done=frames)
    records.close()


@contextmanager
def _backend(directory: Path) -> Iterator[str]:
    with backend(directory, ESPALIER_ENCODER="classic") as url:
        deadline = time.monotonic() + READY_S
        while requests.get(f"{url}/api/v1/projects/1/tasks/1/thumbnail", timeout=60).status_code != 200:
            if time.monotonic() > deadline:
                raise TimeoutError(f"no worker has made a thumbnail in {READY_S:.0f} s")
        time.sleep(SETTLED_S)
        yield url


if __name__ == "__main__":
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("--frames", type=int, default=100_000)
    parser.add_argument("--looks", type=int, default=5)
    parser.add_argument("--starts", type=int, default=3)
    given = parser.parse_args()
    main(given.frames, given.looks, given.starts)
