"""How good a version is, cutoffs that are tried and kept, frames behind a figure, and a training that is started."""

from __future__ import annotations

from typing import Any

import requests
from playwright.sync_api import Page, expect

PATIENT_MS = 30_000
"""For what a worker computes, and Plotly draws, on a busy machine."""


def api(stage: Any, path: str = "") -> str:
    return f"{stage.backend.url}/api/v1/projects/{stage.digits}{path}"


def test_figures_are_read_and_their_frames_opened(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("training", project=stage.digits), quiet=False)
    page = seen.page
    row = page.locator("#overview tr", has_text="loop").first
    expect(row).to_contain_text("%", timeout=PATIENT_MS)
    assert page.evaluate("typeof window.Plotly") == "undefined", "nothing is drawn yet, so it is not loaded"
    accuracy = page.locator("#figures-of-all").get_by_role("button", name="Accuracy")
    expect(accuracy).to_have_accessible_description(
        "Share of the frames whose likeliest option is right, whatever its confidence; where several may hold, of the "
        "yes-or-no decisions at a half."
    )
    page.get_by_role("tab", name="Train", exact=True).last.click()
    expect(page.locator("#about-part")).to_contain_text("how well it remembers", timeout=PATIENT_MS)
    page.get_by_role("tab", name="Cross-check").click()
    page.locator("#drawn-confusion").scroll_into_view_if_needed()
    expect(page.locator("#drawn-confusion .heatmaplayer image")).to_be_visible(timeout=PATIENT_MS)
    page.locator("#drawn-confusion summary").click()
    page.get_by_role("button", name="frames that hold no loop, answered no loop").click()
    expect(page.locator("#frames-about")).to_contain_text("hold no loop and were answered no loop", timeout=PATIENT_MS)
    assert "which=cell" in page.url
    frame = page.locator("#frames li").first
    expect(frame.locator("img")).to_have_js_property("complete", True)
    frame.get_by_role("button").focus()
    page.set_viewport_size(
        {"width": 1000, "height": 720}
    )  # the frames are drawn anew, and the focus stays where it was
    expect(frame.get_by_role("button")).to_be_focused()
    page.keyboard.press("Enter")
    page.get_by_role("button", name="Where it sees").click()
    expect(page.get_by_alt_text("heat map: where no loop is seen")).to_be_visible(timeout=60_000)
    seen.picture("training-frame")
    page.keyboard.press("Escape")
    for drawn in ("precision_recall", "reliability", "roc", "learning"):
        page.locator(f"#drawn-{drawn}").scroll_into_view_if_needed()
        expect(page.locator(f"#drawn-{drawn} .scatterlayer").first).to_be_visible(timeout=PATIENT_MS)
    expect(page.locator("#coverage")).to_contain_text("right at least 95 %", timeout=PATIENT_MS)
    _all_figures_of_a_step_follow(page, stage)
    assert not seen.barriers()
    seen.picture("training")
    # A thumbnail that is not made in time is asked for again; the browser's console tells of it all the same.
    assert not [complaint for complaint in seen.complaints if "503" not in complaint]


def _all_figures_of_a_step_follow(page: Page, stage: Any) -> None:
    version = page.get_by_label("Model version", exact=True).input_value()
    path = f"/versions/{version}/step-figures?classification=loop&wait_s=15"
    told = requests.get(api(stage, path), timeout=30).json()
    part, slider = told["parts"]["validation"], page.locator("#step").get_by_label("Evaluation step")
    table, matrix = page.locator("#step [data-step] table").first, page.locator("#step [data-step] table.matrix")
    assert part["confusion"][0] != part["confusion"][-1], "it has learned something"
    for key, at in (("Home", 0), ("End", -1)):
        slider.press(key)
        expect(page.locator("#step")).to_contain_text(f"Step {told['steps'][at]}", timeout=PATIENT_MS)
        counts = [str(count or "") for row in part["confusion"][at] for count in row]
        expect(matrix.locator("tbody td")).to_have_text(counts, timeout=PATIENT_MS)
        found = [part[figure][at][1] for figure in ("precision", "recall", "f1")]
        row = table.locator("tr", has_text="no loop").locator("td.number")
        expect(row).to_have_text([str(part["positives"][1]), *map(_percent, found)])


