"""Mappings of a project, as answers are read by them, and the revisit list; on records that are real."""

from __future__ import annotations

from datetime import datetime, timezone
from typing import Any

import pytest

from espalier.demo.results import choices
from espalier.errors import BadRequest
from espalier.jobs.label_mappings import readings
from espalier.jobs.reading import MappedReading, Readings, unopened
from espalier.jobs.remapping import Mapped, add, undo
from espalier.jobs.revisit import link, refresh
from espalier.store.rows import MappingKind, ModelVersion

CONFIG = """<View><Image name="image" value="$image"/>
  <Choices name="Weather" toName="image">{options}</Choices>
  <Choices name="Drops" toName="image" visibleWhen="choice-selected" whenTagName="Weather" whenChoiceValue="{wet}">
    <Choice value="big"/><Choice value="small"/></Choices></View>"""
SAID = ["Sun", "Rain", "Rain", "Snow", "Rain"]


def config(*options: str, wet: str = "Rain") -> str:
    tags = "".join(one if one.startswith("<") else f'<Choice value="{one}"/>' for one in options)
    return CONFIG.format(options=tags, wet=wet)


@pytest.fixture
def weather(home: Any) -> Any:
    """Five annotated tasks, as SAID; drops are big where it rains."""
    home.configure(config("Sun", "Rain", "Snow"))
    home.add_tasks([{"image": f"/nowhere/{number}.png"} for number in range(len(SAID))])
    for number, option in enumerate(SAID, 1):
        home.annotate(number, choices("image", {"Weather": option} | ({"Drops": "big"} if option == "Rain" else {})))
    return home


def options(*texts: str) -> list[tuple[str, ...]]:
    return [tuple(text.split("/")) for text in texts]


def change(home: Any, kind: MappingKind, old: str, *new: str) -> Mapped:
    return add(home.house, home.project, kind, "Weather", options(*old.split(",")), options(*new))


def read(home: Any) -> list[MappedReading]:
    reader = readings(home.house, home.project, home.house.ontology(home.project))
    return [
        reader.read(annotation.result, unopened(annotation.task_id), annotation.updated_at)
        for annotation in home.house.records.annotations(home.key)
    ]


def told(home: Any) -> list[str]:
    return [" ".join("/".join(answer.option) for answer in reading.answers) for reading in read(home)]


def kept(home: Any, label_config: str, name: str = "espalier-v1") -> None:
    """A version that was trained with this configuration, and serves."""
    version = ModelVersion(
        project_key=home.key,
        name=name,
        state="candidate",
        directory="",
        encoder={},
        ontology_fingerprint="",
        data_fingerprint="",
        metrics={},
        created_at=datetime.now(timezone.utc),
        trained_on={"label_config": label_config},
    )
    home.house.records.add_version(version)
    home.house.records.serve(home.key, name)


def test_without_mappings_nothing_is_different(weather: Any) -> None:
    ontology = weather.house.ontology(weather.project)
    plain = Readings(ontology)
    assert plain.known is ontology
    assert told(weather) == ["Sun", "Rain big", "Rain big", "Snow", "Rain big"]


def test_a_renamed_option_keeps_its_answers_and_undo_gives_them_back(weather: Any) -> None:
    kept(weather, config("Sun", "Rain", "Snow"))
    weather.configure(config("Sun", "Rainy", "Snow", wet="Rainy"))
    assert told(weather) == ["Sun", "", "", "Snow", ""]
    assert read(weather)[1].problems
    revision = weather.project.revision
    made = change(weather, "rename", "Rain", "Rainy")
    assert (made.answers, made.annotations) == (3, 3)
    assert told(weather) == ["Sun", "Rainy big", "Rainy big", "Snow", "Rainy big"]
    assert not any(reading.problems for reading in read(weather))
    assert weather.project.revision == revision + 1
    assert weather.house.queues.waiting()["training"] == 1
    assert made.mappings[0].from_version == "espalier-v1"
    undo(weather.house, weather.project, made.mappings[0].id)
    assert told(weather) == ["Sun", "", "", "Snow", ""]
    assert weather.project.revision == revision + 2
    stored = weather.house.records.annotations(weather.key)
    assert [one.result[0]["value"]["choices"][0] for one in stored] == SAID, "annotations are never changed"


def test_several_options_become_one(weather: Any) -> None:
    weather.configure(config("Sun", "Wet", wet="Wet"))
    made = change(weather, "merge", "Rain,Snow", "Wet")
    assert [mapping.old for mapping in made.mappings] == options("Rain", "Snow")
    assert (made.answers, made.annotations) == (4, 4)
    assert told(weather) == ["Sun", "Wet big", "Wet big", "Wet", "Wet big"]


def test_one_of_the_merged_may_be_the_one_that_stays(weather: Any) -> None:
    made = change(weather, "merge", "Rain,Snow", "Rain")
    assert [mapping.old for mapping in made.mappings] == options("Snow")
    assert told(weather)[3] == "Rain"


def test_chains_are_followed_and_the_one_in_the_middle_can_be_undone(weather: Any) -> None:
    weather.configure(config("Sun", "Rainy", "Snow", wet="Rainy"))
    change(weather, "rename", "Rain", "Rainy")
    weather.annotate(4, choices("image", {"Weather": "Rainy"}), id=4)
    weather.configure(config("Sun", "Wet", "Snow", wet="Wet"))
    second = change(weather, "rename", "Rainy", "Wet")
    assert second.annotations == 4
    assert told(weather) == ["Sun", "Wet big", "Wet big", "Wet", "Wet big"]
    undo(weather.house, weather.project, second.mappings[0].id)
    assert told(weather) == ["Sun", "", "", "", ""]
    assert any("has no option 'Rainy' now" in str(problem) for problem in read(weather)[1].problems)


