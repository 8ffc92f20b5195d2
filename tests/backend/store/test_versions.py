"""Model versions and their predictions."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta, timezone

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records
from espalier.store.rows import ModelVersion, Prediction

KEY = "10.1795197302"


def version(name: str, minute: int = 0) -> ModelVersion:
    at = datetime(2026, 11, 20, 17, tzinfo=timezone.utc) + timedelta(minutes=minute)
    return ModelVersion(KEY, name, "candidate", f"/data/{name}", {"name": "classic"}, "o1", "d1", {"f1": 0.5}, at)


def prediction(task_id: int, **more: object) -> Prediction:
    made = Prediction(KEY, task_id, "v1", "i1", [{"id": "a", "value": {"choices": ["Cat"]}}], 0.25)
    return replace(made, **more)  # type: ignore[arg-type]


def test_versions_are_kept_the_newest_first(records: Records) -> None:
    for row in (version("v1"), version("v3", 2), version("v2", 1)):
        records.add_version(row)
    assert [row.name for row in records.versions(KEY)] == ["v3", "v2", "v1"]
    assert records.version(KEY, "v2") == version("v2", 1)
    assert records.version(KEY, "v9") is None


def test_a_name_is_given_once(records: Records) -> None:
    records.add_version(version("v1"))
    with pytest.raises(BadRequest, match="already"):
        records.add_version(version("v1", 1))


def test_serving_archives_the_one_before(records: Records) -> None:
    for row in (version("v1"), version("v2")):
        records.add_version(row)
        records.serve(KEY, row.name)
    assert {row.name: row.state for row in records.versions(KEY)} == {"v1": "archived", "v2": "promoted"}
    project = records.project(KEY)
    assert project is not None
    assert (project.served, project.published) == ("v2", "v2")


def test_a_run_may_be_published_while_its_version_predicts(records: Records) -> None:
    records.add_version(version("v1"))
    records.serve(KEY, "v1")
    records.publish(KEY, "v1-run1")
    project = records.project(KEY)
    assert project is not None
    assert (project.served, project.published) == ("v1", "v1-run1")


def test_what_is_not_there_cannot_serve_or_change(records: Records) -> None:
    with pytest.raises(BadRequest, match="no model version 'v9'"):
        records.serve(KEY, "v9")
    with pytest.raises(BadRequest, match="no model version 'v9'"):
        records.set_version(KEY, "v9", state="failed")
    project = records.project(KEY)
    assert project is None or project.served is None


def test_a_version_tells_why_it_failed(records: Records) -> None:
    records.add_version(version("v1"))
    changed = records.set_version(KEY, "v1", state="failed", message="too few answers", metrics={"f1": 0.1})
    assert (
        records.version(KEY, "v1")
        == changed
        == replace(version("v1"), state="failed", message="too few answers", metrics={"f1": 0.1})
    )


def test_predictions_are_replaced_and_dropped(records: Records) -> None:
    records.put_predictions([prediction(1), prediction(2)])
    records.put_predictions([prediction(2, inputs="i2", message="no video"), prediction(3, version="v2")])
    found = records.predictions(KEY, "v1", [1, 2, 3])
    assert found == {1: prediction(1), 2: prediction(2, inputs="i2", message="no video")}
    assert records.drop_predictions(KEY, "v1") == 2
    assert records.drop_predictions(KEY, "v1") == 0
    assert list(records.predictions(KEY, "v2", [3])) == [3]


def test_many_predictions_are_read_at_once(records: Records) -> None:
    records.put_predictions(prediction(id) for id in range(3000))
    assert len(records.predictions(KEY, "v1", range(5000))) == 3000


def test_a_new_labeling_configuration_forgets_what_models_answered_to_the_old_one(records: Records) -> None:
    records.put_project(KEY, label_config="<View/>")
    records.add_version(version("v1"))
    records.put_predictions([prediction(1), prediction(1, version="v1-run1")])
    records.put_project(KEY, label_config="<View/>", title="Cats")
    assert records.predictions(KEY, "v1", [1])
    records.put_project(KEY, label_config="<View></View>")
    assert not records.predictions(KEY, "v1", [1])
    assert records.predictions(KEY, "v1-run1", [1]), "what a run wrote is known as long as the run is"
