"""Options as people write them."""

from __future__ import annotations

import hypothesis.strategies as st
import pytest
from hypothesis import given

from espalier.cli.option_names import read_change, read_option, written
from espalier.errors import BadRequest

NAMES = st.text(min_size=1, max_size=6).filter(lambda name: name == name.strip())


@given(name=NAMES, path=st.lists(NAMES, min_size=1, max_size=3).map(tuple))
def test_what_is_written_is_read_back(name: str, path: tuple[str, ...]) -> None:
    assert read_option(written(name, path)) == (name, path)
    text = f"{written(name, path)}={written(name, path)},{written(name, path)}"
    assert read_change(text) == (name, [path], [path, path])


def test_a_change_is_read() -> None:
    assert read_change("Kind/Car, Kind/Van=Kind/Big/Vehicle") == ("Kind", [("Car",), ("Van",)], [("Big", "Vehicle")])
    assert read_change("Kind/Other", to_something=False) == ("Kind", [("Other",)], [])
    assert read_change(r"Kind/n\/a=Kind/none\=nothing") == ("Kind", [("n/a",)], [("none=nothing",)])


@pytest.mark.parametrize(
    ("text", "says"),
    [
        ("Rain", "takes OLD=NEW, as in Weather/Rain=Weather/Rainy, got 'Rain'"),
        ("a/b=c/d=e/f", "takes OLD=NEW"),
        ("Rain=Rainy", "an option is written CLASSIFICATION/OPTION, as in Weather/Rain, got 'Rain'"),
        ("Kind/=Kind/b", "got 'Kind/'"),
        ("Kind/a=Other/a", "cannot go from one classification to another"),
    ],
)
def test_what_cannot_be_read_is_said_in_words(text: str, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        read_change(text)
