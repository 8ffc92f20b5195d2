"""Labels on frames beside what people answered: examples in words, and laws over random selections."""

from __future__ import annotations

from collections.abc import Iterable
from functools import lru_cache

import hypothesis.strategies as st
import pytest
from hypothesis import given
from hypothesis.strategies import DrawFn

from espalier.jobs.bulk_answers import Composed, compose
from espalier.jobs.bulk_labels import Label, label_in
from espalier.jobs.bulk_parameters import BulkParameters
from espalier.jobs.bulk_selection import SelectedFrames
from espalier_ontology import regions, rules
from espalier_ontology.answers import PERSON, WHOLE, Answer, merge
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Ontology

LENGTH = 12
PICTURE = """<View><Image name="m" value="$image"/>
<Choices name="kind" toName="m" required="true"><Choice value="Animal"/><Choice value="Plant"/></Choices>
<Choices name="animal" toName="m" choice="single" visibleWhen="choice-selected" whenTagName="kind"
 whenChoiceValue="Animal"><Choice value="Cat"/><Choice value="Dog"/></Choices>
<Choices name="breed" toName="m" choice="multiple" visibleWhen="choice-selected" whenTagName="animal"
 whenChoiceValue="Cat"><Choice value="Siamese"/><Choice value="Persian"/></Choices></View>"""
VIDEO = """<View><Video name="m" value="$video" frameRate="25"/>
<TimelineLabels name="tl" toName="m"><Label value="Rain"/><Label value="Fog"/></TimelineLabels>
<Choices name="how" toName="m" choice="single" perRegion="true" whenTagName="tl" whenLabelValue="Rain">
<Choice value="hard"/><Choice value="soft"/></Choices>
<Choices name="place" toName="m" choice="single"><Choice value="in"/><Choice value="out"/></Choices></View>"""
SEQUENCE = """<View><Image name="m" valueList="$images"/>
<Choices name="day" toName="m" choice="single" perItem="true"><Choice value="sun"/><Choice value="rain"/></Choices>
<Taxonomy name="what" toName="m" perItem="true"><Choice value="A"><Choice value="x"/><Choice value="y"/></Choice>
<Choice value="B"/></Taxonomy></View>"""
SOURCE = "bulk1"
Case = tuple[str, list[str], Frames, tuple[Answer, ...], bool]


@lru_cache
def ontology_of(config: str) -> Ontology:
    return parse(config)


def give(config: str, labels: Iterable[str], frames: Frames, *people: Answer, with_parents: bool = False) -> Composed:
    ontology = ontology_of(config)
    length = 1 if ontology.media[0].kind == "image" else LENGTH
    extents = {"m": Frames.of((0, length))}
    wanted = [label_in(label) for label in labels]
    return compose(
        ontology, wanted, {"m": frames & extents["m"]}, people,
        source=SOURCE, extents=extents, with_parents=with_parents,
    )  # fmt: skip


def said(name: str, *path: str, frames: Frames = WHOLE, under: tuple[str, ...] | None = None) -> Answer:
    return Answer(name, path, frames, under=under)


def told(answers: Iterable[Answer]) -> list[tuple[str, str, tuple[tuple[int, int], ...]]]:
    return [(answer.classification, answer.option[-1], answer.frames.ranges) for answer in answers]


def test_a_child_needs_its_parent() -> None:
    alone = give(PICTURE, ["animal: Cat"], WHOLE)
    assert alone.given == ()
    assert [refusal.label for refusal in alone.refused] == [("animal", ("Cat",))]
    assert "asked only where kind is Animal: give that too" in alone.refused[0].reason
    assert told(give(PICTURE, ["animal: Cat", "kind: Animal"], WHOLE).given) == [
        ("kind", "Animal", ((0, 1),)),
        ("animal", "Cat", ((0, 1),)),
    ]


def test_a_person_s_parent_opens_the_child_and_stands_beside_it() -> None:
    composed = give(PICTURE, ["animal: Cat"], WHOLE, said("kind", "Animal"))
    assert told(composed.given) == [("animal", "Cat", ((0, 1),))]
    assert [(answer.classification, answer.source) for answer in composed.written] == [
        ("kind", PERSON),
        ("animal", SOURCE),
    ]


