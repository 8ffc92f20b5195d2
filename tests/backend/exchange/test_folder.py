"""Directories as labels: around them, nested, of the real data sets, and what none can be made of."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path

import pytest

from espalier.errors import BadRequest
from espalier.exchange.folder import Directories, read_pictures
from espalier.exchange.importing import ImportRequest
from espalier.exchange.problem import Problem
from espalier.exchange.sources import open_source
from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

CASES = [
    pytest.param("Animal", "kind: Animal", id="one level"),
    pytest.param("pets/train/Animal", "kind: Animal", id="directories around"),
    pytest.param("animal", "kind: Animal", id="other capitals"),
    pytest.param("plant-1", "kind: Plant", id="alias"),
    pytest.param("Animal/Cat", "kind: Animal, animal: Cat", id="a question within another"),
    pytest.param("Earth/Sea", "place: Earth/Sea", id="a path of one question"),
    pytest.param("Earth/Sea/Animal/Dog", "place: Earth/Sea, kind: Animal, animal: Dog", id="several questions"),
    pytest.param("Animal/other", "kind: Animal but other", id="one that says nothing after one that does"),
    pytest.param("pets", "", id="none"),
]


@pytest.mark.parametrize(("path", "expected"), CASES)
def test_directories_are_labels(path: str, expected: str, ontology: Ontology) -> None:
    labels, stray = Directories(ontology).labels(tuple(path.split("/")))
    told = ", ".join(f"{name}: {'/'.join(option)}" for name, option in labels)
    assert told + (f" but {stray}" if stray else "") == expected


def test_only_the_questions_that_are_named_are_read(ontology: Ontology) -> None:
    assert Directories(ontology, ["animal"]).labels(("Animal", "Cat")) == ([("animal", ("Cat",))], "")
    with pytest.raises(BadRequest, match="has no classes"):
        ImportRequest.from_json({"classes": ["animal"]})


def test_nested_directories_of_real_pictures_are_a_question_within_another(shared: Callable[[str], Path]) -> None:
    root = shared("data/images/cifar100_nested")
    outer = sorted(path.name for path in root.iterdir() if path.is_dir())
    views = ""
    for name in outer:
        inner = "".join(f'<Choice value="{path.name}"/>' for path in sorted((root / name).iterdir()))
        views += (
            f'<Choices name="fine {name}" toName="m" visibleWhen="choice-selected" whenTagName="coarse" '
            f'whenChoiceValue="{name}">{inner}</Choices>'
        )
    choices = "".join(f'<Choice value="{name}"/>' for name in outer)
    ontology = labeling_config.parse(
        f'<View><Image name="m" value="$image"/><Choices name="coarse" toName="m">{choices}</Choices>{views}</View>'
    )
    problems: list[Problem] = []
    read = list(read_pictures(Directories(ontology), open_source(root).files(), problems))
    assert len(read) == 1000
    for parts, said in read:
        assert [option for _, (option,) in said.labels] == list(parts[:-1])
    assert {problem.value for problem in problems} == {"labels.csv", "SOURCE.md"}
