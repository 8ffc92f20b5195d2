"""What there is to learn from, counted and doubted, on answers small enough to count by hand."""

from __future__ import annotations

import json
from collections.abc import Iterable
from typing import Any

from espalier.labeling.label_counts import LabelCounts, count
from espalier.labeling.label_warnings import label_warnings
from espalier.learning.questions import Annotated
from espalier.learning.targets import lesson
from espalier.learning.training_parameters import TrainingParameters
from espalier_ontology import labeling_config
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames

PICTURES = labeling_config.parse(
    """<View><Image name="i" value="$i"/>
    <Choices name="kind" toName="i"><Choice value="a"/><Choice value="b"/><Choice value="c"/></Choices>
    <Choices name="flaw" toName="i" choice="multiple"><Choice value="x"/><Choice value="y"/></Choices>
    <Choices name="sort" toName="i" visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="a">
      <Choice value="s"/><Choice value="t"/></Choices></View>"""
)
VIDEO = labeling_config.parse(
    """<View><Video name="v" value="$v"/>
    <TimelineLabels name="act" toName="v"><Label value="run"/><Label value="sit"/></TimelineLabels></View>"""
)


def answer(classification: str, option: str, *frames: tuple[int, int]) -> Answer:
    return Answer(classification, (option,), Frames.of(*(frames or [(0, 1)])), 1.0, "person")


def picture(name: str, *answers: tuple[str, str], **more: Any) -> Annotated:
    return Annotated(name, name, tuple(answer(*one) for one in answers), **more)


def counted(annotated: Iterable[Annotated], ontology: Any = PICTURES, **chosen: Any) -> LabelCounts:
    given = list(annotated)
    parameters = TrainingParameters(**chosen)
    parts = {one.media: one.part for one in given if one.part is not None}
    return count(ontology, lesson(ontology, given, parameters=parameters), parameters, parts)


def warned(counts: LabelCounts, **chosen: Any) -> tuple[str, ...]:
    return label_warnings(counts, TrainingParameters(**chosen))


def kinds(**numbers: int) -> list[Annotated]:
    return [picture(f"{kind}{n}", ("kind", kind)) for kind, many in numbers.items() for n in range(many)]


def test_every_option_of_every_question_is_counted() -> None:
    counts = counted(
        [
            picture("p", ("kind", "a"), ("flaw", "x"), ("sort", "s")),
            picture("q", ("kind", "a"), ("flaw", "x"), ("flaw", "y"), ("sort", "t")),
            picture("r", ("kind", "b"), ("flaw", "y")),
        ]
    )
    by_name = {question.name: question for question in counts.questions}
    assert list(by_name) == ["kind", "flaw", "sort"]
    numbers = {
        (name, option.name): (option.media, option.frames, option.frames_without)
        for name, question in by_name.items()
        for option in question.options
    }
    assert numbers == {
        ("kind", "a"): (2, 2, 1),
        ("kind", "b"): (1, 1, 2),
        ("kind", "c"): (0, 0, 3),
        ("flaw", "x"): (2, 2, 1),
        ("flaw", "y"): (2, 2, 1),
        ("sort", "s"): (1, 1, 1),
        ("sort", "t"): (1, 1, 1),
    }
    assert (by_name["kind"].media, by_name["sort"].media) == (3, 2), "a child is counted below its parent alone"
    assert all(not question.reason for question in counts.questions)
    json.dumps(counts.to_json())


def test_frames_of_videos_are_images_where_they_are_labeled_one_by_one() -> None:
    film = Annotated("film", "film", (answer("act", "run", (0, 20)), answer("act", "sit", (20, 30))), length=30)
    other = Annotated("other", "other", (answer("act", "run", (0, 5)),), length=30)
    counts = counted([film, other], VIDEO)
    (question,) = counts.questions
    assert [(option.media, option.frames) for option in question.options] == [(2, 25), (1, 10)]
    assert [question.images(option) for option in question.options] == [25, 10]
    assert warned(counts) == (
        "act: fewer than 15 frames, so what is measured is a guess: sit (10)",
        "act: only one media shows sit, so what is measured of it flatters",
    )


def test_few_images_and_unanswered_options_are_named_with_their_numbers() -> None:
    counts = counted(kinds(a=15, b=14))
    assert warned(counts) == (
        "kind: nobody has answered c, so it is never predicted",
        "kind: fewer than 15 images, so what is measured is a guess: b (14)",
    )
    assert warned(counts, min_images=14) == ("kind: nobody has answered c, so it is never predicted",)


def test_a_class_twenty_times_rarer_is_told_unless_classes_are_weighed() -> None:
    many = counted(kinds(a=320, b=16, c=17))
    assert warned(many) == (
        "kind: 20 times rarer than a (320 images): b (16); label more of them, or weigh classes "
        "(--class-weight balanced)",
    )
    assert warned(many, class_weight="balanced") == ()


def test_what_cannot_be_learned_says_why() -> None:
    alone = counted(kinds(a=20))
    assert alone.questions[0].reason == "only a is answered: answer a second option, or name a background"
    assert alone.questions[1].reason == "nobody has answered it yet"
    assert any(sentence.startswith("kind: cannot be learned yet: only a") for sentence in warned(alone))
    same = counted(picture(str(n), ("flaw", "x")) for n in range(20))
    assert same.questions[1].reason == (
        "wherever it is answered the same options hold (x): answer frames on which they do not"
    )


def test_a_background_makes_one_class_enough() -> None:
    counts = counted([*kinds(a=20), *(picture(f"z{n}", background=True) for n in range(7))])
    assert (counts.questions[0].reason, counts.questions[0].background) == ("", 7)


def test_what_was_left_out_by_choice_or_contradiction_is_told() -> None:
    given = [*kinds(a=2, b=2), picture("a0", ("kind", "b"))]
    counts = counted(given, leave_out=("flaw",))
    assert counts.questions[1].reason == "left out by choice"
    assert counts.left_out == ("kind: 1 frames, annotators differ",)


def test_chosen_parts_are_counted_and_what_they_lack_is_told() -> None:
    given = [
        *(picture(f"a{n}", ("kind", "a"), part="validation" if n < 5 else "train") for n in range(20)),
        *(picture(f"b{n}", ("kind", "b"), part="train") for n in range(20)),
        *(picture(f"c{n}", ("kind", "c"), part="validation") for n in range(20)),
    ]
    counts = counted(given)
    assert [option.parts for option in counts.questions[0].options] == [
        {"train": 15, "validation": 5, "test": 0},
        {"train": 20, "validation": 0, "test": 0},
        {"train": 0, "validation": 20, "test": 0},
    ]
    assert warned(counts) == (
        "kind: the chosen validation set has no b, so that is not measured there",
        "kind: nothing is left to train on of c: all of it is in validation or test",
    )
