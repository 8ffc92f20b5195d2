"""What the drivers refuse: every broken rule is named, with the plugin and the value."""

from __future__ import annotations

from collections.abc import Iterable, Iterator
from pathlib import Path

import numpy as np
import pytest

from espalier.contract import Embeddings, EncoderSpec, Ids, IndexReport, Mask, Pictures, Scores, Targets, Weights
from espalier.errors import BrokenPlugin
from espalier.plugins.checked import CheckedClassifier, CheckedEncoder, CheckedIndex

GOOD = np.eye(3, 4, dtype=np.float32)
PICTURES = np.zeros((3, 8, 8, 3), np.uint8)
SPEC = EncoderSpec("fixed", 4, (8, 8), "0123456789abcdef")


def changed(place: tuple[int, int], value: float) -> Embeddings:
    rows = GOOD.copy()
    rows[place] = value
    return rows


class Fixed:
    """Answers what it was told to."""

    def __init__(self, answer: object, spec: EncoderSpec = SPEC) -> None:
        self.answer, self.spec = answer, spec

    def encode(self, frames: Pictures) -> Embeddings:
        return self.answer  # type: ignore[return-value]


class Streaming(Fixed):
    def __init__(self, counts: list[int]) -> None:
        super().__init__(GOOD)
        self.counts = counts

    def encode_stream(self, batches: Iterable[Pictures]) -> Iterator[Embeddings]:
        list(batches)
        for count in self.counts:
            yield GOOD[:count]


@pytest.mark.parametrize(
    ("answer", "rule"),
    [
        (GOOD[:2], r"float32 \(3, 4\)"),
        (GOOD[:, :3], r"float32 \(3, 4\)"),
        (GOOD[0], r"float32 \(3, 4\)"),
        (GOOD.astype(np.float64), "float64"),
        (GOOD.tolist(), "got list"),
        (changed((1, 2), np.nan), "finite.*row 1"),
        (changed((1, 2), np.inf), "finite.*row 1"),
        (changed((2, 2), 1.01), "norm 1.*row 2"),
        (GOOD * 0, "norm 1"),
    ],
    ids=["too few", "too narrow", "one row", "float64", "list", "nan", "infinity", "too long", "zeros"],
)
def test_an_encoder_that_breaks_a_rule_is_named(answer: object, rule: str) -> None:
    with pytest.raises(BrokenPlugin, match=rule) as caught:
        CheckedEncoder("mine", Fixed(answer)).encode(PICTURES)
    assert caught.value.plugin == "mine"


@pytest.mark.parametrize(
    ("spec", "rule"),
    [
        (EncoderSpec("", 4, (8, 8), "0123456789abcdef"), "spec.name"),
        (EncoderSpec("x", 0, (8, 8), "0123456789abcdef"), "spec.dim"),
        (EncoderSpec("x", 4, (8, 0), "0123456789abcdef"), "spec.input_size"),
        (EncoderSpec("x", 4, (8, 8), "0123"), "spec.digest"),
        (EncoderSpec("x", 4, (8, 8), "../../etc/passwd"), "spec.digest"),
    ],
)
def test_a_wrong_spec_is_refused_at_the_door(spec: EncoderSpec, rule: str) -> None:
    with pytest.raises(BrokenPlugin, match=rule):
        CheckedEncoder("mine", Fixed(GOOD, spec))


def test_an_encoder_without_a_stream_is_asked_batch_by_batch() -> None:
    rows = list(CheckedEncoder("mine", Fixed(GOOD)).encode_stream([PICTURES, PICTURES]))
    assert len(rows) == 2
    assert np.array_equal(rows[0], GOOD)


@pytest.mark.parametrize("counts", [[3], [3, 2, 1], [2, 3]], ids=["one too few", "one too many", "out of order"])
def test_a_stream_gives_one_array_per_batch_in_order(counts: list[int]) -> None:
    with pytest.raises(BrokenPlugin):
        list(CheckedEncoder("mine", Streaming(counts)).encode_stream([PICTURES, PICTURES[:2]]))


def test_a_good_stream_passes() -> None:
    assert len(list(CheckedEncoder("mine", Streaming([3, 2])).encode_stream([PICTURES, PICTURES[:2]]))) == 2


class FixedClassifier:
    def __init__(self, answer: list[list[float]], file: str = "state.json") -> None:
        self.answer = np.array(answer, np.float32)
        self.file = file

    def fit(
        self,
        embeddings: Embeddings,
        targets: Targets,
        mask: Mask,
        groups: Ids,
        *,
        exclusive: bool,
        seed: int,
        weights: Weights | None = None,
    ) -> None:
        pass

    def predict(self, embeddings: Embeddings) -> Scores:
        return self.answer

    def save(self, directory: Path) -> None:
        (directory / self.file).write_text("{}")


