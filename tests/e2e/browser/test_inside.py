"""Espalier inside Label Studio: connected in one click, a drawer beside the frame, actions, and nothing for strangers.

The Label Studio is one of its own, started with the app on, and with its guard against private addresses as it comes.
"""

from __future__ import annotations

import os
import re
import signal
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
import requests
from playwright.sync_api import Browser, FrameLocator, Page, expect

from espalier.demo import app_inside
from espalier.demo import label_studio as servers
from espalier.demo.one_click import form_token
from espalier.demo.pictures import VIDEO_CONFIG, write_pan
from espalier.demo.results import timeline

PICTURES = Path(__file__).resolve().parents[3] / "build" / "screenshots"
SLOW_MS = 60_000
BUTTON = "#espalier button.open"
HELPER, READER = "helper@example.org", "reader@example.org"
RULES = f"""
from core.settings.base import *
SENTRY_DSN = ""
from espalier_labelstudio.settings import *
from django.apps import AppConfig

class Rules(AppConfig):
    name = "rules_of_a_house"

    def ready(self):
        import rules
        from core.permissions import make_perm
        def all_but(*emails):
            return rules.is_authenticated & rules.predicate(lambda user: user.email not in emails)

        make_perm("projects.change", all_but("{HELPER}", "{READER}"), overwrite=True)
        make_perm("predictions.any", all_but("{READER}"), overwrite=True)

INSTALLED_APPS = [*INSTALLED_APPS, "rules_of_a_house.Rules"]
"""
"""Label Studio's community edition gives every member every permission: each of its rules is "is signed in". So other
rules are set as its other editions and operators set them: settings on top, and `make_perm` over its own."""


