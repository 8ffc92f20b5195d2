"""Automated labeling as a person does it: choose, look at a preview, run, read the result, take it back."""

from __future__ import annotations

import re
from typing import Any

from playwright.sync_api import Page, expect

from espalier.demo.pictures import IMAGE_CONFIG

BUSY_MS = 60_000
FIRST, LAST = 41, 100


def opened(visit: Any, url: str, **more: Any) -> Any:
    seen = visit(url, **more)
    expect(seen.page.locator("#run:not([aria-busy])")).to_be_attached(timeout=BUSY_MS)
    return seen


def predictions(label_studio: Any, task: int, version: str) -> list[Any]:
    told = label_studio.request("GET", f"/api/predictions?task={task}")
    return [one for one in told if one["model_version"] == version]


def run(page: Page) -> str:
    """The version under which it was written."""
    page.get_by_role("button", name="Run", exact=True).click()
    note = page.locator("#outcome .note").first
    expect(note).to_contain_text(re.compile("Run .*: done"), timeout=BUSY_MS)
    found = re.search(r"Run (\S+): done", note.inner_text())
    assert found
    return found[1]


def undo(page: Page) -> None:
    page.locator("#outcome").get_by_role("button", name="Undo this run").click()
    dialog = page.get_by_role("dialog")
    expect(dialog).to_contain_text("what people labeled stays")
    dialog.get_by_role("button", name="Undo").click()
    expect(page.locator("#outcome .note").first).to_contain_text("undone", timeout=BUSY_MS)


def test_a_range_of_a_video_is_previewed_run_and_taken_back(stage: Any, label_studio: Any, visit: Any) -> None:
    task = stage.video_tasks[1]
    seen = opened(visit, stage.url("label", project=stage.videos, task=task))
    page = seen.page
    expect(page.locator("#task-hint")).to_contain_text("pan-2.mp4 · not labeled yet")
    words = page.locator("#range-words")
    expect(words).to_contain_text("frames 1 to 160 of 160, 16 s")
    low, high = page.get_by_role("slider", name="First frame"), page.get_by_role("slider", name="Last frame")
    for _ in range(FIRST - 1):
        low.press("ArrowRight")
    for _ in range(160 - LAST):
        high.press("ArrowLeft")
    expect(words).to_contain_text(f"frames {FIRST} to {LAST} of 160, 6 s")
    expect(low).to_have_attribute("aria-valuetext", f"frame {FIRST}, at 4.1 s")
    expect(page.locator("#first")).to_have_value(str(FIRST))
    assert f"first={FIRST}&last={LAST}" in page.url
    expect(page.locator(".strip img")).to_have_count(12)

    page.keyboard.press("Escape")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#outcome")).to_contain_text(
        "1 of 1 tasks would be labeled, 60 frames looked at", timeout=BUSY_MS
    )
    frames = page.locator("#outcome .pictures li")
    expect(frames).to_have_count(24)
    shown = [int(found) for found in re.findall(r"frame (\d+)", " ".join(frames.all_inner_texts()))]
    assert min(shown) >= FIRST
    assert max(shown) <= LAST
    expect(page.locator("#outcome")).to_contain_text("scene: ")
    expect(page.locator("#outcome .pictures img").first).to_have_js_property("complete", True)
    seen.picture("label-preview-video")

    version = run(page)
    expect(page.locator("#outcome")).to_contain_text("1 of 1 tasks labeled")
    link = page.locator("#outcome").get_by_role("link", name=f"task {task}", exact=True)
    expect(link).to_have_attribute("href", f"{label_studio.url}/projects/{stage.videos}/data?task={task}")
    (written,) = predictions(label_studio, task, version)
    ranges = [part for region in written["result"] for part in region["value"].get("ranges", [])]
    assert min(part["start"] for part in ranges) == FIRST
    assert max(part["end"] for part in ranges) == LAST
    row = page.locator("#runs li").first
    expect(row).to_contain_text(f"task {task} · frames {FIRST}–{LAST}")
    expect(row.get_by_role("link", name="Review")).to_have_attribute("href", re.compile(r"review\?project=\d+&run=\w+"))
    seen.picture("label-done-video")
    page.reload()
    expect(page.locator("#outcome")).to_contain_text("1 of 1 tasks labeled", timeout=BUSY_MS)
    undo(page)
    assert predictions(label_studio, task, version) == []
    expect(page.locator("#runs li").first).to_contain_text("undone")