def _percent(share: float | None) -> str:
    return "–" if share is None else f"{100 * share + 1e-9:.0f} %"  # halves up, as the page rounds


def test_a_cutoff_is_tried_on_the_curve_kept_and_taken_back(stage: Any, visit: Any) -> None:
    page = visit(stage.url("training", project=stage.digits, classification="loop", option="no loop")).page
    row = page.locator("tr[data-option='no loop']")
    recall = row.locator("td").nth(3)
    expect(page.locator("#followed")).to_contain_text("At today's cutoffs", timeout=PATIENT_MS)
    curve = page.locator("#drawn-precision_recall")
    curve.scroll_into_view_if_needed()
    expect(curve.locator(".scatterlayer").first).to_be_visible(timeout=PATIENT_MS)
    points = curve.locator(".scatterlayer .trace").first.locator(".point")
    points.nth(points.count() // 3).click(force=True)
    expect(page.locator("#followed")).to_contain_text("At these cutoffs", timeout=PATIENT_MS)
    row.locator("input[type=number]").fill("0.97")
    row.locator("input[type=number]").press("Enter")
    expect(recall).to_contain_text("−", timeout=PATIENT_MS)
    tried = recall.inner_text().split()[0]
    page.get_by_role("button", name="Keep these cutoffs").click()
    expect(page.locator("#before-after")).to_contain_text("→ 0.97", timeout=PATIENT_MS)
    expect(recall).to_have_text(f"{tried} %", timeout=PATIENT_MS)  # what was counted here is what the worker counts
    policy = requests.get(api(stage, "/cutoffs?wait_s=15"), timeout=30).json()["policy"]
    assert policy["options"] == {"loop/no loop": {"strategy": "by_hand", "value": 0.97}}
    page.get_by_role("button", name="Follow what training finds").click()
    expect(page.locator("#before-after")).to_contain_text("0.97 →", timeout=PATIENT_MS)
    assert requests.get(api(stage, "/cutoffs?wait_s=15"), timeout=30).json()["policy"] == {}


def test_a_training_is_started_watched_compared_promoted_and_rolled_back(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("training", project=stage.digits))
    page = seen.page
    rows = page.locator("#versions tbody tr")
    expect(rows.first).to_be_visible(timeout=PATIENT_MS)
    before = rows.count()
    served = requests.get(api(stage), timeout=30).json()["served"]
    page.get_by_text("Start a training").click()
    page.get_by_label("Test share").fill("0.2")
    page.locator("#start-train").get_by_text("Advanced").click()
    page.get_by_label("Fewest images").fill("5")
    seen.picture("training-start")
    page.get_by_role("button", name="Train now").click()
    expect(rows).to_have_count(before + 1, timeout=60_000)
    newest = rows.first.get_attribute("data-version")
    made = requests.get(api(stage, f"/versions/{newest}"), timeout=30).json()
    assert (made["parameters"]["test_split"], made["parameters"]["min_images"]) == (0.2, 5)
    for name in (newest, served):
        page.get_by_label(f"Compare {name}").check()
    expect(page.locator("#side-by-side")).to_contain_text("loop: F1", timeout=PATIENT_MS)
    seen.picture("training-compared")
    other = served if made["serves"] else newest
    page.locator(f"tr[data-version='{other}']").get_by_role("button", name="Promote").click()
    page.get_by_label("Why?").fill("a test of mine")
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.locator("#state")).to_contain_text(f"{other} predicts", timeout=PATIENT_MS)
    promotions = requests.get(api(stage, "/promotions"), timeout=30).json()["items"]
    assert promotions[0]["reason"] == "a test of mine"
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.locator("#state")).not_to_contain_text(f"{other} predicts", timeout=PATIENT_MS)
    requests.post(api(stage, "/trainings?wait_s=15"), json={"parameters": {}}, timeout=60).raise_for_status()


