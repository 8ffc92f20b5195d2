"""Directions and occlusion, on embeddings and pictures whose answer is known."""

from __future__ import annotations

import numpy as np
import pytest

from espalier.learning.calibration import Calibration
from espalier.learning.direction import direction, log_odds
from espalier.learning.features import Curved, Kind, Straight
from espalier.learning.head import Head
from espalier.learning.linear import LinearClassifier
from espalier.learning.occlusion import CELLS, occlusion
from espalier.learning.search import Choice

RNG = np.random.default_rng(0)
ROWS = RNG.normal(size=(60, 8)).astype(np.float32)
ROWS /= np.linalg.norm(ROWS, axis=1, keepdims=True)
TARGETS = np.eye(3, dtype=np.float32)[ROWS[:, :3].argmax(axis=1)]


def head(classifier: LinearClassifier, *, exclusive: bool) -> Head:
    said, groups = np.ones_like(TARGETS, np.bool_), np.arange(len(ROWS))
    classifier.fit(ROWS, TARGETS, said, groups, exclusive=exclusive, seed=0)
    options = (("a",), ("b",), ("c",))
    identity = Calibration.identity(3, exclusive=exclusive)
    return Head("kind", (), options, exclusive, "linear", classifier, identity, np.full(3, 0.5))


@pytest.mark.parametrize("exclusive", [True, False], ids=["exclusive", "multiple"])
@pytest.mark.parametrize("kind", [Straight, Curved], ids=["linear", "kernel"])
def test_a_step_along_it_makes_the_option_likelier(kind: Kind, exclusive: bool) -> None:
    classifier = LinearClassifier(search=False)
    classifier.choice = Choice(kind, 30.0)
    trained = head(classifier, exclusive=exclusive)
    assert (classifier.kernel is not None) == (kind is Curved)
    for column, option in enumerate(trained.options):
        for row in ROWS[:5]:
            step = direction(trained, option, row[None])
            assert step.dtype == np.float32
            assert step.shape == (8,)
            moved = row + 0.05 * step / np.linalg.norm(step)
            assert trained.scores(moved[None])[0, column] > trained.scores(row[None])[0, column]


def test_of_a_linear_classifier_it_is_its_coefficients() -> None:
    classifier = LinearClassifier(search=False)
    rows = head(classifier, exclusive=True)
    others = classifier.coefficients[1:].mean(axis=0)
    assert np.allclose(direction(rows, ("a",), ROWS[:1]), classifier.coefficients[0] - others)
    several = head(classifier, exclusive=False)
    assert np.allclose(direction(several, ("b",), ROWS[:1]), classifier.coefficients[1])


def test_log_odds_stay_exact_where_a_score_is_nearly_one() -> None:
    scores = np.array([[1.0, 1e-12], [1.0, 1e-9]], np.float32)
    first, second = log_odds(scores, 0, exclusive=True)
    assert first - second == pytest.approx(np.log(1e3), rel=1e-3)


def test_occlusion_finds_the_one_place_that_matters() -> None:
    picture = np.zeros((48, 64, 3), np.uint8)
    picture[30:36, 40:48] = 255
    heat = occlusion(picture, lambda some: np.log1p(some[:, 30:36, 40:48].mean(axis=(1, 2, 3), dtype=np.float64)))
    assert heat.shape == (CELLS, CELLS)
    assert divmod(int(heat.argmax()), CELLS) == (5, 5)
    assert heat[:3].max() == 0
