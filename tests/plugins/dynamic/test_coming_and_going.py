"""It does not matter how an example came, nor what was there in between: only what is there counts."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from espalier.contract import Embeddings, Ids, Mask, Targets, Weights
from espalier_dynamic import DynamicClassifier

DIM = 12
SAME = 2e-4
"""Sums in another order differ in the last bits, and confidences with them."""

Question = tuple[Embeddings, Targets, Mask, Weights]


def question(count: int, options: int, seed: int, *, exclusive: bool) -> Question:
    """Rows of a few clouds, some of them several times, some of which little or nothing is said."""
    rng = np.random.default_rng(seed)
    which = rng.integers(0, options, count)
    rows = rng.normal(size=(options, DIM))[which] + 0.7 * rng.normal(size=(count, DIM))
    rows[count // 2 :: 7] = rows[: len(rows[count // 2 :: 7])]
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    targets = np.eye(options, dtype=np.float32)[which]
    mask: Mask = np.ones((count, options), np.bool_)
    if not exclusive:
        targets = np.maximum(targets, rng.random((count, options)) < 0.2).astype(np.float32)
        mask = rng.random((count, options)) < 0.8
    mask[::9] = False
    weights = rng.choice(np.array([0.0, 0.5, 1.0, 3.0], np.float32), (count, 1), p=[0.1, 0.2, 0.5, 0.2])
    return rows.astype(np.float32), targets, mask, np.repeat(weights, options, axis=1)


def fitted(asked: Question, *, exclusive: bool) -> DynamicClassifier:
    rows, targets, mask, weights = asked
    classifier = DynamicClassifier()
    groups = np.arange(len(rows))
    classifier.fit(rows, targets, mask, groups, exclusive=exclusive, seed=0, weights=weights)
    return classifier


def of(asked: Question, at: Ids) -> Question:
    rows, targets, mask, weights = asked
    return rows[at], targets[at], mask[at], weights[at]


def learn(classifier: DynamicClassifier, asked: Question, at: Ids, ids: Ids | None = None) -> None:
    rows, targets, mask, weights = of(asked, at)
    classifier.learn(at if ids is None else ids, rows, targets, mask, weights=weights)


SIZES = st.tuples(st.integers(0, 40), st.integers(1, 4), st.integers(0, 10**6), st.booleans())


@given(SIZES, st.randoms(use_true_random=False))
@settings(max_examples=60, deadline=None)
def test_learned_one_after_the_other_is_fitted_at_once(size: tuple[int, int, int, bool], chance: object) -> None:
    count, options, seed, exclusive = size
    asked = question(count, options, seed, exclusive=exclusive)
    at_once = fitted(asked, exclusive=exclusive)
    live = fitted(of(asked, np.zeros(0, np.int64)), exclusive=exclusive)
    order = np.arange(count)
    chance.shuffle(order)  # type: ignore[attr-defined]
    probes = question(20, options, seed + 1, exclusive=exclusive)[0]
    for number, part in enumerate(np.array_split(order, 4)):
        learn(live, asked, part, part + 1000)
        if number % 2:
            live.predict(probes)
    assert np.abs(live.predict(probes) - at_once.predict(probes)).max(initial=0) < SAME


@given(SIZES, st.integers(0, 40))
@settings(max_examples=60, deadline=None)
def test_what_is_forgotten_has_never_been(size: tuple[int, int, int, bool], first: int) -> None:
    count, options, seed, exclusive = size
    asked = question(count, options, seed, exclusive=exclusive)
    probes = question(20, options, seed + 1, exclusive=exclusive)[0]
    first = min(first, count)
    classifier = fitted(of(asked, np.arange(first)), exclusive=exclusive)
    before = classifier.predict(probes)
    learn(classifier, asked, np.arange(first, count))
    classifier.predict(probes)
    classifier.forget(np.arange(first, count + 5))
    assert np.abs(classifier.predict(probes) - before).max(initial=0) < SAME


@pytest.mark.parametrize("exclusive", [True, False])
def test_many_changes_leave_what_a_fresh_one_would_know(exclusive: bool) -> None:
    """More rows than are probed, replaced, forgotten and learned again, and asked on the way."""
    asked = question(900, 3, 5, exclusive=exclusive)
    probes = question(50, 3, 5, exclusive=exclusive)[0]
    rng = np.random.default_rng(0)
    classifier = fitted(of(asked, np.arange(500)), exclusive=exclusive)
    content = {number: number for number in range(500)}
    for _ in range(40):
        classifier.predict(probes[:1])
        if rng.random() < 0.5:
            gone = rng.choice(np.array(sorted(content)), 12, replace=False)
            classifier.forget(gone)
            for each in gone.tolist():
                del content[each]
        else:
            ids, at = rng.choice(700, 12, replace=False), rng.choice(900, 12, replace=False)
            learn(classifier, asked, at, ids)
            content.update(zip(ids.tolist(), at.tolist(), strict=True))
    fresh = fitted(of(asked, np.array(sorted(content.values()))), exclusive=exclusive)
    assert np.abs(classifier.predict(probes) - fresh.predict(probes)).max() < SAME


@pytest.mark.parametrize("exclusive", [True, False])
def test_a_loaded_one_goes_on_where_it_was(exclusive: bool, tmp_path: Path) -> None:
    asked = question(60, 3, 2, exclusive=exclusive)
    probes = question(20, 3, 3, exclusive=exclusive)[0]
    classifier = fitted(of(asked, np.arange(30)), exclusive=exclusive)
    learn(classifier, asked, np.arange(20, 50), np.arange(120, 150))
    classifier.save(tmp_path)
    loaded = DynamicClassifier.load(tmp_path)
    for each in (classifier, loaded):
        each.forget(np.array([3, 125]))
        learn(each, asked, np.array([55]), np.array([7]))
    assert np.abs(classifier.predict(probes) - loaded.predict(probes)).max() < SAME
    assert {path.suffix for path in tmp_path.iterdir()} == {".safetensors", ".json"}


def test_of_one_id_given_twice_the_later_counts() -> None:
    rows = np.eye(DIM, dtype=np.float32)[:2]
    targets, mask = np.array([[1, 0, 0], [0, 1, 0]], np.float32), np.ones((2, 3), np.bool_)
    nobody = np.zeros(0, np.int64)
    classifier = DynamicClassifier()
    classifier.fit(rows[:0], targets[:0], mask[:0], nobody, exclusive=True, seed=0)
    classifier.learn(np.array([4, 4]), rows, targets, mask)
    assert classifier.predict(rows).argmax(axis=1).tolist() == [2, 1]
    classifier.learn(np.array([4]), rows[:1], targets[:1], np.zeros((1, 3), np.bool_))  # the answer was withdrawn
    assert classifier.predict(rows).argmax(axis=1).tolist() == [2, 2]
