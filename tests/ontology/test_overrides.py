from __future__ import annotations

from espalier_ontology.labeling_config import parse
from espalier_ontology.overrides import with_settings

CONFIG = """<View><Image name="image" value="$image"/>
<Choices name="Weather" toName="image" model_plugin="kernel" model_negatives="all"><Choice value="Rain"/></Choices>
<Choices name="Road" toName="image"><Choice value="Wet"/></Choices></View>"""


def test_a_chosen_setting_stands_in_place_of_the_written_one_and_leaves_the_others() -> None:
    chosen = with_settings(parse(CONFIG), {"Weather": {"model_plugin": "dynamic"}})
    assert chosen.classification("Weather").settings == {"model_plugin": "dynamic", "model_negatives": "all"}
    assert chosen.classification("Road").settings == {}


def test_choosing_settings_changes_nothing_that_a_model_learns_from() -> None:
    before = parse(CONFIG)
    after = with_settings(before, {"Road": {"model_plugin": "dynamic"}})
    assert after.fingerprint == before.fingerprint
    assert [one.name for one in after] == [one.name for one in before]


def test_names_that_are_not_asked_are_no_matter() -> None:
    before = parse(CONFIG)
    assert with_settings(before, {"Season": {"model_plugin": "dynamic"}}) is before