def test_cutoffs_say_at_once_what_they_would_do_and_a_share_is_withheld(
    stage: Any, label_studio: Any, visit: Any
) -> None:
    seen = opened(visit, stage.url("label", project=stage.digits, filter="unlabeled"))
    page = seen.page
    everything, loop = (
        page.get_by_role("slider", name=f"Cutoff: {name}", exact=True) for name in ("For everything", "loop")
    )
    said = page.locator("#global .does")
    expect(said).to_contain_text(re.compile(r"about \d+ of \d+ frames, about \d+ % right"))
    before = int(re.findall(r"about (\d+) of", said.inner_text())[0])
    everything.fill("0.99")
    after = int(re.findall(r"about (\d+) of", said.inner_text())[0])
    assert after < before
    expect(page.locator(".cutoff", has=loop).first).to_contain_text("0.99")
    loop.fill("0.6")
    page.get_by_label("open digit", exact=True).uncheck()
    assert int(re.findall(r"about (\d+) of", said.inner_text())[0]) != after
    use = page.get_by_role("button", name="Use the cutoff for 90 % right")
    if use.count():
        use.click()
        expect(everything).not_to_have_value("0.99")
    page.get_by_text("cutoffs of its 2 options").click()
    seen.picture("label-cutoffs")
    assert not seen.barriers()

    page.get_by_text("Advanced", exact=True).click()
    page.get_by_label("Withheld, to measure (%)").fill("50")
    page.get_by_role("button", name="Preview").click()
    expect(page.locator("#outcome")).to_contain_text("tasks would be labeled", timeout=BUSY_MS)
    outcome = page.locator("#outcome")
    assert "open digit:" not in outcome.inner_text()
    expect(outcome.locator(".pictures li")).to_have_count(24)
    loop.fill("0.61")
    expect(page.locator("#stale")).to_be_visible()
    version = run(page)
    expect(outcome).to_contain_text("are withheld, to measure")
    row = page.locator("#runs li").first
    expect(row).to_contain_text("only loop, looped digit")
    expect(row).to_contain_text("loop 0.61")
    expect(row).to_contain_text("blind tasks are annotated so far", timeout=BUSY_MS)
    shown = [task for task in stage.digit_tasks[70:] if predictions(label_studio, task, version)]
    assert 0 < len(shown) < 40
    undo(page)


def test_in_label_studio_s_frame_it_says_when_a_run_is_done(stage: Any, visit: Any) -> None:
    task = stage.video_tasks[1]
    seen = visit(stage.url("projects"), width=420)
    page = seen.page
    address = stage.url("label", project=stage.videos, embed=1, task=task, frame=80)
    holder = f'<iframe title="drawer" src="{address.replace("&", "&amp;")}" width="390" height="780"></iframe>'
    page.route(
        "**/holder",
        lambda route: route.fulfill(body=f"<!doctype html><title>x</title>{holder}", content_type="text/html"),
    )
    page.goto(f"{stage.backend.url}/holder")
    page.evaluate("window.heard = []; addEventListener('message', (event) => heard.push(event.data))")
    frame = page.frame_locator("iframe")
    expect(frame.locator("#run:not([aria-busy])")).to_be_attached(timeout=BUSY_MS)
    expect(frame.locator("header")).to_have_count(0)
    expect(frame.locator("#first")).to_have_value("30")
    expect(frame.locator("#last")).to_have_value("130")
    frame.get_by_role("button", name="Run", exact=True).click()
    expect(frame.locator("#outcome .note").first).to_contain_text("done", timeout=BUSY_MS)
    page.wait_for_function("heard.length > 0")
    (heard,) = page.evaluate("heard")
    assert (heard["espalier"], heard["task"]) == ("run-done", task)
    seen.picture("label-embedded")
    frame.locator("#outcome").get_by_role("button", name="Undo this run").click()
    frame.get_by_role("dialog").get_by_role("button", name="Undo").click()
    expect(frame.locator("#outcome .note").first).to_contain_text("undone", timeout=BUSY_MS)
    assert page.evaluate("heard[1].espalier") == "run-undone"


def test_without_a_version_it_says_what_to_label(stage: Any, label_studio: Any, visit: Any) -> None:
    empty = label_studio.project(IMAGE_CONFIG, "<b>Nothing yet</b>")
    label_studio.connect(empty["id"], stage.backend.url)
    seen = visit(stage.url("label", project=empty["id"]))
    expect(seen.page.locator("#empty")).to_contain_text("There is no model version yet")
    expect(seen.page.locator("#empty")).to_contain_text("loop: label some tasks with at least two different options")
    expect(seen.page.locator("#run")).to_be_hidden()
    seen.picture("label-empty")


def test_wrong_numbers_are_said_in_words(stage: Any, visit: Any) -> None:
    seen = opened(visit, stage.url("label", project=stage.digits, tasks="99-12"))
    seen.page.get_by_role("button", name="Preview").click()
    expect(seen.page.locator("#notices")).to_contain_text("“99-12” is no task number, nor a range such as 15-20")


def test_it_is_accessible_and_fits_a_drawer_in_light_and_in_dark(stage: Any, visit: Any) -> None:
    for width, dark in ((1280, False), (390, True)):
        seen = opened(
            visit, stage.url("label", project=stage.videos, task=stage.video_tasks[1]), width=width, dark=dark
        )
        expect(seen.page.locator("#range-words")).to_contain_text("of 160")
        seen.page.get_by_text("Advanced", exact=True).click()
        assert not seen.barriers()
        assert seen.overflow() <= 0
        seen.picture(f"label-{width}")
