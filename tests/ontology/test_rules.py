"""The rules, as examples in words and as laws over random projects."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import DataObject, SearchStrategy

from espalier_ontology.answers import PERSON, Answer, merge
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse
from espalier_ontology.rules import Missing, asked, check, enforce
from espalier_ontology.tree import Classification, Condition, Ontology, Path

Answers = Callable[[Ontology, str, tuple[float, ...]], SearchStrategy[list[Answer]]]
MODEL = "model 3"
PARENTS: tuple[Literal["run", "people"], ...] = ("run", "people")

PETS = parse(
    """<View><Image name="i" value="$image"/>
    <Choices name="kind" toName="i" required="true"><Choice value="Animal"/><Choice value="Plant"/></Choices>
    <Choices name="animal" toName="i" visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Animal">
      <Choice value="Cat"/><Choice value="Dog"/></Choices>
    <Choices name="breed" toName="i" choice="multiple"
      visibleWhen="choice-selected" whenTagName="animal" whenChoiceValue="Cat">
      <Choice value="Siamese"/><Choice value="Persian"/></Choices>
    <Choices name="wild" toName="i" visibleWhen="choice-unselected" whenTagName="kind" whenChoiceValue="Plant">
      <Choice value="yes"/><Choice value="no"/></Choices></View>"""
)
VIDEO = parse(
    """<View><Video name="v" value="$video" frameRate="25"/>
    <TimelineLabels name="tl" toName="v"><Label value="Animal"/><Label value="Plant"/></TimelineLabels>
    <Choices name="kind" toName="v" perRegion="true" required="true" whenTagName="tl" whenLabelValue="Animal">
      <Choice value="Cat"/><Choice value="Dog"/></Choices>
    <Choices name="size" toName="v" perRegion="true"><Choice value="big"/><Choice value="small"/></Choices>
    <Choices name="breed" toName="v" choice="multiple" perRegion="true"
      visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Cat"><Choice value="Siamese"/></Choices>
    </View>"""
)
TREE = parse(
    """<View><Image name="i" value="$image"/><Taxonomy name="t" toName="i" maxUsages="1">
    <Choice value="Animal"><Choice value="Cat"/><Choice value="Dog"/></Choice><Choice value="Plant"/>
    </Taxonomy></View>"""
)
LEAVES = parse(
    """<View><Image name="i" value="$image"/><Taxonomy name="t" toName="i" leafsOnly="true">
    <Choice value="Animal"><Choice value="Cat"/><Choice value="Dog"/></Choice><Choice value="Plant"/>
    </Taxonomy></View>"""
)


def model(name: str, *path: str, confidence: float = 0.9) -> Answer:
    return Answer(name, path, confidence=confidence, source=MODEL)


def spans(name: str, option: str, *ranges: tuple[int, int], under: str | None = None, by: str = MODEL) -> Answer:
    confidence = 1.0 if by == PERSON else 0.9
    return Answer(name, (option,), Frames.of(*ranges), confidence, by, (under,) if under else None)


def short(answers: tuple[Answer, ...]) -> list[str]:
    return sorted(f"{answer.classification}={'/'.join(answer.option)}" for answer in answers)


@pytest.mark.parametrize(
    ("ontology", "answers", "kept", "withheld"),
    [
        pytest.param(
            PETS,
            [model("kind", "Animal"), model("animal", "Cat"), model("breed", "Persian"), model("breed", "Siamese")],
            ["animal=Cat", "breed=Persian", "breed=Siamese", "kind=Animal"],
            [],
            id="a whole chain stays",
        ),
        pytest.param(PETS, [model("animal", "Cat")], [], ["orphan"], id="a child without its parent goes"),
        pytest.param(
            PETS,
            [model("kind", "Plant"), model("animal", "Cat"), model("breed", "Siamese")],
            ["kind=Plant"],
            ["orphan", "orphan"],
            id="a grandchild goes with its parent",
        ),
        pytest.param(
            PETS,
            [model("kind", "Plant", confidence=0.6), model("kind", "Animal", confidence=0.7)],
            ["kind=Animal"],
            ["second option"],
            id="the surer option wins",
        ),
        pytest.param(
            PETS,
            [model("kind", "Plant"), model("kind", "Animal")],
            ["kind=Animal"],
            ["second option"],
            id="a tie goes to the first in the configuration",
        ),
        pytest.param(
            PETS, [model("kind", "Animal"), model("wild", "yes")], ["kind=Animal", "wild=yes"], [], id="not a plant"
        ),
        pytest.param(PETS, [model("wild", "yes")], [], ["orphan"], id="nobody knows that it is no plant"),
        pytest.param(
            PETS,
            [model("kind", "Stone"), model("colour", "red")],
            [],
            ["unknown classification", "unknown option"],
            id="unknown names",
        ),
        pytest.param(
            TREE, [model("t", "Animal"), model("t", "Animal", "Cat")], ["t=Animal/Cat"], [], id="a path says its prefix"
        ),
        pytest.param(
            TREE,
            [model("t", "Animal"), model("t", "Animal", "Cat", confidence=0.5), model("t", "Plant", confidence=0.8)],
            ["t=Animal/Cat"],
            ["second option"],
            id="the surer branch wins over the surer leaf",
        ),
        pytest.param(TREE, [model("t", "Cat")], [], ["path not from the root"], id="a path without its root"),
        pytest.param(LEAVES, [model("t", "Animal")], [], ["not a leaf"], id="an inner option where only leaves count"),
        pytest.param(
            LEAVES,
            [model("t", "Animal", "Cat"), model("t", "Plant")],
            ["t=Animal/Cat", "t=Plant"],
            [],
            id="a taxonomy takes several paths",
        ),
    ],
)
def test_enforce_on_an_image(ontology: Ontology, answers: list[Answer], kept: list[str], withheld: list[str]) -> None:
    enforced = enforce(ontology, answers)
    assert short(enforced.answers) == kept
    assert sorted(violation.code for violation in enforced.withheld) == withheld
    assert sorted({violation.code for violation in check(ontology, answers)} - {"orphan"}) == sorted(
        set(withheld) - {"orphan"}
    )


def test_a_child_stays_exactly_where_its_parent_holds() -> None:
    answers = [
        spans("tl", "Animal", (0, 50), (60, 70)),
        spans("kind", "Cat", (40, 65), under="Animal"),
        spans("breed", "Siamese", (0, 100), under="Animal"),
    ]
    kept = {answer.classification: answer.frames for answer in enforce(VIDEO, answers).answers}
    assert kept["kind"] == Frames.of((40, 50), (60, 65))
    assert kept["breed"] == Frames.of((40, 50), (60, 65))


def test_attributes_of_overlapping_labels_are_kept_apart() -> None:
    answers = [
        spans("tl", "Animal", (0, 50)),
        spans("tl", "Plant", (20, 80)),
        spans("size", "big", (0, 80), under="Animal"),
        spans("size", "small", (0, 80), under="Plant"),
    ]
    enforced = enforce(VIDEO, answers)
    sizes = {answer.under: answer.frames for answer in enforced.answers if answer.classification == "size"}
    assert sizes == {("Animal",): Frames.of((0, 50)), ("Plant",): Frames.of((20, 80))}


def test_an_attribute_without_a_label_stands_in_every_label_that_permits_it() -> None:
    answers = [spans("tl", "Animal", (0, 50)), spans("tl", "Plant", (20, 80)), spans("size", "big", (10, 90))]
    enforced = enforce(VIDEO, answers)
    sizes = {answer.under: answer.frames for answer in enforced.answers if answer.classification == "size"}
    assert sizes == {("Animal",): Frames.of((10, 50)), ("Plant",): Frames.of((20, 80))}
    assert [(one.code, one.answer.frames) for one in enforced.withheld] == [("orphan", Frames.of((80, 90)))]


def test_a_person_decides_what_is_asked_below() -> None:
    people = [Answer("kind", ("Plant",))]
    answers = [model("kind", "Animal"), model("animal", "Cat")]
    enforced = enforce(PETS, answers, people=people)
    assert short(enforced.answers) == ["kind=Animal"], "the model's own view stays, to be compared"
    assert [violation.code for violation in enforced.withheld] == ["orphan"]


def test_a_persons_answer_makes_the_chain_whole() -> None:
    people = [Answer("kind", ("Animal",)), Answer("animal", ("Cat",))]
    answers = [model("kind", "Plant"), model("breed", "Persian")]
    enforced = enforce(PETS, answers, people=people)
    assert {(one.classification, one.source) for one in enforced.answers} == {
        ("kind", PERSON),
        ("animal", PERSON),
        ("breed", MODEL),
    }
    assert [(one.code, one.answer.option) for one in enforced.withheld] == [("overruled", ("Plant",))]


def test_a_leaf_is_kept_beside_a_persons_answer() -> None:
    people = [Answer("kind", ("Animal",)), Answer("animal", ("Cat",)), Answer("breed", ("Persian",))]
    enforced = enforce(PETS, [model("breed", "Siamese")], people=people)
    assert [answer.source for answer in enforced.answers if answer.classification == "breed"] == [MODEL]


def test_people_only_means_that_a_run_does_not_open_its_own_children() -> None:
    answers = [model("kind", "Animal"), model("animal", "Cat"), model("breed", "Persian")]
    assert short(enforce(PETS, answers, parents="people").answers) == ["kind=Animal"]
    people = [Answer("kind", ("Animal",))]
    assert short(enforce(PETS, answers, people=people, parents="people").answers) == ["animal=Cat", "kind=Animal"]


def test_a_person_decides_only_on_the_frames_that_they_answered() -> None:
    people = [spans("tl", "Plant", (0, 10), by=PERSON)]
    answers = [spans("tl", "Animal", (0, 30)), spans("kind", "Cat", (0, 30), under="Animal")]
    enforced = enforce(VIDEO, answers, people=people)
    assert {one.classification: one.frames for one in enforced.answers} == {
        "tl": Frames.of((0, 30)),
        "kind": Frames.of((10, 30)),
    }


def test_missing_names_what_is_required_and_asked() -> None:
    assert enforce(PETS, []).missing == (Missing("kind", Frames.at([0])),)
    assert enforce(PETS, [model("kind", "Plant")]).missing == ()
    answers = [spans("tl", "Animal", (0, 50)), spans("kind", "Cat", (10, 20), under="Animal")]
    assert enforce(VIDEO, answers).missing == (Missing("kind", Frames.of((0, 10), (20, 50))),)


def test_check_names_frames_past_the_end() -> None:
    found = check(VIDEO, [spans("tl", "Animal", (0, 50))], lengths={"v": 40})
    assert [(one.code, one.answer.frames) for one in found] == [("out of range", Frames.of((40, 50)))]


def test_check_knows_that_label_studio_keeps_a_child_of_an_unanswered_parent() -> None:
    assert check(PETS, [Answer("wild", ("yes",))]) == ()


def test_asked_says_where_an_attribute_is_wanted() -> None:
    where = asked(VIDEO, [spans("tl", "Animal", (0, 50)), spans("kind", "Cat", (10, 20), under="Animal")])
    assert where["kind"] == Frames.of((0, 50))
    assert where["breed"] == Frames.of((10, 20))
    assert where["tl"] & Frames.of((0, 9)) == Frames.of((0, 9))


LAWS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.data())
@LAWS
def test_no_orphan_and_no_second_option_ever(
    configurations: SearchStrategy[str], answers_to: Answers, data: DataObject
) -> None:
    ontology = _ontology(configurations, data)
    answers, people = _drawn(ontology, answers_to, data)
    parents = data.draw(st.sampled_from(PARENTS))
    enforced = enforce(ontology, answers, people=people, parents=parents)
    assert check(ontology, enforced.answers) == ()
    _assert_sound(ontology, enforced.answers)
    given_to_it = {(one.classification, one.option, frame) for one in [*answers, *people] for frame in one.frames}
    assert {(one.classification, one.option, frame) for one in enforced.answers for frame in one.frames} <= given_to_it
    again = enforce(ontology, enforced.answers, people=people, parents=parents)
    assert again.answers == enforced.answers


@given(st.data())
@LAWS
def test_people_decide(configurations: SearchStrategy[str], answers_to: Answers, data: DataObject) -> None:
    ontology = _ontology(configurations, data)
    answers, people = _drawn(ontology, answers_to, data)
    people = list(enforce(ontology, people).answers)
    for parents in PARENTS:
        for child in enforce(ontology, answers, people=people, parents=parents).answers:
            asked_child = ontology.classification(child.classification)
            for condition in asked_child.conditions:
                parent = ontology.classification(condition.classification)
                for frame in child.frames:
                    said = _at(ontology, asked_child, parent, people, frame, child.under)
                    assert not said or _met(condition, said)
                    assert said or parents == "run"


@given(st.data())
@LAWS
def test_the_order_of_answers_does_not_matter(
    configurations: SearchStrategy[str], answers_to: Answers, data: DataObject
) -> None:
    ontology = _ontology(configurations, data)
    answers, people = _drawn(ontology, answers_to, data)
    shuffled = data.draw(st.permutations(answers))
    assert enforce(ontology, answers, people=people).answers == enforce(ontology, shuffled, people=people).answers


def _ontology(configurations: SearchStrategy[str], data: DataObject) -> Ontology:
    ontology = parse(data.draw(configurations))
    assert all("can never be asked" in skipped.reason or "depends on" in skipped.reason for skipped in ontology.skipped)
    return ontology


def _drawn(ontology: Ontology, answers_to: Answers, data: DataObject) -> tuple[list[Answer], list[Answer]]:
    answers = data.draw(answers_to(ontology, MODEL, (0.2, 0.5, 0.5, 0.9)))
    return answers, data.draw(answers_to(ontology, PERSON, (1.0,)))


def _at(
    ontology: Ontology,
    child: Classification,
    parent: Classification,
    answers: list[Answer],
    frame: int,
    under: Path | None,
) -> set[Path]:
    """Frame by frame and by hand: the options that a parent has where this child is asked."""
    wide = child.scope == "media" or parent.scope == "media"
    found = {one for one in answers if one.classification == parent.name and (wide or frame in one.frames)}
    if child.per_region and parent.kind == "timeline":
        found = {one for one in found if one.option == under}
    if child.per_region and parent.per_region:
        found = {one for one in found if one.under == under}
    return {one.option for one in found}


def _met(condition: Condition, said: set[Path]) -> bool:
    among = bool(said if condition.options is None else said & condition.options)
    return bool(said) and among != condition.negated


def _assert_sound(ontology: Ontology, answers: tuple[Answer, ...]) -> None:
    for answer in answers:
        classification = ontology.classification(answer.classification)
        assert classification.option(answer.option)
        assert classification.per_region == (answer.under is not None)
        for frame in answer.frames:
            for condition in classification.conditions:
                parent = ontology.classification(condition.classification)
                assert _met(condition, _at(ontology, classification, parent, list(answers), frame, answer.under))
            same = [
                one
                for one in answers
                if one.classification == answer.classification
                and one.under == answer.under
                and (frame in one.frames or classification.scope == "media")
            ]
            assert len({one.option for one in same}) == 1 or not classification.exclusive
    assert merge(answers) == answers
