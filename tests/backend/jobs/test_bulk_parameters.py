"""What a bulk label may be asked for, and what is refused in words."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.errors import BadRequest
from espalier.jobs.bulk_labels import label_in, named
from espalier.jobs.bulk_parameters import BulkParameters
from espalier.jobs.bulk_selection import SelectedFrames
from espalier_ontology.labeling_config import parse

CONFIG = """<View><Video name="v" value="$video"/>
<TimelineLabels name="tl" toName="v"><Label value="Rain"/><Label value="Fog"/></TimelineLabels>
<Choices name="place" toName="v" choice="single"><Choice value="in"/><Choice value="out"/></Choices>
<Taxonomy name="kind" toName="v" leafsOnly="true"><Choice value="Animal"><Choice value="Cat"/></Choice></Taxonomy>
</View>"""

ASKED: dict[str, Any] = {"label": "tl: Rain", "frames": [{"task": 12, "first": 34, "last": 80}]}


def test_a_request_is_read_and_told_without_its_frames() -> None:
    asked = {
        "labels": ["tl: Rain", ["place", "in"]],
        "frames": [{"task": 12, "frame": 3}, {"task": 13}, {"task": 14, "first": 9, "numbering": "label studio"}],
        "as": "annotations",
        "with_parents": True,
        "by": "ann@example.org",
        "search": {"query": {"task": 12}},
    }
    read = BulkParameters.from_json(asked)
    assert read.labels == (("tl", ("Rain",)), ("place", ("in",)))
    assert read.frames == (
        SelectedFrames(12, None, 3, 3),
        SelectedFrames(13),
        SelectedFrames(14, None, 9, numbering="label studio"),
    )
    told = read.to_json()
    assert "frames" not in told
    assert (told["as"], told["labels"], told["search"]) == (
        "annotations",
        [["tl", "Rain"], ["place", "in"]],
        {"query": {"task": 12}},
    )
    assert BulkParameters.from_json(told, frames=read.frames) == read
    assert [SelectedFrames.from_json(one.to_json()) for one in read.frames] == list(read.frames)


def test_hits_of_a_search_stand_for_their_scenes() -> None:
    hits = [
        {"id": 1, "task": 12, "tag": "v", "frame": 34, "score": 0.9, "scene": {"first": 30, "last": 40, "frames": 11}},
        {"id": 2, "task": 13, "tag": "v", "frame": 7, "score": 0.8, "scene": None},
    ]
    for given in ({"hits": hits, "searched": 9}, hits):
        asked = BulkParameters.from_json({"label": "tl: Rain", "hits": given})
        assert asked.frames == (SelectedFrames(12, "v", 30, 40), SelectedFrames(13, "v", 7, 7))
    alone = BulkParameters.from_json({"label": "tl: Rain", "hits": hits, "scenes": False})
    assert alone.frames[0] == SelectedFrames(12, "v", 34, 34)


def test_a_label_is_a_text_or_a_list() -> None:
    assert label_in("Weather: Rain") == ("Weather", ("Rain",))
    assert label_in("Kind:Animal / Cat") == ("Kind", ("Animal", "Cat"))
    assert label_in(["Kind", "and/or", "a: b"]) == ("Kind", ("and/or", "a: b"))
    assert named(("Kind", ("Animal", "Cat"))) == "Kind: Animal / Cat"


@pytest.mark.parametrize(
    ("asked", "says"),
    [
        ([], "a bulk label must be a JSON object"),
        ({"label": "tl: Rain"}, "no frames were selected"),
        ({"frames": [{"task": 1}]}, "no label was named"),
        (ASKED | {"labels": ["tl: Fog"]}, "either a label or labels"),
        (ASKED | {"label": "Rain"}, 'a label must be "Classification: Option"'),
        (ASKED | {"label": ["tl"]}, "a label must be"),
        (ASKED | {"colour": 1}, "has no colour; it has also_annotated, as, by"),
        (ASKED | {"as": "drafts"}, "as must be one of predictions, annotations, got 'drafts'"),
        (ASKED | {"with_parents": 1}, "with_parents must be true or false, got 1"),
        (ASKED | {"by": None}, "by must be a text"),
        (ASKED | {"search": "x"}, "search must be the request of a search"),
        (ASKED | {"also_annotated": True}, "also_annotated is about annotations"),
        (ASKED | {"as": "annotations", "show": True}, "show is about predictions"),
        (ASKED | {"frames": {}}, "frames must be a list"),
        (ASKED | {"frames": [{"first": 1}]}, "must be an object with a task"),
        (ASKED | {"frames": [{"task": "1"}]}, "the task of selected frames must be a whole number, got '1'"),
        (ASKED | {"frames": [{"task": True}]}, "must be a whole number, got True"),
        (ASKED | {"frames": [{"task": 1, "frame": 0}]}, "task 1: frames are counted from 1, got 0"),
        (ASKED | {"frames": [{"task": 1, "first": 9, "last": 8}]}, "first <= last, got 9 to 8"),
        (ASKED | {"frames": [{"task": 1, "frame": 2, "last": 3}]}, "either frame, or first and last"),
        (ASKED | {"frames": [{"task": 1, "colour": 2}]}, "selected frames have no colour"),
        (ASKED | {"frames": [{"task": 1, "numbering": "seconds"}]}, "numbering must be one of frames, label studio"),
        (ASKED | {"hits": "x"}, "hits are the JSON that `espalier search --json` prints"),
        (ASKED | {"hits": [{"frame": 2}]}, "a hit must be an object with a task and a frame"),
        (ASKED | {"scenes": 1}, "scenes must be true or false"),
        (ASKED | {"ids": ["1"]}, "ids must be a list of frame ids"),
    ],
)
def test_what_cannot_be_meant_is_refused_in_words(asked: Any, says: str) -> None:
    with pytest.raises(BadRequest, match=says):
        BulkParameters.from_json(asked)


@pytest.mark.parametrize(
    ("labels", "says"),
    [
        (["colour: red"], "there is no classification 'colour'; there are tl, place, kind"),
        (["tl: Snow"], "'tl' has no option 'Snow'; it has 'Rain', 'Fog'"),
        (["kind: Cat"], "'kind' has no option 'Cat'; a path starts at the root: 'Animal / Cat'"),
        (["kind: Animal"], "'Animal' of 'kind' cannot be answered: only options below it can"),
        (["place: in", "place: out"], "'place' takes one option, got 'in', 'out'"),
    ],
)
def test_what_the_ontology_does_not_ask_is_refused_in_words(labels: list[str], says: str) -> None:
    asked = BulkParameters.from_json({"labels": labels, "frames": [{"task": 1}]})
    with pytest.raises(BadRequest, match=says):
        asked.check(parse(CONFIG))


def test_what_the_ontology_asks_is_not_refused() -> None:
    ontology = parse(CONFIG)
    BulkParameters.from_json(ASKED | {"label": "kind: Animal/Cat"}).check(ontology)
    BulkParameters.from_json({"labels": ["tl: Rain", "tl: Fog", "place: in"], "frames": [{"task": 1}]}).check(ontology)
    with pytest.raises(BadRequest, match="there is no media tag 'w'; there are v"):
        BulkParameters.from_json(ASKED | {"frames": [{"task": 1, "tag": "w"}]}).check(ontology)
