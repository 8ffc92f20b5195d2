"""Cutoff policies: the closest choice holds, promises are kept option by option, and errors say how it should look."""

from __future__ import annotations

import json
from collections.abc import Callable

import numpy as np
import pytest
from numpy.typing import NDArray

from espalier.errors import BadRequest
from espalier.judging.cutoff_figures import cutoff_figures
from espalier.judging.cutoff_policy import Choice, CutoffPolicy
from espalier.judging.own_cutoffs import OwnCutoffs
from espalier.learning.decision import Decision
from espalier.learning.model import Model
from espalier_ontology.tree import Classification, MediaTag, Ontology, Option, Path

JudgedModel = Callable[..., Model]
SKY = Classification(
    "sky", "m", "Choices", "single", "media", (Option(("day",)), Option(("night",)), Option(("dawn",)))
)
TAGS = Classification("tags", "m", "Choices", "multiple", "media", (Option(("red",)), Option(("big",))))
ONTOLOGY = Ontology((MediaTag("m", "image", "m"),), (SKY, TAGS))
KEY = ("sky", ())


def weather(n: int = 900) -> tuple[NDArray[np.float32], NDArray[np.float32]]:
    """Days are told apart well, nights half as well; dawn has 4 rows, on which nothing is known."""
    rng = np.random.default_rng(0)
    guess = np.arange(n) % 2
    confidence = rng.uniform(0.5, 1.0, n)
    right = rng.random(n) < np.where(guess == 0, 1 - (1 - confidence) * 0.2, confidence)
    truth = np.where(right, guess, 1 - guess)
    scores = np.zeros((n, 3), np.float32)
    scores[np.arange(n), guess], scores[np.arange(n), 1 - guess] = confidence, (1 - confidence)
    truth[:4], scores[:4] = 2, [0.2, 0.2, 0.6]
    return scores, np.eye(3, dtype=np.float32)[truth]


@pytest.fixture
def model(judged_model: JudgedModel) -> Model:
    scores, targets = weather()
    tags = np.random.default_rng(1).random((len(scores), 2)).astype(np.float32)
    parts = np.where(np.arange(len(scores)) % 10 == 9, 2, 0)
    return judged_model(
        ONTOLOGY,
        {
            KEY: {"scores": scores, "targets": targets, "cutoffs": [0.3, 0.4, 0.5]},
            ("tags", ()): {"scores": tags, "targets": (tags > 0.6).astype(np.float32), "cutoffs": [0.6, 0.6]},
        },
        parts=parts,
    )


def test_the_closest_choice_holds(model: Model) -> None:
    policy = CutoffPolicy(
        Choice("by_hand", 0.1), {"sky": Choice("by_hand", 0.2)}, {"sky/night": Choice("by_hand", 0.3)}
    )
    found = policy.cutoffs(model)
    assert found[KEY].tolist() == [0.2, 0.3, 0.2]
    assert found["tags", ()].tolist() == [0.1, 0.1]


def test_where_nothing_is_asked_for_training_has_its_way(model: Model) -> None:
    assert CutoffPolicy().own(model) == OwnCutoffs()
    assert CutoffPolicy().cutoffs(model)[KEY].tolist() == [0.3, 0.4, 0.5]
    assert CutoffPolicy(Choice("best_f1")).cutoffs(model)[KEY].tolist() == [0.3, 0.4, 0.5]
    only = CutoffPolicy(options={"sky/night": Choice("by_hand", 0.9)})
    assert [entry.option for entry in only.own(model).entries] == [("night",)]
    assert only.cutoffs(model)[KEY].tolist() == [0.3, 0.9, 0.5]


def test_a_target_precision_is_kept_by_each_option_or_it_is_withheld(model: Model) -> None:
    policy = CutoffPolicy(classifications={"sky": Choice("precision", 0.93)})
    day, night, dawn = policy.own(model).entries
    assert (day.kept, night.kept, dawn.kept) == ("alone", "alone", "no")
    assert 0.5 <= day.cutoff < night.cutoff < 1.0
    assert dawn.cutoff == 1.0
    assert {entry.target for entry in (day, night, dawn)} == {0.93}
    figures = cutoff_figures(model, policy.cutoffs(model))
    assert [figure["cutoff"] for figure in figures[:3]] == [day.cutoff, night.cutoff, 1.0]
    assert figures[0]["precision"] > 0.93
    assert figures[1]["precision"] > 0.93
    assert figures[2]["precision"] is None


def test_options_that_can_promise_nothing_alone_do_so_together(judged_model: JudgedModel) -> None:
    options = tuple(Option((f"{number}",)) for number in range(20))
    many = Classification("many", "m", "Choices", "single", "media", options)
    ontology = Ontology((MediaTag("m", "image", "m"),), (many,))
    label = np.arange(80) % 20
    scores = np.where(np.eye(20)[label] > 0, 0.97, 0.03 / 19)
    one = judged_model(ontology, {("many", ()): {"scores": scores, "targets": np.eye(20)[label]}})
    own = CutoffPolicy(Choice("precision", 0.95)).own(one).entries  # four answers each are too few
    assert {entry.kept for entry in own} == {"together"}
    assert {entry.cutoff for entry in own} == {float(np.float32(0.97))}


