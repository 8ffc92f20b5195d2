"""Answers to Label Studio's JSON and back: real files, broken files, and the law of the round trip."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from pathlib import Path as File

import hypothesis.strategies as st
import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis.strategies import DataObject, SearchStrategy
from label_studio_sdk.label_interface import LabelInterface

from espalier_ontology.answers import PERSON, Answer, merge
from espalier_ontology.frames import Frames
from espalier_ontology.labeling_config import parse
from espalier_ontology.regions import read, write
from espalier_ontology.rules import enforce
from espalier_ontology.timeline import Timeline
from espalier_ontology.tree import Ontology

Shared = Callable[[str], File]
Answers = Callable[[Ontology, str, tuple[float, ...]], SearchStrategy[list[Answer]]]
Result = dict[str, object]

VIDEO = """<View><Video name="v" value="$video" frameRate="25"/>
 <TimelineLabels name="tl" toName="v"><Label value="Animal"/><Label value="Plant"/></TimelineLabels>
 <Choices name="scene" toName="v" choice="single"><Choice value="Indoor"/><Choice value="Outdoor"/></Choices>
 <Choices name="kind" toName="v" perRegion="true"
  visibleWhen="region-selected" whenTagName="tl" whenLabelValue="Animal">
  <Choice value="Cat"/><Choice value="Dog"/></Choices>
 <Choices name="breed" toName="v" choice="multiple" perRegion="true"
  visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Cat">
  <Choice value="Siamese"/><Choice value="Persian"/></Choices>
 <RectangleLabels name="box" toName="v"><Label value="Nose"/></RectangleLabels></View>"""
IMAGE = """<View><Image name="i" value="$image"/>
 <Choices name="kind" toName="i"><Choice value="Animal" alias="an"/><Choice value="Plant"/></Choices>
 <Choices name="animal" toName="i" choice="multiple"
  visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Animal">
  <Choice value="Cat"/><Choice value="Dog"/></Choices>
 <Choices name="nested" toName="i" allowNested="true"><Choice value="A"><Choice value="B" alias="b"/></Choice></Choices>
 <Taxonomy name="t" toName="i"><Choice value="A" alias="a"><Choice value="B"/></Choice><Choice value="C"/></Taxonomy>
 </View>"""
TIMELINE = Timeline([index / 25 for index in range(250)], 10.0, 25.0)


def bare(results: object) -> list[str]:
    """Results without what may differ: ids, which are compared by the grouping they make, origin, score and order."""
    assert isinstance(results, list)
    groups: dict[str, list[str]] = {}
    for place, result in enumerate(results):
        content = {key: value for key, value in result.items() if key not in ("id", "origin", "score")}
        groups.setdefault(result.get("id", str(place)), []).append(json.dumps(content, sort_keys=True))
    return sorted("\n".join(sorted(group)) for group in groups.values())


def found(value: object, key: str) -> Iterator[object]:
    """Everything under a key, at any depth of a JSON document."""
    if isinstance(value, dict):
        yield from (one for name, one in value.items() if name == key)
        value = list(value.values())
    if isinstance(value, list):
        for one in value:
            yield from found(one, key)


def test_a_model_s_answers_on_an_image() -> None:
    answers = [
        Answer("kind", ("Animal",), confidence=0.91239, source="m"),
        Answer("animal", ("Dog",), confidence=0.6, source="m"),
        Answer("animal", ("Cat",), confidence=0.5, source="m"),
        Answer("t", ("A", "B"), confidence=0.4, source="m"),
        Answer("nested", ("A", "B"), confidence=0.3, source="m"),
        Answer("kind", ("Nowhere",), source="m"),
    ]
    written = write(parse(IMAGE), answers)
    assert [(one["from_name"], one["to_name"], one["type"], one["value"], one["score"]) for one in written] == [
        ("kind", "i", "choices", {"choices": ["an"]}, 0.9124),
        ("animal", "i", "choices", {"choices": ["Cat", "Dog"]}, 0.55),
        ("nested", "i", "choices", {"choices": [["A", "b"]]}, 0.3),
        ("t", "i", "taxonomy", {"taxonomy": [["a", "B"]]}, 0.4),
    ]


def test_ids_are_of_the_content_and_the_salt() -> None:
    ontology, answers = parse(IMAGE), [Answer("kind", ("Plant",))]
    (one,), (again,), (salted,) = write(ontology, answers), write(ontology, answers), write(ontology, answers, salt="7")
    assert one == again
    assert one["id"] != salted["id"]
    assert re.fullmatch(r"[A-Za-z0-9_-]{10}", str(one["id"]))
    assert "score" not in one, "a person's answer has no score"


def test_a_region_is_split_where_an_attribute_changes() -> None:
    answers = [
        Answer("tl", ("Animal",), Frames.of((0, 50)), 0.9, "m"),
        Answer("kind", ("Cat",), Frames.of((10, 30)), 0.8, "m", ("Animal",)),
        Answer("kind", ("Dog",), Frames.of((30, 60)), 0.7, "m", ("Animal",)),
        Answer("breed", ("Siamese",), Frames.of((10, 20)), 0.6, "m", ("Animal",)),
    ]
    written = write(parse(VIDEO), answers, timelines={"v": TIMELINE})
    regions: dict[object, list[tuple[object, object]]] = {}
    for one in written:
        regions.setdefault(one["id"], []).append((one["value"], one["score"]))

    def value(start: int, end: int, **options: list[str]) -> dict[str, object]:
        return {"ranges": [{"start": start, "end": end}], **options}

    assert list(regions.values()) == [
        [(value(1, 10, timelinelabels=["Animal"]), 0.9)],
        [
            (value(11, 20, timelinelabels=["Animal"]), 0.9),
            (value(11, 20, choices=["Cat"]), 0.8),
            (value(11, 20, choices=["Siamese"]), 0.6),
        ],
        [(value(21, 30, timelinelabels=["Animal"]), 0.9), (value(21, 30, choices=["Cat"]), 0.8)],
        [(value(31, 50, timelinelabels=["Animal"]), 0.9), (value(31, 50, choices=["Dog"]), 0.7)],
    ]


def test_items_of_a_sequence_have_an_index() -> None:
    ontology = parse(
        '<View><Image name="s" valueList="$images"/><Choices name="k" toName="s" perItem="true">'
        '<Choice value="A"/><Choice value="B"/></Choices></View>'
    )
    answers = [Answer("k", ("A",), Frames.at([0, 1])), Answer("k", ("B",), Frames.at([4, 9]))]
    written = write(ontology, answers, lengths={"s": 5})
    assert [(one["item_index"], one["value"]) for one in written] == [
        (0, {"choices": ["A"]}),
        (1, {"choices": ["A"]}),
        (4, {"choices": ["B"]}),
    ]
    assert len({one["id"] for one in written}) == 3
    beyond = [{**written[0], "item_index": index} for index in (5, -1, None, True)]
    assert len(read(ontology, beyond, lengths={"s": 5}).problems) == 4


def test_the_recorded_video_comes_back(shared: Shared) -> None:
    ontology = parse(VIDEO)
    for name in ("export.JSON.video_project.json", "api.tasks.fields_all.json"):
        recorded = json.loads(shared(f"fixtures/ls-1.23.2/{name}").read_text())
        results = list(found(recorded, "result"))
        assert results
        for result in results:
            assert isinstance(result, list)
            reading = read(ontology, result, timelines={"v": TIMELINE})
            assert reading.problems == ()
            assert bare(write(ontology, reading.answers, timelines={"v": TIMELINE})) == bare(result)


def test_a_prediction_comes_back_with_its_scores(shared: Shared) -> None:
    recorded = json.loads(shared("fixtures/ls-1.23.2/api.tasks.fields_all.json").read_text())
    prediction = recorded["tasks"][0]["predictions"][1]
    ontology = parse(VIDEO)
    reading = read(ontology, prediction["result"], source="esp-drawer", timelines={"v": TIMELINE})
    written = write(ontology, reading.answers, timelines={"v": TIMELINE})
    scores = {json.dumps(one["value"]): one["score"] for one in written}
    for result in prediction["result"]:
        assert scores[json.dumps(result["value"])] == result.get("score", 1.0)


def test_recorded_webhooks_come_back(shared: Shared) -> None:
    read_any = False
    for file in sorted(shared("fixtures/ls-1.23.2").glob("webhook.*.json")):
        recorded = json.loads(file.read_text())
        ontology = parse(str(next(found(recorded, "label_config"))))
        for result in found(recorded, "result"):
            assert isinstance(result, list)
            reading = read(ontology, result)
            assert reading.problems == ()
            assert bare(write(ontology, reading.answers)) == bare(result)
            read_any = True
    assert read_any


def test_real_projects_come_back(shared: Shared) -> None:
    for config in sorted(shared("data/interop/projects").glob("*/label_config.xml")):
        ontology = parse(config.read_text())
        for task in json.loads(config.with_name("export.json").read_text()):
            for annotation in task["annotations"]:
                reading = read(ontology, annotation["result"])
                assert reading.problems == ()
                assert bare(write(ontology, reading.answers)) == bare(annotation["result"])


@pytest.mark.parametrize("video", ["asl_sequence_a", "fruit_conveyor", "opossum_snow_short"])
def test_real_videos_come_back(shared: Shared, video: str) -> None:
    ontology = parse(shared(f"data/videos/{video}.label_config.xml").read_text())
    (task,) = json.loads(shared(f"data/videos/{video}.ls_export.json").read_text())
    (annotation,) = task["annotations"]
    reading = read(ontology, annotation["result"])
    assert reading.problems == ()
    assert shown_frames(write(ontology, reading.answers)) == shown_frames(annotation["result"])


def shown_frames(results: list[Result]) -> set[tuple[str, int]]:
    """Label and number of each frame; regions of one label that touch are written as one."""
    frames = set()
    for result in results:
        value = result["value"]
        assert isinstance(value, dict)
        for one in value["ranges"]:
            frames |= {(value["timelinelabels"][0], number) for number in range(one["start"], one["end"] + 1)}
    return frames


def test_results_of_other_controls_are_left_out_without_a_word(shared: Shared) -> None:
    recorded = json.loads(shared("data/videos/test_timeline_labels_1.json").read_text())
    ontology = parse(recorded["project"]["label_config"])
    assert read(ontology, recorded["annotation"]["result"]).problems == ()
    boxes = [
        {"id": "b", "from_name": "box", "to_name": "v", "type": "rectanglelabels", "value": {"x": 1}},
        {"type": "relation", "from_id": "a", "to_id": "b", "direction": "right"},
    ]
    assert read(parse(VIDEO), boxes) == read(parse(VIDEO), [])


def entry(name: str = "kind", value: object = None, **changes: object) -> Result:
    value = {"choices": ["Plant"]} if value is None else value
    return {"id": "a", "from_name": name, "to_name": "i", "type": "choices", "value": value, **changes}


def label(start: object, end: object, name: object = "Animal", **changes: object) -> Result:
    value = {"ranges": [{"start": start, "end": end}], "timelinelabels": [name]}
    return {"id": "r", "from_name": "tl", "to_name": "v", "type": "timelinelabels", "value": value, **changes}


def attribute(name: str, option: str, region: object = "r") -> Result:
    value = {"ranges": [{"start": 1, "end": 2}], "choices": [option]}
    return {"id": region, "from_name": name, "to_name": "v", "type": "choices", "value": value}


@pytest.mark.parametrize(
    ("result", "problem", "answered"),
    [
        pytest.param(["text"], "must be an object", 0, id="no object"),
        pytest.param([None], "must be an object", 0, id="null"),
        pytest.param([entry("colour")], "no such control", 0, id="unknown from_name"),
        pytest.param([{"id": "a", "value": {}}], "no such control", 0, id="no from_name"),
        pytest.param([entry(type="labels")], "type must be 'choices'", 0, id="wrong type"),
        pytest.param([entry(to_name="j")], "to_name must be 'i'", 0, id="another media"),
        pytest.param([entry(value="Plant")], "value must be an object", 0, id="value is a text"),
        pytest.param([entry(value={"choices": "Plant"})], "expected a list of names", 0, id="a text for a list"),
        pytest.param([entry(value={})], "expected a list of names, got None", 0, id="no choices"),
        pytest.param([entry(value={"choices": ["Stone"]})], "has no option 'Stone'", 0, id="unknown option"),
        pytest.param([entry(value={"choices": [["Plant"]]})], "expected a list of names", 0, id="a path for a name"),
        pytest.param([entry(value={"choices": [7]})], "expected a list of names, got 7", 0, id="a number for a name"),
        pytest.param([entry(value={"choices": ["Plant", "an"]})], "takes one option", 0, id="two in a single"),
        pytest.param(
            [entry(), entry(value={"choices": ["an"]}, id="b")], "second option", 1, id="two results in a single"
        ),
        pytest.param([entry(score=1.5)], "score must be", 1, id="score over 1"),
        pytest.param([entry(score=float("nan"))], "score must be", 1, id="score that is no number"),
        pytest.param([entry(score="0.9")], "score must be", 1, id="score as text"),
        pytest.param([entry(score=True)], "score must be", 1, id="score as truth"),
        pytest.param([entry(id=None)], "", 1, id="no id where none is needed"),
        pytest.param([entry("animal", {"choices": ["Cat"]})], "asked only where kind is Animal", 0, id="an orphan"),
        pytest.param(
            [entry(), entry("animal", {"choices": ["Cat"]})],
            "asked only where kind is Animal",
            1,
            id="under another parent",
        ),
        pytest.param(
            [entry("t", {"taxonomy": [["B"]]}, type="taxonomy")], "has no option 'B'", 0, id="a path without root"
        ),
        pytest.param(
            [entry("t", {"taxonomy": [[]]}, type="taxonomy")], "expected a list of paths", 0, id="an empty path"
        ),
    ],
)
def test_problems_of_an_image(result: list[object], problem: str, answered: int) -> None:
    reading = read(parse(IMAGE), result)
    assert problem in " ".join(map(str, reading.problems))
    assert len(reading.answers) == answered


@pytest.mark.parametrize(
    ("result", "problem", "answered"),
    [
        pytest.param([label(0, 5)], "1 <= start <= end", 0, id="frame 0"),
        pytest.param([label(7, 5)], "1 <= start <= end", 0, id="ends before it starts"),
        pytest.param([label(1.5, 5)], "whole numbers", 0, id="half a frame"),
        pytest.param([label("1", 5)], "whole numbers", 0, id="a text for a number"),
        pytest.param([label(10**400, 10**400)], "past the end", 0, id="a number beyond measure"),
        pytest.param([label(None, 5)], "whole numbers", 0, id="no start"),
        pytest.param([label(300, 305)], "past the end", 0, id="past the end"),
        pytest.param([label(1, 5, "Stone")], "no option 'Stone'", 0, id="unknown label"),
        pytest.param([label(1, 5, value={"timelinelabels": ["Animal"]})], "ranges must be a list", 0, id="no ranges"),
        pytest.param([attribute("kind", "Cat")], "shares no region", 0, id="an attribute without a region"),
        pytest.param([label(1, 5), attribute("kind", "Cat", "q")], "shares no region", 1, id="of another region"),
        pytest.param([label(1, 5, "Plant"), attribute("kind", "Cat")], "shares no region", 1, id="of the wrong label"),
        pytest.param(
            [label(1, 5), attribute("breed", "Siamese")], "only where kind is Cat", 1, id="without its parent"
        ),
        pytest.param([label(1, 5, id=None)], "id must be a text", 1, id="no id"),
        pytest.param([label(1, 5, id=None), attribute("kind", "Cat", None)], "shares no region", 1, id="no ids"),
    ],
)
def test_problems_of_a_video(result: list[object], problem: str, answered: int) -> None:
    reading = read(parse(VIDEO), result, timelines={"v": TIMELINE})
    assert problem in " ".join(map(str, reading.problems))
    assert len(reading.answers) == answered


def test_a_model_s_answer_with_a_broken_score_is_not_believed() -> None:
    assert read(parse(IMAGE), [entry(score="high")], source="m").answers == ()
    assert read(parse(IMAGE), [entry(score=0.25)], source="m").answers[0].confidence == 0.25
    assert read(parse(IMAGE), [entry(score=0.25)]).answers[0].confidence == 1.0


def test_several_labels_and_ranges_in_one_region() -> None:
    ranges = [{"start": 1, "end": 5}, {"start": 11.0, "end": 12.0}, {"start": 9, "end": 8}]
    result = [
        attribute("kind", "Cat"),
        label(1, 5, value={"ranges": ranges, "timelinelabels": ["Animal", "Plant"]}),
    ]
    reading = read(parse(VIDEO), result, timelines={"v": TIMELINE})
    frames = Frames.of((0, 5), (10, 12))
    assert set(reading.answers) == {
        Answer("tl", ("Animal",), frames),
        Answer("tl", ("Plant",), frames),
        Answer("kind", ("Cat",), frames, under=("Animal",)),
    }
    assert len(reading.problems) == 1


def test_label_studio_lets_a_person_answer_below_an_unanswered_parent() -> None:
    ontology = parse(IMAGE.replace("choice-selected", "choice-unselected"))
    assert read(ontology, [entry("animal", {"choices": ["Cat"]})]).problems == ()


LAWS = settings(max_examples=80, deadline=None, suppress_health_check=[HealthCheck.too_slow])


@given(st.data())
@LAWS
def test_what_is_written_is_read_again(
    configurations: SearchStrategy[str], answers_to: Answers, data: DataObject
) -> None:
    ontology = parse(data.draw(configurations))
    source, confidence = data.draw(st.sampled_from([(PERSON, 1.0), ("m", 0.25)]))
    answers = enforce(ontology, data.draw(answers_to(ontology, source, (confidence,)))).answers
    timelines = {"m": Timeline([index / 25 for index in range(12)], 12 / 25, 25.0)}
    kinds = {media.name: media.kind for media in ontology.media}
    given_it: dict[str, Timeline] = timelines if kinds["m"] == "video" else {}
    lengths = {"m": 12} if kinds["m"] == "sequence" else {}
    written = write(ontology, answers, timelines=given_it, lengths=lengths, salt="s")
    assert json.loads(json.dumps(written)) == written
    reading = read(ontology, written, timelines=given_it, lengths=lengths, source=source)
    assert reading.problems == ()
    assert set(reading.answers) == set(merge(answers))


@given(st.data())
@settings(LAWS, max_examples=25)
def test_label_studio_s_own_validator_accepts_what_is_written(
    configurations: SearchStrategy[str], answers_to: Answers, data: DataObject
) -> None:
    xml = data.draw(configurations)
    ontology = parse(xml)
    answers = enforce(ontology, data.draw(answers_to(ontology, "m", (0.25, 0.9)))).answers
    prediction = {"result": write(ontology, answers, lengths={"m": 12}), "score": 0.5, "model_version": "m"}
    assert LabelInterface(xml).validate_prediction(prediction, return_errors=True) == []


JSON = st.recursive(
    st.none()
    | st.booleans()
    | st.integers()
    | st.floats()
    | st.sampled_from(["kind", "tl", "Cat", "Animal", "choices"]),
    lambda inner: (
        st.lists(inner, max_size=3)
        | st.dictionaries(
            st.sampled_from(
                ["id", "from_name", "to_name", "type", "value", "ranges", "choices", "start", "end", "score"]
            ),
            inner,
            max_size=6,
        )
    ),
    max_leaves=12,
)


@given(JSON, st.sampled_from([VIDEO, IMAGE]))
@settings(deadline=None)
def test_nothing_makes_reading_fail(document: object, xml: str) -> None:
    results = document if isinstance(document, list) else [document]
    read(parse(xml), results)
    read(parse(xml), [entry(value=document), label(document, document), {**label(1, 2), "id": document}])
