"""Promotions: every change of what serves is remembered with it, in one transaction."""

from __future__ import annotations

from datetime import datetime, timezone

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records
from espalier.store.rows import ModelVersion

KEY = "10.1795197302"


def add(records: Records, *names: str) -> None:
    for name in names:
        moment = datetime(2026, 11, 20, 17, tzinfo=timezone.utc)
        records.add_version(ModelVersion(KEY, name, "candidate", "", {}, "", "", {}, moment))


def test_history_says_what_served_before_and_who_decided(records: Records) -> None:
    add(records, "v1", "v2")
    records.serve(KEY, "v1")
    records.serve(KEY, "v2", by="person", reason="it knows snow")
    second, first = records.promotions(KEY)
    assert (first.number, first.version, first.previous, first.by) == (1, "v1", None, "gate")
    assert (second.number, second.version, second.previous, second.by) == (2, "v2", "v1", "person")
    assert second.reason == "it knows snow"
    assert first.at <= second.at
    assert second.at.tzinfo is not None


def test_what_serves_already_is_not_promoted_again(records: Records) -> None:
    add(records, "v1")
    records.serve(KEY, "v1")
    records.publish(KEY, "v1-run1")
    records.serve(KEY, "v1")
    assert len(records.promotions(KEY)) == 1
    project = records.project(KEY)
    assert project is not None
    assert project.published == "v1"


def test_what_is_not_there_leaves_no_trace(records: Records) -> None:
    with pytest.raises(BadRequest, match="no model version 'v9'"):
        records.serve(KEY, "v9")
    assert records.promotions(KEY) == []


def test_each_project_counts_for_itself(records: Records) -> None:
    add(records, "v1")
    records.serve(KEY, "v1")
    moment = datetime(2026, 11, 20, 17, tzinfo=timezone.utc)
    records.add_version(ModelVersion("11.1", "v1", "candidate", "", {}, "", "", {}, moment))
    records.serve("11.1", "v1")
    assert [row.number for row in records.promotions("11.1")] == [1]