def test_test_rows_have_no_say_in_a_cutoff(model: Model) -> None:
    policy = CutoffPolicy(Choice("precision", 0.93))
    evidence = model.heads[KEY].evidence
    assert evidence is not None
    before = policy.own(model)
    evidence.targets[model.rows.folds < 0] = 0
    assert policy.own(model) == before


def test_a_policy_and_its_cutoffs_survive_being_written_down(model: Model) -> None:
    policy = CutoffPolicy(Choice("precision", 0.9), {"tags": Choice("best_f1")}, {"sky/dawn": Choice("by_hand", 0.7)})
    assert CutoffPolicy.from_json(json.loads(json.dumps(policy.to_json()))) == policy
    assert CutoffPolicy.from_json({}) == CutoffPolicy()
    assert CutoffPolicy().to_json() == {}
    own = policy.own(model)
    assert OwnCutoffs.from_json(json.loads(json.dumps(own.to_json()))) == own
    assert OwnCutoffs.from_json({}) == OwnCutoffs()
    assert OwnCutoffs().to_json() == {}


def test_set_all_forgets_what_was_chosen_before() -> None:
    policy = CutoffPolicy(None, {"sky": Choice("best_f1")}, {"sky/dawn": Choice("by_hand", 0.7)})
    assert policy.for_everything(Choice("by_hand", 0.8)) == CutoffPolicy(Choice("by_hand", 0.8))
    one = policy.for_option("tags/red", Choice("by_hand", 0.5)).for_classification("sky", Choice("by_hand", 0.2))
    assert one.classifications == {"sky": Choice("by_hand", 0.2)}
    assert one.options == {"tags/red": Choice("by_hand", 0.5)}
    assert one.for_classification("sky", None).classifications == {}


@pytest.mark.parametrize(
    ("written", "said"),
    [
        ([], "a cutoff policy has default, classifications, options"),
        ({"defaults": {}}, "a cutoff policy has default, classifications, options"),
        ({"default": {"strategy": "luck"}}, "best_f1, precision, by_hand, got 'luck'"),
        ({"default": 0.8}, '{"strategy": "precision", "value": 0.98}'),
        ({"default": {"strategy": "precision"}}, "precision needs a number"),
        ({"default": {"strategy": "precision", "value": 1}}, "below 1, got 1; nobody can promise 1"),
        ({"default": {"strategy": "by_hand", "value": 1.2}}, "within 0 and 1, got 1.2"),
        ({"default": {"strategy": "by_hand", "value": True}}, "needs a number as its value, got True"),
        ({"default": {"strategy": "best_f1", "value": 0.2}}, "best_f1 takes no value"),
        ({"options": {"sky/day": {"value": 0.2}}}, "the cutoff for 'sky/day' must look like"),
        ({"options": [1]}, "must be choices by name"),
    ],
)
def test_what_is_wrong_is_said_in_words(written: object, said: str) -> None:
    with pytest.raises(BadRequest) as raised:
        CutoffPolicy.from_json(written)
    assert said in str(raised.value)


def test_names_that_are_not_asked_are_refused() -> None:
    CutoffPolicy(None, {"sky": Choice("best_f1")}, {"tags/red": Choice("best_f1")}).check(ONTOLOGY)
    with pytest.raises(BadRequest, match=r"no classification 'see'.*there are sky, tags"):
        CutoffPolicy(classifications={"see": Choice("best_f1")}).check(ONTOLOGY)
    with pytest.raises(BadRequest, match="'sky/noon' is no `classification/option`"):
        CutoffPolicy(options={"sky/noon": Choice("best_f1")}).check(ONTOLOGY)


def test_the_version_stands_between_a_run_and_the_configuration(model: Model) -> None:
    head = model.heads[KEY]
    strict = Classification(
        "sky", "m", "Choices", "single", "media", SKY.options, settings={"model_score_threshold": "0.6"}
    )
    own: dict[str, dict[Path, float]] = {"sky": {("night",): 0.9}}
    assert Decision().of(SKY, head).tolist() == [0.3, 0.4, 0.5]
    assert Decision().of(strict, head).tolist() == [0.6, 0.6, 0.6]
    assert Decision(version=own).of(strict, head).tolist() == [0.6, 0.9, 0.6]
    assert Decision(version=own, cutoff=0.2).of(strict, head).tolist() == [0.2, 0.2, 0.2]
    assert Decision(version=own, cutoffs={"sky": {"day": 0.1}}).of(strict, head).tolist() == [0.1, 0.9, 0.6]
    by_hand = OwnCutoffs.from_json(CutoffPolicy(options={"sky/night": Choice("by_hand", 0.9)}).own(model).to_json())
    strictly = Ontology(ONTOLOGY.media, (strict, TAGS))
    assert by_hand.effective(strictly, model)[KEY].tolist() == [0.6, 0.9, 0.6]
