"""From answers to questions: what is said is learned, what is not said is not, and what was left out is told."""

from __future__ import annotations

import numpy as np
import pytest

from espalier.errors import BadSetting
from espalier.learning.questions import Annotated, Question, fingerprint
from espalier.learning.targets import FRAMES_PER_WHOLE_MEDIA, Policy, lesson
from espalier.learning.training_parameters import TrainingParameters
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.tree import Classification, Condition, Kind, MediaKind, MediaTag, Ontology, Option, Path, Scope


def asks(
    name: str,
    *options: str | Path,
    kind: Kind = "single",
    scope: Scope = "media",
    where: Condition | None = None,
    settings: dict[str, str] | None = None,
) -> Classification:
    paths = tuple(Option(option if isinstance(option, tuple) else (option,)) for option in options)
    return Classification(name, "m", "Choices", kind, scope, paths, (where,) if where else (), settings=settings or {})


def ontology(*asked: Classification, media: MediaKind = "image") -> Ontology:
    return Ontology((MediaTag("m", media, "m"),), asked)


def said(name: str, *option: str, at: tuple[int, int] | None = None, under: Path | None = None) -> Answer:
    return Answer(name, option, Frames((at,)) if at else Frames(((0, 1),)), under=under)


def note(media: str, *answers: Answer, length: int = 1, truth: bool = False) -> Annotated:
    return Annotated(media, media, answers, length, truth)


def rows(question: Question) -> dict[tuple[str, int], dict[str, int | None]]:
    """By media and frame, each option's target; None where masked."""
    return {
        (str(question.media[i]), int(question.frames[i])): {
            "/".join(option): int(question.targets[i, k]) if question.mask[i, k] else None
            for k, option in enumerate(question.options)
        }
        for i in range(len(question))
    }


WEATHER = asks("weather", "sun", "rain")
ANIMAL = Condition("scene", frozenset({("animal",)}))


def test_a_single_choice_is_one_row_a_picture() -> None:
    learned = lesson(ontology(WEATHER), [note("a", said("weather", "sun")), note("b", said("weather", "rain"))])
    (question,) = learned.questions
    assert question.exclusive
    assert rows(question) == {("a", 0): {"sun": 1, "rain": 0}, ("b", 0): {"sun": 0, "rain": 1}}
    assert learned.left_out == ()


def test_an_unanswered_multiple_choice_is_not_a_no() -> None:
    seen = asks("seen", "cat", "dog", kind="multiple")
    learned = lesson(
        ontology(WEATHER, seen),
        [note("a", said("weather", "sun")), note("b", said("seen", "cat"), said("weather", "sun"))],
    )
    assert rows(learned.questions[1]) == {("b", 0): {"cat": 1, "dog": 0}}
    assert not learned.questions[1].exclusive


def test_a_child_is_learned_only_where_its_parent_was_answered_so() -> None:
    scene, breed = asks("scene", "animal", "plant"), asks("breed", "cat", "dog", where=ANIMAL)
    learned = lesson(
        ontology(scene, breed),
        [
            note("a", said("scene", "animal"), said("breed", "cat")),
            note("b", said("scene", "plant"), said("breed", "dog")),
            note("c", said("breed", "dog")),
        ],
    )
    assert list(rows(learned.questions[1])) == [("a", 0)]
    (left_out,) = learned.left_out
    assert (left_out.classification, left_out.frames) == ("breed", 2)
    assert "parent" in left_out.reason


