"""Events that come together: each is applied, whatever the one beside it is."""

from __future__ import annotations

import dataclasses
from collections.abc import Callable
from typing import Any

import pytest

from espalier.errors import BadRequest
from espalier.labelstudio.wire import parse_event
from espalier.web.events import Events
from espalier.web.introductions import Introductions

PROJECT = {"id": 1, "title": "t", "label_config": "<View/>", "created_at": "2023-11-14T22:13:20Z"}


def test_a_good_event_beside_a_bad_one_is_trained_on(backend: Callable[..., Any]) -> None:
    """The good one is written before the bad one fails; tried again alone it is nothing new."""
    one = backend()
    events = Events(one.records, one.queues, Introductions(one.settings, one.records, one.queues))
    said = {"id": 5, "task": 7, "result": [{"id": "a"}], "updated_at": "2024-01-01T00:00:00Z"}
    task = {"id": 7, "data": {"image": "7.png"}}
    good = parse_event({"action": "ANNOTATION_CREATED", "annotation": said, "task": task, "project": PROJECT})
    gone = parse_event({"action": "ANNOTATIONS_DELETED", "annotations": [{"id": 1}], "project": PROJECT})
    bad = dataclasses.replace(gone, project_key="2.1", change="annotated", annotations=[{"id": "no number"}])
    events._see(good)
    first, second = events._mirrored._results([good, bad])
    assert one.records.annotations(good.project_key)
    assert [step for step, _ in one.steps()] == ["train"]
    assert not isinstance(first, BaseException)
    assert isinstance(second, BadRequest)
    with pytest.raises(BadRequest):
        events._mirror([bad])
