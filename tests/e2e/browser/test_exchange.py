"""Import and export as a person does it: labels come in, are tried out, given and taken back, and go out."""

from __future__ import annotations

import csv
import io
import json
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import requests
from PIL import Image
from playwright.sync_api import Page, expect

from espalier.demo.pictures import write_digits
from espalier.demo.results import said

BUSY_MS = 60_000
CONFIG = """<View><Image name="image" value="$image"/>
<Choices name="loop" toName="image"><Choice value="has a loop"/><Choice value="&lt;b&gt;no&lt;/b&gt; loop"/></Choices>
</View>"""
NO_LOOP = "<b>no</b> loop"


@pytest.fixture(scope="module")
def sorted_digits(tmp_path_factory: pytest.TempPathFactory) -> tuple[Path, list[Any]]:
    """A ZIP file of eight digits, in directories named after the options as an export writes them, and a stray one."""
    directory = tmp_path_factory.mktemp("sorted")
    digits = write_digits(directory / "digits", 8)
    with zipfile.ZipFile(directory / "digits.zip", "w") as archive:
        for digit in digits:
            named = "has a loop" if digit.answers["loop"] == "has a loop" else "_b_no__b_ loop"
            archive.write(digit.path, f"train/{named}/{digit.path.name}")
        archive.writestr("train/<i>other</i>/x.png", b"no picture at all")
        archive.writestr("../outside.png", b"leads outside")
    return directory / "digits.zip", digits


@pytest.fixture(scope="module")
def mine(stage: Any, label_studio: Any) -> int:
    """A project of its own, without tasks."""
    made = label_studio.project(CONFIG, "Imported <b>digits</b>")
    label_studio.connect(made["id"], stage.backend.url)
    return int(made["id"])


def given_in(label_studio: Any, project: int) -> dict[str, list[str]]:
    """Options by the name of the picture."""
    tasks = label_studio.request("GET", f"/api/tasks?project={project}&page_size=100&fields=all")["tasks"]
    return {
        task["data"]["image"].rpartition("/")[2].partition("-")[2]: [
            option for one in task["annotations"] for item in one["result"] for option in item["value"]["choices"]
        ]
        for task in tasks
    }


def test_pictures_in_directories_are_imported_with_their_labels_and_taken_back(
    stage: Any, label_studio: Any, visit: Any, mine: int, sorted_digits: tuple[Path, list[Any]]
) -> None:
    path, digits = sorted_digits
    seen = visit(stage.url("exchange", project=mine))
    page = seen.page
    page.get_by_label("Choose a table or a ZIP file").set_input_files(path)
    report = page.locator("#report")
    expect(report).to_contain_text("8 pictures understood, about 0 tasks", timeout=BUSY_MS)
    expect(report).to_contain_text("8 files are shown by no task of this project. Tick the box above")
    expect(report).to_contain_text("<i>other</i>")
    expect(report).to_contain_text("the name leads out of the archive")
    expect(page.get_by_role("button", name="Import", exact=True)).to_be_disabled()
    page.get_by_label("Import pictures that the project does not have").check()
    expect(report).to_contain_text("8 pictures would be imported into Label Studio", timeout=BUSY_MS)
    assert not seen.barriers()
    seen.picture("exchange-preview")
    assert given_in(label_studio, mine) == {}, "nothing was written"

    page.get_by_role("button", name="Import", exact=True).click()
    expect(report).to_contain_text("done: 8 annotations", timeout=BUSY_MS)
    expect(report).to_contain_text("8 pictures imported into Label Studio")
    expect(report).to_contain_text("2 files not understood")
    loops = {digit.path.name: "has a loop" if digit.answers["loop"] == "has a loop" else NO_LOOP for digit in digits}
    assert given_in(label_studio, mine) == {name: [option] for name, option in loops.items()}
    seen.picture("exchange-imported")
    page.reload()
    expect(report).to_contain_text("done: 8 annotations")
    page.get_by_role("button", name="Undo this import").click()
    expect(report).to_contain_text("undone: 8 annotations deleted", timeout=BUSY_MS)
    assert set(map(len, given_in(label_studio, mine).values())) == {0}


