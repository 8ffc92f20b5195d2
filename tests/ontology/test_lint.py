"""Each thing that hurts in a labeling configuration is found, and nothing else is."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path as File

import pytest

from espalier_ontology.lint import lint

IMAGE = '<Image name="i" value="$image"/>'
KIND = '<Choices name="k" toName="i"><Choice value="Animal"/><Choice value="Plant"/></Choices>'
TREE = '<Taxonomy name="t" toName="i"><Choice value="A"><Choice value="B"/></Choice></Taxonomy>'


def choices(attributes: str, *options: str, name: str = "c") -> str:
    inner = "".join(option if option.startswith("<") else f'<Choice value="{option}"/>' for option in options)
    return f'<Choices name="{name}" toName="i" {attributes}>{inner}</Choices>'


def when(tag: str, value: str, kind: str = "choice-selected") -> str:
    return f'visibleWhen="{kind}" whenTagName="{tag}" whenChoiceValue="{value}"'


@pytest.mark.parametrize(
    ("tags", "codes"),
    [
        pytest.param(KIND, [], id="nothing wrong"),
        pytest.param(choices("", "Cat", "cat "), ["look-alike"], id="case and space"),
        pytest.param(choices("", "Cat", "Сat"), ["look-alike"], id="a Cyrillic letter"),
        pytest.param(choices("", "ﬁsh", "fish"), ["look-alike"], id="a ligature"),
        pytest.param(choices("", "-1", "1", "1.5", "15"), [], id="numbers are not alike"),
        pytest.param(choices("", "good", "OK"), ["near-synonym"], id="good and ok"),
        pytest.param(choices("", "defect", "NG"), ["near-synonym"], id="defect and ng"),
        pytest.param(choices("", "good", "bad"), [], id="good and bad"),
        pytest.param(choices("", "cat", "cats"), ["near-synonym"], id="plural"),
        pytest.param(choices("", "berry", "berries"), ["near-synonym"], id="plural in y"),
        pytest.param(choices("", "glass", "bus", "iris"), [], id="words that end in s"),
        pytest.param(choices("", "none", "empty"), ["near-synonym"], id="none and empty"),
        pytest.param(choices("", "other", "unknown"), ["near-synonym"], id="other and unknown"),
        pytest.param(choices("", "Cat", "Cat", "Dog"), ["duplicate-option"], id="twice"),
        pytest.param(
            choices("", '<Choice value="Cat" hotkey="1"/>', '<Choice value="Dog" hotkey="1"/>'),
            ["shared-hotkey"],
            id="hotkey",
        ),
        pytest.param(
            choices("", '<Choice value="Cat" alias="a"/>', '<Choice value="Dog" alias="a"/>'),
            ["same-alias"],
            id="alias",
        ),
        pytest.param(KIND + choices(when("k", "Stone"), "Cat"), ["unreachable"], id="unknown option"),
        pytest.param(KIND + choices(when("k", "Animal,Stone"), "Cat"), ["unreachable"], id="one unknown option of two"),
        pytest.param(KIND + choices(when("q", "Animal"), "Cat"), ["unreachable"], id="unknown control"),
        pytest.param(
            choices(when("d", "Cat"), "Cat") + choices(when("c", "Cat"), "Cat", name="d"),
            ["unreachable", "unreachable"],
            id="a circle",
        ),
        pytest.param(
            f"{KIND}<View {when('k', 'Plant')}>{choices(when('k', 'Animal'), 'Cat')}</View>",
            ["unreachable"],
            id="contradiction",
        ),
        pytest.param(
            f"{KIND}<View {when('k', 'Plant', 'choice-unselected')}>{choices(when('k', 'Plant'), 'Cat')}</View>",
            ["unreachable"],
            id="is and is not",
        ),
        pytest.param(
            '<Image name="s" valueList="$s"/>'
            + KIND
            + choices('perItem="true" ' + when("k", "Animal"), "Cat").replace('"i"', '"s"'),
            ["per-item-condition"],
            id="perItem with visibleWhen",
        ),
        pytest.param(TREE + choices(when("t", "B"), "Cat"), ["taxonomy-condition"], id="inside a taxonomy"),
        pytest.param(TREE + choices(when("t", "A"), "Cat"), ["inner-condition"], id="on the inside of a taxonomy"),
        pytest.param(
            choices('allowNested="true"', '<Choice value="A"><Choice value="B"/></Choice>'),
            ["nested-choices"],
            id="nested",
        ),
        pytest.param(
            choices("", '<Choice value="A"><Choice value="B"/></Choice>'),
            ["nested-choices-ignored"],
            id="nested and ignored",
        ),
        pytest.param('<Video name="v" value="$v"/>', ["no-frame-rate"], id="no frame rate"),
        pytest.param('<Video name="v" value="$v" framerate="25"/>', [], id="a frame rate in lower case"),
        pytest.param(choices('value="$options"'), ["dynamic-options"], id="options from the task"),
    ],
)
def test_findings(tags: str, codes: list[str]) -> None:
    findings = lint(f"<View>{IMAGE}{tags}</View>")
    assert [finding.code for finding in findings] == codes
    assert all(finding.control and finding.message and finding.instead for finding in findings)


def test_good_projects_have_no_findings(shared: Callable[[str], File]) -> None:
    for file in sorted(shared("data/interop/projects").glob("*/label_config.xml")):
        assert lint(file.read_text()) == (), file
