"""The ontology as a person uses it: read the tree, choose what predicts a question, map an option, label next."""

from __future__ import annotations

import re
from html import escape
from typing import Any

import pytest
from playwright.sync_api import Locator, Page, expect

from espalier.demo.pictures import write_digits
from espalier.demo.results import choices

SLOW_MS = 60_000
LABELED, TASKS = 8, 10
BOLD, QUOTED, UNSEEN, NESTED = "<b>a loop</b>", "\"no\" 'loop' & co", "<img src=x onerror=alert(1)>", "<i>round</i>?"
CONFIG = f"""<View><Image name="image" value="$image"/>
  <Choices name="shape" toName="image" choice="single">
    <Choice value="{escape(BOLD)}"/><Choice value="{escape(QUOTED)}"/><Choice value="{escape(UNSEEN)}"/>
  </Choices>
  <Choices name="{escape(NESTED)}" toName="image" choice="single" model_score_threshold="0.6"
           visibleWhen="choice-selected" whenTagName="shape" whenChoiceValue="{escape(BOLD)}">
    <Choice value="yes"/><Choice value="no"/><Choice value="No"/>
  </Choices>
</View>"""
SHAPES = {BOLD: 3, QUOTED: 5}
"""Of the first eight digits 0, 6 and 8 have a loop."""


@pytest.fixture(scope="module")
def own(stage: Any, label_studio: Any, tmp_path_factory: pytest.TempPathFactory) -> int:
    """A project that no other test counts on, with markup in all its names; two tasks of it are not labeled."""
    digits = write_digits(tmp_path_factory.mktemp("own"), TASKS)
    project = label_studio.project(CONFIG, "Names <b>with</b> markup")
    tasks = [label_studio.upload(project["id"], digit.path)[0] for digit in digits]
    for task, digit in zip(tasks[:LABELED], digits, strict=False):
        looped = "looped digit" in digit.answers
        answers = {"shape": BOLD, NESTED: "yes"} if looped else {"shape": QUOTED}
        label_studio.annotate(task, choices("image", answers))
    label_studio.connect(project["id"], stage.backend.url)
    stage.backend.learned(project, LABELED)
    made: int = project["id"]
    return made


def opened(stage: Any, visit: Any, project: int, **more: Any) -> Any:
    seen = visit(stage.url("ontology", project=project, **more.pop("query", {})), **more)
    expect(seen.page.locator("#node form, #node p").first).to_be_visible(timeout=SLOW_MS)
    expect(seen.page.locator("#plugins tbody tr").first).to_be_visible(timeout=SLOW_MS)
    expect(seen.page.locator("#node h3", has_text="Cutoffs")).to_be_visible(timeout=SLOW_MS)
    return seen


def node(page: Page, text: str) -> Locator:
    return page.locator("#tree .node").filter(has=page.get_by_text(text, exact=True))


def test_the_tree_shows_names_as_text_counts_and_conditions(stage: Any, visit: Any, own: int) -> None:
    seen = opened(stage, visit, own)
    tree = seen.page.get_by_role("tree")
    for name in (BOLD, QUOTED, UNSEEN, NESTED):
        expect(tree.get_by_text(name, exact=True)).to_be_visible()
    expect(tree.locator("b, i, img")).to_have_count(0)
    expect(node(seen.page, BOLD)).to_contain_text(f"{SHAPES[BOLD]} tasks")
    expect(node(seen.page, UNSEEN)).to_contain_text("no example yet")
    expect(node(seen.page, NESTED)).to_contain_text(f"asked where shape is {BOLD}")
    expect(seen.page.locator("#node")).to_contain_text(f"No example yet of {UNSEEN}")
    seen.picture("ontology-markup")


def test_the_tree_is_walked_by_keyboard_and_the_address_knows_where(stage: Any, visit: Any, own: int) -> None:
    page = opened(stage, visit, own).page
    page.keyboard.press("t")
    for key in ("ArrowDown", "ArrowRight", "Enter"):
        page.keyboard.press(key)
    expect(page.locator("#node-title")).to_have_text(NESTED)
    assert page.evaluate("new URL(location.href).searchParams.get('classification')") == NESTED
    page.reload()
    expect(page.locator("#node-title")).to_have_text(NESTED)
    expect(page.locator("#tree [aria-selected=true] > .node")).to_contain_text(NESTED)
    page.keyboard.press("t")
    page.keyboard.press("Home")
    page.keyboard.press("ArrowLeft")
    expect(page.get_by_text(NESTED, exact=True).first).to_be_hidden()
    page.keyboard.press("?")
    expect(page.get_by_role("dialog")).to_contain_text("to the tree")


