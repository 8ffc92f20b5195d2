"""A list that /setup reports outlives the versions that are trained while people work through it."""

from __future__ import annotations

from datetime import datetime, timezone

from espalier.store.records import Records
from espalier.store.rows import ModelVersion

KEY = "1.1795197302"


def add_version(records: Records, name: str) -> None:
    moment = datetime.now(timezone.utc)
    records.add_version(ModelVersion(KEY, name, "candidate", "", {}, "", "", {}, moment))


def published(records: Records) -> tuple[str | None, str | None]:
    project = records.project(KEY)
    assert project is not None
    return project.served, project.published


def test_a_new_version_serves_and_the_list_stays_shown(records: Records) -> None:
    for name in ("v1", "v2", "v3", "v4"):
        add_version(records, name)
    records.serve(KEY, "v1")
    listed = records.add_run(KEY, {}, version="v1-errors1", kind="errors")
    records.publish(KEY, "v1-errors1")
    records.serve(KEY, "v2")
    assert published(records) == ("v2", "v1-errors1")
    records.set_run(listed.id, state="undone")
    records.serve(KEY, "v3")
    assert published(records) == ("v3", "v3")
    records.add_run(KEY, {}, version="v3-run1")
    records.publish(KEY, "v3-run1")
    records.serve(KEY, "v4")
    assert published(records) == ("v4", "v4"), "a run is of its model"
