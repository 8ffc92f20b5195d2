"""A head that goes on learning: after any answers given, changed and taken back, it is as one that was told at once."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from espalier.contract import Classifier, Embeddings, EncoderSpec
from espalier.learning.asked import Asked
from espalier.learning.live import known_scores, lives
from espalier.learning.live_head import blank_head, carried
from espalier.learning.live_learning import LiveHead
from espalier.learning.model import Model
from espalier.learning.questions import Annotated, Question
from espalier.learning.rows import Located
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier.learning.training_parameters import TrainingParameters
from espalier.plugins.registry import new_classifier
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option, Path

ENCODER = EncoderSpec("none", 6, (1, 1), "0123456789abcdef")
MEDIA, LENGTH = 6, 4
OPTIONS = ("a", "b", "c")
VECTORS = np.random.default_rng(0).normal(size=(MEDIA * LENGTH, 6))
ROWS: Embeddings = (VECTORS / np.linalg.norm(VECTORS, axis=1, keepdims=True)).astype(np.float32)


def asks(*options: str, several: bool = False) -> Ontology:
    paths = tuple(Option((option,)) for option in options)
    kind = Classification(
        "kind",
        "m",
        "Choices",
        "multiple" if several else "single",
        "item",
        paths,
        settings={"model_plugin": "dynamic"},
    )
    return Ontology((MediaTag("m", "sequence", "m"),), (kind,))


def embedded(located: Located | Question) -> Embeddings:
    """Media are called by their numbers."""
    media = np.asarray(located.media).astype(np.int64) if len(located.media) else np.zeros(0, np.int64)
    return np.asarray(ROWS[media * LENGTH + located.frames])


def annotated(said: dict[int, dict[int, str]]) -> list[Annotated]:
    """said: by media, the options that hold by frame."""
    return [
        Annotated(
            str(media),
            str(media),
            tuple(
                Answer("kind", (option,), Frames.at([frame]))
                for frame, options in sorted(frames.items())
                for option in options
            ),
            LENGTH,
        )
        for media, frames in sorted(said.items())
        if frames
    ]


def asked_of(ontology: Ontology, parameters: TrainingParameters) -> Asked:
    (classification,) = ontology.classifications
    (siblings,) = classification.siblings()
    return Asked(ontology, classification, siblings, parameters)


def question_of(ontology: Ontology, said: dict[int, dict[int, str]], parameters: TrainingParameters) -> Question | None:
    found = lesson(ontology, annotated(said), parameters=parameters).questions
    return found[0] if found else None


def fitted(ontology: Ontology, question: Question | None, parameters: TrainingParameters) -> LiveHead:
    rows = np.zeros((0, 6), np.float32) if question is None else embedded(question)
    classifier = new_classifier("dynamic")
    asked = asked_of(ontology, parameters)
    return LiveHead.fitted(asked, "dynamic", classifier, question, rows, parameters, before=None, names={})


def predicted(head: LiveHead) -> NDArray[np.float32]:
    assert head.head.classifier is not None
    return head.head.classifier.predict(ROWS)


single = st.sampled_from(OPTIONS)
several = st.sets(st.sampled_from(OPTIONS), min_size=1).map(lambda options: "".join(sorted(options)))


@pytest.mark.parametrize("weight", ["none", "balanced"])
@pytest.mark.parametrize("many", [False, True], ids=["one option", "several options"])
@settings(max_examples=40, deadline=None)
@given(data=st.data())
def test_it_is_as_one_that_was_told_at_once(many: bool, weight: str, data: st.DataObject) -> None:
    ontology = asks(*OPTIONS, several=many)
    parameters = TrainingParameters.from_json({"class_weight": weight})
    live, said = fitted(ontology, None, parameters), dict[int, dict[int, str]]()
    for _ in range(data.draw(st.integers(1, 5))):
        changed = data.draw(
            st.dictionaries(
                st.integers(0, MEDIA - 1),
                st.dictionaries(st.integers(0, LENGTH - 1), several if many else single, max_size=LENGTH),
                max_size=3,
            )
        )
        said.update(changed)
        only = said if weight == "balanced" else {media: said[media] for media in changed}
        among = None if weight == "balanced" else set(map(str, changed))
        question = question_of(ontology, only, parameters)
        change = live.change(question, parameters, among)
        if change.media:
            rows = ROWS[:0] if change.rows is None else embedded(Located(change.rows.media, change.rows.frames))
            live.tell(change, rows)
    once = fitted(ontology, question_of(ontology, said, parameters), parameters)
    assert live.told.keys() == once.told.keys()
    if live.head.exclusive == once.head.exclusive:
        np.testing.assert_allclose(predicted(live), predicted(once), atol=1e-5)


def test_it_goes_on_from_where_a_training_left_it() -> None:
    ontology, parameters = asks(*OPTIONS), TrainingParameters()
    said = {media: {frame: OPTIONS[(media + frame) % 3] for frame in range(LENGTH)} for media in range(4)}
    model = trained(ontology, said)
    live = LiveHead.trained(model.heads["kind", ()], model.rows)
    assert live.head.living
    assert live.head.background
    said[1] = {0: "c"}
    del said[2]
    change = live.change(question_of(ontology, {1: said[1]}, parameters), parameters, {"1", "2"})
    assert change.media == {"1", "2"}
    assert change.rows is not None
    live.tell(change, embedded(Located(change.rows.media, change.rows.frames)))
    once = fitted(ontology, question_of(ontology, said, parameters), parameters)
    np.testing.assert_allclose(predicted(live), predicted(once), atol=1e-5)


def test_what_says_the_same_is_not_told_again() -> None:
    ontology, parameters = asks(*OPTIONS), TrainingParameters()
    question = question_of(ontology, {0: {0: "a"}, 1: {2: "b"}}, parameters)
    live = fitted(ontology, question, parameters)
    assert not live.change(question, parameters).media
    assert live.change(None, parameters, {"1", "5"}).media == {"1"}
    assert live.fits(question) if question is not None else False
    assert not fitted(asks("a", "b"), None, parameters).fits(question)  # type: ignore[arg-type]


@pytest.mark.parametrize("examples", [0, 1])
def test_it_is_trained_with_one_example_or_none(examples: int) -> None:
    model = trained(asks("a"), {0: {0: "a"}} if examples else {})
    head = model.heads["kind", ()]
    assert head.trained
    assert head.background
    assert head.options == (("a",),)
    scores = head.scores(ROWS)
    assert scores.shape == (len(ROWS), 1)
    assert np.all((scores >= 0) & (scores <= 1))
    if examples:
        assert scores[0, 0] > 0.5
    else:
        assert not scores.any()


def test_where_none_is_likeliest_no_option_is() -> None:
    scores = np.array([[0.5, 0.1, 0.4], [0.2, 0.3, 0.5], [0.4, 0.2, 0.4]], np.float32)
    np.testing.assert_allclose(known_scores(scores, 2), np.array([[0.5, 0.1], [0, 0], [0, 0]], np.float32))
    np.testing.assert_allclose(known_scores(scores, 3), scores)


def test_calibration_and_cutoffs_go_on_under_new_names() -> None:
    said = {media: {frame: OPTIONS[(media + frame) % 3] for frame in range(LENGTH)} for media in range(MEDIA)}
    head = trained(asks(*OPTIONS), said).heads["kind", ()]
    options: list[Path] = [("new",), ("b",), ("A",)]
    calibration, cutoffs = carried(head, options, {("A",): ("a",)}, exclusive=True)
    np.testing.assert_allclose(cutoffs, [1 / 3, head.cutoffs[1], head.cutoffs[0]])
    assert calibration.slopes.shape == (4,)
    assert set(calibration.slopes) == {head.calibration.slopes[0]}
    calibration, cutoffs = carried(head, options, {}, exclusive=False)
    assert set(calibration.slopes) == {1.0}
    assert set(cutoffs) == {0.5}


def test_a_blank_one_says_nothing() -> None:
    asked = asked_of(asks("a", "b"), TrainingParameters())
    classifier: Classifier = new_classifier("dynamic")
    assert lives(classifier)
    assert not lives(new_classifier("linear"))
    assert not lives(None)
    head = blank_head(asked, "dynamic", classifier, ROWS, seed=0)
    assert not head.scores(ROWS).any()


def trained(ontology: Ontology, said: dict[int, dict[int, str]]) -> Model:
    questions = lesson(ontology, annotated(said)).questions
    return train(ontology, questions, embedded, encoder=ENCODER, classifier=new_classifier)