def test_a_taxonomy_is_one_question_a_node_and_exclusive_while_nobody_gives_two() -> None:
    kinds = asks("kind", ("animal",), ("animal", "cat"), ("animal", "dog"), ("plant",), kind="taxonomy")
    notes = [
        note("a", said("kind", "animal", "cat")),
        note("b", said("kind", "plant")),
        note("c", said("kind", "animal")),
    ]
    root, below = lesson(ontology(kinds), notes).questions
    assert rows(root)["a", 0] == {"animal": 1, "plant": 0}
    assert set(rows(root)) == {("a", 0), ("b", 0), ("c", 0)}
    assert rows(below) == {("a", 0): {"animal/cat": 1, "animal/dog": 0}}, "who stopped at `animal` said no more"
    assert root.exclusive
    assert below.exclusive
    both = note("d", said("kind", "animal", "cat"), said("kind", "animal", "dog"))
    root, below = lesson(ontology(kinds), [*notes, both]).questions
    assert root.exclusive
    assert not below.exclusive
    assert rows(below)["d", 0] == {"animal/cat": 1, "animal/dog": 1}


TIMELINE = asks("tl", "run", "jump", kind="timeline", scope="range")


@pytest.mark.parametrize(
    ("policy", "silent"),
    [("all", [0, 1, 4, 5, 8, 9]), ("span", [4, 5]), ("none", []), ("auto", [4, 5])],
)
def test_frames_under_no_label(policy: Policy, silent: list[int]) -> None:
    notes = [note("v", said("tl", "run", at=(2, 4)), said("tl", "jump", at=(6, 8)), length=10)]
    long_enough = [note("v", said("tl", "run", at=(2, 4)), said("tl", "jump", at=(6, 8)), length=10)]
    if policy == "auto":  # marks of two frames say nothing about others; a longer region does
        assert set(rows(lesson(ontology(TIMELINE), long_enough).questions[0])) == {("v", i) for i in (2, 3, 6, 7)}
        notes = [note("v", said("tl", "run", at=(1, 4)), said("tl", "jump", at=(6, 8)), length=10)]
    (question,) = lesson(ontology(TIMELINE), notes, uncovered=policy).questions
    found = rows(question)
    assert [frame for (_, frame), told in found.items() if told == {"run": 0, "jump": 0}] == silent
    assert found["v", 3] == {"run": 1, "jump": 0}
    assert list(question.frames) == sorted(question.frames)


def test_a_label_that_always_holds_takes_its_counterexamples_from_outside_the_span() -> None:
    notes = [note("v", said("tl", "run", at=(3, 7)), length=10)]
    (question,) = lesson(ontology(TIMELINE), notes).questions
    assert set(question.frames.tolist()) == set(range(10))


def test_overlapping_labels_hold_together() -> None:
    notes = [note("v", said("tl", "run", at=(0, 5)), said("tl", "jump", at=(3, 8)), length=8)]
    (question,) = lesson(ontology(TIMELINE), notes).questions
    assert rows(question)["v", 4] == {"run": 1, "jump": 1}
    assert rows(question)["v", 6] == {"run": 0, "jump": 1}


def test_an_attribute_is_learned_in_the_regions_of_its_label() -> None:
    side = asks("side", "left", "right", scope="range", where=Condition("tl", frozenset({("run",)})))
    learned = lesson(
        ontology(TIMELINE, side, media="video"),
        [
            note(
                "v",
                said("tl", "run", at=(0, 6)),
                said("side", "left", at=(0, 4), under=("run",)),
                said("side", "right", at=(3, 6), under=("run",)),
                length=9,
            )
        ],
    )
    question = next(question for question in learned.questions if question.classification == "side")
    assert set(rows(question)) == {("v", i) for i in (0, 1, 2, 4, 5)}, "frame 3 is answered both ways"
    assert [(left.reason, left.frames) for left in learned.left_out] == [
        ("two options of a single choice on one frame", 1)
    ]


def test_people_who_differ_cancel_out_and_ground_truth_wins() -> None:
    differing = [note("a", said("weather", "sun")), note("a", said("weather", "rain"))]
    learned = lesson(ontology(WEATHER), [*differing, note("b", said("weather", "sun"))])
    assert set(rows(learned.questions[0])) == {("b", 0)}
    assert learned.left_out[0].reason == "annotators differ"
    decided = lesson(ontology(WEATHER), [*differing, note("a", said("weather", "rain"), truth=True)])
    assert rows(decided.questions[0]) == {("a", 0): {"sun": 0, "rain": 1}}
    assert decided.left_out == ()


