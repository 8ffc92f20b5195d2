"""Similarity as a person uses it: frames like a frame, refined, looked through, given a class, and taken back."""

from __future__ import annotations

import re
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from espalier.demo.pictures import IMAGE_CONFIG, write_digits
from espalier.demo.results import choices

BUSY_MS = 60_000
DIGITS, LABELED = 30, 6


@pytest.fixture(scope="module")
def own(stage: Any, label_studio: Any, tmp_path_factory: pytest.TempPathFactory) -> Any:
    """A project that no other test counts on: 30 digits, of which 6 are labeled, and nothing else is embedded."""
    digits = write_digits(tmp_path_factory.mktemp("own"), DIGITS)
    project = label_studio.project(IMAGE_CONFIG, "Like each other")
    tasks = [label_studio.upload(project["id"], digit.path)[0] for digit in digits]
    for task, digit in zip(tasks[:LABELED], digits, strict=False):
        label_studio.annotate(task, choices("image", digit.answers))
    label_studio.connect(project["id"], stage.backend.url)
    stage.backend.learned(project, LABELED)
    return project["id"]


@pytest.fixture(scope="module")
def ready(stage: Any) -> Any:
    """The stage, of which everything can be searched."""
    for project in (stage.digits, stage.videos):
        stage.backend.espalier("embed", str(project))
    return stage


def opened(visit: Any, url: str, **more: Any) -> Any:
    seen = visit(url, **more)
    settled(seen.page)
    return seen


def settled(page: Page) -> None:
    expect(page.locator("[role=tabpanel]:not([hidden]):not([aria-busy])")).to_be_visible(timeout=BUSY_MS)
    expect(page.locator("#state")).to_contain_text("frames", timeout=BUSY_MS)


def hits(page: Page) -> Locator:
    return page.locator("[role=tabpanel]:not([hidden]) .hit")


def selected(page: Page, count: int) -> None:
    expect(page.locator("#give strong").first).to_have_text(f"{count} frame{'' if count == 1 else 's'} selected")


def predictions(label_studio: Any, task: int) -> list[dict[str, Any]]:
    told: list[dict[str, Any]] = label_studio.request("GET", f"/api/predictions?task={task}")
    return told


def test_all_is_embedded_and_refined_and_selected_frames_get_a_class(
    own: int, stage: Any, label_studio: Any, visit: Any
) -> None:
    seen = opened(visit, stage.url("similarity", project=own))
    page = seen.page
    left = page.locator("#embedding")
    expect(left).to_contain_text(re.compile(rf"\d+ of {DIGITS} tasks are not embedded yet"))
    left.get_by_role("button", name="Embed everything").click()
    expect(left).to_be_empty(timeout=BUSY_MS)
    expect(page.locator("#state")).to_contain_text(f"{DIGITS} frames", timeout=BUSY_MS)
    settled(page)

    hits(page).first.get_by_role("button", name="Only like this").click()
    expect(page.locator("#examples .example")).to_have_count(1)
    expect(hits(page)).to_have_count(DIGITS - 1)
    page.keyboard.press("ArrowRight")
    page.keyboard.press("+")
    expect(page.locator("#examples .example")).to_have_count(2)
    settled(page)
    hits(page).last.get_by_role("button", name="Less like this").click()
    expect(page.locator("#examples .example.against")).to_have_count(1)
    settled(page)
    expect(hits(page)).to_have_count(DIGITS - 3)
    assert re.search(r"like=.+&unlike=.+", page.url)
    page.reload()
    settled(page)
    expect(page.locator("#examples .example")).to_have_count(3)
    expect(hits(page)).to_have_count(DIGITS - 3)

    page.get_by_label("Answered at all").select_option("true")
    expect(page.locator("#filters-count")).to_have_text("1 condition")
    expect(page.locator("#results")).to_contain_text(re.compile(rf"\d+ of {DIGITS} frames were searched"))
    settled(page)
    hits(page).nth(0).locator(".pick").click()
    hits(page).nth(3).locator(".pick").click(modifiers=["Shift"])
    selected(page, 4)
    page.keyboard.press("ArrowRight")
    page.locator(".hit.current").focus()
    page.keyboard.press(" ")
    selected(page, 5)
    page.keyboard.press(" ")
    selected(page, 4)
    tasks = [int(name.split()[2]) for name in _names(page)]

    give = page.locator("#give")
    give.get_by_label("Class", exact=True).select_option(label="has a loop")
    give.get_by_label("looped digit").select_option(label="8")
    give.get_by_role("button", name="Preview").click()
    expect(give).to_contain_text("Would write 4 predictions in 4 tasks", timeout=BUSY_MS)
    expect(give).to_contain_text("looped digit: 8: 4 frames")
    seen.picture("similarity-give")
    before = len(predictions(label_studio, tasks[0]))
    give.get_by_role("button", name="Give", exact=True).click()
    expect(give.get_by_role("button", name="Undo")).to_be_visible(timeout=BUSY_MS)
    for task in tasks:
        written = predictions(label_studio, task)[0]["result"]
        assert {item["value"]["choices"][0] for item in written} == {"has a loop", "8"}
    give.get_by_role("button", name="Undo").click()
    expect(page.locator("#notices")).to_contain_text("deleted", timeout=BUSY_MS)
    assert len(predictions(label_studio, tasks[0])) == before


