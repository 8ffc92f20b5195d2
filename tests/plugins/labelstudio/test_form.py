"""What people enter in a dialog of the Data Manager, and what Espalier is asked for then."""

from __future__ import annotations

from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from espalier_labelstudio.form import number, run_asked, select, share, whole

PLAIN: dict[str, Any] = {"tasks": [1, 2], "first": 1, "stride": 0, "parents": "run", "existing": "add"}


@pytest.mark.parametrize(
    ("entered", "read"),
    [
        ("12", 12), (12, 12), ("12.9", 12), (0, 0), ("0", 0), ("", 0), (None, 0), ("many", 0), ("nan", 0), ("inf", 0),
        ("1e400", 0), ("-3", -3), (True, 0), ([1], 0), (" 7 ", 7),
    ],
)  # fmt: skip
def test_a_whole_number(entered: object, read: int) -> None:
    assert whole(entered) == read


@pytest.mark.parametrize(
    ("entered", "read"),
    [("0.9", 0.9), (0.25, 0.25), ("1", 1.0), ("2", 2.0), ("", -1.0), ("much", -1.0), (None, -1.0), ({}, -1.0)],
)
def test_a_share(entered: object, read: float) -> None:
    assert share(entered) == read


@given(st.text() | st.integers() | st.floats() | st.none() | st.booleans() | st.lists(st.integers()))
def test_whatever_is_entered_a_number_comes_of_it(entered: object) -> None:
    assert isinstance(whole(entered), int)
    assert isinstance(share(entered), float)


def test_the_form_as_it_opens_asks_for_everything() -> None:
    opened = {
        "version": "all", "classification": "all", "first": "1", "last": 0, "stride": "0", "confidence": 0,
        "parents": "run", "existing": "add", "device": "auto",
    }  # fmt: skip
    assert run_asked([1, 2], opened) == PLAIN
    assert run_asked([1, 2], {}) == PLAIN


@pytest.mark.parametrize(
    ("entered", "asked"),
    [
        ({"first": "20", "last": "60"}, {"first": 20, "last": 60}),
        ({"first": "-5"}, {"first": 1}),
        ({"stride": "3"}, {"stride": 3}),
        ({"confidence": "0.9"}, {"confidence": 0.9}),
        ({"confidence": "0"}, {}),
        ({"confidence": "often"}, {"confidence": -1.0}),  # which Espalier refuses in words
        ({"version": "espalier-v3"}, {"version": "espalier-v3"}),
        ({"classification": "scene"}, {"classifications": ["scene"]}),
        ({"device": "cuda"}, {"device": "cuda"}),
        ({"parents": "people", "existing": "replace"}, {"parents": "people", "existing": "replace"}),
    ],
)
def test_what_is_entered_is_asked(entered: dict[str, Any], asked: dict[str, Any]) -> None:
    assert run_asked([1, 2], entered) == PLAIN | asked


def test_the_first_of_what_can_be_chosen_is_chosen() -> None:
    field = select("device", "Device", [("auto", "as it comes"), ("cpu", "processor")])
    assert field["value"] == "auto"
    assert field["options"] == [{"value": "auto", "label": "as it comes"}, {"value": "cpu", "label": "processor"}]
    assert number("first", "First frame", 1, 1) == {
        "type": "number", "name": "first", "label": "First frame", "value": 1, "min": 1,
    }  # fmt: skip