def test_independent_options_are_masked_one_by_one_where_people_differ() -> None:
    seen = asks("seen", "cat", "dog", "cow", kind="multiple")
    notes = [note("a", said("seen", "cat"), said("seen", "dog")), note("a", said("seen", "cat"))]
    (question,) = lesson(ontology(seen), notes).questions
    assert rows(question) == {("a", 0): {"cat": 1, "dog": None, "cow": 0}}


def test_a_long_video_is_thinned_but_keeps_what_is_rare_and_where_labels_change() -> None:
    notes = [
        note("v", said("tl", "run", at=(0, 50_000)), said("tl", "jump", at=(50_000, 50_030)), length=200_000),
    ]
    (question,) = lesson(ontology(TIMELINE), notes, uncovered="all", max_frames_per_media=600).questions
    assert 400 <= len(question) <= 600
    assert {0, 49_999, 199_999} <= set(question.frames.tolist())
    assert set(range(50_000, 50_030)) <= set(question.frames.tolist())


def test_many_changes_do_not_lift_the_limit() -> None:
    ranges = Frames(tuple((i, i + 1) for i in range(0, 9000, 2)))
    notes = [Annotated("v", "v", (Answer("tl", ("run",), ranges), said("tl", "jump", at=(9000, 9500))), 10_000)]
    (question,) = lesson(ontology(TIMELINE), notes, max_frames_per_media=500).questions
    assert len(question) <= 500
    assert len(np.unique(question.frames)) == len(question)


def test_an_answer_to_a_whole_video_speaks_through_some_of_its_frames() -> None:
    notes = [note("v", said("weather", "sun"), length=5000), note("w", said("weather", "rain"), length=10)]
    (question,) = lesson(ontology(WEATHER, media="video"), notes).questions
    assert (question.media == "v").sum() == FRAMES_PER_WHOLE_MEDIA
    assert (question.media == "w").sum() == 10


def test_an_option_that_is_gone_is_left_out_and_said() -> None:
    learned = lesson(ontology(WEATHER), [note("a", said("weather", "fog")), note("b", said("nothing", "x"))])
    assert learned.questions == ()
    assert "'fog'" in learned.left_out[0].reason


def test_only_the_tag_that_was_annotated_is_learned_but_others_are_conditions() -> None:
    scene = Classification("scene", "other", "Choices", "single", "media", (Option(("animal",)),))
    breed = asks("breed", "cat", "dog", where=ANIMAL)
    asked = Ontology((MediaTag("m", "image", "m"), MediaTag("other", "image", "o")), (scene, breed))
    answers = (said("scene", "animal"), said("breed", "cat"))
    (question,) = lesson(asked, [Annotated("a", "a", answers, tag="m")]).questions
    assert question.classification == "breed"


def test_media_of_one_group_share_a_number() -> None:
    notes = [Annotated(name, group, (said("weather", "sun"),)) for name, group in (("a", "x"), ("b", "y"), ("c", "x"))]
    (question,) = lesson(ontology(WEATHER), notes).questions
    assert question.groups[0] == question.groups[2] != question.groups[1]


def test_the_configuration_may_name_the_policy_and_a_wrong_one_is_refused() -> None:
    notes = [note("v", said("tl", "run", at=(2, 6)), said("tl", "jump", at=(8, 9)), length=10)]
    silent = asks("tl", "run", "jump", kind="timeline", scope="range", settings={"model_negatives": "none"})
    assert len(lesson(ontology(silent), notes, uncovered="all").questions[0]) == 5
    wrong = asks("tl", "run", "jump", kind="timeline", scope="range", settings={"model_negatives": "some"})
    with pytest.raises(BadSetting, match="model_negatives='some' of 'tl' must be one of auto, all, span, none"):
        lesson(ontology(wrong), notes)


