"""Settings of one classification: written in three places; the nearest to the person holds."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest

from espalier.classification_settings import ClassificationSettings
from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest
from espalier.jobs.classification_settings import ChosenSetting, choose, in_force


def configured(home: Any) -> None:
    home.configure(
        IMAGE_CONFIG.replace('name="looped digit"', 'name="looped digit" model_plugin="kernel" model_negatives="all"')
    )


def test_each_setting_is_shown_with_where_it_was_written(home: Any) -> None:
    configured(home)
    written = ChosenSetting("looped digit", "model_plugin", "kernel", "labeling configuration")
    assert written in in_force(home.house, home.project)
    yaml = ClassificationSettings.parse({"looped digit": {"plugin": "linear"}, "7/loop": {"plugin": "kernel"}}, "yaml")
    home.house.settings = replace(home.house.settings, classifications=yaml)
    told = in_force(home.house, home.project)
    assert ChosenSetting("looped digit", "model_plugin", "linear", "espalier.yaml") in told
    assert ChosenSetting("looped digit", "model_negatives", "all", "labeling configuration") in told
    assert ChosenSetting("loop", "model_plugin", "kernel", "espalier.yaml") in told
    choose(home.house, home.project, "looped digit", {"plugin": "kernel"})
    assert ChosenSetting("looped digit", "model_plugin", "kernel", "project") in in_force(home.house, home.project)


def test_the_next_training_uses_the_plugin_and_what_was_chosen_is_taken_back(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(40, annotated=30)
    usual = home.train()
    project = choose(home.house, home.project, "loop", {"plugin": "kernel"})
    assert project.revision > project.trained_revision
    waiting = home.house.queues.waiting()["training"]
    assert waiting == 1
    other = home.train()

    def plugins(version: Any) -> dict[str, str]:
        heads = home.house.model(home.house.version_directory(project, version.name) / "model").heads
        return {head.classification: head.plugin for head in heads.values()}

    assert plugins(usual)["loop"] == "linear"
    assert plugins(other)["loop"] == "kernel"
    assert plugins(other)["looped digit"] == "linear"
    assert choose(home.house, home.project, "loop", {}, ["model_plugin"]).classifications == {}


@pytest.mark.parametrize(
    ("classification", "given", "words"),
    [
        pytest.param("season", {"plugin": "kernel"}, "does not ask 'season'", id="no such classification"),
        pytest.param("loop", {"plugin": "oracle"}, "no classifier plugin is called 'oracle'", id="no such plugin"),
        pytest.param("loop", {"colour": "red"}, "no setting 'colour'", id="no such setting"),
        pytest.param("loop", {"score_threshold": "2"}, "within 0 and 1", id="no share"),
    ],
)
def test_mistakes_change_nothing(home: Any, classification: str, given: dict[str, str], words: str) -> None:
    home.configure(IMAGE_CONFIG)
    with pytest.raises(BadRequest) as refused:
        choose(home.house, home.project, classification, given)
    assert words in str(refused.value)
    assert home.project.classifications == {}


def test_what_would_hold_without_a_setting_is_told_with_it(home: Any) -> None:
    configured(home)
    yaml = ClassificationSettings.parse({"looped digit": {"plugin": "linear"}}, "yaml")
    home.house.settings = replace(home.house.settings, classifications=yaml)
    choose(home.house, home.project, "looped digit", {"plugin": "dynamic"})
    told = next(one for one in in_force(home.house, home.project) if one.name == "model_plugin")
    assert (told.value, told.origin) == ("dynamic", "project")
    assert [(one.value, one.origin) for one in told.behind] == [
        ("linear", "espalier.yaml"),
        ("kernel", "labeling configuration"),
    ]


def test_parameters_are_held_against_the_plugin_and_forgotten_with_it(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    chosen = choose(home.house, home.project, "loop", {"plugin": "kernel", "parameters": '{"features": "kernel"}'})
    assert chosen.classifications["loop"] == {
        "model_plugin": "kernel",
        "model_parameters": '{"features": "kernel"}',
    }
    with pytest.raises(BadRequest, match="no parameter 'features'; there are strength"):
        choose(home.house, chosen, "loop", {"plugin": "linear", "parameters": '{"features": "kernel"}'})
    other = choose(home.house, chosen, "loop", {"plugin": "linear"})
    assert other.classifications["loop"] == {"model_plugin": "linear"}
    with pytest.raises(BadRequest, match="must be above 0"):
        choose(home.house, other, "loop", {"parameters": '{"strength": -1}'})


def test_the_next_training_learns_by_them_and_says_what_it_left_out(home: Any) -> None:
    home.configure(
        IMAGE_CONFIG.replace(
            'name="looped digit"', """name="looped digit" model_parameters='{"strength": 12, "colour": 3}'"""
        )
    )
    home.digits(40, annotated=30)
    choose(home.house, home.project, "loop", {"plugin": "kernel", "parameters": '{"features": "kernel"}'})
    version = home.train()
    heads = home.house.model(home.house.version_directory(home.project, version.name) / "model").heads
    by_name = {head.classification: head for head in heads.values()}
    assert by_name["loop"].parameters["features"] == "kernel"
    assert by_name["looped digit"].parameters["strength"] == 12
    assert any("no parameter 'colour'" in note for note in by_name["looped digit"].notes)
