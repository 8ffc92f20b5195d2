"""Fitting: every row is scored by a classifier that had not seen it, and then everything is learned."""

from __future__ import annotations

from collections.abc import Iterator, Mapping

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.contract import Embeddings, EncoderSpec, Ids, Mask, Scores, Targets, Weights
from espalier.learning.features import Straight
from espalier.learning.linear import LinearClassifier
from espalier.learning.model import Model
from espalier.learning.parts import Part
from espalier.learning.questions import Annotated
from espalier.learning.rows import Located
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier.learning.training_parameters import TrainingParameters
from espalier_ontology.answers import Answer
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option

ENCODER = EncoderSpec("pixels", 64, (8, 8), "0123456789abcdef")
DATA = load_digits()
EMBEDDINGS = (DATA.data / np.linalg.norm(DATA.data, axis=1, keepdims=True)).astype(np.float32)
NAMES = [str(label) for label in DATA.target]


def asks(*options: str) -> Ontology:
    paths = tuple(Option((option,)) for option in options)
    return Ontology(
        (MediaTag("m", "image", "m"),), (Classification("digit", "m", "Choices", "single", "media", paths),)
    )


TEN = asks(*"0123456789")


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def embedded(located: Located) -> Embeddings:
    return np.asarray(EMBEDDINGS[located.media.astype(np.int64)])


def annotated(count: int, **more: bool) -> list[Annotated]:
    return [Annotated(str(i), str(i), (Answer("digit", (NAMES[i],)),)) for i in range(count)]


class Watched(LinearClassifier):
    """Remembers the rows of every fit."""

    fits: list[set[int]]
    folds = False  # fitted fold by fold, so that every fit is seen

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
        Watched.fits.append({_number(row) for row in embeddings})
        super().fit(embeddings, targets, mask, groups, exclusive=exclusive, seed=seed, weights=weights)


def _number(row: NDArray[np.float32]) -> int:
    return int(np.flatnonzero((row == EMBEDDINGS).all(axis=1))[0])


def test_no_row_is_scored_by_a_classifier_that_has_seen_it_and_the_one_that_serves_has_seen_all() -> None:
    Watched.fits = []
    model = train(TEN, lesson(TEN, annotated(300)).questions, embedded, encoder=ENCODER, classifier=lambda _: Watched())
    rows = model.rows
    media = rows.media.astype(np.int64)
    test, validation = set(media[rows.part("test")].tolist()), set(media[rows.part("validation")].tolist())
    assert len(test) > 30
    assert len(validation) > 30
    *folds, on_both, everything = Watched.fits
    assert everything == set(range(300))
    assert on_both == everything - test
    assert not any(fold & test for fold in folds)
    assert validation in [on_both - fold for fold in folds], "validation is a fold of its own"
    assert sorted(len(on_both - fold) for fold in folds) == sorted(np.bincount(rows.folds[rows.folds >= 0]).tolist())


def test_scores_of_the_test_part_are_those_of_a_classifier_of_the_rest() -> None:
    model = train(TEN, lesson(TEN, annotated(500)).questions, embedded, encoder=ENCODER)
    (head,) = model.heads.values()
    assert head.evidence is not None
    test = model.rows.part("test")
    np.testing.assert_allclose(head.evidence.fitted[test], head.evidence.scores[test], atol=1e-6)
    media = model.rows.media[~test].astype(np.int64)
    alone = train(
        TEN,
        lesson(TEN, [annotated(500)[i] for i in media]).questions,
        embedded,
        encoder=ENCODER,
        parameters=TrainingParameters(val_split=0.0, test_split=0.0),
    )
    (again,) = alone.heads.values()
    unseen = EMBEDDINGS[model.rows.media[test].astype(np.int64)]
    assert again.classifier is not None
    np.testing.assert_allclose(again.classifier.predict(unseen), head.evidence.raw[test], atol=0.02)