@dataclass
class Inside:
    """One project of two videos, of which the first is labeled. Connected by the page that the app adds."""

    label_studio: Any
    backend: Any
    project: int
    tasks: list[int]
    steps: str
    """What the page said while it connected."""

    def url(self, task: int | None = None) -> str:
        return f"{self.label_studio.url}/projects/{self.project}/data" + (f"?task={task}" if task else "")

    def annotations(self, task: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.label_studio.request("GET", f"/api/tasks/{task}/annotations/")
        return found

    def predictions(self, task: int) -> list[dict[str, Any]]:
        found: list[dict[str, Any]] = self.label_studio.request("GET", f"/api/predictions?task={task}")
        return found


@pytest.fixture(scope="module")
def inside(
    start_label_studio: Any, start_backend: Any, chromium: Browser, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[Inside]:
    weights = Path(os.environ.get("ESPALIER_TEST_DATA", PICTURES.parents[2] / "shared")) / "data" / "weights"
    named = {"ESPALIER_WEIGHTS_DIR": str(weights)} if weights.exists() else {}

    def with_rules(directory: Path) -> dict[str, str]:
        variables = app_inside.app_inside(directory)
        (directory / "rules_of_a_house.py").write_text(RULES)
        return variables | {"DJANGO_SETTINGS_MODULE": "rules_of_a_house"}

    # The backend is told nothing of Label Studio: address, token and secret come from the one click.
    with start_backend(LABEL_STUDIO_URL=None, LABEL_STUDIO_API_KEY=None, **named) as backend:
        with pytest.MonkeyPatch.context() as patched:
            patched.setattr(servers, "app_inside", with_rules)
            label_studio = start_label_studio(app=True, private_backends=False, backend_url=backend.url)
        directory = tmp_path_factory.mktemp("videos")
        shots, _ = write_pan(directory / "one.mp4", seed=0), write_pan(directory / "two.mp4", seed=1)
        project = label_studio.project(VIDEO_CONFIG, "Inside")
        tasks = [label_studio.upload(project["id"], directory / name)[0] for name in ("one.mp4", "two.mp4")]
        label_studio.annotate(tasks[0], timeline(shots))
        context = chromium.new_context()
        page = signed_in(context.new_page(), label_studio.session, label_studio.url)
        page.goto(f"{label_studio.url}/espalier/connect?project={project['id']}")
        page.get_by_role("button", name="Connect").click()
        steps = page.locator("ol").inner_text(timeout=SLOW_MS)
        page.screenshot(path=picture("inside-connect"), full_page=True)
        context.close()
        backend.learned(project, 1)
        yield Inside(label_studio, backend, project["id"], tasks, steps)


@pytest.fixture
def person(inside: Inside, chromium: Browser) -> Iterator[Callable[..., Page]]:
    """person(session): a page of a person who is signed in to Label Studio, without one of its owner."""
    contexts = []

    def open_page(session: requests.Session | None = None) -> Page:
        contexts.append(chromium.new_context(viewport={"width": 1400, "height": 900}))
        contexts[-1].set_default_timeout(SLOW_MS)
        signed = inside.label_studio.session if session is None else session
        return signed_in(contexts[-1].new_page(), signed, inside.label_studio.url)

    yield open_page
    for context in contexts:
        context.close()


def signed_in(page: Page, session: requests.Session, url: str) -> Page:
    cookies: Any = [{"name": one.name, "value": one.value, "url": url} for one in session.cookies]
    page.context.add_cookies(cookies)
    return page


def member(inside: Inside, email: str) -> requests.Session:
    """Who signs up in a community edition belongs to its one organization."""
    session, at = requests.Session(), f"{inside.label_studio.url}/user/signup/"
    form = {"email": email, "password": "a-long-password", "csrfmiddlewaretoken": form_token(session.get(at).text)}
    session.post(at, data=form, headers={"Referer": at}, timeout=60).raise_for_status()
    assert "sessionid" in session.cookies
    return session


def action_of(page: Page, name: str) -> None:
    """The first task of the list is selected, and the action chosen; its dialog waits for an answer."""
    page.get_by_role("checkbox", name="Select Task").first.click()
    page.get_by_role("button", name="Tasks Actions").click()
    page.get_by_role("menuitem", name=name).or_(page.get_by_text(name, exact=True)).first.click()


def picture(name: str) -> str:
    PICTURES.mkdir(parents=True, exist_ok=True)
    return str(PICTURES / f"{name}.png")


def drawer(page: Page) -> FrameLocator:
    return page.frame_locator("#espalier iframe")


def shown_task(page: Page) -> str:
    """Which task the drawer is about."""
    source = page.locator("#espalier iframe").get_attribute("src") or ""
    found = re.search(r"[?&]task=(\d+)", source)
    return found[1] if found else ""


def until(holds: Callable[[], bool], within_s: float = 60) -> None:
    deadline = time.monotonic() + within_s
    while not holds():
        assert time.monotonic() < deadline
        time.sleep(0.3)


def test_one_click_connects_a_project_without_a_token_or_a_setting(inside: Inside) -> None:
    assert "it writes as" in inside.steps
    assert "Label Studio reaches" in inside.steps
    assert "– no" not in inside.steps
    (model,) = inside.label_studio.request("GET", f"/api/ml?project={inside.project}")
    assert (model["state"], model["title"]) == ("CO", "Espalier")
    hooks = inside.label_studio.request("GET", f"/api/webhooks/?project={inside.project}")
    assert [hook["url"] for hook in hooks] == [f"{inside.backend.url}/webhook"]


def test_from_the_button_to_an_annotation_that_arrives(inside: Inside, person: Callable[..., Page]) -> None:
    page, task = person(), inside.tasks[1]
    page.goto(inside.url(task))
    page.locator(BUTTON).click()
    inner = drawer(page)
    expect(inner.get_by_role("heading", name="Automated labeling")).to_be_visible(timeout=SLOW_MS)
    inner.get_by_role("button", name="Run", exact=True).click()
    until(lambda: bool(inside.predictions(task)))
    # The editor shows it without being loaded again.
    expect(page.locator("[class*=annotations-carousel], [class*=annotation-button]").first).to_be_visible()
    page.wait_for_function("() => (window.Htx?.annotationStore?.predictions ?? []).length > 0", timeout=SLOW_MS)
    page.screenshot(path=picture("inside-drawer"))
    before = len(inside.annotations(task))
    page.locator("#espalier").get_by_role("button", name="Accept").click()
    page.wait_for_function("() => window.Htx.annotationStore.selected?.regions?.length > 0", timeout=SLOW_MS)
    page.get_by_role("button", name="Submit").click()
    until(lambda: len(inside.annotations(task)) > before)
    inside.backend.learned({"id": inside.project}, 2)
    page.screenshot(path=picture("inside-accepted"))
    made = inside.annotations(task)[0]
    assert {item["type"] for item in made["result"]} >= {"timelinelabels"}
    inside.label_studio.request("DELETE", f"/api/annotations/{made['id']}")


def test_frames_like_the_one_under_the_play_head_get_a_class(inside: Inside, person: Callable[..., Page]) -> None:
    page, (labeled, task) = person(), inside.tasks
    page.goto(inside.url(labeled))
    page.wait_for_function("() => window.Htx?.annotationStore?.selected?.names?.get('video')?.length > 1")
    page.evaluate("window.Htx.annotationStore.selected.names.get('video').setFrame(30)")
    page.locator(BUTTON).click()
    page.locator("#espalier").get_by_role("tab", name="Similar").click()
    inner = drawer(page)
    expect(inner.locator("#examples")).to_contain_text(f"task {labeled} · frame 30", timeout=SLOW_MS)
    expect(inner.locator("#state")).to_have_attribute("title", re.compile("^by "), timeout=SLOW_MS)
    left = inner.locator("#embedding")
    if left.get_by_role("button").count():
        left.get_by_role("button", name="Embed everything").click()
        expect(left).to_be_empty(timeout=SLOW_MS)
    expect(inner.locator("#results")).to_contain_text("most alike", timeout=SLOW_MS)
    page.evaluate("window.Htx.annotationStore.selected.names.get('video').setFrame(5)")
    expect(inner.locator("#examples")).to_contain_text(f"task {labeled} · frame 5", timeout=SLOW_MS)
    inner.locator("#filters-box summary").click()
    inner.get_by_label("Tasks", exact=True).fill(str(task))
    expect(inner.locator("#filters-count")).to_have_text("1 condition")
    hits = inner.locator("[role=tabpanel]:not([hidden]):not([aria-busy]) .hit")
    expect(hits.filter(has_text=f"task {labeled} ")).to_have_count(0, timeout=SLOW_MS)
    expect(hits.filter(has_text=f"task {task} ").first).to_be_visible()
    hits.nth(0).locator(".pick").click()
    hits.nth(1).locator(".pick").click()
    give = inner.locator("#give")
    expect(give).to_contain_text("2 frames selected")
    give.get_by_label("Class", exact=True).select_option(label="flower")
    before = {one["id"] for one in inside.predictions(task)}
    give.get_by_role("button", name="Give", exact=True).click()
    undo = give.get_by_role("button", name="Undo")
    expect(undo).to_be_visible(timeout=SLOW_MS)
    page.screenshot(path=picture("inside-similar"))
    (made,) = [one for one in inside.predictions(task) if one["id"] not in before]
    assert {label for item in made["result"] for label in item["value"]["timelinelabels"]} == {"flower"}
    spans = [span for item in made["result"] for span in item["value"]["ranges"]]
    assert 1 <= len(spans) <= 2
    undo.click()
    expect(inner.locator("#notices")).to_contain_text("deleted", timeout=SLOW_MS)
    assert {one["id"] for one in inside.predictions(task)} == before


def test_whatever_way_a_task_came_to_be_shown_the_drawer_is_about_it(
    inside: Inside, person: Callable[..., Page]
) -> None:
    page, (first, second) = person(), inside.tasks
    page.goto(inside.url(first))
    page.locator(BUTTON).click()
    until(lambda: shown_task(page) == str(first))
    other = page.context.new_page()
    other.goto(inside.url(second))
    other.locator(BUTTON).click()
    until(lambda: shown_task(other) == str(second))
    assert shown_task(page) == str(first), "a tab knows its own task"
    page.evaluate(f"window.dataManager.lsf.loadTask({second})")
    until(lambda: shown_task(page) == str(second))
    page.goto(inside.url(first))
    page.locator(BUTTON).click()
    until(lambda: shown_task(page) == str(first))
    page.goto(inside.url())
    until(lambda: page.locator(BUTTON).count() == 0)
    page.go_back()
    page.locator(BUTTON).click()
    until(lambda: shown_task(page) == str(first))


def test_an_action_labels_a_range_of_the_selected_videos(inside: Inside) -> None:
    form = inside.label_studio.request("GET", f"/api/dm/actions/espalier_label/form/?project={inside.project}")
    names = [field["name"] for group in form for field in group["fields"]]
    assert {"version", "first", "last", "stride", "confidence", "existing", "parents", "device"} <= set(names)
    answer = inside.label_studio.action(
        inside.project, "espalier_label", [inside.tasks[1]], first="20", last="60", stride="0", confidence=0,
        existing="replace", parents="run", version=form[0]["fields"][0]["value"], classification="all", device="auto",
    )  # fmt: skip
    assert "1 task" in answer["detail"], answer
    run = re.search(r"run=([0-9a-f]+)", answer["detail"])
    assert run

    def told() -> dict[str, Any]:
        found: dict[str, Any] = inside.label_studio.request(
            "GET", f"/espalier/api/v1/runs/{run[1]}?project={inside.project}"
        )
        return found

    def ranges() -> list[tuple[int, int]]:
        return [
            (span["start"], span["end"])
            for one in inside.predictions(inside.tasks[1])
            if one["model_version"] == told()["version"]
            for item in one["result"]
            for span in item["value"].get("ranges", [])
        ]

    until(lambda: told()["state"] == "done")
    assert ranges()
    assert all(start >= 20 and end <= 60 for start, end in ranges())
    undone = inside.label_studio.action(inside.project, "espalier_undo", [inside.tasks[1]], run=run[1])
    assert "deleted" in undone["detail"], undone


def test_what_an_action_did_and_where_to_watch_it_is_said(inside: Inside, person: Callable[..., Page]) -> None:
    page, told = person(), "#espalier .told"
    page.goto(inside.url())
    action_of(page, "Automated labeling…")
    page.get_by_label("Last frame").fill("30")
    page.screenshot(path=picture("inside-action"))
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(told)).to_contain_text("1 task is being labeled", timeout=SLOW_MS)
    page.screenshot(path=picture("inside-action-said"))
    address = page.locator(told).get_by_role("link").get_attribute("href") or ""
    run = address.rpartition("run=")[2]
    watching = page.context.new_page()
    watching.goto(inside.label_studio.url + address)
    expect(watching.get_by_text(re.compile("Run .+: done"))).to_be_visible(timeout=SLOW_MS)
    watching.close()

    action_of(page, "Undo a run of Espalier")
    expect(page.get_by_text("What the run wrote is deleted")).to_be_visible()
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(told)).to_contain_text("deleted", timeout=SLOW_MS)
    undone = inside.label_studio.request("GET", f"/espalier/api/v1/runs/{run}?project={inside.project}")
    assert undone["state"] == "undone"

    page.goto(inside.url())
    action_of(page, "Train Espalier now")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator(told)).to_contain_text("Espalier is learning", timeout=SLOW_MS)
    page.locator(told).get_by_role("link").click()
    expect(page.get_by_role("heading", name="Training", exact=True)).to_be_visible()

    page.goto(inside.url())
    action_of(page, "Find similar")
    page.get_by_role("button", name="Confirm").click()
    expect(page.locator("#examples")).to_contain_text(re.compile(r"task \d+"), timeout=SLOW_MS)
    expect(page.locator("#results .hit").first).to_be_visible()


