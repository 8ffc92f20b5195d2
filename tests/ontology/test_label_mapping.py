"""Old names read as new ones: examples in words, and laws over random projects."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import replace
from datetime import datetime, timedelta, timezone

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.strategies import DataObject, SearchStrategy

from espalier_ontology import regions
from espalier_ontology.answers import PERSON, Answer, merge
from espalier_ontology.frames import Frames
from espalier_ontology.label_mapping import LabelMapping, MappingKind, apply, check
from espalier_ontology.labeling_config import parse
from espalier_ontology.old_names import with_old_names
from espalier_ontology.tree import Ontology, Option, Path

Answers = Callable[[Ontology, str, tuple[float, ...]], SearchStrategy[list[Answer]]]

NOON = datetime(2026, 3, 1, 12, tzinfo=timezone.utc)
WEATHER = """<View><Image name="i" value="$image"/>
<Choices name="Weather" toName="i" choice="{choice}">{options}</Choices>
<Choices name="Drops" toName="i" visibleWhen="choice-selected" whenTagName="Weather" whenChoiceValue="{wet}">
  <Choice value="big"/><Choice value="small"/></Choices></View>"""
TREE = """<View><Image name="i" value="$image"/><Taxonomy name="Kind" toName="i">{options}</Taxonomy></View>"""
VIDEO = """<View><Video name="v" value="$video"/>
<TimelineLabels name="tl" toName="v"><Label value="{label}"/><Label value="Plant"/></TimelineLabels>
<Choices name="breed" toName="v" perRegion="true" whenTagName="tl" whenLabelValue="{label}">
  <Choice value="Cat"/><Choice value="Dog"/></Choices></View>"""


def weather(*options: str, wet: str = "Rain", choice: str = "single") -> Ontology:
    tags = "".join(option if option.startswith("<") else f'<Choice value="{option}"/>' for option in options)
    return parse(WEATHER.format(options=tags, wet=wet, choice=choice))


def mapping(kind: MappingKind, old: str, *new: str, day: int = 0) -> LabelMapping:
    """`old` and `new` as Kind/Animal/Cat."""
    name, *path = old.split("/")
    paths = tuple(tuple(one.split("/")[1:]) for one in new)
    return LabelMapping(kind, name, tuple(path), paths, NOON + timedelta(days=day), id=f"m{day}")


def say(text: str, *, confidence: float = 1.0, by: str = PERSON, frames: Frames | None = None) -> Answer:
    name, *path = text.split("/")
    answer = Answer(name, tuple(path), confidence=confidence, source=by)
    return answer if frames is None else answer.on(frames)


def short(answers: Sequence[Answer]) -> list[str]:
    return ["/".join((answer.classification, *answer.option)) for answer in answers]


def choices(**given: str) -> list[dict[str, object]]:
    return [
        {"id": name, "from_name": name, "to_name": "i", "type": "choices", "value": {"choices": value.split(",")}}
        for name, value in given.items()
    ]


def region(id: str, name: str, kind: str, option: str) -> dict[str, object]:
    value = {"ranges": [{"start": 1, "end": 9}], kind: [option]}
    return {"id": id, "from_name": name, "to_name": "v", "type": kind, "value": value}


def read(now: Ontology, result: list[dict[str, object]], *mappings: LabelMapping) -> tuple[list[str], list[str]]:
    """What a result of yesterday says today, and what nobody can tell."""
    reading = regions.read(with_old_names(now, mappings), result)
    assert not reading.problems
    answers, again = apply(reading.answers, mappings, now)
    return short(answers), short([one.answer for one in again])


def test_a_renamed_option_takes_its_attributes_along() -> None:
    now = weather("Sun", "Rainy", wet="Rainy")
    result = choices(Weather="Rain", Drops="big")
    assert regions.read(now, result).answers == ()
    answers, again = read(now, result, mapping("rename", "Weather/Rain", "Weather/Rainy"))
    assert answers == ["Weather/Rainy", "Drops/big"]
    assert again == []
    assert read(now, choices(Weather="Sun"), mapping("rename", "Weather/Rain", "Weather/Rainy"))[0] == ["Weather/Sun"]


def test_what_two_options_became_is_said_once() -> None:
    now = weather("Sun", "Wet", wet="Wet", choice="multiple")
    merged = [mapping("merge", f"Weather/{old}", "Weather/Wet", day=day) for day, old in enumerate(("Rain", "Drizzle"))]
    assert read(now, choices(Weather="Rain,Drizzle,Sun", Drops="small"), *merged)[0] == [
        "Weather/Wet",
        "Weather/Sun",
        "Drops/small",
    ]


def test_the_surer_of_two_merged_answers_counts_frame_by_frame() -> None:
    merged = [mapping("merge", "Kind/Car", "Kind/Vehicle"), mapping("merge", "Kind/Van", "Kind/Vehicle")]
    answers = [
        say("Kind/Car", confidence=0.6, by="v1", frames=Frames.of((0, 10))),
        say("Kind/Van", confidence=0.9, by="v1", frames=Frames.of((5, 20))),
    ]
    told, _ = apply(answers, merged)
    assert [(answer.option, answer.confidence, answer.frames.ranges) for answer in told] == [
        (("Vehicle",), 0.6, ((0, 5),)),
        (("Vehicle",), 0.9, ((5, 20),)),
    ]


def test_a_split_option_waits_for_somebody_to_look() -> None:
    now = weather("Sun", "Drizzle", "Downpour", wet="Downpour")
    split = mapping("split", "Weather/Rain", "Weather/Drizzle", "Weather/Downpour")
    reading = regions.read(with_old_names(now, [split]), choices(Weather="Rain", Drops="big"))
    answers, again = apply(reading.answers, [split], now)
    assert short(answers) == ["Drops/big"], "which stays unasked, for nobody has answered its parent"
    ((answer, by),) = again
    assert (answer.option, by.new) == (("Rain",), (("Drizzle",), ("Downpour",)))


def test_a_retired_option_is_learned_no_more() -> None:
    assert read(weather("Sun", "Snow", wet="Snow"), choices(Weather="Rain"), mapping("retire", "Weather/Rain")) == (
        [],
        [],
    )


@pytest.mark.parametrize("kind", ["split", "retire"])
def test_what_a_path_says_of_its_parent_stays(kind: MappingKind) -> None:
    new = ["Kind/Animal/Puppy", "Kind/Animal/Adult"] if kind == "split" else []
    away = mapping(kind, "Kind/Animal/Dog", *new)
    answers, again = apply([say("Kind/Animal/Dog/brown"), say("Kind/Plant")], [away])
    assert short(answers) == ["Kind/Animal", "Kind/Plant"]
    assert len(again) == len(new) / 2


def test_the_parent_of_a_split_option_is_not_said_beside_what_lies_below_it() -> None:
    away = mapping("split", "Kind/Animal/Dog", "Kind/Animal/Puppy", "Kind/Animal/Adult")
    assert short(apply([say("Kind/Animal/Dog"), say("Kind/Animal/Cat")], [away])[0]) == ["Kind/Animal/Cat"]


def test_a_renamed_parent_renames_its_paths() -> None:
    now = parse(TREE.format(options='<Choice value="Creature"><Choice value="Cat"/></Choice>'))
    renamed = mapping("rename", "Kind/Animal", "Kind/Creature")
    result: list[dict[str, object]] = [
        {
            "id": "a",
            "from_name": "Kind",
            "to_name": "i",
            "type": "taxonomy",
            "value": {"taxonomy": [["Animal", "Cat"]]},
        }
    ]
    assert read(now, result, renamed)[0] == ["Kind/Creature/Cat"]


def test_mappings_apply_in_the_order_of_their_dates() -> None:
    now = weather("Sun", "Wet", wet="Wet")
    first, second = (
        mapping("rename", "Weather/Rain", "Weather/Rainy", day=1),
        mapping("rename", "Weather/Rainy", "Weather/Wet", day=2),
    )
    for together in ((first, second), (second, first)):
        assert read(now, choices(Weather="Rain", Drops="big"), *together)[0] == ["Weather/Wet", "Drops/big"]
        assert read(now, choices(Weather="Rainy"), *together)[0] == ["Weather/Wet"]
    assert short(apply([say("Weather/Rain")], [second])[0]) == ["Weather/Rain"], "the one in the middle was undone"


def test_a_timeline_label_takes_its_regions_along() -> None:
    now = parse(VIDEO.format(label="Creature"))
    result = [
        region("r", "tl", "timelinelabels", "Animal"),
        region("r", "breed", "choices", "Cat"),
        region("s", "tl", "timelinelabels", "Plant"),
    ]
    renamed = mapping("rename", "tl/Animal", "tl/Creature")
    reading = regions.read(with_old_names(now, [renamed]), result)
    answers, _ = apply(reading.answers, [renamed], now)
    assert {(answer.option, answer.under) for answer in answers} == {
        (("Creature",), None),
        (("Plant",), None),
        (("Cat",), ("Creature",)),
    }
    assert set(answers) == set(regions.read(now, _replaced(result, "Animal", "Creature")).answers)
    gone, _ = apply(reading.answers, [mapping("retire", "tl/Animal")], now)
    assert [answer.option for answer in gone] == [("Plant",)]


def _replaced(result: list[dict[str, object]], old: str, new: str) -> list[dict[str, object]]:
    found: list[dict[str, object]] = json.loads(json.dumps(result).replace(old, new))
    return found


def test_a_choice_of_a_labels_name_moves_no_region() -> None:
    under = replace(say("breed/Cat"), under=("Animal",))
    now = parse(
        VIDEO.format(label="Animal").replace(
            "</View>", '<Choices name="who" toName="v"><Choice value="Being"/><Choice value="x"/></Choices></View>'
        )
    )
    answers, _ = apply(
        [say("tl/Animal"), under, say("who/Animal")], [mapping("rename", "who/Animal", "who/Being")], now
    )
    assert answers == (say("tl/Animal"), under, say("who/Being"))


def test_an_old_alias_is_read_where_a_configuration_tells_of_it() -> None:
    now = weather("Sun", "Rainy", wet="Rainy")
    renamed = replace(mapping("rename", "Weather/Rain", "Weather/Rainy"), options=(Option(("Rain",), alias="r"),))
    assert read(now, choices(Weather="r"), renamed)[0] == ["Weather/Rainy"]


def test_a_name_means_what_it_means_today_where_it_means_anything() -> None:
    now = weather("Sun", '<Choice value="Rainy" alias="Rain"/>', wet="Rainy")
    assert read(now, choices(Weather="Rain"), mapping("retire", "Weather/Rain"))[0] == ["Weather/Rainy"]


@pytest.mark.parametrize(
    ("held", "options", "later"),
    [
        (mapping("rename", "Weather/Rain", "Weather/Rainy"), ["Rainy"], True),
        (mapping("rename", "Weather/Rain", "Weather/Rainy"), ["Rainy", "Rain"], False),
        (mapping("merge", "Weather/Rain", "Weather/Wet"), ["Wet", "Rain"], True),
        (mapping("split", "Weather/Rain", "Weather/Rain", "Weather/Drizzle"), ["Rain", "Drizzle"], False),
        (mapping("split", "Weather/Rain", "Weather/Downpour", "Weather/Drizzle"), ["Downpour", "Drizzle"], True),
        (mapping("retire", "Weather/Rain"), ["Sun", "Rain"], True),
    ],
    ids=["renamed", "renamed and made anew", "merged and still there", "split, keeping its name", "split", "retired"],
)
def test_later_answers_mean_what_they_say_where_the_name_was_given_anew(
    held: LabelMapping, options: list[str], later: bool
) -> None:
    now = weather(*options, "Fog")
    assert held.holds(now, NOON - timedelta(days=1))
    assert held.holds(now, None)
    assert held.holds(now, NOON + timedelta(days=1)) is later


@pytest.mark.parametrize(
    ("kind", "new", "says"),
    [
        ("rename", [], "a rename of 'Weather/Rain' takes one new option, got 0"),
        ("merge", ["Weather/a", "Weather/b"], "a merge of 'Weather/Rain' takes one new option, got 2"),
        ("split", ["Weather/a"], "takes two or more new options, got 1"),
        ("split", ["Weather/a", "Weather/a"], "takes two or more new options, got 2"),
        ("retire", ["Weather/a"], "takes no new option, got 1"),
        ("rename", ["Weather/Rain"], "to 'Weather/Rain' would go round in a circle"),
        ("rename", ["Weather/Rain/heavy"], "would go round in a circle"),
        ("rename", ["Weather"], "must name options"),
    ],
)
def test_what_is_no_mapping_is_refused_in_words(kind: MappingKind, new: list[str], says: str) -> None:
    with pytest.raises(ValueError, match=says):
        mapping(kind, "Weather/Rain", *new)


@pytest.mark.parametrize(
    ("held", "new", "says"),
    [
        ([mapping("rename", "k/a", "k/b")], mapping("rename", "k/b", "k/a"), r"round in a circle with the mapping m0"),
        (
            [mapping("rename", "k/a", "k/b"), mapping("split", "k/b", "k/c", "k/d", day=1)],
            mapping("merge", "k/d", "k/a", day=2),
            "round in a circle with the mapping m1",
        ),
        ([mapping("rename", "k/a", "k/b")], mapping("merge", "k/a", "k/c"), "the mapping m0 .* maps 'k/a' already"),
        ([mapping("rename", "k/a/x", "k/b/x")], mapping("rename", "k/b", "k/a"), None),
        ([mapping("rename", "k/a", "k/b")], mapping("rename", "other/b", "other/a"), None),
        ([mapping("rename", "k/a", "k/b")], mapping("rename", "k/b", "k/c"), None),
    ],
)
def test_circles_are_refused_in_words(held: list[LabelMapping], new: LabelMapping, says: str | None) -> None:
    if says is None:
        check(new, held)
    else:
        with pytest.raises(ValueError, match=says):
            check(new, held)


def _paths(ontology: Ontology) -> list[tuple[str, Path]]:
    return [(one.name, option.path) for one in ontology for option in one.options]


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_rename_and_its_inverse_change_nothing(
    data: DataObject, configurations: SearchStrategy[str], answers_to: Answers
) -> None:
    ontology = parse(data.draw(configurations))
    if not ontology.classifications:
        return
    answers = merge(data.draw(answers_to(ontology, PERSON, (1.0,))))
    name, old = data.draw(st.sampled_from(_paths(ontology)))
    there = LabelMapping("rename", name, old, ((*old[:-1], "never used"),), NOON)
    back = LabelMapping("rename", name, there.new[0], (old,), NOON + timedelta(days=1))
    renamed, again = apply(answers, [there], ontology)
    assert not again
    assert all((answer.classification, answer.option[: len(old)]) != (name, old) for answer in renamed)
    if ontology.classification(name).kind != "timeline":  # attributes whose label is nowhere stay where they are
        assert apply(renamed, [back], ontology)[0] == apply(answers, [there, back], ontology)[0] == answers


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_nothing_is_invented_and_merging_twice_is_merging_once(
    data: DataObject, configurations: SearchStrategy[str], answers_to: Answers
) -> None:
    ontology = parse(data.draw(configurations))
    if not ontology.classifications:
        return
    drawn = data.draw(answers_to(ontology, "model 3", (0.25, 0.75)))
    answers = list({(one.classification, one.option, one.under): one for one in drawn}.values())
    mappings = []
    for day in range(data.draw(st.integers(0, 4))):
        name, old = data.draw(st.sampled_from(_paths(ontology)))
        fresh = [(name, "one"), (name, "other")]
        kind: MappingKind = data.draw(st.sampled_from(["merge", "split", "retire"]))
        new = {"merge": fresh[:1], "split": fresh, "retire": []}[kind]
        mappings.append(LabelMapping(kind, name, old, tuple(path[1:] for path in new), NOON + timedelta(days=day)))
    told, again = apply(answers, mappings, ontology)
    if not mappings:
        assert told == tuple(answers)
    for answer in told:
        possible = [
            given
            for given in answers
            if (given.classification, given.source, given.confidence)
            == (answer.classification, answer.source, answer.confidence)
            and not answer.frames - given.frames
        ]
        images = {given.option for given in possible}
        images |= {given.option[:depth] for given in possible for depth in range(1, len(given.option))}
        images |= {("one", *given.option[depth:]) for given in possible for depth in range(1, len(given.option) + 1)}
        assert answer.option in images
    assert all(one.answer in answers and one.mapping.kind == "split" for one in again)
    merges = [one for one in mappings if one.kind == "merge"]
    once, _ = apply(answers, merges, ontology)
    assert merge(apply(once, merges, ontology)[0]) == merge(once)
    counted: dict[tuple[str, Path | None, str, Path], Frames] = {}
    for answer in once:
        if answer.option[0] == "one":
            key = (answer.classification, answer.under, answer.source, answer.option)
            assert not counted.get(key, Frames()) & answer.frames, "nothing is said twice"
            counted[key] = counted.get(key, Frames()) | answer.frames


@settings(max_examples=60, deadline=None)
@given(data=st.data())
def test_a_tree_with_old_names_reads_todays_answers_as_today(
    data: DataObject, configurations: SearchStrategy[str], answers_to: Answers
) -> None:
    ontology = parse(data.draw(configurations))
    if not ontology.classifications:
        return
    name, new = data.draw(st.sampled_from(_paths(ontology)))
    known = with_old_names(ontology, [LabelMapping("rename", name, (*new[:-1], "before"), (new,))])
    assert known.classification(name).option((*new[:-1], "before"))
    result = regions.write(ontology, data.draw(answers_to(ontology, PERSON, (1.0,))))
    assert regions.read(known, result).answers == regions.read(ontology, result).answers
