"""Comparisons, by hand: which rows count, what changed, and what each model answered."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray

from espalier.judging.comparison import Comparison, compare
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, Kind, MediaTag, Ontology, Option

Build = Callable[..., Model]
KEY = ("kind", ())


def asked(*options: str, kind: Kind = "single") -> Ontology:
    one = Classification("kind", "m", "Choices", kind, "media", tuple(Option((name,)) for name in options))
    return Ontology((MediaTag("m", "image", "m"),), (one,))


@pytest.fixture
def model(judged_model: Build) -> Build:
    """model("ab", says="ab-", truth="aab"): for each row the best option, and the one that holds; "-" is none."""

    def build(options: str, says: str, truth: str, *, media: Sequence[str] | None = None, **more: Any) -> Model:
        shown = np.array([[0.9 if letter == one else 0.0 for one in options] for letter in says], np.float32)
        held = np.array([[letter == one for one in options] for letter in truth], np.float32)
        kind = more.pop("kind", "single")
        groups = more.pop("groups", None)
        question = {"scores": shown, "targets": held, **more}
        return judged_model(asked(*options, kind=kind), {KEY: question}, media=media, groups=groups)

    return build


def one(served: Model, candidate: Model, **more: Any) -> Comparison:
    (found,) = compare(served, candidate, **more)
    return found


def letters(comparison: Comparison, bits: NDArray[np.bool_]) -> str:
    names = np.array([path[0] for path in comparison.options])
    return "".join("".join(names[row]) or "-" for row in bits)


def test_rows_are_matched_by_media_and_frame(model: Build) -> None:
    served = model("ab", "aab", "aab", media=["x", "y", "z"])
    candidate = model("ab", "bba", "baa", media=["z", "new", "x"])
    found = one(served, candidate)
    assert found.rows.tolist() == [0, 2]
    assert letters(found, found.now) == letters(found, found.before) == "ba"
    assert letters(found, found.served) == "ba"
    assert letters(found, found.candidate) == "ba"
    assert found.same.all()


def test_a_corrected_row_is_said_but_not_the_same(model: Build) -> None:
    found = one(model("ab", "aab", "aab"), model("ab", "abb", "abb"))
    assert found.changed.tolist() == [False, True, False]
    assert found.said.all()
    assert found.same.all(axis=1).tolist() == [True, False, True]
    assert (letters(found, found.before), letters(found, found.now)) == ("aab", "abb")


def test_only_options_that_both_know_are_answered(model: Build) -> None:
    """The best of the shared ones counts; rows that show another option do not."""
    scores = np.array([[0.2, 0.1, 0.7], [0.1, 0.3, 0.6], [0.0, 0.1, 0.9]], np.float32)
    served, candidate = model("ab", "abb", "abb"), model("abc", "ccc", "abc", scores=scores)
    found = one(served, candidate)
    assert [path[0] for path in found.options] == ["a", "b"]
    assert letters(found, found.candidate)[:2] == "ab"
    assert found.said.all(axis=1).tolist() == [True, True, False], "the third shows c now"
    assert found.changed.tolist() == [False, False, True]


def test_shared_options_may_stand_in_another_order(model: Build) -> None:
    found = one(model("cab", "acb", "acb"), model("abc", "acb", "acb"))
    assert letters(found, found.served) == letters(found, found.candidate) == "acb"
    assert found.same.all()


@pytest.mark.parametrize(
    ("before", "now"),
    [("a", "ab"), ("ab", "xy"), ("ab", "bx")],
    ids=["one option was known", "nothing is shared", "a single one is shared"],
)
def test_one_option_alone_is_no_choice(model: Build, before: str, now: str) -> None:
    assert compare(model(before, "a", "a"), model(now, "b", "b")) == []


def test_none_of_the_options_is_an_answer_where_both_know_it(model: Build) -> None:
    found = one(
        model("ab", "a--b", "a--b", background=True),
        model("ab", "ab-b", "a--a", background=True),
    )
    assert letters(found, found.served) == "a--b"
    assert letters(found, found.candidate) == "ab-b"
    assert letters(found, found.now) == "a--a"
    assert found.said.all()
    assert found.changed.tolist() == [False, False, False, True]


def test_where_one_of_them_knows_no_background_such_rows_are_left_out(model: Build) -> None:
    found = one(model("ab", "aab", "aab"), model("ab", "aa-", "aa-", background=True))
    assert found.said.all(axis=1).tolist() == [True, True, False]


def test_rows_that_either_cannot_judge_are_left_out(model: Build) -> None:
    counted = np.array([[1, 1], [0, 0], [1, 1]], np.bool_)
    found = one(model("ab", "aab", "aab", counted=counted), model("ab", "aab", "aab", counted=counted[[1, 0, 2]]))
    assert found.said.all(axis=1).tolist() == [False, False, True]


def test_of_several_choices_each_cell_counts_for_itself(model: Build) -> None:
    several: dict[str, Any] = {"kind": "multiple"}
    before = np.array([[1, 0], [1, 1]], np.float32)
    now = np.array([[1, 1], [1, 1]], np.float32)
    mask = np.array([[1, 1], [0, 1]], np.bool_)
    served = model("ab", "aa", "aa", targets=before, **several)
    candidate = model("ab", "bb", "bb", targets=now, mask=mask, **several)
    found = one(served, candidate)
    assert found.said.tolist() == [[True, True], [False, True]]
    assert found.same.tolist() == [[True, False], [False, True]]
    assert found.changed.tolist() == [True, False]


def test_a_choice_that_became_several_cannot_be_compared(model: Build) -> None:
    assert compare(model("ab", "ab", "ab"), model("ab", "ab", "ab", kind="multiple")) == []


def test_new_rows_count_by_the_scores_of_today(model: Build) -> None:
    served = model("ba", "ab", "ab", media=["x", "y"])
    candidate = model("ab", "abab", "abba", media=["x", "y", "new", "unknown"])
    given = np.full((4, 2), np.nan, np.float32)
    given[2] = 0.8, 0.2  # b
    found = one(served, candidate, scored={KEY: given})
    assert found.rows.tolist() == [0, 1, 2]
    assert found.known.tolist() == [True, True, False]
    assert letters(found, found.served) == "abb"
    assert letters(found, found.now) == "abb"
    assert found.same.all()
    assert not found.changed.any()


def test_new_rows_like_old_ones_do_not_count(model: Build) -> None:
    """The model that serves has seen the other half of their group."""
    served = model("ab", "ab", "ab", media=["x", "y"])
    candidate = model("ab", "aba", "aba", media=["x", "y", "copy of y"], groups=[0, 1, 1])
    given = np.full((3, 2), 0.5, np.float32)
    assert one(served, candidate, scored={KEY: given}).rows.tolist() == [0, 1]


def test_new_rows_of_several_choices_are_answered_by_the_cutoffs_that_serve(model: Build) -> None:
    several: dict[str, Any] = {"kind": "multiple"}
    served = model("ab", "a", "a", media=["x"], cutoffs=[0.3, 0.6], **several)
    candidate = model("ab", "ab", "ab", media=["x", "new"], **several)
    given = np.array([[0.0, 0.0], [0.5, 0.5]], np.float32)
    found = one(served, candidate, scored={KEY: given})
    assert found.served.tolist() == [[True, False], [True, False]]
