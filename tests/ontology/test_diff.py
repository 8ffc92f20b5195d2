"""What is different between two configurations, in sentences; and laws over random and real ones."""

from __future__ import annotations

import re
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path as FilePath

import hypothesis.strategies as st
import pytest
from hypothesis import given, settings
from hypothesis.strategies import DataObject, SearchStrategy

from espalier_ontology.diff import Change, diff
from espalier_ontology.labeling_config import parse
from espalier_ontology.tree import Ontology

IMAGE = '<Image name="i" value="$image"/>'
DROPS = (
    '<Choices name="Drops" toName="i" visibleWhen="choice-selected" whenTagName="Weather" whenChoiceValue="{}">'
    '<Choice value="big"/><Choice value="small"/></Choices>'
)


def config(*options: str, attributes: str = "", more: str = "", media: str = IMAGE) -> Ontology:
    tags = "".join(option if option.startswith("<") else f'<Choice value="{option}"/>' for option in options)
    return parse(f'<View>{media}<Choices name="Weather" toName="i"{attributes}>{tags}</Choices>{more}</View>')


def tree(*options: str) -> Ontology:
    return parse(f'<View>{IMAGE}<Taxonomy name="Kind" toName="i">{"".join(options)}</Taxonomy></View>')


def branch(name: str, *children: str) -> str:
    return f'<Choice value="{name}">{"".join(branch(child) for child in children)}</Choice>'


BASE = config("Sun", "Rain", "Snow")


@pytest.mark.parametrize(
    ("old", "new", "code", "says", "answers", "model"),
    [
        (BASE, config("Sun", "Rain", "Snow", "Fog"), "option added",
         "Weather/Fog is new, and nobody who answered before could choose it", "need another look", "must be trained"),
        (BASE, config("Sun", "Rain"), "option removed", "Weather/Snow is gone", "no longer asked", "must be trained"),
        (BASE, config("Sun", '<Choice value="Rainy" alias="Rain"/>', "Snow"), "option renamed",
         "Weather/Rain is called Rainy now, and its alias keeps its answers", "kept", "must be trained"),
        (BASE, config("Sun", "Rain", "Snow", attributes=' choice="multiple"'), "form changed",
         "Weather takes several answers now, and earlier ones name one", "need another look", "must be trained"),
        (config("Sun", "Rain", attributes=' choice="multiple"'), config("Sun", "Rain"), "form changed",
         "Weather takes one answer now, and earlier ones that name several are left out",
         "need another look", "must be trained"),
        (config("Sun", '<Choice value="Rain" alias="r"/>'), config("Sun", "Rain"), "alias changed",
         "answers of Weather/Rain stand as 'r' in Label Studio, which means nothing now",
         "need another look", "serves on"),
        (BASE, config("Sun", "Rain", "Snow", more=DROPS.format("Rain")), "classification added",
         "Drops is asked now, with 2 options", "kept", "must be trained"),
        (config("Sun", "Rain", more=DROPS.format("Rain")), config("Sun", "Rain"), "classification removed",
         "Drops is not asked any more", "no longer asked", "serves on"),
        (config("Sun", "Rain", more=DROPS.format("Rain")), config("Sun", "Rain", more=DROPS.format("Sun")),
         "conditions changed", "Drops is asked where Weather is Sun now, and where Weather is Rain before",
         "no longer asked", "must be trained"),
        (config("Sun", "Rain", more=DROPS.format("Rain")), config("Sun", "Rain", more=DROPS.format("Sun,Rain")),
         "conditions changed", "Drops is asked where Weather is Rain or Sun now, and where Weather is Rain before",
         "kept", "must be trained"),
        (BASE, config("Sun", "Rain", "Snow", media='<Image name="i" value="$photo"/>'), "media changed",
         "i takes its image from 'photo' now, and from 'image' before", "need another look", "must be trained"),
        (tree(branch("A", "x"), branch("B")), tree(branch("A", "x", "y"), branch("B")), "option added",
         "Kind/A/y is new, and nobody", "need another look", "must be trained"),
        (tree(branch("A"), branch("B")), tree(branch("A", "x"), branch("B")), "option added",
         "Kind/A/x is new", "kept", "must be trained"),
        (BASE, config("Sun", "Rain", "Snow", attributes=' model_skip="true"'), "classification removed",
         'Weather is not asked any more: model_skip="true"', "no longer asked", "serves on"),
        (BASE, parse(f'<View>{IMAGE}<Taxonomy name="Weather" toName="i"><Choice value="Sun"/><Choice value="Rain"/>'
                     '<Choice value="Snow"/></Taxonomy></View>'), "form changed",
         "Weather is a Taxonomy now, and cannot read the answers to a Choices", "need another look", "must be trained"),
    ],
)  # fmt: skip
def test_one_change_is_one_sentence(
    old: Ontology, new: Ontology, code: str, says: str, answers: str, model: str
) -> None:
    found = [change for change in diff(old, new) if change.code == code]
    assert found, [str(change) for change in diff(old, new)]
    assert found[0].message.startswith(says), found[0].message
    assert (found[0].answers, found[0].model) == (answers, model)


