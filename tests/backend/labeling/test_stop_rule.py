"""What the stop rule foretells is what then comes, within its interval."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.labeling.stop_rule import StopRule, drawn_on, stop_rule
from espalier.learning.linear import LinearClassifier

Floats = NDArray[np.float32]


def linear() -> LinearClassifier:
    return LinearClassifier(search=False)


def digits() -> tuple[Floats, NDArray[np.int64]]:
    data = load_digits()
    pixels = data.data / np.linalg.norm(data.data, axis=1, keepdims=True)
    return pixels.astype(np.float32), data.target.astype(np.int64)


def accuracy(embeddings: Floats, labels: NDArray[np.int64], known: NDArray[np.int64], test: NDArray[np.int64]) -> float:
    targets = np.eye(10, dtype=np.float32)[labels[known]]
    classifier = linear()
    said = np.ones(targets.shape, np.bool_)
    classifier.fit(embeddings[known], targets, said, known, exclusive=True, seed=0)
    return float((classifier.predict(embeddings[test]).argmax(axis=1) == labels[test]).mean())


def foretold(embeddings: Floats, labels: NDArray[np.int64], known: NDArray[np.int64], seed: int) -> StopRule:
    targets = np.eye(10, dtype=np.float32)[labels[known]]
    said = np.ones(targets.shape, np.bool_)
    return stop_rule(
        linear, embeddings[known], targets, said, known, exclusive=True, figure="accuracy", repeats=3, seed=seed
    )


def test_what_comes_lies_in_the_interval() -> None:
    embeddings, labels = digits()
    inside, gains = 0, []
    for seed in range(6):
        rows = np.random.default_rng(seed).permutation(len(labels))
        known, more, test = rows[:120], rows[:220], rows[220:]
        rule = foretold(embeddings, labels, known, seed)
        came = accuracy(embeddings, labels, more, test) - accuracy(embeddings, labels, known, test)
        inside += rule.gain_low <= came <= rule.gain_high
        gains.append((rule.gain, came))
    told, came = np.mean(gains, axis=0)
    print(f"inside {inside} of 6; foretold {100 * told:.1f} points, {100 * came:.1f} came; {rule.sentence()}")
    assert inside >= 5
    assert told == pytest.approx(came, abs=0.03)


def test_more_labels_buy_less_and_what_is_reached_grows() -> None:
    embeddings, labels = digits()
    rows = np.random.default_rng(0).permutation(len(labels))
    few, many = (foretold(embeddings, labels, rows[:count], 0) for count in (60, 600))
    assert few.gain > 2 * many.gain
    assert many.reached > few.reached
    assert many.now > few.now
    assert many.gain_low <= many.gain <= many.gain_high
    assert len(many.sizes) == len(many.measured) == 6
    assert "raise accuracy by about" in many.sentence()
    assert "of what seems reachable is reached" in many.sentence()


def test_several_options_at_once_and_groups() -> None:
    embeddings, labels = digits()
    embeddings, labels = embeddings[:400], labels[:400]
    targets = np.column_stack((labels % 2, labels >= 5)).astype(np.float32)
    mask = np.ones(targets.shape, np.bool_)
    rule = stop_rule(linear, embeddings, targets, mask, np.arange(400) // 4, exclusive=False, repeats=2)
    assert rule.labels == 100
    assert 0.5 < rule.now < 1.0
    assert rule.figure == "macro_f1"
    assert "macro-F1" in rule.sentence()


@pytest.mark.parametrize(("rows", "options", "reason"), [(10, 2, "too few"), (40, 1, "two options")])
def test_it_says_why_nothing_can_be_said(rows: int, options: int, reason: str) -> None:
    embeddings, _ = digits()
    targets = np.eye(2, dtype=np.float32)[np.arange(rows) % options]
    rule = stop_rule(linear, embeddings[:rows], targets, targets < 2, np.arange(rows), exclusive=True)
    assert reason in rule.reason
    assert "cannot be said yet" in rule.sentence()


def test_a_power_law_is_drawn_on_as_it_is() -> None:
    sizes = np.array([20.0, 40, 80, 160, 320])
    errors = 0.05 + 1.0 * sizes**-0.5
    (drawn,) = drawn_on(sizes, errors[None], np.array([640.0, 3200.0]))
    assert drawn == pytest.approx(0.05 + np.array([640.0, 3200.0]) ** -0.5, abs=0.005)
