"""Leaving a row out of prototypes and metric in closed form is what removing it and solving again gives."""

from __future__ import annotations

import numpy as np
import pytest

from espalier_dynamic.left_out import alone, left_out
from espalier_dynamic.prototypes import Prototypes


@pytest.mark.parametrize("exclusive", [True, False])
def test_as_if_the_row_had_never_been_there(exclusive: bool) -> None:
    rng = np.random.default_rng(0)
    rows = rng.normal(size=(24, 6)).astype(np.float32)
    weights = rng.uniform(0.5, 2, (24, 1)).astype(np.float32)
    first = np.arange(24) % 4
    says = np.eye(4, dtype=np.float32)[first] * weights
    if not exclusive:
        says += np.eye(4, dtype=np.float32)[(first + 2) % 4] * weights  # for one option, and against another
    prototypes = Prototypes(6, 4, exclusive=exclusive)
    prototypes.join(rows, says)
    metric = prototypes.metric()
    itself, _ = left_out(metric, rows, says)
    found, cosines = itself.discriminants, itself.cosines
    covariance = metric.factor.astype(np.float64) @ metric.factor.T
    for at in range(len(rows)):
        rest = np.arange(len(rows)) != at
        weight, own = weights[at, 0], first[at]
        group = rest & (first == own) if exclusive else rest
        around = np.average(rows[group], axis=0, weights=weights[group, 0])
        away = rows[at] - around
        total, left = weights[group, 0].sum() + weight, weights[group, 0].sum()
        inverse = np.linalg.inv(covariance - metric.reach * weight * left / total * np.outer(away, away))
        means = (says[rest].T @ rows[rest]) / says[rest].sum(axis=0)[:, None] - metric.centre
        x = rows[at] - metric.centre
        squares = np.einsum("ij,jk,ik->i", means, inverse, means)
        assert found[at] == pytest.approx(means @ inverse @ x - 0.5 * squares, abs=2e-4)
        assert cosines[at] == pytest.approx(means @ inverse @ x / np.sqrt(squares * (x @ inverse @ x)), abs=2e-4)


def test_without_its_whole_side_the_centre_is_that_of_the_others() -> None:
    rng = np.random.default_rng(1)
    rows = rng.normal(size=(20, 6)).astype(np.float32)
    says = np.eye(4, dtype=np.float32)[np.arange(20) % 4]
    prototypes = Prototypes(6, 4, exclusive=True)
    prototypes.join(rows, says)
    metric = prototypes.metric()
    _, without = left_out(metric, rows, says)
    covariance = metric.factor.astype(np.float64) @ metric.factor.T
    means = (says.T @ rows) / 5
    for at in range(20):
        own = at % 4
        others = np.arange(4) != own
        away = rows[at] - means[own]
        inverse = np.linalg.inv(covariance - metric.reach * 5 / 4 * np.outer(away, away))
        centre = means[others].mean(axis=0)
        x, prototype = rows[at] - centre, means[others] - centre
        squares = np.einsum("ij,jk,ik->i", prototype, inverse, prototype)
        wanted = prototype @ inverse @ x / np.sqrt(squares * (x @ inverse @ x))
        assert without.cosines[at][others] == pytest.approx(wanted, abs=2e-4)


def test_a_side_of_one_example_is_alone() -> None:
    says = np.array([[1, 0], [0, 2], [0, 1]], np.float32)
    assert alone(np.array([1.0, 3.0]), says).tolist() == [[True, False], [False, False], [False, False]]