@pytest.mark.parametrize(
    ("old", "new", "kind", "gone", "now", "why"),
    [
        (["Sun", "Rain"], ["Sun", "Rainy"], "rename", ["Rain"], ["Rainy"], "a similar name"),
        (["Sun", "rain"], ["Sun", "Rain"], "rename", ["rain"], ["Rain"], "case and punctuation"),
        (["person", "x"], ["human", "x"], "rename", ["person"], ["human"], "mean the same"),
        (["Sun", "Rain"], ["Sun", "Wet"], "rename", ["Rain"], ["Wet"], "1 gone and 1 new at the same place"),
        (["Sun", "Rain", "Hail"], ["Sun", "Wet"], "merge", ["Rain", "Hail"], ["Wet"], "2 gone and 1 new"),
        (["Sun", "Rain"], ["Sun", "Wet", "Damp"], "split", ["Rain"], ["Wet", "Damp"], "1 gone and 2 new"),
        (['<Choice value="A" hotkey="a"/>', '<Choice value="Q"/>'],
         ['<Choice value="Z" hotkey="a"/>', '<Choice value="W"/>'], "rename", ["A"], ["Z"], "the same hotkey"),
    ],
)  # fmt: skip
def test_what_somebody_may_have_meant_is_suggested(
    old: list[str], new: list[str], kind: str, gone: list[str], now: list[str], why: str
) -> None:
    removed = [change for change in diff(config(*old), config(*new)) if change.code == "option removed"]
    suggestion = removed[0].suggestion
    assert suggestion is not None
    assert (suggestion.kind, [path[0] for path in suggestion.old]) == (kind, gone)
    assert [path[0] for path in suggestion.new] == now
    assert why in suggestion.why
    assert removed[0].answers == "need another look"
    added = [change for change in diff(config(*old), config(*new)) if change.code == "option added"]
    assert all(("is called now" in change.message) == (kind == "rename") for change in added if change.option[0] in now)


def test_a_moved_option_is_known_by_its_name() -> None:
    old = tree(branch("Animal", "Cat"), branch("Thing", "Car"))
    new = tree(branch("Animal"), branch("Thing", "Car"), branch("Pet", "Cat"))
    (gone,) = [change for change in diff(old, new) if change.code == "option removed"]
    assert gone.suggestion is not None
    assert (gone.suggestion.old, gone.suggestion.new) == ((("Animal", "Cat"),), (("Pet", "Cat"),))


def test_a_branch_is_one_change() -> None:
    old, new = tree(branch("Animal", "Cat", "Dog"), branch("x")), tree(branch("Animals", "Cat", "Dog"), branch("x"))
    assert [(change.code, change.option) for change in diff(old, new)] == [
        ("option added", ("Animals",)),
        ("option removed", ("Animal",)),
    ]


def test_an_attribute_of_a_renamed_option_is_asked_as_before() -> None:
    old = config("Sun", "Rain", more=DROPS.format("Rain"))
    new = config("Sun", "Rainy", more=DROPS.format("Rainy"))
    (change,) = [change for change in diff(old, new) if change.code == "conditions changed"]
    assert change.message == "Drops is asked as before, where Weather is Rainy, where that is a new name"
    assert change.answers == "kept"


def test_answers_that_an_alias_takes_elsewhere_are_told() -> None:
    (change,) = diff(config("Sun", "Rain", "Wet"), config("Sun", '<Choice value="Wet" alias="Rain"/>'))
    assert change.message == "Weather/Rain is gone, and its answers are read as Weather/Wet, by the alias"


def test_a_sentence_tells_what_it_means() -> None:
    change = Change("option added", "Weather", "Weather/Fog is new", "need another look", "must be trained", ("Fog",))
    assert str(change) == "Weather/Fog is new (answers: need another look; the model must be trained)"


@settings(max_examples=80, deadline=None)
@given(data=st.data())
def test_nothing_changes_from_itself_and_everything_learned_is_noticed(
    data: DataObject, configurations: SearchStrategy[str]
) -> None:
    old, new = parse(data.draw(configurations)), parse(data.draw(configurations))
    assert diff(old, old) == ()
    shuffled = tuple(replace(one, options=tuple(reversed(one.options))) for one in reversed(old.classifications))
    assert diff(old, replace(old, classifications=shuffled)) == ()
    if old.fingerprint != new.fingerprint:
        assert diff(old, new)
        assert diff(new, old)
    for change in diff(old, new):
        assert change.message
        if change.suggestion:
            known_then, known_now = old.classification(change.classification), new.classification(change.classification)
            assert all(known_now.option(path) for path in change.suggestion.new)
            assert change.code == "alias changed" or all(known_then.option(path) for path in change.suggestion.old)


def test_real_configurations_differ_from_each_other_and_not_from_themselves(
    shared: Callable[[str], FilePath],
) -> None:
    files = [*sorted(shared("data/videos").glob("*.label_config.xml"))]
    files += [*sorted(shared("data/interop/ls_templates").glob("*.xml"))]
    files += [*sorted(shared("data/interop/projects").rglob("*.xml"))]
    files += [*sorted(shared("data/images").rglob("*.xml"))]
    read = [(file.name, parse(file.read_text())) for file in files]
    read = [(name, ontology) for name, ontology in read if ontology.classifications]
    assert len(read) >= 4
    for _, ontology in read:
        assert diff(ontology, ontology) == ()
        for _, other in read:
            changes = diff(ontology, other)
            assert bool(changes) or ontology.fingerprint == other.fingerprint
            assert all(re.fullmatch(r"[^\n]+", str(change)) for change in changes)
