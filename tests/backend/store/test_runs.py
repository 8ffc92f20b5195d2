"""Runs, and how far each has come."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor
from datetime import datetime, timezone

import pytest

from espalier.errors import BadRequest
from espalier.store.records import Records

KEY = "10.1795197302"
AT = "2026-11-21T07:25:49.738542Z"


def test_a_run_is_queued_with_what_was_asked(records: Records) -> None:
    run = records.add_run(KEY, {"first": 1, "cutoffs": {"cls": 0.8}}, version="v1-run1", previous="v1", total=3)
    assert records.run(run.id) == run
    assert (run.state, run.version, run.previous, run.parameters["cutoffs"]) == (
        "queued",
        "v1-run1",
        "v1",
        {"cls": 0.8},
    )
    assert records.run("nothing") is None


def test_a_run_without_a_name_is_named_after_itself(records: Records) -> None:
    run = records.add_run(KEY, {})
    assert run.version == f"run-{run.id}"


def test_runs_come_the_newest_first(records: Records) -> None:
    ids = [records.add_run(KEY, {}).id for _ in range(3)]
    records.add_run("11.1", {})
    assert [run.id for run in records.runs(KEY)] == ids[::-1]


def test_a_job_plans_one_run_however_often_it_is_done(records: Records) -> None:
    planned = records.add_run(KEY, {"first": 1}, job="a", items={1: "selected", 2: "refused"}, made={1: {"frames": []}})
    records.set_run(planned.id, state="done", done=2)
    again = records.add_run(KEY, {"first": 1}, job="a", items={1: "selected", 2: "selected"})
    assert again == records.run_of("a")
    assert (again.id, again.state, again.done) == (planned.id, "done", 2)
    assert records.run_items(planned.id) == {1: "selected", 2: "refused"}
    assert records.add_run(KEY, {"first": 1}, job="b").id != planned.id
    assert records.run_of("c") is records.run_of("") is None
    assert 0 < int(planned.id, 16) < 2**53, "it is a number in Label Studio"


def test_runs_that_are_planned_at_once_share_no_number(records: Records) -> None:
    records.add_run("11.1", {}, numbered="v1-run")
    records.add_run(KEY, {}, version="v1-run2")
    with ThreadPoolExecutor(8) as pool:
        runs = list(pool.map(lambda _: records.add_run(KEY, {}, numbered="v1-run"), range(24)))
    names = [run.version for run in runs]
    assert len({*names, "v1-run2"}) == 25
    assert all(name.removeprefix("v1-run").isdigit() for name in names)


def test_a_run_moves_on(records: Records) -> None:
    run = records.add_run(KEY, {})
    changed = records.set_run(run.id, state="running", done=2, counts={"written": 2})
    assert records.run(run.id) == changed
    assert (changed.done, changed.counts) == (2, {"written": 2})
    with pytest.raises(BadRequest, match="no run"):
        records.set_run("nothing", done=1)
    with pytest.raises(BadRequest, match="has no stat"):
        records.set_run(run.id, stat="done")


def test_a_killed_run_knows_where_it_was(records: Records) -> None:
    run = records.add_run(KEY, {})
    records.set_run_items(run.id, {2: "writing", 1: "written"})
    records.set_run_items(run.id, {2: "written"})
    assert records.run_items(run.id) == {1: "written", 2: "written"}
    assert records.run_items(records.add_run(KEY, {}).id) == {}


def test_what_a_bulk_label_made_is_kept_beside_its_state(records: Records) -> None:
    run = records.add_run(KEY, {}, kind="bulk")
    records.set_run_items(run.id, {1: "writing", 2: "writing", 3: "refused"})
    assert records.made(run.id) == {}
    records.set_run_items(run.id, {1: "written", 2: "written"}, {1: {"annotation": 71, "updated_at": AT}})
    records.set_run_items(run.id, {1: "written"})
    assert records.run_items(run.id) == {1: "written", 2: "written", 3: "refused"}
    assert records.made(run.id) == {1: {"annotation": 71, "updated_at": AT}}
    assert records.made_annotations(KEY) == {71: datetime(2026, 11, 21, 7, 25, 49, 738542, timezone.utc)}
    assert records.made_annotations(KEY, [1, 5]).keys() == {71}
    assert records.made_annotations(KEY, [2]) == {}
    records.set_run(run.id, state="undone")
    assert records.made_annotations(KEY) == {}
