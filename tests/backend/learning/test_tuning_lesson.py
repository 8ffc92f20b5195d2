"""What a network is fine-tuned on: kept whole on disk, cut to what the training part tells, softened by a teacher."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from espalier.contract import EncoderSpec
from espalier.errors import NotTrained
from espalier.learning import tuning_lesson_files
from espalier.learning.dealing import deal_rows, parts_of
from espalier.learning.linear import LinearClassifier
from espalier.learning.parts import Part
from espalier.learning.questions import Annotated, Question
from espalier.learning.rows import Located, union
from espalier.learning.soft_targets import answered_by, soft_targets
from espalier.learning.targets import lesson
from espalier.learning.training_parameters import TrainingParameters
from espalier.learning.tuned_head import linear_of, steps_of, tuned_model, watched_rows
from espalier.learning.tuning_lesson import Taught, TuningLesson, tuning_lesson, validation_rows
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Ontology

NESTED = parse("""<View><Image name="i" value="$i"/>
  <Choices name="sky" toName="i"><Choice value="clear"/><Choice value="clouds"/><Choice value="fog"/></Choices>
  <Choices name="kind" toName="i" choice="multiple" visibleWhen="choice-selected" whenTagName="sky"
           whenChoiceValue="clouds"><Choice value="high"/><Choice value="low"/></Choices></View>""")


def said(*answers: tuple[str, str]) -> tuple[Answer, ...]:
    return tuple(Answer(name, (option,), Frames.of((0, 1))) for name, option in answers)


def answered(count: int) -> list[Annotated]:
    """Clear, clouds (high or both) in turns; the last one shows fog."""
    given = [said(("sky", "clear")), said(("sky", "clouds"), ("kind", "high")),
             said(("sky", "clouds"), ("kind", "high"), ("kind", "low"))]  # fmt: skip
    found = [Annotated(f"m{n}", f"m{n}", given[n % 3]) for n in range(count)]
    return [*found, Annotated("foggy", "foggy", said(("sky", "fog")))]


def taught_lesson(
    count: int = 60, ontology: Ontology = NESTED, chosen: dict[str, Part] | None = None
) -> tuple[TuningLesson, tuple[Question, ...]]:
    questions = lesson(ontology, answered(count)).questions
    located, places = union(questions)
    noise = np.random.default_rng(0).standard_normal((len(located.frames), 8)).astype(np.float32)
    dealt = deal_rows(questions, located, places, noise, TrainingParameters(), chosen or {}, validation_alone=True)
    found = tuning_lesson(ontology, questions, places, dealt, TrainingParameters(), data_fingerprint="f")
    return found, questions


def test_a_child_is_asked_only_where_its_parent_holds() -> None:
    found, _ = taught_lesson()
    sky, kind = found.asked
    clouds = sky.targets[:, sky.options.index(("clouds",))] > 0.5
    assert np.array_equal(kind.mask.any(axis=1), clouds)
    assert kind.weights[clouds].all()
    assert not kind.exclusive


def test_an_option_that_is_held_back_whole_is_not_learned_nor_judged() -> None:
    found, _ = taught_lesson(chosen={"foggy": "test"})
    sky = found.asked[0]
    assert sky.options == (("clear",), ("clouds",))
    assert sky.counts[("fog",)] == 1
    foggy = found.rows.media == "foggy"
    assert not sky.mask[foggy].any()
    assert "fog" in " ".join(sky.notes)


def test_only_validation_rows_are_in_folds() -> None:
    found, _ = taught_lesson()
    validation = found.rows.part("validation")
    assert validation.any()
    assert np.array_equal(found.rows.folds >= 0, validation)
    assert np.array_equal(validation_rows(found), np.flatnonzero(validation))
    assert not found.rows.part("test")[found.learned].any()


def test_where_media_are_few_some_are_held_back() -> None:
    found, _ = taught_lesson(5)
    assert found.rows.part("validation").any()
    assert any("held back" in note for one in found.asked for note in one.notes)


def test_what_an_earlier_network_learned_from_is_learned_from_again() -> None:
    questions = lesson(NESTED, answered(60)).questions
    located, places = union(questions)
    noise = np.random.default_rng(0).standard_normal((len(located.frames), 8)).astype(np.float32)
    noise[7] = noise[6]  # a near-duplicate of what was learned from
    taught: dict[str, Part] = {"m20": "test", **{f"m{n}": "train" for n in range(20)}}
    del taught["m7"]
    dealt = deal_rows(questions, located, places, noise, TrainingParameters(), {"m3": "test"}, taught=taught)
    seen = set(dealt.rows.media[dealt.seen].tolist())
    assert seen == {f"m{n}" for n in range(20)}
    parts = parts_of(dealt.rows, ["unlabeled"])
    assert {parts[f"m{n}"] for n in range(20) if n not in (3, 7)} == {"train"}
    assert (parts["m3"], parts["m20"], parts["unlabeled"]) == ("test", "test", "train")


def test_it_is_the_same_when_it_is_read_again(tmp_path: Path) -> None:
    found, _ = taught_lesson()
    (shown, *_) = found.asked
    extra = Located(np.array(["u"], np.str_), np.array([0], np.int64))
    more = tuple(np.ones((len(found.rows) + 1, one.targets.shape[1]), np.float32) for one in found.asked)
    masks = tuple(one.astype(np.bool_) for one in more)
    whole = TuningLesson(**{**vars(found), "taught": Taught(extra, more, masks, more)})
    assert tuning_lesson_files.load(tmp_path) is None
    tuning_lesson_files.save(whole, tmp_path)
    again = tuning_lesson_files.load(tmp_path)
    assert again is not None
    assert [one.about() for one in again.asked] == [one.about() for one in whole.asked]
    for one, other in zip(again.asked, whole.asked, strict=True):
        for name in ("targets", "mask", "weights"):
            assert np.array_equal(getattr(one, name), getattr(other, name))
    for name in vars(found.rows):
        assert np.array_equal(getattr(again.rows, name), getattr(found.rows, name))
    assert again.taught is not None
    assert again.taught.unlabeled.media.tolist() == ["u"]
    assert np.array_equal(again.taught.masks[1], masks[1])
    assert (again.seed, again.data_fingerprint) == (found.seed, "f")
    assert shown.classification == "sky"


def test_the_layer_of_a_tuner_is_a_classifier_that_is_judged_on_what_it_has_not_seen() -> None:
    found, _ = taught_lesson(120)
    dim, rng = 6, np.random.default_rng(0)
    embeddings = rng.standard_normal((len(found.rows), dim)).astype(np.float32)
    embeddings /= np.linalg.norm(embeddings, axis=1, keepdims=True)
    layers = [(rng.standard_normal((one.targets.shape[1], dim)).astype(np.float32),
               np.zeros(one.targets.shape[1], np.float32)) for one in found.asked]  # fmt: skip
    kept = {
        step: [np.full((len(watched_rows(found, n)), one.targets.shape[1]), step / 10, np.float32)
               for n, one in enumerate(found.asked)]
        for step in (1, 2)
    }  # fmt: skip
    model = tuned_model(found, EncoderSpec("own", dim, (32, 32), "0" * 32), layers, embeddings, steps_of(found, kept))
    train = model.rows.part("train")
    for asked, (coefficients, intercepts) in zip(found.asked, layers, strict=True):
        head = model.heads[asked.classification, asked.parent]
        assert isinstance(head.classifier, LinearClassifier)
        logits = embeddings @ coefficients.T + intercepts
        assert head.evidence is not None
        if head.exclusive:
            expected = np.exp(logits) / np.exp(logits).sum(axis=1, keepdims=True)
            assert np.allclose(head.evidence.raw, expected, atol=1e-5)
        assert not head.evidence.counted[train].any()
        assert head.steps is not None
        assert head.steps.numbers.tolist() == [1, 2]
        assert set(head.steps.rows.tolist()) <= set(validation_rows(found).tolist())
    half = found.only(np.arange(len(found.rows)) % 2 == 0)
    assert len(half.rows) == len(half.asked[0].targets) == -(-len(found.rows) // 2)


def test_a_teacher_says_half_where_people_said_something_and_all_where_nobody_did() -> None:
    found, _ = taught_lesson(60)
    dim = 3
    teacher = tuned_model(
        found,
        EncoderSpec("t", dim, (32, 32), "0" * 32),
        [(np.eye(one.targets.shape[1], dim, dtype=np.float32) * 4, np.zeros(one.targets.shape[1], np.float32))
         for one in found.asked],
        np.full((len(found.rows), dim), 3**-0.5, np.float32),
    )  # fmt: skip
    sky, kind = found.asked
    new = np.eye(dim, dtype=np.float32)[[0, 1]]  # clear; clouds
    rows = np.concatenate([np.full((len(found.rows), dim), 3**-0.5, np.float32), new])
    scores = teacher.scores(rows)
    answers = answered_by(NESTED, teacher, scores)
    train = np.append(found.rows.part("train"), [True, True])
    held_back = np.flatnonzero(~train)
    keys = [("sky", ()), ("kind", ())]
    targets, mask, weights = soft_targets(sky, teacher.heads[keys[0]], scores[keys[0]], answers["sky"], train)
    assert np.array_equal(targets[held_back], sky.targets[held_back]), "what is judged on is not taught"
    learned = np.flatnonzero(train)[:-2]
    expected = 0.5 * sky.targets[learned] + 0.5 * scores[keys[0]][learned]
    assert np.allclose(targets[learned], np.where(sky.mask[learned], expected, sky.targets[learned]), atol=1e-5)
    assert np.allclose(targets[-2:], scores[keys[0]][-2:], atol=1e-5)
    assert mask[-2:].all()
    assert (weights[-2:] == 1).all()
    _, asked_of_kind, _ = soft_targets(kind, teacher.heads[keys[1]], scores[keys[1]], answers["kind"], train)
    assert asked_of_kind[-2:].any(axis=1).tolist() == [False, True], "a child is taught where its parent is answered"


def test_a_single_frame_is_too_little() -> None:
    questions = lesson(NESTED, answered(0)).questions
    located, places = union(questions)
    dealt = deal_rows(
        questions, located, places, np.ones((1, 2), np.float32), TrainingParameters(), {}, validation_alone=True
    )
    with pytest.raises(NotTrained, match="a single frame is answered"):
        tuning_lesson(NESTED, questions, places, dealt, TrainingParameters(), data_fingerprint="")


def test_a_classifier_that_was_fitted_elsewhere_is_saved_like_any_other(tmp_path: Path) -> None:
    made = linear_of(np.eye(2, 3, dtype=np.float32), np.array([0.0, 1.0], np.float32), exclusive=True)
    made.save(tmp_path)
    rows = np.eye(3, dtype=np.float32)
    assert np.array_equal(LinearClassifier.load(tmp_path).predict(rows), made.predict(rows))
