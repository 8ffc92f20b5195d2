"""The OpenAPI document is valid, and the API keeps to it, whatever it is asked."""

from __future__ import annotations

from collections.abc import Iterator
from typing import Any

import pytest
import schemathesis
from hypothesis import HealthCheck, Phase, given, settings
from openapi_spec_validator import validate
from schemathesis.checks import load_all_checks, not_a_server_error
from schemathesis.specs.openapi.checks import (
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
    status_code_conformance,
)

from .conftest import Api

pytestmark = pytest.mark.filterwarnings("ignore")  # schemathesis and hypothesis warn of each other

KEPT = [
    not_a_server_error,
    status_code_conformance,
    content_type_conformance,
    response_headers_conformance,
    response_schema_conformance,
]
ENDLESS = "/events"
EXAMPLES = 6


@pytest.fixture
def document(api: Api) -> dict[str, Any]:
    found: dict[str, Any] = api.get("/openapi.json").get_json()
    return found


def operations(document: dict[str, Any]) -> Iterator[tuple[str, str, dict[str, Any]]]:
    for path, methods in document["paths"].items():
        for method, operation in methods.items():
            yield method, path, operation


def test_the_document_is_valid(document: dict[str, Any]) -> None:
    assert document["openapi"].startswith("3.1")
    validate(document)


def test_every_operation_says_what_it_is_for_and_who_may_ask(document: dict[str, Any]) -> None:
    ids = [operation["operationId"] for _, _, operation in operations(document)]
    assert len(ids) == len(set(ids)) > 60
    for method, path, operation in operations(document):
        assert operation["description"], (method, path)
        assert operation["x-espalier-role"] in ("viewer", "annotator", "manager"), (method, path)
        assert operation["x-espalier-role"] != "viewer" or method == "get" or is_a_question(path), (method, path)


def is_a_question(path: str) -> bool:
    """Asked by POST since the question is long; it changes nothing."""
    kinds = "search pairs duplicates clusters map outliers discover anomalies uploads check"
    return path.rpartition("/")[2] in kinds.split()


def test_problems_are_declared_as_problems(document: dict[str, Any]) -> None:
    for method, path, operation in operations(document):
        for status, answer in operation["responses"].items():
            if int(status) >= 400:
                assert list(answer["content"]) == ["application/problem+json"], (method, path, status)


def test_whatever_is_asked_is_answered_as_declared(api: Api) -> None:
    load_all_checks()
    schema = schemathesis.openapi.from_wsgi(
        "/api/v1/openapi.json", api.client.application, headers={"Authorization": f"Bearer {api.tokens['manager']}"}
    )
    found: Any = schema.get_all_operations()
    for result in found:
        operation = result.ok()
        if not operation.path.endswith(ENDLESS):
            keeps_to(operation, api)


def keeps_to(operation: Any, api: Api) -> None:
    @settings(
        max_examples=EXAMPLES, deadline=None, derandomize=True, database=None, phases=[Phase.generate],
        suppress_health_check=list(HealthCheck),
    )  # fmt: skip
    @given(case=operation.as_strategy())
    def ask(case: Any) -> None:
        if "project" in case.path_parameters:
            case.path_parameters["project"] = "1"  # another one is hardly ever found by chance
        answer = case.call(headers={"Authorization": f"Bearer {api.tokens['manager']}"})
        case.validate_response(answer, checks=KEPT)

    ask()
    api.backend.queues.redis.flushall()
