"""The first page: every connected project, whether it is well, and what people have answered."""

from __future__ import annotations

from typing import Any

from playwright.sync_api import expect

LABELED = 70


def test_each_project_says_how_it_is_and_what_people_have_answered(stage: Any, visit: Any) -> None:
    seen = visit(stage.url("projects"))
    card = seen.page.locator(f"[data-card='{stage.digits}']")
    expect(card).to_contain_text(f"{LABELED} of 110 tasks have an answer")
    expect(card.get_by_text("has a loop").first).to_be_visible()
    expect(card.locator(".badge", has_text="webhook")).to_have_class("badge good")
    expect(card.locator(".badge", has_text="predicts")).to_be_visible()
    seen.picture("projects")


def test_it_is_accessible_and_fits_a_phone_in_light_and_in_dark(stage: Any, visit: Any) -> None:
    for width, dark in ((1280, False), (390, True)):
        seen = visit(stage.url("projects"), width=width, dark=dark)
        expect(seen.page.locator(f"[data-card='{stage.videos}']")).to_contain_text("1 of 2 tasks have an answer")
        assert not seen.barriers()
        assert seen.overflow() <= 0
        seen.picture(f"projects-{width}")
