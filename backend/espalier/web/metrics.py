"""Figures for Prometheus: this process's requests, and what the workers left in the records and on Redis."""

from __future__ import annotations

import time
from collections import Counter as Tally
from collections.abc import Iterator

from flask import Response, g, request
from prometheus_client import CollectorRegistry, Counter, Histogram, generate_latest
from prometheus_client.core import CounterMetricFamily, GaugeMetricFamily, Metric
from prometheus_client.registry import Collector

from ..jobs import figures
from ..jobs.queue import Queues
from ..store.records import Records

_COUNTED = {
    "tasks_predicted": "Tasks predicted by workers",
    "trainings": "Model versions trained",
    "media_failures": "Media that could not be read",
}
_BUCKETS = (0.002, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 5.0, 20.0, 60.0)


class Metrics:
    """One per application, so that two in one process do not add up."""

    def __init__(self, records: Records, queues: Queues) -> None:
        self._registry = CollectorRegistry()
        self._registry.register(_Workers(records, queues))
        self._requests = Counter(
            "espalier_requests_total", "Requests answered", ("route", "method", "status"), registry=self._registry
        )
        self._seconds = Histogram(
            "espalier_request_seconds", "Time to answer", ("route",), buckets=_BUCKETS, registry=self._registry
        )

    def start(self) -> None:
        g.started = time.perf_counter()

    def finish(self, response: Response) -> Response:
        # The rule, not the path: a path may be anything, and each new one would be kept for ever.
        route = request.url_rule.rule if request.url_rule else "unknown"
        self._requests.labels(route, request.method, str(response.status_code)).inc()
        if "started" in g:
            self._seconds.labels(route).observe(time.perf_counter() - g.started)
        return response

    def text(self) -> bytes:
        return generate_latest(self._registry)


class _Workers(Collector):
    def __init__(self, records: Records, queues: Queues) -> None:
        self._records = records
        self._queues = queues

    def describe(self) -> list[Metric]:
        """Nothing is asked at registration: the database may be slow to start."""
        return []

    def collect(self) -> Iterator[Metric]:
        waiting = GaugeMetricFamily("espalier_queue_length", "Jobs that wait", labels=("queue",))
        for line, count in sorted(self._queues.waiting().items()):
            waiting.add_metric([line], count)
        yield waiting
        projects = self._records.projects()
        yield GaugeMetricFamily("espalier_projects", "Projects connected", value=len(projects))
        states = Tally(row.state for project in projects for row in self._records.versions(project.key))
        versions = GaugeMetricFamily("espalier_model_versions", "Model versions by state", labels=("state",))
        for state, count in sorted(states.items()):
            versions.add_metric([state], count)
        yield versions
        counted = self._queues.redis.hmget(figures.KEY, list(_COUNTED))
        for (name, meaning), value in zip(_COUNTED.items(), counted, strict=True):
            yield CounterMetricFamily(f"espalier_{name}", meaning, value=float(value or 0))