def test_parents_that_nobody_answered_are_given_along_where_that_is_wanted() -> None:
    whole = give(PICTURE, ["breed: Persian"], WHOLE, with_parents=True)
    assert [answer.classification for answer in whole.given] == ["kind", "animal", "breed"]
    below = give(PICTURE, ["breed: Persian"], WHOLE, said("kind", "Animal"), with_parents=True)
    assert [answer.classification for answer in below.given] == ["animal", "breed"]
    against = give(PICTURE, ["breed: Persian"], WHOLE, said("kind", "Plant"), with_parents=True)
    assert against.given == ()
    assert {refusal.label[0] for refusal in against.refused} == {"animal", "breed"}


def test_what_a_person_answered_otherwise_holds() -> None:
    against = give(PICTURE, ["kind: Plant"], WHOLE, said("kind", "Animal"))
    assert against.given == against.written == ()
    assert [refusal.reason for refusal in against.refused] == ["a person answered 'kind' otherwise there"]
    assert told(give(PICTURE, ["breed: Persian"], WHOLE, *_cat(), said("breed", "Siamese")).given) == [
        ("breed", "Persian", ((0, 1),))
    ], "of a multiple choice both may hold"


def test_what_a_person_said_is_not_said_again() -> None:
    again = give(PICTURE, ["kind: Animal"], WHOLE, said("kind", "Animal"))
    assert (again.given, again.written, again.refused) == ((), (), ())
    assert told(again.said) == [("kind", "Animal", ((0, 1),))]
    deeper = give(SEQUENCE, ["what: A"], Frames.of((0, 3)), said("what", "A", "x", frames=Frames.of((1, 2))))
    assert told(deeper.given) == [("what", "A", ((0, 1), (2, 3)))], "whoever says x has said A"


def test_a_range_is_filled_up_around_what_people_answered() -> None:
    rain = said("tl", "Rain", frames=Frames.of((3, 5)))
    assert told(give(VIDEO, ["tl: Rain"], Frames.of((0, 8)), rain).given) == [("tl", "Rain", ((0, 3), (5, 8)))]
    day = said("day", "sun", frames=Frames.of((3, 5)))
    mixed = give(SEQUENCE, ["day: rain"], Frames.of((0, 8)), day)
    assert told(mixed.given) == [("day", "rain", ((0, 3), (5, 8)))]
    assert mixed.refused[0].frames == Frames.of((3, 5))


def test_an_attribute_stands_in_the_regions_of_its_label() -> None:
    fog = said("tl", "Fog", frames=Frames.of((0, 12)))
    rain = said("tl", "Rain", frames=Frames.of((2, 6)))
    composed = give(VIDEO, ["how: hard"], Frames.of((4, 9)), rain, fog)
    assert [(answer.under, answer.frames.ranges) for answer in composed.given] == [(("Rain",), ((4, 6),))]
    assert composed.refused[0].frames == Frames.of((6, 9))
    with_label = give(VIDEO, ["how: hard"], Frames.of((4, 9)), rain, fog, with_parents=True)
    assert told(with_label.given) == [("tl", "Rain", ((6, 9),)), ("how", "hard", ((4, 9),))]


def test_of_a_whole_video_one_frame_stands_for_all() -> None:
    assert told(give(VIDEO, ["place: in"], Frames.of((4, 5))).given) == [("place", "in", ((0, LENGTH),))]
    assert give(VIDEO, ["place: in"], Frames()).given == ()


def test_what_is_required_and_not_answered_is_told() -> None:
    assert [one.classification for one in give(PICTURE, ["kind: Animal"], WHOLE).missing] == []
    required = PICTURE.replace('name="animal" toName="m" choice="single"', 'name="animal" toName="m" required="true"')
    assert [one.classification for one in give(required, ["kind: Animal"], WHOLE).missing] == ["animal"]


def test_ranges_beside_each_other_become_one_region() -> None:
    composed = give(VIDEO, ["tl: Rain"], Frames.of((0, 3), (3, 5), (8, 9)))
    written = regions.write(ontology_of(VIDEO), composed.written)
    assert [result["value"] for result in written] == [
        {"ranges": [{"start": 1, "end": 5}], "timelinelabels": ["Rain"]},
        {"ranges": [{"start": 9, "end": 9}], "timelinelabels": ["Rain"]},
    ]


def _cat() -> tuple[Answer, Answer]:
    return said("kind", "Animal"), said("animal", "Cat")


