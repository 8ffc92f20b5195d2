"""People's answers go before the version's, classification by classification."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.demo.results import choices
from espalier.errors import BadRequest
from espalier.search.said import classification_asked, said_of
from espalier.search.searchable import searchable


def test_people_go_before_the_version(site: Any) -> None:
    site.images(site.rows(4))
    site.label(1, weather="rain")
    site.label(2, weather="sun")
    site.serve()
    for task in (2, 3):
        site.predict(task, choices("image", {"weather": "rain"}))
    found = searchable(site.house, site.project)
    said = said_of(found, found.frames.ids)
    assert said.options == (("weather", "rain"), ("weather", "sun"))
    assert said.holds.tolist() == [[True, False], [False, True], [True, False], [False, False]]
    assert said.asked[:, 0].tolist() == [True, True, True, False]
    assert said.people[:, 0].tolist() == [True, True, False, False]
    assert said_of(found, found.frames.ids, "page").options == ()
    assert classification_asked(found, None) == "weather"


def test_what_is_not_asked_is_refused_in_words(site: Any) -> None:
    found = searchable(site.house, site.project)
    with pytest.raises(BadRequest, match="no classification 'colour'; there are"):
        classification_asked(found, "colour")
    with pytest.raises(BadRequest, match="answered nothing"):
        classification_asked(found, None)