def test_who_may_not_have_predictions_sees_none_of_it(inside: Inside, person: Callable[..., Page]) -> None:
    session, url = member(inside, READER), inside.label_studio.url
    page = person(session)
    with page.expect_response("**/espalier/api/v1/me") as answered:
        page.goto(inside.url(inside.tasks[0]))
    assert answered.value.status == 403
    assert "none of yours" in answered.value.json()["detail"]
    page.wait_for_function("() => window.Htx?.annotationStore?.selected")
    page.wait_for_timeout(1_000)  # it looks every 0.4 s
    expect(page.locator(BUTTON)).to_have_count(0)
    expect(page.get_by_role("button", name="Submit")).to_be_visible()
    page.goto(inside.url())
    page.get_by_role("checkbox", name="Select Task").first.click()
    page.get_by_role("button", name="Tasks Actions").click()
    expect(page.get_by_text("Delete Tasks")).to_be_visible()
    for action in ("Automated labeling…", "Find similar", "Train Espalier now", "Undo a run of Espalier"):
        expect(page.get_by_text(action)).to_have_count(0)
    page.screenshot(path=picture("inside-without-permission"))
    with page.expect_response("**/espalier/connect?project=*") as answered:
        page.goto(f"{url}/projects/{inside.project}/settings")
    assert answered.value.status == 403
    page.wait_for_timeout(1_000)
    expect(page.locator(BUTTON)).to_have_count(0)
    for method, path in (
        ("GET", f"panel/label?project={inside.project}&task={inside.tasks[0]}"),
        ("GET", f"api/v1/projects/{inside.project}/versions"),
        ("POST", f"api/v1/projects/{inside.project}/runs"),
        ("GET", f"connect?project={inside.project}"),
    ):
        refused = session.request(method, f"{url}/espalier/{path}", headers={"Sec-Fetch-Site": "same-origin"})
        assert refused.status_code == 403, path
        assert "none of yours" in refused.text or "takes the right" in refused.text
    for action in ("label", "similar", "train", "undo"):
        asked = f"{url}/api/dm/actions?id=espalier_{action}&project={inside.project}"
        refused = session.post(asked, json={"selectedItems": {"all": False, "included": inside.tasks}})
        assert refused.status_code == 403
        assert "not allowed" in refused.text


