"""ImageNet's classes by the words that people use."""

from __future__ import annotations

from functools import cache

import pytest

from espalier.errors import BadSetting
from espalier_timm.imagenet import GROUPS, ImageNet, assign


@cache  # importing timm takes seconds
def classes_of_1k() -> ImageNet:
    return ImageNet.of(1000)


def named(*options: list[str]) -> list[list[str]]:
    classes = classes_of_1k()
    return [[classes.names[number][0] for number in numbers] for numbers in assign(classes, options)]


@pytest.mark.parametrize(
    ("words", "classes"),
    [
        (["tabby"], ["tabby"]),
        (["Tabby Cats"], ["tabby"]),
        (["tabby_cat"], ["tabby"]),
        (["T-shirts"], ["jersey"]),
        (["pickup_truck"], ["pickup"]),
        (["n02123045"], ["tabby"]),
        (["cat"], ["tabby", "tiger cat", "Persian cat", "Siamese cat", "Egyptian cat"]),
        (["bottle"], ["beer bottle", "pill bottle", "pop bottle", "water bottle", "wine bottle"]),
        (["jean", "pajama"], ["jean", "pajama"]),
        (["crane"], ["crane", "crane"]),
        (["scratch on the left"], []),
    ],
    ids=[
        "name", "case and plural", "underscore", "hyphen", "synonym", "id", "group", "last word", "several",
        "two of a name", "none",
    ],
)  # fmt: skip
def test_words_find_their_classes(words: list[str], classes: list[str]) -> None:
    assert named(words) == [classes]


def test_what_one_option_names_no_other_takes_for_its_last_word() -> None:
    assert named(["shirt"]) == [["jersey"]]
    assert named(["shirt"], ["t-shirt"]) == [[], ["jersey"]]


def test_groups_hold_across_imagenets_selections() -> None:
    larger = ImageNet.of(11821)
    (cats,) = assign(larger, [["cat"]])
    assert {"tabby", "tiger cat", "Persian cat"} <= {larger.names[number][0] for number in cats}


def test_every_group_is_of_imagenet() -> None:
    assert all(classes_of_1k().exactly(word) for word in GROUPS)


def test_other_classes_have_no_names_here() -> None:
    with pytest.raises(BadSetting, match="the network's 37 classes have no names here"):
        ImageNet.of(37)
