"""The Label quality page: lists of tasks with their reasons, worked through by keys, written and taken back."""

from __future__ import annotations

from typing import Any

import pytest
from playwright.sync_api import expect

BUSY_MS = 90_000


def test_what_to_label_next_is_put_aside_by_a_key_written_and_taken_back(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("quality", project=stage.digits))
    page = seen.page
    tiles = page.locator("#grid [role=option]")
    expect(page.locator("#count")).to_contain_text("1 of", timeout=BUSY_MS)
    before = int(page.locator("#count").inner_text().split(" of ")[1])
    first, second = (tiles.nth(at).get_attribute("data-key") for at in (0, 1))
    assert int(str(first)) in stage.digit_tasks
    seen.picture("quality-next")
    page.keyboard.press("s")
    expect(page.locator("#count")).to_have_text(f"1 of {before - 1}")
    expect(tiles.first).to_have_attribute("data-key", str(second))
    page.locator("#again").click()
    expect(page.locator("#count")).to_have_text(f"1 of {before}")

    page.locator("#write").click()
    note = page.locator("[data-written]")
    expect(note).to_contain_text("tasks listed", timeout=BUSY_MS)
    seen.picture("quality-written")
    note.get_by_role("button", name="Undo").click()
    expect(note).to_have_count(0, timeout=BUSY_MS)


@pytest.mark.parametrize("name", ["errors", "revisit", "duplicates", "outliers", "poor"])
def test_every_list_shows_tasks_or_says_what_its_emptiness_means(stage: Any, visit: Any, name: str) -> None:
    seen = visit(stage.url("quality", project=stage.digits, list=name))
    page = seen.page
    shown = page.locator("#grid [role=option], #nothing:not([hidden]) strong").first
    expect(shown).to_be_visible(timeout=BUSY_MS)
    expect(page.locator(f"#tab-{name}")).to_have_attribute("aria-selected", "true")
    seen.picture(f"quality-{name}")


def test_it_is_accessible_and_fits_a_phone(stage: Any, visit: Any) -> None:
    for width, dark in ((1280, False), (390, True)):
        seen = visit(stage.url("quality", project=stage.digits, list="poor"), width=width, dark=dark)
        expect(seen.page.locator("#grid [role=option]").first).to_be_visible(timeout=BUSY_MS)
        assert not seen.barriers()
        assert seen.overflow() <= 0
        seen.picture(f"quality-{width}")
