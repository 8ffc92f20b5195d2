"""The gate, on models trained on real handwritten digits."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Sequence
from functools import lru_cache

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.contract import EncoderSpec
from espalier.judging.gate import judge
from espalier.learning.model import Model
from espalier.learning.questions import Annotated
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier_ontology.answers import Answer
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

PIXELS = EncoderSpec("pixels", 64, (8, 8), "0123456789abcdef", reason="for a test")
HALVES = EncoderSpec("halves", 32, (8, 4), "fedcba9876543210", reason="for a test")
Name = Callable[[int], str]


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def choice(name: str, *names: str, parent: str | None = None) -> Classification:
    where = (Condition("parity", frozenset({(parent,)})),) if parent else ()
    return Classification(name, "m", "Choices", "single", "media", tuple(Option((one,)) for one in names), where)


def tree(even: str = "02468", odd: str = "13579") -> Ontology:
    parity = choice("parity", "even", "odd")
    below = (choice("even digit", *even, parent="even"), choice("odd digit", *odd, parent="odd"))
    return Ontology((MediaTag("m", "image", "m"),), (parity, *below))


DIGITS = tree()


@lru_cache
def digits() -> tuple[NDArray[np.float32], tuple[int, ...]]:
    data = load_digits()
    embeddings = data.data / np.linalg.norm(data.data, axis=1, keepdims=True)
    return embeddings.astype(np.float32), tuple(int(label) for label in data.target)


def learn(
    rows: Sequence[int],
    labels: Sequence[int] | None = None,
    *,
    ontology: Ontology = DIGITS,
    name: Name = str,
    only: str | None = None,
    encoder: EncoderSpec = PIXELS,
) -> Model:
    """labels: by row number, instead of the true ones; `only` answers one classification."""
    embeddings, true = digits()
    notes = []
    for row in rows:
        label = (labels or true)[row]
        parity = ("even", "odd")[label % 2]
        answers = [
            Answer("parity", (parity,)),
            Answer(f"{parity} digit", (name(label),)),
            Answer("digit", (name(label),)),
        ]
        kept = tuple(one for one in answers if one.classification in ontology and only in (None, one.classification))
        notes.append(Annotated(str(row), str(row), kept))
    return train(
        ontology,
        lesson(ontology, notes).questions,
        lambda located: _unit(embeddings[[int(media) for media in located.media], : encoder.dim]),
        encoder=encoder,
    )


def _unit(rows: NDArray[np.float32]) -> NDArray[np.float32]:
    return np.asarray(rows / np.maximum(np.linalg.norm(rows, axis=1, keepdims=True), 1e-6), np.float32)


@lru_cache
def honest(count: int) -> Model:
    return learn(range(count))


def scores_of(served: Model, candidate: Model) -> dict[tuple[str, tuple[str, ...]], NDArray[np.float32]]:
    embeddings, _ = digits()
    return served.scores(embeddings[[int(media) for media in candidate.rows.media]])


def shuffled(count: int, seed: int = 0) -> list[int]:
    labels = list(digits()[1])
    order = np.random.default_rng(seed).permutation(count)
    return [labels[i] for i in order] + labels[count:]


def test_the_first_version_is_promoted() -> None:
    verdict = judge(DIGITS, None, honest(200))
    assert verdict.promote
    assert verdict.reasons == ("the first version",)
    assert verdict.figures == {"orphans": 0}


def test_more_data_and_the_same_quality_is_promoted() -> None:
    verdict = judge(DIGITS, honest(200), honest(260))
    assert verdict.promote
    print(verdict.reasons[0])
    assert verdict.reasons[0].startswith("not worse than the version that served: macro-F1 0.9")
    assert verdict.figures["frames"] == 200, "what both were trained on"
    assert verdict.figures["labels"] == "unchanged"
    low, high = verdict.figures["macro_f1"]["interval"]
    assert low <= verdict.figures["macro_f1"]["difference"] <= high


def test_frames_labeled_since_count_where_their_scores_are_given() -> None:
    served, candidate = honest(200), honest(260)
    verdict = judge(DIGITS, served, candidate, scored=scores_of(served, candidate))
    assert verdict.promote
    assert verdict.figures["frames"] > 250, "all but near-copies of what the first was trained on"


def test_the_same_again_is_promoted_and_an_equal_verdict_given() -> None:
    first = judge(DIGITS, honest(200), honest(200), seed=3)
    assert first.promote
    assert first.figures["macro_f1"]["difference"] == 0.0
    assert judge(DIGITS, honest(200), honest(200), seed=3) == first


def test_shuffled_labels_are_refused_with_the_reason() -> None:
    verdict = judge(DIGITS, honest(300), learn(range(300), shuffled(300)))
    assert not verdict.promote
    print(*verdict.reasons, sep="\n")
    assert any("it is worse than the version that serves: macro-F1 0." in reason for reason in verdict.reasons)
    assert any("can hardly be told from the frames any more" in reason for reason in verdict.reasons)
    assert verdict.figures["macro_f1"]["interval"][1] < 0
    assert verdict.figures["relabeled"]["parity"]["candidate"]["guessed"] is True
    assert verdict.figures["relabeled"]["parity"]["served"]["guessed"] is False
    json.dumps(verdict.to_json())  # goes into a database and through the API


def test_where_no_label_stayed_random_ones_are_refused_all_the_same() -> None:
    """Judged by the labels of today, both do nothing but guess: neither is worse than the other."""
    _, labels = digits()
    rng = np.random.default_rng(1)
    random = [(label + int(rng.integers(1, 10))) % 10 for label in labels]
    asked = Ontology(DIGITS.media, (choice("digit", *"0123456789"),))
    verdict = judge(asked, learn(range(300), ontology=asked), learn(range(300), random, ontology=asked))
    assert not verdict.promote
    assert len(verdict.reasons) == 1
    assert "100% of the answers to 'digit' changed" in verdict.reasons[0]
    assert "where guessing reaches 0." in verdict.reasons[0]
    assert verdict.figures["labels"] == "today"


def test_everything_relabeled_in_earnest_is_judged_by_the_labels_of_today() -> None:
    _, labels = digits()
    verdict = judge(DIGITS, honest(200), learn(range(200), [9 - label for label in labels]))
    assert verdict.promote
    assert verdict.figures["labels"] == "today"
    assert "with their labels of today, since most were changed" in verdict.reasons[0]
    assert verdict.figures["macro_f1"]["candidate"] > 0.9 > 0.3 > verdict.figures["macro_f1"]["served"]


def test_a_corrected_label_counts_against_neither() -> None:
    _, labels = digits()
    wrong = list(labels)
    for row in range(0, 200, 10):
        wrong[row] = (wrong[row] + 2) % 10
    served = learn(range(200), wrong)
    verdict = judge(DIGITS, served, honest(200))
    assert verdict.promote
    assert verdict.figures["changed_frames"] == 20
    assert verdict.figures["frames"] == 200, "their parity is as it was"
    assert verdict.figures["classifications"]["even digit"]["frames"] < 100


def test_one_classification_that_became_worse_is_enough() -> None:
    """Even digits are mixed up among themselves; parity and odd digits are as good as ever."""
    _, labels = digits()
    even = [row for row in range(400) if labels[row] % 2 == 0]
    mixed = list(labels)
    for row, other in zip(even, np.random.default_rng(0).permutation(even).tolist(), strict=True):
        mixed[row] = labels[other]
    verdict = judge(DIGITS, honest(400), learn(range(400), mixed))
    assert not verdict.promote
    assert any(reason.startswith("'even digit' became worse: macro-F1") for reason in verdict.reasons)
    assert not any("'parity'" in reason or "'odd digit'" in reason for reason in verdict.reasons)


@pytest.mark.parametrize("count", [2, 5, 9])
def test_few_frames_are_no_reason_to_stop_learning(count: int) -> None:
    served = learn(range(count), shuffled(count))
    assert any(head.trained for head in served.heads.values())
    verdict = judge(DIGITS, honest(count), served)
    assert verdict.promote
    assert verdict.reasons[0].startswith("too little to compare by: ")


def test_a_growing_project_is_seldom_held_up() -> None:
    order = np.random.default_rng(0).permutation(len(digits()[1])).tolist()
    served: Model | None = None
    refused = 0
    counts = list(range(4, 120, 6))
    for count in counts:
        candidate = learn(order[:count])
        scored = scores_of(served, candidate) if served else None
        if judge(DIGITS, served, candidate, scored=scored).promote:
            served = candidate
        else:
            refused += 1
    print(f"{refused} of {len(counts)} honest successors refused")
    assert refused <= 1


def test_another_option_is_no_reason_to_refuse() -> None:
    _, labels = digits()
    without_8 = [row for row in range(300) if labels[row] != 8]
    smaller = tree(even="0246")
    verdict = judge(DIGITS, learn(without_8, ontology=smaller), honest(300))
    assert verdict.promote
    assert verdict.figures["frames"] == len(without_8)


def test_an_option_that_is_gone_is_no_reason_to_refuse() -> None:
    _, labels = digits()
    without_8 = [row for row in range(300) if labels[row] != 8]
    verdict = judge(tree(even="0246"), honest(300), learn(without_8, ontology=tree(even="0246")))
    assert verdict.promote
    assert verdict.figures["frames"] == len(without_8)


def test_a_renamed_option_leaves_the_others_to_compare() -> None:
    def name(digit: int) -> str:
        return "eight" if digit == 8 else str(digit)

    now = Ontology(
        DIGITS.media,
        (
            DIGITS.classifications[0],
            choice("even digit", "0", "2", "4", "6", "eight", parent="even"),
            DIGITS.classifications[2],
        ),
    )
    verdict = judge(now, honest(300), learn(range(300), ontology=now, name=name))
    assert verdict.promote
    _, labels = digits()
    evens = sum(label % 2 == 0 and label != 8 for label in labels[:300])
    assert verdict.figures["classifications"]["even digit"]["frames"] == evens


def test_nothing_in_common_is_nothing_to_compare() -> None:
    verdict = judge(DIGITS, learn(range(100)), learn(range(100, 300)))
    assert verdict.promote
    assert "too little to compare by: 0 frames" in verdict.reasons[0]


def test_another_encoder_is_judged_on_the_same_frames() -> None:
    verdict = judge(DIGITS, honest(300), learn(range(300), encoder=HALVES))
    assert not verdict.promote, "half of every picture tells less"
    assert verdict.figures["frames"] == 300
    assert judge(DIGITS, learn(range(300), encoder=HALVES), honest(300)).promote


def test_a_classification_that_could_not_be_learned_any_more_is_a_reason() -> None:
    _, labels = digits()
    rows = [row for row in range(200) if labels[row] % 2 or labels[row] == 4]
    verdict = judge(DIGITS, honest(200), learn(rows))
    assert not verdict.promote
    assert any(
        "'even digit' is answered by the version that serves, and could not be learned" in one
        for one in verdict.reasons
    )


def test_a_classification_that_nobody_answers_any_more_is_let_go() -> None:
    assert judge(DIGITS, honest(200), learn(range(200), only="parity")).promote


def test_nothing_trained_is_refused() -> None:
    verdict = judge(DIGITS, None, learn([0]))
    assert not verdict.promote
    assert verdict.reasons[0].startswith("nothing could be trained: needs at least 2 options answered")
