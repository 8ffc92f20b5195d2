"""Question figures: every one of them is scikit-learn's, with absent classes, background rows, ties and masks."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray
from sklearn.metrics import (
    accuracy_score,
    average_precision_score,
    cohen_kappa_score,
    confusion_matrix,
    hamming_loss,
    matthews_corrcoef,
    precision_recall_fscore_support,
    roc_auc_score,
)

from espalier.judging.judged import Judged
from espalier.judging.question_figures import question_figures
from espalier.learning.cutoffs import answered
from espalier.learning.metrics import Bits

SEEDS = st.integers(0, 2**32 - 1)
Floats = NDArray[np.float32]


def one(scores: Floats, targets: Floats, mask: Bits, *, exclusive: bool, groups: int = 7) -> Judged:
    cutoffs = np.full(scores.shape[1], 0.4)
    rows = np.arange(len(scores))
    answers = answered(scores, cutoffs, exclusive=exclusive) & mask
    return Judged(rows, rows % groups, scores, scores, targets, mask, answers, cutoffs)


def figures(found: Judged, *, exclusive: bool, resamples: int = 0) -> dict[str, Any]:
    options = [(f"o{i}",) for i in range(found.scores.shape[1])]
    return question_figures(found, options, exclusive=exclusive, resamples=resamples, seed=0)[0]


def check_averages(found: dict[str, Any], true: NDArray[Any], said: NDArray[Any], labels: list[int]) -> None:
    """Against scikit-learn over the labels that hold somewhere; micro and per option over all of them."""
    k = len(found["options"])
    for average, chosen in (("micro", list(range(k))), ("macro", labels), ("weighted", labels)):
        expected = precision_recall_fscore_support(true, said, labels=chosen, average=average, zero_division=0)
        for name, value in zip(("precision", "recall", "f1"), expected, strict=False):
            if found[f"{average}_{name}"] is None:
                assert value == 0
            else:
                assert found[f"{average}_{name}"] == pytest.approx(value, abs=1e-6)
    each = precision_recall_fscore_support(true, said, labels=list(range(k)), zero_division=np.nan)
    for c, option in enumerate(found["options"]):
        assert option["positives"] == each[3][c]
        assert option["precision"] == (None if np.isnan(each[0][c]) else pytest.approx(each[0][c], abs=1e-6))
        assert option["recall"] == (None if np.isnan(each[1][c]) else pytest.approx(each[1][c], abs=1e-6))
        if option["f1"] is not None:
            f1 = precision_recall_fscore_support(true, said, labels=[c], zero_division=0)[2][0]
            assert option["f1"] == pytest.approx(f1, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(SEEDS, st.integers(2, 4), st.booleans(), st.integers(2, 40))
def test_one_option_per_row(seed: int, k: int, background: bool, n: int) -> None:
    rng = np.random.default_rng(seed)
    labels = rng.integers(0, k + background, n)  # with few rows, some classes are absent
    shares = rng.integers(0, 4, (n, k + background)) + np.eye(k + background)[labels] + 0.01
    scores = (shares / shares.sum(axis=1, keepdims=True))[:, :k].astype(np.float32)
    targets = np.eye(k + 1, dtype=np.float32)[labels][:, :k]
    mask = np.ones(scores.shape, np.bool_)
    judged = one(scores, targets, mask, exclusive=True)
    found = figures(judged, exclusive=True)
    said = np.where(judged.answers.any(axis=1), judged.answers.argmax(axis=1), k)
    present = sorted({int(label) for label in labels if label < k})
    if present:
        check_averages(found, labels, said, present)
    assert found["confusion"] == confusion_matrix(labels, said, labels=range(k + 1)).tolist()
    assert found["subset_accuracy"] == pytest.approx(accuracy_score(labels, said), abs=1e-6)
    assert found["coverage"] == pytest.approx((said < k).mean(), abs=1e-6)
    if found["matthews"] is not None:
        assert found["matthews"] == pytest.approx(matthews_corrcoef(labels, said), abs=1e-6)
    if found["kappa"] is not None:
        assert found["kappa"] == pytest.approx(cohen_kappa_score(labels, said), abs=1e-6)
    judgeable = [c for c in range(k) if 0 < (labels == c).sum() < n]
    areas = [roc_auc_score(labels == c, scores[:, c]) for c in judgeable]
    assert found["roc_auc"] == (pytest.approx(np.mean(areas), abs=1e-6) if areas else None)
    precisions = [average_precision_score(labels == c, scores[:, c]) for c in present]
    assert found["average_precision"] == (pytest.approx(np.mean(precisions), abs=1e-6) if present else None)
    if len(judgeable) == k > 2 and not background:
        expected = roc_auc_score(labels, scores, multi_class="ovr", average="macro")
        assert found["roc_auc"] == pytest.approx(expected, abs=1e-6)


@settings(max_examples=60, deadline=None)
@given(SEEDS, st.integers(1, 4), st.integers(2, 40), st.booleans())
def test_where_several_may_hold(seed: int, k: int, n: int, masked: bool) -> None:
    rng = np.random.default_rng(seed)
    targets = (rng.random((n, k)) < 0.4).astype(np.float32)
    scores = ((rng.integers(0, 6, (n, k)) + 2 * targets) / 8).astype(np.float32)
    mask = rng.random((n, k)) < 0.7 if masked else np.ones((n, k), np.bool_)
    mask[0, 0] = True
    judged = one(scores, targets, mask, exclusive=False)
    found = figures(judged, exclusive=False)
    answers, holds = judged.answers, judged.holds
    said = mask.any(axis=1)
    assert found["rows"] == said.sum()
    assert found["hamming_loss"] == pytest.approx(hamming_loss(holds[mask], answers[mask]), abs=1e-6)
    assert found["subset_accuracy"] == pytest.approx((answers == holds)[said].all(axis=1).mean(), abs=1e-6)
    if found["matthews"] is not None:
        assert found["matthews"] == pytest.approx(matthews_corrcoef(holds[mask], answers[mask]), abs=1e-6)
    for c, option in enumerate(found["options"]):
        true, score = holds[mask[:, c], c], scores[mask[:, c], c]
        assert (option["positives"], option["negatives"]) == (true.sum(), (~true).sum())
        area = roc_auc_score(true, score) if 0 < true.sum() < len(true) else None
        assert option["roc_auc"] == (None if area is None else pytest.approx(area, abs=1e-6))
        expected = average_precision_score(true, score) if true.any() else None
        assert option["average_precision"] == (None if expected is None else pytest.approx(expected, abs=1e-6))
        if option["matthews"] is not None:
            own = matthews_corrcoef(true, answers[mask[:, c], c])
            assert option["matthews"] == pytest.approx(own, abs=1e-6)
    present = [c for c in range(k) if holds[:, c].any()]
    if present and not masked and k > 1:
        check_averages(found, holds.astype(int), answers.astype(int), present)
        assert found["subset_accuracy"] == pytest.approx(accuracy_score(holds, answers), abs=1e-6)


def test_intervals_hold_what_they_are_about_and_need_two_groups() -> None:
    rng = np.random.default_rng(0)
    labels = rng.integers(0, 3, 400)
    shares = rng.dirichlet(np.ones(3), 400) + 0.6 * np.eye(3)[labels]
    scores = (shares / shares.sum(axis=1, keepdims=True)).astype(np.float32)
    targets, mask = np.eye(3, dtype=np.float32)[labels], np.ones((400, 3), np.bool_)
    found = figures(one(scores, targets, mask, exclusive=True, groups=400), exclusive=True, resamples=500)
    for name in ("accuracy", "subset_accuracy", "macro_f1"):
        low, high = found["intervals"][name]
        assert low < found[name] < high
        assert 0.03 < high - low < 0.12
    for option in found["options"]:
        assert option["f1_interval"][0] < option["f1"] < option["f1_interval"][1]
    alone = figures(one(scores, targets, mask, exclusive=True, groups=1), exclusive=True, resamples=500)
    assert alone["intervals"] == {"accuracy": None, "subset_accuracy": None, "macro_f1": None}


def test_the_interval_of_f1_is_that_of_figures_computed_one_by_one() -> None:
    rng = np.random.default_rng(1)
    targets = (rng.random((60, 2)) < 0.5).astype(np.float32)
    scores = np.clip(0.4 * targets + 0.6 * rng.random((60, 2)), 0, 1).astype(np.float32)
    judged = one(scores, targets, np.ones((60, 2), np.bool_), exclusive=False, groups=12)
    found = figures(judged, exclusive=False, resamples=200)
    draws = np.random.default_rng(0)
    each = []
    for _ in range(200):
        rows = np.concatenate([np.flatnonzero(judged.groups == group) for group in draws.integers(0, 12, 12)])
        scored = precision_recall_fscore_support(
            targets[rows].astype(int), judged.answers[rows].astype(int), average=None, zero_division=0
        )
        each.append([*scored[2], scored[2].mean(), ((scores >= 0.5) == (targets > 0.5))[rows].mean()])
    low, high = np.percentile(each, [2.5, 97.5], axis=0)
    assert [option["f1_interval"] for option in found["options"]] == [
        pytest.approx([low[c], high[c]], abs=1e-6) for c in range(2)
    ]
    assert found["intervals"]["macro_f1"] == pytest.approx([low[2], high[2]], abs=1e-6)
    assert found["intervals"]["accuracy"] == pytest.approx([low[3], high[3]], abs=1e-6)


def test_calibration_is_measured_before_and_after() -> None:
    scores = np.full((10, 2), 0.5, np.float32)
    targets = np.eye(2, dtype=np.float32)[np.arange(10) % 2]
    judged = one(scores, targets, np.ones((10, 2), np.bool_), exclusive=True)
    raw = np.tile(np.array([[0.99, 0.01]], np.float32), (10, 1))
    unsure = Judged(**{**vars(judged), "raw": raw})
    found = figures(unsure, exclusive=True)
    assert found["ece"] == pytest.approx(0.0, abs=1e-6)
    assert found["uncalibrated"]["ece"] == pytest.approx(0.49, abs=1e-6)
    assert figures(Judged(**{**vars(judged), "raw": None}), exclusive=True)["uncalibrated"] is None


def test_without_rows_there_is_nothing_else() -> None:
    nothing = one(
        np.zeros((3, 2), np.float32), np.zeros((3, 2), np.float32), np.zeros((3, 2), np.bool_), exclusive=True
    )
    assert figures(nothing, exclusive=True) == {"rows": 0}


def test_where_everything_was_right_the_intervals_say_how_few_rows_there_were() -> None:
    targets = np.eye(2, dtype=np.float32)[np.arange(18) % 2]
    for groups, least in ((18, 0.8241), (6, 0.6097)):  # n / (n + 1.96 ** 2)
        judged = one(targets * 0.8 + 0.1, targets, np.ones(targets.shape, np.bool_), exclusive=True, groups=groups)
        found = figures(judged, exclusive=True, resamples=50)
        assert found["accuracy"] == 1.0
        assert found["intervals"]["accuracy"] == pytest.approx([least, 1.0], abs=1e-3)
        assert found["intervals"]["subset_accuracy"] == pytest.approx([least, 1.0], abs=1e-3)
        assert least < found["intervals"]["macro_f1"][0] < 1.0
        for option in found["options"]:
            assert 0.4 < option["f1_interval"][0] < option["f1_interval"][1] == 1.0