def test_a_split_waits_on_the_revisit_list_until_somebody_chooses(weather: Any) -> None:
    weather.configure(config("Sun", "Drizzle", "Downpour", "Snow", wet="Downpour"))
    made = change(weather, "split", "Rain", "Drizzle", "Downpour")
    id = made.mappings[0].id
    assert refresh(weather.house, weather.project) == (3, 0)
    assert refresh(weather.house, weather.project) == (0, 0)
    entries = weather.house.records.revisits(weather.key, "open")
    assert [(entry.task_id, entry.option, entry.mapping_id) for entry in entries] == [
        (number, ("Rain",), id) for number in (2, 3, 5)
    ]
    assert entries[0].reason.startswith("Weather/Rain was split on 20")
    assert entries[0].reason.endswith(": Drizzle or Downpour?")
    assert [answer.option for answer in read(weather)[1].answers] == [("big",)], "and Drops has no parent that holds"

    weather.annotate(2, choices("image", {"Weather": "Drizzle"}), id=2)
    weather.annotate(3, choices("image", {"Weather": "Rain"}), id=3)
    weather.house.records.forget_annotations(weather.key, [5])
    assert refresh(weather.house, weather.project).put == 0
    assert [entry.task_id for entry in weather.house.records.revisits(weather.key, "open")] == [3]
    assert told(weather)[1] == "Drizzle"
    undo(weather.house, weather.project, id)
    assert not weather.house.records.revisits(weather.key, "open")


def test_a_split_that_keeps_the_name_asks_only_about_earlier_answers(weather: Any) -> None:
    weather.configure(config("Sun", "Rain", "Drizzle", "Snow"))
    change(weather, "split", "Rain", "Rain", "Drizzle")
    assert refresh(weather.house, weather.project).put == 3
    later = "2999-01-01T00:00:00Z"
    weather.annotate(2, choices("image", {"Weather": "Rain", "Drops": "big"}), id=2, updated_at=later)
    assert refresh(weather.house, weather.project).settled == 1
    assert told(weather)[1:3] == ["Rain big", "big"]


def test_a_retired_option_is_answered_no_more(weather: Any) -> None:
    made = change(weather, "retire", "Snow")
    assert made.answers == 1
    assert told(weather)[3] == ""
    assert refresh(weather.house, weather.project) == (0, 0)


def test_an_alias_of_old_is_known_from_the_version_that_served(weather: Any) -> None:
    kept(weather, config("Sun", '<Choice value="Rainfall" alias="Rain"/>', "Snow", wet="Rainfall"))
    weather.configure(config("Sun", "Rainy", "Snow", wet="Rainy"))
    made = change(weather, "rename", "Rainfall", "Rainy")
    assert made.answers == 3
    assert told(weather)[1] == "Rainy big"


def test_answers_of_a_model_are_told_in_todays_words(weather: Any) -> None:
    before = Readings(weather.house.ontology(weather.project))
    answers = before.read(choices("image", {"Weather": "Rain", "Drops": "big"}), unopened(1)).answers
    weather.configure(config("Sun", "Rainy", "Snow", wet="Rainy"))
    change(weather, "rename", "Rain", "Rainy")
    now = readings(weather.house, weather.project, weather.house.ontology(weather.project))
    assert now.known.classification("Weather").option(("Rain",))
    assert [answer.option for answer in now.in_todays_words(answers)] == [("Rainy",), ("big",)]


@pytest.mark.parametrize(
    ("kind", "old", "new", "says"),
    [
        ("rename", "Rain", ["Rainy"], "Weather/Rainy is not in the configuration, which has Sun, Rain, Snow: add"),
        ("rename", "Rain", ["Snow"], "Weather/Rain is still in the configuration: rename it there first, or merge it"),
        ("merge", "Hail", ["Rain"], "nobody ever answered Weather/Hail, and no model version knew it; today there are"),
        ("merge", "Rain", ["Rain"], "a merge takes other options than what it makes"),
        ("retire", "Rain,Snow", [], "a retire takes one option"),
        ("split", "Rain", ["Snow"], "takes two or more new options"),
    ],
)  # fmt: skip
def test_what_cannot_be_meant_is_refused_in_words(
    weather: Any, kind: MappingKind, old: str, new: list[str], says: str
) -> None:
    with pytest.raises(BadRequest, match=says):
        change(weather, kind, old, *new)
    assert weather.house.records.mappings(weather.key) == []


def test_circles_and_seconds_are_refused_in_words(weather: Any) -> None:
    change(weather, "merge", "Rain", "Snow")
    with pytest.raises(BadRequest, match=r"would go round in a circle with the mapping .* undo that one instead"):
        change(weather, "merge", "Snow", "Rain")
    with pytest.raises(BadRequest, match=r"maps 'Weather/Rain' already; undo it first"):
        change(weather, "merge", "Rain", "Sun")
    with pytest.raises(BadRequest, match="the configuration asks no 'weather'; it asks Weather, Drops"):
        add(weather.house, weather.project, "retire", "weather", options("Rain"), [])


def test_a_task_is_found_in_label_studio(weather: Any) -> None:
    assert link(weather.project, 3) == ""
    weather.house.records.put_project(weather.key, hostname="http://ls.example/")
    assert link(weather.project, 3) == "http://ls.example/projects/7/data?task=3"
