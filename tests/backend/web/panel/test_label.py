"""Who may do what on the page of automated labeling."""

from __future__ import annotations

from typing import Any

import pytest

from .test_pages import PASSWORD, connected, sign_in


@pytest.mark.parametrize(("role", "may"), [("viewer", False), ("annotator", True), ("manager", True)])
def test_only_who_may_run_sees_the_buttons(backend: Any, role: str, may: bool) -> None:
    one = connected(backend(**PASSWORD))
    _, text = one.records.create_token("somebody", role)
    sign_in(one, token=text)
    page = one.client.get("/panel/label?project=3").text
    assert ('id="start"' in page) is may
    assert ("To start a run you need the role annotator" in page) is not may


def test_in_a_frame_the_runs_are_folded_and_there_is_no_header(backend: Any) -> None:
    one = connected(backend())
    assert '<details class="card" id="history" open>' in one.client.get("/panel/label?project=3").text
    embedded = one.client.get("/panel/label?project=3&embed=1").text
    assert '<details class="card" id="history">' in embedded
    assert "<header" not in embedded