def test_a_table_is_tried_out_corrected_and_given_and_comes_out_again(
    stage: Any, label_studio: Any, visit: Any, mine: int, sorted_digits: tuple[Path, list[Any]], tmp_path: Path
) -> None:
    names = [digit.path.name for digit in sorted_digits[1]]
    table = tmp_path / "labels.csv"
    lines = [f"{name};{NO_LOOP}" for name in names[:3]]
    table.write_text("\ufefffilename;what\n" + "\n".join([*lines, f"{names[3]};no lop", f"<u>gone</u>.png;{NO_LOOP}"]))
    seen = visit(stage.url("exchange", project=mine), quiet=False)
    page = seen.page
    report = page.locator("#report")
    page.get_by_label("Choose a table or a ZIP file").set_input_files(table)
    expect(report).to_contain_text("no column of labels is found among filename, what", timeout=BUSY_MS)
    table.write_text(table.read_text().replace("what", "label"))
    page.get_by_role("button", name="Another file").click()
    page.get_by_label("Choose a table or a ZIP file").set_input_files(table)
    expect(report).to_contain_text("3 tasks would be labeled", timeout=BUSY_MS)
    expect(page.get_by_label("label", exact=True)).to_have_value("loop")
    rows = report.locator(".problems tbody tr")
    expect(rows).to_have_count(2)
    expect(rows.first).to_contain_text("'loop' has no such option")
    expect(rows.last).to_contain_text("<u>gone</u>.png")
    with page.expect_download() as saved:
        page.get_by_role("link", name="Save the list as CSV").click()
    listed = list(csv.reader(io.StringIO(saved.value.path().read_text())))
    assert [row[0] for row in listed] == ["row", "5", "6"]
    seen.picture("exchange-table")
    page.get_by_role("button", name="Import", exact=True).click()
    expect(report).to_contain_text("done: 3 annotations", timeout=BUSY_MS)
    assert sum(map(len, given_in(label_studio, mine).values())) == 3

    with page.expect_download() as taken:
        page.get_by_role("link", name="Answers as CSV").click()
    rows_out = list(csv.DictReader(io.StringIO(taken.value.path().read_text())))
    assert sorted((row["file"], row["option"]) for row in rows_out) == sorted((name, NO_LOOP) for name in names[:3])
    page.get_by_role("button", name="Make the ZIP file").click()
    expect(page.locator("#export-progress")).to_contain_text("is ready", timeout=BUSY_MS)
    with page.expect_download() as fetched:
        page.locator("#files").get_by_role("link", name="Download").click()
    with zipfile.ZipFile(io.BytesIO(fetched.value.path().read_bytes())) as archive:
        assert sorted(archive.namelist()) == sorted(f"_b_no__b_ loop/{name}" for name in names[:3])
    seen.picture("exchange-exported")
    page.locator("#files").get_by_role("button", name="Remove").click()
    expect(page.locator("#files")).to_contain_text("No ZIP file was made")
    assert all("422" in complaint for complaint in seen.complaints), "what was refused in words"


