"""What a labeling configuration asks, and what it asks that classifying frames cannot answer."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File

import pytest
import yaml

from espalier_ontology.labeling_config import parse, with_choices
from espalier_ontology.tree import Condition, Ontology, Option, Path

Shared = Callable[[str], File]


def view(*tags: str) -> Ontology:
    """A configuration with an image `i`, a sequence `s`, a video `v` and a text `x`, and these tags."""
    media = (
        '<Image name="i" value="$image"/><Image name="s" valueList="$images"/>'
        '<Video name="v" value="$video" frameRate="$fps"/><Text name="x" value="$text"/>'
    )
    return parse(f"<View>{media}{''.join(tags)}</View>")


def choices(name: str, attributes: str = "", options: str = "Cat Dog", to: str = "i") -> str:
    inner = "".join(f'<Choice value="{option}"/>' for option in options.split())
    return f'<Choices name="{name}" toName="{to}" {attributes}>{inner}</Choices>'


def when(tag: str, value: str, kind: str = "choice-selected") -> str:
    return f'visibleWhen="{kind}" whenTagName="{tag}" whenChoiceValue="{value}"'


def on(name: str, *options: str | Path, negated: bool = False) -> Condition:
    paths = frozenset((option,) if isinstance(option, str) else option for option in options)
    return Condition(name, paths or None, negated)


TIMELINE = (
    '<TimelineLabels name="tl" toName="v"><Label value="Animal" alias="an"/><Label value="Plant"/></TimelineLabels>'
)
TAXONOMY = '<Taxonomy name="t" toName="i"><Choice value="A"><Choice value="B"/></Choice><Choice value="C"/></Taxonomy>'


def test_media_tags() -> None:
    media = {tag.name: (tag.kind, tag.field, tag.frame_rate) for tag in view().media}
    assert media == {
        "i": ("image", "image", None),
        "s": ("sequence", "images", None),
        "v": ("video", "video", "$fps"),
    }


@pytest.mark.parametrize(
    ("tag", "kind", "scope"),
    [
        pytest.param(choices("c"), "single", "media", id="single is the default"),
        pytest.param(choices("c", 'choice="single-radio"'), "single", "media", id="single-radio"),
        pytest.param(choices("c", 'choice="multiple"'), "multiple", "media", id="multiple"),
        pytest.param(choices("c", to="v"), "single", "media", id="the whole video"),
        pytest.param(choices("c", 'perItem="true"', to="s"), "single", "item", id="each item"),
        pytest.param(choices("c", to="s"), "single", "media", id="the whole sequence"),
        pytest.param(choices("c", 'perItem="true"'), "single", "media", id="a single image has no items"),
        pytest.param(choices("c", 'PERITEM="True"', to="s"), "single", "item", id="attributes in any case"),
        pytest.param(choices("c", to="x,s"), "single", "media", id="the first media of a toName list"),
        pytest.param(TAXONOMY, "taxonomy", "media", id="taxonomy"),
        pytest.param(TIMELINE, "timeline", "range", id="timeline"),
    ],
)
def test_kinds_and_scopes(tag: str, kind: str, scope: str) -> None:
    (classification,) = view(tag)
    assert (classification.kind, classification.scope) == (kind, scope)


def test_options_keep_what_the_tags_say() -> None:
    ontology = view(
        '<Choices name="c" toName="i" required="true" model_score_threshold="0.4" model_Encoder="timm">'
        '<Choice value="Cat" alias="c" hotkey="1" background="red" predicted_values="tabby, lynx"/>'
        '<View><Choice value="Dog"/></View><Choice value="Cat"/><Choice/></Choices>'
    )
    (classification,) = ontology
    assert classification.options == (Option(("Cat",), "c", "1", "red", ("tabby", "lynx")), Option(("Dog",)))
    assert classification.required
    assert classification.settings == {"model_score_threshold": "0.4", "model_encoder": "timm"}


def test_taxonomy_paths_and_settings() -> None:
    tag = TAXONOMY.replace('toName="i"', 'toName="i" leafsOnly="true" maxUsages="1"')
    (classification,) = view(tag)
    assert [option.path for option in classification.options] == [("A",), ("A", "B"), ("C",)]
    assert classification.leaves_only
    assert classification.exclusive


def test_nested_choices_count_only_where_label_studio_reads_them() -> None:
    inner = '<Choice value="Animal"><Choice value="Cat"/></Choice>'
    (flat,) = view(f'<Choices name="c" toName="i">{inner}</Choices>')
    (nested,) = view(f'<Choices name="c" toName="i" allowNested="true">{inner}</Choices>')
    assert [option.path for option in flat.options] == [("Animal",)]
    assert [option.path for option in nested.options] == [("Animal",), ("Animal", "Cat")]
    assert nested.nested
    assert nested.leaves_only


@pytest.mark.parametrize(
    ("tags", "conditions"),
    [
        pytest.param([choices("k"), choices("c", when("k", "Cat"))], (on("k", "Cat"),), id="on the control"),
        pytest.param([choices("k"), choices("c", when("k", "Cat,Dog"))], (on("k", "Cat", "Dog"),), id="comma means or"),
        pytest.param(
            [choices("k"), choices("c", when("k", "Cat, Dog"))], (on("k", "Cat", "Dog"),), id="space is allowed"
        ),
        pytest.param(
            [choices("k", options="A,B A B"), choices("c", when("k", "A,B"))],
            (on("k", "A,B"),),
            id="a name with a comma is found whole",
        ),
        pytest.param(
            [choices("k"), choices("c", 'visibleWhen="choice-selected" whenTagName="k"')], (on("k"),), id="any answer"
        ),
        pytest.param(
            [choices("k"), choices("c", when("k", "Cat", "choice-unselected"))],
            (on("k", "Cat", negated=True),),
            id="negated",
        ),
        pytest.param(
            [choices("k"), f"<View {when('k', 'Cat')}>", choices("c"), "</View>"], (on("k", "Cat"),), id="on a View"
        ),
        pytest.param(
            [
                choices("k"),
                choices("l"),
                f"<View {when('k', 'Cat')}><View>",
                choices("c", when("l", "Dog")),
                "</View></View>",
            ],
            (on("k", "Cat"), on("l", "Dog")),
            id="several must hold, the nearest last",
        ),
        pytest.param(
            [
                choices("k"),
                f"<View {when('k', 'Cat')}>",
                choices("l"),
                f"<View {when('l', 'Dog')}>",
                choices("c"),
                "</View></View>",
            ],
            (on("l", "Dog"),),
            id="what the parent needs already is not repeated",
        ),
        pytest.param(
            [choices("k"), choices("c", 'whenChoiceValue="Cat"', "x y")], (on("k", "Cat"),), id="a bare value"
        ),
        pytest.param([TAXONOMY, choices("c", when("t", "B"))], (on("t", ("A", "B")),), id="last name of a path"),
        pytest.param(
            [
                '<Choices name="k" toName="i"><Choice value="Cat" alias="feline"/></Choices>',
                choices("c", when("k", "feline")),
            ],
            (on("k", "Cat"),),
            id="an alias",
        ),
        pytest.param([TIMELINE, choices("c", 'perRegion="true"', to="v")], (on("tl"),), id="an attribute of any label"),
        pytest.param(
            [TIMELINE, choices("c", 'perRegion="true" whenTagName="tl" whenLabelValue="an"', to="v")],
            (on("tl", "Animal"),),
            id="an attribute of one label, without visibleWhen",
        ),
        pytest.param(
            [TIMELINE, choices("c", 'perRegion="true" whenLabelValue="Animal,Plant"', to="v")],
            (on("tl", "Animal", "Plant"),),
            id="whenLabelValue alone",
        ),
        pytest.param(
            [TIMELINE, choices("c", 'perRegion="true" visibleWhen="region-selected" whenTagName="v"', to="v")],
            (on("tl"),),
            id="the video's own name means any of its labels",
        ),
        pytest.param(
            [
                TIMELINE,
                choices("k", 'perRegion="true" whenLabelValue="Animal"', to="v"),
                choices("c", 'perRegion="true" ' + when("k", "Cat"), to="v"),
            ],
            (on("k", "Cat"),),
            id="a chain of attributes",
        ),
        pytest.param(
            [TIMELINE, choices("k", to="v"), choices("c", 'perRegion="true" ' + when("k", "Cat"), to="v")],
            (on("tl"), on("k", "Cat")),
            id="an attribute that depends on the whole video too",
        ),
        pytest.param(
            [TIMELINE, '<View visibleWhen="region-selected" whenLabelValue="Plant">', choices("c", to="v"), "</View>"],
            (on("tl", "Plant"),),
            id="about the whole video, while such a region is selected",
        ),
        pytest.param([choices("c", 'visibleWhen="no-region-selected"')], (), id="no-region-selected says nothing"),
    ],
)
def test_conditions(tags: list[str], conditions: tuple[Condition, ...]) -> None:
    ontology = view(*tags)
    assert ontology.skipped == ()
    assert ontology.classification("c").conditions == conditions


def test_an_attribute_of_two_timelines() -> None:
    other = '<TimelineLabels name="tm" toName="v"><Label value="Night"/></TimelineLabels>'
    ontology = view(TIMELINE, other, choices("c", 'perRegion="true"', to="v"))
    assert ontology.classification("c").conditions == (Condition("tl", None, also=("tm",)),)
    assert set(ontology.labels("c")) == {"tl", "tm"}


def test_parents_come_before_children_and_otherwise_the_document_rules() -> None:
    ontology = view(choices("c", when("p", "Cat")), choices("b"), choices("p", when("q", "Dog")), choices("q"))
    assert [classification.name for classification in ontology] == ["b", "q", "p", "c"]


@pytest.mark.parametrize(
    ("tags", "reason"),
    [
        pytest.param(
            ['<RectangleLabels name="c" toName="i"><Label value="a"/></RectangleLabels>'], "whole frames", id="boxes"
        ),
        pytest.param(['<TextArea name="c" toName="i"/>'], "whole frames", id="text"),
        pytest.param(['<Rating name="c" toName="i"/>'], "whole frames", id="rating"),
        pytest.param(['<Number name="c" toName="v"/>'], "whole frames", id="number"),
        pytest.param([choices("c", to="x")], "'x', a Text", id="on a text"),
        pytest.param([choices("c", to="nowhere")], "no tag", id="toName of nothing"),
        pytest.param(['<Choices name="c"><Choice value="a"/></Choices>'], "no toName", id="without toName"),
        pytest.param([choices("c", options="")], "no options", id="without options"),
        pytest.param([choices("c", 'model_skip="true"')], 'model_skip="true"', id="left out by a person"),
        pytest.param(
            ['<TimelineLabels name="c" toName="i"><Label value="a"/></TimelineLabels>'], "needs a Video", id="no video"
        ),
        pytest.param(['<Taxonomy name="c" toName="i" apiUrl="http://e.org"/>'], "apiUrl", id="options from an address"),
        pytest.param([choices("c", 'perRegion="true"')], "regions within 'i'", id="an attribute of boxes"),
        pytest.param([choices("c", 'perRegion="true"', to="v")], "no TimelineLabels", id="an attribute without labels"),
        pytest.param(
            [
                '<VideoRectangle name="b" toName="v"/>',
                TIMELINE,
                choices("c", 'perRegion="true" whenTagName="b"', to="v"),
            ],
            "'b', which cannot be predicted",
            id="an attribute of a video box",
        ),
        pytest.param(
            [choices("c", when("k", "Cat"))], "no control of this configuration has that name", id="unknown tag"
        ),
        pytest.param([choices("k"), choices("c", when("k", "Cow"))], "no such option", id="unknown option"),
        pytest.param(
            [choices("k", 'model_skip="true"'), choices("c", when("k", "Cat"))],
            "cannot be predicted",
            id="skipped parent",
        ),
        pytest.param([choices("c", when("c", "Cat"))], "depends on itself", id="its own parent"),
        pytest.param([choices("c", when("d", "Cat")), choices("d", when("c", "Cat"))], "itself through", id="a circle"),
        pytest.param(
            [choices("k"), choices("c", 'visibleWhen="choice-unselected" whenTagName="k"')],
            "left unanswered",
            id="asked only where nothing is known",
        ),
        pytest.param(
            [TIMELINE, choices("k", 'perRegion="true"', to="v"), choices("c", when("k", "Cat"), to="v")],
            "an attribute of regions",
            id="the whole video, depending on a region",
        ),
        pytest.param(
            [TIMELINE, choices("c", 'perRegion="true" visibleWhen="no-region-selected"', to="v")],
            "no region",
            id="never",
        ),
        pytest.param(
            [
                TIMELINE,
                choices("k", 'perRegion="true" whenLabelValue="Plant"', to="v"),
                choices("c", 'perRegion="true" whenLabelValue="Animal" ' + when("k", "Cat"), to="v"),
            ],
            "can never be asked",
            id="of two labels at once",
        ),
        pytest.param(
            [
                '<Repeater on="$images"><Image name="p{{idx}}" value="$images[{{idx}}]"/>',
                choices("c", to="p{{idx}}"),
                "</Repeater>",
            ],
            "Repeater",
            id="in a Repeater",
        ),
        pytest.param(
            ['<Image name="w" value="http://e.org/a.jpg"/>', choices("c", to="w")],
            "names no field",
            id="a fixed picture",
        ),
    ],
)
def test_skipped_with_a_reason(tags: list[str], reason: str) -> None:
    ontology = view(*tags)
    assert "c" not in ontology
    assert reason in next(skipped.reason for skipped in ontology.skipped if skipped.name == "c")


def test_what_depends_on_a_skipped_control_is_skipped_all_the_way_down() -> None:
    ontology = view(choices("k", 'model_skip="true"'), choices("c", when("k", "Cat")), choices("d", when("c", "Cat")))
    assert [skipped.name for skipped in ontology.skipped] == ["k", "c", "d"]
    assert ontology.classifications == ()


def test_options_from_task_data() -> None:
    ontology = view(
        '<Choices name="k" toName="i" value="$options"/>',
        '<Taxonomy name="t" toName="i" value="$tree.top"><Choice value="A"/></Taxonomy>',
        choices("c", when("k", "cat")),
    )
    assert ontology.classification("k").dynamic_field == "options"
    assert ontology.classification("k").options == ()
    filled = with_choices(
        ontology,
        [
            {"options": ["Dog", {"value": "Cat", "alias": "cat", "children": [{"value": "ignored"}]}]},
            {
                "options": ["Dog", 3, None, {"no": "value"}],
                "tree": {"top": [{"value": "A", "children": [{"value": "B"}]}]},
            },
            {"options": "not a list"},
        ],
    )
    assert filled.classification("k").options == (Option(("Dog",)), Option(("Cat",), "cat"), Option(("3",)))
    assert [option.path for option in filled.classification("t").options] == [("A",), ("A", "B")]
    assert filled.classification("c").conditions == (on("k", "Cat"),)


@pytest.mark.parametrize(
    "xml",
    [
        pytest.param(
            "<View><Style>.a > .b { color: red }</Style><!-- a -- b --><Strange/></View>", id="style and comments"
        ),
        pytest.param("<View><Header value='caf&eacute; &nbsp; R&D &unknown; &amp;'/></View>", id="entities"),
        pytest.param('\ufeff \n<?xml version="1.0" encoding="utf-16"?><View/>', id="declaration and byte order mark"),
        pytest.param("<view/>", id="lower case"),
    ],
)
def test_survives(xml: str) -> None:
    assert parse(xml) == Ontology()


@pytest.mark.parametrize(
    ("xml", "words"),
    [
        pytest.param("", "is empty", id="empty"),
        pytest.param("<View>", "not well-formed XML: no element found in line 1", id="cut off"),
        pytest.param("<html><body/></html>", "starts with <View>, got <html>", id="a web page"),
        pytest.param("not XML", "not well-formed", id="no XML"),
        pytest.param("<View>\x00</View>", "not well-formed", id="a zero byte"),
        pytest.param("<View>\ud800</View>", "not valid text", id="half a character"),
        pytest.param(
            '<!DOCTYPE v [<!ENTITY a "ha"><!ENTITY b "&a;&a;&a;">]><View><Header value="&b;"/></View>',
            "must not declare a document type",
            id="a billion laughs",
        ),
        pytest.param(
            '<!DOCTYPE v [<!ENTITY a SYSTEM "file:///etc/passwd">]><View>&a;</View>',
            "must not declare a document type",
            id="a file of the machine",
        ),
    ],
)
def test_refused_in_words(xml: str, words: str) -> None:
    with pytest.raises(ValueError, match=words):
        parse(xml)


def test_depth_is_no_limit() -> None:
    depth = 2000
    taxonomy = '<Choice value="a">' * depth + "</Choice>" * depth
    views = "".join(f"{choices(f'c{n}')}<View {when(f'c{n}', 'Cat')}>" for n in range(depth))
    ontology = view(f'<Taxonomy name="t" toName="i">{taxonomy}</Taxonomy>', views, "</View>" * depth)
    assert len(ontology.classification("t").options) == depth
    assert len(ontology.classifications) == depth + 1
    assert ontology.classification("c1999").conditions == (on("c1998", "Cat"),)


def test_every_template_of_label_studio_is_read(shared: Shared) -> None:
    templates = sorted(shared("data/interop/ls_templates").iterdir())
    found = {}
    for file in templates:
        text = file.read_text()
        ontology = parse(yaml.safe_load(text)["config"] if file.suffix == ".yml" else text)
        found[file.name] = {classification.name: classification.scope for classification in ontology}
        assert all(skipped.reason for skipped in ontology.skipped)
        assert ontology.classifications or ontology.skipped
    assert len(found) > 20
    assert found["videos__video-frame-classification.yml"] == {"videoLabels": "range"}
    assert found["videos__video-classification.xml"] == {"choice": "media"}


def test_configurations_of_boxes_ask_nothing_and_say_so(shared: Shared) -> None:
    for file in sorted(shared("data/interop/ls_converter").glob("*/*.xml")):
        ontology = parse(file.read_text())
        assert ontology.classifications == ()
        assert [skipped.name for skipped in ontology.skipped] == ["label"]