@pytest.mark.parametrize(
    ("answer", "exclusive", "rule"),
    [
        ([[0.5, 0.5]], True, r"\(2, 2\)"),
        ([[0.5, 0.25, 0.25]] * 2, True, r"\(2, 2\)"),
        ([[0.5, 0.4]] * 2, True, "sum to 1.*row 0"),
        ([[1.5, 0.0]] * 2, False, r"within \[0, 1\].*1.5"),
        ([[-0.5, 0.0]] * 2, False, r"within \[0, 1\]"),
        ([[np.nan, 0.0]] * 2, False, "finite"),
    ],
    ids=["too few", "too wide", "sum", "above one", "below zero", "nan"],
)
def test_a_classifier_that_breaks_a_rule_is_named(answer: list[list[float]], exclusive: bool, rule: str) -> None:
    checked = CheckedClassifier("mine", FixedClassifier(answer))
    targets, mask = np.zeros((3, 2), np.float32), np.ones((3, 2), bool)
    checked.fit(GOOD, targets, mask, np.arange(3), exclusive=exclusive, seed=0)
    with pytest.raises(BrokenPlugin, match=rule):
        checked.predict(GOOD[:2])


def test_scores_of_several_choices_need_not_sum_to_one() -> None:
    checked = CheckedClassifier("mine", FixedClassifier([[0.9, 0.8]]), options=2, exclusive=False)
    assert checked.predict(GOOD[:1]).shape == (1, 2)
    assert not checked.folds


def test_a_pickle_is_refused(tmp_path: Path) -> None:
    with pytest.raises(BrokenPlugin, match="never pickle"):
        CheckedClassifier("mine", FixedClassifier([[1.0]], "state.pkl")).save(tmp_path)


class FixedIndex:
    def __init__(self, ids: object, scores: object) -> None:
        self.answer = (ids, scores)

    def add(self, ids: Ids, embeddings: Embeddings) -> None: ...

    def remove(self, ids: Ids) -> None: ...

    def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
        return self.answer  # type: ignore[return-value]

    def ids(self) -> Ids:
        return self.answer[0]  # type: ignore[return-value]

    def report(self) -> IndexReport:
        return IndexReport("exact", 0, 0)

    def save(self) -> None: ...

    def close(self) -> None: ...


@pytest.mark.parametrize(
    ("ids", "scores", "rule"),
    [
        ([7, 8], [0.1, 0.9], "best first"),
        ([7, 8], [2.0, 0.9], r"within \[-1, 1\]"),
        ([7, -1], [0.9, 0.0], "empty place"),
        ([7], [0.9], "ids are int64"),
    ],
)
def test_an_index_that_breaks_a_rule_is_named(ids: list[int], scores: list[float], rule: str) -> None:
    index = FixedIndex(np.array([ids], np.int64), np.array([scores], np.float32))
    with pytest.raises(BrokenPlugin, match=rule):
        CheckedIndex("mine", index, dim=4).search(GOOD[:1], 2)


@pytest.mark.parametrize(
    ("ids", "rows", "words"),
    [
        ([1, 2], GOOD, "need embeddings"),
        ([1, 2, 3], GOOD[:, :3], "need embeddings"),
        ([1, 2, 2], GOOD, "distinct"),
        ([1, -2, 3], GOOD, "0 and up"),
        ([1, 2, 3], changed((1, 2), 0.5), "norm 1.*id 2"),
        ([1, 2, 3], changed((2, 2), np.nan), "norm 1.*id 3"),
    ],
    ids=["too many rows", "too narrow", "twice", "below zero", "too long", "nan"],
)
def test_what_an_index_must_not_keep_is_refused_at_the_door(ids: list[int], rows: Embeddings, words: str) -> None:
    checked = CheckedIndex("mine", FixedIndex(np.empty(0, np.int64), None), dim=4)
    with pytest.raises(ValueError, match=words):
        checked.add(np.array(ids, np.int64), rows)


@pytest.mark.parametrize(("width", "k"), [(3, 1), (4, 0)], ids=["too narrow", "k of 0"])
def test_a_wrong_query_is_refused_at_the_door(width: int, k: int) -> None:
    checked = CheckedIndex("mine", FixedIndex(np.empty(0, np.int64), None), dim=4)
    with pytest.raises(ValueError, match="queries must be"):
        checked.search(np.ones((1, width), np.float32), k)


@pytest.mark.parametrize(
    ("ids", "rule"),
    [([3, 2], "ascending"), ([2, 2], "ascending"), ([-1, 2], "0 and up")],
    ids=["descending", "twice", "below zero"],
)
def test_ids_of_an_index_that_break_a_rule_are_named(ids: list[int], rule: str) -> None:
    with pytest.raises(BrokenPlugin, match=rule):
        CheckedIndex("mine", FixedIndex(np.array(ids, np.int64), None), dim=4).ids()


def test_allowed_ids_reach_an_index_ascending_and_once() -> None:
    class Asked(FixedIndex):
        def search(self, queries: Embeddings, k: int, allowed: Ids | None = None) -> tuple[Ids, Scores]:
            assert allowed is not None
            assert allowed.tolist() == [2, 5, 9]
            return super().search(queries, k, allowed)

    index = Asked(np.array([[5, -1]], np.int64), np.array([[0.5, -1]], np.float32))
    assert CheckedIndex("mine", index, dim=4).search(GOOD[:1], 2, np.array([9, 5, 2, 5]))[0].tolist() == [[5, -1]]
