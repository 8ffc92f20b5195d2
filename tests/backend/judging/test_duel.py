"""Duels: macro-F1 as scikit-learn has it, groups drawn together, and guessing told from knowing."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.metrics import f1_score

from espalier.contract import EncoderSpec
from espalier.judging.comparison import Comparison
from espalier.judging.duel import FEW, Result, fight, is_guessing
from espalier.learning.model import Model
from espalier.learning.rows import Rows

SPEC = EncoderSpec("none", 1, (1, 1), "0" * 16)


def model(groups: NDArray[np.int64]) -> Model:
    n = len(groups)
    media = np.array([f"m{number}" for number in range(n)])
    return Model("", "", SPEC, 0, {}, Rows(media, np.zeros(n, np.int64), groups, groups, np.zeros(n, np.int8)))


def hot(numbers: NDArray[np.int64], k: int) -> NDArray[np.bool_]:
    return np.asarray(numbers[:, None] == np.arange(k))


def comparison(truth: Any, served: Any, candidate: Any, *, name: str = "kind", k: int = 3) -> Comparison:
    truth, served, candidate = (hot(np.asarray(given), k) for given in (truth, served, candidate))
    said = np.ones(truth.shape, np.bool_)
    rows = np.arange(len(truth), dtype=np.int64)
    paths = tuple((letter,) for letter in "abcdefgh"[:k])
    same = np.zeros(len(truth), np.bool_)
    return Comparison((name, ()), paths, True, rows, truth, truth, said, said, served, candidate, same, ~same)


def answers(seed: int, right: float, truth: NDArray[np.int64], k: int = 3) -> NDArray[np.int64]:
    rng = np.random.default_rng(seed)
    return np.where(rng.random(len(truth)) < right, truth, rng.integers(0, k, len(truth))).astype(np.int64)


def test_macro_f1_is_that_of_scikit_learn() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 200)
    served, candidate = answers(1, 0.7, truth), answers(2, 0.8, truth)
    duel = fight([comparison(truth, served, candidate)], model(np.arange(200)), seed=0)
    assert duel.overall is not None
    assert duel.overall.served == pytest.approx(f1_score(truth, served, average="macro"), abs=1e-6)
    assert duel.overall.candidate == pytest.approx(f1_score(truth, candidate, average="macro"), abs=1e-6)
    assert duel.overall.low < duel.overall.difference < duel.overall.high


def test_over_several_questions_every_option_counts_the_same() -> None:
    rng = np.random.default_rng(0)
    first, second = rng.integers(0, 3, 100), rng.integers(0, 2, 100)
    mine, other = answers(1, 0.9, first), answers(2, 0.6, second, 2)
    both = [comparison(first, mine, mine, name="one"), comparison(second, other, other, name="two", k=2)]
    duel = fight(both, model(np.arange(100)), seed=0)
    each = [*f1_score(first, mine, average=None), *f1_score(second, other, average=None)]
    assert duel.overall is not None
    assert duel.overall.candidate == pytest.approx(np.mean(each), abs=1e-6)
    assert duel.classifications["two"].candidate == pytest.approx(np.mean(each[3:]), abs=1e-6)
    assert duel.classifications["one"].confidence > duel.overall.confidence, "two chances to be unlucky"


def test_frames_of_one_group_are_one_witness() -> None:
    """Twenty frames of a video, all of them wrong now: one video in twelve tells nothing."""
    truth = np.repeat(np.arange(12) % 3, 20)
    candidate = truth.copy()
    candidate[:20] = 1
    alone = fight([comparison(truth, truth, candidate)], model(np.arange(240)), seed=0)
    grouped = fight([comparison(truth, truth, candidate)], model(np.repeat(np.arange(12), 20)), seed=0)
    assert alone.overall is not None
    assert grouped.overall is not None
    assert alone.overall.is_clearly_worse(0.01)
    assert not grouped.overall.is_clearly_worse(0.01)


def test_a_small_loss_is_no_reason_be_it_ever_so_certain() -> None:
    assert not Result(0.95, 0.945, -0.006, -0.004, 0.99, 10_000, 10_000).is_clearly_worse(0.01)
    assert Result(0.95, 0.93, -0.03, -0.01, 0.99, 10_000, 10_000).is_clearly_worse(0.01)
    assert not Result(0.95, 0.93, -0.05, 0.01, 0.99, 100, 100).is_clearly_worse(0.01)


def test_few_groups_say_nothing() -> None:
    truth = np.arange(40) % 3
    duel = fight([comparison(truth, truth, (truth + 1) % 3)], model(np.arange(40) % (FEW - 1)), seed=0)
    assert duel.overall is None
    assert duel.figures["macro_f1"] is None


def test_nothing_to_compare_is_no_error() -> None:
    duel = fight([], model(np.zeros(0, np.int64)), seed=0)
    assert (duel.overall, duel.rows) == (None, 0)


def test_many_groups_are_drawn_in_bundles_to_the_same_end() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 9000)
    served, candidate = answers(1, 0.7, truth), answers(2, 0.7, truth)
    some = slice(0, 2900)
    whole = fight([comparison(truth, served, candidate)], model(np.arange(9000)), seed=0).overall
    part = fight([comparison(truth[some], served[some], candidate[some])], model(np.arange(2900)), seed=0).overall
    assert whole is not None
    assert part is not None
    ratio = (part.high - part.low) / (whole.high - whole.low)
    assert ratio == pytest.approx(np.sqrt(9000 / 2900), rel=0.15)


def test_where_most_labels_changed_those_of_today_count() -> None:
    before, now = np.zeros(30, np.int64), np.ones(30, np.int64)
    one = comparison(now, before, now)
    none = np.zeros(one.same.shape, np.bool_)
    changed = replace(one, before=hot(before, 3), same=none, changed=np.ones(30, np.bool_))
    duel = fight([changed], model(np.arange(30)), seed=0)
    assert duel.today
    assert duel.overall is not None
    assert (duel.overall.served, duel.overall.candidate) == (0.0, 1.0)


def test_guessing_is_told_from_knowing() -> None:
    truth = np.random.default_rng(0).integers(0, 3, 100)
    said = np.ones((100, 3), np.bool_)
    for right, guessed in ((0.0, True), (0.5, False), (1.0, False)):
        found = is_guessing(hot(truth, 3), hot(answers(1, right, truth), 3), said, seed=0)
        assert found is not None
        assert found.guessed is guessed
        assert found.chance == pytest.approx(1 / 3, abs=0.05)


def test_always_the_same_answer_is_a_guess() -> None:
    truth = np.where(np.arange(100) < 90, 0, 1)
    found = is_guessing(hot(truth, 2), hot(np.zeros(100, np.int64), 2), np.ones((100, 2), np.bool_), seed=0)
    assert found is not None
    assert found.guessed


def test_of_few_rows_nobody_can_tell() -> None:
    few = hot(np.zeros(FEW - 1, np.int64), 2)
    assert is_guessing(few, few, np.ones(few.shape, np.bool_), seed=0) is None