def test_the_fingerprint_changes_with_the_answers_alone() -> None:
    first = lesson(ontology(WEATHER), [note("a", said("weather", "sun"))]).questions
    same = lesson(ontology(WEATHER), [note("a", said("weather", "sun"))]).questions
    other = lesson(ontology(WEATHER), [note("a", said("weather", "rain"))]).questions
    assert fingerprint(first) == fingerprint(same) != fingerprint(other)


def test_the_default_label_stands_where_several_hold_and_one_may() -> None:
    both = note("a", said("weather", "sun"), said("weather", "rain"))
    assert lesson(ontology(WEATHER), [both]).questions == ()
    chosen = TrainingParameters(default_labels={"weather": "rain"})
    (question,) = lesson(ontology(WEATHER), [both], parameters=chosen).questions
    assert rows(question) == {("a", 0): {"sun": 0, "rain": 1}}


def test_several_choices_are_learned_as_a_single_one_where_a_person_wants_it() -> None:
    tags = asks("tags", "wet", "cold", kind="multiple")
    notes = [note("a", said("tags", "wet")), note("b", said("tags", "wet"), said("tags", "cold"))]
    (several,) = lesson(ontology(tags), notes).questions
    assert not several.exclusive
    (single,) = lesson(ontology(tags), notes, parameters=TrainingParameters(single_label=("tags",))).questions
    assert single.exclusive
    assert set(rows(single)) == {("a", 0)}


def test_one_against_the_rest_is_a_question_of_independent_options() -> None:
    (question,) = lesson(
        ontology(WEATHER), [note("a", said("weather", "sun"))], parameters=TrainingParameters(one_vs_rest=("weather",))
    ).questions
    assert not question.exclusive
    assert rows(question) == {("a", 0): {"sun": 1, "rain": 0}}


def test_options_and_classifications_are_left_out_as_chosen() -> None:
    sky = asks("sky", "sun", "rain", "snow")
    tags = asks("tags", "wet", "cold", kind="multiple")
    notes = [
        note("a", said("sky", "sun"), said("tags", "wet")),
        note("b", said("sky", "snow"), said("tags", "wet"), said("tags", "cold")),
    ]
    chosen = TrainingParameters(leave_out=("sky/snow", "tags/cold"))
    learned = lesson(ontology(sky, tags), notes, parameters=chosen)
    assert [rows(question) for question in learned.questions] == [
        {("a", 0): {"sun": 1, "rain": 0}},
        {("a", 0): {"wet": 1}, ("b", 0): {"wet": 1}},
    ]
    assert [(out.classification, out.reason, out.frames) for out in learned.left_out] == [
        ("sky", "shows an option that is left out", 1)
    ]
    only = lesson(ontology(sky, tags), notes, parameters=TrainingParameters(classifications=("tags",)))
    assert [question.classification for question in only.questions] == ["tags"]


def test_background_shows_none_of_the_options_unless_people_answered() -> None:
    child = asks("breed", "poodle", where=Condition("weather", frozenset({("sun",)})))
    empty = Annotated("b", "b", (), background=True)
    answered = Annotated("c", "c", (said("weather", "rain"),), background=True)
    learned = lesson(ontology(WEATHER, child), [note("a", said("weather", "sun")), empty, answered])
    (question,) = learned.questions  # an attribute is not asked of the background
    assert question.exclusive
    assert question.background
    assert rows(question) == {
        ("a", 0): {"sun": 1, "rain": 0},
        ("b", 0): {"sun": 0, "rain": 0},
        ("c", 0): {"sun": 0, "rain": 1},
    }


def test_answers_count_what_they_weigh_and_what_weighs_nothing_is_not_there() -> None:
    notes = [
        Annotated("a", "a", (said("weather", "sun"),), weight=0.5),
        Annotated("b", "b", (said("weather", "rain"),), weight=0.0),
    ]
    (question,) = lesson(ontology(WEATHER), notes).questions
    assert question.media.tolist() == ["a"]
    assert question.weights.tolist() == [0.5]