def _names(page: Page) -> list[str]:
    picked = page.locator(".hit.picked .pick")
    return [str(picked.nth(place).get_attribute("aria-label")) for place in range(picked.count())]


def test_an_attribute_without_what_it_belongs_to_is_refused_in_the_preview(ready: Any, visit: Any) -> None:
    page = opened(
        visit, ready.url("similarity", project=ready.digits, task=ready.digit_tasks[0], unlabeled="true")
    ).page
    page.get_by_role("button", name="Select all").click()
    give = page.locator("#give")
    give.get_by_label("Class", exact=True).select_option(label="8")
    expect(give.get_by_label("also answer what it belongs to")).to_be_visible()
    give.get_by_role("button", name="Preview").click()
    expect(give).to_contain_text(re.compile(r"tasks? refused:"), timeout=BUSY_MS)
    expect(give.get_by_role("link", name=re.compile(r"task \d+")).first).to_be_visible()


def test_a_picture_is_chosen_dropped_or_pasted(ready: Any, visit: Any, tmp_path: Path) -> None:
    digit = write_digits(tmp_path, 1)[0].path
    page = opened(visit, ready.url("similarity", project=ready.digits)).page
    page.locator("#file").set_input_files(digit)
    expect(page.locator("#examples")).to_contain_text(digit.name)
    settled(page)
    expect(hits(page).first.locator(".where")).to_have_text(f"1.00 task {ready.digit_tasks[0]}")
    for event in ("drop", "paste"):
        page.evaluate(
            """async ([event, name, bytes]) => {
              const given = new DataTransfer();
              given.items.add(new File([new Uint8Array(bytes)], `${event}-${name}`, { type: "image/png" }));
              const options = { bubbles: true, cancelable: true };
              const made = event === "drop" ? new DragEvent("drop", { ...options, dataTransfer: given })
                : new ClipboardEvent("paste", { ...options, clipboardData: given });
              document.body.dispatchEvent(made);
            }""",
            [event, digit.name, list(digit.read_bytes())],
        )
        expect(page.locator("#examples")).to_contain_text(f"{event}-{digit.name}")
        settled(page)
    expect(page.locator("#examples .example")).to_have_count(3)
    expect(page.locator("#no-text")).to_contain_text("knows no words: to search by text set ESPALIER_ENCODER")


def test_hits_of_a_video_are_scenes_that_open(ready: Any, visit: Any) -> None:
    seen = opened(visit, ready.url("similarity", project=ready.videos, task=ready.video_tasks[0], frame=1))
    page = seen.page
    scene = page.get_by_role("button", name=re.compile(r"other hits of this scene")).first
    expect(scene).to_have_attribute("aria-expanded", "false")
    shown = hits(page).count()
    scene.click()
    expect(page.locator(".hit.within").first).to_be_visible()
    assert hits(page).count() > shown
    seen.picture("similarity-scenes")
    page.get_by_role("button", name=re.compile(r"other hits of this scene")).first.click()
    expect(hits(page)).to_have_count(shown)
    page.get_by_label("To second").fill("0.01")
    page.get_by_label("From second").fill("0.005")
    expect(page.locator("#results")).to_contain_text("No frame meets the conditions")


def test_the_map_selects_by_class_and_by_lasso(ready: Any, visit: Any) -> None:
    seen = opened(visit, ready.url("similarity", project=ready.digits, tab="map"))
    page = seen.page
    page.get_by_label("Colour by").select_option("cluster")
    expect(page.locator(".legend")).to_contain_text("cluster 2")
    page.get_by_label("Colour by").select_option("person")
    one = page.locator(".legend li button").first
    count = int(re.findall(r"\d+$", one.inner_text())[0])
    one.click()
    selected(page, count)
    expect(hits(page)).to_have_count(min(count, hits(page).count()))
    seen.picture("similarity-map")
    page.keyboard.press("Escape")
    expect(page.locator("#give")).to_be_hidden()
    page.get_by_role("button", name="Lasso").click()
    canvas = page.locator(".plane canvas").first
    canvas.scroll_into_view_if_needed()
    box = canvas.bounding_box()
    assert box
    corners = [(0.01, 0.01), (0.99, 0.01), (0.99, 0.99), (0.01, 0.99), (0.01, 0.05)]
    for place, (x, y) in enumerate(corners):
        page.mouse.move(box["x"] + x * box["width"], box["y"] + y * box["height"], steps=1 if place == 0 else 5)
        if place == 0:
            page.mouse.down()
    page.mouse.up()
    everything = int(re.findall(r"\d+", page.locator("#state").inner_text())[0])
    selected(page, everything)
    page.get_by_role("button", name="Zoom in").click()
    canvas.press("ArrowLeft")
    expect(page.locator(".tip")).to_be_hidden()


