"""Confusion: scikit-learn's matrix with a background, the rows behind each cell, and what a matrix says."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from sklearn.metrics import cohen_kappa_score, confusion_matrix, matthews_corrcoef

from espalier.errors import BadRequest
from espalier.judging.confusion import cell, cell_rows, kappa, matrix, matthews, pooled
from espalier.learning.model import Model
from espalier.learning.questions import Key
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

JudgedModel = Callable[..., Model]
SEEDS = st.integers(0, 2**32 - 1)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(1, 30))
def test_one_option_per_row_is_scikit_learns_matrix(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    true, said = rng.integers(0, k + 1, n), rng.integers(0, k + 1, n)  # k: the background
    holds, answers = (np.eye(k + 1, dtype=np.bool_)[labels][:, :k] for labels in (true, said))
    found = matrix(answers, holds)
    np.testing.assert_array_equal(found, confusion_matrix(true, said, labels=range(k + 1)))
    for one, other in np.ndindex(k + 1, k + 1):
        rows = cell(answers, holds, None if one == k else one, None if other == k else other)
        np.testing.assert_array_equal(rows, (true == one) & (said == other))
    correlation, agreement = matthews(found), kappa(found)
    if correlation is not None:
        assert correlation == pytest.approx(matthews_corrcoef(true, said), abs=1e-6)
    else:
        assert len(set(true)) == 1 or len(set(said)) == 1
    if agreement is not None:
        assert agreement == pytest.approx(cohen_kappa_score(true, said), abs=1e-6)
    else:
        assert set(true) == set(said)
        assert len(set(true)) == 1


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(1, 20))
def test_where_several_may_hold_each_cell_counts_its_rows(seed: int, k: int, n: int) -> None:
    rng = np.random.default_rng(seed)
    holds, answers = rng.random((n, k)) < 0.4, rng.random((n, k)) < 0.4
    found = matrix(answers, holds)
    for one, other in np.ndindex(k + 1, k + 1):
        rows = cell(answers, holds, None if one == k else one, None if other == k else other)
        assert found[one, other] == rows.sum()
    np.testing.assert_array_equal(np.diagonal(found)[:k], (holds & answers).sum(axis=0))
    mask = rng.random((n, k)) < 0.8
    mask[0, 0] = True
    yes_and_no = pooled(answers, holds, mask)
    np.testing.assert_array_equal(yes_and_no, confusion_matrix(holds[mask], answers[mask], labels=[False, True]))
    correlation = matthews(yes_and_no)
    if correlation is not None:
        assert correlation == pytest.approx(matthews_corrcoef(holds[mask], answers[mask]), abs=1e-6)


def test_several_options_by_hand() -> None:
    holds = np.array([[1, 1, 0], [1, 0, 0], [0, 0, 0], [0, 1, 0], [0, 0, 0]], np.bool_)
    answers = np.array([[1, 0, 1], [0, 0, 0], [0, 1, 0], [0, 1, 1], [0, 0, 0]], np.bool_)
    assert matrix(answers, holds).tolist() == [
        [1, 0, 0, 1],  # the first: found once, and once nothing was answered
        [0, 1, 1, 0],  # the second: found once, and once the third was answered instead
        [0, 0, 0, 0],
        [0, 1, 1, 1],  # nothing missed: the second and the third answered too much; and nothing held nor answered
    ]


SKY = Ontology(
    (MediaTag("m", "image", "m"),),
    (Classification("sky", "m", "Choices", "single", "media", (Option(("sun",)), Option(("rain",)))),),
)


def test_the_rows_of_a_cell_are_those_of_the_model(judged_model: JudgedModel) -> None:
    scores = [[0.9, 0.1], [0.2, 0.8], [0.55, 0.45], [0.3, 0.7], [0.8, 0.2]]
    targets = [[1, 0], [1, 0], [1, 0], [0, 1], [0, 1]]
    question = {"scores": scores, "targets": targets}
    model = judged_model(SKY, {("sky", ()): question}, parts=[0, 0, 1, 1, 1])
    sun, rain = ("sun",), ("rain",)
    key: Key = ("sky", ())
    assert cell_rows(model, key, "cross", sun, sun).tolist() == [0, 2]
    assert cell_rows(model, key, "train", sun, rain).tolist() == [1]
    assert cell_rows(model, key, "validation", rain, sun).tolist() == [4]
    strict = {key: np.array([0.6, 0.75])}
    assert cell_rows(model, key, "cross", sun, None, cutoffs=strict).tolist() == [2]
    assert cell_rows(model, key, "cross", rain, None, cutoffs=strict).tolist() == [3]
    with pytest.raises(BadRequest, match=r"'sky' has learned no option 'snow'; it knows sun, rain"):
        cell_rows(model, key, "cross", ("snow",), None)
    with pytest.raises(BadRequest, match="nothing was learned about 'sea'"):
        cell_rows(model, ("sea", ()), "cross", None, None)
