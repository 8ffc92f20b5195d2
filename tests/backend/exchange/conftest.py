"""An ontology with every kind of question of pictures, and tasks that show some."""

from __future__ import annotations

import pytest

from espalier.exchange.shown_files import ShownFiles
from espalier_ontology import labeling_config
from espalier_ontology.tree import Ontology

CONFIG = """<View><Image name="m" value="$image"/>
<Choices name="kind" toName="m"><Choice value="Animal"/><Choice value="Plant" alias="plant-1"/></Choices>
<Choices name="animal" toName="m" visibleWhen="choice-selected" whenTagName="kind" whenChoiceValue="Animal">
<Choice value="Cat"/><Choice value="Dog"/></Choices>
<Choices name="seen" toName="m" choice="multiple">
<Choice value="rain"/><Choice value="snow"/><Choice value="fog"/></Choices>
<Taxonomy name="place" toName="m"><Choice value="Earth"><Choice value="Sea"/><Choice value="Land"/></Choice>
<Choice value="Sky"/></Taxonomy></View>"""


@pytest.fixture
def ontology() -> Ontology:
    return labeling_config.parse(CONFIG)


@pytest.fixture
def shown(ontology: Ontology) -> ShownFiles:
    addresses = {
        1: "/data/upload/7/0a1b2c3d-cat.jpg",
        2: "/data/upload/7/ffffffff-my_dog.jpg",
        3: "/data/local-files/?d=pets/day/one.png",
        4: "/data/local-files/?d=pets/night/one.png",
        5: "s3://bucket/wood/oak%20tree.jpeg",
        6: "/data/upload/7/01234567-twice.jpg",
        7: "/data/upload/7/89abcdef-twice.jpg",
    }
    return ShownFiles.of(ontology, [(id, {"image": address}) for id, address in addresses.items()])