def test_a_validation_set_chosen_by_a_person_is_the_one_that_is_used() -> None:
    chosen: Mapping[str, Part] = {str(i): "validation" for i in range(40)}
    parameters = TrainingParameters(val_tasks=tuple(range(40)))
    model = train(
        TEN, lesson(TEN, annotated(300)).questions, embedded, encoder=ENCODER, parameters=parameters, chosen=chosen
    )
    validation = model.rows.media[model.rows.part("validation")].astype(int)
    assert set(range(40)) <= set(validation.tolist())
    assert set(validation.tolist()) - set(range(40)) < set(range(300)), "at most near-duplicates of these follow"
    assert model.rows.part("test").any()


def test_one_option_is_learned_against_the_background() -> None:
    one = asks("3")
    notes = [note for note in annotated(600) if note.answers[0].option == ("3",)]
    others = [Annotated(str(i), str(i), (), background=True) for i in range(600) if NAMES[i] != "3"]
    model = train(one, lesson(one, notes + others).questions, embedded, encoder=ENCODER)
    (head,) = model.heads.values()
    assert head.trained
    assert head.exclusive
    assert head.background
    scores = head.scores(EMBEDDINGS[600:])
    assert scores.shape == (len(EMBEDDINGS) - 600, 1)
    shown = np.array([name == "3" for name in NAMES[600:]])
    assert scores[shown, 0].mean() > 0.85
    assert scores[~shown, 0].mean() < 0.05
    without = train(one, lesson(one, notes).questions, embedded, encoder=ENCODER)
    assert not without.heads["digit", ()].trained


def test_several_options_and_background_sum_to_less_than_one() -> None:
    two = asks("3", "8")
    notes = [note for note in annotated(600) if note.answers[0].option[0] in "38"]
    others = [Annotated(str(i), str(i), (), background=True) for i in range(600) if NAMES[i] not in "38"]
    model = train(two, lesson(two, notes + others).questions, embedded, encoder=ENCODER)
    scores: Scores = model.heads["digit", ()].scores(EMBEDDINGS[600:])
    sums = scores.sum(axis=1)
    assert (sums <= 1 + 1e-3).all()
    assert sums[[name in "38" for name in NAMES[600:]]].mean() > 0.7
    assert sums[[name not in "38" for name in NAMES[600:]]].mean() < 0.15


def test_what_was_learned_on_the_way_is_kept_for_a_sample_of_both_parts() -> None:
    model: Model = train(TEN, lesson(TEN, annotated(400)).questions, embedded, encoder=ENCODER)
    (head,) = model.heads.values()
    assert head.steps is not None
    assert head.steps.numbers[0] == 0
    assert (np.diff(head.steps.numbers) > 0).all()
    assert head.steps.scores.shape == (len(head.steps.numbers), len(head.steps.rows), 10)
    parts = set(model.rows.parts[head.steps.rows].tolist())
    assert parts == {0, 1}, "training and validation"
    assert head.evidence is not None
    wanted = head.evidence.targets[head.steps.rows].argmax(axis=1)
    right = (head.steps.scores.argmax(axis=2) == wanted).mean(axis=1)
    assert right[-1] > 0.9 > right[0]


class Weak(Straight):
    """Usually far too cautious."""

    strengths = (0.01, 1.0, 30.0)
    usual = 0.01


class Choosing(LinearClassifier):
    kinds = (Weak,)


def test_a_classifier_chooses_its_parameters_unless_a_person_wants_the_usual_ones() -> None:
    questions = lesson(TEN, annotated(300)).questions

    def strength(*, search: bool) -> float:
        model = train(
            TEN,
            questions,
            embedded,
            encoder=ENCODER,
            classifier=lambda _: Choosing(),
            parameters=TrainingParameters(search=search),
        )
        return float(model.heads["digit", ()].parameters["strength"])

    assert strength(search=False) == 0.01
    assert strength(search=True) > 0.01
