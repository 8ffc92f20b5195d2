"""A server asks one classifier from several threads, right after something was learned."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import numpy as np

from espalier_dynamic import DynamicClassifier


def test_all_threads_get_the_same_answer() -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(400, 32)).astype(np.float32)
    rows /= np.linalg.norm(rows, axis=1, keepdims=True)
    targets = np.eye(5, dtype=np.float32)[np.arange(400) % 4]
    mask = np.ones(targets.shape, np.bool_)
    classifier = DynamicClassifier()
    classifier.fit(rows, targets, mask, np.arange(400), exclusive=True, seed=0)
    for number in range(5):
        classifier.learn(np.array([400 + number]), rows[:1], targets[1:2], mask[:1])
        with ThreadPoolExecutor(8) as pool:
            answers = list(pool.map(lambda _: classifier.predict(rows[:20]), range(16)))
        assert all(np.array_equal(answers[0], each) for each in answers)
