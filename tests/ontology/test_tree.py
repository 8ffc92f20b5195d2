"""The tree's own questions: who is whose parent, what a path means, and what makes it another tree."""

from __future__ import annotations

from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Condition, Siblings

XML = """<View><Video name="v" value="$video"/>
<TimelineLabels name="tl" toName="v"><Label value="Animal" alias="an"/><Label value="Plant"/></TimelineLabels>
<Choices name="kind" toName="v" perRegion="true" whenTagName="tl" whenLabelValue="an">
  <Choice value="Cat"/><Choice value="Dog"/></Choices>
<Choices name="breed" toName="v" perRegion="true"
  visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Cat">
  <Choice value="Siamese"/></Choices>
<Taxonomy name="tax" toName="v"><Choice value="A" alias="a"><Choice value="B"/><Choice value="C" alias="B2"/></Choice>
  <Choice value="D"/></Taxonomy></View>"""
ONTOLOGY = parse(XML)


def test_parents_and_children() -> None:
    assert [other.name for other in ONTOLOGY.roots] == ["tl", "tax"]
    assert [other.name for other in ONTOLOGY.children("tl")] == ["kind"]
    assert [other.name for other in ONTOLOGY.ancestors("breed")] == ["tl", "kind"]
    assert [other.name for other in ONTOLOGY.dependents("kind")] == ["breed"]
    assert ONTOLOGY.classification("kind").conditions == (Condition("tl", frozenset({("Animal",)})),)


def test_the_labels_of_an_attribute_come_down_its_chain() -> None:
    assert ONTOLOGY.labels("breed") == {"tl": frozenset({("Animal",)})}
    assert ONTOLOGY.labels("tax") == {}


def test_paths_and_their_wire_form() -> None:
    tax = ONTOLOGY.classification("tax")
    assert tax.wire_path(("A", "C")) == ("a", "B2")
    assert tax.path_of(("a", "B2")) == ("A", "C")
    assert tax.path_of(("A", "B")) == ("A", "B")
    assert tax.path_of(("B",)) is None
    assert tax.named("B") == {("A", "B")}
    assert not tax.is_leaf(("A",))
    assert tax.siblings() == (Siblings((), (("A",), ("D",))), Siblings(("A",), (("A", "B"), ("A", "C"))))


def test_the_fingerprint_changes_with_what_a_model_learns_only() -> None:
    same = XML.replace('value="Plant"', 'value="Plant" background="red" hotkey="p"').replace(
        "<View>", "<View><Header/>"
    )
    assert parse(same).fingerprint == ONTOLOGY.fingerprint
    for other in (XML.replace("Siamese", "Persian"), XML.replace('whenChoiceValue="Cat"', 'whenChoiceValue="Dog"')):
        assert parse(other).fingerprint != ONTOLOGY.fingerprint


def test_an_ontology_can_be_a_key() -> None:
    assert {ONTOLOGY: 1}[parse(XML)] == 1
