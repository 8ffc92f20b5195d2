"""The ontology through the REST API: its configuration, what is set of its classifications, and its mappings."""

from __future__ import annotations

from typing import Any

import pytest

from .conftest import CONFIG, KEY, Api

MARKUP = '<b>"Rain"</b>'


def asked(api: Api) -> list[tuple[str, Any]]:
    """Errands that wait, by name, with their requests."""
    queues = api.backend.queues
    jobs = [job for queue in (queues.prediction, queues.search) for job in queue.get_jobs()]
    return [(job.args[1], job.args[2]) for job in jobs if str(job.func_name).endswith("errand")]


def test_the_labeling_configuration_is_shown_as_it_is(api: Api) -> None:
    assert api.get("/projects/1/labeling-configuration", role="viewer").get_json() == {"config": CONFIG}


def test_a_configuration_is_checked_against_todays_before_it_is_saved(api: Api) -> None:
    other = CONFIG.replace('"Rain"', '"Rainy"').replace("<Choices ", '<Choices whenTagName="Season" ')
    told = api.post("/projects/1/labeling-configuration/check", {"config": other}, role="viewer").get_json()
    assert told["asks"] == ["Weather"]
    assert any("Rain" in change["message"] for change in told["changes"])
    assert all(finding["instead"] for finding in told["findings"])
    assert told["findings"]
    assert api.get("/projects/1/labeling-configuration").get_json() == {"config": CONFIG}


@pytest.mark.parametrize("config", ["<View>", "words", "<View><View></View>"])
def test_what_is_no_configuration_is_refused_in_words(api: Api, config: str) -> None:
    refused = api.post("/projects/1/labeling-configuration/check", {"config": config})
    assert refused.status_code == 422
    assert refused.get_json()["detail"]


def test_names_with_a_slash_and_markup_can_be_set(api: Api) -> None:
    config = CONFIG.replace('"Weather"', "'Road/&lt;b>'")
    api.backend.records.put_project(KEY, label_config=config)
    path = "/projects/1/classifications/Road%2F%3Cb%3E/settings?wait_s=0"
    told = api.ask("PUT", path, json={"settings": {"plugin": "kernel"}, "taken_back": ["negatives"]})
    assert told.status_code == 202
    assert api.ask("DELETE", path.replace("?", "/model_plugin?")).status_code == 202
    assert [request["classification"] for _, request in asked(api)] == ["Road/<b>", "Road/<b>"]
    nothing = api.ask("PUT", path, json={"settings": {}})
    assert (nothing.status_code, "at least one" in nothing.get_json()["detail"]) == (422, True)


def test_a_mapping_is_looked_at_before_it_is_made(api: Api) -> None:
    body = {"kind": "merge", "classification": "Weather", "old": [["Rain"]], "new": [["Sun"]]}
    assert api.post("/projects/1/mappings/preview?wait_s=0", body).status_code == 202
    assert api.post("/projects/1/mappings/preview?wait_s=0", body, role="annotator").status_code == 403
    assert asked(api) == [("preview_map", body)]
