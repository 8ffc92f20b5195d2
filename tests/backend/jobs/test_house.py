"""What a worker holds while it lives."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest

from espalier.demo.pictures import IMAGE_CONFIG
from espalier.errors import BadRequest, LabelStudioDown, NotTrained
from espalier.jobs import house as houses
from espalier.settings import Secret


def test_the_process_has_one_house(home: Any) -> None:
    assert houses.current() is home.house
    assert houses.current(home.house.settings) is not home.house


def test_a_configuration_is_parsed_once(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    assert home.house.ontology(home.project) is home.house.ontology(home.project)
    home.configure(IMAGE_CONFIG.replace("no loop", "open"))
    assert home.house.ontology(home.project).classification("loop").option(("open",))


def test_models_and_encoders_stay_warm(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(30, 30)
    directory = Path(home.train().directory)
    assert home.house.model(directory) is home.house.model(directory)
    assert home.house.encoder() is home.house.encoder(device="auto")


def test_only_a_few_models_are_kept(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    home.digits(30, 30)
    directories = [Path(home.train().directory) for _ in range(houses._MODELS_KEPT + 2)]
    for directory in directories:
        home.house.model(directory)
    assert list(home.house._models) == directories[2:]


def test_a_version_that_is_not_there_is_answered_with_those_that_are(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    with pytest.raises(NotTrained, match=r"no model version that serves; known: none yet\. Label a few frames"):
        home.house.version(home.project)
    home.digits(30, 30)
    home.train()
    assert home.house.version(home.project).name == "espalier-v1"
    with pytest.raises(NotTrained, match="no model version espalier-v9; known: espalier-v1"):
        home.house.version(home.project, "espalier-v9")


def test_without_a_token_there_is_no_client(home: Any) -> None:
    home.configure(IMAGE_CONFIG)
    assert home.house.label_studio(home.project) is None
    with pytest.raises(BadRequest, match="LABEL_STUDIO_URL and LABEL_STUDIO_API_KEY"):
        home.house.client(home.project)


def test_the_operators_token_never_goes_to_an_address_that_a_request_named(new_home: Callable[..., Any]) -> None:
    home = new_home(label_studio_api_key=Secret("operators"))
    home.configure(IMAGE_CONFIG)
    home.house.records.put_project(home.key, hostname="http://127.0.0.1:9")
    assert home.house.label_studio(home.project) is None


def test_a_label_studio_that_nobody_answers_for_is_down(new_home: Callable[..., Any]) -> None:
    home = new_home(label_studio_url="http://127.0.0.1:9", label_studio_api_key=Secret("x"))
    home.configure(IMAGE_CONFIG)
    with pytest.raises(LabelStudioDown):
        home.house.label_studio(home.project)