def test_a_plugin_is_chosen_and_taken_back_without_a_restart(stage: Any, visit: Any, own: int) -> None:
    page = opened(stage, visit, own, query={"classification": "shape"}).page
    expect(page.locator("#node")).to_contain_text("this project before espalier.yaml before labeling configuration")
    page.get_by_label("Plugin that predicts it").select_option("kernel")
    page.get_by_label("Borders").select_option("kernel")
    page.get_by_label("Strength").fill("20")
    page.get_by_role("button", name="Keep", exact=True).click()
    row = page.locator("[data-setting=model_parameters]")
    expect(row).to_contain_text("features = kernel, strength = 20", timeout=SLOW_MS)
    expect(row).to_contain_text("this project")
    page.get_by_label("Plugin that predicts it").select_option("dynamic")
    expect(page.locator("#plugin-about")).to_contain_text("Knows an option from its first example on")
    expect(page.locator("#node-form")).to_contain_text("every answer counts within the second")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(page.locator("[data-setting=model_plugin]")).to_contain_text("dynamic", timeout=SLOW_MS)
    expect(page.locator("[data-setting=model_parameters]")).to_have_count(0)
    page.get_by_role("button", name="Reset Plugin").click()
    expect(page.locator("#node .settings, #node table").first).to_contain_text("usual: nothing else", timeout=SLOW_MS)


def test_a_setting_of_the_configuration_is_shown_behind_the_projects_own(stage: Any, visit: Any, own: int) -> None:
    seen = opened(stage, visit, own, query={"classification": "%3Ci%3Eround%3C/i%3E%3F"})
    page = seen.page
    row = page.locator("[data-setting=model_score_threshold]")
    expect(row).to_contain_text("labeling configuration")
    page.get_by_label("Score threshold").fill("0.8")
    page.get_by_role("button", name="Keep", exact=True).click()
    expect(row).to_contain_text("this project", timeout=SLOW_MS)
    expect(row).to_contain_text("labeling configuration: 0.6")
    seen.picture("ontology-setting")
    page.get_by_role("button", name="Reset Score threshold").click()
    expect(row).not_to_contain_text("this project", timeout=SLOW_MS)


def test_a_cutoff_is_in_force_at_once(stage: Any, visit: Any, own: int) -> None:
    page = opened(stage, visit, own, query={"classification": "shape"}).page
    form = page.locator("#cutoffs-form")
    form.get_by_label("Choose cutoffs of this question").select_option("by_hand")
    form.get_by_label("Value").fill("0.77")
    form.get_by_role("button", name="Apply").click()
    expect(page.locator("#node table").last).to_contain_text("this question: by hand 0.77", timeout=SLOW_MS)
    page.locator("#cutoffs-form").get_by_label("Choose cutoffs of this question").select_option("")
    page.locator("#cutoffs-form").get_by_role("button", name="Apply").click()
    expect(page.locator("#node table").last).not_to_contain_text("by hand", timeout=SLOW_MS)


def test_a_mapping_is_counted_kept_and_undone(stage: Any, visit: Any, own: int) -> None:
    seen = opened(stage, visit, own)
    page, form = seen.page, seen.page.locator("#map")
    form.get_by_label("What happened").select_option("merge")
    form.get_by_label("The option").select_option(label=QUOTED)
    form.get_by_label("What it is today").select_option(label=BOLD)
    expect(form.get_by_role("button", name="Keep it")).to_be_disabled()
    form.get_by_role("button", name="How many answers?").click()
    expect(page.locator("#mapping-counts")).to_contain_text(
        f"{SHAPES[QUOTED]} answers in {SHAPES[QUOTED]} annotations", timeout=SLOW_MS
    )
    expect(page.locator("#mapping-counts")).to_contain_text(f"will be read as {BOLD}")
    form.get_by_role("button", name="Keep it").click()
    line = page.locator("[data-mapping]")
    expect(line).to_contain_text(f"{QUOTED} merged into {BOLD}", timeout=SLOW_MS)
    seen.picture("ontology-mapping")
    line.get_by_role("button", name="Undo").click()
    expect(line).to_contain_text("undone", timeout=SLOW_MS)


def test_a_split_has_its_list_of_answers_to_look_at_again(stage: Any, visit: Any, own: int) -> None:
    page = opened(stage, visit, own).page
    form = page.locator("#map")
    form.get_by_label("What happened").select_option("split")
    form.get_by_label("The option").select_option(label=QUOTED)
    form.get_by_label("What it is today").select_option(label=[BOLD, UNSEEN])
    form.get_by_role("button", name="How many answers?").click()
    expect(page.locator("#mapping-counts")).to_contain_text("will each need another look", timeout=SLOW_MS)
    form.get_by_role("button", name="Keep it").click()
    line = page.locator("[data-mapping]").first
    line.get_by_text(f"{SHAPES[QUOTED]} answers to look at again").click(timeout=SLOW_MS)
    expect(line.get_by_role("link").first).to_have_attribute("href", re.compile(r"/data\?task=\d+$"))
    line.get_by_role("button", name="Undo").click()
    expect(line).to_contain_text("undone", timeout=SLOW_MS)


