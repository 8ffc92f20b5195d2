"""Tree answers: what the decision and the rules make of single frames, for thousands of them at once."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np
from hypothesis import given, settings
from hypothesis import strategies as st

from espalier.learning.decide import decide
from espalier.learning.decision import Decision
from espalier.learning.model import Model
from espalier.learning.tree_answers import answered_tree, orphans
from espalier_ontology import rules
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Condition, Kind, MediaTag, Ontology, Option, Path, Scope

JudgedModel = Callable[..., Model]
LEVELS = [0.0, 0.4, 0.5, 0.7, 0.9, 1.0]
ROWS = 6
KINDS: list[Kind] = ["single", "multiple", "taxonomy", "timeline"]
SCOPES: list[Scope] = ["media", "item", "range"]


@st.composite
def condition(draw: st.DrawFn, parent: Classification, asked: list[Classification]) -> Condition:
    """On one classification or two: any answer, some options, or anything but one."""
    form = draw(st.sampled_from(["any", "some", "not", "not"]))
    also = draw(st.lists(st.sampled_from(asked), max_size=draw(st.sampled_from([0, 0, 1]))))
    names = tuple(other.name for other in also)
    options = [option.path for other in (parent, *also) for option in other.options]
    if form == "any":
        return Condition(parent.name, None, False, names)
    if form == "not":
        return Condition(parent.name, frozenset({draw(st.sampled_from(options))}), True, names)
    return Condition(
        parent.name, draw(st.frozensets(st.sampled_from(options), min_size=(len(options) + 1) // 2)), False, names
    )


@st.composite
def trees(draw: st.DrawFn) -> Ontology:
    """Classifications of every kind, each asked under up to two conditions of any form on earlier ones."""
    asked: list[Classification] = []
    for number in range(draw(st.sampled_from([2, 3, 3, 4, 5]))):
        name = f"c{number}"
        kind: Kind = draw(st.sampled_from(KINDS if number else [*KINDS, "timeline", "timeline"]))
        paths: list[Path] = [(f"{name}-{i}",) for i in range(draw(st.sampled_from([1, 2, 3, 3])))]
        if kind in {"taxonomy", "single"}:
            for above in list(paths):
                paths += [(*above, f"{above[-1]}{i}") for i in range(draw(st.integers(0, 2)))]
            deep = [path for path in paths if len(path) == 2]
            paths += [(*above, "leaf") for above in deep[:1] if draw(st.booleans())]
        paths = draw(st.permutations(paths)) if kind == "multiple" else paths
        few = st.sampled_from([0, 1, 1, 1, 2] if asked else [0])
        conditions = [draw(condition(draw(st.sampled_from(asked)), asked)) for _ in range(draw(few))]
        attribute = bool(conditions) and any(other.scope == "range" for other in asked)
        scope: Scope = "range" if kind == "timeline" else draw(st.sampled_from(["range"] if attribute else SCOPES))
        asked.append(
            Classification(
                name, "m", "Choices", kind, scope, tuple(Option(path) for path in paths), tuple(conditions),
                leaves_only=draw(st.booleans()), single_path=kind == "taxonomy" and draw(st.booleans()),
            )
        )  # fmt: skip
    return Ontology((MediaTag("m", "video", "m"),), tuple(asked))


@st.composite
def models(draw: st.DrawFn, judged_model: JudgedModel) -> tuple[Ontology, Model]:
    ontology = draw(trees())
    rng = np.random.default_rng(draw(st.integers(0, 2**32 - 1)))
    questions = {}
    for classification in ontology:
        for siblings in classification.siblings():
            options = [path for path in siblings.options if rng.random() < 0.9]
            if not options or rng.random() < 0.1:
                continue  # nothing was learned of them
            exclusive = bool(rng.random() < (0.8 if classification.exclusive else 0.3))
            scores = rng.choice(LEVELS, (ROWS, len(options))).astype(np.float32)
            if exclusive and rng.random() < 0.5:
                scores /= np.maximum(scores.sum(axis=1, keepdims=True), 1.0)
            cutoffs = rng.choice([0.0, 0.1, 0.3, 0.5], len(options))
            questions[classification.name, siblings.parent] = {
                "scores": scores, "options": options, "exclusive": exclusive, "cutoffs": cutoffs,
            }  # fmt: skip
    if not questions:
        first = ontology.classifications[0].siblings()[0]
        questions[ontology.classifications[0].name, first.parent] = {"scores": np.ones((ROWS, len(first.options)))}
    return ontology, judged_model(ontology, questions)


@settings(max_examples=200, deadline=None)
@given(st.data())
def test_it_is_what_decide_and_the_rules_make_of_a_single_frame(judged_model: JudgedModel, data: st.DataObject) -> None:
    ontology, model = data.draw(models(judged_model))
    found = answered_tree(ontology, model)
    for row in range(ROWS):
        scores = {key: head.evidence.scores[row : row + 1] for key, head in model.heads.items() if head.evidence}
        decided = decide(ontology, model, scores, np.zeros(1, np.int64), length=1, parameters=Decision(), source="v")
        expected = {
            (answer.classification, answer.under, answer.option)
            for answer in rules.enforce(ontology, decided, extent={"m": Frames(((0, 1),))}).answers
        }
        given_ = {
            (name, label, path)
            for name, answers in found.items()
            for label, ends in answers.by_label.items()
            for path, end in zip(answers.paths, ends[row], strict=True)
            if end
        }
        assert given_ == expected
    assert not orphans(ontology, found).any()


ANIMAL = Classification(
    "animal", "m", "Taxonomy", "taxonomy", "media",
    (Option(("cat",)), Option(("cat", "tabby")), Option(("dog",))), single_path=True,
)  # fmt: skip
COLLAR = Classification(
    "collar", "m", "Choices", "single", "media", (Option(("yes",)), Option(("no",))),
    (Condition("animal", frozenset({("cat",)})),),
)  # fmt: skip
TREE = Ontology((MediaTag("m", "image", "m"),), (ANIMAL, COLLAR))
QUESTIONS = {
    ("animal", ()): {"scores": [[0.9, 0.1], [0.9, 0.1], [0.2, 0.8]], "fitted": [[0.1, 0.9]] * 3},
    ("animal", ("cat",)): {"scores": [[0.9], [0.1], [0.9]], "fitted": [[0.9]] * 3},
    ("collar", ()): {"scores": [[0.7, 0.3]] * 3, "fitted": [[0.7, 0.3]] * 3},
}


def test_an_option_holds_with_all_above_it_and_a_condition_looks_at_the_answer_itself(
    judged_model: JudgedModel,
) -> None:
    found = answered_tree(TREE, judged_model(TREE, QUESTIONS))
    assert found["animal"].paths == (("cat",), ("cat", "tabby"), ("dog",))
    assert found["animal"].ends.tolist() == [[False, True, False], [True, False, False], [False, False, True]]
    assert found["animal"].holds.tolist() == [[True, True, False], [True, False, False], [False, False, True]]
    assert found["collar"].asked.tolist() == [False, True, False], "a tabby is not answered as a cat"
    assert found["collar"].ends.tolist() == [[False, False], [True, False], [False, False]]
    np.testing.assert_allclose(found["animal"].confidence[0], [0.9, 0.81, 0.1], rtol=1e-6)


def test_other_cutoffs_and_the_scores_of_the_classifier_that_learned_from_the_row(judged_model: JudgedModel) -> None:
    model = judged_model(TREE, QUESTIONS)
    strict = answered_tree(TREE, model, cutoffs={("animal", ()): np.array([0.95, 0.5])})
    assert strict["animal"].holds.tolist() == [[False] * 3, [False] * 3, [False, False, True]]
    seen = answered_tree(TREE, model, fitted=True)
    assert seen["animal"].holds.tolist() == [[False, False, True]] * 3
    assert not seen["collar"].ends.any()


def test_an_answer_without_its_parent_is_counted_as_an_orphan(judged_model: JudgedModel) -> None:
    found = answered_tree(TREE, judged_model(TREE, QUESTIONS))
    found["collar"].by_label[None][0] = [True, False]
    assert orphans(TREE, found).tolist() == [True, False, False]
