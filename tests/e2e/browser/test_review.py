"""The Review page: predictions are decided by keys, written to Label Studio as annotations, and taken back."""

from __future__ import annotations

import json
import time
import urllib.request
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from playwright.sync_api import expect

from espalier.demo.pictures import IMAGE_CONFIG, VIDEO_CONFIG, Shot, write_digits
from espalier.demo.results import choices, said, timeline

MANY, LABELED = 60, 48


@dataclass
class Reviewed:
    """A project of its own: digits, of which the last ones are predicted by a run."""

    stage: Any
    label_studio: Any
    id: int
    tasks: list[int]
    run: str
    version: str

    def url(self, **query: object) -> str:
        return str(self.stage.url("review", project=self.id, **query))

    def held(self) -> dict[int, dict[str, Any]]:
        path = f"/api/tasks?project={self.id}&page_size=500&fields=all"
        return {task["id"]: task for task in self.label_studio.request("GET", path)["tasks"]}

    def annotations(self) -> dict[int, dict[str, str]]:
        """Of the tasks that the run predicted."""
        held = self.held()
        return {id: said(one["result"]) for id in self.tasks[LABELED:] for one in held[id]["annotations"]}

    def predicted(self) -> set[int]:
        """Tasks that have the run's prediction in Label Studio."""
        held = self.held()
        return {id for id, task in held.items() for one in task["predictions"] if one["model_version"] == self.version}


@pytest.fixture(scope="module")
def reviewed(stage: Any, label_studio: Any, tmp_path_factory: pytest.TempPathFactory) -> Reviewed:
    digits = write_digits(tmp_path_factory.mktemp("review"), MANY)
    project = label_studio.project(IMAGE_CONFIG, "Digits to review")
    files = {digit.path.name: (digit.path.name, digit.path.read_bytes()) for digit in digits}
    label_studio.request("POST", f"/api/projects/{project['id']}/import", files=files)
    listed = label_studio.request("GET", f"/api/tasks?project={project['id']}&page_size=500&fields=all")["tasks"]
    by_name = {task["data"]["image"].rpartition("/")[2].partition("-")[2]: task["id"] for task in listed}
    tasks = [by_name[digit.path.name] for digit in digits]
    for task, digit in zip(tasks[:LABELED], digits, strict=False):
        label_studio.annotate(task, choices("image", digit.answers))
    label_studio.connect(project["id"], stage.backend.url)
    stage.backend.learned(project, LABELED)
    run = labeled(stage, project["id"], tasks[LABELED:], confidence=0.0)
    return Reviewed(stage, label_studio, project["id"], tasks, run["id"], run["version"])


def labeled(stage: Any, project: int, tasks: list[int], **chosen: object) -> Any:
    """A run over these tasks that is done."""
    started = api(stage, "POST", f"/projects/{project}/runs?wait_s=20", {"tasks": tasks, **chosen})
    deadline = time.monotonic() + 120
    run = api(stage, "GET", f"/runs/{started['run']}")
    while run["state"] in ("queued", "running") and time.monotonic() < deadline:
        time.sleep(0.2)
        run = api(stage, "GET", f"/runs/{started['run']}")
    assert run["state"] == "done", run
    return run


def pictured(page: Any) -> None:
    """All its pictures are there: who leaves earlier leaves requests behind."""
    for _ in range(300):
        if page.evaluate("[...document.querySelectorAll('#grid img')].every(one => one.complete && one.naturalWidth)"):
            return
        page.wait_for_timeout(100)
    pytest.fail("the pictures did not come")


def api(stage: Any, method: str, path: str, body: object = None) -> Any:
    request = urllib.request.Request(
        f"{stage.backend.url}/api/v1{path}", method=method, headers={"Content-Type": "application/json"},
        data=None if body is None else json.dumps(body).encode(),
    )  # fmt: skip
    with urllib.request.urlopen(request, timeout=60) as answer:
        return json.load(answer)