def test_a_fine_tuning_tells_what_it_needs_before_it_starts(stage: Any, visit: Any) -> None:
    page = visit(stage.url("training", project=stage.digits)).page
    page.get_by_text("Start a training").click()
    page.get_by_role("tab", name="Fine-tune a network").click()
    page.get_by_label("Epochs", exact=True).fill("2")
    page.get_by_label("Preset").select_option(label="fast")
    page.get_by_role("button", name="How long would it take?").click()
    # Without weights on this machine there is nothing to estimate, and the page says which are missing.
    told = "[data-estimate]" if "ESPALIER_WEIGHTS_DIR" in stage.backend.environment else "#notices .bad"
    expect(page.locator(told).first).to_be_visible(timeout=90_000)


def test_a_fine_tuning_is_watched_cancelled_and_its_last_network_served(stage: Any, visit: Any) -> None:
    """The smallest network, from scratch, and steps so large that it hardly goes on getting better: then its last
    network is not its best."""
    seen = visit(stage.url("training", project=stage.digits))
    page = seen.page
    served = requests.get(api(stage), timeout=30).json()["served"]
    page.get_by_text("Start a training").click()
    page.get_by_role("tab", name="Fine-tune a network").click()
    form = page.locator("#start-tune")
    form.get_by_label("Epochs", exact=True).fill("10000")
    form.get_by_text("Advanced").click()
    for field, value in (
        ("Model", "test_resnet"), ("Pretrained", "no"), ("Picture size", "32"), ("Learning rate", "0.1"),
        ("Warmup", "0"), ("Patience", "0"),
    ):  # fmt: skip
        form.get_by_label(field, exact=True).fill(value)
    form.get_by_role("button", name="Start fine-tuning").click()
    running = page.locator("#running [data-live]")
    expect(running).to_be_attached(timeout=PATIENT_MS)
    running.scroll_into_view_if_needed()  # nothing is drawn that nobody sees
    points = running.locator(".scatterlayer .trace").last.locator(".point")
    expect(points.nth(1)).to_be_attached(timeout=60_000)
    drawn = points.count()
    expect(points.nth(drawn)).to_be_attached(timeout=PATIENT_MS)  # it has grown
    expect(running).to_contain_text(" left")
    seen.picture("training-fine-tuning")
    version = running.get_attribute("data-live")
    running.get_by_role("button", name="Cancel, keep the best so far").click()
    row = page.locator(f"tr[data-version='{version}']")
    expect(row).to_contain_text("cancelled, the best so far is kept", timeout=60_000)
    expect(running).to_have_count(0)
    expect(page.locator("#drawn-tuning").get_by_label("Evaluation step")).to_be_visible(timeout=PATIENT_MS)
    row.get_by_role("button", name="Promote").click()
    losses = [one["validation_loss"] for one in _curves(stage, version)]
    if losses[-1] < min(losses[:-1]):  # stopped when it was at its best
        expect(page.get_by_role("dialog")).to_contain_text("Its last network is its best one.")
        chosen = f"{version} predicts"
    else:
        page.get_by_label("Which network?").select_option(label="the last one")
        chosen = f"{version}-last predicts"
    page.get_by_role("dialog").get_by_role("button", name="Promote").click()
    expect(page.locator("#state")).to_contain_text(chosen, timeout=60_000)
    page.get_by_role("button", name="Roll back").click()
    page.get_by_role("dialog").get_by_role("button", name="Roll back").click()
    expect(page.locator("#state")).to_contain_text(f"{served} predicts", timeout=PATIENT_MS)


def _curves(stage: Any, version: str | None) -> list[dict[str, float]]:
    shown = requests.get(api(stage, f"/versions/{version}"), timeout=30).json()
    curves: list[dict[str, float]] = shown["metrics"]["tuning"]["curves"]
    return curves


def test_it_fits_a_phone_in_the_dark_and_says_how_little_one_video_tells(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("training", project=stage.videos), width=390, dark=True)
    expect(seen.page.locator("#figures-of-all")).to_contain_text(
        "how well it does on others cannot be known yet", timeout=PATIENT_MS
    )
    seen.page.locator("#drawn-confusion").scroll_into_view_if_needed()
    expect(seen.page.locator("#drawn-confusion .heatmaplayer image")).to_be_visible(timeout=PATIENT_MS)
    assert seen.overflow() <= 0
    assert not seen.barriers()
    seen.picture("training-390")
