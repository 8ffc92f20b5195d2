"""Figures for /metrics, on a real Valkey."""

from __future__ import annotations

from typing import Any

from espalier.jobs import figures


def test_figures_add_up_and_nothing_is_written_for_nothing(home: Any) -> None:
    redis = home.house.queues.redis
    figures.count(redis, trainings=0)
    assert redis.hgetall(figures.KEY) == {}
    figures.count(redis, trainings=1, tasks_predicted=3)
    figures.count(redis, tasks_predicted=2, media_failures=True)
    assert redis.hgetall(figures.KEY) == {b"trainings": b"1", b"tasks_predicted": b"5", b"media_failures": b"1"}
