"""What is chosen to be labeled next saves labels, repeats itself, and says why."""

from __future__ import annotations

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits

from espalier.labeling.clustering import clusters
from espalier.labeling.label_next import next_batch
from espalier.labeling.label_worth import Asked, neighbour_scores, worth
from espalier.learning.linear import LinearClassifier

Floats = NDArray[np.float32]
Labels = NDArray[np.int64]


def digits(rows: int) -> tuple[Floats, Labels]:
    data = load_digits()
    pixels = data.data[:rows] / np.linalg.norm(data.data[:rows], axis=1, keepdims=True)
    return pixels.astype(np.float32), data.target[:rows].astype(np.int64)


def fitted(embeddings: Floats, labels: Labels, known: NDArray[np.bool_]) -> tuple[LinearClassifier, Labels]:
    shown, numbers = np.unique(labels[known], return_inverse=True)
    targets = np.eye(len(shown), dtype=np.float32)[numbers]
    classifier = LinearClassifier(search=False)
    rows = np.flatnonzero(known)
    classifier.fit(embeddings[known], targets, np.ones(targets.shape, np.bool_), rows, exclusive=True, seed=0)
    return classifier, shown


def labels_until(reached: float, embeddings: Floats, labels: Labels, order: Labels | None) -> int:
    """How many labels, ten at a time, until so many of the last 500 rows are right."""
    pool = len(labels) - 500
    known = np.zeros(len(labels), np.bool_)
    asked: tuple[Asked, ...] = ()
    while True:
        if order is None:
            batch = next_batch(embeddings[:pool], known[:pool], asked, count=10).order[:10]
        else:
            batch = order[known.sum() : known.sum() + 10]
        known[batch] = True
        classifier, shown = fitted(embeddings, labels, known)
        scores = classifier.predict(embeddings)
        if (shown[scores[pool:].argmax(axis=1)] == labels[pool:]).mean() >= reached or known.sum() >= pool:
            return int(known.sum())
        counts = np.bincount(labels[known], minlength=10)[shown]
        asked = (Asked("digit", (), tuple((str(i),) for i in shown), True, scores[:pool], counts),)


def test_fewer_labels_are_needed_than_at_random() -> None:
    embeddings, labels = digits(1200)
    chosen = labels_until(0.88, embeddings, labels, None)
    orders = [np.random.default_rng(seed).permutation(700) for seed in range(3)]
    at_random = [labels_until(0.88, embeddings, labels, order) for order in orders]
    print(f"88 % right after {chosen} labels, at random after {at_random}")
    assert chosen < 0.75 * float(np.mean(at_random))


def test_the_first_batch_shows_many_options_without_a_model() -> None:
    embeddings, labels = digits(600)
    batch = next_batch(embeddings, np.zeros(600, np.bool_), count=12)
    at_random = [len(np.unique(np.random.default_rng(s).permutation(labels)[:12])) for s in range(50)]
    print(f"{len(np.unique(labels[batch.order[:12]]))} options of 10, at random {np.mean(at_random):.1f}")
    assert len(np.unique(labels[batch.order[:12]])) > np.mean(at_random)
    assert all(reason.startswith("typical") for reason in batch.reasons)


def test_equal_input_gives_an_equal_batch_and_scores_follow_the_order() -> None:
    embeddings, _ = digits(300)
    known = np.zeros(300, np.bool_)
    known[:20] = True
    a, b = (next_batch(embeddings, known, count=15, seed=3) for _ in range(2))
    assert np.array_equal(a.order, b.order)
    assert np.array_equal(np.sort(a.order), np.flatnonzero(~known))
    assert np.array_equal(a.order, np.argsort(a.score, kind="stable")[:280])
    assert (a.score[known] == 1).all()
    assert a.score.min() == 0
    assert len(a.reasons) == 15