def test_who_labels_may_run_it_and_connects_nothing(inside: Inside, person: Callable[..., Page]) -> None:
    session, url = member(inside, HELPER), inside.label_studio.url
    page = person(session)
    page.goto(inside.url(inside.tasks[0]))
    page.locator(BUTTON).click()
    expect(drawer(page).get_by_role("button", name="Run", exact=True)).to_be_visible(timeout=SLOW_MS)
    assert session.get(f"{url}/espalier/connect?project={inside.project}").status_code == 403
    listed = {one["id"] for one in session.get(f"{url}/api/dm/actions?project={inside.project}").json()}
    assert {"espalier_label", "espalier_similar", "espalier_undo"} <= listed
    assert "espalier_train" not in listed
    refused = session.post(
        f"{url}/espalier/api/v1/projects/{inside.project}/trainings", json={}, headers={"Sec-Fetch-Site": "same-origin"}
    )
    assert refused.status_code == 403
    # Label Studio's own way to send somebody away: the owner ends the membership.
    me = session.get(f"{url}/api/current-user/whoami").json()["id"]
    inside.label_studio.request("DELETE", f"/api/organizations/1/memberships/{me}/")
    for path in (f"panel/label?project={inside.project}", f"api/v1/projects/{inside.project}/versions"):
        refused = session.get(f"{url}/espalier/{path}")
        assert refused.status_code == 403
        assert "none of yours" in refused.text
    with page.expect_response(lambda answer: "/api/" in answer.url and answer.status == 403):
        page.reload()
    page.wait_for_timeout(1_000)
    expect(page.locator(BUTTON)).to_have_count(0)


