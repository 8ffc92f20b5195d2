"""Keeping up with Label Studio where it cannot be asked; that it can is under test against a real one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import LabelStudioDown
from espalier.jobs import mirroring
from espalier.settings import Secret


def test_without_a_token_events_are_all_there_is(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(3, 3)
    assert not mirroring.connect(home.house, home.project)
    assert not mirroring.reconcile(home.house, home.project)
    assert not mirroring.catch_up(home.house, home.project)
    assert home.house.records.task_count(home.key) == 3


def test_catching_up_waits_for_a_label_studio_that_is_down_and_training_does_not(
    new_home: Callable[..., Any], caplog: pytest.LogCaptureFixture
) -> None:
    home = new_home(label_studio_url="http://127.0.0.1:9", label_studio_api_key=Secret("x"))
    home.configure(IMAGE_CONFIG)
    assert not mirroring.catch_up(home.house, home.project)
    assert "events that were missed cannot be made up for now" in caplog.text
    with pytest.raises(LabelStudioDown):
        mirroring.reconcile(home.house, home.project)