def test_of_a_group_one_row_is_chosen_while_others_are_left() -> None:
    embeddings, _ = digits(60)
    batch = next_batch(embeddings, np.zeros(60, np.bool_), count=12, groups=np.repeat(np.arange(10), 6))
    assert len(set((batch.order[:10] // 6).tolist())) == 10
    assert len(set(batch.order[:12].tolist())) == 12


@pytest.mark.parametrize("rows", [0, 1, 2], ids=["none", "one", "two"])
def test_hardly_any_rows(rows: int) -> None:
    embeddings, _ = digits(5)
    batch = next_batch(embeddings[:rows], np.zeros(rows, np.bool_), count=5)
    assert sorted(batch.order.tolist()) == list(range(rows))


def asked(scores: list[list[float]], counts: list[int], **more: object) -> Asked:
    options = (("day",), ("night",))
    exclusive = bool(more.pop("exclusive", True))
    return Asked("Time", (), options, exclusive, np.array(scores, np.float32), np.array(counts), **more)  # type: ignore[arg-type]


def test_a_row_in_doubt_is_worth_more_and_says_why() -> None:
    embeddings, _ = digits(3)
    question = asked([[0.95, 0.05], [0.52, 0.48], [0.9, 0.1]], [50, 50])
    batch = next_batch(embeddings, np.zeros(3, np.bool_), (question,), count=1)
    assert batch.order[0] == 1
    assert batch.reasons[0].startswith("unsure of 'Time': 'day' (0.52) or 'night' (0.48)")


def test_a_question_that_is_hardly_asked_hardly_counts() -> None:
    unlikely = asked([[0.5, 0.5], [0.9, 0.1]], [50, 50], likely=np.array([0.1, 1.0], np.float32))
    total = worth((unlikely,), 2).total
    assert total[1] > total[0]


def test_an_option_with_few_labels_comes_first_and_says_why() -> None:
    embeddings, _ = digits(4)
    question = asked([[0.6, 0.4], [0.4, 0.6], [0.6, 0.4], [0.6, 0.4]], [80, 2])
    batch = next_batch(embeddings, np.zeros(4, np.bool_), (question,), count=4)
    assert worth((question,), 4).total.argmax() == 1
    assert "may show 'night', which has 2 labels" in batch.reasons[batch.order.tolist().index(1)]


def test_opinions_that_differ_count() -> None:
    second = np.array([[0.9, 0.1], [0.1, 0.9]], np.float32)
    value = worth((asked([[0.9, 0.1], [0.9, 0.1]], [50, 50], others=(second,)),), 2)
    assert value.total[1] > value.total[0]
    assert value.dispute[0].tolist() == pytest.approx([0.0, 0.8])


def test_options_that_do_not_exclude_each_other_are_in_doubt_near_a_half() -> None:
    value = worth((asked([[0.5, 0.02], [0.98, 0.97]], [50, 50], exclusive=False),), 2)
    assert value.doubt[0, 0] > 5 * value.doubt[0, 1]


def test_neighbours_tell_digits_apart_and_never_ask_the_row_itself() -> None:
    embeddings, labels = digits(400)
    known = np.arange(200)
    targets = np.eye(10, dtype=np.float32)[labels[known]]
    scores = neighbour_scores(embeddings, targets, np.ones(targets.shape, np.bool_), known)
    assert (scores.argmax(axis=1) == labels).mean() > 0.85
    lone = neighbour_scores(embeddings[:2], np.eye(2, dtype=np.float32), np.ones((2, 2), np.bool_), np.arange(2))
    assert lone.tolist() == [[0.0, 1.0], [1.0, 0.0]]


def test_clusters_are_the_heaps_that_were_made_and_the_largest_is_0() -> None:
    rng = np.random.default_rng(0)
    centres = rng.normal(size=(4, 16)) * 3
    made = np.repeat(np.arange(4), (10, 40, 20, 30))
    found = clusters((centres[made] + 0.1 * rng.normal(size=(100, 16))).astype(np.float32), 4, seed=1)
    assert found[made == 1].tolist() == [0] * 40
    assert [len(np.unique(found[made == heap])) for heap in range(4)] == [1, 1, 1, 1]
    assert len(np.unique(found)) == 4


def test_equal_rows_are_one_cluster_however_many_are_asked_for() -> None:
    assert clusters(np.ones((5, 3), np.float32), 4).tolist() == [0] * 5