def test_who_may_not_see_the_project_sees_nothing_of_it(inside: Inside) -> None:
    url, session = inside.label_studio.url, inside.label_studio.session
    assert session.get(f"{url}/espalier/api/v1/projects/{inside.project}/versions", timeout=30).status_code == 200
    assert session.get(f"{url}/espalier/api/v1/projects/99999/versions", timeout=30).status_code == 403
    assert session.get(f"{url}/espalier/webhook", timeout=30).status_code == 404
    assert session.get(f"{url}/espalier/panel/../predict", timeout=30).status_code == 404
    nobody = requests.get(f"{url}/espalier/api/v1/projects", timeout=30)
    assert nobody.status_code == 401
    assert b"inject.js" not in requests.get(f"{url}/user/login/", timeout=30).content
    refused = session.post(
        f"{url}/espalier/api/v1/projects/{inside.project}/trainings", json={}, timeout=30,
        headers={"Sec-Fetch-Site": "cross-site"},
    )  # fmt: skip
    assert refused.status_code == 403


def test_without_espalier_label_studio_is_as_ever_and_says_so_once(inside: Inside, person: Callable[..., Page]) -> None:
    web = inside.backend.pid("web")
    serving = [int(pid) for pid in Path(f"/proc/{web}/task/{web}/children").read_text().split()]
    for pid in serving:
        os.kill(pid, signal.SIGSTOP)  # nobody answers, and nobody refuses: the worse of the two
    try:
        page = person()
        began = time.monotonic()
        page.goto(inside.url(inside.tasks[0]))
        page.wait_for_function("() => window.Htx?.annotationStore?.selected", timeout=SLOW_MS)
        print(f"the editor was there after {time.monotonic() - began:.1f} s")
        expect(page.locator(BUTTON)).to_have_count(0)
    finally:
        for pid in serving:
            os.kill(pid, signal.SIGCONT)
    page = person()
    page.goto(inside.url(inside.tasks[0]))
    expect(page.locator(BUTTON)).to_be_visible(timeout=SLOW_MS)