@st.composite
def _cases(draw: DrawFn) -> Case:
    """A configuration, labels that may be given together, frames, and what people answered, by the rules."""
    config = draw(st.sampled_from([PICTURE, VIDEO, SEQUENCE]))
    ontology = ontology_of(config)
    length = 1 if config is PICTURE else LENGTH
    masks = st.lists(st.booleans(), min_size=length, max_size=length).map(Frames.from_mask)

    def labels() -> st.SearchStrategy[Label]:
        return st.sampled_from(ontology.classifications).flatmap(
            lambda one: st.sampled_from([(one.name, option.path) for option in one.options])
        )

    wanted: dict[str, Label] = {}
    for label in draw(st.lists(labels(), min_size=1, max_size=3)):
        wanted.setdefault(label[0], label)
    people: list[Answer] = []
    for name, path in draw(st.lists(labels(), max_size=6)):
        frames = Frames.of((0, length)) if ontology.classification(name).scope == "media" else draw(masks)
        if frames:
            people.append(Answer(name, path, frames))
    held = rules.enforce(ontology, people).answers
    names = [": ".join([name, "/".join(path)]) for name, path in wanted.values()]
    BulkParameters(tuple(wanted.values()), (SelectedFrames(1),)).check(ontology)
    return config, names, draw(masks), held, draw(st.booleans())


def spans(answers: Iterable[Answer]) -> dict[tuple[str, tuple[str, ...], tuple[str, ...] | None], Frames]:
    found: dict[tuple[str, tuple[str, ...], tuple[str, ...] | None], Frames] = {}
    for answer in answers:
        key = answer.classification, answer.option, answer.under
        found[key] = found.get(key, Frames()) | answer.frames
    return found


@given(_cases())
def test_what_is_written_keeps_every_rule_by_itself(case: Case) -> None:
    config, labels, frames, people, along = case
    composed = give(config, labels, frames, *people, with_parents=along)
    assert rules.check(ontology_of(config), composed.written) == ()
    assert {answer.source for answer in composed.given} <= {SOURCE}
    stands = spans(composed.written)
    assert all(not given - stands[key] for key, given in spans(composed.given).items())


@given(_cases())
def test_given_said_or_refused_is_every_frame_that_was_selected(
    case: Case,
) -> None:
    config, labels, frames, people, along = case
    composed = give(config, labels, frames, *people, with_parents=along)
    for label in map(label_in, labels):
        parts = [one.frames for one in (*composed.given, *composed.said) if (one.classification, one.option) == label]
        parts += [one.frames for one in composed.refused if one.label == label]
        union = Frames.of(*(span for part in parts for span in part.ranges))
        assert union & frames == frames


@given(_cases())
def test_giving_it_again_gives_nothing(case: Case) -> None:
    config, labels, frames, people, along = case
    first = give(config, labels, frames, *people, with_parents=along)
    now = merge(
        [*people, *(Answer(one.classification, one.option, one.frames, under=one.under) for one in first.written)]
    )
    assert give(config, labels, frames, *now, with_parents=along).given == ()


@given(_cases())
def test_what_people_answered_is_never_contradicted(
    case: Case,
) -> None:
    config, labels, frames, people, along = case
    ontology = ontology_of(config)
    composed = give(config, labels, frames, *people, with_parents=along)
    for answer in composed.given:
        if ontology.classification(answer.classification).exclusive:
            for one in people:
                if one.classification == answer.classification and one.under == answer.under:
                    assert not one.frames & answer.frames


@given(_cases(), st.lists(st.booleans(), min_size=LENGTH, max_size=LENGTH))
def test_two_halves_are_the_whole(case: Case, side: list[bool]) -> None:
    config, labels, frames, people, along = case
    half = Frames.from_mask(side)
    at_once = give(config, labels, frames, *people, with_parents=along)
    one = give(config, labels, frames & half, *people, with_parents=along)
    other = give(config, labels, frames - half, *people, with_parents=along)
    assert spans([*one.given, *other.given]) == spans(at_once.given)


@pytest.mark.parametrize("config", [PICTURE, VIDEO, SEQUENCE], ids=["picture", "video", "sequence"])
def test_nothing_selected_is_nothing_given(config: str) -> None:
    first = ontology_of(config).classifications[0]
    nothing = give(config, [f"{first.name}: {first.options[0].name}"], Frames())
    assert nothing == Composed()
