"""How many of a model's answers a person gave, too; worked by hand."""

from __future__ import annotations

import pytest

from espalier.judging.agreement import Agreement, agreement
from espalier_ontology.answers import Answer
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse

NESTED = parse(
    """<View><Image name="i" value="$i"/>
    <Choices name="kind" toName="i" choice="single"><Choice value="animal"/><Choice value="plant"/></Choices>
    <Choices name="animal" toName="i" choice="single" visibleWhen="choice-selected" whenTagName="kind"
      whenChoiceValue="animal"><Choice value="cat"/><Choice value="dog"/></Choices>
    <Choices name="traits" toName="i" choice="multiple"><Choice value="old"/><Choice value="wet"/></Choices></View>"""
)
PATHS = parse(
    """<View><Image name="i" value="$i"/><Taxonomy name="what" toName="i">
    <Choice value="animal"><Choice value="cat"/><Choice value="dog"/></Choice><Choice value="plant"/></Taxonomy>
    </View>"""
)
VIDEO = parse(
    """<View><Video name="v" value="$v"/>
    <TimelineLabels name="shot" toName="v"><Label value="near"/><Label value="far"/></TimelineLabels>
    <Choices name="scene" toName="v" choice="single"><Choice value="indoor"/><Choice value="outdoor"/></Choices>
    </View>"""
)


def frames(start: int, stop: int) -> Frames:
    return Frames.of((start, stop))


@pytest.mark.parametrize(
    ("predicted", "told", "expected"),
    [
        ([Answer("kind", ("animal",))], [Answer("kind", ("animal",))], {"kind": Agreement(1, 1, 1)}),
        ([Answer("kind", ("animal",))], [Answer("kind", ("plant",))], {"kind": Agreement(1, 1, 0)}),
        ([Answer("kind", ("animal",))], [Answer("traits", ("old",))], {"kind": Agreement()}),
        (
            [Answer("kind", ("animal",)), Answer("animal", ("cat",))],
            [Answer("kind", ("plant",))],
            {"kind": Agreement(1, 1, 0), "animal": Agreement(1, 1, 0)},
        ),
        ([Answer("traits", ("old",))], [Answer("kind", ("plant",))], {"traits": Agreement(1, 1, 0)}),
        (
            [Answer("traits", ("old",)), Answer("traits", ("wet",))],
            [Answer("traits", ("wet",))],
            {"traits": Agreement(2, 2, 1)},
        ),
        ([], [Answer("kind", ("plant",))], {}),
    ],
    ids=["right", "wrong", "left open", "a child nobody asks", "none of several", "one of several", "no answer"],
)
def test_of_images(predicted: list[Answer], told: list[Answer], expected: dict[str, Agreement]) -> None:
    assert agreement(NESTED, predicted, told) == expected


def test_an_option_holds_where_one_below_it_does() -> None:
    assert agreement(PATHS, [Answer("what", ("animal",))], [Answer("what", ("animal", "cat"))]) == {
        "what": Agreement(1, 1, 1)
    }
    assert agreement(PATHS, [Answer("what", ("animal", "cat"))], [Answer("what", ("animal", "dog"))]) == {
        "what": Agreement(1, 1, 0)
    }


def test_ranges_are_compared_frame_by_frame() -> None:
    predicted = [Answer("shot", ("near",), frames(10, 30)), Answer("shot", ("far",), frames(50, 60))]
    told = [Answer("shot", ("near",), frames(0, 25)), Answer("shot", ("far",), frames(20, 40))]
    assert agreement(VIDEO, predicted, told) == {"shot": Agreement(2, 30, 15)}


def test_an_answer_about_a_whole_video_is_one_decision() -> None:
    predicted = [Answer("scene", ("indoor",), frames(0, 500))]
    told = [Answer("scene", ("indoor",), frames(0, 500))]
    assert agreement(VIDEO, predicted, told) == {"scene": Agreement(1, 1, 1)}


def test_the_interval_counts_answers_and_not_frames() -> None:
    many, few = Agreement(25, 25, 23), Agreement(5, 25, 23)
    assert many.precision == few.precision == 0.92
    assert (round(many.interval.low, 3), round(many.interval.high, 3)) == (0.75, 0.978)  # Wilson, by hand
    assert few.interval.low < many.interval.low
    assert (Agreement().precision, Agreement().interval.low, Agreement().interval.high) == (0.0, 0.0, 1.0)