def test_lists_are_decided_by_keys(ready: Any, visit: Any) -> None:
    seen = opened(visit, ready.url("similarity", project=ready.digits, tab="pairs"))
    page = seen.page
    cards = page.locator(".groups > li")
    first = cards.first.inner_text()
    page.keyboard.press("ArrowDown")
    expect(cards.first).to_have_class(re.compile("current"))
    page.keyboard.press("k")
    selected(page, 2)
    page.keyboard.press("x")
    expect(page.get_by_text("1 set aside: show again")).to_be_visible()
    assert cards.first.inner_text() != first
    page.get_by_role("button", name="1 set aside").click()
    assert cards.first.inner_text() == first
    for tab in ("Duplicates", "Outliers", "Anomalies"):
        page.get_by_role("tab", name=tab).click()
        settled(page)
        expect(page.locator("[role=tabpanel]:not([hidden]) .note.bad")).to_have_count(0)
    page.get_by_role("tab", name="Clusters").click()
    settled(page)
    page.keyboard.press("Escape")
    every = cards.locator("visible=true").first.get_by_role("button", name=re.compile("Select all"))
    members = int(every.inner_text().split()[-1])
    every.click()
    selected(page, members)
    page.keyboard.press("?")
    expect(page.get_by_role("dialog", name="Keys")).to_contain_text("open in Label Studio")


def test_a_discovered_class_says_how_to_add_its_option(ready: Any, visit: Any) -> None:
    seen = opened(visit, ready.url("similarity", project=ready.digits, tab="discover"))
    page = seen.page
    make = page.get_by_role("button", name="Make it a class").first
    make.click()
    dialog = page.get_by_role("dialog", name="Make it a class")
    dialog.get_by_label("What is it?").fill('curly & "round"')
    line = dialog.get_by_label("Line for the labeling configuration")
    expect(line).to_have_value('<Choice value="curly &amp; &quot;round&quot;"/>')
    seen.picture("similarity-discover")
    dialog.get_by_role("button", name="I added it").click()
    expect(page.locator("#give").get_by_label("Class", exact=True)).to_be_focused()


def test_beside_a_frame_of_label_studio_it_follows_and_tells(
    own: int, stage: Any, label_studio: Any, visit: Any
) -> None:
    address = stage.url("similarity", project=own, embed=1, task=0)
    host = f"{stage.backend.url}/panel/beside"
    seen = visit("about:blank", width=1000)
    page = seen.page
    body = (
        f'<!doctype html><title>Label Studio</title><iframe title="Similar" width="420" height="760" src="{address}">'
    )
    page.route(host, lambda route: route.fulfill(body=body, content_type="text/html"))
    page.goto(host)
    inside = page.frame_locator("iframe")
    expect(inside.locator("header")).to_have_count(0)
    expect(inside.locator("#state")).to_contain_text("frames", timeout=BUSY_MS)
    task = label_studio.request("GET", f"/api/tasks?project={own}&page_size=5")["tasks"][1]["id"]
    page.evaluate(
        """task => {
          window.told = [];
          addEventListener("message", (event) => window.told.push([event.origin, event.data]));
          frames[0].postMessage({ espalier: "frame", task, frame: 1 }, location.origin);
        }""",
        task,
    )
    expect(inside.locator("#examples")).to_contain_text(f"task {task}")
    expect(inside.locator("#results")).to_contain_text("most alike", timeout=BUSY_MS)
    inside.locator(".hit .pick").first.click()
    give = inside.locator("#give")
    give.get_by_label("Class", exact=True).select_option(label="no loop")
    give.get_by_role("button", name="Give", exact=True).click()
    expect(give.get_by_role("button", name="Undo")).to_be_visible(timeout=BUSY_MS)
    [(origin, data)] = page.evaluate("window.told")
    assert origin == stage.backend.url
    assert data["espalier"] == "run-done"
    assert {"task", "run"} <= set(data)
    seen.picture("similarity-embedded")
    give.get_by_role("button", name="Undo").click()
    expect(inside.locator("#notices")).to_contain_text("deleted", timeout=BUSY_MS)


def test_a_viewer_finds_and_may_give_nothing(ready: Any, visit: Any) -> None:
    seen = visit("about:blank")
    url = ready.url("similarity", project=ready.digits, task=ready.digit_tasks[0])

    def as_viewer(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('data-role="manager"', 'data-role="viewer"'))

    seen.page.route(url, as_viewer)
    seen.page.goto(url)
    settled(seen.page)
    hits(seen.page).first.locator(".pick").click()
    expect(hits(seen.page).first).to_have_class(re.compile("picked"))
    expect(seen.page.locator("#give")).to_be_hidden()


def test_it_is_accessible_and_fits_a_phone_in_light_and_in_dark(ready: Any, visit: Any) -> None:
    for width, dark in ((1280, False), (390, True)):
        for tab in ("search", "map", "clusters"):
            asked = {"project": ready.digits, "task": ready.digit_tasks[0], "tab": tab, "method": "pca"}
            seen = opened(visit, ready.url("similarity", **asked), width=width, dark=dark)
            if tab == "search":
                hits(seen.page).first.locator(".pick").click()
            assert not seen.barriers()
            assert seen.overflow() <= 0
            seen.picture(f"similarity-{tab}-{width}")
