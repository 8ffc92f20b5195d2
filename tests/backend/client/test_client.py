"""The client against a live server with a worker: from labels to a model, its figures, and frames like each other."""

from __future__ import annotations

import pytest

from espalier.client import Espalier, Problem

from .conftest import DIGITS, LABELED, Live


def test_it_says_who_it_is(espalier: Espalier) -> None:
    assert espalier.me()["role"] == "manager"
    assert [(project.id, project.title) for project in espalier.projects()] == [(1, "Digits")]


def test_a_training_makes_a_version_that_serves(espalier: Espalier) -> None:
    project = espalier.project(1)
    version = project.versions()[0]
    assert version.serves
    assert version.state == "promoted"
    about = project.about()
    assert about["tasks"] == DIGITS
    assert about["answered"] == LABELED
    assert about["served"] == version.name


def test_a_job_is_followed_to_its_end(espalier: Espalier) -> None:
    seen = list(espalier.follow(espalier.project(1).train()))
    assert seen[-1].state == "done"
    assert all(not job.is_over for job in seen[:-1])


def test_figures_are_those_of_the_commands(espalier: Espalier) -> None:
    project = espalier.project(1)
    name = project.versions()[0].name
    assert {"questions", "parts", "version"} <= set(project.evaluation(name))
    assert [entry["target"] for entry in project.coverage(name, [0.9])["global"]] == [0.9]
    questions = project.labels()["questions"]
    assert questions
    assert project.ontology()["classifications"]
    curves = espalier.ask("GET", f"/projects/1/versions/{name}/curves")
    points = curves["questions"][0]["options"][0]["precision_recall"]
    assert len(points["recall"]) == len(points["precision"]) == len(points["cutoff"]) > 0
    frames = espalier.ask(
        "GET",
        f"/projects/1/versions/{name}/frames",
        query={"classification": curves["questions"][0]["classification"], "which": "all", "limit": 5},
    )
    assert frames["total"] >= 5
    assert all(1 <= frame["task"] <= DIGITS for frame in frames["frames"])
    assert espalier.project(1).thumbnail(frames["frames"][0]["id"]).startswith(b"\xff\xd8")
    heat = espalier.ask("GET", f"/projects/1/versions/{name}/heat-map", query={"task": 1, "method": "occlusion"})
    assert heat["png"] if isinstance(heat, dict) else heat.startswith(b"\x89PNG")  # a job's result is JSON
    assert espalier.ask("GET", f"/projects/1/versions/{name}/steps")["questions"]


def test_a_cutoff_is_chosen_and_taken_back(espalier: Espalier) -> None:
    project = espalier.project(1)
    changed = project.choose_cutoffs({"default": {"strategy": "by_hand", "value": 0.7}})
    assert {figure["cutoff"] for figure in changed["figures"]} == {0.7}
    assert project.choose_cutoffs({})["policy"] == {}


def test_a_run_is_counted_before_anything_is_written(espalier: Espalier) -> None:
    counts = espalier.project(1).preview(filter="unlabeled")
    assert counts["tasks"] == DIGITS - LABELED
    with pytest.raises(Problem, match="token"):  # there is no Label Studio to write to
        espalier.project(1).run(filter="unlabeled")
    assert espalier.project(1).runs() == []


def test_frames_are_found_by_what_they_look_like(espalier: Espalier, trained: Live) -> None:
    project = espalier.project(1)
    hits = project.search({"task": 1}, k=5)
    assert len(hits) == 5
    assert all(hit.task != 1 for hit in hits)
    assert [hit.score for hit in hits] == sorted((hit.score for hit in hits), reverse=True)
    uploaded = project.upload(trained.digits[0].path)
    assert project.search({"picture": uploaded}, k=1)[0].task == 1
    assert project.thumbnail(hits[0].id, size=96).startswith(b"\xff\xd8")


def test_what_is_refused_is_a_problem_in_words(espalier: Espalier, trained: Live) -> None:
    with pytest.raises(Problem, match="not connected") as missing:
        espalier.project(99).about()
    assert (missing.value.status, missing.value.kind) == (404, "not-found")
    with pytest.raises(Problem, match="the query must be one of"):
        espalier.project(1).search({})
    with trained.client("espalier_000000000000_" + "x" * 43) as stranger, pytest.raises(Problem) as unknown:
        stranger.projects()
    assert unknown.value.status == 401
    with Espalier("http://127.0.0.1:9") as nowhere, pytest.raises(Problem, match="nobody answers"):
        nowhere.projects()


@pytest.mark.parametrize(
    "path",
    [
        "/projects/1/settings",
        "/projects/1/mappings",
        "/projects/1/revisits",
        "/projects/1/ontology/changes",
        "/projects/1/cutoffs",
        "/projects/1/promotions",
        "/projects/1/index",
        "/projects/1/lists/next",
        "/projects/1/lists/errors",
        "/projects/1/quality",
        "/projects/1/forecast",
        "/projects/1/exports/labels",
        "/projects/1/exports/predictions",
        "/plugins",
        "/queue",
    ],
)
def test_everything_that_reads_answers(espalier: Espalier, path: str) -> None:
    assert espalier.ask("GET", path) is not None


def test_settings_are_chosen_and_taken_back(espalier: Espalier) -> None:
    name = espalier.project(1).ontology()["classifications"][0]["name"]
    address = f"/projects/1/classifications/{name}/settings"
    chosen = espalier.ask("PUT", address, body={"settings": {"score_threshold": "0.6"}})["items"]
    assert [(one["classification"], one["value"], one["origin"]) for one in chosen] == [(name, "0.6", "project")]
    assert espalier.ask("DELETE", f"{address}/score_threshold")["items"] == []
    with pytest.raises(Problem, match="no classifier plugin"):
        espalier.ask("PUT", address, body={"settings": {"plugin": "nobody"}})