def test_predictions_are_taken_away_judged(stage: Any, label_studio: Any, visit: Any) -> None:
    """Six pictures are predicted by a run, of which people have answered the first four."""
    api = f"{stage.backend.url}/api/v1"
    answered, unanswered = stage.digit_tasks[:4], stage.digit_tasks[-2:]
    truth = dict(zip(stage.digit_tasks, stage.truth, strict=True))
    chosen = [*answered, *unanswered]
    asked = {"tasks": chosen, "confidence": 0.0}
    begun = requests.post(f"{api}/projects/{stage.digits}/runs?wait_s=20", json=asked, timeout=30).json()
    try:
        run = ended(f"{api}/runs/{begun['run']}")
        told = {task: label_studio.request("GET", f"/api/predictions?task={task}") for task in chosen}
        predicted = {
            task: said(one["result"]) for task in told for one in told[task] if one["model_version"] == run["version"]
        }
        assert list(predicted) == chosen
        seen = visit(stage.url("exchange", project=stage.digits))
        page = seen.page
        expect(page.locator("#version")).to_contain_text("(serves)")
        page.locator("#version").select_option(run["version"])

        rows = list(csv.DictReader(io.StringIO(taken(page, "Predictions as CSV").decode())))
        assert {row["by"] for row in rows} == {run["version"]}
        found: dict[int, dict[str, str]] = {}
        for row in rows:
            found.setdefault(int(row["task"]), {})[row["classification"]] = row["option"]
            assert 0 <= float(row["score"]) <= 1
        assert found == predicted
        tasks = {task["id"]: task["predictions"] for task in json.loads(taken(page, "Predictions as JSON"))}
        assert set(tasks) == set(stage.digit_tasks), "every task, as Label Studio imports them"
        assert {id: said(one["result"]) for id, several in tasks.items() for one in several} == predicted
        answers = csv.DictReader(io.StringIO(taken(page, "Answers as CSV").decode()))
        assert {(row["classification"], row["option"]) for row in answers if int(row["task"]) == answered[0]} == set(
            truth[answered[0]].items()
        )

        page.get_by_label("What is in it").select_option("judged")
        page.get_by_role("button", name="Make the ZIP file").click()
        expect(page.locator("#export-progress")).to_contain_text("is ready", timeout=BUSY_MS)
        made = page.locator("#files .file").first
        right = {task for task in answered if predicted[task] == truth[task]}
        expect(made).to_contain_text(f"5 files of 4 tasks, {len(right)} right")
        seen.picture("exchange-judged")
        with page.expect_download() as fetched:
            made.get_by_role("link", name="Download").click()
        with zipfile.ZipFile(fetched.value.path()) as archive:
            names = [name for name in archive.namelist() if name != "frames.csv"]
            assert {name.partition("/")[0] for name in names} == {
                "right" if task in right else "wrong" for task in answered
            }
            for name in names:
                with Image.open(io.BytesIO(archive.read(name))) as picture:
                    assert picture.size == (128, 128)
            table = list(csv.DictReader(io.StringIO(archive.read("frames.csv").decode())))
        for task in answered:
            own = {row["classification"]: row for row in table if int(row["task"]) == task}
            assert {name: row["truth"] for name, row in own.items() if row["truth"]} == truth[task]
            assert {name: row["prediction"] for name, row in own.items() if row["prediction"]} == predicted[task]
            assert all((row["right"] == "right") == (row["truth"] == row["prediction"]) for row in own.values())
            (file,) = {row["file"] for row in own.values()}
            assert file in names
            assert file.startswith("right/" if task in right else "wrong/")
        assert {int(row["task"]) for row in table} == set(answered), "nobody has answered the others"
        made.get_by_role("button", name="Remove").click()
        expect(page.locator("#files")).not_to_contain_text("right and wrong")
    finally:
        requests.post(f"{api}/runs/{begun['run']}/undo?wait_s=15", json={}, timeout=60).raise_for_status()


def ended(run: str) -> dict[str, Any]:
    """The run at this address, once it is done."""
    deadline = time.monotonic() + 120
    while time.monotonic() < deadline:
        told: dict[str, Any] = requests.get(run, timeout=30).json()
        if told["state"] not in ("queued", "running"):
            assert told["state"] == "done", told
            return told
        time.sleep(0.2)
    pytest.fail("the run did not end")


def taken(page: Page, link: str) -> bytes:
    """What a link saves."""
    with page.expect_download() as saved:
        page.get_by_role("link", name=link).click()
    return saved.value.path().read_bytes()


def test_it_is_accessible_and_fits_a_phone_in_light_and_in_dark(stage: Any, visit: Any) -> None:
    for width, dark in ((1280, False), (390, True)):
        seen = visit(stage.url("exchange", project=stage.videos), width=width, dark=dark)
        expect(seen.page.locator("#version")).to_contain_text("(serves)")
        expect(seen.page.get_by_label("Every n-th frame of a video")).to_be_visible()
        seen.page.get_by_label("What is in it").select_option("bundle")
        expect(seen.page.get_by_label("With an 8-bit network")).to_be_visible()
        assert not seen.barriers()
        assert seen.overflow() <= 0
        seen.picture(f"exchange-{width}")
