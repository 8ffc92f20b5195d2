"""Predictions to be reviewed: what is listed, in what order, and what a decision needs."""

from __future__ import annotations

from typing import Any

import pytest

from espalier.store.catalogue import Shown
from espalier.store.frame_ids import FRAME_BITS
from espalier.store.rows import Prediction
from espalier.web.api.given import Given
from espalier.web.api.predicted import PredictedItems
from espalier.web.api.reviews import read_ahead, read_last

from .conftest import KEY, Api, weather


def scored(option: str, score: float) -> list[dict[str, Any]]:
    return [{**one, "score": score} for one in weather(option)]


@pytest.fixture
def predicted(api: Api) -> Api:
    """A run that predicted all three tasks, of which people have annotated the first two."""
    records = api.backend.records
    run = records.add_run(KEY, {"confidence": 0.25}, version="v1-run1", total=3)
    results = {1: scored("Rain", 0.9), 2: scored("Sun", 0.4), 3: scored("Rain", 0.7)}
    records.put_predictions([Prediction(KEY, id, "v1-run1", "x", result) for id, result in results.items()])
    records.set_run(run.id, state="done")
    records.note_shown(KEY, [Shown(id, "img", 0, f"{id:02d}" * 32, "image") for id in (1, 2)])
    return api


def listed(api: Api, query: str = "") -> list[int]:
    return [one["task"] for one in api.get(f"/projects/1/predictions?{query}").get_json()["items"]]


def test_the_least_sure_are_first_and_filters_leave_out_the_others(predicted: Api) -> None:
    told = predicted.get("/projects/1/predictions").get_json()
    assert (told["version"], told["total"], len(told["run"])) == ("v1-run1", 3, 8)
    assert told["states"] == {"undecided": 1, "approved": 0, "corrected": 0, "rejected": 0, "annotated": 2}
    first = told["items"][0]
    assert (first["task"], first["score"], first["margin"], first["state"]) == (2, 0.4, 0.15, "annotated")
    assert (first["id"] % (1 << FRAME_BITS), first["first"], first["frame"]) == (0, None, 1)
    assert told["items"][1]["id"] is None, "nobody has opened the third task"
    assert listed(predicted, "sort=sure") == [1, 3, 2]
    assert listed(predicted, "sort=task&state=undecided") == [3]
    assert listed(predicted, "classification=Weather&option=Rain") == [3, 1]
    assert listed(predicted, "min=0.5&max=0.8") == [3]
    assert listed(predicted, "limit=1&offset=1") == [3]
    places = predicted.get("/projects/1/predictions/places?sort=task").get_json()["places"]
    assert [place[:4] for place in places] == [[id, "img", None, None] for id in (1, 2, 3)]


def test_what_is_new_is_read_and_what_is_gone_is_not_shown(predicted: Api) -> None:
    records = predicted.backend.records
    assert listed(predicted) == [2, 3, 1]
    records.put_predictions([Prediction(KEY, 2, "v1-run1", "y", scored("Sun", 0.95))])
    assert listed(predicted) == [3, 1, 2]
    records.forget_tasks(KEY, [3])
    records.drop_predictions(KEY, "v1-run1")
    records.put_predictions([Prediction(KEY, 1, "v1-run1", "y", scored("Sun", 0.5))])
    assert listed(predicted) == [1]


def test_they_are_read_while_their_page_is_on_its_way(predicted: Api, monkeypatch: pytest.MonkeyPatch) -> None:
    made = predicted.backend
    given, items = Given(made.settings, made.records, made.queues), PredictedItems(made.records)
    (project,) = made.records.projects()
    read_ahead(given, items, project, None, None).join()
    read_ahead(given, items, project, None, "nothing").join()  # whoever asks for these is told
    monkeypatch.setattr(made.records, "prediction_texts", None)
    assert len(items.of(project, "v1-run1", given.ontology(project)).items) == 3


def test_what_the_last_run_predicted_is_read_when_the_server_starts(
    predicted: Api, monkeypatch: pytest.MonkeyPatch
) -> None:
    made = predicted.backend
    given, items = Given(made.settings, made.records, made.queues), PredictedItems(made.records)
    read_last(given, items).join()
    monkeypatch.setattr(made.records, "prediction_texts", None)
    (project,) = made.records.projects()
    assert len(items.of(project, "v1-run1", given.ontology(project)).items) == 3


def test_a_blind_sample_is_not_shown(predicted: Api) -> None:
    records = predicted.backend.records
    run = records.add_run(KEY, {"blind": 0.5}, version="v1-run2", total=3)
    records.put_predictions([Prediction(KEY, id, "v1-run2", "x", scored("Rain", 0.6)) for id in range(1, 201)])
    records.set_run_items(run.id, dict.fromkeys(range(1, 201), "blind"))
    shown = predicted.get(f"/projects/1/predictions?run={run.id}&limit=500").get_json()
    assert 0 < shown["total"] < 200
    assert {1, 2} <= {one["task"] for one in shown["items"]}, "people have answered these"


def test_decisions_show_as_states_and_what_was_rejected_is_predicted_no_more(predicted: Api) -> None:
    records = predicted.backend.records
    review = records.add_run(KEY, {"as": "annotations", "review": {"version": "v1-run1"}}, total=1, kind="bulk")
    decisions = {"decisions": [["img", None, None, "rejected"]]}
    records.set_run_items(review.id, {3: "rejecting"}, {3: {"review": decisions}})
    assert listed(predicted, "state=rejected") == [3]
    records.set_run(review.id, state="failed")
    assert listed(predicted, "state=rejected") == [], "it did not come to that"
    records.set_run_items(review.id, {3: "rejected"}, {3: {"review": {**decisions, "gone": True}}})
    records.set_run(review.id, state="done")
    assert listed(predicted, "state=rejected") == [3]
    records.set_run(review.id, state="undone")
    assert listed(predicted, "state=undecided") == [3]


def test_whose_predictions_there_are(predicted: Api) -> None:
    (source,) = predicted.get("/projects/1/predictions/sources").get_json()["items"]
    assert (source["version"], source["predicted"], source["serves"]) == ("v1-run1", 3, False)
    assert predicted.get("/projects/1/predictions?run=deadbeef").status_code == 404
    assert predicted.get("/projects/1/predictions?version=nothing").status_code == 404


def test_without_predictions_it_says_what_to_do(api: Api) -> None:
    refused = api.get("/projects/1/predictions")
    assert refused.status_code == 409
    assert "start a run" in refused.get_json()["detail"]


def test_a_review_is_a_job_for_annotators(predicted: Api) -> None:
    body = {"decisions": [{"task": 3, "approve": True}]}
    assert predicted.post("/projects/1/reviews", body, role="viewer").status_code == 403
    told = predicted.post("/projects/1/reviews", body, role="annotator")
    assert told.status_code == 202
    assert predicted.post("/projects/1/reviews", {"decisions": []}).status_code == 422
