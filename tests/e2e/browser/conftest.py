"""The pages in the system's Chromium, over a backend with real projects in a real Label Studio.

Chromium is ESPALIER_CHROMIUM, or what the distribution calls it; without one the tests are skipped in plain sight.
Every page's console must be quiet: an error there, a refused script or a failed request fails the test. Pictures of
what was seen are left in build/screenshots.
"""

from __future__ import annotations

import os
import shutil
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest
from axe_core_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, sync_playwright

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, write_digits, write_pan
from espalier.demo.results import choices, timeline

ROOT = Path(__file__).resolve().parents[3]
PICTURES = ROOT / "build" / "screenshots"
WIDE, NARROW = 1280, 390
DIGITS, LABELED = 110, 70


@dataclass
class Stage:
    """A backend with two projects: digits, of which the first `LABELED` are labeled, and two videos, one labeled."""

    backend: Any
    digits: int
    digit_tasks: list[int]
    truth: list[dict[str, str]]
    videos: int
    video_tasks: list[int]

    def url(self, page: str, **query: object) -> str:
        search = "&".join(f"{key}={value}" for key, value in query.items())
        return f"{self.backend.url}/panel/{page}?{search}"


@dataclass
class Visit:
    """A page, and what it complained of."""

    page: Page
    complaints: list[str] = field(default_factory=list)

    def picture(self, name: str) -> None:
        PICTURES.mkdir(parents=True, exist_ok=True)
        self.page.screenshot(path=PICTURES / f"{name}.png", full_page=True)

    def barriers(self) -> list[str]:
        """What keeps people out, as axe-core finds it: its serious and critical violations."""
        return [
            f"{one['id']}: {node['html'][:200]}"
            for one in Axe().run(self.page)["violations"]
            if one["impact"] in ("serious", "critical")
            for node in one["nodes"]
        ]

    def overflow(self) -> int:
        """By how many pixels the page is wider than its window."""
        return int(self.page.evaluate("document.documentElement.scrollWidth - innerWidth"))


@pytest.fixture(scope="session")
def chromium() -> Iterator[Browser]:
    named = [os.environ.get("ESPALIER_CHROMIUM", ""), "chromium", "chromium-browser", "google-chrome"]
    found = next((path for name in named if name and (path := shutil.which(name))), None)
    if found is None:
        pytest.skip("no Chromium is here: install the distribution's package `chromium`, or set ESPALIER_CHROMIUM")
    with sync_playwright() as playwright:
        # Root cannot have a sandbox; the tests' pages are our own.
        options = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = playwright.chromium.launch(executable_path=found, args=options)
        yield browser
        browser.close()


@pytest.fixture
def visit(chromium: Browser) -> Iterator[Callable[..., Visit]]:
    """visit(url, width=1280, dark=False, quiet=True): the page, loaded. `quiet`: it must complain of nothing."""
    contexts, watched = [], []

    def open_page(url: str, *, width: int = WIDE, dark: bool = False, quiet: bool = True) -> Visit:
        context = chromium.new_context(
            viewport={"width": width, "height": 800}, color_scheme="dark" if dark else "light"
        )
        context.set_default_timeout(30_000)
        contexts.append(context)
        visited = Visit(context.new_page())
        visited.page.on("pageerror", lambda error: visited.complaints.append(f"script: {error}"))
        visited.page.on(
            "console",
            lambda message: visited.complaints.append(message.text) if message.type in ("error", "warning") else None,
        )
        if quiet:
            watched.append(visited)
        visited.page.goto(url)
        return visited

    yield open_page
    for context in contexts:
        context.close()
    assert not [complaint for one in watched for complaint in one.complaints]


@pytest.fixture(scope="session")
def stage(label_studio: Any, start_backend: Any, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Stage]:
    weights = Path(os.environ.get("ESPALIER_TEST_DATA", ROOT.parent / "shared")) / "data" / "weights"
    directory = tmp_path_factory.mktemp("pictures")
    digits = write_digits(directory / "digits", DIGITS)
    videos = [directory / "pan-1.mp4", directory / "pan-2.mp4"]
    shots, _ = write_pan(videos[0], seed=0), write_pan(videos[1], seed=1)
    with start_backend(**({"ESPALIER_WEIGHTS_DIR": str(weights)} if weights.exists() else {})) as backend:
        images = label_studio.project(IMAGE_CONFIG, "Digits")
        tasks = _uploaded(label_studio, images["id"], [digit.path for digit in digits])
        for task, digit in zip(tasks[:LABELED], digits, strict=False):
            label_studio.annotate(task, choices("image", digit.answers))
        films = label_studio.project(VIDEO_CONFIG, "Two photographs")
        film_tasks = _uploaded(label_studio, films["id"], videos)
        label_studio.annotate(film_tasks[0], timeline(shots))
        for project in (images, films):
            label_studio.connect(project["id"], backend.url)
        backend.learned(images, LABELED)
        backend.learned(films, 1)
        truth = [digit.answers for digit in digits]
        yield Stage(backend, images["id"], tasks, truth, films["id"], film_tasks)


def _uploaded(label_studio: Any, project: int, paths: list[Path]) -> list[int]:
    """Task ids, in the order of the files."""
    for start in range(0, len(paths), 50):
        files = {path.name: (path.name, path.read_bytes()) for path in paths[start : start + 50]}
        label_studio.request("POST", f"/api/projects/{project}/import", files=files)
    listed = label_studio.request("GET", f"/api/tasks?project={project}&page_size=2000&fields=all")["tasks"]
    by_name = {next(iter(task["data"].values())).rpartition("-")[2]: task["id"] for task in listed}
    by_whole = {next(iter(task["data"].values())).rpartition("/")[2].partition("-")[2]: task["id"] for task in listed}
    return [by_whole.get(path.name) or by_name[path.name.rpartition("-")[2]] for path in paths]