def test_predictions_are_approved_corrected_and_rejected_by_keys_written_and_taken_back(
    reviewed: Reviewed, visit: Any
) -> None:
    before, shown = reviewed.annotations(), reviewed.predicted()
    assert before == {}
    seen = visit(reviewed.url(run=reviewed.run))
    page = seen.page
    tiles = page.locator("#grid [role=option]")
    expect(page.locator("#count")).to_have_text(f"1 of {MANY - LABELED}")
    expect(tiles).to_have_count(MANY - LABELED)
    sure = [float(tile.split(" % sure")[0].split()[-1]) for tile in tiles.all_inner_texts()]
    assert sure == sorted(sure), "the least sure are first"
    pictured(page)
    keys = [int(key.split("|")[0]) for key in tiles.evaluate_all("all => all.map(one => one.dataset.key)")]

    page.keyboard.press("a")
    expect(tiles.nth(0)).to_contain_text("approved, not written")
    page.keyboard.press("r")
    page.keyboard.press("r")
    page.keyboard.press("z")
    expect(tiles.nth(2)).not_to_contain_text("rejected")
    page.locator("#grid [role=option]").nth(2).click()
    page.keyboard.press("c")
    dialog = page.locator("#correcting")
    expect(dialog).to_contain_text("loop")
    expect(dialog.locator("img")).to_have_js_property("complete", True)
    seen.picture("review-correct")
    page.keyboard.press("l")  # the labeling configuration's own hotkeys
    expect(dialog).to_contain_text("looped digit")
    page.keyboard.press("8")
    expect(dialog).to_be_hidden()
    expect(tiles.nth(2)).to_contain_text("has a loop › 8")
    page.keyboard.press("ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    page.keyboard.press("Shift+ArrowRight")
    expect(page.locator("#count")).to_contain_text("3 of")
    page.keyboard.press("a")
    seen.picture("review")
    expect(page.locator("#write")).to_have_text("Write 4 approved, 1 corrected, 1 rejected")

    page.reload()
    expect(page.locator("#write")).to_have_text("Write 4 approved, 1 corrected, 1 rejected")
    page.locator("#write").click()
    expect(page.locator("#writing")).to_contain_text("5 annotations in 6 tasks; 1 prediction rejected", timeout=60_000)
    expect(page.locator("#count")).to_have_text(f"1 of {MANY - LABELED - 6}")
    written = reviewed.annotations()
    assert written[keys[2]] == {"loop": "has a loop", "looped digit": "8"}
    assert set(written) == {keys[0], keys[2], *keys[4:7]}
    assert reviewed.predicted() == shown - {keys[1]}
    seen.picture("review-written")

    page.locator("#reviews [data-review]").get_by_role("button", name="Undo").click()
    expect(page.locator("#count")).to_have_text(f"1 of {MANY - LABELED}", timeout=60_000)
    assert reviewed.annotations() == before
    assert reviewed.predicted() == shown


def test_what_somebody_annotated_meanwhile_is_skipped_with_the_reason(reviewed: Reviewed, visit: Any) -> None:
    page = visit(reviewed.url(run=reviewed.run)).page
    tiles = page.locator("#grid [role=option]")
    expect(tiles).to_have_count(MANY - LABELED)
    pictured(page)
    task = int(str(tiles.first.get_attribute("data-key")).split("|")[0])
    made = reviewed.label_studio.annotate(task, choices("image", {"loop": "no loop", "open digit": "1"}))
    page.keyboard.press("a")
    page.keyboard.press("w")
    expect(page.locator("#writing")).to_contain_text("1 task skipped: a person has annotated the task", timeout=60_000)
    assert reviewed.annotations() == {task: {"loop": "no loop", "open digit": "1"}}
    reviewed.label_studio.request("DELETE", f"/api/annotations/{made['id'] if isinstance(made, dict) else made}/")


def test_filters_stand_in_the_address_and_everything_can_be_selected(reviewed: Reviewed, visit: Any) -> None:
    page = visit(reviewed.url(run=reviewed.run, classification="loop", option="has a loop", sort="sure")).page
    expect(page.locator("#option")).to_have_value("has a loop")
    expect(page.locator("#grid [role=option]").first).to_contain_text("has a loop")
    assert page.locator("#grid [role=option]", has_text="no loop").count() == 0
    page.keyboard.press("Control+a")
    expect(page.locator("#count")).to_contain_text("selected")
    page.keyboard.press("Escape")
    page.locator("#sort").select_option("margin")
    page.wait_for_url("**sort=margin**")
    page.keyboard.press("?")


def test_it_is_accessible_and_fits_a_phone(reviewed: Reviewed, visit: Any) -> None:
    for width, dark in ((1280, False), (390, True)):
        seen = visit(reviewed.url(run=reviewed.run), width=width, dark=dark)
        expect(seen.page.locator("#grid [role=option]").first).to_be_visible()
        assert not seen.barriers()
        assert seen.overflow() <= 0
        seen.picture(f"review-{width}")


def test_a_project_without_predictions_says_what_to_do(
    stage: Any, label_studio: Any, visit: Any, tmp_path: Path
) -> None:
    project = label_studio.project(IMAGE_CONFIG, "Nothing yet")
    label_studio.connect(project["id"], stage.backend.url)
    page = visit(stage.url("review", project=project["id"])).page
    expect(page.locator("#empty")).to_contain_text("Nothing is predicted yet")


def regions(result: list[dict[str, Any]]) -> set[tuple[int, int, str]]:
    """First frame, last frame and option of all that a result says; Label Studio counts from 1 and both are in it."""
    return {
        (part["start"], part["end"], option)
        for region in result
        for part in region["value"]["ranges"]
        for option in region["value"].get("timelinelabels") or region["value"]["choices"]
    }


def test_ranges_of_a_video_are_decided_one_by_one_written_and_taken_back(
    stage: Any, label_studio: Any, visit: Any
) -> None:
    """Of two films a person has labeled the first, where theirs stays alone; of the second some ranges are decided."""
    project = label_studio.project(VIDEO_CONFIG, "Films to review")
    held = [label_studio.request("GET", f"/api/tasks/{task}") for task in stage.video_tasks]
    files = [label_studio.session.get(label_studio.url + one["data"]["video"], timeout=60).content for one in held]
    for name, film in zip(("first.mp4", "second.mp4"), files, strict=True):
        label_studio.request("POST", f"/api/projects/{project['id']}/import", files={name: (name, film)})

    def tasks() -> list[dict[str, Any]]:
        """As they are now, in the order of the films."""
        path = f"/api/tasks?project={project['id']}&page_size=10&fields=all"
        return sorted(label_studio.request("GET", path)["tasks"], key=lambda task: task["id"])

    first, second = (task["id"] for task in tasks())
    label_studio.annotate(first, held[0]["annotations"][0]["result"])
    label_studio.connect(project["id"], stage.backend.url)
    stage.backend.learned(project, 1)
    run = labeled(stage, project["id"], [first, second])
    before = tasks()
    shown = api(stage, "GET", f"/projects/{project['id']}/predictions?run={run['id']}&sort=task&limit=100")["items"]
    told = [(one["task"], one["first"], one["last"]) for one in shown]
    assert told == [(task, start, start + 19) for task in (first, second) for start in range(1, 161, 20)]
    said = [[answer["option"][0] for answer in one["answers"]] for one in shown]
    assert said[8:] == [["temple", "left"], ["flower"], ["temple", "right"], ["flower"]] * 2

    page = visit(stage.url("review", project=project["id"], run=run["id"], sort="task", state="all")).page
    tiles = page.locator("#grid [role=option]")
    expect(tiles).to_have_count(16)
    pictured(page)
    expect(tiles.nth(0)).to_contain_text("annotated")
    page.keyboard.press("a")  # of the film that a person has labeled
    tiles.nth(8).click()
    for key in ("a", "r", "c"):
        page.keyboard.press(key)
    dialog = page.locator("#correcting")
    expect(dialog).to_contain_text(f"task {second}, frames 41–60 · 2.0 s, predicted temple › right")
    page.keyboard.press("2")
    expect(dialog).to_be_hidden()
    expect(page.locator("#count")).to_have_text("12 of 16")
    tiles.nth(13).click()
    for key in ("a", "a"):
        page.keyboard.press(key)
    expect(page.locator("#write")).to_have_text("Write 4 approved, 1 corrected, 1 rejected")
    page.keyboard.press("w")
    writing = page.locator("#writing")
    expect(writing).to_contain_text("1 annotation in 2 tasks; 1 prediction rejected; 1 task skipped", timeout=60_000)
    expect(writing).to_contain_text("a person has annotated the task")

    written = tasks()
    assert written[0]["annotations"] == before[0]["annotations"], "theirs stays alone"
    assert written[0]["predictions"] == before[0]["predictions"]
    (made,) = written[1]["annotations"]
    decided = {(1, 20, "temple"), (1, 20, "left"), (41, 60, "flower"), (101, 120, "flower")}
    assert regions(made["result"]) == decided | {(121, 140, "temple"), (121, 140, "right")}
    of_part = {
        (part["value"]["ranges"][0]["start"], part["id"]) for part in made["result"] if part["from_name"] == "part"
    }
    of_scene = {
        (part["value"]["ranges"][0]["start"], part["id"]) for part in made["result"] if part["from_name"] == "scene"
    }
    assert of_part < of_scene, "a part stands in the region of its temple"
    (left,) = written[1]["predictions"]
    (was,) = before[1]["predictions"]
    assert regions(left["result"]) == regions(was["result"]) - {(21, 40, "flower")}
    states = api(stage, "GET", f"/projects/{project['id']}/predictions?run={run['id']}&sort=task&limit=100")["items"][
        8:
    ]
    assert [one["state"] for one in states] == [
        "approved", "rejected", "corrected", "undecided", "undecided", "approved", "approved", "undecided",
    ]  # fmt: skip

    beside = label_studio.annotate(second, timeline([Shot(141, 160, "flower", None)]))
    page.locator("#reviews [data-review]").get_by_role("button", name="Undo").click()
    expect(page.locator("#reviews")).to_contain_text("undone: 1 annotation deleted", timeout=60_000)
    after = tasks()
    assert after[0]["annotations"] == before[0]["annotations"]
    assert [one["id"] for one in after[1]["annotations"]] == [beside["id"]], "what a person made meanwhile stays"
    (again,) = after[1]["predictions"]
    assert (again["result"], again["score"]) == (was["result"], was["score"])