def test_findings_say_what_to_write_and_a_configuration_is_checked_before(stage: Any, visit: Any, own: int) -> None:
    seen = opened(stage, visit, own, quiet=False)
    page = seen.page
    finding = page.locator("#findings .note").first
    expect(finding).to_contain_text("Write instead")
    expect(finding.get_by_role("button", name="Copy")).to_be_visible()
    page.get_by_text("As Espalier reads it").click()
    expect(page.locator("#configuration pre")).to_contain_text("&lt;b&gt;a loop")
    page.get_by_text("Check a configuration before you save it").click()
    page.get_by_label("Labeling configuration", exact=True).last.fill("<View><Choices")
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#checked .bad")).to_be_visible()
    page.get_by_role("button", name="Start from today's").click()
    box = page.locator("#check-config")
    expect(box).not_to_have_value("<View><Choices")
    box.fill(box.input_value().replace('value="yes"', 'value="surely"'))
    page.get_by_role("button", name="Check", exact=True).click()
    expect(page.locator("#checked")).to_contain_text("surely")
    expect(page.locator("#checked")).to_contain_text(f"It asks shape, {NESTED}.")
    seen.picture("ontology-check")
    assert [complaint for complaint in seen.complaints if "422" not in complaint] == []  # of what is no configuration


def test_what_to_label_next_shows_pictures_and_is_written_to_label_studio(stage: Any, visit: Any, own: int) -> None:
    seen = opened(stage, visit, own)
    page = seen.page
    page.get_by_role("button", name="Show some").click()
    first = page.locator(".next-tasks li").first
    expect(first).to_be_visible(timeout=SLOW_MS)
    expect(page.locator(".next-tasks li")).to_have_count(TASKS - LABELED)
    expect(first.get_by_role("link")).to_have_attribute("href", re.compile(r"/data\?task=\d+$"))
    first.scroll_into_view_if_needed()
    picture = first.locator("img")
    expect(picture).not_to_have_js_property("naturalWidth", 0, timeout=SLOW_MS)
    seen.picture("ontology-next")
    page.get_by_role("button", name="Write 50 to Label Studio").click()
    page.locator("#next").get_by_role("button", name="Undo").click(timeout=SLOW_MS)
    expect(page.locator("#next")).to_contain_text("Taken back: 2 predictions", timeout=SLOW_MS)


def test_what_looks_like_a_rename_is_suggested_after_the_configuration_changed(
    stage: Any, visit: Any, own: int, label_studio: Any
) -> None:
    renamed = UNSEEN.replace("(1)", "(2)")
    config = CONFIG.replace(escape(UNSEEN), escape(renamed))
    label_studio.request("PATCH", f"/api/projects/{own}", {"label_config": config})
    seen = opened(stage, visit, own)
    for _ in range(60):  # Label Studio tells the backend by webhook
        if seen.page.get_by_role("tree").get_by_text(renamed, exact=True).count():
            break
        seen.page.wait_for_timeout(500)
        seen = opened(stage, visit, own)
    told = seen.page.locator("#changed")
    expect(told).to_contain_text(f"Likely a rename: {UNSEEN} → {renamed}", timeout=SLOW_MS)
    told.get_by_role("button", name="Is it a rename?").first.click()
    expect(seen.page.locator("#mapping-counts")).to_contain_text("0 answers", timeout=SLOW_MS)
    seen.picture("ontology-changed")


def test_a_viewer_sees_no_button_of_a_manager(stage: Any, visit: Any, own: int) -> None:
    seen = visit("about:blank")

    def as_viewer(route: Any) -> None:
        answer = route.fetch()
        route.fulfill(response=answer, body=answer.text().replace('data-role="manager"', 'data-role="viewer"'))

    seen.page.route("**/panel/ontology*", as_viewer)
    seen.page.goto(stage.url("ontology", project=own))
    expect(seen.page.locator("#node")).to_contain_text("A manager may change it", timeout=SLOW_MS)
    for name in ("Keep", "Apply", "Keep it", "Write 50 to Label Studio", "Undo"):
        expect(seen.page.get_by_role("button", name=name, exact=True)).to_have_count(0)


def test_it_is_accessible_and_fits_a_phone_in_light_and_in_dark(stage: Any, visit: Any, own: int) -> None:
    for project, width, dark in ((stage.digits, 1280, False), (own, 390, True), (stage.videos, 390, False)):
        seen = opened(stage, visit, project, width=width, dark=dark)
        assert not seen.barriers()
        assert seen.overflow() <= 0
        seen.picture(f"ontology-{project}-{width}")
