"""Training: nested questions on real digits, one model from one seed, and words where nothing can be learned."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path

import numpy as np
import pytest
from numpy.typing import NDArray
from sklearn.datasets import load_digits
from threadpoolctl import threadpool_limits  # type: ignore[import-untyped]

from espalier.contract import Classifier, EncoderSpec
from espalier.errors import BadModel, BadSetting
from espalier.learning.decide import answers_for
from espalier.learning.decision import Decision
from espalier.learning.linear import LinearClassifier
from espalier.learning.model import Model
from espalier.learning.questions import Annotated
from espalier.learning.rows import Located
from espalier.learning.targets import lesson
from espalier.learning.training import train
from espalier.learning.training_parameters import TrainingParameters
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Condition, MediaTag, Ontology, Option

ENCODER = EncoderSpec("pixels", 64, (8, 8), "0123456789abcdef", reason="for a test")
KNOWN = 1000


@pytest.fixture(autouse=True)
def one_thread() -> Iterator[None]:
    with threadpool_limits(1):
        yield


def options(*names: str) -> tuple[Option, ...]:
    return tuple(Option((name,)) for name in names)


def choice(name: str, *names: str, parent: str | None = None, plugin: str | None = None) -> Classification:
    where = (Condition("parity", frozenset({(parent,)})),) if parent else ()
    settings = {"model_plugin": plugin} if plugin else {}
    return Classification(name, "m", "Choices", "single", "media", options(*names), where, settings=settings)


DIGITS = Ontology(
    (MediaTag("m", "image", "m"),),
    (
        choice("parity", "even", "odd"),
        choice("even digit", "0", "2", "4", "6", "8", parent="even"),
        choice("odd digit", "1", "3", "5", "7", "9", parent="odd"),
    ),
)


def digits() -> tuple[NDArray[np.float32], list[int]]:
    data = load_digits()
    embeddings = data.data / np.linalg.norm(data.data, axis=1, keepdims=True)
    return embeddings.astype(np.float32), [int(label) for label in data.target]


def annotated(labels: list[int]) -> list[Annotated]:
    notes = []
    for i, label in enumerate(labels):
        parity = ("even", "odd")[label % 2]
        answers = (Answer("parity", (parity,)), Answer(f"{parity} digit", (str(label),)))
        notes.append(Annotated(str(i), str(i), answers))
    return notes


def trained(seed: int = 0, known: int = KNOWN) -> Model:
    embeddings, labels = digits()
    questions = lesson(DIGITS, annotated(labels[:known])).questions
    return train(
        DIGITS,
        questions,
        lambda located: rows(embeddings, located),
        encoder=ENCODER,
        parameters=TrainingParameters(seed=seed),
    )


def rows(embeddings: NDArray[np.float32], located: Located) -> NDArray[np.float32]:
    return np.asarray(embeddings[located.media.astype(np.int64)])


def test_parents_and_children_are_learned_and_decided_together() -> None:
    embeddings, labels = digits()
    model = trained()
    scores = model.scores(embeddings[KNOWN:])
    right = answered = 0
    for row, label in enumerate(labels[KNOWN:]):
        own = {key: part[row : row + 1] for key, part in scores.items()}
        found = answers_for(DIGITS, model, own, np.zeros(1, np.int64), length=1, parameters=Decision(), source="v1")
        leaves = [answer for answer in found if answer.classification != "parity"]
        assert len(leaves) <= 1
        answered += len(leaves)
        right += any(answer.option == (str(label),) for answer in leaves)
    assert right / len(labels[KNOWN:]) > 0.8
    assert right / answered > 0.85
    assert model.heads["odd digit", ()].metrics["accuracy"] > 0.95


def test_what_was_measured_is_what_unseen_pictures_show() -> None:
    embeddings, labels = digits()
    head = trained().heads["parity", ()]
    scores = head.scores(embeddings[KNOWN:])
    odd = np.array(labels[KNOWN:]) % 2
    unseen = float((scores.argmax(axis=1) == odd).mean())
    assert abs(head.metrics["accuracy"] - unseen) < 0.05
    assert head.metrics["ece"] < 0.06
    assert all(np.isfinite(value) for value in head.metrics.values())


def test_the_same_seed_gives_the_same_model() -> None:
    first, second = trained(seed=7, known=200), trained(seed=7, known=200)
    for key, head in first.heads.items():
        other = second.heads[key]
        np.testing.assert_array_equal(head.cutoffs, other.cutoffs)
        np.testing.assert_array_equal(head.calibration.slopes, other.calibration.slopes)
        assert head.metrics == other.metrics
    embeddings, _ = digits()
    for one, two in zip(first.scores(embeddings).values(), second.scores(embeddings).values(), strict=True):
        np.testing.assert_array_equal(one, two)


def test_what_is_saved_is_what_is_loaded(tmp_path: Path) -> None:
    model = trained(known=200)
    model.save(tmp_path / "v1")
    model.save(tmp_path / "v1")
    assert [path.name for path in tmp_path.iterdir()] == ["v1"]
    loaded = Model.load(tmp_path / "v1")
    embeddings, _ = digits()
    for key, scores in model.scores(embeddings).items():
        np.testing.assert_array_equal(scores, loaded.scores(embeddings)[key])
    assert loaded.encoder == ENCODER
    assert loaded.metrics() == model.metrics()
    assert json.dumps(loaded.metrics())
    kept, written = model.heads["parity", ()].evidence, loaded.heads["parity", ()].evidence
    assert kept is not None
    assert written is not None
    for name, array in vars(kept).items():
        np.testing.assert_array_equal(array, vars(written)[name])
    suffixes = {path.suffix for path in (tmp_path / "v1").rglob("*") if path.is_file()}
    assert suffixes == {".json", ".safetensors"}


@pytest.mark.parametrize(
    ("harm", "words"),
    [
        (lambda d: (d / "000/classifier/linear.safetensors").write_bytes(b"x"), "linear.safetensors is changed"),
        (lambda d: (d / "000/classifier/linear.json").unlink(), "linear.json is missing"),
        (lambda d: (d / "evil.pkl").write_bytes(b"x"), "evil.pkl is not its own"),
        (lambda d: (d / "model.json").write_text((d / "model.json").read_text().replace("pixels", "other")), "changed"),
        (lambda d: (d / "model.json").write_text('{"format": 99, "digest": ""}'), "format 99"),
        (lambda d: (d / "model.json").write_text("[]"), "not one of Espalier's"),
        (lambda d: (d / "model.json").write_text("{"), "cannot be read"),
        (lambda d: (d / "model.json").unlink(), "cannot be read"),
    ],
    ids=[
        "a file changed",
        "a file gone",
        "a file more",
        "json changed",
        "another format",
        "foreign",
        "broken",
        "empty",
    ],
)
def test_a_directory_that_was_meddled_with_is_refused(tmp_path: Path, harm: object, words: str) -> None:
    trained(known=60).save(tmp_path / "v1")
    harm(tmp_path / "v1")  # type: ignore[operator]
    with pytest.raises(BadModel, match=words):
        Model.load(tmp_path / "v1")


def test_what_cannot_be_learned_says_why() -> None:
    embeddings, _ = digits()
    notes = [Annotated(str(i), str(i), (Answer("parity", ("even",)),)) for i in range(5)]
    questions = lesson(DIGITS, notes).questions
    model = train(DIGITS, questions, lambda located: rows(embeddings, located), encoder=ENCODER)
    reasons = {key[0]: head.reason for key, head in model.heads.items()}
    assert reasons["parity"] == "needs at least 2 options answered; has only 'even' (5)"
    assert reasons["odd digit"] == "nothing is answered yet; answer at least 2 different options"
    assert model.scores(embeddings) == {}
    assert not any(head.trained for head in model.heads.values())


@pytest.mark.parametrize("count", [2, 3, 4, 6])
def test_a_handful_of_answers_is_enough_to_begin(count: int) -> None:
    embeddings, _ = digits()
    notes = [Annotated(str(i), str(i), (Answer("parity", (("even", "odd")[i % 2],)),)) for i in range(count)]
    questions = lesson(DIGITS, notes).questions
    model = train(DIGITS, questions, lambda located: rows(embeddings, located), encoder=ENCODER)
    head = model.heads["parity", ()]
    assert head.trained
    scores = head.scores(embeddings)
    assert np.isfinite(scores).all()
    np.testing.assert_allclose(scores.sum(axis=1), 1, atol=1e-3)
    assert ((head.cutoffs >= 0) & (head.cutoffs <= 1)).all()
    if count < 4:
        assert "too few answers to measure" in " ".join(head.notes)


def test_options_never_seen_are_named_and_never_scored() -> None:
    embeddings, labels = digits()
    known = [label for label in labels[:300] if label in (0, 2, 1, 3)]
    questions = lesson(DIGITS, annotated(known)).questions
    model = train(DIGITS, questions, lambda located: rows(embeddings, located), encoder=ENCODER)
    head = model.heads["even digit", ()]
    assert head.options == (("0",), ("2",))
    assert "never answered yet, so never predicted: 4, 6, 8" in head.notes
    assert head.counts["8",] == 0


def test_a_timeline_label_that_always_holds_is_left_out_and_said() -> None:
    timeline = Classification("tl", "m", "TimelineLabels", "timeline", "range", options("run", "jump"))
    asked = Ontology((MediaTag("m", "video", "m"),), (timeline,))
    answers = (Answer("tl", ("run",), Frames(((0, 40),))), Answer("tl", ("jump",), Frames(((10, 20),))))
    questions = lesson(asked, [Annotated("v", "v", answers, 40)]).questions
    embeddings, _ = digits()
    model = train(asked, questions, lambda located: embeddings[located.frames], encoder=ENCODER)
    (head,) = model.heads.values()
    assert head.options == (("jump",),)
    assert "no frame yet on which it does not hold, so never predicted: run" in head.notes
    assert any("one media only" in note for note in head.notes)


class Slow(LinearClassifier):
    """A classifier that cannot fit folds at once."""

    folds = False


def test_a_classifier_without_folds_of_its_own_is_fitted_fold_by_fold() -> None:
    embeddings, labels = digits()
    asked = Ontology(DIGITS.media, (choice("parity", "even", "odd", plugin="slow"),))
    questions = lesson(asked, annotated(labels[:200])).questions
    opened: list[str] = []

    def new(plugin: str) -> Classifier:
        opened.append(plugin)
        return Slow()

    slow = train(asked, questions, lambda located: rows(embeddings, located), encoder=ENCODER, classifier=new)
    fast = trained(known=200).heads["parity", ()]
    assert opened == ["slow", "slow"]
    assert slow.heads["parity", ()].plugin == "slow"
    assert slow.heads["parity", ()].metrics["accuracy"] == pytest.approx(fast.metrics["accuracy"], abs=0.03)
    with pytest.raises(BadSetting, match="model_plugin='slow'"):
        train(asked, questions, lambda located: rows(embeddings, located), encoder=ENCODER)


def test_progress_names_each_classification() -> None:
    embeddings, labels = digits()
    seen: list[tuple[int, int, str]] = []
    train(
        DIGITS,
        lesson(DIGITS, annotated(labels[:60])).questions,
        lambda located: rows(embeddings, located),
        encoder=ENCODER,
        progress=lambda *report: seen.append(report),
    )
    assert seen == [(0, 3, "parity"), (1, 3, "even digit"), (2, 3, "odd digit"), (3, 3, "")]
